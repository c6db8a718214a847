"""Finds out what Stash has done of what was in work when we were stopped, or Stash was.

Every open entry of the journal is compared with Stash, so that nothing is written twice, and
nothing is forgotten that was written.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from db.cells import read_object
from db.writes import Write, Writes
from function.stash.client import Stash
from function.stash.records import Item
from function.stash.scenes import read_items

SAME_MOMENT_SECONDS = 0.01


def settle(writes: Writes, stash: Stash) -> int:
    """Close every open entry of the journal; return how many there were.

    Raises:
        UnusableSourceError: Stash does not answer; what is open stays so.
    """
    with writes.turn():
        batches: dict[int, list[Write]] = defaultdict(list)
        for one in writes.unsettled():
            batches[one.batch].append(one)
        for batch in batches.values():
            if batch[0].kind in ("performer", "tag"):
                _settle_scenes(writes, stash, batch)
            else:
                for one in batch:
                    _settle_made(writes, stash, one)
    return sum(map(len, batches.values()))


def is_on(write: Write, scene: Item | None) -> bool:
    """Say whether what was written on a scene is there."""
    if scene is None:
        return False
    return write.thing in (scene.performers if write.kind == "performer" else scene.tags)


def _settle_scenes(writes: Writes, stash: Stash, batch: Sequence[Write]) -> None:
    """Close what one request was to change on scenes, which Stash did for all or for none.

    If one of them is untouched, the request never arrived: what the others have is the user's own.
    """
    scenes = read_items(stash, batch[0].item, (one.scene for one in batch))
    is_undo = batch[0].state == "undoing"
    if any(_is_untouched(one, scenes.get(one.scene)) for one in batch):
        (writes.keep if is_undo else writes.drop)(batch)
        return
    there = [one for one in batch if is_on(one, scenes.get(one.scene))]
    absent = [one for one in batch if not is_on(one, scenes.get(one.scene))]
    moved = absent if is_undo else there
    left_at = _moment_of(moved, scenes)
    changed = [replace(one, left_at=left_at) for one in moved]
    if is_undo:
        writes.end_undo(changed)
        writes.keep(there)
    else:
        writes.confirm(changed)
        writes.drop(absent)


def _is_untouched(write: Write, scene: Item | None) -> bool:
    """Say whether a scene is as it was before the request: Stash's times count whole seconds."""
    if scene is None or scene.updated_at != write.before_at:
        return False
    return is_on(write, scene) == (write.state == "undoing")


def _moment_of(changed: Iterable[Write], scenes: Mapping[str, Item]) -> str:
    """Return when Stash carried out a request: all its scenes have this time.

    Those that have another one were edited by hand since. Where it is a tie, the earlier time is
    ours.
    """
    times = {one.scene: scenes[one.scene].updated_at for one in changed if one.scene in scenes}
    counts = Counter(times.values())
    return min(counts, key=lambda at: (-counts[at], at), default="")


def _settle_made(writes: Writes, stash: Stash, one: Write) -> None:
    """Close what was to be made, a marker, a performer or a tag, or to be deleted."""
    thing, at = _find_made(stash, one)
    if one.state == "intended":
        if thing:
            writes.confirm([replace(one, thing=thing, detail="", left_at=at)])
        else:
            writes.drop([one])
    elif thing:
        writes.keep([one])
    else:
        writes.end_undo([one])


def _find_made(stash: Stash, one: Write) -> tuple[str, str]:
    """Return the id of what was made, and when it was changed last; "" if it is not there."""
    made = _made(one)
    if one.kind == "new tag":
        return _find_tag(stash, one.thing or stash.find_tag(made["name"]))
    if one.kind == "new performer":
        return _find_performer(stash, one.thing, made)
    for marker in stash.markers(one.scene):
        is_same = not one.thing and (marker.title, marker.tag) == (made["title"], made["tag"])
        if marker.id == one.thing or (
            is_same and abs(marker.seconds - made["seconds"]) < SAME_MOMENT_SECONDS
        ):
            return marker.id, marker.updated_at
    return "", ""


def _made(one: Write) -> Mapping[str, Any]:
    """Read what was to be made; if that is damaged, nothing of Stash is like it."""
    known = {"name": "", "disambiguation": "", "namesakes": [], "title": "", "tag": ""}
    return {**known, "seconds": math.inf} | (read_object(one.detail or "{}") or {})


def _find_tag(stash: Stash, thing: str) -> tuple[str, str]:
    found = stash.use_of_tag(thing) if thing else None
    return (thing, found.updated_at) if found else ("", "")


def _find_performer(stash: Stash, thing: str, made: Mapping[str, Any]) -> tuple[str, str]:
    """Find a performer whom we made: somebody of that name, and not who had it before."""
    if thing:
        found = stash.performer(thing)
        return (found.id, found.updated_at) if found else ("", "")
    called = (made["name"], made["disambiguation"])
    for one in stash.namesakes(made["name"]):
        if (one.name, one.disambiguation) == called and one.id not in made["namesakes"]:
            return one.id, one.updated_at
    return "", ""
