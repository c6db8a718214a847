"""Reads a broadcast (MPEG-TS) for FFmpeg where its packets are repeated, or scrambled in between.

FFmpeg decodes a repeated packet twice and leaves scrambled ones out without a word, so pictures
would be smeared that nothing calls damaged.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from function.media.descriptors import DescriptorFile, opened, size_of

TS_BYTES = 188
SIZES = (TS_BYTES, 192, 204)
"""How far one packet is from the next: as sent, as recorded on discs, with checksums behind it."""

SYNC, SYNC_SHARE = 0x47, 0.8
"""The first byte of each packet, and which share of them has it at least."""

HEAD_BYTES = 256 * 1024
CHUNKS, CHUNK_BYTES = 17, 32 * 1024  # that are looked at, the beginning being one

FEWEST_SCRAMBLED, SCRAMBLED_SHARE = 3, 0.005
"""This many packets, and such a share of those looked at: fewer may be damage."""

SAMPLE_ENCRYPTION = b"\x0f\x04zavc"
"""How the table of a programme says that its H.264 is encrypted picture by picture (SAMPLE-AES)."""

EMPTY_PACKET = b"\x47\x1f\xff\x10".ljust(TS_BYTES, b"\xff")
"""Belongs to no stream, and takes the place of what is left out, so that all else stays in its."""

SHORT_BYTES, FEWEST_PACKETS = 64 * 1024, 4
"""FFmpeg takes a broadcast of a few packets for something else. Fewer, and it may be that."""

PID_BITS, IS_SCRAMBLED, HAS_CLOCK, HAS_CONTENT = 0x1FFF, 0xC0, 0x20, 0x10
CLOCK = slice(6, 12)
WATCHED_BYTES = 16 * 2**20  # at most, of one picture and what lies among or around its packets
LOOKED_BACK = 64  # packets before one that is sought: the one that it repeats is among them


class Layout(NamedTuple):
    """Where packets begin: at `first`, and every `size` bytes after it."""

    first: int
    size: int


@dataclass(frozen=True)
class Faults:
    """What is the matter with the packets of one stream of a broadcast.

    `repeats`: some come twice. `scrambled`: some are, of pictures that are clear otherwise.
    `is_locked`: its pictures are encrypted one by one.
    """

    repeats: bool
    scrambled: bool
    is_locked: bool


def find_faults(source: Path | int, pid: int) -> Faults:
    """Look at the beginning of a broadcast and at places all over it, for one stream's packets."""
    with opened(source) as descriptor:
        head = os.pread(descriptor, HEAD_BYTES, 0)
        layout = _find_layout(head)
        if layout is None:
            return Faults(repeats=False, scrambled=False, is_locked=False)
        chunks = [head[layout.first :], *_read_chunks(descriptor, layout)]
    found = [[one for one in _split(chunk, layout) if _pid_of(one) == pid] for chunk in chunks]
    packets = [one for chunk in found for one in chunk]
    scrambled = sum(map(_is_scrambled, packets))
    return Faults(
        any(_is_repeat(*pair) for chunk in found for pair in pairwise(chunk)),
        scrambled >= max(FEWEST_SCRAMBLED, SCRAMBLED_SHARE * len(packets)),
        SAMPLE_ENCRYPTION in head,
    )


def is_short_broadcast(source: Path | int) -> bool:
    """Say whether a file is a broadcast of so few packets that FFmpeg may not notice it."""
    with opened(source) as descriptor:
        content = os.pread(descriptor, SHORT_BYTES + 1, 0)
    if len(content) > SHORT_BYTES:
        return False
    layout = _find_layout(content)
    marks = content[layout.first :: layout.size] if layout else b""
    return len(marks) >= FEWEST_PACKETS and marks.count(SYNC) == len(marks)


@dataclass
class Watch:
    """Finds scrambled packets of one stream where a broadcast is decoded, as FFmpeg hides them.

    `source` is a path, or the descriptor of an open file.
    """

    source: Path | int
    pid: int

    @cached_property
    def _layout(self) -> Layout:
        with opened(self.source) as descriptor:
            return _find_layout(os.pread(descriptor, HEAD_BYTES, 0)) or Layout(0, TS_BYTES)

    def finds_scrambled(self, start: int, end: int) -> bool:
        """Say whether one lies between two places of the file, and enough of them around there.

        The places are those that FFmpeg tells of packets: so far before the end of their 188 bytes
        as one packet is from the next. Others are taken for places within a packet.
        """
        lead = self._layout.size - TS_BYTES
        with opened(self.source) as descriptor:
            place = max(start, 0) + lead
            if os.pread(descriptor, 1, place) != bytes([SYNC]):
                place = max(_packet_at(start, self._layout), self._layout.first)
            count = self._count(descriptor, place, min(end + lead - place, WATCHED_BYTES))
            if 0 < count < FEWEST_SCRAMBLED:  # it may be damage, and the content clear
                before = min(place, WATCHED_BYTES // 2) // self._layout.size * self._layout.size
                count = self._count(descriptor, place - before, WATCHED_BYTES)
        return count >= FEWEST_SCRAMBLED

    def _count(self, descriptor: int, place: int, length: int) -> int:
        """Count the scrambled packets in this many bytes from the beginning of a packet on."""
        size = self._layout.size
        content = os.pread(descriptor, max(length, 0), place)
        packets = np.frombuffer(content, np.uint8)[: len(content) // size * size].reshape(-1, size)
        is_ours = (packets[:, 0] == SYNC) & (packets[:, 2] == self.pid & 0xFF)
        is_ours &= packets[:, 1] & PID_BITS >> 8 == self.pid >> 8
        flags = packets[is_ours, 3]
        return int(((flags & IS_SCRAMBLED > 0) & (flags & HAS_CONTENT > 0)).sum())


class CleanBroadcast(DescriptorFile):
    """A broadcast as a file to be read, without repeated and scrambled packets of one stream.

    Others stand in their place. `source` is a path, or the descriptor of an open file.
    """

    def __init__(self, source: Path | int, pid: int) -> None:
        self._own = os.dup(source) if isinstance(source, int) else os.open(source, os.O_RDONLY)
        super().__init__(self._own)
        self._pid = pid
        self._layout = _find_layout(os.pread(self._own, HEAD_BYTES, 0)) or Layout(0, TS_BYTES)
        self._next, self._before = 0, b""

    def close(self) -> None:
        """Close it, but not the descriptor that it was made of."""
        if not self.closed:
            os.close(self._own)
        super().close()

    def readinto(self, buffer: Any) -> int:
        """Read whole packets, as many as fit; bytes as they are if not one does."""
        place, (first, size) = self.tell(), self._layout
        if place < first:
            return super().readinto(memoryview(buffer)[: first - place])
        start = _packet_at(place, self._layout)
        count = (place + len(buffer) - start) // size
        if start + count * size <= place:
            return super().readinto(buffer)
        content = self._read_packets(start, count)[place - start :]
        buffer[: len(content)] = content
        self.seek(len(content), os.SEEK_CUR)
        return len(content)

    def _read_packets(self, start: int, count: int) -> bytes:
        size, own = self._layout.size, self._own
        if start != self._next:
            self._before = b""
            earlier = max(start - LOOKED_BACK * size, self._layout.first)
            self._clean(bytearray(os.pread(own, start - earlier, earlier)))
        content = bytearray(os.pread(own, count * size, start))
        self._clean(content)
        self._next = start + len(content)
        return bytes(content)

    def _clean(self, content: bytearray) -> None:
        """Put empty packets in the place of those that are to be left out."""
        for place in range(0, len(content) - TS_BYTES + 1, self._layout.size):
            packet = bytes(content[place : place + TS_BYTES])
            if packet[0] != SYNC or _pid_of(packet) != self._pid:
                continue
            is_repeat = _is_repeat(self._before, packet)
            self._before = packet
            if is_repeat or _is_scrambled(packet):
                content[place : place + TS_BYTES] = EMPTY_PACKET


def _find_layout(head: bytes) -> Layout | None:
    """Find out where the packets of a broadcast begin, from its beginning; None if it is none."""
    for size in SIZES:
        for first in range(size):
            marks = head[first::size]
            if marks and marks.count(SYNC) > SYNC_SHARE * len(marks):
                return Layout(first, size)
    return None


def _read_chunks(descriptor: int, layout: Layout) -> Iterator[bytes]:
    """Read pieces from all over a file, each from the beginning of a packet on."""
    size = size_of(descriptor)
    for number in range(1, CHUNKS):
        place = _packet_at(size * number // CHUNKS, layout)
        yield os.pread(descriptor, CHUNK_BYTES, max(place, layout.first))


def _packet_at(place: int, layout: Layout) -> int:
    """Return where the packet begins in which a place of the file is; below 0 before the first."""
    return (place - layout.first) // layout.size * layout.size + layout.first


def _split(chunk: bytes, layout: Layout) -> Iterator[bytes]:
    """Yield the packets in a piece that begins with one."""
    for place in range(0, len(chunk) - TS_BYTES + 1, layout.size):
        if chunk[place] == SYNC:
            yield chunk[place : place + TS_BYTES]


def _pid_of(packet: bytes) -> int:
    return (packet[1] << 8 | packet[2]) & PID_BITS


def _is_scrambled(packet: bytes) -> bool:
    return bool(packet[3] & IS_SCRAMBLED and packet[3] & HAS_CONTENT)


def _is_repeat(before: bytes, packet: bytes) -> bool:
    """Say whether a packet repeats the one before it; its clock may go on (H.222.0, 2.4.3.3)."""
    if before[:4] != packet[:4] or not packet[3] & HAS_CONTENT:
        return False
    return _without_clock(before) == _without_clock(packet)


def _without_clock(packet: bytes) -> bytes:
    has_clock = packet[3] & HAS_CLOCK and packet[4] and packet[5] & 0x10
    return packet[: CLOCK.start] + packet[CLOCK.stop :] if has_clock else packet
