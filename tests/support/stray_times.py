"""Puts wrong times into finished videos, picture by picture: whole numbers, or seconds to add."""

import struct
from collections.abc import Sequence
from functools import cache


def put_ivf(content: bytes, places: Sequence[int], value: float) -> bytes:
    """Change the stamps of an IVF, which are of 64 bits."""
    changed = bytearray(content)
    rate, scale = struct.unpack_from("<II", content, 16)
    at, number = 32, 0
    while at < len(content):
        size, stamp = struct.unpack_from("<IQ", content, at)
        if number in places:
            struct.pack_into("<Q", changed, at + 4, _new(stamp, value, rate / scale) % 2**64)
        at += 12 + size
        number += 1
    return bytes(changed)


def put_flv(content: bytes, places: Sequence[int], value: float) -> bytes:
    """Change the stamps of an FLV, which are milliseconds of 32 bits, in an order of their own."""
    changed = bytearray(content)
    at, number = 13, -1  # the first tag of a video says how it is coded
    while at + 11 < len(content):
        size = int.from_bytes(content[at + 1 : at + 4], "big")
        if content[at] == 9:
            if number in places:
                stamp = int.from_bytes(content[at + 4 : at + 7], "big")
                new = _new(stamp, value, 1000) % 2**32
                changed[at + 4 : at + 8] = (new & 0xFFFFFF).to_bytes(3, "big") + bytes([new >> 24])
            number += 1
        at += 11 + size + 4
    return bytes(changed)


def put_ts(content: bytes, places: Sequence[int], value: float) -> bytes:
    """Change the stamps of a broadcast, of 33 bits, both of a picture where it has two."""
    changed = bytearray(content)
    at = content.find(b"\0\0\1\xe0")
    number = 0
    while at >= 0:
        flags = content[at + 7]
        if flags & 0x80:
            clocks = (9, 14) if flags & 0x40 else (9,)
            for place in clocks if number in places else ():
                _put_clock(changed, at + place, value)
            number += 1
        at = content.find(b"\0\0\1\xe0", at + 4)
    return bytes(changed)


def _put_clock(changed: bytearray, at: int, value: float) -> None:
    first, second, third, fourth, fifth = changed[at : at + 5]
    stamp = (first >> 1 & 7) << 30 | second << 22 | third >> 1 << 15 | fourth << 7 | fifth >> 1
    new = _new(stamp, value, 90_000) % 2**33
    changed[at : at + 5] = bytes(
        (
            first & 0xF1 | (new >> 30 & 7) << 1,
            new >> 22 & 255,
            (new >> 15 & 127) << 1 | 1,
            new >> 7 & 255,
            (new & 127) << 1 | 1,
        )
    )


def put_ogg(content: bytes, places: Sequence[int], value: float) -> bytes:
    """Change the granule positions of an Ogg with a page for each picture of VP8, 25 a second."""
    changed = bytearray(content)
    at, number = 0, -2  # two pages of headers
    while at < len(content):
        count = content[at + 26]
        size = 27 + count + sum(content[at + 27 : at + 27 + count])
        if number in places:
            (granule,) = struct.unpack_from("<Q", content, at + 6)
            new = _new(granule, value, 25 << 32) % 2**64
            struct.pack_into("<Q", changed, at + 6, new)
            changed[at + 22 : at + 26] = bytes(4)
            checksum = _checksum(bytes(changed[at : at + size]))
            struct.pack_into("<I", changed, at + 22, checksum)
        at += size
        number += 1
    return bytes(changed)


def put_matroska(content: bytes, places: Sequence[int], value: float) -> bytes:
    """Give pictures of a Matroska clusters of their own, whose times are milliseconds of 64 bits.

    The index, which comes last, is left out.
    """
    start = content.index(b"\x1f\x43\xb6\x75")
    head = bytearray(content[:start])
    segment = head.index(b"\x18\x53\x80\x67") + 4
    head[segment : segment + 8] = b"\x01" + b"\xff" * 7  # of unknown size
    clusters = []
    for number, (stamp, block) in enumerate(_blocks(content, start)):
        new = (_new(stamp, value, 1000) if number in places else stamp) % 2**64
        inner = b"\xe7\x88" + struct.pack(">Q", new) + b"\xa3" + _length(len(block)) + block
        clusters.append(b"\x1f\x43\xb6\x75" + _length(len(inner)) + inner)
    return bytes(head) + b"".join(clusters)


def _blocks(content: bytes, start: int) -> list[tuple[int, bytes]]:
    """Read each block's time in milliseconds, and the block with 0 as its time in the cluster."""
    found, at, cluster = [], start, 0
    while at < len(content):
        name, at = _read(content, at, keep_mark=True)
        size, at = _read(content, at)
        if name == 0x1F43B675:
            continue  # what is in it comes next
        if name == 0xE7:
            cluster = int.from_bytes(content[at : at + size], "big")
        elif name == 0xA3:
            (within,) = struct.unpack_from(">h", content, at + 1)
            block = content[at : at + 1] + b"\0\0" + content[at + 3 : at + size]
            found.append((cluster + within, block))
        elif name in (0x1C53BB6B, 0x1254C367):
            break
        at += size
    return found


def _read(content: bytes, at: int, *, keep_mark: bool = False) -> tuple[int, int]:
    """Read a number of EBML, and where it ends."""
    size = 9 - content[at].bit_length()
    value = int.from_bytes(content[at : at + size], "big")
    return value if keep_mark else value & (1 << 7 * size) - 1, at + size


def _length(size: int) -> bytes:
    return (1 << 56 | size).to_bytes(8, "big")


def _new(stamp: int, value: float, units: float) -> int:
    """Return a whole number as it is, and else a stamp with so many seconds added."""
    return value if isinstance(value, int) else stamp + round(value * units)


def _checksum(page: bytes) -> int:
    """Return Ogg's checksum: CRC-32 of bits that are not reflected, without a start or an end."""
    value = 0
    for one in page:
        value = (value << 8 & 0xFFFFFFFF) ^ _table()[value >> 24 ^ one]
    return value


@cache
def _table() -> tuple[int, ...]:
    rows = []
    for number in range(256):
        row = number << 24
        for _ in range(8):
            row = row << 1 ^ 0x104C11DB7 if row & 0x80000000 else row << 1
        rows.append(row)
    return tuple(rows)
