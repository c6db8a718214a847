"""Matches people with the gallery: distances become scores, and scores a verdict."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from db.errors import DamagedVectorError
from db.people import PersonFound, Seen
from db.records import Performer
from db.rejections import leave_out_rejected
from db.snapshots import Fused, Snapshot
from db.vectors import distances_to_performers
from function.faces.face import BLURRED, DARK
from function.matching.densities import Densities, densities_for, densities_of
from function.matching.hints import Hint, HintKind, hinted_priors, kinds_of
from function.matching.scores import Comparison, Posterior, weigh_candidates
from function.people.people import (
    Template,
    fused_templates_of,
    join_people,
    share_a_frame,
    templates_of,
)

Verdict: TypeAlias = Literal["match", "uncertain", "unknown"]

MATCH_FROM = 90.0
"""Score from which a person is named."""

SOFT_MATCH_FROM = 98.0
"""Score from which a person is named who is seen only blurred or nearly dark, if both nets agree.
Of 317 photographs of 58 people so spoilt 77 % are named right from this score on, and no stranger;
from 90 on 84 %, and 1.9 % of the strangers."""

SOFT = frozenset({BLURRED, DARK})
"""Weaknesses of faces that both nets together can still tell apart; faces turned away, tiny or too
bright were not tried."""

UNCERTAIN_FROM = 20.0
"""Score from which a name is worth checking."""

MENDED_FROM = 80.0
"""If a person is a match, and another may be the same performer with at least this score and never
shares a frame with the first, both are one person. The score alone would name nobody."""

HIGHEST_SCORE = 99.9
"""The highest score shown: nothing is certain."""

LEAST_SHARE = 1 / 3
"""A performer few of whose photos have encodings of both nets is compared by the first alone,
unless those have at least this share of the evidence. By both nets one photo is worth three by the
first: with one by both 80 % of 75 people are named right, with three by the first 79 %."""

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
    by_both: bool = False
    """Whether both nets were compared."""
    hints: tuple[HintKind, ...] = ()
    """The kinds of hints that raised the score."""


@dataclass(frozen=True, eq=False)
class Compared:
    """A person next to the gallery: `distances` by the first net, infinite for who was rejected."""

    distances: NDArray[np.float32]
    comparisons: list[Comparison]

    def is_by_both(self, position: int) -> bool:
        """Whether the person and a performer were compared by both nets."""
        return any(np.isfinite(one.distances[position]) for one in self.comparisons[1:])


@dataclass(frozen=True, eq=False)
class Identification:
    """What is known about one person: the matches, best first, and how far to trust the first.

    `members` are the positions of the people found whom this one is made of. `fragments` joined by
    time and place: they are seen, but are no evidence. `rejected` are the ids of performers whom
    the user said this is not.
    """

    person: PersonFound
    matches: tuple[Match, ...]
    verdict: Verdict
    members: tuple[int, ...] = ()
    fragments: tuple[PersonFound, ...] = ()
    rejected: frozenset[int] = frozenset()

    @property
    def seen(self) -> tuple[Seen, ...]:
        """The frames that show the person, in order of time."""
        return tuple(sorted({one for part in self._parts for one in part.seen}))

    @property
    def faces(self) -> int:
        """How many faces were counted."""
        return sum(part.faces for part in self._parts)

    @property
    def _parts(self) -> tuple[PersonFound, ...]:
        return self.person, *self.fragments


VideoPeople: TypeAlias = tuple[Sequence[PersonFound], Sequence[Hint]]
"""The people found in one video, and the hints about it."""


def match_people(
    people: Sequence[PersonFound],
    gallery: Snapshot,
    *,
    min_score: float = UNCERTAIN_FROM,
    limit: int = 5,
    densities: Sequence[Densities] | None = None,
    hints: Sequence[Hint] = (),
) -> list[Identification]:
    """Compare the people of one video with the gallery; the result keeps their order.

    Two people who never share a frame and are named as one performer, one of them surely and the
    other probably, become one. A performer is named only once among people who share a frame. Only
    matches with at least `min_score` (percent) are listed, at most `limit` of them; a person
    without any is unknown. `hints` are about the video, so they count for everyone in it.

    Raises:
        OtherModelError: no densities were fitted on encodings of the gallery's models, or those
            given on another one's.
        DamagedVectorError: an encoding of the gallery holds NaN or infinity.
    """
    (found,) = match_videos(
        [(people, hints)], gallery, min_score=min_score, limit=limit, densities=densities
    )
    return found


def match_videos(
    videos: Sequence[VideoPeople],
    gallery: Snapshot,
    *,
    min_score: float = UNCERTAIN_FROM,
    limit: int = 5,
    densities: Sequence[Densities] | None = None,
) -> list[list[Identification]]:
    """Match the people of several videos, each as `match_people` does.

    It takes a third of the time of matching them one by one.
    """
    _refuse_damaged(gallery)
    chosen = choose_densities(gallery, densities)
    matched = []
    identified = identify_videos(videos, gallery, chosen)
    for (_, hints), people in zip(videos, identified, strict=True):
        mended = _mend(people, gallery, chosen, hints)
        matched.append([_shorten(one, min_score, limit) for one in _name_once_a_frame(mended)])
    return matched


def identify_people(
    people: Sequence[PersonFound],
    gallery: Snapshot,
    densities: Sequence[Densities],
    hints: Sequence[Hint] = (),
) -> list[Identification]:
    """Weigh each person separately against the gallery, and list every performer with a chance.

    Unlike match_people, it does not compare the people of one video with each other, and it has no
    limits. `densities` are those of the gallery's spaces.
    """
    (found,) = identify_videos([(people, hints)], gallery, densities)
    return found


def identify_videos(
    videos: Sequence[VideoPeople], gallery: Snapshot, densities: Sequence[Densities]
) -> list[list[Identification]]:
    """Weigh the people of several videos, whose distances are measured in one go."""
    if not any(people for people, _ in videos):
        return [[] for _ in videos]
    has_photos = gallery.templates.evidence > 0
    enrolled = int(np.count_nonzero(has_photos))
    everyone = iter(
        compare_people([one for people, _ in videos for one in people], gallery, densities)
    )
    identified = []
    for people, hints in videos:
        hinted = hinted_priors(hints, gallery.performers)
        found = []
        for number, (person, compared) in enumerate(zip(people, everyone, strict=False)):
            posterior = weigh_candidates(compared.comparisons, enrolled, hinted)
            judged = judge(person, _list_matches(posterior, compared, gallery, hints))
            rejected = np.flatnonzero(has_photos & np.isinf(compared.distances)).tolist()
            ids = frozenset(gallery.performers[position].id for position in rejected)
            found.append(replace(judged, members=(number,), rejected=ids))
        identified.append(found)
    return identified


def _list_matches(
    posterior: Posterior, compared: Compared, gallery: Snapshot, hints: Sequence[Hint]
) -> list[Match]:
    rows = zip(posterior.positions.tolist(), posterior.probabilities, posterior.raised, strict=True)
    return [
        Match(
            gallery.performers[position],
            float(compared.distances[position]),
            _score(probability),
            by_both=compared.is_by_both(position),
            hints=kinds_of(hints, gallery.performers[position].id) if is_raised else (),
        )
        for position, probability, is_raised in rows
    ]


def compare_people(
    people: Sequence[PersonFound], gallery: Snapshot, densities: Sequence[Densities]
) -> list[Compared]:
    """Compare each person by both nets with those who have encodings of both, by one with others.

    Whoever was rejected for a person is left out.
    """
    own = densities_for(gallery.model, densities)
    templates = templates_of(people, gallery.model)
    probes = np.stack([template.mean for template in templates])
    distances = leave_out_rejected(
        distances_to_performers(probes, gallery.templates), probes, gallery
    )
    fused = _measure_fused(people, gallery)
    compared = []
    for row, template, by_both, again in zip(distances, templates, *fused, strict=True):
        single = Comparison(row, template.evidence, gallery.templates, own)
        comparisons = _divide(single, by_both, again, gallery.fused, densities)
        compared.append(Compared(row, comparisons))
    return compared


def _measure_fused(
    people: Sequence[PersonFound], gallery: Snapshot
) -> tuple[NDArray[np.float32], list[Template | None]]:
    """Measure distances by both nets, (people, performers), infinite where they cannot be."""
    none: list[Template | None] = [None] * len(people)
    distances = np.full((len(people), len(gallery.performers)), np.inf, np.float32)
    fused = gallery.fused
    if fused is None:
        return distances, none
    templates = fused_templates_of(people, fused.fusion)
    rows = [row for row, template in enumerate(templates) if template is not None]
    if rows:
        probes = np.stack([template.mean for template in templates if template is not None])
        distances[rows] = distances_to_performers(probes, fused.templates)
        weak = fused.templates.evidence < LEAST_SHARE * gallery.templates.evidence
        distances[:, weak] = np.inf
    return distances, templates


def _divide(
    single: Comparison,
    by_both: NDArray[np.float32],
    template: Template | None,
    fused: Fused | None,
    densities: Sequence[Densities],
) -> list[Comparison]:
    """Compare performers by both nets where that is possible, and by the first net otherwise."""
    if fused is None or template is None:
        return [single]
    has_both = np.isfinite(by_both) & np.isfinite(single.distances)
    both = densities_for(fused.fusion.space, densities)
    apart, joined = (
        np.where(chosen, row, np.inf).astype(np.float32)
        for chosen, row in ((~has_both, single.distances), (has_both, by_both))
    )
    return [
        replace(single, distances=apart),
        Comparison(joined, template.evidence, fused.templates, both),
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


def judge(person: PersonFound, matches: Sequence[Match]) -> Identification:
    """Rank matches, and say how far the first can be trusted."""
    ranked = tuple(sorted(matches, key=lambda match: (-match.score, match.distance)))
    best = ranked[0].score if ranked else 0.0
    verdict: Verdict = "unknown"
    if best >= UNCERTAIN_FROM:
        verdict = "match" if best >= _nameable_from(person, ranked[0]) else "uncertain"
    return Identification(person, ranked, verdict)


def _nameable_from(person: PersonFound, first: Match) -> float:
    """Return the score from which a person is named; infinite for weak faces of other kinds."""
    if person.strong_views:
        return MATCH_FROM
    is_soft = any(SOFT.issuperset(view.weaknesses) for view in person.views)
    return SOFT_MATCH_FROM if is_soft and first.by_both else math.inf


def _mend(
    found: list[Identification],
    gallery: Snapshot,
    densities: Sequence[Densities],
    hints: Sequence[Hint],
) -> list[Identification]:
    """Join people who are named alike and never share a frame, and weigh the joined ones again."""
    while pair := _find_pair(found, seen_at_once=False):
        first, second = pair
        joined = join_people(found[first].person, found[second].person, gallery.model)
        (weighed,) = identify_people([joined], gallery, densities, hints)
        members = (*found[first].members, *found[second].members)
        found = [one for index, one in enumerate(found) if index != second]
        found[first] = replace(weighed, members=members)
    return found


def _name_once_a_frame(found: list[Identification]) -> list[Identification]:
    """Leave a performer to the most certain of the people who share a frame."""
    while pair := _find_pair(found, seen_at_once=True):
        loser = min(pair, key=lambda index: _certainty(found[index]))
        best, *others = found[loser].matches
        halved = replace(best, score=round(best.score * TWIN_SHARE, 1))
        judged = judge(found[loser].person, [halved, *others])
        found[loser] = replace(found[loser], matches=judged.matches, verdict=judged.verdict)
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
        return replace(one, matches=(), verdict="unknown")
    return replace(one, matches=listed)
