"""H.264 written by hand, as no encoder here writes it: fields of their own, and no clock.

Every macroblock is stored as it is (I_PCM), so what is drawn is what is decoded. The syntax is that
of ITU-R H.264, 7.3.
"""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
import numpy as np
from numpy.typing import NDArray

from function.media.pictures import RgbImage

Fields = Literal["I and P", "I and I"]

BLOCK = 16
SEQUENCE, PICTURE, KEY, OTHER = 7, 8, 5, 1  # kinds of unit
PCM_BLOCK = 25
HIGHEST_FRAME = 16  # frames are numbered in four bits


class Bits:
    """A row of bits, written number by number."""

    def __init__(self) -> None:
        self._text = ""

    def plain(self, count: int, *values: int) -> "Bits":
        """Write numbers of `count` bits each."""
        self._text += "".join(f"{value:0{count}b}" for value in values)
        return self

    def counts(self, *values: int) -> "Bits":
        """Write numbers as Exp-Golomb codes, which are long for large ones."""
        for value in values:
            bits = f"{value + 1:b}"
            self._text += "0" * (len(bits) - 1) + bits
        return self

    def stored(self, content: bytes) -> "Bits":
        """Write bytes from the next whole byte on."""
        self._text += "0" * (-len(self._text) % 8)
        self._text += "".join(f"{one:08b}" for one in content)
        return self

    def closed(self) -> bytes:
        """Return all bytes, with the end mark."""
        text = self._text + "1"
        text += "0" * (-len(text) % 8)
        return int(text, 2).to_bytes(len(text) // 8, "big")


def write_fields(
    path: Path, pictures: Iterator[RgbImage], *, keyframe_every: int, kind: Fields
) -> Path:
    """Write a broadcast at 25 pictures a second whose fields lie in packets of their own."""
    with av.open(str(path), "w", format="mpegts") as output:
        stream = output.add_stream("libx264", rate=25)
        packets = _field_packets(pictures, keyframe_every, kind)
        for number, (is_key, content, (width, height)) in enumerate(packets):
            if number == 0:
                stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
                stream.codec_context.time_base = Fraction(1, 90_000)
                output.start_encoding()
            packet = av.Packet(content)
            packet.stream, packet.time_base = stream, Fraction(1, 90_000)
            packet.pts = packet.dts = number * 1800
            packet.is_keyframe = is_key
            output.mux(packet)
    return path


def write_without_clock(path: Path, pictures: Iterator[RgbImage], keyframe_every: int) -> Path:
    """Write a raw stream that says nothing of time, as small cameras do."""
    content = b""
    for number, picture in enumerate(pictures):
        luma = picture[..., 0]
        is_key = number % keyframe_every == 0
        content += _heads(luma.shape, fields=False) if is_key else b""
        slice_ = _slice_head(number % keyframe_every, KEY if is_key else OTHER, number)
        content += _unit(KEY if is_key else OTHER, _stored(slice_, luma).closed())
    path.write_bytes(content)
    return path


def _field_packets(
    pictures: Iterator[RgbImage], keyframe_every: int, kind: Fields
) -> Iterator[tuple[bool, bytes, tuple[int, int]]]:
    for number, picture in enumerate(pictures):
        luma = picture[..., 0]
        place = number % keyframe_every
        first_kind = OTHER if place else KEY
        head = b"" if place else _heads(luma.shape, fields=True)
        size = luma.shape[1], luma.shape[0]
        top = _stored(_slice_head(place, first_kind, number, field=0), luma[0::2])
        yield not place, _unit(9, b"\xf0") + head + _unit(first_kind, top.closed()), size
        if kind == "I and I":
            bottom = _stored(_slice_head(place, OTHER, number, field=1), luma[1::2])
        else:  # every macroblock of the second field is as in the first
            blocks = luma.size // 2 // BLOCK**2
            bottom = _slice_head(place, OTHER, number, field=1, is_predicted=True).counts(blocks)
        is_key = kind == "I and I" and not place
        yield is_key, _unit(9, b"\xf0") + _unit(OTHER, bottom.closed()), size


def _heads(shape: tuple[int, ...], *, fields: bool) -> bytes:
    """Write what describes the sequence and its pictures: main profile, one reference, CAVLC."""
    height, width = shape
    rows = height // BLOCK // (2 if fields else 1)
    sequence = Bits().plain(8, 77, 0, 40).counts(0, 0, 2, 1).plain(1, 0)
    sequence.counts(width // BLOCK - 1, rows - 1)
    sequence.plain(1, *((0, 0) if fields else (1,)), 1, 0, 0)
    picture = Bits().counts(0, 0).plain(1, 0, 0).counts(0, 0, 0).plain(1, 0).plain(2, 0)
    picture.counts(0, 0, 0).plain(1, 1, 0, 0)
    return _unit(SEQUENCE, sequence.closed()) + _unit(PICTURE, picture.closed())


def _slice_head(
    place: int, kind: int, number: int, *, field: int | None = None, is_predicted: bool = False
) -> Bits:
    bits = Bits().counts(0, 5 if is_predicted else 7, 0).plain(4, place % HIGHEST_FRAME)
    if field is not None:
        bits.plain(1, 1, field)
    if kind == KEY:
        bits.counts(number % 2).plain(1, 0, 0)
    elif is_predicted:
        bits.plain(1, 0, 0, 0)
    else:
        bits.plain(1, 0)
    return bits.counts(0, 1)


def _stored(bits: Bits, luma: NDArray[np.uint8]) -> Bits:
    grey = bytes([128]) * (BLOCK**2 // 2)
    for top in range(0, luma.shape[0], BLOCK):
        for left in range(0, luma.shape[1], BLOCK):
            block = luma[top : top + BLOCK, left : left + BLOCK]
            bits.counts(PCM_BLOCK).stored(block.tobytes() + grey)
    return bits


def _unit(kind: int, content: bytes) -> bytes:
    """Wrap a unit; three zeros in a row may not occur in it."""
    escaped, zeros = bytearray([3 << 5 | kind]), 0
    for one in content:
        if zeros >= 2 and one <= 3:
            escaped.append(3)
            zeros = 0
        escaped.append(one)
        zeros = 0 if one else zeros + 1
    return b"\0\0\0\1" + bytes(escaped)
