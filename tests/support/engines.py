"""An engine for tests of what surrounds engines: it sees one face in every picture, at once."""

from collections.abc import Sequence

import cv2
import numpy as np

from db.records import Vectors
from function.engines.protocol import Alignment, Box, Detection, Detector, DetectorName, Engine
from function.media.pictures import RgbImage
from tests.support.galleries import MODEL, made_up_vector


class QuickEngine:
    """Finds one face that fills the picture; its encoding depends on the picture's colours."""

    name = "quick"
    provider = "CPU"
    model = MODEL
    detector: DetectorName = "cnn"

    def open_detector(self, longest_pixels: int) -> Detector:  # noqa: ARG002  # any size will do
        return self

    def detect(self, image: RgbImage) -> list[Detection]:
        height, width = image.shape[:2]
        return [Detection(Box(0, 0, width - 1, height - 1), 1.0)]

    def rate_frontal(self, chip: RgbImage) -> float:  # noqa: ARG002  # one face is like another
        return 1.5

    def align(self, image: RgbImage, detection: Detection) -> Alignment:
        size = detection.box.width
        points = [(0.7, 0.4), (0.6, 0.4), (0.3, 0.4), (0.4, 0.4), (0.5, 0.6)]
        landmarks = np.array(points, np.float32) * size
        return Alignment(landmarks, cv2.resize(image, (150, 150), interpolation=cv2.INTER_NEAREST))

    def encode(self, chips: Sequence[RgbImage]) -> Vectors:
        return np.stack([made_up_vector(int(chip.astype(np.int64).sum())) for chip in chips])


def detect(engine: Engine, picture: RgbImage) -> list[Detection]:
    """Find the faces of a picture at its own size, with a detector that has seen no other."""
    return engine.open_detector(max(picture.shape[:2])).detect(picture)


def made_up_photo(seed: int) -> bytes:
    """A sharp picture of noise, different for each seed, as PNG."""
    picture = np.random.default_rng(seed).integers(60, 200, (64, 64, 3), np.uint8)
    encoded: bytes = cv2.imencode(".png", picture)[1].tobytes()
    return encoded
