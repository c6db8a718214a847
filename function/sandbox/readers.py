"""Readers: they read files in this process or in the sandbox; callers see no difference.

Decoders and engines are imported only when this process itself uses them, so a server with a
sandbox never loads them.
"""

import os
import threading
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Protocol, TypeVar

from function.engines.models import find_fusion, models_of
from function.engines.protocol import Engine
from function.enrolling.choosing import PhotoFound
from function.errors import PhotoUnusableError, VideoOverLimitError
from function.faces.found import PICTURE_PIXELS, PictureFound, Progress, Task
from function.matching.second_models import SecondModel, open_second
from function.media.decoders import DecoderName
from function.media.files import MediaFile
from function.media.photo_kinds import is_still
from function.media.photos import PhotoRefusedError
from function.media.pictures import Contents, Moment, Place
from function.people.gathering import PeopleFound
from function.people.pictures import gather_pictures
from function.sandbox.handle import EndedError
from function.sandbox.messages import Ready
from function.sandbox.orders import (
    ContentsOrder,
    CopyOrder,
    MomentOrder,
    PhotoOrder,
    PictureOrder,
    Result,
    VideoOrder,
)
from function.sandbox.pool import Sandbox
from function.settings import Settings

ERRAND_SECONDS = 60.0
"""The time limit for one picture, or TIME_LIMIT_SECONDS if less; a picture takes about a second."""

Kind = TypeVar("Kind")


class PeopleReader(Protocol):
    """Reads videos. It starts nothing before it is used, so a process may fork first."""

    @property
    def second(self) -> SecondModel | None:
        """The second model, for which nothing is started; None if there is one net.

        Raises:
            EngineUnavailableError: it cannot be used, or has not been fitted.
        """

    def find_people(self, media: MediaFile, task: Task) -> Generator[Progress | PeopleFound]:
        """Find everyone in a video, or in a picture: yields progress, and PeopleFound last.

        Progress may repeat while nothing happens. Closing the generator ends the work.

        Raises:
            UnreadableVideoError: the file cannot be read as a video.
            PhotoUnusableError: it is a picture that cannot be read.
            VideoOverLimitError: it is larger or longer than the limits allow.
            TimeLimitError: it took longer than TIME_LIMIT_SECONDS.
            StoppingError: the reader was closed meanwhile.
        """

    def close(self) -> None:
        """End all work; callers that wait for it get StoppingError."""


class PictureReader(Protocol):
    """Reads pictures that are files, or in archives; `place` is theirs in one, None for a file."""

    def ready(self) -> Ready:
        """Start what is needed, if this is the first call, and return its engine and models.

        Raises:
            EngineUnavailableError: it cannot run here as configured.
        """

    def list_archive(self, media: MediaFile) -> Contents:
        """List the pictures in a zip archive.

        Raises:
            UnreadableVideoError, VideoOverLimitError: it cannot be read, or holds too much.
            TimeLimitError, StoppingError: as for `find_people`.
        """

    def find_in_picture(self, media: MediaFile, place: int | None = None) -> PictureFound:
        """Find the faces in a picture, each with its own picture and both encodings.

        Raises:
            PhotoUnusableError: it cannot be read.
            TimeLimitError, StoppingError: as for `find_people`.
        """

    def copy_picture(self, media: MediaFile, place: int | None = None) -> Moment:
        """Return a copy of a picture, 1280 px at most, as JPEG; raises as `find_in_picture`."""


class Reader(PeopleReader, PictureReader, Protocol):
    """Reads videos and photos in this process, or in children of it."""

    def find_faces(self, photo: bytes) -> PhotoFound:
        """Find the faces in a photo; the caller decides which of them to use.

        Raises:
            PhotoUnusableError: the photo is unreadable.
            TimeLimitError, StoppingError: as for `find_people`.
        """

    def find_moment(self, media: MediaFile, seconds: float) -> Moment:
        """Find the picture that a video shows at a moment; of a picture, a copy of it.

        Raises:
            UnreadableVideoError, VideoOverLimitError, TimeLimitError, StoppingError: as for
                `find_people`.
        """


def open_reader(settings: Settings) -> Reader:
    """Return the reader that the setting SANDBOX selects."""
    return Here(settings) if settings.sandbox == "off" else Sandboxed(settings)


class Here:
    """Reads files in this process, which a hostile file could then harm."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._engine: Engine | None = None
        self._decoder: DecoderName | None = None
        self._lock = threading.Lock()

    def ready(self) -> Ready:
        """Load the engine, if this is the first call."""
        engine, second = self.engine(), self.second
        find_fusion(models_of(engine), second.fusion if second else None)
        return Ready(engine.name, engine.provider, models_of(engine), (), self.decoder())

    @cached_property
    def second(self) -> SecondModel | None:
        """The second model; its description is read on first use."""
        return open_second(self._settings.engine_options)

    def find_people(self, media: MediaFile, task: Task) -> Generator[Progress | PeopleFound]:
        """Find everyone in a video."""
        from function.faces.search import Hands  # noqa: PLC0415  # see above
        from function.people.finding import find_people  # noqa: PLC0415

        engine, decoder = self.engine(), self.decoder()
        if is_still(media.descriptor):
            yield gather_pictures([self.find_in_picture(media)], models_of(engine)).found
            return
        hands = Hands(decoder=decoder)
        with _within_memory(media.name):
            yield from find_people(media.descriptor, media.name, engine, task, hands)

    def find_faces(self, photo: bytes) -> PhotoFound:
        """Find the faces in a photo."""
        from function.enrolling.search import search_photo  # noqa: PLC0415  # see above

        try:
            return search_photo(photo, self.engine())
        except PhotoRefusedError as error:
            raise PhotoUnusableError(str(error)) from error

    def find_moment(self, media: MediaFile, seconds: float) -> Moment:
        """Find the picture that a video shows at a moment."""
        from function.media.moments import find_moment  # noqa: PLC0415  # see above

        if is_still(media.descriptor):
            return self.copy_picture(media)
        with _within_memory(media.name):
            return find_moment(media.descriptor, media.name, seconds)

    def list_archive(self, media: MediaFile) -> Contents:
        """List the pictures in a zip archive."""
        from function.media.archives import list_archive  # noqa: PLC0415  # see above

        return list_archive(media.descriptor, media.name)

    def find_in_picture(self, media: MediaFile, place: int | None = None) -> PictureFound:
        """Find the faces in a picture."""
        from function.people.finding import find_in_picture  # noqa: PLC0415  # see above

        with _explained(media.name):
            at = _place_in(media, place)
            return find_in_picture(media.descriptor, at, self.engine(), PICTURE_PIXELS)

    def copy_picture(self, media: MediaFile, place: int | None = None) -> Moment:
        """Return a copy of a picture."""
        from function.faces.pictures import copy_still  # noqa: PLC0415  # see above

        with _explained(media.name):
            return copy_still(media.descriptor, _place_in(media, place))

    def close(self) -> None:
        """Do nothing: what runs in this process ends with it."""

    def decoder(self) -> DecoderName:
        """Return what decodes videos; it is chosen on first use."""
        from function.media.gpu import choose_decoder  # noqa: PLC0415  # see above

        nets_on_cuda = self.engine().provider == "CUDA"
        with self._lock:
            if self._decoder is None:
                self._decoder = choose_decoder(self._settings.decode, nets_on_cuda=nets_on_cuda)
            return self._decoder

    def engine(self) -> Engine:
        """Return the engine; it is loaded on first use."""
        from function.engines.loading import load_engine  # noqa: PLC0415  # see above

        with self._lock:
            if self._engine is None:
                self._engine = load_engine(self._settings.engine, self._settings.engine_options)
            return self._engine


class Sandboxed:
    """Reads files in locked children, and checks what they find."""

    def __init__(self, settings: Settings) -> None:
        self._limit_seconds = settings.time_limit_seconds
        self.pool = Sandbox(settings)

    def ready(self) -> Ready:
        """Start the children, if this is the first call."""
        return self.pool.warm_up()

    @property
    def second(self) -> SecondModel | None:
        """The second model of the children."""
        return self.pool.second

    def find_people(self, media: MediaFile, task: Task) -> Generator[Progress | PeopleFound]:
        """Find everyone in a video."""
        if is_still(media.descriptor):
            models = self.ready().models
            yield gather_pictures([self.find_in_picture(media)], models).found
            return
        order = VideoOrder(media.name, task)
        with self.pool.lend(order, self._limit_seconds) as child:
            for event in child.work(order, media.descriptor):
                if isinstance(event, Progress):
                    yield event
                    continue
                found = _expect(PeopleFound, event)
                if found.models != child.models:
                    raise EndedError("it names other models than before")
                yield found

    def find_faces(self, photo: bytes) -> PhotoFound:
        """Find the faces in a photo."""
        order = PhotoOrder()
        with self.pool.lend(order, self._errand_seconds) as child:
            return _last(PhotoFound, child.work(order, photo))

    def find_moment(self, media: MediaFile, seconds: float) -> Moment:
        """Find the picture that a video shows at a moment."""
        if is_still(media.descriptor):
            return self.copy_picture(media)
        order = MomentOrder(media.name, seconds)
        with self.pool.lend(order, self._errand_seconds) as child:
            return _last(Moment, child.work(order, media.descriptor))

    def list_archive(self, media: MediaFile) -> Contents:
        """List the pictures in a zip archive."""
        order = ContentsOrder(media.name)
        with self.pool.lend(order, self._errand_seconds) as child:
            return _last(Contents, child.work(order, media.descriptor))

    def find_in_picture(self, media: MediaFile, place: int | None = None) -> PictureFound:
        """Find the faces in a picture."""
        order = PictureOrder(media.name, PICTURE_PIXELS, _place_in(media, place))
        with (
            _explained(media.name),
            self.pool.lend(order, self._errand_seconds) as child,
        ):
            return _last(PictureFound, child.work(order, media.descriptor))

    def copy_picture(self, media: MediaFile, place: int | None = None) -> Moment:
        """Return a copy of a picture."""
        order = CopyOrder(media.name, _place_in(media, place))
        with (
            _explained(media.name),
            self.pool.lend(order, self._errand_seconds) as child,
        ):
            return _last(Moment, child.work(order, media.descriptor))

    def close(self) -> None:
        """Kill every child."""
        self.pool.close()

    @property
    def _errand_seconds(self) -> float:
        return min(ERRAND_SECONDS, self._limit_seconds)


def _place_in(media: MediaFile, number: int | None) -> Place | None:
    """Return where a picture is in an archive; None if it is a file of its own."""
    if number is None:
        return None
    status = os.fstat(media.descriptor)
    parts = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    return Place(number, "-".join(map(str, parts)))


@contextmanager
def _explained(name: str) -> Iterator[None]:
    """Name the picture that is refused."""
    try:
        yield
    except (PhotoRefusedError, PhotoUnusableError) as error:
        raise PhotoUnusableError(f"{name}: {str(error).rstrip('.')}.") from error


@contextmanager
def _within_memory(name: str) -> Iterator[None]:
    """Refuse a video that takes more memory than this process may have."""
    try:
        yield
    except MemoryError as error:
        raise VideoOverLimitError(
            f"{name} needs more memory than there is. Give a smaller copy."
        ) from error


def _expect(kind: type[Kind], result: object) -> Kind:
    if not isinstance(result, kind):
        raise TypeError(f"{type(result).__name__} came where {kind.__name__} was expected")
    return result


def _last(kind: type[Kind], results: Iterator[Result]) -> Kind:
    """Return the last result; those before it report progress."""
    (last,) = deque(results, maxlen=1)
    return _expect(kind, last)
