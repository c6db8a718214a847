"""Light CNN under onnxruntime: in bytes on most processors, in floats on a GPU."""

from function.engines.lightcnn.model import CHIP_PIXELS, LIGHT_CNN, POINTS
from function.engines.onnx.graph_cache import GraphCache
from function.engines.onnx.graphs import Kind, read_graph
from function.engines.onnx.late_encoder import LateEncoder, LateNet, load_late
from function.engines.onnx.sessions import has_larger_of_bytes
from function.engines.processor import gains_by_bytes
from function.engines.protocol import EngineOptions
from function.engines.weights import LIGHT_CNN_WEIGHTS

LIGHT_CNN_NET = LateNet(
    "lightcnn", LIGHT_CNN, POINTS, CHIP_PIXELS, room_bytes=96 * 1024 * 1024, is_mirrored=False
)
"""The mirror image adds little: together with dlib's net 1.2 % of pairs of one person are missed at
0.1 % of strangers, and 1.1 % with it, at twice the time (1,045 photographs of 75 people). Opening
it takes 18 MB in bytes, and 62 in floats."""

_GRAPH = Kind(lambda path: path, "lightcnn.graph", "light_cnn_graph")
_GRAPH_OF_BYTES = Kind(lambda path: path, "lightcnn.byte_graph", "light_cnn_graph_of_bytes")


def load_light_cnn(options: EngineOptions, cache: GraphCache) -> LateEncoder:
    """Load Light CNN, from the cache or else from the package that carries its weights.

    It runs on the CPU unless `options.nets` has it, whatever `options.device` is.

    Raises:
        EngineUnavailableError: the package is missing or carries another file.
    """
    in_bytes = gains_by_bytes() and has_larger_of_bytes()
    return load_late(LIGHT_CNN_NET, lambda: read_light_cnn(cache, in_bytes=in_bytes), options)


def read_light_cnn(cache: GraphCache, *, in_bytes: bool) -> bytes:
    """Return Light CNN as a graph; raises as `load_light_cnn`."""
    return read_graph(_GRAPH_OF_BYTES if in_bytes else _GRAPH, LIGHT_CNN_WEIGHTS, cache)
