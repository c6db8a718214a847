"""Names what decodes videos: the processor, or a GPU. Nothing here needs a decoder."""

from collections.abc import Collection, Iterable
from typing import Literal, TypeAlias

GpuDecoderName: TypeAlias = Literal["cuda", "vaapi"]
DecoderName: TypeAlias = Literal["cpu", "cuda", "vaapi"]
DecodeName: TypeAlias = Literal["auto", "cpu", "cuda", "vaapi"]
"""What the setting DECODE may be; of these `auto` is a choice to be made, the others are names."""

GPU_DECODERS: tuple[GpuDecoderName, ...] = ("cuda", "vaapi")

_ORDER: tuple[DecoderName, ...] = (*GPU_DECODERS, "cpu")


def name_decoders(used: Collection[DecoderName]) -> str:
    """Name what decoded a video: one decoder, or `cuda+cpu` if both had a part in it.

    A video of which nothing was decoded counts as the processor's.
    """
    return "+".join(name for name in _ORDER if name in used) or "cpu"


def join_names(names: Iterable[str]) -> str:
    """Name what decoded a video of whose parts each was decoded by what a name says."""
    used = {part for name in names for part in name.split("+")}
    return "+".join(name for name in _ORDER if name in used) or "cpu"


DECODED_BY = frozenset(
    {*_ORDER, *(name_decoders((name, "cpu")) for name in GPU_DECODERS)},
)
"""Everything that `name_decoders` may say of one video."""
