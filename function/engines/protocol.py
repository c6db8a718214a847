"""What an engine does for its callers: it finds faces, cuts them out upright, and encodes them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from db.records import Vectors
from function.media.pictures import RgbImage

Landmarks: TypeAlias = NDArray[np.float32]
"""dlib's five points in image pixels, float32 (5, 2) as x, y: the corners of the eye on the
image's right (outer, inner), of the eye on its left (outer, inner), and the base of the nose."""

Points: TypeAlias = NDArray[np.float32]
"""YuNet's five points in image pixels, float32 (5, 2) as x, y: the eyes, the tip of the nose, the
corners of the mouth; of each pair first the one on the left of an upright face."""

DetectorName: TypeAlias = Literal["yunet", "cnn", "hog"]
DETECTORS: tuple[DetectorName, ...] = ("yunet", "cnn", "hog")
DeviceName: TypeAlias = Literal["auto", "cpu", "cuda"]

ENCODING_MODEL = "dlib_face_recognition_resnet_model_v1/5"
"""Names the net and the alignment (five landmarks): encodings of other models are never mixed."""


@dataclass(frozen=True)
class Box:
    """A face's rectangle in pixels of the image it was found in; right and bottom are inside.

    It may extend beyond the image's edge, as dlib's boxes do.
    """

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Pixels from edge to edge."""
        return self.right - self.left + 1

    @property
    def area(self) -> int:
        """Pixels inside."""
        return self.width * (self.bottom - self.top + 1)

    def scaled(self, factor: float) -> "Box":
        """Return the box in an image `factor` times as large."""
        left, top = round(self.left * factor), round(self.top * factor)
        right, bottom = round(self.right * factor), round(self.bottom * factor)
        return Box(left, top, right, bottom)


@dataclass(frozen=True)
class Detection:
    """A box that holds a face, and the detector's score (its own scale; higher is more certain).

    `points` are set if the detector finds any.
    """

    box: Box
    score: float
    points: Points | None = field(default=None, compare=False)


@dataclass(frozen=True, eq=False)
class Alignment:
    """A face turned upright: its landmarks, and the chip (RGB, 150x150) the encoder reads.

    The landmarks are those in the image, at whatever angle the face is.
    """

    landmarks: Landmarks
    chip: RgbImage


@dataclass(frozen=True)
class EngineOptions:
    """Options for every engine; one that cannot meet them raises EngineUnavailableError."""

    detector: DetectorName = "yunet"
    device: DeviceName = "auto"
    threads: int = 1
    cache_folder: Path | None = None


class Detector(Protocol):
    """Finds the faces in one video's pictures, or in one photo; for one thread at a time.

    It may learn from picture to picture.
    """

    def detect(self, picture: RgbImage) -> list[Detection]:
        """Find the faces in a picture, most certain first; all in the picture's own pixels."""


class Engine(Protocol):
    """Finds faces and encodes them. Implementations are safe to call from several threads."""

    @property
    def name(self) -> str:
        """The engine's name, as the setting ENGINE spells it."""

    @property
    def provider(self) -> str:
        """What it runs on, for people: "CPU" or "CUDA"."""

    @property
    def model(self) -> str:
        """The id of the encodings it makes (see ENCODING_MODEL)."""

    @property
    def detector(self) -> DetectorName:
        """Which detector it was told to use."""

    def open_detector(self, longest_pixels: int) -> Detector:
        """Make a detector for one video or photo, of the kind that the engine was told to use.

        It searches pictures scaled down to `longest_pixels` on their longest side. In these `yunet`
        finds faces from 11 pixels, `cnn` from 80, `hog` from 40.
        """

    def rate_frontal(self, chip: RgbImage) -> float:
        """Rate how much a chip (150x150 RGB) shows a face that looks into the camera.

        For detectors that find no points. It is HOG's score: from 0 it takes the chip for a face;
        about 1.6 for a good portrait, and -1, the lowest, for a profile.
        """

    def align(self, image: RgbImage, detection: Detection) -> Alignment:
        """Find the landmarks of a face that was found in an image, and cut its chip from it."""

    def encode(self, chips: Sequence[RgbImage]) -> Vectors:
        """Encode chips (150x150 RGB) in one call: float32, (len(chips), 128)."""
