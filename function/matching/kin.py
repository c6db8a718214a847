"""Says whether two people found are one person, where nobody says who they are."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from db.models import Fusion
from db.people import Link
from db.vectors import square_distances
from function.matching.densities import (
    Densities,
    Numbers,
    calibrated,
    own_density,
    stranger_density,
)
from function.matching.matches import Identification
from function.people.people import fused_templates_of

JOINED_FROM = 0.95
"""The probability from which two are one. From 0.9 on, where the product names people, look-alikes
are joined where only the first net looked."""

ASSUMED_IN_VIDEO = 100
"""In one video somebody is looked for among so many. In films cut from clips of 27 people 33 of 51
pairs of one person are joined so, and none of 1,381 of two. Of 576,000 pairs of two people's
photographs, one to six of each, 8 are, and 56 that show three of seven who are hard to tell apart
anyway."""


def odds_of_one(
    distances: Numbers, evidence: tuple[Numbers, Numbers], densities: Densities, among: int
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
    """Say where logarithms of odds leave hardly a doubt."""
    sure: NDArray[np.bool_] = odds >= np.log(JOINED_FROM / (1 - JOINED_FROM))
    return sure


def find_kin(
    found: Sequence[Identification], fusion: Fusion, densities: Densities
) -> tuple[Link, ...]:
    """Find people of one video who are hardly two, by both nets, the surest first.

    Grouping knows one net only, to which a face with glasses and one without may be two people.
    Who is seen only weakly is left out: weak faces are all a little alike.
    """
    seen = [one for one in found if one.person.evidence.is_strong]
    if len(seen) < 2:  # noqa: PLR2004  # a pair
        return ()
    fused = fused_templates_of([one.person for one in seen], fusion)
    rows = [row for row, template in enumerate(fused) if template is not None]
    templates = [template for template in fused if template is not None]
    first, second = np.triu_indices(len(templates), 1)
    if len(first) == 0:
        return ()
    means = np.stack([one.mean for one in templates])
    evidence = np.array([one.evidence for one in templates], np.float64)
    distances = np.sqrt(square_distances(means, means)[first, second]).astype(np.float64)
    among = max(len(found), ASSUMED_IN_VIDEO)
    odds = odds_of_one(distances, (evidence[first], evidence[second]), densities, among)
    sure = np.flatnonzero(are_one(odds))
    places = [seen[row].members[0] for row in rows]
    return tuple(
        Link(round(float(distances[pair]), 4), places[first[pair]], places[second[pair]])
        for pair in sure[np.argsort(-odds[sure], kind="stable")].tolist()
    )
