"""Rates how far a face can be trusted, from cheap measurements: a number, and the reasons."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from db.models import EncodingModel
from db.records import Vector
from db.templates import QUALITY_SLOPE
from function.engines.heads import fit_head
from function.engines.protocol import Alignment, Detection
from function.faces.face import BLURRED, DARK, DOUBTFUL, FULL_SHARPNESS
from function.media.pictures import RgbImage

SMALL_PIXELS = 28
"""Narrower boxes are weak. With one stranger in a thousand let through, three quarters of the faces
of 24 px are missed, half of those of 32 px, a third at 50 px, and 29 % at 100 px."""

NOISE_PIXELS, NOISE_POWER = 21.0, 2.5
"""A face w pixels wide varies 1 + (21 / w)^2.5 times as much as a large one. 296 photographs,
shrunk and saved as JPEG, varied 1.9 times as much at 20 px as at 100, 1.7 at 24, 1.4 at 32, 1.24 at
40, 1.13 at 50 and 1.02 at 70."""

BLURRED_SHARPNESS = 0.04
"""Faces with less sharpness (see measure_sharpness) are weak. LFW photographs are around 0.15.
Blurred by focus or motion to 0.065, they move by 0.26 from their own encodings and are still
recognised; at 0.04 by 0.37, and one in six is missed; at 0.03 one in two."""

DETAIL_PIXELS = 3
CHIP_EDGE = 0.2

MISFIT_COST = 0.26
"""A head's misfit times this is taken off its score. This and the next two were fitted on how far
1,050 photographs of 75 people are from others of the same person."""

TURNED_SCORE, FRONTAL_SCORE = 0.72, 0.955
"""Scores of YuNet's close check, less the cost of misfit: with less than the first a face is weak;
the second is the best, which no face reaches. With less than the first, faces are 0.70 from others
of the same person, as far as a stranger's; half of all photographs have more than 0.897."""

TURNED_RATING, FRONTAL_RATING = -0.5, 2.0
"""The same for HOG's rating of the chip, if the detector finds no points."""

SOFT_SHARE = 0.7
"""What remains of the quality of a face with no sharpness at all."""

DOUBTFUL_SCORE, DOUBTFUL_DLIB_SCORE = 0.86, 0.2
"""With a lower score of YuNet's close check, or of one of dlib's detectors, something may not be a
face. Of faces in photographs one in a hundred has less than 0.876 from YuNet; backs of heads, hands
and prints on shirts have 0.6 to 0.8, a cat's face 0.81."""

PROFILE_ALLOWANCE, MOST_MISFIT = 0.12, 0.5
"""A misfit, at most the second number, times the first is added to a score before it is doubted:
profiles score 0.78 to 0.88."""

BLANK_LEVEL = 110
"""The grey of a blank chip."""

REDEEMED_FROM = 0.75
"""From this score on, a face whose encoding is certainly somebody's is no longer doubted."""

DARK_LEVEL, BRIGHT_LEVEL = 20.0, 225.0
"""Mean grey levels of the face outside which features are lost: LFW photographs darkened to a mean
of 26 are missed three times as often, at 13 sixteen times."""


@dataclass(frozen=True)
class Quality:
    """`value` is from 0 to 1 and weights a face; `weaknesses` are words, empty for a good face.

    `sharpness` is what `measure_sharpness` says.
    """

    value: float
    weaknesses: tuple[str, ...]
    sharpness: float


def weigh_face(detection: Detection, alignment: Alignment, frontal: float) -> Quality:
    """Rate one face by how frontal, sharp and large it is; say what else makes it weak.

    `frontal` comes from `rate_points` or `rate_chip`. Of the cheap measurements it says most about
    how far an encoding is from others of the same person.
    """
    width = detection.box.width
    grey = cv2.cvtColor(alignment.chip, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)
    # The chip's middle is the face; its edge is hair and background.
    edge = round(CHIP_EDGE * len(grey))
    face = grey[edge:-edge, edge:-edge].astype(np.uint8, copy=False)
    sharpness = measure_sharpness(face)
    brightness = float(np.mean(face))
    weaknesses = (
        f"small ({width} px)" if width < SMALL_PIXELS else "",
        BLURRED if sharpness < BLURRED_SHARPNESS else "",
        "turned away" if frontal < 0 else "",
        DOUBTFUL if _is_doubtful(detection) else "",
        DARK if brightness < DARK_LEVEL else "",
        "too bright" if brightness > BRIGHT_LEVEL else "",
    )
    sharp = min(1.0, sharpness / FULL_SHARPNESS)
    value = min(1.0, max(0.0, frontal)) * (SOFT_SHARE + (1 - SOFT_SHARE) * sharp)
    value = _take_off_for_size(value, width)
    told = tuple(weakness for weakness in weaknesses if weakness)
    return Quality(round(value, 4), told, sharpness)


def rate_points(detection: Detection) -> float:
    """Rate how frontal and visible a face with known points is: 1 at best, weak below 0.

    It is YuNet's score at the usual size, less what the misfit of its points costs. Together with
    sharpness, its correlation with how far an encoding is from others of the same person is -0.45
    on 1,047 photographs. HOG's rating of the chip has -0.43; the turn of the head, computed from
    the points alone, -0.2.
    """
    if detection.points is None:
        raise TypeError("a face without points is rated by its chip")
    score = detection.score - MISFIT_COST * min(1.0, fit_head(detection.points).misfit)
    return (score - TURNED_SCORE) / (FRONTAL_SCORE - TURNED_SCORE)


def rate_chip(rating: float) -> float:
    """Convert what Engine.rate_frontal says about the face's chip to the same scale."""
    return (rating - TURNED_RATING) / (FRONTAL_RATING - TURNED_RATING)


def make_blank_chip(model: EncodingModel) -> RgbImage:
    """Return a chip that shows nothing."""
    side = model.chip_pixels
    return np.full((side, side, 3), BLANK_LEVEL, np.uint8)


def doubt_encoding(
    weaknesses: tuple[str, ...], score: float, encoding: Vector, blank: Vector, model: EncodingModel
) -> tuple[str, ...]:
    """Add or lift the doubt about a face, by its encoding's distance from a blank chip's.

    `score` is the detector's. A hand, a pattern or a shadow is encoded much like a blank chip; a
    real face is not.
    """
    identity = float(np.linalg.norm(encoding - blank))
    if identity >= model.somebody_from and score >= REDEEMED_FROM:
        return tuple(one for one in weaknesses if one != DOUBTFUL)
    sure = score >= DOUBTFUL_SCORE
    least = model.nobody_within if sure else model.hardly_anybody_within
    if identity < least and DOUBTFUL not in weaknesses:
        return (*weaknesses, DOUBTFUL)
    return weaknesses


def _is_doubtful(detection: Detection) -> bool:
    if detection.points is None:
        return detection.score < DOUBTFUL_DLIB_SCORE
    misfit = min(MOST_MISFIT, fit_head(detection.points).misfit)
    return detection.score + PROFILE_ALLOWANCE * misfit < DOUBTFUL_SCORE


def _take_off_for_size(value: float, width: int) -> float:
    """Lower a quality until it means this much more variance (see weigh_qualities)."""
    variance = (1 + QUALITY_SLOPE * (1 - value)) * (
        1 + (NOISE_PIXELS / max(width, 1)) ** NOISE_POWER
    )
    return float(max(0.0, 1 - (variance - 1) / QUALITY_SLOPE))


def measure_sharpness(grey: NDArray[np.uint8]) -> float:
    """Measure how much a face changes over DETAIL_PIXELS of its chip, as a share of its brightness.

    It is the deviation of the second differences, along the axis where that is smaller, divided by
    the mean grey level: so dim light does not count as blur, but motion, which blurs one axis,
    does. Of 20 measures tried on blurred, moved, shrunk and darkened photographs this one predicted
    best how far an encoding moved; the variance of the Laplacian took dim light for blur.
    """
    levels = grey.astype(np.float64)
    step = DETAIL_PIXELS
    across = levels[:, 2 * step :] - 2 * levels[:, step:-step] + levels[:, : -2 * step]
    down = levels[2 * step :] - 2 * levels[step:-step] + levels[: -2 * step]
    return float(min(across.std(), down.std()) / max(levels.mean(), 1.0))
