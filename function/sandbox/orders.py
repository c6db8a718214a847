"""The kinds of work that a child does: what each is told, what may come of it, what it may refuse.

One table, read by both sides. Only `child` knows how an order is carried out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from function.enrolling.choosing import PhotoFound
from function.errors import (
    PhotoUnusableError,
    RecognitionError,
    UnreadableVideoError,
    VideoOverLimitError,
)
from function.faces.found import FacesFound, Progress, Task
from function.media.pictures import Moment


@dataclass(frozen=True)
class VideoOrder:
    """One video in which to find the faces; its descriptor follows. Messages call it `name`.

    The faces come back without pictures, which the child keeps until its next video.
    """

    name: str
    task: Task

    def overrun(self, limit_seconds: float) -> str:
        """Say that it took too long."""
        return (
            f"{self.name} took longer than {limit_seconds:g} s. Give a shorter video, a larger "
            "every, or raise TIME_LIMIT_SECONDS."
        )


@dataclass(frozen=True)
class PicturesOrder:
    """The pictures of some faces of the last video, by their numbers among those found."""

    name: str
    numbers: tuple[int, ...]

    def overrun(self, limit_seconds: float) -> str:
        """Say that it took too long."""
        return f"{self.name} took longer than {limit_seconds:g} s. Raise TIME_LIMIT_SECONDS."


@dataclass(frozen=True)
class MomentOrder:
    """One moment of a video to show; its descriptor follows. Messages call it `name`."""

    name: str
    seconds: float

    def overrun(self, limit_seconds: float) -> str:
        """Say that it took too long."""
        return f"{self.name} took longer than {limit_seconds:g} s to show {self.seconds:.1f} s."


@dataclass(frozen=True)
class PhotoOrder:
    """One photo in which to find the faces; its bytes follow."""

    name: str = "the photo"

    def overrun(self, limit_seconds: float) -> str:
        """Say that it took too long."""
        return f"The photo took longer than {limit_seconds:g} s. Save it again, or choose another."


@dataclass(frozen=True)
class Pictures:
    """JPEGs of faces, in the order in which they were asked for."""

    pictures: tuple[bytes, ...]


Order: TypeAlias = VideoOrder | PicturesOrder | MomentOrder | PhotoOrder
Result: TypeAlias = Progress | FacesFound | Pictures | Moment | PhotoFound


@dataclass(frozen=True)
class OrderKind:
    """What both sides know of a kind of order.

    `letter` begins its message. Of `results` all but Progress end it. `refusals` are the errors
    that a child may answer with; anything else it says is taken for the first.
    """

    letter: bytes
    results: tuple[type[Result], ...]
    refusals: tuple[type[RecognitionError], ...]


ORDERS: Mapping[type[Order], OrderKind] = {
    VideoOrder: OrderKind(
        b"V", (Progress, FacesFound), (UnreadableVideoError, VideoOverLimitError)
    ),
    PicturesOrder: OrderKind(b"C", (Pictures,), (UnreadableVideoError,)),
    MomentOrder: OrderKind(b"M", (Moment,), (UnreadableVideoError, VideoOverLimitError)),
    PhotoOrder: OrderKind(b"I", (PhotoFound,), (PhotoUnusableError,)),
}

RESULTS: Mapping[bytes, type[Result]] = {
    b"P": Progress,
    b"F": FacesFound,
    b"J": Pictures,
    b"M": Moment,
    b"O": PhotoFound,
}
"""The letters that begin the messages of results."""
