"""Second encoders that ship: a net under onnxruntime that is opened when it is first used."""

import mmap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from db.models import EncodingSpace
from db.records import Vector, Vectors
from function.engines.aligned_chips import cut_aligned
from function.engines.mirrors import average_mirrored, part_averaged, to_unit
from function.engines.onnx.sessions import open_session
from function.engines.protocol import EngineOptions, Points
from function.media.pictures import RgbImage

CHIPS_ON_GPU = 10
"""As many as one person's."""


@dataclass(frozen=True, eq=False)
class LateNet:
    """What a net that a `LateEncoder` runs takes, and what it makes.

    A GPU's process knows it by `name`. The five points of a face lie at `points`, (5, 2), in chips
    of `chip_pixels`. Opening its session takes `room_bytes` at most. `is_mirrored` says whether an
    encoding is the mean of those of a chip and of its mirror image, or that of the chip alone.
    """

    name: str
    model: EncodingSpace
    points: NDArray[np.float64]
    chip_pixels: int
    room_bytes: int
    is_mirrored: bool


class LateEncoder:
    """A second net; safe to use from several threads. Its session is opened when it is first used.

    Only a person's best faces are encoded, when a video has been searched, and opening it takes as
    long as starting everything else that runs nets.
    """

    def __init__(self, net: LateNet, open_net: Callable[[], Any], *, at_once: int = 1) -> None:
        """Encode `at_once` chips in one run.

        On a CPU several take longer (SFace: 29 ms a chip alone, 38 with nine others).
        """
        self.model = net.model
        self._net = net
        self._open_net: Callable[[], Any] | None = open_net
        self._at_once = at_once
        self._session: Any = None
        self._opening = Lock()
        self._room: mmap.mmap | None = None

    def cut(self, image: RgbImage, points: Points) -> RgbImage:
        """Cut the face with these five points out of a picture: RGB, square, upright."""
        return cut_aligned(image, points, self._net.points, self._net.chip_pixels)

    def keep_room(self) -> None:
        """Take the memory that opening its session will need, without writing to it."""
        with self._opening:
            if self._open_net:
                kind = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
                self._room = mmap.mmap(-1, self._net.room_bytes, flags=kind)

    def only_cut(self) -> None:
        """Forget the graph, if its session is not open: tens of megabytes."""
        self._open_net = None

    def encode(self, chips: Sequence[RgbImage]) -> Vectors:
        """Encode chips: float32 (len(chips), model.dimensions), length 1."""
        if self._net.is_mirrored:
            return self.encode_with_likeness(chips)[0]
        return self._in_runs(self._run, chips)

    def encode_with_likeness(self, chips: Sequence[RgbImage]) -> tuple[Vectors, Vector]:
        """Encode chips, each with its mirror image, and say how alike both are: (len(chips),)."""

        def encode_both(run: Sequence[RgbImage]) -> Vectors:
            return average_mirrored(self._run, run)

        return part_averaged(self._in_runs(encode_both, chips))

    def _in_runs(
        self, encode: Callable[[Sequence[RgbImage]], Vectors], chips: Sequence[RgbImage]
    ) -> Vectors:
        step = self._at_once
        runs = [chips[start : start + step] for start in range(0, len(chips), step)]
        none = np.empty((0, self.model.dimensions), np.float32)
        joined: Vectors = np.concatenate([none, *map(encode, runs)])
        return joined

    def _run(self, chips: Sequence[RgbImage]) -> Vectors:
        (encodings,) = self._opened().run(["encodings"], {"chips": np.stack(chips)})
        return to_unit(encodings)

    def _opened(self) -> Any:
        with self._opening:
            if self._open_net:
                if self._room is not None:  # closed once: opening may fail, and be tried again
                    self._room.close()
                    self._room = None
                self._session = self._open_net()
                self._open_net = None  # it holds the graph
            return self._session


def load_late(net: LateNet, read: Callable[[], bytes], options: EngineOptions) -> LateEncoder:
    """Load a second net: of `options.nets` where there are some, else on the CPU.

    It is on the CPU whatever `options.device` is; `read` returns its graph.
    """
    if options.nets:
        return LateEncoder(net, partial(options.nets.net, net.name), at_once=CHIPS_ON_GPU)
    return LateEncoder(net, partial(open_session, read(), replace(options, device="cpu")))
