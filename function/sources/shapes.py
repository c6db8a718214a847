"""Turns an answer of another shape than was asked for into an error in one line.

A server may leave out what it should answer, or answer something else: it is another version, or
means harm. What it says is taken over only as what it should be.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from function.sources.records import OddAnswerError

MOST_VALUES = 400_000
"""In one answer or record. A page of 250 entries has a fifth of it; each value takes memory, an
empty one thirty times its length."""

_OTHER_SHAPE = (LookupError, TypeError, ValueError, AttributeError, OverflowError, httpx.InvalidURL)

LONGEST_SHORT = 200


@contextmanager
def understood(server: str) -> Iterator[None]:
    """Read an answer in this block, or in the function that this decorates; `server` names whose.

    Raises:
        OddAnswerError: the block found something else than it looked for.
    """
    try:
        yield
    except _OTHER_SHAPE as error:
        raise OddAnswerError(
            f"{server} answered in another form than it should ({type(error).__name__}). Update "
            "it, and check what stands in front of it."
        ) from error


def count_values(content: bytes | str) -> int:
    """Return how many values JSON holds at most, without reading it: each takes memory.

    In front of every value but the first stands one of these signs.
    """
    if isinstance(content, bytes):
        return sum(map(content.count, (b",", b"[", b"{")))
    return sum(map(content.count, (",", "[", "{")))


def text_in(value: Any) -> str:
    """Return a text of an answer; "" for none.

    Raises:
        TypeError: it is something else.
    """
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} where a text was expected")
    return value or ""


def short_in(value: Any) -> str:
    """Return an id, a time or a version of an answer as text.

    Raises:
        ValueError: it is longer than any, and would be kept with each of very many entries.
    """
    text = str(value)
    if len(text) > LONGEST_SHORT:
        raise ValueError(f"{len(text)} characters where few were expected")
    return text


def texts_in(values: Iterable[Any] | None) -> tuple[str, ...]:
    """Return the texts in a list of an answer, without those that are empty.

    Raises:
        TypeError: it is no list, or holds something else.
    """
    if not isinstance(values, list | None):
        raise TypeError(f"{type(values).__name__} where a list was expected")
    return tuple(text for one in values or () if (text := text_in(one)))
