"""Takes back what we wrote into Stash, where it is still as we left it."""

from collections import defaultdict
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from db.cells import read_object
from db.writes import Place, Write, Writes
from function.sources.records import RefusedError
from function.sources.shapes import understood
from function.stash.client import Stash
from function.stash.records import Item
from function.stash.scenes import SCENES_AT_ONCE, read_items
from function.stash.settling import is_on

EDITED = "It was edited after we wrote on it. Look at it, and remove by hand what is wrong."
EDITED_MARKER = "A marker that we made was edited later. Delete it by hand if it is wrong."
IN_USE = (
    "A performer whom we made was edited later, or is used elsewhere in Stash. Delete them by hand "
    "if they are not wanted."
)


@dataclass(frozen=True)
class Undone:
    """What was undone: performers, tags and markers that were taken away, performers deleted.

    `gone` counts what somebody had taken away before. `left` lists scenes that are to be looked at
    (with "" for none, and images and galleries as "image 5"), each with the reason.
    """

    performers: int = 0
    tags: int = 0
    markers: int = 0
    deleted: int = 0
    gone: int = 0
    left: tuple[tuple[str, str], ...] = ()
    decisions: tuple[int, ...] = ()

    def __add__(self, other: "Undone") -> "Undone":
        return Undone(
            self.performers + other.performers,
            self.tags + other.tags,
            self.markers + other.markers,
            self.deleted + other.deleted,
            self.gone + other.gone,
            tuple(dict.fromkeys((*self.left, *other.left))),
            (*self.decisions, *other.decisions),
        )

    @property
    def done(self) -> int:
        """How many writes are over: undone now, or taken away by somebody before."""
        return self.performers + self.tags + self.markers + self.deleted + self.gone


def undo(
    writes: Writes, stash: Stash, wanted: Sequence[Write], *, edited: bool = False
) -> Generator[Undone]:
    """Undo writes that are done, and yield what each step did.

    A scene that was edited by hand since is left as it is, and listed; with `edited` it is not.
    Stopped at any moment, it is begun again after `settle`.

    Raises:
        UnusableSourceError: Stash does not answer.
    """
    for some in _by_scene(wanted):
        with writes.turn():
            undone = list(_undo_scenes(writes, stash, some, edited=edited))
        yield from undone
    yield from _undo_markers(writes, stash, [one for one in wanted if one.kind == "marker"])
    for one in wanted:
        if one.kind == "new performer":
            with writes.turn():
                deleted = _undo_performer(writes, stash, one)
            yield deleted
    for one in wanted:
        if one.kind == "new tag":
            with writes.turn():
                _undo_tag(writes, stash, one)


def decisions_of(wanted: Iterable[Write]) -> tuple[int, ...]:
    """Return the decisions of the user that were made with some writes, and go with them."""
    return tuple(
        number
        for one in wanted
        if one.kind == "performer" and (number := _decision_of(one)) is not None
    )


def _decision_of(one: Write) -> int | None:
    number = (read_object(one.detail or "{}") or {}).get("decision")
    return number if isinstance(number, int) else None


def _by_scene(wanted: Iterable[Write]) -> Iterator[dict[str, list[Write]]]:
    """Yield what is on some scenes, by their ids, as much as one request takes; or on items."""
    by_place: dict[Place, list[Write]] = defaultdict(list)
    for one in wanted:
        if one.kind in ("performer", "tag"):
            by_place[one.place].append(one)
    for kind in dict.fromkeys(item for item, _ in by_place):
        places = [place for place in by_place if place[0] == kind]
        for start in range(0, len(places), SCENES_AT_ONCE):
            yield {one[1]: by_place[one] for one in places[start : start + SCENES_AT_ONCE]}


def _named(write: Write) -> str:
    """Return how what a write is on is listed."""
    return write.scene if write.item == "scene" else f"{write.item} {write.scene}"


def _undo_scenes(
    writes: Writes, stash: Stash, by_scene: dict[str, list[Write]], *, edited: bool
) -> Iterator[Undone]:
    kind = next(iter(by_scene.values()))[0].item
    scenes = read_items(stash, kind, by_scene)
    ours: dict[tuple[frozenset[str], frozenset[str]], list[Write]] = defaultdict(list)
    for scene, ones in by_scene.items():
        there = [one for one in ones if is_on(one, scenes.get(scene))]
        gone = [one for one in ones if one not in there]
        if gone:
            writes.end_undo(gone)
            yield Undone(gone=len(gone), decisions=decisions_of(gone))
        now = scenes[scene].updated_at if scene in scenes else ""
        kept = [one for one in there if one.left_at != now and not edited]
        if kept:
            yield Undone(left=((_named(kept[0]), EDITED),))
        if removed := [one for one in there if one not in kept]:
            ours[_things(removed)].extend(removed)
    for (performers, tags), ones in ours.items():
        yield from _remove(writes, stash, ones, (performers, tags), scenes)


def _things(ones: Sequence[Write]) -> tuple[frozenset[str], frozenset[str]]:
    return (
        frozenset(one.thing for one in ones if one.kind == "performer"),
        frozenset(one.thing for one in ones if one.kind == "tag"),
    )


def _remove(
    writes: Writes,
    stash: Stash,
    ones: Sequence[Write],
    things: tuple[frozenset[str], frozenset[str]],
    scenes: dict[str, Item],
) -> Iterator[Undone]:
    noted = writes.begin_undo(
        [replace(one, before_at=scenes[one.scene].updated_at) for one in ones]
    )
    touched = list(dict.fromkeys(one.scene for one in ones))
    performers, tags = (sorted(some) for some in things)
    try:
        changed = stash.tag_items(ones[0].item, touched, remove=performers, remove_tags=tags)
    except RefusedError as error:
        writes.keep(noted)
        if len(touched) == 1:
            yield _refused(writes, stash, ones, str(error))
            return
        for scene in touched:
            alone = [one for one in ones if one.scene == scene]
            yield from _remove(writes, stash, alone, things, scenes)
        return
    after = {scene.id: scene.updated_at for scene in changed}
    with understood("Stash"):  # or else what it did is found out by settling
        left = [replace(one, left_at=after[one.scene]) for one in noted]
    writes.end_undo(left)
    removed = sum(one.kind == "performer" for one in ones)
    yield Undone(removed, len(ones) - removed, decisions=decisions_of(ones))


def _refused(writes: Writes, stash: Stash, ones: Sequence[Write], why: str) -> Undone:
    """Say what became of writes on one scene that Stash does not undo: it may be gone since."""
    if read_items(stash, ones[0].item, [ones[0].scene]):
        return Undone(left=((_named(ones[0]), why),))
    writes.end_undo(ones)
    return Undone(gone=len(ones), decisions=decisions_of(ones))


def _undo_markers(writes: Writes, stash: Stash, ones: Sequence[Write]) -> Iterator[Undone]:
    by_scene: dict[str, list[Write]] = defaultdict(list)
    for one in ones:
        by_scene[one.scene].append(one)
    for scene, markers in by_scene.items():
        with writes.turn():
            undone = _undo_markers_of(writes, stash, scene, markers)
        yield undone


def _undo_markers_of(writes: Writes, stash: Stash, scene: str, markers: Sequence[Write]) -> Undone:
    there = {one.id: one for one in stash.markers(scene)}
    gone = [one for one in markers if one.thing not in there]
    same = [
        one for one in markers if one.thing in there and there[one.thing].updated_at == one.left_at
    ]
    writes.end_undo(gone)
    if same:
        noted = writes.begin_undo(same)
        try:
            stash.destroy_markers([one.thing for one in same])
        except RefusedError as error:
            writes.keep(noted)
            return Undone(gone=len(gone), left=((scene, str(error)),))
        writes.end_undo(noted)
    is_left = len(gone) + len(same) < len(markers)
    left = ((scene, EDITED_MARKER),) if is_left else ()
    return Undone(markers=len(same), gone=len(gone), left=left)


def _undo_performer(writes: Writes, stash: Stash, one: Write) -> Undone:
    """Delete a performer whom we made, if nobody has made use of them."""
    there = stash.use_of_performer(one.thing)
    if there is None:
        writes.end_undo([one])
        return Undone(gone=1)
    if there.is_used or there.updated_at != one.left_at:
        return Undone(left=((_named(one), IN_USE),))
    noted = writes.begin_undo([one])
    try:
        stash.destroy_performers([one.thing])
    except RefusedError as error:
        writes.keep(noted)
        return Undone(left=((_named(one), str(error)),))
    writes.end_undo(noted)
    return Undone(deleted=1)


def _undo_tag(writes: Writes, stash: Stash, one: Write) -> None:
    """Delete a tag that we made, if nothing has it and nobody edited it; else it does no harm."""
    there = stash.use_of_tag(one.thing)
    if there is None:
        writes.end_undo([one])
        return
    if there.is_used or there.updated_at != one.left_at:
        return
    noted = writes.begin_undo([one])
    try:
        stash.destroy_tags([one.thing])
    except RefusedError:  # something has it by now, or it is gone
        writes.keep(noted)
    else:
        writes.end_undo(noted)
