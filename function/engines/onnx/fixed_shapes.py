"""Runs a net in batches of few shapes, for GPUs, which prepare and record each shape once.

onnxruntime's CUDA provider prepares every convolution again whenever the size of its input changes,
which takes a thousand times as long as running it. And most of a small net's time is spent on
starting its hundred kernels, one by one, unless they were recorded and are started as one.
"""

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from function.engines.onnx.sessions import onnxruntime, open_session, provider_of
from function.engines.protocol import EngineOptions
from function.media.pictures import RgbImage

Shape: TypeAlias = tuple[int, int, int]
"""How many pictures, and how many pixels each is high and wide."""

Numbers: TypeAlias = list[NDArray[np.float32]]
"""The outputs of a net, of which the first dimension counts the pictures."""

Run: TypeAlias = Callable[[RgbImage], Numbers]
"""Runs a net on pictures of its one shape, uint8 (n, height, width, 3)."""

OpenShape: TypeAlias = Callable[[Shape, bool], Run]
"""Opens a net for one shape; the second argument says whether its kernels may be recorded."""

OTHER_SIDES = 640
"""Pictures that fit into no shape get a square of a multiple of so many pixels a side: each shape
that was ever used stays in memory."""


class FixedShapes:
    """A net that takes pictures of any size; safe to use from several threads.

    `shapes` are the shapes in which it runs; pictures that fit into none get a square, if neither
    of their sides is longer than `longest_pixels`. Pictures lie at the top left of larger ones that
    are black: what is found beyond them is to be ignored.
    """

    def __init__(
        self, open_shape: OpenShape, shapes: Sequence[Shape], longest_pixels: int = 0
    ) -> None:
        self._open_shape = open_shape
        self._shapes = shapes
        self._longest_pixels = longest_pixels
        self._opened: dict[Shape, tuple[Run, RgbImage]] = {}
        self._lock = threading.Lock()

    def prepare(self) -> None:
        """Prepare all shapes, up to a second each, while no other thread uses the GPU.

        Only these are recorded: what another thread does with the GPU at that moment would fail.
        """
        for shape in self._shapes:
            self._open(shape, may_record=True)

    def run(self, _: object, feeds: Mapping[str, RgbImage]) -> Numbers:
        """Run the net on its one input, and return all outputs, as a session does."""
        (answer,) = self.run_all([*feeds.values()])
        return answer

    def run_all(self, stacks: Sequence[RgbImage]) -> list[Numbers]:
        """Run the net on stacks of pictures, those of like sizes together.

        Raises:
            MemoryError: pictures are too large, see `size_for`.
        """
        places: dict[tuple[int, int], list[int]] = {}
        for number, stack in enumerate(stacks):
            size = self.size_for(*stack.shape[1:3])
            if size is None:
                raise MemoryError
            places.setdefault(size, []).append(number)
        found: dict[int, Numbers] = {}
        with self._lock:
            for size, numbers in places.items():
                outputs = self._run(size, [picture for one in numbers for picture in stacks[one]])
                start = 0
                for one in numbers:
                    end = start + len(stacks[one])
                    found[one] = [output[start:end] for output in outputs]
                    start = end
        return [found[number] for number in range(len(stacks))]

    def _run(self, size: tuple[int, int], pictures: Sequence[RgbImage]) -> Numbers:
        """Run the net on pictures in shapes of one size, and return its outputs for all."""
        runs: list[Numbers] = []
        left = pictures
        while left:
            run, batch = self._open(self._shape_for(size, len(left)))
            taken, left = left[: len(batch)], left[len(batch) :]
            for place, picture in zip(batch, taken, strict=False):
                _lay(place, picture)
            runs.append([output[: len(taken)] for output in run(batch)])
        if len(runs) == 1:
            return runs[0]
        return [np.concatenate(outputs) for outputs in zip(*runs, strict=True)]

    def size_for(self, height: int, width: int) -> tuple[int, int] | None:
        """Return the height and width of the shapes for pictures of a size; None if too large."""
        fitting = [
            (high, wide) for _, high, wide in self._shapes if height <= high and width <= wide
        ]
        if not fitting and max(height, width) > self._longest_pixels:
            return None
        side = OTHER_SIDES * math.ceil(max(height, width) / OTHER_SIDES)
        return min(fitting, key=math.prod, default=(side, side))

    def _shape_for(self, size: tuple[int, int], count: int) -> Shape:
        counts = sorted({one[0] for one in self._shapes if one[1:] == size}) or [1]
        return next((one for one in counts if one >= count), counts[-1]), *size

    def _open(self, shape: Shape, *, may_record: bool = False) -> tuple[Run, RgbImage]:
        if shape not in self._opened:
            run = self._open_shape(shape, may_record)
            self._opened[shape] = run, np.zeros((*shape, 3), np.uint8)
        return self._opened[shape]


def _lay(place: RgbImage, picture: RgbImage) -> None:
    """Lay a picture at the top left, on black."""
    height, width = picture.shape[:2]
    place[:height, :width] = picture
    place[height:] = 0
    place[:height, width:] = 0


def open_fixed(
    graph: bytes,
    options: EngineOptions,
    shapes: Sequence[Shape],
    *,
    is_recorded: bool,
    longest_pixels: int = 0,
) -> FixedShapes:
    """Open a net that takes pictures: its one input is uint8 (n, height, width, 3).

    `is_recorded` says that all of it can run on CUDA, which then starts its kernels as one in the
    shapes that were prepared. Pictures that fit into no shape may have sides of `longest_pixels`.

    Raises:
        EngineUnavailableError: it cannot run on `options.device`.
    """
    on_cpu = open_session(graph, replace(options, device="cpu"))

    def open_shape(shape: Shape, may_record: bool) -> Run:  # noqa: FBT001  # see OpenShape
        (pixels,) = on_cpu.get_inputs()
        outputs = on_cpu.run(None, {pixels.name: np.zeros((*shape, 3), np.uint8)})
        sizes = zip(pixels.shape, (*shape, 3), strict=True)
        named = {name: size for name, size in sizes if isinstance(name, str)}
        session = open_session(graph, options, named if is_recorded and may_record else {})
        run = _bind(session, shape, outputs)
        for _ in range(2):  # the second time it is recorded
            run(np.zeros((*shape, 3), np.uint8))
        return run

    return FixedShapes(open_shape, shapes, longest_pixels)


def _bind(session: Any, shape: Shape, outputs: Numbers) -> Run:
    """Give a session memory of its own, on its device, for an input and outputs like these."""
    device = "cuda" if provider_of(session) == "CUDA" else "cpu"
    pixels = onnxruntime.OrtValue.ortvalue_from_numpy(np.zeros((*shape, 3), np.uint8), device, 0)
    held = [
        onnxruntime.OrtValue.ortvalue_from_shape_and_type(one.shape, one.dtype, device, 0)
        for one in outputs
    ]
    binding = session.io_binding()
    binding.bind_ortvalue_input(session.get_inputs()[0].name, pixels)
    for output, value in zip(session.get_outputs(), held, strict=True):
        binding.bind_ortvalue_output(output.name, value)

    def run(batch: RgbImage) -> Numbers:
        pixels.update_inplace(batch)
        session.run_with_iobinding(binding)
        found = [one.numpy() for one in held]
        return found if device == "cuda" else [one.copy() for one in found]

    return run
