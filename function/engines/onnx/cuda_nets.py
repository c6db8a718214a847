"""The nets on CUDA: which shapes each runs in, and where they are opened."""

from collections.abc import Mapping
from dataclasses import replace

from function.engines.onnx.fixed_shapes import FixedShapes, Shape, open_fixed
from function.engines.onnx.sessions import open_session, provider_of
from function.engines.protocol import EngineOptions

SHAPES: dict[str, tuple[Shape, ...]] = {
    "encoder": ((16, 150, 150),),
    "yunet": (
        *((4, 128, 128), (1, 224, 384), (4, 224, 384), (2, 384, 224)),
        *((1, 544, 960), (4, 544, 960), (4, 384, 384), (1, 960, 960)),
        *((1, 736, 1280), (1, 1280, 1280)),
    ),
    "lightcnn": ((10, 128, 128),),
    "sface": ((20, 112, 112),),
}
"""By the name of the net. YuNet: close checks; the small copies of a wide picture, upright and
turned, and its large one; those of other pictures; the large ones of photos. For wide pictures
these are the sizes in which they are searched on a CPU too, so that the same is found. Batches of
more pictures take 1 to 3 s to prepare, and gain little."""

ANY_SIZE = ("yunet",)
"""These take pictures of other sizes too, up to `EngineOptions.detection_pixels` and what their
grids add; the others only chips."""

GRID_PIXELS = 32
"""YuNet's coarsest grid: sides are filled up to multiples of it (`yunet/net.py`)."""

RECORDED = ("encoder", "yunet", "lightcnn")
"""CUDA has all of these; of SFace it lacks the last layer."""


class CudaNets:
    """Nets on CUDA, in this process."""

    provider = "CUDA"

    def __init__(self, nets: Mapping[str, FixedShapes]) -> None:
        self.nets = nets

    def net(self, name: str) -> FixedShapes:
        """Return a net."""
        return self.nets[name]

    def prepare(self) -> None:
        """Prepare all shapes, while the driver may still do as it likes."""
        for net in self.nets.values():
            net.prepare()


def open_cuda_nets(graphs: Mapping[str, bytes], options: EngineOptions) -> CudaNets | None:
    """Open nets on CUDA; None if `options.device` is auto and CUDA does not work here.

    Raises:
        EngineUnavailableError: `options.device` is cuda, and it does not work here.
    """
    if provider_of(open_session(graphs["encoder"], options)) != "CUDA":
        return None
    on_cuda = replace(options, device="cuda")
    nets = {
        name: open_fixed(
            graph,
            on_cuda,
            SHAPES[name],
            is_recorded=name in RECORDED,
            longest_pixels=longest_pixels(name, options),
        )
        for name, graph in graphs.items()
    }
    return CudaNets(nets)


def longest_pixels(name: str, options: EngineOptions) -> int:
    """Return how long the sides may be of pictures for a net that fit into none of its shapes."""
    longest = options.detection_pixels
    return longest + -longest % GRID_PIXELS if name in ANY_SIZE else 0
