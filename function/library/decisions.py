"""Applies what the user said about the people in a video to what matching says."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from db.decisions import Decision, DecisionKind
from db.identities import identities_of
from db.ledgers import Ledger
from db.people import PersonFound, Seen
from db.records import Identity, Performer, Vectors
from db.snapshots import Snapshot
from db.videos import Interval, Kind
from function.errors import UnknownPersonError
from function.matching.matches import Identification, Match, judge
from function.people.appearances import find_appearances
from function.people.people import template_of

SAME_TIME_WITHIN, OTHER_TIME_WITHIN = 0.45, 0.3
"""A person is the one whom a decision is about if their mean encodings are this near: the first if
they are seen at the same time, the second if not, as in a file that was cut or encoded again. Those
of one person in two videos are 0.25 +- 0.04 apart, those of two people 0.43 and more."""

CERTAIN = 100.0
"""The score, in percent, of somebody whom the user confirmed."""

MOSTLY = 0.5
"""At the same time means that this share of what shows a person lies within the decision's
spans."""


@dataclass(frozen=True, eq=False)
class Decided:
    """A person, named as the user said where the user did."""

    person: Identification
    kind: DecisionKind | None = None


def decide(
    ledger: Ledger,
    gallery: Snapshot,
    place: tuple[int, int],
    kind: DecisionKind,
    performer: Performer | None = None,
    *,
    photo_hashes: tuple[str, ...] = (),
) -> int:
    """Store a decision about a person, given by video and position there; return its number.

    `photo_hashes` are the views that were enrolled with it.

    Raises:
        UnknownPersonError: nobody there has this position.
    """
    video, _ = place
    person, seen = _find_person(ledger, place)
    (record,) = ledger.records([video])
    decision = Decision(
        kind=kind,
        spans=_spans_of(seen, record.kind),
        template=template_of(person, gallery.model).mean,
        identities=identities_of(performer) if performer else (),
        photo_hashes=photo_hashes,
    )
    return ledger.decide(video, decision)


def _find_person(ledger: Ledger, place: tuple[int, int]) -> tuple[PersonFound, set[Seen]]:
    """Find a person by video and position there, and when whoever was joined to them is seen."""
    video, position = place
    sightings = {one.position: one for one in ledger.sightings([video])[video]}
    leads = {one.position: one.lead for one in ledger.outcomes([video])[video]}
    if position not in sightings:
        numbers = ", ".join(str(one) for one in sorted(set(leads.values())))
        there = f"Those there have the numbers {numbers}" if numbers else "Nobody was found there"
        raise UnknownPersonError(
            f"There is no person {position} in this video. {there}; `results` lists them."
        )
    lead = leads.get(position, position)
    seen = {
        one
        for place, sighting in sightings.items()
        if leads.get(place, place) == lead
        for one in sighting.person.seen
    }
    return sightings[lead].person, seen


def apply_decisions(
    named: Sequence[Identification], decisions: Sequence[Decision], gallery: Snapshot
) -> list[Decided]:
    """Name people as the user said; the latest decision about a person counts.

    Rejections add up. A performer who is no longer there is left out.
    """
    found = [Decided(one) for one in named]
    if not decisions or not named:
        return found
    templates = np.stack([template_of(one.person, gallery.model).mean for one in named])
    performers = by_identity(gallery.performers)
    for decision in decisions:
        place = find_subject(decision, templates, [one.seen for one in named])
        if place is not None:
            found[place] = _apply(found[place], decision, performers)
    return found


def settle(decided: Sequence[Decided], kind: Kind) -> list[Decided]:
    """Leave an album's people to the user: a match there is uncertain until it is confirmed."""
    if kind == "video":
        return list(decided)
    return [
        replace(one, person=replace(one.person, verdict="uncertain"))
        if one.person.verdict == "match" and one.kind != "confirmed"
        else one
        for one in decided
    ]


def by_identity(performers: Iterable[Performer]) -> dict[Identity, Performer]:
    """Return performers by each of their ids, so that one who was merged into another is found."""
    return {
        identity: performer for performer in performers for identity in identities_of(performer)
    }


def find_subject(
    decision: Decision, templates: Vectors, seen: Sequence[Sequence[Seen]]
) -> int | None:
    """Find the person whom a decision is about: the nearest of those near enough.

    Row i of `templates` is the mean encoding of somebody who is seen in `seen[i]`. A template of
    another length, part of which a bad disk lost, is like nobody's.
    """
    if len(decision.template) != templates.shape[1]:
        return None
    distances = np.linalg.norm(templates - decision.template, axis=1)
    for place in np.argsort(distances, kind="stable").tolist():
        same_time = share_within(seen[place], decision.spans) >= MOSTLY
        if distances[place] <= (SAME_TIME_WITHIN if same_time else OTHER_TIME_WITHIN):
            return int(place)
    return None


def _spans_of(seen: Collection[Seen], kind: Kind) -> tuple[Interval, ...]:
    """Return when somebody is seen; in an album each picture is a span of its own."""
    if kind == "album":
        return tuple(sorted({(one.seconds, one.seconds) for one in seen}))
    return tuple(find_appearances(seen))


def share_within(seen: Sequence[Seen], spans: Sequence[Interval]) -> float:
    """Return the share (0 to 1) of what shows a person that lies within some spans."""
    within = sum(any(start <= one.seconds <= end for start, end in spans) for one in seen)
    return within / max(len(seen), 1)


def find_about(decision: Decision, performers: Mapping[Identity, Performer]) -> Performer | None:
    """Return the performer whom a decision names, among those that `by_identity` returned."""
    return next((performers[it] for it in decision.identities if it in performers), None)


def _apply(
    decided: Decided, decision: Decision, performers: Mapping[Identity, Performer]
) -> Decided:
    one = decided.person
    about = find_about(decision, performers)
    if decision.kind == "ignored":
        return Decided(replace(one, matches=(), verdict="unknown"), "ignored")
    if about is None:
        return decided
    others = tuple(match for match in one.matches if match.performer.id != about.id)
    if decision.kind in ("confirmed", "named"):
        said = [match for match in one.matches if match.performer.id == about.id]
        first = replace(said[0] if said else Match(about, float("inf"), 0.0), score=CERTAIN)
        return Decided(replace(one, matches=(first, *others), verdict="match"), "confirmed")
    if decided.kind == "confirmed" and one.matches[0].performer.id != about.id:
        return replace(decided, person=replace(one, matches=others))  # somebody else is ruled out
    judged = judge(one.person, others)
    return Decided(replace(one, matches=judged.matches, verdict=judged.verdict), "rejected")
