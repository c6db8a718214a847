"""Where the user's Stash is, and its key: from the settings, or as Stash's plugin handed it over.

What was handed over is kept in a file beside the ledger that only its owner can read.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from function.settings import Settings
from function.sources.records import UnusableSourceError
from function.stash.client import Stash
from function.stash.records import Totals

OWNER_ONLY = 0o600


class NotConnectedError(UnusableSourceError):
    """Nobody has said where Stash is."""


@dataclass(frozen=True)
class Connection:
    """A Stash: its URL as this machine reaches it, its key, and how its paths are ours.

    `path_map` holds pairs of a prefix of Stash's and ours that replaces it, found by `check`; those
    of PATH_MAP come first.
    """

    url: str
    api_key: str = field(default="", repr=False)
    path_map: tuple[tuple[str, str], ...] = ()

    def open(self, *, is_awaited: bool = False) -> Stash:
        """Return the Stash; nothing is asked yet. With `is_awaited` somebody waits for answers."""
        return Stash(self.url, self.api_key, is_awaited=is_awaited)


@dataclass(frozen=True)
class Connected:
    """A Stash that answered: where, its version, and how much it holds."""

    url: str
    version: str
    totals: Totals


def connect(settings: Settings, url: str, api_key: str = "") -> Connected:
    """Ask a Stash whether it answers and takes the key, and keep both.

    If STASH_URL is set, that one is asked instead, because it is the one that counts.

    Raises:
        UnusableSourceError: it does not answer as Stash does, or refuses the key; nothing is kept.
    """
    kept = find_connection(settings)
    if settings.stash_url and kept:
        wanted = kept
    else:
        wanted = Connection(url, api_key, kept.path_map if kept else ())
    stash = wanted.open(is_awaited=True)
    connected = Connected(stash.url, stash.version(), stash.totals())
    if not settings.stash_url:
        keep_connection(settings, replace(wanted, url=stash.url))
    return connected


def is_another(settings: Settings, url: str) -> bool:
    """Say whether a URL is of another Stash than the one that was connected before.

    Raises:
        UnusableSourceError: it is no URL, or what was kept cannot be read.
    """
    kept = find_connection(settings)
    if kept is None or settings.stash_url:
        return False
    return Connection(url).open().url != kept.open().url


def find_connection(settings: Settings) -> Connection | None:
    """Return the Stash that the settings name, else the one that was kept; None if neither.

    The key in the settings is for the URL in the settings: others may name another Stash.

    Raises:
        UnusableSourceError: what was kept cannot be read.
    """
    kept = _read(file_of(settings))
    path_map = (*settings.path_map, *(kept.path_map if kept else ()))
    if settings.stash_url:
        return Connection(settings.stash_url, settings.stash_api_key, path_map)
    if kept is None:
        return None
    return Connection(kept.url, kept.api_key, path_map)


def require_connection(settings: Settings) -> Connection:
    """Return the Stash to use.

    Raises:
        NotConnectedError: nobody has said where it is.
        UnusableSourceError: what was kept cannot be read.
    """
    found = find_connection(settings)
    if found is None:
        raise NotConnectedError(
            "Stash is not connected. Run python -m tools stash connect --url URL, or set STASH_URL "
            "and STASH_API_KEY."
        )
    return found


def keep_path_map(settings: Settings, found: Sequence[tuple[str, str]]) -> None:
    """Remember how paths of Stash are ours; pairs with the same beginning are replaced."""
    if not found:
        return
    kept = _read(file_of(settings)) or Connection("")
    pairs = dict(kept.path_map) | dict(found)
    keep_connection(settings, replace(kept, path_map=tuple(pairs.items())))


def keep_connection(settings: Settings, connection: Connection) -> None:
    """Write a connection to the file beside the ledger, whole or not at all.

    Raises:
        UnusableSourceError: the file cannot be written.
    """
    path = file_of(settings)
    content = {
        "url": connection.url,
        "api_key": connection.api_key,
        "path_map": [pair for pair in connection.path_map if pair not in settings.path_map],
    }
    new = path.with_name(f"{path.name}.new")
    try:
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY), "w") as file:
            json.dump(content, file)
        new.replace(path)
    except OSError as error:
        raise UnusableSourceError(
            f"The connection to Stash cannot be kept: {path} cannot be written ({error.strerror}). "
            "Check the folder's owner, or set STASH_URL and STASH_API_KEY."
        ) from error


def file_of(settings: Settings) -> Path:
    """Return the file that keeps the connection."""
    ledger = settings.library_db.path
    return ledger.with_name(f"{ledger.name}.stash")


def _read(path: Path) -> Connection | None:
    try:
        content = json.loads(path.read_text())
        pairs = tuple((str(theirs), str(ours)) for theirs, ours in content["path_map"])
        return Connection(str(content["url"]), str(content["api_key"]), pairs)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnusableSourceError(
            f"{path} does not say where Stash is ({type(error).__name__}). Delete it, and connect "
            "again: python -m tools stash connect --url URL."
        ) from error
