"""A store that keeps its gallery in one SQLite file."""

import logging
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from db.addresses import StoreAddress
from db.errors import ErasureUnfinishedError, GalleryError, GalleryMissingError
from db.galleries import Manifest
from db.models import EncodingModel, Fusion
from db.records import Finding
from db.snapshots import Snapshot
from db.sqlite import bundles, corrections, edits, forgetting, listings, notes
from db.sqlite.checks import check_gallery
from db.sqlite.connections import gallery_schema
from db.sqlite.filesystems import backups_of, is_there
from db.sqlite.gallery import SqliteGallery
from db.sqlite.snapshots import SnapshotCache, load_snapshot
from db.sqlite.writers import only_writer

_log = logging.getLogger(__name__)


class StoredGallery(SqliteGallery):
    """An SQLite gallery with all methods of `db.galleries`, many from this package's functions."""

    def __init__(self, path: Path | None = None, *, create: bool = False) -> None:
        """Open the gallery at `path`; without a path, a new gallery in memory."""
        super().__init__(path, create=create)
        self.cache: SnapshotCache | None = None

    def snapshot(self, model: EncodingModel, fusions: Sequence[Fusion] = ()) -> Snapshot:
        """Return the whole gallery in memory, from the store's cache if there is one."""
        read = self.cache.newest if self.cache else load_snapshot
        return read(self, model, fusions)

    search = listings.list_performers
    photos = edits.photos_of
    merge = edits.merge
    rename = edits.rename
    remove_alias = edits.remove_alias
    rename_identities = edits.rename_identities
    remove_photo = edits.remove_photo
    allow_photos = edits.allow_photos
    assign = corrections.assign
    reject = corrections.reject
    undo = corrections.undo
    forget = forgetting.forget
    unforget = forgetting.unforget
    updated_at = notes.updated_at
    note_updated_at = notes.note_updated_at
    checkpoint = notes.checkpoint
    note_checkpoint = notes.note_checkpoint
    journal = notes.journal
    log = notes.log


@contextmanager
def open_bundle(path: Path) -> Iterator[StoredGallery]:
    """Open a checked copy of a bundle; see `db.stores.open_bundle`."""
    with bundles.checked_copy(path) as copy, StoredGallery(copy) as gallery:
        yield gallery


class SqliteStore:
    """A gallery in its own file. Each time it is opened, it gets its own connection."""

    def __init__(self, address: StoreAddress) -> None:
        """Open nothing yet."""
        self.address = address
        self._path = address.path
        self._cache = SnapshotCache()

    def exists(self) -> bool:
        """Say whether there is a file."""
        return is_there(self._path)

    def create(self) -> None:
        """Make an empty gallery where there is none."""
        StoredGallery(self._path, create=True).close()

    @contextmanager
    def gallery(self) -> Iterator[StoredGallery]:
        """Open the gallery to read."""
        with StoredGallery(self._path) as gallery:
            gallery.cache = self._cache
            yield gallery

    @contextmanager
    def changing(self, *, create: bool = False) -> Iterator[StoredGallery]:
        """Open the gallery to change it; other processes are locked out."""
        if not create:
            self._require()  # or the lock's file would be left next to no gallery
        with only_writer(self._path), StoredGallery(self._path, create=create) as gallery:
            if gallery.owes_scrub():
                with suppress(ErasureUnfinishedError):  # `check` tells of it
                    gallery.scrub()
            yield gallery

    def finish_erasing(self) -> None:
        """Rewrite the file, if that could not be finished when something was erased."""
        try:
            if self.exists() and self._owes_scrub():
                with self.changing():
                    pass
        except GalleryError as error:
            _log.warning("What was erased from the gallery may still be in its bytes: %s", error)

    def _owes_scrub(self) -> bool:
        """Say whether bytes of what was erased may remain; the file stays as it is."""
        asked = "SELECT 1 FROM counters WHERE name = 'unscrubbed'"
        try:
            uri = f"{self._path.absolute().as_uri()}?mode=rw"
            with closing(sqlite3.connect(uri, uri=True)) as db:
                return db.execute(asked).fetchone() is not None
        except sqlite3.Error:
            return False  # an older file, which cannot owe it, or a damaged one

    @contextmanager
    def rehearsing(self) -> Iterator[StoredGallery]:
        """Open a copy in memory."""
        with StoredGallery() as copy:
            if self.exists():
                with StoredGallery(self._path) as gallery:
                    gallery.copy_into(copy)
            yield copy

    def check(self, models: Sequence[str] = (), *, tell_folder: bool = True) -> Iterator[Finding]:
        """Check the file."""
        self._require()
        self.finish_erasing()
        folder = f"{self._path.parent}/"
        for one in check_gallery(self._path, models):
            told = (one.found, one.remedy)
            found, remedy = told if tell_folder else (text.replace(folder, "") for text in told)
            yield Finding(one.level, found, remedy)

    def backups(self) -> list[str]:
        """Name the backups made before upgrades."""
        return [path.name for path in backups_of(self._path)]

    def export_bundle(self, destination: Path) -> Manifest:
        """Write the gallery to a bundle, whole or not at all."""
        with self.gallery() as gallery:
            return bundles.export_bundle(gallery, destination)

    def _require(self) -> None:
        if not is_there(self._path) or not self._path.is_file():
            schema = gallery_schema()
            message = f"There is no gallery {self._path.name}. {schema.how_to_make}"
            raise GalleryMissingError(message, self._path)
