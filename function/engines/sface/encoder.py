"""SFace under onnxruntime: cuts chips by five points, and encodes them."""

import mmap
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from threading import Lock
from typing import Any

import numpy as np

from db.models import EncodingSpace
from db.records import Vector, Vectors
from function.engines.aligned_chips import cut_aligned
from function.engines.chip_points import ARCFACE_POINTS
from function.engines.mirrors import average_mirrored
from function.engines.onnx.graph_cache import GraphCache
from function.engines.onnx.graphs import Kind, read_graph
from function.engines.onnx.sessions import open_session
from function.engines.protocol import EngineOptions, Points
from function.engines.sface.model import CHIP_PIXELS, SFACE
from function.engines.weights import SFACE_WEIGHTS
from function.media.pictures import RgbImage

ROOM_BYTES = 160 * 1024 * 1024
"""What opening its session takes at most: three copies of its weights, and what it runs in."""

CHIPS_ON_GPU = 10
"""As many as one person's."""

_GRAPH = Kind(lambda path: path, "sface.graph", "sface_graph")


class SfaceEncoder:
    """SFace; safe to use from several threads. Its session is opened when it is first used.

    Only a person's best faces are encoded, when a video has been searched, and opening it takes as
    long as starting everything else that runs nets.
    """

    model: EncodingSpace = SFACE

    def __init__(self, open_net: Callable[[], Any], *, at_once: int = 1) -> None:
        """Encode `at_once` chips in one run.

        On a CPU several take longer (29 ms a chip alone, 38 with nine others).
        """
        self._open_net: Callable[[], Any] | None = open_net
        self._at_once = at_once
        self._session: Any = None
        self._opening = Lock()
        self._room: mmap.mmap | None = None

    def cut(self, image: RgbImage, points: Points) -> RgbImage:
        """Cut the face with these five points out of a picture: RGB (112, 112, 3), upright."""
        return cut_aligned(image, points, ARCFACE_POINTS, CHIP_PIXELS)

    def keep_room(self) -> None:
        """Take the memory that opening its session will need, without writing to it."""
        with self._opening:
            if self._open_net:
                kind = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
                self._room = mmap.mmap(-1, ROOM_BYTES, flags=kind)

    def only_cut(self) -> None:
        """Forget the graph, if its session is not open: 39 MB."""
        self._open_net = None

    def encode(self, chips: Sequence[RgbImage]) -> Vectors:
        """Encode chips, each with its mirror image: float32 (len(chips), 128), length 1."""
        return self.encode_with_likeness(chips)[0]

    def encode_with_likeness(self, chips: Sequence[RgbImage]) -> tuple[Vectors, Vector]:
        """Encode chips, and say how like its mirror image each is: float32 (len(chips),).

        The net's own encodings have length 1, so the length of the mean of two tells their cosine.
        """
        step = self._at_once
        runs = [chips[start : start + step] for start in range(0, len(chips), step)]
        encodings = [average_mirrored(self._run, run) for run in runs]
        joined = np.concatenate([np.empty((0, SFACE.dimensions), np.float32), *encodings])
        lengths = np.linalg.norm(joined, axis=1, keepdims=True)
        unit: Vectors = joined / np.maximum(lengths, 1e-6)
        likeness: Vector = 2 * np.square(lengths[:, 0]) - 1
        return unit, likeness

    def _run(self, chips: Sequence[RgbImage]) -> Vectors:
        (encodings,) = self._opened().run(["encodings"], {"chips": np.stack(chips)})
        found: Vectors = encodings
        return found

    def _opened(self) -> Any:
        with self._opening:
            if self._open_net:
                if self._room is not None:  # closed once: opening may fail, and be tried again
                    self._room.close()
                    self._room = None
                self._session = self._open_net()
                self._open_net = None  # it holds the graph
            return self._session


def load_sface(options: EngineOptions, cache: GraphCache) -> SfaceEncoder:
    """Load SFace, from the cache or else from the package that carries its weights.

    It runs on the CPU unless `options.nets` has it, whatever `options.device` is.

    Raises:
        EngineUnavailableError: the package is missing or carries another file.
    """
    if options.nets:
        return SfaceEncoder(partial(options.nets.net, "sface"), at_once=CHIPS_ON_GPU)
    on_cpu = replace(options, device="cpu")
    return SfaceEncoder(partial(open_session, read_sface(cache), on_cpu))


def read_sface(cache: GraphCache) -> bytes:
    """Return SFace as a graph; raises as `load_sface`."""
    return read_graph(_GRAPH, SFACE_WEIGHTS, cache)
