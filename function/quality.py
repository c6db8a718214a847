"""How far a face can be trusted, from what is cheap to measure: a number, and the reasons."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from function.engines import Alignment, Detection

SMALL_PIXELS = 40
"""Narrower boxes are weak: scaled to 40 px, a face moves 0.29 from its full-size encoding."""

FULL_PIXELS = 80
"""From this width on size costs nothing: a face of 80 px moves 0.14."""

BLURRED_SHARPNESS = 0.04
"""Faces with a smaller sharpness (see measure_sharpness) are weak. LFW photographs lie around 0.15.
Blurred or moved until they have 0.065, they move by 0.26 from their own encodings and are still
known; at 0.04 by 0.37, and one in six is missed; at 0.03 one in two."""

FULL_SHARPNESS = 0.22
"""From here on sharpness costs nothing; one LFW photograph in twenty has more."""

DETAIL_PIXELS = 3

PROFILE_YAW = 0.55
"""A head turned further is weak: most profiles match no frontal photograph."""

DOUBTFUL_SCORE = 0.2
"""What a detector scores lower may be no face: HOG's false ones on portraits reach 0.12 and on
textured ground 0.24, true ones start at 0.06."""

DOUBTFUL = "doubtful"
"""The weakness of what may be no face at all."""

DARK_LEVEL, BRIGHT_LEVEL = 20.0, 225.0
"""Mean grey levels of the face outside which features drown: LFW photographs made dark until they
have a mean of 26 are missed three times as often, at 13 sixteen times."""


@dataclass(frozen=True)
class Quality:
    """`value` runs from 0 to 1 and weighs a face; `weaknesses` are words, empty for a good face."""

    value: float
    weaknesses: tuple[str, ...]


def weigh_face(detection: Detection, alignment: Alignment) -> Quality:
    """Weigh one face by its size in source pixels, sharpness, turn of the head, light and doubt."""
    box = detection.box
    grey = cv2.cvtColor(alignment.chip, cv2.COLOR_RGB2GRAY)
    # The chip's middle holds the face; its edge holds hair and background.
    face = grey[30:120, 30:120].astype(np.uint8, copy=False)
    sharpness = measure_sharpness(face)
    yaw = estimate_yaw(alignment.landmarks)
    brightness = float(np.mean(face))
    weaknesses = (
        f"small ({box.width} px)" if box.width < SMALL_PIXELS else "",
        "blurred" if sharpness < BLURRED_SHARPNESS else "",
        "turned away" if yaw > PROFILE_YAW else "",
        DOUBTFUL if detection.score < DOUBTFUL_SCORE else "",
        "too dark" if brightness < DARK_LEVEL else "",
        "too bright" if brightness > BRIGHT_LEVEL else "",
    )
    value = (
        min(1.0, box.width / FULL_PIXELS)
        * min(1.0, sharpness / FULL_SHARPNESS)
        * max(0.1, 1.0 - yaw)
    )
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


def estimate_yaw(landmarks: NDArray[np.float32]) -> float:
    """Estimate how far a head is turned from five landmarks: 0 is frontal, 1 and more profile.

    Along the line between the eyes, the base of the nose lies halfway in a frontal face and moves
    toward one eye as the head turns; its offset is given in half distances between the eyes.
    """
    right_eye, left_eye = landmarks[0:2].mean(axis=0), landmarks[2:4].mean(axis=0)
    across = right_eye - left_eye
    half_distance = float(np.linalg.norm(across)) / 2
    if half_distance == 0:
        return 1.0
    offset = (landmarks[4] - (right_eye + left_eye) / 2) @ across / (2 * half_distance)
    return abs(float(offset)) / half_distance
