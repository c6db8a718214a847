"""The messages between the server and the process that reads files for it, and their format.

A message is one letter, which says what kind of record follows, and the record as JSON. Neither
side builds anything else from what it receives.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from function.sandbox.orders import ORDERS, RESULTS, Order, Result
from function.sandbox.wire import WireError, pack, unpack


@dataclass(frozen=True)
class Setup:
    """What the parent sends first: which engine, and how much memory each file may use.

    `second_encoder` is on, off, or the absolute path of a TOML file.
    """

    engine: str
    detector: str
    device: str
    threads: int
    cache_folder: str
    second_encoder: str
    memory_megabytes: int


@dataclass(frozen=True)
class Ready:
    """What a started reader reports: engine, ids of its models, primary first, and active locks."""

    engine: str
    provider: str
    models: tuple[str, ...]
    locks: tuple[str, ...]


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


Answer: TypeAlias = Ready | Result | Refusal | LogLine

SETUP: Mapping[bytes, type[Setup]] = {b"S": Setup}
ORDERS_BY_LETTER: Mapping[bytes, type[Order]] = {one.letter: kind for kind, one in ORDERS.items()}
ANSWERS: Mapping[bytes, type[Answer]] = {
    **RESULTS,
    b"R": Ready,
    b"E": Refusal,
    b"L": LogLine,
}
_LETTERS = {
    kind: letter for kinds in (SETUP, ORDERS_BY_LETTER, ANSWERS) for letter, kind in kinds.items()
}


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
