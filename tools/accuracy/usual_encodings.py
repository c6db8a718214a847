"""An engine that encodes faces as face_recognition does: once, without their mirror images."""

from collections.abc import Sequence

from db.records import Vectors
from function.engines.protocol import (
    Alignment,
    Detection,
    Detector,
    DetectorName,
    Encoder,
    Engine,
)
from function.media.pictures import Picture, RgbImage


class AsUsual:
    """Another engine with the encodings that the usual way has.

    It finds and cuts the same faces. Where an encoder has no encodings of chips as they are shown,
    its own are used.
    """

    second = None

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._encoder = engine.encoder
        self.name, self.provider, self.model = engine.name, engine.provider, engine.encoder.model
        self.detector: DetectorName = engine.detector

    @property
    def encoder(self) -> Encoder:
        """The encoder of the faces it finds: itself."""
        return self

    def open_detector(self, longest_pixels: int) -> Detector:
        """Make the other engine's detector."""
        return self._engine.open_detector(longest_pixels)

    def rate_frontal(self, chip: RgbImage) -> float:
        """Rate a chip as the other engine does."""
        return self._engine.rate_frontal(chip)

    def cut(self, picture: Picture, detection: Detection) -> Alignment:
        """Cut a face as the other engine does."""
        return self._encoder.cut(picture, detection)

    def encode(self, chips: Sequence[RgbImage]) -> Vectors:
        """Encode chips as they are shown."""
        encode = getattr(self._encoder, "encode_as_shown", self._encoder.encode)
        found: Vectors = encode(chips)
        return found
