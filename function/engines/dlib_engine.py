"""The reference engine: face_recognition itself, with dlib's own code underneath."""

import importlib
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np

from db.models import EncodingModel
from db.records import Vectors
from function.engines.dlib_nets.model import DLIB
from function.engines.mirrors import average_mirrored
from function.engines.onnx.graph_cache import GraphCache
from function.engines.plain_detector import PlainDetector
from function.engines.processor import require_avx
from function.engines.protocol import (
    Alignment,
    Detection,
    Detector,
    DeviceName,
    Engine,
    EngineOptions,
    SecondEncoder,
)
from function.engines.weights import PACKAGE, WeightFiles, find_weights, refuse_dlib
from function.errors import EngineUnavailableError
from function.media.pictures import Picture, RgbImage

require_avx()
try:
    import dlib

    from function.engines.dlib_nets.alignment import align_face, stack_chips
    from function.engines.dlib_nets.hog import HogDetector, box_of
except ImportError as error:
    raise EngineUnavailableError(
        f"dlib cannot be imported ({error}). Run: pip install dlib-bin"
    ) from error

CNN_UPSAMPLES = 0
"""One doubling costs four times as much, and the CNN is slow enough on a CPU without it."""


class DlibCnn:
    """dlib's CNN face detector, run by dlib."""

    def __init__(self, net: Any) -> None:
        self._net = net

    def detect(self, image: RgbImage) -> list[Detection]:
        """Find the faces in an image, most certain first; it misses those under about 80 pixels."""
        found = self._net(np.ascontiguousarray(image), CNN_UPSAMPLES)
        detections = [Detection(box_of(face.rect), float(face.confidence)) for face in found]
        return sorted(detections, key=lambda detection: -detection.score)


class DlibEncoder:
    """face_recognition's encoder and landmarks, run by dlib."""

    model: EncodingModel = DLIB

    def __init__(self, models: ModuleType) -> None:
        self._models = models

    def cut(self, picture: Picture, detection: Detection) -> Alignment:
        """Find the landmarks of a face that was found in a picture, and cut its chip from it."""
        return align_face(picture, detection, self._models.pose_predictor_5_point)

    def encode(self, chips: Sequence[RgbImage]) -> Vectors:
        """Encode chips (150x150 RGB), each together with its mirror image."""
        return average_mirrored(self.encode_as_shown, chips)

    def encode_as_shown(self, chips: Sequence[RgbImage]) -> Vectors:
        """Encode chips as face_recognition does, without their mirror images."""
        if not chips:
            return np.empty((0, DLIB.dimensions), dtype=np.float32)
        found = self._models.face_encoder.compute_face_descriptor(list(stack_chips(chips)))
        return np.array(found, dtype=np.float32)


class DlibEngine:
    """face_recognition's nets run by dlib: slow on a CPU, and the reference for every other engine.

    dlib's CNN, encoder and landmarks keep the interpreter's lock, so threads run them in turn.
    """

    name = "dlib"

    def __init__(self, models: ModuleType, options: EngineOptions, provider: str) -> None:
        self.provider = provider
        self.detector = options.detector
        self.encoder = DlibEncoder(models)
        cache = GraphCache(options.cache_folder)
        self._hog = HogDetector(cache)
        self._open_detector = _load_detector(models, options, cache, self._hog)
        self.second = _load_second(options, cache)

    def open_detector(self, longest_pixels: int) -> Detector:
        """Make a detector for one video or photo; pictures are scaled down to `longest_pixels`."""
        return self._open_detector(longest_pixels)

    def rate_frontal(self, chip: RgbImage) -> float:
        """Rate how much a chip (150x150 RGB) shows a face that looks into the camera, from -1."""
        return self._hog.rate_frontal(chip)


def load(options: EngineOptions) -> Engine:
    """Load face_recognition with all its nets (about a second).

    `options.threads` changes nothing here: dlib's nets use one thread.

    Raises:
        EngineUnavailableError: a package is missing, or dlib cannot run on `options.device`.
    """
    provider = _provider(options.device)
    try:
        models = import_face_recognition(find_weights()).api
    except ImportError as error:
        raise EngineUnavailableError(
            f"face_recognition cannot be imported ({error}). "
            "Run: pip install --no-deps -r requirements.txt"
        ) from error
    except RuntimeError as error:  # how dlib says that a file is not what it should be
        raise refuse_dlib(str(error)) from error
    return DlibEngine(models, options, provider)


def _load_detector(
    models: ModuleType, options: EngineOptions, cache: GraphCache, hog: HogDetector
) -> Callable[[int], Detector]:
    """Load the configured detector; return a function that makes one for each video."""
    if options.detector == "hog":
        return partial(PlainDetector, hog)
    if options.detector == "cnn":
        return partial(PlainDetector, DlibCnn(models.cnn_face_detector))
    return _load_yunet(options, cache)


def _load_yunet(options: EngineOptions, cache: GraphCache) -> Callable[[int], Detector]:
    """Load YuNet, which dlib cannot run; return a function that makes a detector of it.

    Here onnxruntime is imported only for this.
    """
    try:
        from function.engines.yunet.detector import YunetDetector  # noqa: PLC0415  # see above
        from function.engines.yunet.net import load_yunet  # noqa: PLC0415  # see above
    except ImportError as error:
        raise EngineUnavailableError(
            f"DETECTOR=yunet needs the package onnxruntime ({error}). Run: pip install "
            "onnxruntime, or set DETECTOR=cnn or DETECTOR=hog."
        ) from error
    return partial(YunetDetector, load_yunet(options, cache))


def _load_second(options: EngineOptions, cache: GraphCache) -> SecondEncoder | None:
    """Load the second encoder if YuNet, which it needs the points of, was loaded."""
    if not options.has_second:
        return None
    from function.engines.second_encoders import load_second  # noqa: PLC0415  # as above

    return load_second(options, cache)


def _provider(device: DeviceName) -> str:
    """Name what dlib runs on: it is built for one or the other, and cannot switch at run time."""
    if device not in ("auto", "cpu", "cuda"):
        raise EngineUnavailableError(
            f"DEVICE is {device}, which dlib cannot use. Set ENGINE=onnx, or DEVICE=cpu."
        )
    if device == "cuda" and not dlib.DLIB_USE_CUDA:
        raise EngineUnavailableError(
            "DEVICE is cuda, but the installed dlib is built without CUDA. Build dlib from source "
            "where the CUDA toolkit and cuDNN are installed, or set ENGINE=onnx or DEVICE=cpu."
        )
    if device == "cpu" and dlib.DLIB_USE_CUDA:
        raise EngineUnavailableError(
            "DEVICE is cpu, but the installed dlib is built with CUDA and always uses it. "
            "Set DEVICE=auto, or ENGINE=onnx, or install dlib-bin."
        )
    if dlib.DLIB_USE_CUDA and not _cuda_devices():
        raise EngineUnavailableError(
            "The installed dlib is built with CUDA, but finds no GPU. "
            "Set ENGINE=onnx, or install dlib-bin."
        )
    return "CUDA" if dlib.DLIB_USE_CUDA else "CPU"


def _cuda_devices() -> int:
    try:
        return int(dlib.cuda.get_num_devices())
    except RuntimeError:  # how dlib says that there is no driver
        return 0


def import_face_recognition(weights: WeightFiles) -> Any:
    """Import face_recognition, whether or not pkg_resources is there, and return the module.

    The import asks the package with the weights for four paths; if that package cannot be imported
    (setuptools 82 dropped pkg_resources), face_recognition ends the process with quit(). So it is
    always given a stand-in that returns the same four paths, and nothing else that imports that
    package later gets the stand-in.
    """
    with _stand_in(weights), _pillow_settings_kept():
        return importlib.import_module("face_recognition")


@contextmanager
def _stand_in(weights: WeightFiles) -> Iterator[None]:
    stand_in: Any = ModuleType(PACKAGE)
    stand_in.face_recognition_model_location = lambda: str(weights.encoder)
    stand_in.cnn_face_detector_model_location = lambda: str(weights.cnn_detector)
    stand_in.pose_predictor_five_point_model_location = lambda: str(weights.landmarks_5)
    stand_in.pose_predictor_model_location = lambda: str(weights.landmarks_68)
    before = sys.modules.get(PACKAGE)
    sys.modules[PACKAGE] = stand_in
    try:
        yield
    finally:
        del sys.modules[PACKAGE]
        if before is not None:
            sys.modules[PACKAGE] = before


@contextmanager
def _pillow_settings_kept() -> Iterator[None]:
    """Undo what the import does to all of Pillow: half-read photos would load without an error."""
    image_file: Any = importlib.import_module("PIL.ImageFile")
    before = image_file.LOAD_TRUNCATED_IMAGES
    try:
        yield
    finally:
        image_file.LOAD_TRUNCATED_IMAGES = before
