"""Reads the boxes of an MP4 or MOV: whether its index is there, and whether pictures are encrypted.

Without the index (`moov`) nobody can read it.
"""

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from function.media.descriptors import size_of

MOST_BOXES = 10_000
SMALLEST_BOX = 8  # a length and a name, of four bytes each

HOLDING_BOXES = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"moof", b"traf")
"""Boxes that hold boxes, as far as they are looked into."""

LISTING_BYTES = 8  # of `stsd`, before its first entry

ENCRYPTED_ENTRIES = (b"encv", b"drmi")
"""How pictures are named that only the player of a shop can decrypt (ISO/IEC 14496-12, 8.12)."""

FRAGMENT_KEYS = (b"senc", b"saiz")
"""What comes with a fragment whose pictures are encrypted (ISO/IEC 23001-7, 7)."""

PIFF_KEYS = bytes.fromhex("a2394f525a9b4f14a2446c427c648df4")
"""The same before there was a standard: the extended type of a box `uuid`."""


class Box(NamedTuple):
    """A box: its name, where its content begins, and where it ends."""

    name: bytes
    start: int
    end: int


def lacks_index(source: Path | int) -> bool:
    """Say whether a file is an MP4 of whose index (`moov`) nothing or not all is there.

    `source` is a path, or the descriptor of an open file.
    """
    if isinstance(source, Path):
        with source.open("rb") as file:
            return lacks_index(file.fileno())
    size = size_of(source)
    is_mp4 = False
    for box in _boxes_in(source, 0, size):
        if box.name in {b"moov", b"moof"} and box.end <= size:
            return False
        is_mp4 = is_mp4 or box.name in {b"moov", b"mdat"}
    return is_mp4


def states_locked_pictures(descriptor: int, size: int) -> bool:
    """Say whether an MP4 or MOV of this many bytes states that its pictures are encrypted.

    It may be stated of the whole track, or only of a fragment. That of sound does not count.
    """
    sounds: set[bytes] = set()
    track = b""
    for box in _walk(descriptor, size):
        if box.name in ENCRYPTED_ENTRIES:
            return True
        if box.name in {b"tkhd", b"tfhd"}:
            track = _read_track(descriptor, box)
        elif box.name == b"hdlr" and os.pread(descriptor, 4, box.start + 8) == b"soun":
            sounds.add(track)
        elif track not in sounds and _brings_keys(descriptor, box):
            return True
    return False


def _walk(descriptor: int, size: int) -> Iterator[Box]:
    """Yield boxes in the order of the file, each before those that it holds."""
    left = [_boxes_in(descriptor, 0, size)]
    for _ in range(MOST_BOXES):
        box = next(left[-1], None)
        if box is None:
            left.pop()
            if not left:
                return
            continue
        yield box
        if box.name in HOLDING_BOXES:
            start = box.start + (LISTING_BYTES if box.name == b"stsd" else 0)
            left.append(_boxes_in(descriptor, start, min(box.end, size)))


def _boxes_in(descriptor: int, place: int, end: int) -> Iterator[Box]:
    """Yield the boxes that begin between two places, one after the other."""
    for _ in range(MOST_BOXES):
        length, name, head = _read_box(descriptor, place, end)
        if head:
            yield Box(name, place + head, place + length)
        place += length
        if length < SMALLEST_BOX or place >= end:
            return


def _read_box(descriptor: int, place: int, end: int) -> tuple[int, bytes, int]:
    """Return the length and the name of the box at a place, and the length of both; or zeros."""
    head = os.pread(descriptor, 16, place)
    if len(head) < SMALLEST_BOX:
        return 0, b"", 0
    length, name = struct.unpack_from(">I4s", head)
    if length == 1 and len(head) == 16:  # noqa: PLR2004  # then a long one follows
        (length,) = struct.unpack_from(">Q", head, 8)
        return length, name, 16
    return length or end - place, name, SMALLEST_BOX


def _read_track(descriptor: int, box: Box) -> bytes:
    """Read the number of a track, which stands after two dates in the header of the whole track."""
    head = os.pread(descriptor, 24, box.start)
    if box.name == b"tfhd":
        return head[4:8]
    return head[20:24] if head[:1] == b"\1" else head[12:16]


def _brings_keys(descriptor: int, box: Box) -> bool:
    is_piff = box.name == b"uuid" and os.pread(descriptor, 16, box.start) == PIFF_KEYS
    return is_piff or box.name in FRAGMENT_KEYS
