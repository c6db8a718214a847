"""The orders that a child carries out, and the results and errors that each may end with.

Parent and child read the same table. Only `child` knows how an order is carried out.
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
from function.faces.found import PictureFound, Progress, Task
from function.media.pictures import Contents, Moment, Place
from function.media.surveys import Survey
from function.people.gathering import PeopleFound


@dataclass(frozen=True)
class VideoOrder:
    """Find the people in a video, whose descriptor follows. Messages call the video `name`.

    So many of the child's `helpers`, the first ones, were given descriptors of their own. The child
    tells them what its first look found out.
    """

    name: str
    task: Task
    helpers: int = 0
    survey: Survey | None = None

    def overrun(self, limit_seconds: float) -> str:
        """Return the message for a video that takes too long."""
        return (
            f"{self.name} took longer than {limit_seconds:g} s. Give a shorter video or a larger "
            "`every`, or raise TIME_LIMIT_SECONDS."
        )


@dataclass(frozen=True)
class MomentOrder:
    """Find the picture at a moment of a video, whose descriptor follows."""

    name: str
    seconds: float

    def overrun(self, limit_seconds: float) -> str:
        """Return the message for a moment that takes too long."""
        return f"{self.name} took longer than {limit_seconds:g} s to show {self.seconds:.1f} s."


@dataclass(frozen=True)
class PhotoOrder:
    """Find the faces in a photo, whose bytes follow."""

    name: str = "the photo"

    def overrun(self, limit_seconds: float) -> str:
        """Return the message for a photo that takes too long."""
        return f"The photo took longer than {limit_seconds:g} s. Save it again, or choose another."


@dataclass(frozen=True)
class PictureOrder:
    """Find the faces in a picture, whose descriptor follows, or that of the archive it is in.

    `place` is its place in the archive, or None. The faces have pictures of their own.
    """

    name: str
    detection_pixels: int
    place: Place | None

    def overrun(self, limit_seconds: float) -> str:
        """Return the message for a picture that takes too long."""
        return f"{self.name} took longer than {limit_seconds:g} s. Give a smaller copy."


@dataclass(frozen=True)
class CopyOrder:
    """Return a small copy of a picture; descriptor and `place` as for PictureOrder."""

    name: str
    place: Place | None

    def overrun(self, limit_seconds: float) -> str:
        """Return the message for a picture that takes too long."""
        return f"{self.name} took longer than {limit_seconds:g} s to show."


@dataclass(frozen=True)
class ContentsOrder:
    """List the pictures in an archive, whose descriptor follows."""

    name: str

    def overrun(self, limit_seconds: float) -> str:
        """Return the message for an archive that takes too long."""
        return f"{self.name} took longer than {limit_seconds:g} s to list. Unpack it."


Order: TypeAlias = VideoOrder | MomentOrder | PhotoOrder | PictureOrder | CopyOrder | ContentsOrder
Result: TypeAlias = Progress | PeopleFound | Moment | PhotoFound | PictureFound | Contents


@dataclass(frozen=True)
class OrderKind:
    """What parent and child know about a kind of order.

    `letter` begins its message. Any of `results` except Progress ends the order. `refusals` are the
    errors that a child may answer with; any other error is treated as the first of them.
    """

    letter: bytes
    results: tuple[type[Result], ...]
    refusals: tuple[type[RecognitionError], ...]


ORDERS: Mapping[type[Order], OrderKind] = {
    VideoOrder: OrderKind(
        b"V", (Progress, PeopleFound), (UnreadableVideoError, VideoOverLimitError)
    ),
    MomentOrder: OrderKind(b"M", (Moment,), (UnreadableVideoError, VideoOverLimitError)),
    PhotoOrder: OrderKind(b"I", (PhotoFound,), (PhotoUnusableError,)),
    PictureOrder: OrderKind(b"A", (PictureFound,), (PhotoUnusableError,)),
    CopyOrder: OrderKind(b"Y", (Moment,), (PhotoUnusableError,)),
    ContentsOrder: OrderKind(b"Z", (Contents,), (UnreadableVideoError, VideoOverLimitError)),
}

RESULTS: Mapping[bytes, type[Result]] = {
    b"P": Progress,
    b"F": PeopleFound,
    b"M": Moment,
    b"O": PhotoFound,
    b"A": PictureFound,
    b"Z": Contents,
}
"""The kinds of result, by the letter that begins their messages."""
