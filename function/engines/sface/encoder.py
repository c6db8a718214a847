"""SFace under onnxruntime: cuts chips by five points, and encodes them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from db.models import EncodingSpace
from db.records import Vector, Vectors
from function.engines.mirrors import average_mirrored
from function.engines.onnx.graph_cache import GraphCache
from function.engines.onnx.graphs import Kind, read_graph
from function.engines.onnx.sessions import open_session
from function.engines.protocol import EngineOptions, Points
from function.engines.sface.model import CHIP_PIXELS, SFACE
from function.engines.weights import find_sface
from function.media.pictures import RgbImage

CHIP_POINTS = np.array(
    [
        (38.2946, 51.6963),
        (73.5318, 51.5014),
        (56.0252, 71.7366),
        (41.5493, 92.3655),
        (70.7299, 92.2041),
    ]
)
"""Where the five points are in a chip: the alignment that SFace, like ArcFace (Deng, Guo, Xue and
Zafeiriou 2019), was trained with."""

_GRAPH = Kind(lambda path: path, "sface.graph", "sface_graph")


class SfaceEncoder:
    """SFace; safe to use from several threads."""

    model: EncodingSpace = SFACE

    def __init__(self, session: Any) -> None:
        self._session = session

    def cut(self, image: RgbImage, points: Points) -> RgbImage:
        """Cut the face with these five points out of a picture: RGB (112, 112, 3), upright."""
        turn = _fit(points.astype(np.float64))
        chip = cv2.warpAffine(image, turn, (CHIP_PIXELS, CHIP_PIXELS), flags=cv2.INTER_LINEAR)
        return chip.astype(np.uint8, copy=False)

    def encode(self, chips: Sequence[RgbImage]) -> Vectors:
        """Encode chips, each together with its mirror image: float32 (len(chips), 128), length 1.

        One at a time: several in one run take longer (29 ms a chip alone, 38 with nine others).
        """
        return self.encode_with_likeness(chips)[0]

    def encode_with_likeness(self, chips: Sequence[RgbImage]) -> tuple[Vectors, Vector]:
        """Encode chips, and say how like its mirror image each is: float32 (len(chips),).

        The net's own encodings have length 1, so the length of the mean of two tells their cosine.
        """
        encodings = [average_mirrored(self._run, [chip]) for chip in chips]
        joined = np.concatenate([np.empty((0, SFACE.dimensions), np.float32), *encodings])
        lengths = np.linalg.norm(joined, axis=1, keepdims=True)
        unit: Vectors = joined / np.maximum(lengths, 1e-6)
        likeness: Vector = 2 * np.square(lengths[:, 0]) - 1
        return unit, likeness

    def _run(self, chips: Sequence[RgbImage]) -> Vectors:
        (encodings,) = self._session.run(["encodings"], {"chips": np.stack(chips)})
        found: Vectors = encodings
        return found


def load_sface(options: EngineOptions, cache: GraphCache) -> SfaceEncoder:
    """Load SFace, from the cache or else from the package that carries its weights.

    It runs on the CPU, whatever `options.device` is: a video has too few chips for it to matter.

    Raises:
        EngineUnavailableError: the package is missing or carries another file.
    """
    on_cpu = replace(options, device="cpu")
    return SfaceEncoder(open_session(read_graph(_GRAPH, find_sface(), cache), on_cpu))


def _fit(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Find the similarity that takes points nearest to CHIP_POINTS (Umeyama 1991): (2, 3)."""
    middle, target = points.mean(axis=0), CHIP_POINTS.mean(axis=0)
    found, shape = ((one - one.mean(axis=0)) @ [1, 1j] for one in (points, CHIP_POINTS))
    turn = complex((shape * found.conj()).sum() / max(float((np.abs(found) ** 2).sum()), 1e-6))
    matrix = np.array([[turn.real, -turn.imag], [turn.imag, turn.real]])
    return np.hstack([matrix, (target - matrix @ middle)[:, None]])
