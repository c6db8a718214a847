"""HOG detections: dlib's frontal face detector, for every engine that is asked for `hog`."""

import threading

import dlib
import numpy as np

from function.engines import Box, Detection, RgbImage

HOG_UPSAMPLES = 1
"""face_recognition's default: finds faces from about 40 pixels on."""


class HogDetector:
    """Finds upright frontal faces by their gradients; one thread at a time.

    dlib keeps the image's features inside the detector and lets go of the interpreter's lock while
    it works, so two threads would mix their images.
    """

    def __init__(self) -> None:
        self._detector = dlib.get_frontal_face_detector()
        self._lock = threading.Lock()

    def detect(self, image: RgbImage) -> list[Detection]:
        """Find the faces of an image, surest first; boxes equal face_recognition's."""
        pixels = np.ascontiguousarray(image)
        with self._lock:
            rectangles, scores, _ = self._detector.run(pixels, HOG_UPSAMPLES)
        found = [
            Detection(box_of(rectangle), float(score))
            for rectangle, score in zip(rectangles, scores, strict=True)
        ]
        return sorted(found, key=lambda detection: -detection.score)


def box_of(rectangle: dlib.rectangle) -> Box:
    """Read a dlib rectangle, whose right and bottom are inside it."""
    return Box(rectangle.left(), rectangle.top(), rectangle.right(), rectangle.bottom())
