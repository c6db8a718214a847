"""Marks on a scene of Stash when somebody is seen, and remembers which marks are ours."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from db.ledgers import Ledger
from db.videos import Interval
from db.writes import Write
from function.library.naming import Naming
from function.library.rematching import name_again
from function.people.appearances import find_appearances
from function.sources.records import RefusedError
from function.stash.planning import id_in_stash
from function.stash.records import Marker, NewMarker
from function.stash.settling import SAME_MOMENT_SECONDS
from function.stash.writer import Writer

MARKER_TAG = "Face"
"""The one tag of all our markers; the name of whoever is seen is their title."""

JOINED_WITHIN_SECONDS = 5.0
"""Spans that are nearer than this are one marker: nobody wants one for every cut."""

MOST_MARKERS = 20
"""This many markers of one person on a scene, at most: the longest spans."""


@dataclass(frozen=True)
class Marked:
    """Somebody to be marked on a scene: their name, and when they are seen."""

    performer: str
    name: str
    spans: tuple[Interval, ...]


def marked_in(
    ledger: Ledger, videos: Sequence[int], naming: Naming, performers: Collection[str]
) -> list[Marked]:
    """Say when some performers of Stash are seen in the videos of a scene."""
    return [
        Marked(known, first.performer.name, tuple(find_appearances(one.person.seen)))
        for people in name_again(ledger, videos, naming).values()
        for one in people
        if (first := next(iter(one.person.matches), None))
        and one.person.verdict == "match"
        and (known := id_in_stash(first.performer)) in performers
    ]


def merge_spans(
    spans: Sequence[Interval],
    within_seconds: float = JOINED_WITHIN_SECONDS,
    most: int = MOST_MARKERS,
) -> list[Interval]:
    """Join spans that are near each other, and keep the longest, in order of time."""
    merged: list[Interval] = []
    for start, end in sorted(spans):
        if merged and start - merged[-1][1] < within_seconds:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    longest = sorted(merged, key=lambda span: span[0] - span[1])[:most]
    return sorted(longest)


def ensure_tag(writer: Writer, name: str) -> str:
    """Return the id of a tag of Stash, which is made, and noted, if there is none."""
    writes, stash = writer.writes, writer.stash
    with writes.turn():
        found = stash.find_tag(name)
        if found:
            return found
        intent = Write("new tag", "", detail=json.dumps({"name": name}))
        (noted,) = writes.intend(writer.run, [intent])
        try:
            made, at = stash.create_tag(name)
        except RefusedError:
            writes.drop([noted])
            raise
        writes.confirm([_done(noted, made, at)])
        return made


def add_markers(writer: Writer, scene: str, people: Sequence[Marked], oshash: str = "") -> int:
    """Mark when people are seen on a scene, where no such marker is; return how many were made.

    Raises:
        RefusedError: Stash refuses one; those before it are made.
        UnusableSourceError: Stash does not answer; what is not known is settled later.
    """
    tag = ensure_tag(writer, MARKER_TAG)
    there = writer.stash.markers(scene)
    made = 0
    for one in people:
        for span in merge_spans(one.spans):
            new = NewMarker(scene, one.name, round(span[0], 2), round(span[1], 2), tag)
            if not any(_is_same(marker, new) for marker in there):
                made += _mark(writer, new, one.performer, oshash)
    return made


def _mark(writer: Writer, new: NewMarker, performer: str, oshash: str) -> bool:
    """Make a marker; say whether it was made: not of somebody who was forgotten meanwhile."""
    detail = json.dumps({"title": new.title, "seconds": new.seconds, "tag": new.tag})
    intent = Write("marker", new.scene, performer=performer, detail=detail, oshash=oshash)
    with writer.writes.turn():
        if performer and writer.gone({performer}):
            return False
        (noted,) = writer.writes.intend(writer.run, [intent])
        try:
            made = writer.stash.create_marker(new)
        except RefusedError:
            writer.writes.drop([noted])
            raise
        writer.writes.confirm([_done(noted, made.id, made.updated_at)])
        return True


def _done(noted: Write, thing: str, left_at: str) -> Write:
    return replace(noted, thing=thing, detail="", left_at=left_at)


def _is_same(marker: Marker, new: NewMarker) -> bool:
    is_near = abs(marker.seconds - new.seconds) < SAME_MOMENT_SECONDS
    return is_near and (marker.title, marker.tag) == (new.title, new.tag)
