"""Turns records into bytes and back, trusting nothing in the bytes.

The child process that decodes a video may have been captured by it. Pickle would let it run code in
its parent; this reads JSON, and builds only what the records' own annotations allow.
"""

import base64
import json
import math
from dataclasses import fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from db.names import show_text

Record = TypeVar("Record")

LONGEST_TEXT = 32_000
"""A path of 4,095 bytes, each quoted as six letters, and what is said of it."""

LARGEST_BYTES = 2_000_000
HIGHEST_NUMBER = 2**53
_ARRAYS = (np.ndarray, get_origin(NDArray[np.float32]))
"""What annotations of arrays come from: in newer versions of numpy NDArray is a name of its own."""


class WireError(ValueError):
    """The bytes are not a valid record."""


def pack(record: Any) -> bytes:
    """Write a frozen dataclass of numbers, texts, bytes, float32 arrays and such dataclasses."""
    return json.dumps(_plain(record), allow_nan=False, separators=(",", ":")).encode()


def unpack(kind: type[Record], message: bytes) -> Record:
    """Read back what `pack` wrote.

    Raises:
        WireError: a field is missing, extra, of the wrong type, infinite or oversized.
    """
    try:
        text = message.decode()  # or json would also take UTF-16, where no byte means what it seems
        return _build(kind, json.loads(text))  # type: ignore[no-any-return]
    except (ValueError, OverflowError, RecursionError) as error:
        raise WireError(f"no {kind.__name__}: {error}") from None


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, np.ndarray):
        return base64.b64encode(value.astype("<f4").tobytes()).decode("ascii")
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, np.generic):
        return value.item()
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


def _build(kind: Any, value: Any) -> Any:  # noqa: PLR0911  # one for each kind of value
    if is_dataclass(kind):
        return _build_record(kind, value)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is tuple and isinstance(value, list):
        return _build_tuple(arguments, value)
    if origin is UnionType and NoneType in arguments:
        return None if value is None else _build(arguments[0], value)
    if origin in _ARRAYS and isinstance(value, str):
        return _build_vector(value)
    if kind is bytes and isinstance(value, str):
        return _build_bytes(value)
    if kind is str and isinstance(value, str) and len(value) <= LONGEST_TEXT:
        return _build_text(value)
    if kind is bool and isinstance(value, bool):
        return value
    if kind in (int, float) and type(value) in (int, kind):
        return _build_number(kind, value)
    raise WireError(f"{str(value)[:40]!r} is not a {kind}")


def _build_record(kind: Any, value: Any) -> Any:
    hints = _hints_of(kind)
    if not isinstance(value, dict) or value.keys() != hints.keys():
        raise WireError(f"the fields are not those of {kind.__name__}")
    return kind(**{name: _build(hints[name], one) for name, one in value.items()})


@cache
def _hints_of(kind: Any) -> dict[str, Any]:
    """Return the annotations of a record's fields: its only ones, as it has no class variables."""
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}


def _build_tuple(arguments: tuple[Any, ...], value: list[Any]) -> tuple[Any, ...]:
    if len(arguments) == 2 and arguments[1] is Ellipsis:  # noqa: PLR2004  # tuple[X, ...]
        return tuple(_build(arguments[0], one) for one in value)
    if len(arguments) != len(value):
        raise WireError(f"{len(value)} values, not {len(arguments)}")
    return tuple(_build(kind, one) for kind, one in zip(arguments, value, strict=True))


def _build_text(value: str) -> str:
    if show_text(value) != value:  # JSON can hold half a pair, which could be stored nowhere
        raise WireError("a text is not Unicode")
    return value


def _build_number(kind: type[int] | type[float], value: float) -> float:
    if not math.isfinite(value) or abs(value) > HIGHEST_NUMBER:
        raise WireError(f"the number {value} is out of bounds")
    return kind(value)


def _build_bytes(value: str) -> bytes:
    if len(value) > LARGEST_BYTES * 4 // 3 + 4:
        raise WireError(f"{len(value)} letters of bytes")
    return base64.b64decode(value, validate=True)


def _build_vector(value: str) -> Any:
    content = _build_bytes(value)
    vector = np.frombuffer(content, dtype="<f4").astype(np.float32)
    if not len(vector):
        raise WireError("a vector is empty")
    if not np.isfinite(vector).all():
        raise WireError("a vector holds NaN or infinity")
    return vector
