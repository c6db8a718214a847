"""A picture becomes boxes: looked at by the engine's detector, at the size that suits it."""

import cv2
import numpy as np

from function.engines import Detection, Engine, RgbImage

LARGEST_ENLARGEMENT = 2.0
"""Small pictures may be looked at enlarged, up to this: so faces of 40 pixels are seen, and what is
smaller cannot be told apart. Boxes of enlarged faces are less exact: where one face is all there is
to go by, distances to strangers and to oneself come 1.5 % nearer to each other."""

SMALLEST_PICTURE_PIXELS = 40
"""No face that could be told apart fits into less, and dlib's nets refuse much less."""


def detect_faces(
    image: RgbImage, engine: Engine, detection_pixels: int, *, enlarges: bool = True
) -> list[Detection]:
    """Find the faces of a picture; the boxes are in its own pixels, surest first.

    It is looked at with `detection_pixels` on its longest side. Smaller pictures are enlarged to
    that, if `enlarges`, for the detector `fast`; others look at them as they are.
    """
    if min(image.shape[:2]) < SMALLEST_PICTURE_PIXELS:
        return []
    enlarges = enlarges and engine.detector == "fast"
    picture, scale = fit(image, detection_pixels, enlarges=enlarges)
    return [Detection(one.box.scaled(1 / scale), one.score) for one in engine.detect(picture)]


def fit(image: RgbImage, longest_side: int, *, enlarges: bool) -> tuple[RgbImage, float]:
    """Scale a picture so that its longest side is `longest_side` pixels, up only if `enlarges`.

    Returns the picture and the factor it was scaled by. Much smaller ones are made in two steps: by
    a whole number, where areas are simple sums (a remainder at the edge is cut off), then by the
    four nearest neighbours. Areas alone would take four times as long, and find no face more.
    """
    height, width = image.shape[:2]
    scale = min(longest_side / max(height, width), LARGEST_ENLARGEMENT if enlarges else 1.0)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    whole = int(1 / scale)
    if whole > 1:
        smaller = (max(1, width // whole), max(1, height // whole))
        image = image[: smaller[1] * whole, : smaller[0] * whole]
        image = cv2.resize(image, smaller, interpolation=cv2.INTER_AREA).astype(
            np.uint8, copy=False
        )
    if size != (image.shape[1], image.shape[0]):
        image = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)
    return image, scale
