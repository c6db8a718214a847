"""The one place that chooses the store for an address."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Literal, TypeAlias

from db.addresses import StoreAddress
from db.errors import UnknownStoreError
from db.galleries import Gallery, Store
from db.ledgers import Ledger
from db.sqlite import store as sqlite
from db.sqlite.ledger import SqliteLedger
from db.sqlite.writers import only_worker

ClaimedWork: TypeAlias = Literal["worker", "tasks"]
"""What only one process may do for a ledger: scan, and do what was asked for Stash."""


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
    return SqliteLedger(_file_of_ledger(address), create=create)


def claim_ledger(
    address: StoreAddress | Path | str, work: ClaimedWork
) -> AbstractContextManager[bool]:
    """Become the one process that does some work for the ledger at an address, made or not yet.

    Gives False if another one is. The claim ends with the process, however that ends.

    Raises:
        UnknownStoreError: no store has an address of this kind.
        GalleryReadOnlyError: its folder cannot be written.
    """
    return only_worker(_file_of_ledger(address), work)


def _file_of_ledger(address: StoreAddress | Path | str) -> Path:
    found = address if isinstance(address, StoreAddress) else StoreAddress(str(address))
    if not found.is_file:
        raise UnknownStoreError(
            f"A library at {found} cannot be opened; it must be an SQLite file. Name one by its "
            "path, or as sqlite:///PATH."
        )
    return found.path


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
