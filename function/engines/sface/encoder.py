"""SFace under onnxruntime: cuts chips by five points, and encodes them with their mirror images."""

from functools import partial

from function.engines.chip_points import ARCFACE_POINTS
from function.engines.onnx.graph_cache import GraphCache
from function.engines.onnx.graphs import Kind, read_graph
from function.engines.onnx.late_encoder import LateEncoder, LateNet, load_late
from function.engines.protocol import EngineOptions
from function.engines.sface.model import CHIP_PIXELS, SFACE
from function.engines.weights import SFACE_WEIGHTS

SFACE_NET = LateNet(
    "sface", SFACE, ARCFACE_POINTS, CHIP_PIXELS, room_bytes=160 * 1024 * 1024, is_mirrored=True
)
"""Opening it takes three copies of its weights, and what it runs in."""

_GRAPH = Kind(lambda path: path, "sface.graph", "sface_graph")


def load_sface(options: EngineOptions, cache: GraphCache) -> LateEncoder:
    """Load SFace, from the cache or else from the package that carries its weights.

    It runs on the CPU unless `options.nets` has it, whatever `options.device` is.

    Raises:
        EngineUnavailableError: the package is missing or carries another file.
    """
    return load_late(SFACE_NET, partial(read_sface, cache), options)


def read_sface(cache: GraphCache) -> bytes:
    """Return SFace as a graph; raises as `load_sface`."""
    return read_graph(_GRAPH, SFACE_WEIGHTS, cache)
