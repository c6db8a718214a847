"""The default engine: dlib's own nets run by onnxruntime.

Outputs are dlib's to the fifth digit. Only on processors that multiply bytes fast, encodings are
0.01 away, and never more than 0.02 (see `dlib_nets/byte_graphs.py`).
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from db.models import EncodingModel
from db.records import Vectors
from function.engines.cuda import may_use_cuda
from function.engines.dlib_nets.model import DLIB
from function.engines.mirrors import average_mirrored
from function.engines.onnx.graph_cache import GraphCache
from function.engines.plain_detector import PlainDetector
from function.engines.processor import multiplies_bytes, require_avx
from function.engines.protocol import (
    Alignment,
    Detection,
    Detector,
    Encoder,
    Engine,
    EngineOptions,
    SecondEncoder,
)
from function.engines.weights import ENCODER_WEIGHTS, find_weights, refuse_dlib
from function.errors import EngineUnavailableError
from function.media.pictures import Picture, RgbImage

require_avx()
try:
    import dlib

    from function.engines.dlib_nets.alignment import align_face, stack_chips
    from function.engines.dlib_nets.hog import HogDetector
    from function.engines.onnx.cuda_nets import CudaNets, open_cuda_nets
    from function.engines.onnx.graphs import Kind, read_graph
    from function.engines.onnx.sessions import open_session, provider_of
    from function.engines.second_encoders import load_second, prepare_shipped, read_for_gpu
    from function.engines.yunet.detector import YunetDetector
    from function.engines.yunet.net import load_yunet, read_yunet
except ImportError as error:
    raise EngineUnavailableError(
        f"The engine onnx needs the packages onnxruntime and dlib ({error}). "
        "Run: pip install onnxruntime dlib-bin, or set ENGINE=dlib and DETECTOR=hog to do without "
        "onnxruntime."
    ) from error

LARGEST_BATCH = 32
"""Chips in one run: more are no faster, and take more memory."""


class OnnxEncoder:
    """dlib's encoder under onnxruntime; landmarks and chips are dlib's own code."""

    model: EncodingModel = DLIB

    def __init__(self, session: Any, predictor: Any) -> None:
        self._session = session
        self._predictor = predictor

    def cut(self, picture: Picture, detection: Detection) -> Alignment:
        """Find the landmarks of a face that was found in a picture, and cut its chip from it."""
        return align_face(picture, detection, self._predictor)

    def encode(self, chips: Sequence[RgbImage]) -> Vectors:
        """Encode chips (150x150 RGB), each together with its mirror image."""
        return average_mirrored(self.encode_as_shown, chips)

    def encode_as_shown(self, chips: Sequence[RgbImage]) -> Vectors:
        """Encode chips as face_recognition does, without their mirror images."""
        encodings = [np.empty((0, DLIB.dimensions), dtype=np.float32)]
        for start in range(0, len(chips), LARGEST_BATCH):
            batch = stack_chips(chips[start : start + LARGEST_BATCH])
            encodings += self._session.run(["encodings"], {"chips": batch})
        return np.concatenate(encodings)


class OnnxEngine:
    """dlib's nets under onnxruntime; HOG is dlib's own code."""

    name = "onnx"

    def __init__(
        self,
        options: EngineOptions,
        open_detector: Callable[[int], Detector],
        hog: HogDetector,
        encoder: Encoder,
        provider: str,
        *,
        second: SecondEncoder | None,
    ) -> None:
        self.provider = provider
        self.detector = options.detector
        self.encoder = encoder
        self.second = second
        self._open_detector = open_detector
        self._hog = hog

    def open_detector(self, longest_pixels: int) -> Detector:
        """Make a detector for one video or photo; pictures are scaled down to `longest_pixels`."""
        return self._open_detector(longest_pixels)

    def rate_frontal(self, chip: RgbImage) -> float:
        """Rate how much a chip (150x150 RGB) shows a face that looks into the camera, from -1."""
        return self._hog.rate_frontal(chip)


def load(options: EngineOptions) -> Engine:
    """Load the nets as graphs, from the cache or else from their files.

    Raises:
        EngineUnavailableError: a package is missing, a file is not the expected one, or
            onnxruntime cannot run on `options.device`.
    """
    nets = options.nets or open_nets(options)
    is_on_cpu = nets is None and options.device in ("auto", "cpu")
    options = replace(options, nets=nets, device="cpu" if is_on_cpu else options.device)
    weights = find_weights()
    cache = GraphCache(options.cache_folder)
    hog = HogDetector(cache)
    detector = _load_detector(weights.cnn_detector, cache, options, hog)
    kind = _ENCODER_OF_BYTES if is_on_cpu and multiplies_bytes() else _ENCODER
    session = nets.net("encoder") if nets else open_session(_encoder_graph(kind, cache), options)
    encoder = OnnxEncoder(session, _read_landmarks(weights.landmarks_5))
    second = load_second(options, cache)
    provider = nets.provider if nets else provider_of(session)
    return OnnxEngine(options, detector, hog, encoder, provider, second=second)


def open_nets(options: EngineOptions) -> CudaNets | None:
    """Open the nets on CUDA; None if `options.device` is another, or is auto and CUDA fails.

    Raises:
        EngineUnavailableError: `options.device` is cuda, and it does not work here.
    """
    if not may_use_cuda(options.device):
        return None
    cache = GraphCache(options.cache_folder)
    graphs = {"encoder": _encoder_graph(_ENCODER, cache)}
    if options.detector == "yunet":
        graphs["yunet"] = read_yunet(cache)
    return open_cuda_nets(graphs | read_for_gpu(options, cache), options)


def prepare_encoders(cache_folder: Path | None) -> None:
    """Put the encoders into the cache for every kind of processor, as another may read it.

    The second ones that ship are among them: an image's cache cannot be written later.

    Raises:
        EngineUnavailableError: as in `load`.
    """
    cache = GraphCache(cache_folder)
    for kind in (_ENCODER, _ENCODER_OF_BYTES):
        _encoder_graph(kind, cache)
    prepare_shipped(cache)


def _load_detector(
    cnn_weights: Path, cache: GraphCache, options: EngineOptions, hog: HogDetector
) -> Callable[[int], Detector]:
    """Load the configured detector; return a function that makes one for each video."""
    if options.detector == "hog":
        return partial(PlainDetector, hog)
    if options.detector == "cnn":
        from function.engines.dlib_nets.cnn_detector import CnnDetector  # noqa: PLC0415  # rare

        session = open_session(read_graph(_CNN, cnn_weights, cache), options)
        return partial(PlainDetector, CnnDetector(session, _read_detector(cnn_weights)))
    return partial(YunetDetector, load_yunet(options, cache))


def _read_landmarks(path: Path) -> Any:
    try:
        return dlib.shape_predictor(str(path))
    except RuntimeError as error:  # how dlib says that a file is not what it should be
        raise refuse_dlib(str(error)) from error


def _encoder_graph(kind: Kind, cache: GraphCache) -> bytes:
    return read_graph(kind, ENCODER_WEIGHTS, cache)


def _read_encoder(weights: Path) -> Any:
    """Read the encoder's layers, which only making its graph takes."""
    from function.engines.dlib_nets.nets import read_encoder  # noqa: PLC0415  # see above

    return read_encoder(weights)


def _read_detector(weights: Path) -> Any:
    from function.engines.dlib_nets.nets import read_detector  # noqa: PLC0415  # as above

    return read_detector(weights)


_ENCODER = Kind(_read_encoder, "dlib_nets.float_graphs", "encoder_graph")
_ENCODER_OF_BYTES = Kind(_read_encoder, "dlib_nets.byte_graphs", "encoder_graph_of_bytes")
_CNN = Kind(_read_detector, "dlib_nets.float_graphs", "detector_graph")
