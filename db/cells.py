"""Reads what a cell of a store holds as JSON, of which a bad disk may have left something else."""

import json
from typing import Any


def read_object(cell: str | bytes) -> dict[str, Any] | None:
    """Read an object; None if it is damaged."""
    found = _read(cell)
    return found if isinstance(found, dict) else None


def read_list(cell: str | bytes) -> list[Any] | None:
    """Read a list; None if it is damaged."""
    found = _read(cell)
    return found if isinstance(found, list) else None


def read_texts(cell: str | bytes) -> tuple[str, ...] | None:
    """Read a list of texts; None if it is damaged."""
    found = read_list(cell)
    is_sound = found is not None and all(isinstance(one, str) for one in found)
    return tuple(found) if found is not None and is_sound else None


def _read(cell: str | bytes) -> object:
    try:
        return json.loads(cell)
    except (ValueError, RecursionError):  # text that is none is a ValueError, too
        return None
