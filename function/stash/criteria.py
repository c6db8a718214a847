"""Says in Stash's own words which scenes are asked for, and what is changed on some."""

from collections.abc import Sequence
from typing import Any, Final

from function.stash.records import SceneFilter

_WITH_THOSE_BELOW: Final = -1


def criteria_of(wanted: SceneFilter) -> dict[str, Any]:
    """Return the criteria of a filter whose tag and studio are ids; ids of scenes are none."""
    chosen: dict[str, Any] = {}
    if wanted.without_performers:
        chosen["performer_count"] = {"value": 0, "modifier": "EQUALS"}
    elif wanted.with_performers:
        chosen["performer_count"] = {"value": 0, "modifier": "GREATER_THAN"}
    elif wanted.performers is not None:
        chosen["performer_count"] = {"value": wanted.performers, "modifier": "EQUALS"}
    if wanted.tag:
        chosen["tags"] = _with_those_below(wanted.tag)
    if wanted.studio:
        chosen["studios"] = _with_those_below(wanted.studio)
    if wanted.path:
        # Without quotes Stash looks for any of the words in it.
        quoted = '"' + wanted.path.strip('"') + '"'
        chosen["path"] = {"value": quoted, "modifier": "INCLUDES"}
    if wanted.performer:
        chosen["performers"] = {"value": [wanted.performer], "modifier": "INCLUDES_ALL"}
    if wanted.oshash:
        chosen["oshash"] = {"value": wanted.oshash, "modifier": "EQUALS"}
    if wanted.since:
        chosen["updated_at"] = {"value": wanted.since, "modifier": "GREATER_THAN"}
    return chosen


def change_of(field: str, add: Sequence[str], remove: Sequence[str]) -> dict[str, Any]:
    """Return how ids are added to a field of some items, or taken off; nothing if there are none.

    Raises:
        ValueError: both are given.
    """
    if add and remove:
        raise ValueError(f"{field}: Stash adds or removes in one call, not both")
    if not add and not remove:
        return {}
    return {field: {"ids": list(add or remove), "mode": "ADD" if add else "REMOVE"}}


def _with_those_below(item_id: str) -> dict[str, Any]:
    return {"value": [item_id], "modifier": "INCLUDES", "depth": _WITH_THOSE_BELOW}
