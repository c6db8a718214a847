"""A second encoder, small and made up: it shows that nothing but dlib's own room knows dlib."""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from db.models import EncodingModel
from db.records import Vectors
from function.engines.heads import cut_level, fit_head
from function.engines.models import PRIMARY
from function.engines.protocol import (
    Alignment,
    Detection,
    Detector,
    DetectorName,
    Encoder,
    Engine,
    FacePoints,
    SecondEncoder,
)
from function.matching.densities import Densities, shipped_densities
from function.media.pictures import Picture, RgbImage

TINY: EncodingModel = replace(PRIMARY, id="tiny/1", dimensions=64, chip_pixels=32)
"""Its vectors are scaled until distances mean about what they do with dlib's."""

TINY_DENSITIES: Densities = replace(shipped_densities(), model=TINY.id, fitted_on="nothing")

FACE_SHARE = 0.7
"""How much of a chip's side the face is wide."""


class TinyEncoder:
    """Encodes a face as 64 fixed sums of its levelled, evened-out grey pixels."""

    model = TINY

    def __init__(self) -> None:
        pixels = TINY.chip_pixels**2
        sums = np.random.default_rng(1).normal(size=(pixels, TINY.dimensions))
        self._sums = (sums / np.sqrt(pixels)).astype(np.float32)

    def cut(self, picture: Picture, detection: Detection) -> Alignment:
        assert detection.points is not None
        head, side = fit_head(detection.points), self.model.chip_pixels
        chip = cut_level(picture.rgb(), head, FACE_SHARE * side, side).pixels
        left_eye, right_eye, nose = detection.points[:3]
        return Alignment(FacePoints(left_eye, right_eye, nose), detection.box, chip)

    def encode(self, chips: Sequence[RgbImage]) -> Vectors:
        rows = [cv2.cvtColor(chip, cv2.COLOR_RGB2GRAY).astype(np.float32).ravel() for chip in chips]
        grey = np.stack(rows) if rows else np.empty((0, len(self._sums)), np.float32)
        even = (grey - grey.mean(axis=1, keepdims=True)) / (grey.std(axis=1, keepdims=True) + 1)
        sums = even @ self._sums
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        found: Vectors = (0.6 * sums / np.maximum(lengths, 1e-6)).astype(np.float32)
        return found


class TinyEngine:
    """The detector of another engine, with the tiny encoder."""

    name = "tiny"

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.provider = engine.provider
        self.detector: DetectorName = engine.detector
        self.encoder: Encoder = TinyEncoder()
        self.second: SecondEncoder | None = None

    def open_detector(self, longest_pixels: int) -> Detector:
        return self._engine.open_detector(longest_pixels)

    def rate_frontal(self, chip: RgbImage) -> float:
        return self._engine.rate_frontal(chip)
