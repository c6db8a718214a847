"""Sources yield performers with their photos; each module knows one place to get them from."""

from collections.abc import Callable
from dataclasses import dataclass

from db.records import Performer


class UnusableSourceError(Exception):
    """A source cannot be read at all; the message says what was found and what to do."""


@dataclass(frozen=True)
class Photo:
    """A picture that can be read when its turn comes; `origin` says where it is, for people."""

    origin: str
    read: Callable[[], bytes]


@dataclass(frozen=True)
class SourceRecord:
    """A performer as a source knows them, with photos that may hold their face."""

    performer: Performer
    photos: tuple[Photo, ...]
