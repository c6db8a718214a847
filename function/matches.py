"""People become matches: distances to the gallery become scores, and scores a verdict."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from db.records import Performer, Snapshot
from db.vectors import distances_to_performers
from function.people import Person

Verdict: TypeAlias = Literal["match", "uncertain", "unknown"]

PRIOR_ENROLLED = 0.5
"""How likely a person in a video is enrolled at all, before anything is seen."""

MATCH_FROM = 90.0
"""Score from which a person is named."""

UNCERTAIN_FROM = 50.0
"""Score from which a name is worth showing."""

HIGHEST_SCORE = 99.9
"""Nothing is certain."""


@dataclass(frozen=True)
class Match:
    """A performer a person may be, with the probability of that in percent."""

    performer: Performer
    distance: float
    score: float


@dataclass(frozen=True, eq=False)
class Identification:
    """What is known of one person: the matches, best first, and how far to trust the first."""

    person: Person
    matches: tuple[Match, ...]
    verdict: Verdict


def match_people(
    people: Sequence[Person],
    gallery: Snapshot,
    *,
    min_score: float = UNCERTAIN_FROM,
    limit: int = 5,
) -> list[Identification]:
    """Compare people with the gallery; the answer keeps their order.

    Only matches with at least `min_score` (percent) are listed, `limit` of them at most.
    """
    if not people or not len(gallery.vectors):
        return [Identification(person, (), "unknown") for person in people]
    templates = np.stack([person.template for person in people])
    distances = distances_to_performers(templates, gallery)
    return [
        _identify(person, row, gallery, min_score, limit)
        for person, row in zip(people, distances, strict=True)
    ]


def _identify(
    person: Person, distances: NDArray[np.float32], gallery: Snapshot, min_score: float, limit: int
) -> Identification:
    scores = _scores(distances.astype(np.float64), person.looks)
    ranked = np.argsort(-scores, kind="stable")[:limit]
    best = float(scores[ranked[0]])
    listed = tuple(
        Match(gallery.performers[index], float(distances[index]), float(scores[index]))
        for index in ranked
        if scores[index] >= max(min_score, UNCERTAIN_FROM)
    )
    verdict: Verdict = "match" if best >= MATCH_FROM else "uncertain" if listed else "unknown"
    return Identification(person, listed, verdict)


def _scores(distances: NDArray[np.float64], looks: float) -> NDArray[np.float64]:
    own_centre = np.sqrt(0.0925 * (1 + 1 / max(looks, 1)))
    stranger_centre = np.sqrt(0.408 + own_centre**2)
    with np.errstate(invalid="ignore"):
        log_own = -0.5 * (np.maximum(distances - own_centre, 0) / 0.07) ** 2
        log_stranger = -0.5 * (np.minimum(distances - stranger_centre, 0) / 0.08) ** 2
        ratios = np.where(np.isfinite(distances), np.exp(log_own - log_stranger), 0)
    share = PRIOR_ENROLLED / np.count_nonzero(np.isfinite(distances))
    posterior = share * ratios / ((1 - PRIOR_ENROLLED) + share * ratios.sum())
    rounded: NDArray[np.float64] = np.minimum(np.round(100 * posterior, 1), HIGHEST_SCORE)
    return rounded
