"""Finds out whether an MP4 or MOV has its index, without which nobody can read it."""

import os
import struct
from pathlib import Path

MOST_BOXES = 10_000
SMALLEST_BOX = 8  # a length and a name, of four bytes each


def lacks_index(source: Path | int) -> bool:
    """Say whether a file is an MP4 of whose index (`moov`) nothing or not all is there.

    `source` is a path, or the descriptor of an open file; its position in the file moves.
    """
    if isinstance(source, Path):
        with source.open("rb") as file:
            return lacks_index(file.fileno())
    size = os.lseek(source, 0, os.SEEK_END)
    place, is_mp4 = 0, False
    for _ in range(MOST_BOXES):
        length, name = _read_box(source, place, size)
        if name in {b"moov", b"moof"} and place + length <= size:
            return False
        is_mp4 = is_mp4 or name in {b"moov", b"mdat"}
        place += length
        if length < SMALLEST_BOX or place >= size:
            break
    return is_mp4


def _read_box(descriptor: int, place: int, size: int) -> tuple[int, bytes]:
    """Return the length and the name of the box at a place, or 0 and nothing."""
    head = os.pread(descriptor, 16, place)
    if len(head) < SMALLEST_BOX:
        return 0, b""
    length, name = struct.unpack_from(">I4s", head)
    if length == 1 and len(head) == 16:  # noqa: PLR2004  # then a long one follows
        (length,) = struct.unpack_from(">Q", head, 8)
    return length or size - place, name
