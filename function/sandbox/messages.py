"""The messages between the server and the process that reads files for it, and their format.

A message is one letter, which says what kind of record follows, and the record as JSON. Neither
side builds anything else from what it receives. Long results come in portions.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from function.faces.found import StretchFound
from function.media.pictures import Moment
from function.people.gathering import PeopleFound
from function.sandbox.orders import ORDERS, RESULTS, Order, Result
from function.sandbox.portions import Portion
from function.sandbox.wire import LARGEST_BYTES, LONGEST_TEXT, WireError, pack, unpack

NETS_ENDED = 75
"""The exit status of a child that ends because the process with its nets has."""


@dataclass(frozen=True)
class Setup:
    """What the parent sends first: which engine, and how much memory each process may use.

    `second_encoder` is the name of a net that ships, the absolute path of a TOML file, or empty.
    Paths are bytes, as they need not be UTF-8. `threads` run the nets, or `threads_alone` where no
    helper can be forked.
    """

    engine: str
    detector: str
    device: str
    decode: str
    threads: int
    threads_alone: int
    helpers: int
    detection_pixels: int
    cache_folder: bytes
    second_encoder: bytes
    memory_megabytes: int
    helper_megabytes: int


@dataclass(frozen=True)
class Ready:
    """What a started reader reports: engine, ids of its models, primary first, and active locks.

    `decoder` is what decodes videos where it can: `cpu`, or a GPU's. `helpers` is how many other
    processes, the first ones, search a long video together with it; some may have ended.
    """

    engine: str
    provider: str
    models: tuple[str, ...]
    locks: tuple[str, ...]
    decoder: str = "cpu"
    helpers: int = 0


@dataclass(frozen=True)
class Refusal:
    """Why there is no result: a code from errors.py, and its message."""

    code: str
    message: str


@dataclass(frozen=True)
class Helped:
    """What a helper says last of a video: it has sent all that it found."""


LONGEST_LINE = 1_000
"""Letters of a log line; of longer ones the end is sent."""


@dataclass(frozen=True)
class LogLine:
    """Something for the parent's log."""

    level: int
    message: str


Answer: TypeAlias = Ready | Result | Refusal | LogLine | Portion

SETUP: Mapping[bytes, type[Setup]] = {b"S": Setup}
ORDERS_BY_LETTER: Mapping[bytes, type[Order]] = {one.letter: kind for kind, one in ORDERS.items()}
ANSWERS: Mapping[bytes, type[Answer]] = {
    **RESULTS,
    b"R": Ready,
    b"E": Refusal,
    b"L": LogLine,
    b"+": Portion,
}
FROM_HELPERS: Mapping[bytes, type[StretchFound | Portion | LogLine | Ready | Helped]] = {
    b"T": StretchFound,
    b"+": Portion,
    b"L": LogLine,
    b"R": Ready,
    b"H": Helped,
}
FROM_NETS: Mapping[bytes, type[Ready | Refusal]] = {b"R": Ready, b"E": Refusal}
PROGRESS = b"P"
MOST_VALUES = 30_000
"""Those of 500 faces, or of 2,000 moments, which fill a portion, are a third of it."""

_SIGNS = (b",", b"[", b"{")
"""In front of every value but the first stands one of these."""

_TEXT = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)

_LETTERS = {
    kind: letter
    for kinds in (SETUP, ORDERS_BY_LETTER, ANSWERS, FROM_HELPERS)
    for letter, kind in kinds.items()
}


_LETTER_BYTES = 6
"""A letter as JSON takes this much if it is none of ASCII."""

_ENCODED = 4 / 3
"""How much longer bytes become as base64."""

_LARGEST = {
    LogLine: 10_000,
    Refusal: 1_000 + _LETTER_BYTES * LONGEST_TEXT,
    Portion: 1_500_000,
    PeopleFound: 500_000,
    Moment: 1_000 + int(LARGEST_BYTES * _ENCODED),
}
_LARGEST_OTHERS = 2_000


def largest_answer(letter: bytes) -> int:
    """Return how many bytes an answer may have that begins with this letter; 0 if none does."""
    kind = ANSWERS.get(letter)
    return _LARGEST.get(kind, _LARGEST_OTHERS) if kind else 0


def write_message(record: Setup | Order | Answer | StretchFound | Helped) -> bytes:
    """Write a record, preceded by the letter of its kind."""
    return _LETTERS[type(record)] + pack(record)


def read_answer(message: bytes) -> Answer:
    """Read an answer of a child, after a look at how many values it holds: each takes memory.

    Raises:
        WireError: it is no answer, not valid, or holds too many values.
    """
    require_few_values(message, MOST_VALUES)
    return read_message(ANSWERS, message)  # type: ignore[no-any-return]


def require_few_values(message: bytes, most: int) -> None:
    """Refuse a message that holds more than so many values, before any of them takes memory.

    Raises:
        WireError: it does.
    """
    if _count_signs(message) > most and _count_signs(_TEXT.sub(b"", message)) > most:
        raise WireError("it holds too many values")


def _count_signs(message: bytes) -> int:
    return sum(message.count(sign) for sign in _SIGNS)


def read_message(kinds: Mapping[bytes, type[Any]], message: bytes) -> Any:
    """Read a record that is one of `kinds`.

    Raises:
        WireError: it is none of them, or not valid.
    """
    kind = kinds.get(message[:1])
    if kind is None:
        raise WireError(f"{message[:1]!r} is not the start of a message")
    return unpack(kind, message[1:])
