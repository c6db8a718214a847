"""The address of a gallery, as the user gives it: a path, or the URL of a server."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

SQLITE = "sqlite"

_QUOTES = " \t\"'"

_MISTYPED = re.compile(r"(?:[\w+.-]{2,}:|[\w+.-]*//)[^@]*@")
"""A URL that lacks a part, with what may be a password before the @."""


@dataclass(frozen=True)
class StoreAddress:
    """The address of a store: a plain path, `sqlite:///path`, or another `scheme://...`.

    Messages show its `name`, never its `text`: a URL may hold a password.
    """

    text: str

    @property
    def scheme(self) -> str:
        """What kind of store it is: "sqlite", or the scheme of the URL."""
        if self.is_file:
            return SQLITE
        before = self.text.partition("://")[0].partition(":")[0]
        return before.strip(_QUOTES).lower() if "/" not in before else "unknown"

    @property
    def is_file(self) -> bool:
        """Whether it names a file; an `sqlite://` URL with a host does not."""
        before, separator, rest = self.text.partition("://")
        if separator:
            return before.lower() == SQLITE and len(rest) > 1 and rest.startswith("/")
        return not _MISTYPED.match(self.text) or os.path.exists(self.text)  # noqa: PTH110  # never raises

    @property
    def is_folder(self) -> bool:
        """Whether there is a folder where the file should be."""
        return self.is_file and os.path.isdir(self.path)  # noqa: PTH112  # never raises

    @property
    def path(self) -> Path:
        """The file of an SQLite gallery."""
        before, separator, rest = self.text.partition(":///")
        is_url = bool(separator) and before.lower() == SQLITE
        return at_home(Path(rest if is_url else self.text))

    @property
    def name(self) -> str:
        """The name used in messages: a file without its folders, a URL without its password."""
        return self.path.name if self.is_file else f"{self.scheme}://{_shown(self.text)}"

    def __str__(self) -> str:
        return str(self.path) if self.is_file else self.name

    def __repr__(self) -> str:
        return f"StoreAddress({str(self)!r})"


def at_home(path: Path) -> Path:
    """Replace a ~ that no shell has replaced, as in `make run PERFORMERS_DB="~/my gallery.db"`."""
    try:
        return path.expanduser()
    except RuntimeError:  # it is the beginning of a name
        return path


def _shown(url: str) -> str:
    """Return the host and the path of a URL, or "..." if a password may be in them."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "..."
    # An unescaped "/", "?" or "#" in a password ends the host early; the rest would be shown.
    if "@" in f"{parts.path}{parts.query}{parts.fragment}":
        return "..."
    path, *_ = parts.path.split(";")  # parameters may hold anything
    return f"{host}{f':{port}' if port else ''}{path}"
