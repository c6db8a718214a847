"""Adds performers to scenes, images and galleries of Stash: noted, then written, then confirmed."""

import json
from collections import defaultdict
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from db.writes import BESIDE, ItemKind, Place, Write
from function.sources.records import RefusedError
from function.sources.shapes import understood
from function.stash.records import Item
from function.stash.scenes import SCENES_AT_ONCE, read_items
from function.stash.writer import Writer


@dataclass(frozen=True)
class Addition:
    """A performer to be added to a scene, whose file has this fingerprint; ids are Stash's.

    `detail` is kept in the journal. `item` says if it is an image or a gallery instead.
    """

    scene: str
    performer: str
    oshash: str = ""
    detail: str = ""
    item: ItemKind = "scene"


@dataclass(frozen=True)
class Added:
    """What was done of some additions: written, there already, and refused by Stash, with why.

    `forgotten` are those of somebody who was taken out of the gallery meanwhile.
    """

    written: int = 0
    there: int = 0
    refused: tuple[tuple[Addition, str], ...] = ()
    forgotten: tuple[Addition, ...] = ()

    def __add__(self, other: "Added") -> "Added":
        return Added(
            self.written + other.written,
            self.there + other.there,
            self.refused + other.refused,
            self.forgotten + other.forgotten,
        )

    @property
    def done(self) -> int:
        """How many additions are over."""
        return self.written + self.there + len(self.refused) + len(self.forgotten)


def add_performers(
    writer: Writer, additions: Iterable[Addition], tag: str = ""
) -> Generator[Added]:
    """Add performers to scenes, and a tag to those if given; yields what each request did.

    Stopped at any moment, it is begun again with what is missing, after `settle`. What Stash
    refuses, such as a performer who is gone, fails alone.

    Raises:
        UnusableSourceError: Stash does not answer; what is not known is settled later.
    """
    for batch in _batches(additions):
        yield from _add(writer, batch, tag)


def _batches(additions: Iterable[Addition]) -> Iterator[list[Addition]]:
    """Put scenes together that get the same performers, which one request can write."""
    by_place: dict[Place, list[Addition]] = defaultdict(list)
    for one in additions:
        by_place[one.item, one.scene].append(one)
    by_performers: dict[tuple[str, frozenset[str]], list[list[Addition]]] = defaultdict(list)
    for (item, _), ones in by_place.items():
        by_performers[item, frozenset(one.performer for one in ones)].append(ones)
    for scenes in by_performers.values():
        for start in range(0, len(scenes), SCENES_AT_ONCE):
            yield [one for ones in scenes[start : start + SCENES_AT_ONCE] for one in ones]


def _add(writer: Writer, batch: Sequence[Addition], tag: str) -> Iterator[Added]:
    with writer.writes.turn():
        gone = writer.gone({one.performer for one in batch})
        wanted = [one for one in batch if one.performer not in gone]
        added, refusal = _add_at_once(writer, wanted, tag) if wanted else (Added(), "")
    if refusal and len(wanted) > 1:
        for one in wanted:
            yield from _add(writer, [one], tag)
    elif refusal:
        yield Added(refused=((wanted[0], refusal),))
    yield added + Added(forgotten=tuple(one for one in batch if one.performer in gone))


def _add_at_once(writer: Writer, batch: Sequence[Addition], tag: str) -> tuple[Added, str]:
    """Add performers to scenes by one request; return what was done, or why Stash refuses all."""
    writes, stash, item = writer.writes, writer.stash, batch[0].item
    scenes = read_items(stash, item, (one.scene for one in batch))
    gone = tuple((one, f"The {item} is gone.") for one in batch if one.scene not in scenes)
    missing = [
        one
        for one in batch
        if one.scene in scenes and one.performer not in scenes[one.scene].performers
    ]
    done = Added(len(missing), len(batch) - len(gone) - len(missing), gone)
    if not missing:
        return done, ""
    noted = writes.intend(writer.run, _intents(missing, scenes, tag))
    touched = list(dict.fromkeys(one.scene for one in missing))
    performers = sorted({one.performer for one in missing})
    try:
        changed = stash.tag_items(item, touched, add=performers, add_tags=[tag] if tag else ())
    except RefusedError as error:
        writes.drop(noted)
        return Added(), str(error)
    after = {scene.id: scene.updated_at for scene in changed}
    with understood("Stash"):  # or else what it did is found out by settling
        left = [replace(one, left_at=after[one.scene]) for one in noted]
    writes.confirm(left)
    return done, ""


def _intents(missing: Sequence[Addition], scenes: dict[str, Item], tag: str) -> list[Write]:
    """Note only what is not there: the rest is not ours to take away."""
    intents = [
        Write(
            "performer",
            one.scene,
            one.performer,
            detail=_with_those_beside(one.detail, scenes[one.scene]),
            oshash=one.oshash,
            before_at=scenes[one.scene].updated_at,
            item=one.item,
        )
        for one in missing
    ]
    tags = [
        Write("tag", scene, tag, before_at=scenes[scene].updated_at, item=missing[0].item)
        for scene in dict.fromkeys(one.scene for one in missing)
        if tag and tag not in scenes[scene].tags
    ]
    return intents + tags


def _with_those_beside(detail: str, item: Item) -> str:
    """Note who is there already: if Stash merges somebody into them, they are not ours."""
    if not item.performers:
        return detail
    return json.dumps({**json.loads(detail or "{}"), BESIDE: sorted(item.performers)})
