"""How far a face can be trusted, from what is cheap to measure: a number, and the reasons."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from function.engines import Alignment, Detection

SMALL_PIXELS = 40
"""Narrower boxes are weak: scaled to 40 px, a face moves 0.29 from its full-size encoding."""

BLURRED_SHARPNESS = 0.04
"""Faces with a smaller sharpness (see measure_sharpness) are weak. LFW photographs lie around 0.15.
Blurred or moved until they have 0.065, they move by 0.26 from their own encodings and are still
known; at 0.04 by 0.37, and one in six is missed; at 0.03 one in two."""

FULL_SHARPNESS = 0.22
"""From here on sharpness costs nothing; one LFW photograph in twenty has more."""

DETAIL_PIXELS = 3

TURNED_BELOW = -0.5
"""Faces whose frontal score is lower are weak. LFW photographs have 0.2 and more, also blurred or
darkened hardly less than this; profiles have -0.6 and less. In one clip faces in profile lie 0.66
from frontal photographs of the same person, and 0.76 from others'."""

FULL_FRONTAL = 2.0
"""From this frontal score on it costs nothing."""

SOFT_SHARE = 0.7
"""What remains of the quality of a face without any sharpness."""

DOUBTFUL_SCORE = 0.2
"""What a detector scores lower may be no face. Of 660 blurred, dark or tilted faces the CNN gave
5 less; HOG's false faces reach 0.19."""

BLURRED, DOUBTFUL = "blurred", "doubtful"
"""Two weaknesses by name: what no enrolment wants, and what may be no face at all."""

DARK_LEVEL, BRIGHT_LEVEL = 20.0, 225.0
"""Mean grey levels of the face outside which features drown: LFW photographs made dark until they
have a mean of 26 are missed three times as often, at 13 sixteen times."""


@dataclass(frozen=True)
class Quality:
    """`value` runs from 0 to 1 and weighs a face; `weaknesses` are words, empty for a good face."""

    value: float
    weaknesses: tuple[str, ...]


def weigh_face(detection: Detection, alignment: Alignment, frontal_score: float) -> Quality:
    """Weigh one face by how frontal and how sharp it is; say what else makes it weak.

    `frontal_score` is Engine.rate_frontal's, of the aligned chip. Of what is cheap to measure it
    says most about how far an encoding lies from its person's others (correlation -0.48 on LFW
    photographs, -0.54 with spoilt ones; the turn of the head from five landmarks: -0.3).
    """
    box = detection.box
    grey = cv2.cvtColor(alignment.chip, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)
    # The chip's middle holds the face; its edge holds hair and background.
    face = grey[30:120, 30:120].astype(np.uint8, copy=False)
    sharpness = measure_sharpness(face)
    brightness = float(np.mean(face))
    weaknesses = (
        f"small ({box.width} px)" if box.width < SMALL_PIXELS else "",
        BLURRED if sharpness < BLURRED_SHARPNESS else "",
        "turned away" if frontal_score < TURNED_BELOW else "",
        DOUBTFUL if detection.score < DOUBTFUL_SCORE else "",
        "too dark" if brightness < DARK_LEVEL else "",
        "too bright" if brightness > BRIGHT_LEVEL else "",
    )
    frontal = (frontal_score - TURNED_BELOW) / (FULL_FRONTAL - TURNED_BELOW)
    sharp = min(1.0, sharpness / FULL_SHARPNESS)
    value = min(1.0, max(0.0, frontal)) * (SOFT_SHARE + (1 - SOFT_SHARE) * sharp)
    return Quality(round(value, 4), tuple(weakness for weakness in weaknesses if weakness))


def measure_sharpness(grey: NDArray[np.uint8]) -> float:
    """Measure how much a face changes over DETAIL_PIXELS of its chip, as a share of its brightness.

    It is the deviation of the second differences, along the axis on which that is smaller, over the
    mean grey level: so dim light is not taken for blur, and movement, which blurs one axis, is.
    Of 20 measures tried on blurred, moved, shrunk and darkened photographs this one told best how
    far an encoding has moved; the variance of the Laplacian took dim light for blur.
    """
    levels = grey.astype(np.float64)
    step = DETAIL_PIXELS
    across = levels[:, 2 * step :] - 2 * levels[:, step:-step] + levels[:, : -2 * step]
    down = levels[2 * step :] - 2 * levels[step:-step] + levels[: -2 * step]
    return float(min(across.std(), down.std()) / max(levels.mean(), 1.0))
