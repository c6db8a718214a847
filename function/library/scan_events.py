"""What a scan reports as it goes on, one event after another."""

from dataclasses import dataclass
from typing import TypeAlias

from db.videos import Kind
from function.faces.found import Progress


@dataclass(frozen=True)
class Started:
    """A video, or an album, is being scanned."""

    path: bytes
    kind: Kind = "video"


@dataclass(frozen=True)
class Advanced:
    """How far a scan has come."""

    path: bytes
    progress: Progress


@dataclass(frozen=True)
class Done:
    """A video was scanned: how many faces and people, how many of them are named.

    `again` says that it was a quick look, and that a normal one comes later.
    """

    path: bytes
    faces: int
    people: int
    named: int
    left_out: int
    seconds: float
    again: bool = False


@dataclass(frozen=True)
class Failed:
    """A video could not be scanned; unless `for_good` it is queued and tried again."""

    path: bytes
    reason: str
    for_good: bool


Event: TypeAlias = Started | Advanced | Done | Failed
