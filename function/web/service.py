"""What one process keeps between requests: settings, engine or sandbox, gallery, slots."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from db.errors import GalleryError, GalleryMissingError
from db.galleries import Gallery
from db.models import EncodingModel
from db.snapshots import Snapshot
from db.stores import open_store
from function.engines.models import find_model
from function.enrolling.choosing import Chosen, choose_among
from function.errors import BusyError, GalleryUnavailableError, PhotoUnusableError
from function.library.looking import Looker
from function.library.worker import Worker
from function.matching.second_models import known_fusions
from function.media.files import MediaFile
from function.media.photos import PhotoRefusedError
from function.media.pictures import Moment
from function.recognition import take_snapshot
from function.sandbox.readers import open_reader
from function.settings import Settings
from function.stash.worker import TaskWorker
from function.web.access import Access
from function.web.line import Line
from function.web.metrics import Metrics
from function.web.places import Places

ERRAND_WAIT_SECONDS = 5.0
"""Errands are short: a request waits this long for another errand before giving up."""

MOST_ERRANDS = 8
"""One is done, the others wait; each holds a thread. A browser asks for six pictures at once."""

ANOTHER_ERRAND = "Another picture is being processed. Try again in a moment."


class Service:
    """Starts what reads videos on the first request that needs it, and lends out slots."""

    def __init__(self, settings: Settings) -> None:
        """Keep the settings; load nothing yet, so that it may be built before a fork."""
        self.settings = settings
        self.access = Access(settings)
        self.metrics = Metrics(settings.slots)
        self.store = open_store(settings.performers_db)
        self.reader = open_reader(settings)
        self.worker = Worker(settings, self.store)
        self.line = Line(settings.slots)
        self.looker = Looker(settings, self.store, self.worker.gate)
        self.tasks = TaskWorker(settings, self.store, self.worker.want)
        self._errand = threading.Lock()
        self._errands = Places(MOST_ERRANDS, ANOTHER_ERRAND)

    def find_face(self, content: bytes) -> Chosen:
        """Find the face in a photo that shows one person.

        Raises:
            PhotoUnusableError: the photo is refused.
            BusyError: another errand takes too long.
        """
        with self._only_errand():
            found = self.reader.find_faces(content)
        try:
            return choose_among(found)
        except PhotoRefusedError as error:
            raise PhotoUnusableError(f"{error}.") from error

    def find_moment(self, media: MediaFile, seconds: float) -> Moment:
        """Find the picture that a video shows at a moment.

        Raises:
            UnreadableVideoError: the file cannot be read as a video.
            BusyError: another errand takes too long.
        """
        with self._only_errand():
            return self.reader.find_moment(media, seconds)

    def copy_picture(self, media: MediaFile, place: int | None) -> Moment:
        """Return a small copy of a picture, or of the one at a place in an archive.

        Raises:
            PhotoUnusableError: it cannot be read.
            BusyError: another errand takes too long.
        """
        with self._only_errand():
            return self.reader.copy_picture(media, place)

    @contextmanager
    def gallery(self) -> Iterator[Gallery]:
        """Open the gallery for one request.

        Raises:
            GalleryUnavailableError: it is missing, locked, or not a gallery.
        """
        with explained(), self.store.gallery() as gallery:
            yield gallery

    def model(self) -> EncodingModel:
        """Return the model that encodes videos and photos here.

        Raises:
            EngineUnavailableError: what reads videos cannot run here as configured.
        """
        return find_model(self.reader.ready().models[0])

    def snapshot(self) -> Snapshot:
        """Return the gallery in memory, as it is now; it is not held open.

        Raises:
            GalleryUnavailableError: as for `gallery`.
            EngineUnavailableError: what reads videos cannot run here as configured.
        """
        primary, fusions = self.reader.ready().models[0], known_fusions(self.reader.second)
        with explained():
            return take_snapshot(self.store, primary, fusions)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Count a slot as busy, and hold up all scanning."""
        with self.metrics.busy.track_inprogress(), self.worker.gate.ahead():
            yield

    @contextmanager
    def _only_errand(self) -> Iterator[None]:
        """Hold the only place for processing single pictures.

        It is separate from the slots: it never takes a video's place, and never waits for one.

        Raises:
            BusyError: it stays taken, or too many wait for it.
        """
        with self._errands.hold():
            if not self._errand.acquire(timeout=ERRAND_WAIT_SECONDS):
                raise BusyError(ANOTHER_ERRAND)
            try:
                with self.worker.gate.ahead():
                    yield
            finally:
                self._errand.release()

    def close(self) -> None:
        """End the work of every request, which still gets an answer, and all scanning."""
        self.reader.close()
        for thread in (self.worker, self.looker, self.tasks):
            thread.close()


@contextmanager
def explained() -> Iterator[None]:
    """Turn what is wrong with the gallery into an error that a request may end with.

    Raises:
        GalleryUnavailableError: it is missing, locked, of another model, or not a gallery.
    """
    try:
        yield
    except GalleryError as error:
        is_missing = isinstance(error, GalleryMissingError)
        raise GalleryUnavailableError(str(error), is_missing=is_missing) from error
