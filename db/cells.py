"""Reads the cells of a store, whose content a bad disk may have damaged."""

import json
from typing import Any


def as_text(cell: object) -> str:
    """Return a text as far as it can be read, whatever the cell holds."""
    return cell.decode(errors="replace") if isinstance(cell, bytes) else str(cell)


def read_object(cell: object) -> dict[str, Any] | None:
    """Read an object; None if it is damaged."""
    found = _read(cell)
    return found if isinstance(found, dict) else None


def read_list(cell: object) -> list[Any] | None:
    """Read a list; None if it is damaged."""
    found = _read(cell)
    return found if isinstance(found, list) else None


def read_texts(cell: object) -> tuple[str, ...] | None:
    """Read a list of texts; None if it is damaged."""
    found = read_list(cell)
    is_sound = found is not None and all(isinstance(one, str) for one in found)
    return tuple(found) if found is not None and is_sound else None


def _read(cell: object) -> object:
    try:
        return json.loads(cell) if isinstance(cell, str | bytes) else None
    except (ValueError, RecursionError):  # text that is no JSON is a ValueError, too
        return None
