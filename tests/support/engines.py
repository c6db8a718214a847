"""An engine for tests of what surrounds engines: it sees one face in every picture, at once."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import cv2
import numpy as np

from db.addresses import StoreAddress
from db.records import Vectors
from db.sqlite.store import SqliteStore, StoredGallery
from function.engines.protocol import (
    Alignment,
    Box,
    Detection,
    Detector,
    DetectorName,
    Encoder,
    Engine,
    FacePoints,
    SecondEncoder,
)
from function.media.images import RgbPicture
from function.media.pictures import Picture, RgbImage
from function.sandbox.readers import Here
from function.settings import Settings
from tests.support.galleries import TEST_MODEL, made_up_vector


class QuickEngine:
    """Finds one face that fills the picture; its encoding depends on the picture's colours."""

    name = "quick"
    provider = "CPU"
    model = TEST_MODEL
    detector: DetectorName = "cnn"
    second: SecondEncoder | None = None

    @property
    def encoder(self) -> Encoder:
        return self

    def open_detector(self, longest_pixels: int) -> Detector:  # noqa: ARG002  # any size will do
        return self

    def detect(self, picture: Picture) -> list[Detection]:
        return [Detection(Box(0, 0, picture.width - 1, picture.height - 1), 1.0)]

    def rate_frontal(self, chip: RgbImage) -> float:  # noqa: ARG002  # one face is like another
        return 1.5

    def cut(self, picture: Picture, detection: Detection) -> Alignment:
        left, right, nose = np.array([(0.35, 0.4), (0.65, 0.4), (0.5, 0.6)], np.float32) * (
            detection.box.width
        )
        chip = cv2.resize(picture.rgb(), (150, 150), interpolation=cv2.INTER_NEAREST)
        return Alignment(FacePoints(left, right, nose), detection.box, chip.astype(np.uint8))

    def encode(self, chips: Sequence[RgbImage]) -> Vectors:
        return np.stack([made_up_vector(int(chip.astype(np.int64).sum())) for chip in chips])


def detect(engine: Engine, picture: RgbImage) -> list[Detection]:
    """Find the faces of a picture at its own size, with a detector that has seen no other."""
    return engine.open_detector(max(picture.shape[:2])).detect(RgbPicture(picture))


def align(engine: Engine, picture: RgbImage, detection: Detection) -> Alignment:
    """Cut a face out of a picture as the engine's encoder wants it."""
    return engine.encoder.cut(RgbPicture(picture), detection)


def made_up_photo(seed: int) -> bytes:
    """A sharp picture of noise, different for each seed, as PNG."""
    picture = np.random.default_rng(seed).integers(60, 200, (64, 64, 3), np.uint8)
    encoded: bytes = cv2.imencode(".png", picture)[1].tobytes()
    return encoded


class EngineReader(Here):
    """Reads files in this process with an engine that is there already."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(Settings(sandbox="off"))
        self._engine = engine


class OpenStore(SqliteStore):
    """A store whose gallery is open already, and stays so."""

    def __init__(self, gallery: StoredGallery) -> None:
        super().__init__(StoreAddress("in memory"))
        self._gallery = gallery

    @contextmanager
    def gallery(self) -> Iterator[StoredGallery]:
        yield self._gallery
