"""Nets as graphs: written once by a module that needs onnx, then read from the cache."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

from function.engines.onnx.graph_cache import GraphCache, hash_files
from function.engines.weights import Packaged
from function.errors import EngineUnavailableError

_WRITERS = (
    "dlib_nets/dat_format.py",
    "dlib_nets/layers.py",
    "dlib_nets/rewrites.py",
    "onnx/graph_writer.py",
    "dlib_nets/float_graphs.py",
    "dlib_nets/byte_graphs.py",
    "onnx/packed_weights.py",
    "yunet/graph.py",
    "yunet/net.py",
    "sface/graph.py",
    "lightcnn/checkpoint.py",
    "lightcnn/graph.py",
    "lightcnn/byte_graph.py",
)
"""The modules that decide what is in a graph: when one changes, cached graphs are made again."""

_ENGINES = Path(__file__).parents[1]


@dataclass(frozen=True)
class Kind:
    """A net as a graph: how its weights are read, and which module's function writes it."""

    read: Callable[[Path], object]
    module: str
    function: str


def read_graph(kind: Kind, weights: Path | Packaged, cache: GraphCache) -> bytes:
    """Return a net as a graph, from the cache or else from its weights.

    What the weights must be is known if they are `Packaged`: then they are read only to make it.

    Raises:
        EngineUnavailableError: it must be made and onnx is missing, or the file is not that net.
    """

    def build() -> bytes:
        write = getattr(_import_writer(kind.module), kind.function)
        graph: bytes = write(
            kind.read(weights.find() if isinstance(weights, Packaged) else weights)
        )
        return graph

    return cache.graph(_name(weights), f"{kind.function}-{_writers_version()}", build)


def _name(weights: Path | Packaged) -> str:
    """Name weights by their content."""
    if isinstance(weights, Packaged):
        return f"{Path(weights.name).stem}-{weights.sha256[:16]}"
    return f"{weights.stem}-{hash_files(weights)}"


def _import_writer(module: str) -> ModuleType:
    """Import what writes graphs, including onnx: a third of a second that cached graphs save."""
    try:
        return importlib.import_module(f"function.engines.{module}")
    except ImportError as error:
        raise EngineUnavailableError(
            f"The package onnx is needed to prepare the nets ({error}). "
            "Run: pip install onnx, or set ENGINE=dlib and DETECTOR=hog."
        ) from error


@cache
def _writers_version() -> str:
    return hash_files(*(_ENGINES / name for name in _WRITERS))
