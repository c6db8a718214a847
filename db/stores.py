"""The one place that chooses what keeps a gallery."""

from contextlib import AbstractContextManager
from pathlib import Path

from db.addresses import StoreAddress
from db.errors import UnknownStoreError
from db.galleries import Gallery, Store
from db.sqlite import store as sqlite


def open_store(address: StoreAddress | Path | str) -> Store:
    """Return the store at an address; nothing is opened or made yet.

    Raises:
        UnknownStoreError: no store of ours has an address of that kind.
    """
    found = address if isinstance(address, StoreAddress) else StoreAddress(str(address))
    if not found.is_file:
        raise UnknownStoreError(
            f"A gallery at {found} cannot be opened: only SQLite files can. Name one, by its path "
            "or as sqlite:///PATH."
        )
    return sqlite.SqliteStore(found)


def open_bundle(path: Path) -> AbstractContextManager[Gallery]:
    """Open a copy of a bundle that was checked: integrity, manifest, counts and sha256.

    Raises:
        GalleryMissingError: there is no such file.
        NotAGalleryError: it is no bundle, or damaged.
        GalleryTooNewError: a newer version wrote it.
        DamagedBundleError: it has no manifest, or is not what the manifest says.
    """
    return sqlite.open_bundle(path)
