"""Pictures in Indeo 2 to 5, bit by bit: the least that each of FFmpeg's decoders takes for one.

Indeo 3 shows bars of light and dark grey, so that pictures can be told apart; the others show a
plain one, whatever they are given.
"""

import struct
from typing import Self

from function.media.pictures import RgbImage

GREY_CELL, NO_CHANGES = b"\x0c", b"\xfd"
LIGHTER, DARKER = b"\xc0\xfd", b"\xcd\xfd"
"""Of Indeo 3: how a cell is coded, and what a block of 4 x 4 adds to what lies above it."""

INTRA, ITS_DATA = 0b10, 0b11
FRAME_MARK = int.from_bytes(b"FRMH", "big")


class Bits:
    """Numbers of some bits each, the lowest bit first, as Indeo 4 and 5 have them."""

    def __init__(self) -> None:
        self._bits: list[int] = []

    def put(self, *numbers: tuple[int, int]) -> Self:
        """Add numbers, each given as how many bits it has and what it is."""
        for count, number in numbers:
            self._bits += [number >> bit & 1 for bit in range(count)]
        return self

    def align(self) -> Self:
        """Fill the last byte with zeros."""
        self._bits += [0] * (-len(self._bits) % 8)
        return self

    def content(self) -> bytes:
        """Return whole bytes."""
        self.align()
        places = range(0, len(self._bits), 8)
        return bytes(
            sum(bit << place for place, bit in enumerate(self._bits[one : one + 8]))
            for one in places
        )


def indeo2(picture: RgbImage) -> bytes:
    """Write a picture that grows lighter from above: the first code of the first table, always."""
    height, width = picture.shape[:2]
    is_whole, tables = 18, 34
    header = bytearray(48)
    header[is_whole], header[tables] = 1, 0
    return bytes(header) + bytes(width * height)


def indeo3(picture: RgbImage) -> bytes:
    """Write the bars of a picture: its first row of blocks changes, and all others follow it."""
    height, width = picture.shape[:2]
    bars = b"".join(LIGHTER if pixel > 127 else DARKER for pixel in picture[0, 2::4, 0])
    below = NO_CHANGES * (width // 4 * (height // 4 - 1))
    colour = _indeo3_plane(NO_CHANGES * (width // 16 * (height // 16)))
    planes = [_indeo3_plane(bars + below), colour, colour]
    places = [48 + sum(map(len, planes[:number])) for number in range(4)]
    header = struct.pack(
        *("<HHIB3xHHIII20x", 32, 4, places[3] * 8, 0, height, width),
        *places[:3],
    )
    content = header + b"".join(planes)
    size = len(content) + 16
    return struct.pack("<IIII", 0, 0, size ^ FRAME_MARK, size) + content


def _indeo3_plane(blocks: bytes) -> bytes:
    """A plane as one cell, without vectors of movement."""
    return struct.pack("<IB", 0, INTRA << 6 | ITS_DATA << 4) + GREY_CELL + blocks


def indeo4(picture: RgbImage) -> bytes:
    """Write a grey picture: each of its planes is one tile, which is empty."""
    height, width = picture.shape[:2]
    size_follows, whole_planes = (3, 7), (2, 3)
    bits = Bits().put((18, 0x3FFF8), (3, 0), (1, 0), (1, 0), (1, 0), (1, 0))
    bits.put(size_follows, (16, height), (16, width), (1, 0), (2, 0), whole_planes, whole_planes)
    bits.put((7, 0), (5, 0), (4, 0)).align()
    for plane in range(3):
        blocks, transform, scan = (0, 0, 0) if plane == 0 else (2, 10, 5)
        bits.put((2, plane), (4, 0), (5, 0), (2, blocks), (2, 0), (5, 0), (1, 0))
        bits.put((5, transform), (4, scan), (5, 0), (3, 0)).align().put((1, 1)).align()
    return bits.content()


def indeo5(picture: RgbImage) -> bytes:
    """Write a grey picture: each of its planes is one tile, which is empty."""
    height, width = picture.shape[:2]
    size_follows = (4, 15)
    bits = Bits().put((5, 0x1F), (3, 0), (8, 0), (8, 0), (3, 0))
    bits.put(size_follows, (13, height), (13, width))
    for is_small in (0, 1):  # the blocks of light, and those of colour
        bits.put((1, 0), (1, is_small), (1, is_small), (3, 0))
    bits.align().put((24, 0)).align().put((8, 0), (3, 0)).align()
    for _ in range(3):
        bits.put((8, 0), (6, 0)).align().put((1, 1)).align()
    return bits.content()
