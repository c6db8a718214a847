"""The nets on CUDA: which shapes each runs in, and where they are opened."""

from collections.abc import Mapping
from dataclasses import replace

from function.engines.onnx.fixed_shapes import FixedShapes, Shape, open_fixed
from function.engines.onnx.sessions import open_session, provider_of
from function.engines.protocol import EngineOptions

SHAPES: dict[str, tuple[Shape, ...]] = {
    "encoder": ((2, 150, 150), (16, 150, 150), (32, 150, 150)),
    "yunet": (
        *((2, 128, 128), (4, 128, 128), (16, 128, 128)),
        *((1, 224, 384), (4, 224, 384), (16, 224, 384)),
        *((2, 384, 224), (8, 384, 224), (1, 384, 384), (8, 384, 384)),
        *((1, 544, 960), (4, 544, 960), (1, 960, 960), (1, 1088, 1920), (1, 1920, 1920)),
    ),
    "sface": ((2, 112, 112), (20, 112, 112)),
}
"""By the name of the net. YuNet: close checks; the small copy of a wide picture, upright and turned,
and of any other; the large one, of DETECTION_PIXELS, and of photos. For wide pictures these are the
sizes in which they are searched on a CPU, so that the same is found."""

PREPARED_PIXELS = 544 * 960
"""Larger shapes are prepared when they are first needed."""

RECORDED = ("encoder", "yunet")
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
        """Prepare the usual shapes."""
        for net in self.nets.values():
            net.prepare(PREPARED_PIXELS)


def open_cuda_nets(graphs: Mapping[str, bytes], options: EngineOptions) -> CudaNets | None:
    """Open nets on CUDA; None if `options.device` is auto and CUDA does not work here.

    Raises:
        EngineUnavailableError: `options.device` is cuda, and it does not work here.
    """
    if provider_of(open_session(graphs["encoder"], options)) != "CUDA":
        return None
    on_cuda = replace(options, device="cuda")
    nets = {
        name: open_fixed(graph, on_cuda, SHAPES[name], is_recorded=name in RECORDED)
        for name, graph in graphs.items()
    }
    return CudaNets(nets)
