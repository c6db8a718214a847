"""Reads the elements of a Matroska or WebM file: are its pictures encrypted, where does it end?"""

import os
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

MARK = bytes.fromhex("1a45dfa3")
"""How such a file begins (RFC 8794, 11.2.1)."""

SEGMENT, TRACKS, TRACK, KIND = 0x18538067, 0x1654AE6B, 0xAE, 0x83
ENCODINGS, ENCODING, ENCRYPTION = 0x6D80, 0x6240, 0x5035
PICTURES = b"\1"  # as the kind of a track (RFC 9559, 5.1.4.1.3)

NOWHERE = 1 << 62  # beyond the end of any file

MOST_ELEMENTS, MOST_STEPS = 1_000, 50_000
"""This many elements are looked at of those that one holds, and so many in all."""

LONGEST_HEAD = 12  # an id of up to 4 bytes, and a length of up to 8


class Element(NamedTuple):
    """Where the content of an element begins, and where it ends."""

    start: int
    end: int


def find_end(descriptor: int) -> int | None:
    """Return where a Matroska file says that it ends; None if it does not, as a recording."""
    segment = next(_elements_in(descriptor, 0, NOWHERE, SEGMENT, iter(range(MOST_ELEMENTS))), None)
    return segment.end if segment and segment.end < NOWHERE else None


def states_locked_pictures(descriptor: int, size: int) -> bool:
    """Say whether a Matroska file of this many bytes states that its pictures are encrypted."""
    steps = iter(range(MOST_STEPS))
    return any(
        _is_locked(descriptor, track, steps)
        for segment in _elements_in(descriptor, 0, size, SEGMENT, steps)
        for tracks in _elements_in(descriptor, *segment, TRACKS, steps)
        for track in _elements_in(descriptor, *tracks, TRACK, steps)
    )


def _is_locked(descriptor: int, track: Element, steps: Iterator[int]) -> bool:
    kinds = _elements_in(descriptor, *track, KIND, steps)
    if not any(os.pread(descriptor, 1, kind.end - 1) == PICTURES for kind in kinds):
        return False
    return any(
        True
        for encodings in _elements_in(descriptor, *track, ENCODINGS, steps)
        for encoding in _elements_in(descriptor, *encodings, ENCODING, steps)
        for _ in _elements_in(descriptor, *encoding, ENCRYPTION, steps)
    )


def _elements_in(
    descriptor: int, place: int, end: int, wanted: int, steps: Iterator[int]
) -> Iterator[Element]:
    """Yield the elements of one kind that begin between two places, as long as there are `steps`.

    None ends later than what holds it, whatever it says: so no place is read again and again.
    """
    for _ in islice(steps, MOST_ELEMENTS):
        if place >= end:
            return
        head = os.pread(descriptor, LONGEST_HEAD, place)
        id_bytes = _count_bytes(head[:1])
        length_bytes = _count_bytes(head[id_bytes : id_bytes + 1])
        start = place + id_bytes + length_bytes
        if not id_bytes or not length_bytes or start > place + len(head):
            return
        mask = (1 << 7 * length_bytes) - 1
        length = int.from_bytes(head[id_bytes : id_bytes + length_bytes], "big") & mask
        is_open = length == mask  # to the end, as in a recording
        place = end if is_open else min(start + length, end)
        number = int.from_bytes(head[:id_bytes], "big")
        if number == wanted:
            yield Element(start, place)


def _count_bytes(first: bytes) -> int:
    """Return how many bytes a number has, by the zeros that its first byte begins with; or 0."""
    return 9 - first[0].bit_length() if first and first[0] else 0
