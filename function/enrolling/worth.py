"""Says what a photo is worth as the picture of a person: a weight, and why it is not more."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from db.records import Vector
from db.templates import QUALITY_SLOPE, weigh_qualities
from function.engines.lightcnn.model import LIGHT_CNN
from function.engines.sface.model import SFACE
from function.faces.face import BLURRED, DARK, FULL_SHARPNESS, Face, Likeness

NAMELESS = "shows too little of who it is"
"""The weakness of a face that is not enrolled."""

LEAST_CHANCE = 0.2
"""Photos with less chance are refused. With Light CNN the 47 of 1,984 spoilt photographs below it
named their person in 22 % of the searches, those above it in 74 %; of 150 that were not spoilt it
refuses none. Enrolled with the weight that is left to them, the 47 named 16 of 6,956 strangers."""

FULL_CHANCE = 0.4
"""From this chance on a photo counts in full; below it its weight falls in proportion, to a half.
If it fell further, performers with only such a photo would have so little evidence that strangers
are named as them: with 0.6 here, in one search in 500 by SFace."""

LOWEST_QUALITY = -10.0
"""No weight that is given here needs a lower quality."""

SHARPNESS_FLOOR = 0.003
"""Added to the sharpness before its logarithm is taken."""


@dataclass(frozen=True)
class Odds:
    """What the signs of a photo say about its worth: they add up to the logarithm of the odds.

    These are the odds that a search for a good photograph names the person, if this one is
    enrolled. The signs are those of `signs_of`.
    """

    offset: float
    per_likeness: float
    per_distance: float
    per_sharpness: float


ODDS: Mapping[str, Odds] = {
    LIGHT_CNN.id: Odds(-22.42, 25.69, 4.53, 1.48),
    SFACE.id: Odds(-45.36, 47.45, 5.29, 1.5),
}
"""By the second net. A face that a net sees differently in a mirror is one it does not know: of all
measures tried, the cosine says most about photographs as they are.

Light CNN's were fitted by `python -m tools evaluate-kinds FOLDER... --worth` on 2,134 photographs
of 75 people, most of them spoilt in 14 ways, each enrolled alone among one good photograph of each
of the others (log loss 0.484 with people held apart, 0.574 without signs). SFace's were fitted on
2,550 photographs of 57 people in the same way: on those of the 75 their log loss is 0.608, that of
numbers fitted on them 0.598 with people held apart. SFace's numbers would refuse two in five of
Light CNN's photographs, and half of the searches for those name."""

ODDS_ALONE = Odds(-2.92, 0.0, 8.11, 1.25)
"""Without a second net, or with one of the user's own, for which nothing was measured; fitted on
SFace's photographs."""

ADVICE = {
    BLURRED: "a sharper one",
    DARK: "a brighter one",
    "too bright": "a darker one",
    "turned away": "one that looks at the camera",
    "small": "a larger one",
}
"""What to add or choose instead, by the beginning of a weakness."""

FEW_WORDS = ((0.42, "a third of"), (0.58, "half of"), (0.72, "two thirds of"))
"""How much of a good photo a photo counts, by weights up to these."""


def estimate_chance(face: Face, blank: Vector, likeness: Likeness | None) -> float:
    """Estimate how likely a photo is to name its person when it is the only one enrolled.

    `blank` is the encoding of a blank chip; `likeness` is what the second encoder says of the
    face and its mirror image, or None without one.
    """
    odds = ODDS.get(likeness.model, ODDS_ALONE) if likeness else ODDS_ALONE
    cosine, distance, detail = signs_of(face, blank, likeness)
    logarithm = odds.offset + odds.per_likeness * cosine + odds.per_distance * distance
    return 1 / (1 + math.exp(-(logarithm + odds.per_sharpness * detail)))


def signs_of(face: Face, blank: Vector, likeness: Likeness | None) -> tuple[float, float, float]:
    """Measure what tells a photo's worth: how much of a face the nets see, and how sharp it is.

    Returns the cosine of the second net's encodings of the face and of its mirror image, 0 without
    one; the distance of dlib's encoding from a blank chip's; and the logarithm of the sharpness.
    """
    distance = float(np.linalg.norm(face.encoding - blank))
    detail = math.log(min(face.sharpness, FULL_SHARPNESS) + SHARPNESS_FLOOR)
    return likeness.cosine if likeness else 0.0, distance, detail


def rate_photo(face: Face, chance: float) -> Face:
    """Return a face with the quality that gives it the weight of a photo with this chance.

    The quality falls below 0 where the weight is less than that of any face in a video.
    """
    share = min(1.0, max(chance, LEAST_CHANCE) / FULL_CHANCE)
    variance = (1 + QUALITY_SLOPE * (1 - face.quality)) / share
    quality = round(1 - (variance - 1) / QUALITY_SLOPE, 4)
    nameless = (NAMELESS,) if chance < LEAST_CHANCE else ()
    return replace(face, quality=quality, weaknesses=(*face.weaknesses, *nameless))


def remark_on(face: Face) -> str:
    """Say why an enrolled face counts less than a good one, and what to add; empty for a good one.

    For example: "blurred: it counts half of a good photo; add a sharper one".
    """
    weight = float(weigh_qualities(np.array([face.quality], np.float32))[0])
    share = next((words for limit, words in FEW_WORDS if weight < limit), "")
    if not share and not face.weaknesses:
        return ""
    why = ", ".join(face.weaknesses) or _guess_why(face)
    counts = f"it counts {share} a good photo; " if share else ""
    return f"{why}: {counts}add {_better(face)}"


def refusal_of(face: Face) -> str:
    """Say why a face cannot be enrolled, and what to choose instead."""
    known = [weakness for weakness in face.weaknesses if weakness != NAMELESS]
    why = ", ".join(known) or _guess_why(face)
    return f"{NAMELESS} ({why}): choose {_better(face)}"


def _guess_why(face: Face) -> str:
    """Say what may be wrong with a face that shows too little, where nothing was measured."""
    return f"{'' if _is_sharp(face) else 'soft, '}covered, made up or turned away"


def _better(face: Face) -> str:
    kinds = [better for weakness, better in ADVICE.items() if _has(face, weakness)]
    whole = "one that shows the whole face"
    return kinds[0] if kinds else whole if _is_sharp(face) else f"a sharper {whole}"


def _is_sharp(face: Face) -> bool:
    return face.sharpness >= FULL_SHARPNESS


def _has(face: Face, weakness: str) -> bool:
    return any(one.startswith(weakness) for one in face.weaknesses)
