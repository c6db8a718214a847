"""The interface of an engine, which finds faces, cuts them out upright, and encodes them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from db.models import EncodingKind, EncodingModel
from db.records import Vector, Vectors
from function.media.pictures import Picture, RgbImage

Points: TypeAlias = NDArray[np.float32]
"""YuNet's five points in image pixels, float32 (5, 2) as x, y: the eyes, the tip of the nose, the
corners of the mouth; of each pair first the one on the left of an upright face."""

DetectorName: TypeAlias = Literal["yunet", "cnn", "hog"]
DETECTORS: tuple[DetectorName, ...] = ("yunet", "cnn", "hog")
ShippedName: TypeAlias = Literal["lightcnn", "sface"]
DeviceName: TypeAlias = Literal["auto", "cpu", "cuda", "openvino", "migraphx"]
DEVICES: tuple[DeviceName, ...] = ("auto", "cpu", "cuda", "openvino", "migraphx")


@dataclass(frozen=True)
class Box:
    """A face's rectangle in pixels of its image; the right column and the bottom row are inside.

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

    def scaled(self, factor: float) -> "Detection":
        """Return the detection in an image `factor` times as large."""
        if factor == 1:
            return self
        points = self.points
        if points is not None:  # coordinates are those of pixel centres
            points = ((points + 0.5) * factor - 0.5).astype(np.float32)
        return Detection(self.box.scaled(factor), self.score, points)


@dataclass(frozen=True, eq=False)
class FacePoints:
    """Where the parts of a face lie in a picture: each float32 (2,), x and y in its pixels.

    Left and right are as seen in a picture in which the face is upright.
    """

    left_eye: NDArray[np.float32]
    right_eye: NDArray[np.float32]
    nose: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Alignment:
    """A face cut out for an encoder: where its parts and its box lie in the picture, and the chip.

    The chip is RGB, upright, `model.chip_pixels` wide and high.
    """

    points: FacePoints
    box: Box
    chip: RgbImage


class Nets(Protocol):
    """Nets that run on a GPU, here or in another process, in batches of few shapes."""

    @property
    def provider(self) -> str:
        """What they run on, for people, like "CUDA"."""

    def net(self, name: str) -> Any:
        """Return what runs a net, as a session does: `encoder`, `yunet`, `lightcnn` or `sface`."""


@dataclass(frozen=True)
class EngineOptions:
    """Options for every engine; an engine that cannot meet them raises EngineUnavailableError."""

    detector: DetectorName = "yunet"
    device: DeviceName = "auto"
    threads: int = 1
    cache_folder: Path | None = None
    second_encoder: ShippedName | Path | None = "lightcnn"
    """What encodes faces once more: a net that ships, or a net of one's own that a TOML file
    describes. None for no other."""
    nets: Nets | None = field(default=None, compare=False)
    """Nets that are open already: then `device` and `threads` are for the others."""
    detection_pixels: int = 960
    """Longest side of the copies of a video's pictures that the detector searches."""

    @property
    def has_second(self) -> bool:
        """Whether faces are encoded a second time, which takes YuNet's points."""
        return self.second_encoder is not None and self.detector == "yunet"


class Detector(Protocol):
    """Finds the faces in the pictures of one video, or in one photo; for one thread at a time.

    What it finds may depend on the pictures before.
    """

    def detect(self, picture: Picture) -> list[Detection]:
        """Find the faces in a picture, most certain first; all in the picture's own pixels."""


class Encoder(Protocol):
    """Encodes faces. Implementations are safe to call from several threads."""

    @property
    def model(self) -> EncodingModel:
        """The model of the encodings it makes."""

    def cut(self, picture: Picture, detection: Detection) -> Alignment:
        """Cut a face that was found in a picture out of it, upright, to be encoded."""

    def encode(self, chips: Sequence[RgbImage]) -> Vectors:
        """Encode chips in one call: float32, (len(chips), model.dimensions).

        An encoding does not depend on the other chips. dlib's are averaged with those of the mirror
        images.
        """


class SecondEncoder(Protocol):
    """Encodes faces once more, with another net. Implementations are safe to call from threads."""

    @property
    def model(self) -> EncodingKind:
        """The kind of encodings it makes; of length 1, they are compared by angle."""

    def cut(self, image: RgbImage, points: Points) -> RgbImage:
        """Cut the face with these five points out of a picture, upright, to be encoded."""

    def encode(self, chips: Sequence[RgbImage]) -> Vectors:
        """Encode chips: float32, (len(chips), model.dimensions)."""

    def keep_room(self) -> None:
        """Take now what memory it will need later; called before a limit counts what is taken."""

    def only_cut(self) -> None:
        """Give up what only encoding takes: this process will not encode."""

    def encode_with_likeness(self, chips: Sequence[RgbImage]) -> tuple[Vectors, Vector]:
        """Encode chips, and say how like its mirror image each is: float32 (len(chips),).

        The likeness is the cosine between the two images' encodings, at most 1.
        """


class Engine(Protocol):
    """Finds faces and encodes them. Implementations are safe to call from several threads."""

    @property
    def name(self) -> str:
        """The engine's name, as the setting ENGINE spells it."""

    @property
    def provider(self) -> str:
        """What it runs on, for people: "CPU", or a kind of GPU like "CUDA"."""

    @property
    def detector(self) -> DetectorName:
        """The kind of detector it was configured with."""

    @property
    def encoder(self) -> Encoder:
        """The encoder of the faces it finds."""

    @property
    def second(self) -> SecondEncoder | None:
        """The encoder of a person's best views; None without one."""

    def open_detector(self, longest_pixels: int) -> Detector:
        """Make a detector for one video or photo, of the configured kind.

        It searches copies of the pictures, scaled down to `longest_pixels` on their longest side.
        In the copies `yunet` finds faces from 11 pixels, `cnn` from 80, `hog` from 40.
        """

    def rate_frontal(self, chip: RgbImage) -> float:
        """Rate how much a chip shows a face that looks into the camera.

        This is for detectors that find no points. The rating is HOG's score: from 0 on HOG takes
        the chip for a face. A good portrait has about 1.6, a profile -1, which is the lowest.
        """
