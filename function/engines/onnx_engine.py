"""The default engine: dlib's own nets run by onnxruntime, with the same outputs."""

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from db.records import Vectors
from function.engines import (
    ENCODING_MODEL,
    Alignment,
    Box,
    Detection,
    Engine,
    EngineOptions,
    RgbImage,
)
from function.engines.cnn_scores import read_scores
from function.engines.dlib_weights import DetectionLoss, DlibNet
from function.engines.graph_cache import GraphCache, hash_files
from function.engines.nets import read_detector, read_encoder
from function.engines.processor import require_avx
from function.engines.pyramid import (
    NARROWEST_PICTURE,
    lay_out,
    lay_out_thin,
    paint,
    paint_blocks,
)
from function.engines.weights import find_weights
from function.errors import EngineUnavailableError

require_avx()
try:
    import dlib

    from function.engines.alignment import align_face, stack_chips
    from function.engines.hog import HogDetector
    from function.engines.sessions import open_session, provider_of
except ImportError as error:
    raise EngineUnavailableError(
        f"The engine onnx needs the packages onnxruntime and dlib ({error}). "
        "Run: pip install onnxruntime dlib-bin, or set ENGINE=dlib to do without onnxruntime."
    ) from error

_GRAPH_WRITERS = (
    "dlib_format",
    "dlib_weights",
    "dlib_rewrites",
    "graph_writer",
    "dlib_graphs",
    "int8_graphs",
)
"""The modules that decide what is in a graph: when one changes, cached graphs are made anew."""

LARGEST_BATCH = 32
"""Chips in one run: more are no faster, and take more memory."""


_PAINTERS = {"tensor(float)": paint, "tensor(uint8)": paint_blocks}
"""What paints the canvas that a detector's graph takes, by onnxruntime's name for its numbers."""


class CnnDetector:
    """dlib's CNN face detector at upsample 0: the same boxes to the pixel, 25 times as fast.

    With `thins` it looks at fewer levels of the pyramid, for half the cost, and with a graph of 8
    bits it costs a third of that. Boxes are then up to 1.3 times too large or too small; landmarks
    found inside them, and so encodings, hardly move.
    """

    def __init__(self, session: Any, net: DlibNet[DetectionLoss], *, thins: bool) -> None:
        self._lay_out = lay_out_thin if thins else lay_out
        self._session = session
        self._paint = _PAINTERS[session.get_inputs()[0].type]
        self._means = net.means
        self._loss = net.loss

    def detect(self, image: RgbImage) -> list[Detection]:
        """Find the faces of an image, surest first; those under about 80 pixels are not seen."""
        height, width = image.shape[:2]
        if min(height, width) < NARROWEST_PICTURE:
            return []
        layout = self._lay_out(width, height)
        canvas = self._paint(image, layout, self._means)
        (scores,) = self._session.run(["scores"], {"canvas": canvas})
        return read_scores(scores[0, 0], layout, self._loss)


class OnnxEngine:
    """dlib's nets under onnxruntime; landmarks, chips and HOG are dlib's own code."""

    name = "onnx"
    model = ENCODING_MODEL

    def __init__(
        self,
        options: EngineOptions,
        hog: HogDetector,
        cnn: CnnDetector | None,
        encoder: Any,
        predictor: Any,
    ) -> None:
        self.provider = provider_of(encoder)
        self.detector = options.detector
        self._hog = hog
        self._cnn = cnn
        self._encoder = encoder
        self._predictor = predictor

    def detect(self, image: RgbImage) -> list[Detection]:
        """Find the faces of an image, surest first."""
        return (self._cnn or self._hog).detect(image)

    def rate_frontal(self, chip: RgbImage) -> float:
        """Tell how much a chip (150x150 RGB) shows a face that looks into the camera, from -1."""
        return self._hog.rate_frontal(chip)

    def align(self, image: RgbImage, box: Box) -> Alignment:
        """Find a face's landmarks inside `box` and cut its chip from the same image."""
        return align_face(image, box, self._predictor)

    def encode(self, chips: Sequence[RgbImage]) -> Vectors:
        """Encode chips (150x150 RGB) in one call: float32, (len(chips), 128)."""
        encodings = [np.empty((0, 128), dtype=np.float32)]
        for start in range(0, len(chips), LARGEST_BATCH):
            batch = stack_chips(chips[start : start + LARGEST_BATCH])
            encodings += self._encoder.run(["encodings"], {"chips": batch})
        return np.concatenate(encodings)


def load(options: EngineOptions) -> Engine:
    """Load the nets as graphs, from the cache or else from their .dat files.

    Raises:
        EngineUnavailableError: a package is missing, a .dat file is not what it should be, or
            onnxruntime cannot run on `options.device`.
    """
    weights = find_weights()
    cache = GraphCache(options.cache_folder)
    encoder = open_session(_graph(_ENCODER, weights.encoder, cache), options)
    is_on_gpu = provider_of(encoder) == "CUDA"
    cnn = _load_cnn(weights.cnn_detector, cache, options, is_on_gpu=is_on_gpu)
    predictor = dlib.shape_predictor(str(weights.landmarks_5))
    return OnnxEngine(options, HogDetector(cache), cnn, encoder, predictor)


def _load_cnn(
    weights: Path, cache: GraphCache, options: EngineOptions, *, is_on_gpu: bool
) -> CnnDetector | None:
    """Load the CNN as `options.detector` wants it: as dlib has it, or as fast as can be.

    On a GPU it stays in floats: 8 bits have been tried on CPUs alone.
    """
    if options.detector == "hog":
        return None
    is_exact = options.detector == "cnn"
    kind = _DETECTOR if is_exact or is_on_gpu else _FAST_DETECTOR
    session = open_session(_graph(kind, weights, cache), options)
    return CnnDetector(session, read_detector(weights), thins=not is_exact)


@dataclass(frozen=True)
class _Kind:
    """A net as a graph: how its weights are read, and what writes it: a function of a module."""

    read: Callable[[Path], object]
    module: str
    function: str


_ENCODER = _Kind(read_encoder, "dlib_graphs", "encoder_graph")
_DETECTOR = _Kind(read_detector, "dlib_graphs", "detector_graph")
_FAST_DETECTOR = _Kind(read_detector, "int8_graphs", "int8_detector_graph")


def _graph(kind: _Kind, weights: Path, cache: GraphCache) -> bytes:
    """Return a net as a graph, from the cache or else from its weights."""

    def build() -> bytes:
        write = getattr(_import_writer(kind.module), kind.function)
        graph: bytes = write(kind.read(weights))
        return graph

    return cache.graph(weights, f"{kind.function}-{_writers_version()}", build)


def _import_writer(module: str) -> ModuleType:
    """Import what writes graphs, and onnx with it: a third of a second that cached graphs save."""
    try:
        return importlib.import_module(f"function.engines.{module}")
    except ImportError as error:
        raise EngineUnavailableError(
            f"The engine onnx needs the package onnx to make its graphs ({error}). "
            "Run: pip install onnx, or set ENGINE=dlib."
        ) from error


def _writers_version() -> str:
    return hash_files(*(Path(__file__).with_name(f"{name}.py") for name in _GRAPH_WRITERS))
