"""The one place that chooses the store for an address."""

from contextlib import AbstractContextManager
from pathlib import Path

from db.addresses import StoreAddress
from db.errors import UnknownStoreError
from db.galleries import Gallery, Store
from db.ledgers import Ledger
from db.sqlite import store as sqlite
from db.sqlite.ledger import SqliteLedger


def open_store(address: StoreAddress | Path | str) -> Store:
    """Return the store at an address; nothing is opened or created yet.

    Raises:
        UnknownStoreError: no store has an address of this kind.
    """
    found = address if isinstance(address, StoreAddress) else StoreAddress(str(address))
    if not found.is_file:
        raise UnknownStoreError(
            f"A gallery at {found} cannot be opened; it must be an SQLite file. Name one by its "
            "path, or as sqlite:///PATH."
        )
    return sqlite.SqliteStore(found)


def open_ledger(address: StoreAddress | Path | str, *, create: bool = True) -> Ledger:
    """Open the ledger at an address; it is made if it is not there, unless `create` is false.

    Raises:
        UnknownStoreError: no store has an address of this kind.
        GalleryError: it cannot be opened; see `db.errors`.
    """
    found = address if isinstance(address, StoreAddress) else StoreAddress(str(address))
    if not found.is_file:
        raise UnknownStoreError(
            f"A library at {found} cannot be opened; it must be an SQLite file. Name one by its "
            "path, or as sqlite:///PATH."
        )
    return SqliteLedger(found.path, create=create)


def empty_ledger() -> Ledger:
    """Return a ledger in memory that holds nothing, for readers where there is none yet."""
    return SqliteLedger()


def open_bundle(path: Path) -> AbstractContextManager[Gallery]:
    """Open a copy of a bundle, after checking integrity, manifest, counts and sha256.

    Raises:
        GalleryMissingError: there is no such file.
        NotAGalleryError: it is not a bundle, or damaged.
        GalleryTooNewError: a newer version wrote it.
        DamagedBundleError: it has no manifest, or does not match its manifest.
    """
    return sqlite.open_bundle(path)
