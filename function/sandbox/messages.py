"""The messages between the server and the process that reads files for it, and their format.

A message is one letter, which says what kind of record follows, and the record as JSON. Neither
side builds anything else from what it receives.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from function.faces.faces import Face
from function.media.moments import Moment
from function.people.search import Findings, Progress, Task
from function.sandbox.wire import WireError, pack, unpack


@dataclass(frozen=True)
class Setup:
    """What the parent sends first: which engine, and how much memory each file may use."""

    engine: str
    detector: str
    device: str
    threads: int
    cache_folder: str
    memory_megabytes: int


@dataclass(frozen=True)
class Ready:
    """What the child answers once it is locked; `locks` are the active ones of lockdown.py."""

    engine: str
    provider: str
    model: str
    locks: tuple[str, ...]


@dataclass(frozen=True)
class VideoOrder:
    """One video to process; its descriptor follows. Messages call it `name`."""

    name: str
    task: Task


@dataclass(frozen=True)
class MomentOrder:
    """One moment of a video to show; its descriptor follows. Messages call it `name`."""

    name: str
    seconds: float


@dataclass(frozen=True)
class PhotoOrder:
    """One photo in which to find the only face; its bytes follow."""


@dataclass(frozen=True)
class Refusal:
    """Why there is no result: a code from errors.py, and its message."""

    code: str
    message: str


@dataclass(frozen=True)
class LogLine:
    """Something for the parent's log."""

    level: int
    message: str


Order: TypeAlias = VideoOrder | MomentOrder | PhotoOrder
Result: TypeAlias = Progress | Findings | Moment | Face
Answer: TypeAlias = Ready | Result | Refusal | LogLine

SETUP: Mapping[bytes, type[Setup]] = {b"S": Setup}
ORDERS: Mapping[bytes, type[Order]] = {b"V": VideoOrder, b"M": MomentOrder, b"I": PhotoOrder}
ANSWERS: Mapping[bytes, type[Answer]] = {
    b"R": Ready,
    b"P": Progress,
    b"F": Findings,
    b"M": Moment,
    b"O": Face,
    b"E": Refusal,
    b"L": LogLine,
}
_LETTERS = {kind: letter for kinds in (SETUP, ORDERS, ANSWERS) for letter, kind in kinds.items()}


def write_message(record: Setup | Order | Answer) -> bytes:
    """Write a record, preceded by the letter of its kind."""
    return _LETTERS[type(record)] + pack(record)


def read_message(kinds: Mapping[bytes, type[Any]], message: bytes) -> Any:
    """Read a record that is one of `kinds`.

    Raises:
        WireError: it is none of them, or not valid.
    """
    kind = kinds.get(message[:1])
    if kind is None:
        raise WireError(f"{message[:1]!r} is not the start of a message")
    return unpack(kind, message[1:])
