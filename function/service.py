"""What one process keeps between requests: the settings, the engine, the gallery, the slots."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from db.errors import GalleryError
from db.gallery import Gallery
from db.records import Snapshot
from db.snapshots import SnapshotCache
from function.engines import Engine, EngineOptions, load_engine
from function.errors import BusyError, GalleryUnavailableError
from function.settings import Settings


class Service:
    """Loads the engine once, on the first request that needs it, and lends out slots."""

    def __init__(self, settings: Settings) -> None:
        """Keep the settings; load nothing yet, so that it may be built before a fork."""
        self.settings = settings
        self._engine: Engine | None = None
        self._engine_lock = threading.Lock()
        self._snapshots = SnapshotCache()
        self._free_slots = threading.BoundedSemaphore(settings.slots)

    def engine(self) -> Engine:
        """Return the engine, loading it if this is the first call.

        Raises:
            EngineUnavailableError: it cannot run here as the settings ask.
        """
        with self._engine_lock:
            if self._engine is None:
                self._engine = load_engine(self.settings.engine, engine_options(self.settings))
            return self._engine

    @contextmanager
    def gallery(self) -> Iterator[Gallery]:
        """Open the gallery for one request.

        Raises:
            GalleryUnavailableError: it is missing, locked, or not a gallery.
        """
        try:
            with Gallery(self.settings.performers_db) as gallery:
                yield gallery
        except GalleryError as error:
            raise GalleryUnavailableError(str(error)) from error

    def snapshot(self, gallery: Gallery) -> Snapshot:
        """Return the gallery's encodings in memory, as they are now."""
        return self._snapshots.newest(gallery, self.engine().model)

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Hold one of the slots for a video.

        Raises:
            BusyError: all are taken.
        """
        if not self._free_slots.acquire(blocking=False):
            raise BusyError(
                f"All {self.settings.slots} slots are at work on other videos. Try again in "
                "a moment, or raise SLOTS."
            )
        try:
            yield
        finally:
            self._free_slots.release()


def engine_options(settings: Settings) -> EngineOptions:
    """Pick out the settings that are the engine's."""
    return EngineOptions(
        detector=settings.detector,
        device=settings.device,
        threads=settings.threads,
        cache_folder=settings.cache_folder,
    )
