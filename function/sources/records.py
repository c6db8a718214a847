"""What every source yields: performers with photos to read, or what cannot be enrolled and why."""

from collections.abc import Callable
from dataclasses import dataclass

from db.records import Performer


class UnusableSourceError(Exception):
    """A source cannot be read at all; the message says what was found and what to do."""


class NoAnswerError(UnusableSourceError):
    """A server does not answer, or is too busy to: it may later."""


class RefusedError(UnusableSourceError):
    """A server answered that it cannot do what it was asked to."""


class OddAnswerError(UnusableSourceError):
    """A server answered in another form than it should."""


class NotSupportedError(RefusedError):
    """A server refuses any such question, not only this one: it is too old, or the key too weak."""


@dataclass(frozen=True)
class Photo:
    """A picture that is read when it is needed; `origin` says where it is, for people.

    `read` raises OSError or PhotoRefusedError if it cannot be read.
    """

    origin: str
    read: Callable[[], bytes]


@dataclass(frozen=True)
class SourceRecord:
    """A performer as a source knows them, with photos that may show their face.

    `updated_at` is when the source last changed them, in its own format; "" if it does not say.
    `remarks` are about what the source holds of them that is not used.
    """

    performer: Performer
    photos: tuple[Photo, ...]
    updated_at: str = ""
    remarks: "tuple[Remark, ...]" = ()


@dataclass(frozen=True)
class Refusal:
    """A photo, or a whole record, that was not enrolled, and the reason."""

    performer: str
    photo: str
    reason: str


@dataclass(frozen=True)
class Remark:
    """What a person may want to know of a photo or a field: that it counts less, or is not used."""

    performer: str
    photo: str
    remark: str
