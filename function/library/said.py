"""Says whom the user's decisions are about now, for lists in which they can be taken back."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from db.decisions import Decision
from db.ledgers import Ledger
from db.models import EncodingModel
from db.people import Seen
from db.records import Performer, Vector
from db.videos import Interval, Outcome, Sighting, VideoRecord
from function.library.decisions import by_identity, find_about, find_subject
from function.people.people import template_of


@dataclass(frozen=True, eq=False)
class Said:
    """A decision, and the video, the person and the performer it is about.

    `position` is the person's number in the video, None if nobody seen there now fits. `performer`
    is None for somebody ignored, and if who was meant is no longer enrolled. In a damaged decision
    both are None where that can no longer be told.
    """

    decision: Decision
    video: VideoRecord
    position: int | None
    performer: Performer | None

    @property
    def appearances(self) -> tuple[Interval, ...]:
        """When the person was seen, in seconds; nothing in an album."""
        return () if self.video.kind == "album" else self.decision.spans

    @property
    def pictures(self) -> tuple[int, ...]:
        """The numbers, from 1, of the pictures of an album that showed the person."""
        if self.video.kind == "video":
            return ()
        places = {
            place
            for since, until in self.decision.spans
            for place in range(math.ceil(since), math.floor(until) + 1)
        }
        return tuple(place + 1 for place in sorted(places))


@dataclass(frozen=True, eq=False)
class _Subject:
    """Somebody in a video whom a decision may be about."""

    position: int
    template: Vector
    seen: tuple[Seen, ...]


def said_of(
    ledger: Ledger,
    made: Sequence[tuple[int, Decision]],
    performers: Iterable[Performer],
    model: EncodingModel,
) -> list[Said]:
    """Say whom some decisions (a few hundred at most, each with its video's id) are about now.

    `model` is that of the decisions' templates, the gallery's primary one. Videos that the ledger
    no longer holds are left out.
    """
    videos = sorted({video for video, _ in made})
    records = {one.id: one for one in ledger.records(videos)}
    sightings, outcomes = ledger.sightings(videos, pictures=False), ledger.outcomes(videos)
    subjects = {one: _subjects(sightings[one], outcomes[one], model) for one in records}
    known = by_identity(performers)
    return [
        Said(
            decision,
            records[video],
            _find(decision, subjects[video]),
            find_about(decision, known),
        )
        for video, decision in made
        if video in records
    ]


def _find(decision: Decision, subjects: Sequence[_Subject]) -> int | None:
    if not subjects or decision.damaged:
        return None
    templates = np.stack([one.template for one in subjects])
    place = find_subject(decision, templates, [one.seen for one in subjects])
    return None if place is None else subjects[place].position


def _subjects(
    sightings: Sequence[Sighting], outcomes: Sequence[Outcome], model: EncodingModel
) -> list[_Subject]:
    leads = {one.position: one.lead for one in outcomes}
    return [
        _Subject(
            one.position,
            template_of(one.person, model).mean,
            tuple(
                moment
                for other in sightings
                if leads.get(other.position, other.position) == one.position
                for moment in other.person.seen
            ),
        )
        for one in sightings
        if leads.get(one.position, one.position) == one.position
    ]
