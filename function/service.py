"""What one process keeps between requests: settings, engine or sandbox, gallery, slots."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from db.errors import GalleryError
from db.gallery import Gallery
from db.records import Snapshot
from db.snapshots import SnapshotCache
from function.access import Access
from function.child import Ready
from function.engines import Engine, EngineOptions, load_engine
from function.errors import BusyError, GalleryUnavailableError
from function.measures import Measures
from function.media import MediaFile
from function.recognition import Findings, Progress, Task, find_people
from function.sandbox import Sandbox
from function.settings import Settings


class Service:
    """Starts what reads videos on the first request that needs it, and lends out slots."""

    def __init__(self, settings: Settings) -> None:
        """Keep the settings; load nothing yet, so that it may be built before a fork."""
        self.settings = settings
        self.access = Access(settings)
        self.measures = Measures(settings.slots)
        self.sandbox = None if settings.sandbox == "off" else Sandbox(settings)
        self._engine: Engine | None = None
        self._engine_lock = threading.Lock()
        self._snapshots = SnapshotCache()
        self._free_slots = threading.BoundedSemaphore(settings.slots)

    def ready(self) -> Ready:
        """Start what reads videos, if this is the first call, and say what it is.

        Raises:
            EngineUnavailableError: it cannot run here as the settings ask.
        """
        if self.sandbox:
            return self.sandbox.warm_up()
        engine = self.engine()
        return Ready(engine.name, engine.provider, engine.model, locks=())

    def find_people(self, media: MediaFile, task: Task) -> Iterator[Progress | Findings]:
        """Find everyone in a video, in a child process unless SANDBOX is off."""
        if self.sandbox:
            return self.sandbox.find_people(media, task)
        return find_people(media.descriptor, media.name, self.engine(), task)

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
        return self._snapshots.newest(gallery, self.ready().model)

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
            with self.measures.busy.track_inprogress():
                yield
        finally:
            self._free_slots.release()

    def close(self) -> None:
        """End the work of every request; each still gets its answer."""
        if self.sandbox:
            self.sandbox.close()

    def engine(self) -> Engine:
        """Return an engine of this process, for the user's own photos; loaded when first asked for.

        Raises:
            EngineUnavailableError: it cannot run here as the settings ask.
        """
        with self._engine_lock:
            if self._engine is None:
                self._engine = load_engine(self.settings.engine, engine_options(self.settings))
            return self._engine


def engine_options(settings: Settings) -> EngineOptions:
    """Pick out the settings that are the engine's."""
    return EngineOptions(
        detector=settings.detector,
        device=settings.device,
        threads=settings.net_threads,
        cache_folder=settings.cache_folder,
    )
