"""Videos of codecs that FFmpeg reads but does not write, or only badly, bit by bit, in an AVI."""

import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from function.media.pictures import RgbImage
from tests.support.indeo import indeo2, indeo3, indeo4, indeo5

MOST_AT_ONCE = 255
"""One run of a run-length code is no longer."""

FPS = 25


class OldCodec(NamedTuple):
    """How a codec is named in an AVI, its bits a pixel, how it packs a picture, and what it adds.

    A codec of 8 bits has a palette of greys.
    """

    fourcc: bytes
    bits: int
    pack: Callable[[RgbImage], bytes]
    extra: bytes = b""


def write_avi(path: Path, pictures: Sequence[RgbImage], codec: OldCodec) -> Path:
    """Write pictures as an AVI without an index, every one of them a keyframe."""
    height, width = pictures[0].shape[:2]
    main = struct.pack("<10I", 10**6 // FPS, 0, 0, 0, len(pictures), 0, 1, 0, width, height)
    stream = struct.pack(
        "<4s4sIHHI8I", b"vids", codec.fourcc, 0, 0, 0, 0, 1, FPS, 0, len(pictures), 0, 0, 0, 0
    )
    palette = b"".join(bytes((grey, grey, grey, 0)) for grey in range(256))
    colours = palette if codec.bits == 8 else b""
    size = 40 + len(codec.extra)
    shape = struct.pack("<IiiHH4sIiiII", size, width, height, 1, codec.bits, codec.fourcc, *[0] * 5)
    header = _list(
        b"hdrl",
        _chunk(b"avih", main + bytes(16))
        + _list(
            b"strl",
            _chunk(b"strh", stream + bytes(8)) + _chunk(b"strf", shape + codec.extra + colours),
        ),
    )
    packets = b"".join(_chunk(b"00dc", codec.pack(one)) for one in pictures)
    path.write_bytes(_chunk(b"RIFF", b"AVI " + header + _list(b"movi", packets)))
    return path


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


def _list(name: bytes, content: bytes) -> bytes:
    return _chunk(b"LIST", name + content)


def _runs(row: RgbImage) -> list[tuple[int, bytes]]:
    """Split a row, (width,) or (width, 3), into runs of equal pixels: how many, and which."""
    found: list[tuple[int, bytes]] = []
    for pixel in row:
        count, before = found[-1] if found else (0, b"")
        if before == pixel.tobytes() and count < MOST_AT_ONCE:
            found[-1] = count + 1, before
        else:
            found.append((1, pixel.tobytes()))
    return found


def _run_lengths(picture: RgbImage) -> bytes:
    """Microsoft's RLE, from the last row up: each run, the end of each row, that of all."""
    rows = [b"".join(bytes([count]) + one for count, one in _runs(row)) for row in picture[::-1]]
    return b"\0\0".join(rows) + b"\0\1"


def _greys(picture: RgbImage) -> RgbImage:
    return np.ascontiguousarray(picture[:, :, 0])


def _bgr_from_below(picture: RgbImage) -> bytes:
    return np.ascontiguousarray(picture[::-1, :, ::-1]).tobytes()


def _camtasia(picture: RgbImage) -> bytes:
    return zlib.compress(_run_lengths(np.ascontiguousarray(picture[:, :, ::-1])))


def camtasia_of_changes() -> OldCodec:
    """Make Camtasia as it records: after the first picture only what changes, and nothing if so."""
    before: list[RgbImage] = []

    def pack(picture: RgbImage) -> bytes:
        before.append(picture)
        if len(before) == 1:
            return _camtasia(picture)
        old, new = (np.ascontiguousarray(one[::-1, :, ::-1]) for one in before[-2:])
        if np.array_equal(old, new):
            return b"\0\1"  # the end, not packed
        rows = [_changes(*pair) for pair in zip(old, new, strict=True)]
        return zlib.compress(b"\0\0".join(rows) + b"\0\1")

    return OldCodec(b"tscc", 24, pack)


def _changes(old: RgbImage, new: RgbImage) -> bytes:
    """The runs of a row, (width, 3), that has changed, each with the way there from the last."""
    found, place = b"", 0
    changed = (old != new).any(axis=1)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], changed, [False]))))
    for start, end in edges.reshape(-1, 2).tolist():
        found += bytes((0, 2, start - place, 0))
        found += b"".join(bytes([count]) + one for count, one in _runs(new[start:end]))
        place = end
    return found


def _camstudio(picture: RgbImage) -> bytes:
    return b"\x03\0" + zlib.compress(_bgr_from_below(picture))  # a keyframe, by zlib


def _fraps(picture: RgbImage) -> bytes:
    return struct.pack("<I", 1 | 1 << 30) + bytes(4) + _bgr_from_below(picture)


def _planes(picture: RgbImage) -> bytes:
    """8BPS: the lengths of the rows of red, green and blue, then each row as PackBits."""
    rows = []
    for plane in np.moveaxis(picture, 2, 0):
        for row in plane:
            halves = ((count, one) for run, one in _runs(row) for count in _at_most(run, 128))
            rows.append(b"".join(bytes([(257 - count) & 255]) + one for count, one in halves))
    return b"".join(struct.pack(">H", len(row)) for row in rows) + b"".join(rows)


def _at_most(count: int, most: int) -> list[int]:
    """Cut a run; PackBits calls a run of one pixel a copy of one, 0, which is 257 - 1 mod 256."""
    return [most] * (count // most) + ([count % most] if count % most else [])


def _cells(picture: RgbImage) -> RgbImage:
    """The pixel in the corner of each 4 x 4 cell, row by row: (cells, 3)."""
    return np.ascontiguousarray(picture[::4, ::4].reshape(-1, 3))


def _rpza(picture: RgbImage) -> bytes:
    """Apple Video: each cell in one colour of five bits a channel."""
    red, green, blue = (_cells(picture) >> 3).astype(int).T
    colours = red << 10 | green << 5 | blue
    body = b"".join(b"\xa0" + struct.pack(">H", int(one)) for one in colours)
    return struct.pack(">I", 0xE1 << 24 | len(body) + 4) + body


def _smc(picture: RgbImage) -> bytes:
    """Apple Graphics: each cell in one colour of the palette."""
    body = b"".join(bytes((0x60, one)) for one in _cells(picture)[:, 0].tolist())
    return struct.pack(">I", len(body) + 4) + body


def _hap(picture: RgbImage) -> bytes:
    """Hap: DXT1, each cell in one colour, not compressed further."""
    red, green, blue = _cells(picture).astype(int).T
    colours = red >> 3 << 11 | green >> 2 << 5 | blue >> 3
    body = b"".join(struct.pack("<HHI", int(one), int(one), 0) for one in colours)
    return struct.pack("<I", len(body))[:3] + b"\xab" + body


OLD_CODECS: Mapping[str, OldCodec] = {
    "camtasia": OldCodec(b"tscc", 24, _camtasia),
    "camstudio": OldCodec(b"CSCD", 24, _camstudio),
    "msrle": OldCodec(b"mrle", 8, lambda picture: _run_lengths(_greys(picture))),
    "mszh": OldCodec(b"MSZH", 24, _bgr_from_below, bytes((4, 0, 0, 0, 2, 1, 0, 1))),
    "fraps": OldCodec(b"FPS1", 24, _fraps),
    "8bps": OldCodec(b"8BPS", 24, _planes),
    "rpza": OldCodec(b"rpza", 16, _rpza),
    "smc": OldCodec(b"smc ", 8, _smc),
    "hap": OldCodec(b"Hap1", 24, _hap),
    "indeo3": OldCodec(b"IV32", 24, indeo3),
}
"""By FFmpeg's name of the decoder."""

PLAIN_CODECS: Mapping[str, OldCodec] = {
    "indeo2": OldCodec(b"RT21", 24, indeo2),
    "indeo4": OldCodec(b"IV41", 24, indeo4),
    "indeo5": OldCodec(b"IV50", 24, indeo5),
}
"""Those that show a plain picture, whatever they are given."""
