"""Matches people with the gallery: distances become scores, and scores a verdict."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, zip_longest
from typing import Literal, TypeAlias

import numpy as np

from db.errors import DamagedVectorError
from db.people import PersonFound, Seen
from db.records import Performer
from db.snapshots import Fused, Snapshot
from db.vectors import measure_pairs
from function.faces.face import BLURRED, DARK
from function.matching.comparisons import Alike, choose_densities, group_alike, weigh_alike
from function.matching.densities import Densities
from function.matching.hints import Hint, HintKind, kinds_of, priors_of_each
from function.matching.scores import Posterior
from function.people.people import (
    Template,
    join_people,
    share_a_frame,
)

Verdict: TypeAlias = Literal["match", "uncertain", "unknown"]

MATCH_FROM = 90.0
"""Score from which a person is named."""

SOFT = frozenset({BLURRED, DARK})
"""Weaknesses of faces that both nets together can still tell apart. So somebody seen only in such
faces can be a match, if both nets were compared: 81 % of 415 such faces were, and no stranger's. Of
194 faces turned away 44 would be, and no stranger's, but nine in ten of those may not be faces at
all."""

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
    by_both: bool = False
    """Whether both nets were compared."""
    hints: tuple[HintKind, ...] = ()
    """The kinds of hints that raised the score."""


@dataclass(frozen=True, eq=False)
class Identification:
    """What is known about one person: the matches, best first, and how far to trust the first.

    `members` are the positions of the people found whom this one is made of. `fragments` joined by
    time and place: they are seen, but are no evidence. `rejected` are the ids of performers whom
    the user said this is not. `fused` is the person's template by both nets, if it was compared. If
    people were joined by name, it is that of the surest, as a wrongly named face would spoil it.
    """

    person: PersonFound
    matches: tuple[Match, ...]
    verdict: Verdict
    members: tuple[int, ...] = ()
    fragments: tuple[PersonFound, ...] = ()
    rejected: frozenset[int] = frozenset()
    fused: Template | None = None

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


@dataclass(frozen=True, eq=False)
class VideoPeople:
    """The people found in one video, the hints about it, and the models that encoded them.

    Without `models` they are compared in the first of the gallery's fusions.
    """

    people: Sequence[PersonFound]
    hints: Sequence[Hint] = ()
    models: Sequence[str] | None = None

    def space_in(self, gallery: Snapshot) -> Fused | None:
        """Return the gallery's templates by the nets that encoded these people."""
        if self.models is None:
            return next(iter(gallery.fused), None)
        return gallery.fused_by(self.models)


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
    video = VideoPeople(people, hints)
    (found,) = match_videos([video], gallery, min_score=min_score, limit=limit, densities=densities)
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
    for video, people in zip(videos, identified, strict=True):
        mended = _mend(people, gallery, chosen, video)
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
    (found,) = identify_videos([VideoPeople(people, hints)], gallery, densities)
    return found


def identify_videos(
    videos: Sequence[VideoPeople], gallery: Snapshot, densities: Sequence[Densities]
) -> list[list[Identification]]:
    """Weigh the people of several videos, whose distances are measured in one go."""
    everyone = [one for video in videos for one in video.people]
    hints = [video.hints for video in videos for _ in video.people]
    within = [(video.space_in(gallery), len(video.people)) for video in videos]
    spaces = [space for space, people in within for _ in range(people)]
    priors = priors_of_each(hints, gallery.performers)
    found: list[list[Match]] = [[] for _ in everyone]
    rejected: list[frozenset[int]] = [frozenset()] * len(everyone)
    fused: list[Template | None] = [None] * len(everyone)
    for alike in group_alike(everyone, spaces, gallery):
        ids = frozenset(gallery.performers[position].id for position in alike.rejected)
        posterior = weigh_alike(alike, gallery, densities, priors)
        for row, match in _list_matches(posterior, alike, gallery, hints):
            found[row].append(match)
        for row, template in zip_longest(alike.rows, alike.fused):
            rejected[row], fused[row] = ids, template
    weighed = zip(everyone, found, rejected, fused, strict=True)
    return [
        [judge(*next(weighed), members=(number,)) for number in range(len(video.people))]
        for video in videos
    ]


def _list_matches(
    posterior: Posterior, alike: Alike, gallery: Snapshot, hints: Sequence[Sequence[Hint]]
) -> Iterator[tuple[int, Match]]:
    """Yield each match with the position of the person among all."""
    means = np.stack([one.mean for one in alike.templates])
    distances = measure_pairs(means, gallery.templates.means, posterior.rows, posterior.positions)
    columns = (posterior.rows, posterior.positions, distances, posterior.probabilities)
    told = (*columns, posterior.raised, posterior.spaces)
    for place, position, distance, probability, is_raised, space in zip(
        *(column.tolist() for column in told), strict=True
    ):
        row, performer = alike.rows[place], gallery.performers[position]
        kinds = kinds_of(hints[row], performer.id) if is_raised else ()
        yield row, Match(performer, distance, _score(probability), space > 0, kinds)


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


def judge(
    person: PersonFound,
    matches: Sequence[Match],
    rejected: frozenset[int] = frozenset(),
    fused: Template | None = None,
    members: tuple[int, ...] = (),
) -> Identification:
    """Rank matches, none of them `rejected`, and say how far the first can be trusted."""
    ranked = tuple(sorted(matches, key=lambda match: (-match.score, match.distance)))
    best = ranked[0].score if ranked else 0.0
    verdict: Verdict = "unknown"
    if best >= UNCERTAIN_FROM:
        verdict = "match" if best >= _nameable_from(person, ranked[0]) else "uncertain"
    return Identification(person, ranked, verdict, members, rejected=rejected, fused=fused)


def _nameable_from(person: PersonFound, first: Match) -> float:
    """Return the score from which a person is named; infinite for weak faces of other kinds."""
    if person.evidence.is_strong:
        return MATCH_FROM
    is_soft = any(SOFT.issuperset(view.weaknesses) for view in person.views)
    return MATCH_FROM if is_soft and first.by_both else math.inf


def _mend(
    found: list[Identification],
    gallery: Snapshot,
    densities: Sequence[Densities],
    video: VideoPeople,
) -> list[Identification]:
    """Join people who are named alike and never share a frame, and weigh the joined ones again."""
    while pair := _find_pair(found, seen_at_once=False):
        first, second = pair
        joined = join_people(found[first].person, found[second].person, gallery.model)
        ((weighed,),) = identify_videos([replace(video, people=[joined])], gallery, densities)
        members = (*found[first].members, *found[second].members)
        surest = max((found[first], found[second]), key=_certainty)
        found = [one for index, one in enumerate(found) if index != second]
        found[first] = replace(weighed, members=members, fused=surest.fused)
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
    """Find two people for one performer: one a match, the other a match too or just probable."""
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
    verdict = one.verdict if listed else "unknown"
    if verdict == "unknown":
        listed = ()
    if (listed, verdict) == (one.matches, one.verdict):
        return one
    return replace(one, matches=listed, verdict=verdict)
