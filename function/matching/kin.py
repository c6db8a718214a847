"""Says whether two of the people found are one person, whoever they are."""

import math
from collections.abc import Sequence
from itertools import combinations, groupby

import numpy as np
from numpy.typing import NDArray

from db.people import Link
from function.matching.densities import (
    Densities,
    Numbers,
    calibrated,
    own_density,
    stranger_density,
)
from function.matching.matches import Identification

JOINED_FROM = 0.95
"""The probability from which two are one. With 0.9, from which people are named, look-alikes would
be joined where only the first net looked, and in films twice as many by both as now."""

ASSUMED_IN_VIDEO = 100
"""In one video, somebody is looked for among this many. In films cut from clips of 27 people 83 of
119 pairs of one person are joined this way, and 1 of 2,004 of two; in films of 52 others 127 of
283, and none of 3,332; in films of seven who are hard to tell apart 85 of 226, and 11 of 2,459. All
but one of those joined wrongly hold faces of several already. Of 444,000 pairs of two people's
photographs, one to six of each, none is."""

LIKELY_FROM = 0.5
"""The probability of being one from which somebody seen well may get another's name by time and
place."""


def odds_of_one(
    distances: Numbers,
    evidence: tuple[Numbers, Numbers],
    densities: Densities,
    among: int | NDArray[np.int_],
) -> Numbers:
    """Return the logarithms of the odds that two templates are of one person, for each pair.

    `evidence` is that of both; each is looked for `among` so many.
    """
    one, other = evidence
    residuals: Numbers = densities.own_variance * (1 / one + 1 / other)
    own = own_density(distances, residuals, densities)
    strangers = stranger_density(distances, residuals, densities)
    # Each is searched for among the other's kind: no more is claimed than for one photograph.
    logs: Numbers = calibrated(np.log(own) - np.log(strangers), 1.0, densities) - np.log(among)
    return logs


def are_one(odds: Numbers) -> NDArray[np.bool_]:
    """Say where logarithms of odds leave hardly any doubt."""
    sure: NDArray[np.bool_] = odds >= _log_odds(JOINED_FROM)
    return sure


def find_kin(
    videos: Sequence[Sequence[Identification]], densities: Sequence[Densities | None]
) -> list[tuple[Link, ...]]:
    """Find people of one video who are hardly two, by both nets, the surest first; for each video.

    Grouping knows one net only, to which a face with glasses and one without may be two people.
    Anybody seen only weakly is left out: weak faces are all a little alike. All videos together
    take a fraction of the time of one after the other. `densities` are those of each video's nets
    together; None where one net alone looked.
    """
    links: list[tuple[Link, ...]] = [()] * len(videos)
    for own in dict.fromkeys(one for one in densities if one):
        places = [place for place, one in enumerate(densities) if one == own]
        found = _find_kin([videos[place] for place in places], own)
        for place, those in zip(places, found, strict=True):
            links[place] = those
    return links


def _find_kin(
    videos: Sequence[Sequence[Identification]], densities: Densities
) -> list[tuple[Link, ...]]:
    links: list[list[Link]] = [[] for _ in videos]
    compared = [
        (number, one, one.fused)
        for number, found in enumerate(videos)
        for one in found
        if one.fused and one.person.evidence.is_strong
    ]
    first, second = _pairs_within([number for number, _, _ in compared])
    if len(first) == 0:
        return [()] * len(videos)
    means = np.stack([template.mean for _, _, template in compared])
    evidence = np.array([template.evidence for _, _, template in compared], np.float64)
    among = np.array([max(len(videos[number]), ASSUMED_IN_VIDEO) for number, _, _ in compared])
    distances = np.linalg.norm(means[first] - means[second], axis=1).astype(np.float64)
    odds = odds_of_one(distances, (evidence[first], evidence[second]), densities, among[first])
    sure = np.flatnonzero(are_one(odds))
    for pair in sure[np.argsort(-odds[sure], kind="stable")].tolist():
        (number, one, _), (_, other, _) = compared[first[pair]], compared[second[pair]]
        distance = round(float(distances[pair]), 4)
        links[number].append(Link(distance, one.members[0], other.members[0]))
    return [tuple(one) for one in links]


def keep_likely(
    people: Sequence[Identification], links: Sequence[Link], densities: Densities
) -> list[Link]:
    """Leave out links by which somebody whom both nets rather take for another would get a name.

    A named person may hold a few turned faces of a stranger, whom these faces then link to by time
    and place. `densities` are those of both nets together.
    """
    by_number = {number: one for one in people for number in one.members}
    pairs = [(by_number.get(link.first), by_number.get(link.second)) for link in links]
    return [
        link
        for link, (one, other) in zip(links, pairs, strict=True)
        if not (one and other and _would_misname(one, other, densities))
    ]


def _would_misname(one: Identification, other: Identification, densities: Densities) -> bool:
    """Whether one of two who are seen well has a name, and the other rather is somebody else."""
    first, second = one.fused, other.fused
    is_one_named = (one.verdict == "match") != (other.verdict == "match")
    are_seen_well = one.person.evidence.is_strong and other.person.evidence.is_strong
    if not (is_one_named and are_seen_well and first and second):
        return False
    distance = np.array([np.linalg.norm(first.mean - second.mean)], np.float64)
    evidence = np.array([first.evidence]), np.array([second.evidence])
    odds = odds_of_one(distance, evidence, densities, ASSUMED_IN_VIDEO)
    return bool(odds[0] < _log_odds(LIKELY_FROM))


def _log_odds(probability: float) -> float:
    return math.log(probability / (1 - probability))


def _pairs_within(groups: Sequence[int]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows of all pairs of one group, of groups whose rows follow each other."""
    rows = groupby(range(len(groups)), key=groups.__getitem__)
    pairs = [pair for _, group in rows for pair in combinations(group, 2)]
    first, second = np.array(pairs, np.intp).reshape(-1, 2).T
    return first, second
