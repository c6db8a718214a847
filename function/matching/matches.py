"""Matches people with the gallery: distances become scores, and scores a verdict."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from db.errors import DamagedVectorError
from db.records import Performer
from db.rejections import leave_out_rejected
from db.snapshots import Snapshot
from db.vectors import distances_to_performers, square_distances
from function.matching.densities import Densities, densities_for, densities_of
from function.matching.scores import Comparison, weigh_candidates
from function.people.people import (
    PersonFound,
    fused_template_of,
    join_people,
    share_a_frame,
    template_of,
)

Verdict: TypeAlias = Literal["match", "uncertain", "unknown"]

MATCH_FROM = 90.0
"""Score from which a person is named."""

UNCERTAIN_FROM = 20.0
"""Score from which a name is worth checking."""

MENDED_FROM = 80.0
"""If a person is a match, and another may be the same performer with at least this score and never
shares a frame with the first, both are one person. The score alone would name nobody."""

HIGHEST_SCORE = 99.9
"""The highest score shown: nothing is certain."""

TWIN_SHARE = 0.5
"""The factor on a score if somebody else in the same frame is named as the same performer with more
certainty: of two people who look like one performer, the second is as often a mirror image as a
stranger."""


@dataclass(frozen=True)
class Match:
    """A performer a person may be, with the probability of that in percent."""

    performer: Performer
    distance: float
    score: float


@dataclass(frozen=True, eq=False)
class Identification:
    """What is known about one person: the matches, best first, and how far to trust the first."""

    person: PersonFound
    matches: tuple[Match, ...]
    verdict: Verdict


def match_people(
    people: Sequence[PersonFound],
    gallery: Snapshot,
    *,
    min_score: float = UNCERTAIN_FROM,
    limit: int = 5,
    densities: Sequence[Densities] | None = None,
) -> list[Identification]:
    """Compare the people of one video with the gallery; the result keeps their order.

    Two people who never share a frame and are named as one performer, one of them surely and the
    other probably, become one. A performer is named only once among people who share a frame. Only
    matches with at least `min_score` (percent) are listed, at most `limit` of them; a person
    without any is unknown.

    Raises:
        OtherModelError: no densities were fitted on encodings of the gallery's models, or those
            given on another one's.
        DamagedVectorError: an encoding of the gallery holds NaN or infinity.
    """
    _refuse_damaged(gallery)
    chosen = choose_densities(gallery, densities)
    found = _mend(identify_people(people, gallery, chosen), gallery, chosen)
    return [_shorten(one, min_score, limit) for one in _name_once_a_frame(found)]


def identify_people(
    people: Sequence[PersonFound], gallery: Snapshot, densities: Sequence[Densities]
) -> list[Identification]:
    """Weigh each person separately against the gallery, and list every performer with a chance.

    Unlike match_people, it does not compare the people of one video with each other, and it has no
    limits. `densities` are those of the gallery's spaces.
    """
    if not people:
        return []
    enrolled = int(np.count_nonzero(gallery.templates.evidence))
    identifications = []
    for person, row in zip(people, measure_distances(people, gallery), strict=True):
        posterior = weigh_candidates(compare_with(person, row, gallery, densities), enrolled)
        matches = [
            Match(gallery.performers[position], float(row[position]), _score(probability))
            for position, probability in zip(
                posterior.positions, posterior.probabilities, strict=True
            )
        ]
        identifications.append(_judge(person, matches))
    return identifications


def measure_distances(people: Sequence[PersonFound], gallery: Snapshot) -> NDArray[np.float32]:
    """Measure how far people are from all performers, by the first net: (people, performers).

    Infinite is the distance to a performer who was rejected for that person.
    """
    probes = np.stack([template_of(person, gallery.model).mean for person in people])
    return leave_out_rejected(distances_to_performers(probes, gallery), probes, gallery)


def compare_with(
    person: PersonFound,
    distances: NDArray[np.float32],
    gallery: Snapshot,
    densities: Sequence[Densities],
) -> list[Comparison]:
    """Compare by both nets with the performers who have encodings of both, by one with the others.

    `distances` are those by the first net. Whoever is infinitely far by it is left out of both.
    """
    evidence = template_of(person, gallery.model).evidence
    own = densities_for(gallery.model, densities)
    single = Comparison(distances, evidence, gallery.templates, own)
    fused = gallery.fused
    template = fused_template_of(person, fused.fusion) if fused else None
    if fused is None or template is None:
        return [single]
    squared = square_distances(template.mean[None], fused.templates.means)[0]
    has_both = (fused.templates.evidence > 0) & np.isfinite(single.distances)
    both = densities_for(fused.fusion.space, densities)
    by_both = np.where(has_both, np.sqrt(squared), np.inf).astype(np.float32)
    by_one = np.where(has_both, np.inf, single.distances).astype(np.float32)
    return [
        replace(single, distances=by_one),
        Comparison(by_both, template.evidence, fused.templates, both),
    ]


def choose_densities(
    gallery: Snapshot, given: Sequence[Densities] | None = None
) -> Sequence[Densities]:
    """Return the densities of a gallery's spaces: those given, or else those that ship.

    Raises:
        OtherModelError: a space has none.
    """
    spaces = [gallery.model, *([gallery.fused.fusion.space] if gallery.fused else [])]
    if given is None:
        return [densities_of(space.id) for space in spaces]
    return [densities_for(space, given) for space in spaces]


def _refuse_damaged(gallery: Snapshot) -> None:
    # A bad number in an encoding spoils its performer's mean, and means are ten times fewer.
    damaged = np.flatnonzero(~np.isfinite(gallery.templates.means).all(axis=1))
    if len(damaged):
        performer = gallery.performers[int(damaged[0])]
        raise DamagedVectorError(
            f"An encoding of {performer.name} (id {performer.id}) holds NaN or infinity. "
            "Forget and enrol the performer again."
        )


def _score(probability: float) -> float:
    return min(round(100 * float(probability), 1), HIGHEST_SCORE)


def _judge(person: PersonFound, matches: Sequence[Match]) -> Identification:
    ranked = tuple(sorted(matches, key=lambda match: (-match.score, match.distance)))
    best = ranked[0].score if ranked else 0.0
    verdict: Verdict = "unknown"
    if best >= UNCERTAIN_FROM:
        nameable = best >= MATCH_FROM and bool(person.strong_views)
        verdict = "match" if nameable else "uncertain"
    return Identification(person, ranked, verdict)


def _mend(
    found: list[Identification], gallery: Snapshot, densities: Sequence[Densities]
) -> list[Identification]:
    """Join people who are named alike and never share a frame, and weigh the joined ones again."""
    while pair := _find_pair(found, seen_at_once=False):
        first, second = pair
        joined = join_people(found[first].person, found[second].person, gallery.model)
        found = [one for index, one in enumerate(found) if index != second]
        found[first] = identify_people([joined], gallery, densities)[0]
    return found


def _name_once_a_frame(found: list[Identification]) -> list[Identification]:
    """Leave a performer to the most certain of the people who share a frame."""
    while pair := _find_pair(found, seen_at_once=True):
        loser = min(pair, key=lambda index: _certainty(found[index]))
        best, *others = found[loser].matches
        halved = replace(best, score=round(best.score * TWIN_SHARE, 1))
        found[loser] = _judge(found[loser].person, [halved, *others])
    return found


def _find_pair(found: Sequence[Identification], *, seen_at_once: bool) -> tuple[int, int] | None:
    """Find two people for one performer, one a match; the other a match too, or just probable."""
    likely = [
        index
        for index, one in enumerate(found)
        if one.verdict == "match" or (not seen_at_once and _is_probable(one))
    ]
    for first, second in combinations(likely, 2):
        one, other = found[first], found[second]
        alike = one.matches[0].performer.id == other.matches[0].performer.id
        is_named = "match" in (one.verdict, other.verdict)
        if alike and is_named and share_a_frame(one.person, other.person) == seen_at_once:
            return first, second
    return None


def _is_probable(one: Identification) -> bool:
    return one.verdict == "uncertain" and one.matches[0].score >= MENDED_FROM


def _certainty(identification: Identification) -> tuple[float, float]:
    best = identification.matches[0]
    return best.score, -best.distance


def _shorten(one: Identification, min_score: float, limit: int) -> Identification:
    listed = tuple(match for match in one.matches if match.score >= min_score)[:limit]
    if one.verdict == "unknown" or not listed:
        return Identification(one.person, (), "unknown")
    return replace(one, matches=listed)
