"""Says what a photo is worth as the picture of a person: a weight, and why it is not more."""

import math
from dataclasses import replace

import numpy as np

from db.records import Vector
from db.templates import QUALITY_SLOPE, weigh_qualities
from function.faces.face import BLURRED, DARK, FULL_SHARPNESS, Face

NAMELESS = "shows too little of who it is"
"""The weakness of a face that is not enrolled."""

LEAST_CHANCE = 0.2
"""Photos with less chance are refused. The 741 spoilt photographs below it named their person in
6 % of the searches, those above it in 60 %; of 1,045 that were not spoilt it refuses 5."""

FULL_CHANCE = 0.4
"""From this chance on a photo counts in full; below it its weight falls in proportion, to a half.
If it fell further, those of whom only such a photo is enrolled would have so little evidence that
strangers are named as them: with 0.6 here one search in 500."""

LOWEST_QUALITY = -10.0
"""No weight that is given here needs a lower quality."""

OFFSET, PER_LIKENESS, PER_DISTANCE, PER_SHARPNESS = -45.36, 47.45, 5.29, 1.5
OFFSET_ALONE, PER_DISTANCE_ALONE, PER_SHARPNESS_ALONE = -2.92, 8.11, 1.25
"""The logarithm of the odds that a search for a good photograph names the person, of whom this one
is enrolled, as a sum: by the cosine of SFace's encodings of the face and of its mirror image, the
distance of dlib's encoding from a blank chip's, and the logarithm of the sharpness. The second line
does without SFace. Fitted on 2,550 photographs of 57 people, most of them blurred, moved, darkened,
shrunk or covered in 17 ways, each enrolled alone among one good photograph of each of the others.
A face that a net sees differently in a mirror is one it does not know: of all measures tried, the
cosine says most about photographs as they are."""

SHARPNESS_FLOOR = 0.003
"""Added to the sharpness before its logarithm is taken."""

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


def estimate_chance(face: Face, blank: Vector, likeness: float | None) -> float:
    """Estimate how likely a photo is to name its person when it is the only one enrolled.

    `blank` is the encoding of a blank chip; `likeness` is what the second encoder says of the
    face and its mirror image, or None without one.
    """
    distance = float(np.linalg.norm(face.encoding - blank))
    detail = math.log(min(face.sharpness, FULL_SHARPNESS) + SHARPNESS_FLOOR)
    if likeness is None:
        odds = OFFSET_ALONE + PER_DISTANCE_ALONE * distance + PER_SHARPNESS_ALONE * detail
    else:
        odds = OFFSET + PER_LIKENESS * likeness + PER_DISTANCE * distance + PER_SHARPNESS * detail
    return 1 / (1 + math.exp(-odds))


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
