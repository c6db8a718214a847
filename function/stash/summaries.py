"""Says in words how a task ended.

They name nobody: they are shown in Stash, and may end up in its log.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable

from db.counted import counted
from function.stash.applying import Added
from function.stash.planning import Plan
from function.stash.undoing import Undone

MOST_LISTED = 10
"""This many scenes are named in the words of a task; its result lists all."""


def said_of_left_out(total: Added, unmarked: int, planned: Plan, held: Collection[str]) -> str:
    """Say in words what was not written, and why; "" if nothing was left out."""
    words = ""
    if total.refused:
        words += (
            f" Stash refused {counted(len(total.refused), 'addition')}, perhaps to what is gone."
        )
    if total.forgotten:
        count = len(total.forgotten)
        words += (
            f" {counted(count, 'addition')} {'was' if count == 1 else 'were'} left out: the "
            "performer was taken out of the gallery meanwhile."
        )
    if unmarked:
        words += f" Stash refused markers on {counted(unmarked, 'scene')}."
    if held:
        words += (
            f" Held back: {counted(len(held), 'performer')}, who would gain suspiciously many "
            "scenes. See how many: python -m tools stash apply --dry-run; if they are right, run "
            "it with --yes."
        )
    if planned.unlinked:
        times = counted(planned.unlinked, "time")
        words += f" {times} it was surely somebody whom Stash does not know."
    return words


def said_of_undo(total: Undone, before: int = 0) -> str:
    """Say in words what was undone, and what is to be looked at.

    `before` says how many writes were undone before the task was broken off.
    """
    words = (
        f"Undone: {counted(total.performers, 'performer')} and {counted(total.tags, 'tag')} on "
        f"scenes, {counted(total.markers, 'marker')}"
    )
    words += f", {counted(total.deleted, 'performer')} deleted." if total.deleted else "."
    if before:
        were = "was" if before == 1 else "were"
        words += f" {before} more {were} undone before it was interrupted."
    for why, scenes in _by_reason(total.left).items():
        more = " ..." if len(scenes) > MOST_LISTED else ""
        named = ", ".join(filter(None, scenes[:MOST_LISTED]))
        words += f" Left on {counted(len(scenes), 'scene')} ({named}{more}): {why}"
    return words


def _by_reason(left: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    scenes: dict[str, list[str]] = defaultdict(list)
    for scene, why in left:
        scenes[why].append(scene)
    return scenes
