"""The one place that chooses the second encoder: SFace, or a net of the user's own."""

from pathlib import Path

from function.engines.onnx.graph_cache import GraphCache
from function.engines.protocol import EngineOptions, SecondEncoder
from function.engines.sface.encoder import load_sface


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
    return load_sface(options, cache)
