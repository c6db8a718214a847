"""Hints: what makes a performer likelier before a face is compared, and by how much.

A hint raises the prior of a performer against everyone else's; the face still decides. It never
counts for more than the face: the prior odds are raised at most by the factor that the face gives,
so a performer whom the face speaks against, or says nothing about, gains nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from db.records import Performer
from function.matching.densities import Numbers

HintKind: TypeAlias = Literal["path", "tag"]
"""Where a hint comes from: the name in the file's path, or a tag on the scene in Stash that we did
not write. The other videos in a folder are no hint: their names are our own work, and an error
would confirm itself."""

HINT_PRIORS: Mapping[HintKind, float] = {"path": 0.1, "tag": 0.1}
"""How likely a person is one of those hinted at, before the face is seen; several share it.

Names in paths are right more often. This is the most at which, in trials on half of 75 people,
strangers under an enrolled performer's name were named no more often than without hints (0.7 %;
0.8 % with 0.2); on the other half it was 0.3 % with and without. See "Hints" in docs/scores.md. A
tag counts like a path."""


@dataclass(frozen=True)
class Hint:
    """A performer who is likelier, why, and which part (0 to 1) of that kind's prior is theirs."""

    performer_id: int
    kind: HintKind
    part: float = 1.0


def hint_alike(performer_ids: Sequence[int], kind: HintKind) -> tuple[Hint, ...]:
    """Turn performers who are named or tagged together into hints; they share the prior evenly."""
    chosen = dict.fromkeys(performer_ids)
    return tuple(Hint(performer_id, kind, 1 / len(chosen)) for performer_id in chosen)


def priors_of_each(
    hints: Sequence[Sequence[Hint]], performers: Sequence[Performer]
) -> dict[int, Numbers]:
    """Return each performer's prior from hints, by the position of the people these are about.

    float64 (performers,), 0 without a hint. Of several hints for one performer the strongest
    counts: a path and a tag mostly come from the same hand. Hints at performers who are not in the
    gallery are left out. People with the same hints, as all of a video, share one array.
    """
    if not any(hints):
        return {}
    position = {performer.id: index for index, performer in enumerate(performers)}
    known = {about: _priors(about, position) for about in {tuple(one) for one in hints if one}}
    return {place: known[tuple(about)] for place, about in enumerate(hints) if about}


def _priors(hints: Sequence[Hint], position: Mapping[int, int]) -> Numbers:
    priors = np.zeros(len(position))
    for hint in hints:
        if hint.performer_id in position:
            place = position[hint.performer_id]
            priors[place] = max(priors[place], HINT_PRIORS[hint.kind] * hint.part)
    return priors


def raise_odds(hinted: Numbers, usual: float, ratios: Numbers) -> Numbers:
    """Return the factors, 1 or more, by which hints raise the prior odds of candidates.

    `hinted` are their priors from hints, `usual` is everyone's prior without one, and `ratios` how
    much likelier the faces are of one person than of two strangers. No factor is above the ratio.
    """
    wanted = 1 + hinted / (1 - hinted) / usual
    factors: Numbers = np.minimum(wanted, np.maximum(ratios, 1.0))
    return factors


def kinds_of(hints: Sequence[Hint], performer_id: int) -> tuple[HintKind, ...]:
    """List the kinds of a performer's hints, each once."""
    return tuple(dict.fromkeys(hint.kind for hint in hints if hint.performer_id == performer_id))
