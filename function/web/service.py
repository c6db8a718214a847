"""What one process keeps between requests: settings, engine or sandbox, gallery, slots."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from db.errors import GalleryError
from db.galleries import Gallery
from db.models import EncodingModel
from db.snapshots import Snapshot
from db.stores import open_store
from function.engines.loading import load_engine
from function.engines.models import find_model
from function.engines.protocol import Engine
from function.errors import BusyError, GalleryUnavailableError
from function.faces.faces import Face
from function.media.files import MediaFile
from function.media.moments import Moment, find_moment
from function.people.search import Findings, Progress, Task, find_people
from function.sandbox.messages import Ready
from function.sandbox.pool import Sandbox
from function.settings import Settings
from function.web.access import Access
from function.web.metrics import Measures

ERRAND_WAIT_SECONDS = 5.0
"""Errands are short: a request waits this long for another errand before giving up."""


class Service:
    """Starts what reads videos on the first request that needs it, and lends out slots."""

    def __init__(self, settings: Settings) -> None:
        """Keep the settings; load nothing yet, so that it may be built before a fork."""
        self.settings = settings
        self.access = Access(settings)
        self.measures = Measures(settings.slots)
        self.store = open_store(settings.performers_db)
        self.sandbox = None if settings.sandbox == "off" else Sandbox(settings)
        self._engine: Engine | None = None
        self._engine_lock = threading.Lock()
        self._free_slots = threading.BoundedSemaphore(settings.slots)
        self._errand = threading.Lock()

    def ready(self) -> Ready:
        """Start what reads videos, if this is the first call, and report on it.

        Raises:
            EngineUnavailableError: it cannot run here as configured.
        """
        if self.sandbox:
            return self.sandbox.warm_up()
        engine = self.engine()
        return Ready(engine.name, engine.provider, engine.encoder.model.id, locks=())

    def find_people(self, media: MediaFile, task: Task) -> Iterator[Progress | Findings]:
        """Find everyone in a video, in a child process unless SANDBOX is off."""
        if self.sandbox:
            return self.sandbox.find_people(media, task)
        return find_people(media.descriptor, media.name, self.engine(), task)

    def find_face(self, content: bytes) -> Face:
        """Find the only face of a photo, in a child process unless SANDBOX is off.

        Raises:
            PhotoUnusableError: the photo is refused.
            BusyError: another errand takes too long.
        """
        with self._only_errand():
            if self.sandbox:
                return self.sandbox.find_face(content)
            # Only here, so that a server with a sandbox never loads Pillow.
            from function.enrolling.portraits import find_face_asked_for  # noqa: PLC0415

            return find_face_asked_for(content, self.engine())

    def find_moment(self, media: MediaFile, seconds: float) -> Moment:
        """Find the picture of a moment, in a child process unless SANDBOX is off.

        Raises:
            UnreadableVideoError: the file cannot be read as a video.
            BusyError: another errand takes too long.
        """
        with self._only_errand():
            if self.sandbox:
                return self.sandbox.find_moment(media, seconds)
            return find_moment(media.descriptor, media.name, seconds)

    @contextmanager
    def gallery(self) -> Iterator[Gallery]:
        """Open the gallery for one request.

        Raises:
            GalleryUnavailableError: it is missing, locked, or not a gallery.
        """
        try:
            with self.store.gallery() as gallery:
                yield gallery
        except GalleryError as error:
            raise GalleryUnavailableError(str(error)) from error

    def model(self) -> EncodingModel:
        """Return the model that videos and photos are encoded by here.

        Raises:
            EngineUnavailableError: as for `ready`.
        """
        return find_model(self.ready().model)

    def snapshot(self) -> Snapshot:
        """Return the gallery in memory, as it is now; it is not held open.

        Raises:
            GalleryUnavailableError: as for `gallery`.
            EngineUnavailableError: as for `ready`.
        """
        model = self.model()
        with self.gallery() as gallery:
            return gallery.snapshot(model)

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Hold one of the slots for a video.

        Raises:
            BusyError: all are taken.
        """
        if not self._free_slots.acquire(blocking=False):
            raise BusyError(
                f"All {self.settings.slots} slots are in use for other videos. Try again in "
                "a moment, or raise SLOTS."
            )
        try:
            with self.measures.busy.track_inprogress():
                yield
        finally:
            self._free_slots.release()

    @contextmanager
    def _only_errand(self) -> Iterator[None]:
        """Hold the only place for processing single pictures.

        It is separate from the slots: it never takes a video's place, and never waits for one.

        Raises:
            BusyError: it stays taken.
        """
        if not self._errand.acquire(timeout=ERRAND_WAIT_SECONDS):
            raise BusyError("Another picture is being processed. Try again in a moment.")
        try:
            yield
        finally:
            self._errand.release()

    def close(self) -> None:
        """End the work of every request; each still gets its answer."""
        if self.sandbox:
            self.sandbox.close()

    def engine(self) -> Engine:
        """Return an engine of this process, for SANDBOX=off; loaded on first use.

        Raises:
            EngineUnavailableError: it cannot run here as configured.
        """
        with self._engine_lock:
            if self._engine is None:
                self._engine = load_engine(self.settings.engine, self.settings.engine_options)
            return self._engine
