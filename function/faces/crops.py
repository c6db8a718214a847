"""Makes a small picture of one face for people: cut with a margin, eyes level, as JPEG."""

import cv2
import numpy as np

from function.engines.protocol import Box, FacePoints
from function.media.images import encode_jpeg
from function.media.pictures import RgbImage

MARGIN = 1.9
"""Side of the crop in face widths, so that chin, hair and ears are in."""

MAX_SIDE_PIXELS = 256


def cut_crop(image: RgbImage, box: Box, points: FacePoints) -> bytes:
    """Cut a face out of a frame as a square JPEG with level eyes, 256 px at most."""
    across, down = points.right_eye - points.left_eye
    tilt = np.degrees(np.arctan2(down, across))
    side = max(1, min(MAX_SIDE_PIXELS, round(box.width * MARGIN)))
    scale = side / max(1.0, box.width * MARGIN)
    centre = ((box.left + box.right) / 2, (box.top + box.bottom) / 2)
    turn = cv2.getRotationMatrix2D(centre, float(tilt), scale)
    turn = turn + np.array([[0, 0, side / 2 - centre[0]], [0, 0, side / 2 - centre[1]]])
    crop = cv2.warpAffine(
        image, turn, (side, side), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE
    )
    return encode_jpeg(crop.astype(np.uint8, copy=False))
