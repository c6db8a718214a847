"""Where a gallery lies, as the user says it: a file, or the URL of a server."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

SQLITE = "sqlite"


@dataclass(frozen=True)
class StoreAddress:
    """The address of a store: a plain path, `sqlite:///path`, or another `scheme://...`.

    It is shown by `name`, never by its text: a URL may hold a password.
    """

    text: str

    @property
    def scheme(self) -> str:
        """What kind of store it is: "sqlite", or the scheme of the URL."""
        scheme, separator, _ = self.text.partition("://")
        return scheme.lower() if separator else SQLITE

    @property
    def path(self) -> Path:
        """The file of an SQLite gallery."""
        prefix = f"{SQLITE}:///"
        is_url = self.text.lower().startswith(prefix)
        return Path(self.text[len(prefix) :] if is_url else self.text)

    @property
    def name(self) -> str:
        """What messages call it: a file without its folders, a URL without its password."""
        if self.scheme == SQLITE:
            return self.path.name
        parts = urlsplit(self.text)
        port = f":{parts.port}" if parts.port else ""
        return f"{self.scheme}://{parts.hostname or ''}{port}{parts.path}"

    def __str__(self) -> str:
        return str(self.path) if self.scheme == SQLITE else self.name

    def __repr__(self) -> str:
        return f"StoreAddress({str(self)!r})"
