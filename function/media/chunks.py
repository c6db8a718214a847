"""Reads the chunks of an AVI: how long it says that it is, and whether all of that is there."""

import os
import struct
from collections.abc import Iterator
from typing import NamedTuple

HEAD_BYTES, KIND_BYTES = 8, 4
"""Each chunk begins with its name and its length; one that holds others says then what they are."""

HOLDING_CHUNKS = (b"RIFF", b"LIST")
MOST_CHUNKS = 200  # a file of more streams is refused

UNSAID = (0, 2**31 - 1, 2**32 - 1)
"""Lengths that recorders write at the beginning, to be put right at the end."""

FRAMES_AT, ALL_FRAMES_AT = 16, 0
"""Where the number of frames stands in the file's header, and in that of a file of several parts
(OpenDML 5)."""

KINDS_OF_PICTURES = (b"vids", b"iavs")  # the second is DV, with its sound
SCALE_AT, FRAMES_OF_STREAM_AT = 20, 32
"""Where a stream's header states how long a frame lasts, as two numbers, and how many there are."""

INDEX_HEAD = struct.Struct("<HBBI")
INDEX_ENTRY = struct.Struct("<QII")
FIRST_ENTRY_AT = 24
MOST_ENTRIES = 1_000  # of an index, each for a part of a gigabyte or so


class Chunk(NamedTuple):
    """A chunk: its name, or the kind of what it holds, and where its content begins and ends.

    The end is 0 if it does not say.
    """

    name: bytes
    start: int
    end: int


def find_seconds_if_cut(descriptor: int, size: int) -> float:
    """Return how long an AVI of this many bytes says that it is, if some of it is not there.

    In seconds; 0.0 if it is whole or does not say, as a recording that was broken off.
    """
    for file in _chunks_in(descriptor, 0, 1):
        parts = list(_chunks_in(descriptor, file.start, min(size, file.end)))
        headers = [one for one in parts if one.name == b"hdrl"]
        ends = [one.end for one in parts if one.name == b"movi" and one.end <= file.end]
        for header in headers if file.name == b"AVI " else ():
            seconds, index_end = _read_header(descriptor, header)
            return seconds if max([index_end, *ends]) > size else 0.0
    return 0.0


def _read_header(descriptor: int, header: Chunk) -> tuple[float, int]:
    """Return how long the pictures last, in seconds, and where the last part of them ends."""
    chunks = list(_chunks_in(descriptor, header.start, header.end))
    places = [(one, FRAMES_AT) for one in chunks if one.name == b"avih"]
    for whole in (one for one in chunks if one.name == b"odml"):
        about_whole = _chunks_in(descriptor, whole.start, whole.end)
        places += [(one, ALL_FRAMES_AT) for one in about_whole if one.name == b"dmlh"]
    counts = [_number_at(descriptor, one, place) for one, place in places]
    for stream in (one for one in chunks if one.name == b"strl"):
        inner = {one.name: one for one in _chunks_in(descriptor, stream.start, stream.end)}
        about = inner.get(b"strh")
        if about and os.pread(descriptor, KIND_BYTES, about.start) in KINDS_OF_PICTURES:
            scale, rate = (_number_at(descriptor, about, SCALE_AT + more) for more in (0, 4))
            counts.append(_number_at(descriptor, about, FRAMES_OF_STREAM_AT))
            index_end = _end_of_indexed(descriptor, inner[b"indx"]) if b"indx" in inner else 0
            return max(counts) * scale / rate if rate else 0.0, index_end
    return 0.0, 0


def _end_of_indexed(descriptor: int, index: Chunk) -> int:
    """Return where the last part ends of which an index of indexes tells; 0 if it is another."""
    head = os.pread(descriptor, INDEX_HEAD.size, index.start)
    if len(head) < INDEX_HEAD.size:
        return 0
    _, _, kind, count = INDEX_HEAD.unpack(head)
    room = min(index.end - index.start - FIRST_ENTRY_AT, count * INDEX_ENTRY.size)
    if kind or room < INDEX_ENTRY.size:
        return 0
    wanted = min(room // INDEX_ENTRY.size, MOST_ENTRIES) * INDEX_ENTRY.size
    content = os.pread(descriptor, wanted, index.start + FIRST_ENTRY_AT)
    whole = len(content) // INDEX_ENTRY.size * INDEX_ENTRY.size
    entries = INDEX_ENTRY.iter_unpack(content[:whole])
    return max((place + length for place, length, _ in entries), default=0)


def _number_at(descriptor: int, chunk: Chunk, place: int) -> int:
    return int.from_bytes(os.pread(descriptor, 4, chunk.start + place), "little")


def _chunks_in(descriptor: int, place: int, end: int) -> Iterator[Chunk]:
    """Yield the chunks that begin between two places, one after the other."""
    for _ in range(MOST_CHUNKS):
        head = os.pread(descriptor, HEAD_BYTES + KIND_BYTES, place)
        if place >= end or len(head) < HEAD_BYTES:
            return
        name, length = head[:4], int.from_bytes(head[4:8], "little")
        over = 0 if length in UNSAID else place + HEAD_BYTES + length
        if name in HOLDING_CHUNKS:
            yield Chunk(head[8:], place + HEAD_BYTES + KIND_BYTES, over)
        else:
            yield Chunk(name, place + HEAD_BYTES, over)
        place += HEAD_BYTES + length + length % 2
