"""dlib's HOG detector of frontal faces, which also rates how frontal a face is."""

import threading
from typing import Any

import cv2
import dlib
import numpy as np
from numpy.typing import NDArray

from function.engines.onnx.graph_cache import GraphCache
from function.engines.protocol import Box, Detection
from function.media.pictures import RgbImage

HOG_UPSAMPLES = 1
"""face_recognition's default: finds faces from about 40 pixels, at four times the cost."""


LOWEST_RATING = -1.0
"""Where HOG scores less than this, no face looks into the camera."""


class HogDetector:
    """Finds upright frontal faces by their gradients; one thread at a time.

    dlib keeps the image's features inside the detector and releases the interpreter's lock while
    it works, so two threads would mix up their images.
    """

    def __init__(self, cache: GraphCache) -> None:
        self._detector = _load_filters(cache)
        self._lock = threading.Lock()

    def detect(self, image: RgbImage, upsamples: int = HOG_UPSAMPLES) -> list[Detection]:
        """Find the faces in an image, most certain first; enlarged once as in face_recognition."""
        return self._run(np.ascontiguousarray(image), upsamples)

    def rate_frontal(self, chip: RgbImage) -> float:
        """Rate how much a chip shows a face that looks into the camera: HOG's score, from -1."""
        grey = cv2.cvtColor(chip, cv2.COLOR_RGB2GRAY)
        found = self._run(grey, 0, LOWEST_RATING)
        return max((one.score for one in found), default=LOWEST_RATING)

    def _run(
        self, pixels: NDArray[Any], upsamples: int, least_score: float = 0.0
    ) -> list[Detection]:
        with self._lock:
            rectangles, scores, _ = self._detector.run(pixels, upsamples, least_score)
        found = [
            Detection(box_of(rectangle), float(score))
            for rectangle, score in zip(rectangles, scores, strict=True)
        ]
        return sorted(found, key=lambda detection: -detection.score)


def _load_filters(cache: GraphCache) -> Any:
    """Load dlib's filters; they are packed inside dlib, and unpacking takes a quarter second."""

    def unpack() -> bytes:
        (state,) = dlib.get_frontal_face_detector().__getstate__()
        return bytes(state)

    detector = dlib.fhog_object_detector.__new__(dlib.fhog_object_detector)
    detector.__setstate__((cache.content(f"frontal_faces-{dlib.__version__}.hog", unpack),))
    return detector


def box_of(rectangle: dlib.rectangle) -> Box:
    """Read a dlib rectangle, whose right and bottom are inside it."""
    return Box(rectangle.left(), rectangle.top(), rectangle.right(), rectangle.bottom())
