"""The one place that chooses the second encoder: one that ships, or a net of the user's own."""

from pathlib import Path

from function.engines.lightcnn.encoder import LIGHT_CNN_NET, load_light_cnn, read_light_cnn
from function.engines.onnx.graph_cache import GraphCache
from function.engines.protocol import EngineOptions, SecondEncoder
from function.engines.sface.encoder import SFACE_NET, load_sface, read_sface


def load_second(options: EngineOptions, cache: GraphCache) -> SecondEncoder | None:
    """Load the second encoder that `options` ask for; None if there is to be none.

    Raises:
        EngineUnavailableError: it cannot be used.
    """
    if not options.has_second:
        return None
    if isinstance(options.second_encoder, Path):
        from function.engines.own.encoder import load_own  # noqa: PLC0415  # few have one

        return load_own(options.second_encoder, options)
    load = load_sface if options.second_encoder == "sface" else load_light_cnn
    return load(options, cache)


def read_for_gpu(options: EngineOptions, cache: GraphCache) -> dict[str, bytes]:
    """Return the graph of the second encoder that `options` ask for, by its name.

    There is none for a net of the user's own, which runs on the CPU.

    Raises:
        EngineUnavailableError: the package that carries it is missing, or carries another file.
    """
    if not options.has_second or isinstance(options.second_encoder, Path):
        return {}
    if options.second_encoder == "sface":
        return {SFACE_NET.name: read_sface(cache)}
    return {LIGHT_CNN_NET.name: read_light_cnn(cache, in_bytes=False)}


def prepare_shipped(cache: GraphCache) -> None:
    """Put all nets that ship into the cache, for processors and for a GPU.

    Raises:
        EngineUnavailableError: a package that carries one is missing, or carries another file.
    """
    for in_bytes in (False, True):
        read_light_cnn(cache, in_bytes=in_bytes)
    read_sface(cache)
