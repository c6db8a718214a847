"""Notices copy protection: what is encrypted looks like damage, and some of it like pictures."""

import os
import re
from collections import defaultdict
from itertools import takewhile
from pathlib import Path

from av.packet import Packet
from av.video.stream import VideoStream

from function.media import boxes, elements, objects
from function.media.descriptors import opened, size_of

HEAD_BYTES = 256 * 1024
CHUNKS, CHUNK_BYTES = 16, 32 * 1024  # that say how much of a broadcast is scrambled
TS_PACKET = re.compile(
    rb"\x47([\x00-\xff]{2})([\x00-\xff])(?=[\x00-\xff]{184}(?:[\x00-\xff]{4})?\x47)"
)
TS_BYTES, TS_SHARE = 188, 0.5
"""How long such a packet is, and which share of a broadcast is made up of them at least: in other
files some bytes look like one by chance."""
PID_BITS = 0x1FFF  # of the two bytes that say to which stream a packet belongs
NO_PID = 0x1FFF  # of packets that only fill the time
PS_MARK = b"\x00\x00\x01\xba"  # before each pack of the packets of a disc
PS_PACKET = re.compile(rb"\x00\x00\x01[\xe0-\xef\xfd][\x00-\xff]{2}([\x80-\xbf])")
SCRAMBLED_SHARE = 0.2
"""Of the packets of a broadcast at least this share is scrambled, if its pictures are."""

LOCKED_TAGS = ("drmi", "encv")
"""Codec tags of pictures from a shop's player, which only that player can decrypt."""


def read_head(source: Path | int) -> bytes:
    """Read the beginning of a file."""
    with opened(source) as descriptor:
        return os.pread(descriptor, HEAD_BYTES, 0)


def is_locked(stream: VideoStream, source: Path | int) -> bool:
    """Say whether the header of a file states that its pictures are encrypted."""
    if _codec_tag(stream) in LOCKED_TAGS or "enc_key_id" in stream.metadata:
        return True
    with opened(source) as descriptor:
        return objects.states_locked_pictures(descriptor)


def states_encryption(source: Path | int) -> bool:
    """Say whether a file of which no picture can be decoded says that they are encrypted.

    Its sound alone may be; then damage is more likely. `source` is a path, or the descriptor of an
    open file.
    """
    with opened(source) as descriptor:
        head, size = os.pread(descriptor, HEAD_BYTES, 0), size_of(descriptor)
        if head.startswith(elements.MARK):
            return elements.states_locked_pictures(descriptor, size)
        if head.startswith(objects.MARK):
            return objects.states_locked_pictures(descriptor)
        return boxes.states_locked_pictures(descriptor, size) or _is_scrambled(head)


def scrambled_share(source: Path | int, pid: int) -> float:
    """Say which share of a broadcast, 0 to 1, is scrambled at its end: FFmpeg leaves that out.

    `pid` is the number of the pictures' stream: another programme beside it says nothing of it.
    """
    with opened(source) as descriptor:
        size = size_of(descriptor)
        count = min(CHUNK_BYTES, size // CHUNKS)
        places = ((size - count) * number // (CHUNKS - 1) for number in reversed(range(CHUNKS)))
        chunks = (os.pread(descriptor, count, place) for place in places)
        scrambled = takewhile(lambda chunk: _share_scrambled(chunk, pid) > SCRAMBLED_SHARE, chunks)
        return len(list(scrambled)) / CHUNKS


def is_encrypted(packet: "Packet[VideoStream]") -> bool:
    """Say whether a packet comes with what a player with the key would need to decrypt it."""
    for _ in packet.iter_sidedata():  # hardly any have some; asking for one kind takes longer
        return packet.has_sidedata("encryption_info")
    return False


def _codec_tag(stream: VideoStream) -> str:
    """Return how the file calls its codec; "" if that is a number, as in a broadcast."""
    try:
        return stream.codec_context.codec_tag
    except UnicodeDecodeError:
        return ""


def _is_scrambled(head: bytes) -> bool:
    """Say whether a file that begins so is a broadcast, or from a disc, with scrambled pictures."""
    is_broadcast = len(TS_PACKET.findall(head)) * TS_BYTES > TS_SHARE * len(head)
    if is_broadcast and _share_scrambled(head) > SCRAMBLED_SHARE:
        return True
    return (is_broadcast or PS_MARK in head) and _share_locked(head) > SCRAMBLED_SHARE


def _share_scrambled(content: bytes, pid: int | None = None) -> float:
    """Return the share of a broadcast's packets that are marked as scrambled, as pay TV is.

    Only those of one stream count: the longest one, if `pid` does not say which.
    """
    marks: dict[int, list[bool]] = defaultdict(list)
    for number, flags in TS_PACKET.findall(content):
        marks[int.from_bytes(number, "big") & PID_BITS].append(bool(flags[0] & 0xC0))
    marks.pop(NO_PID, None)
    ours = max(marks.values(), key=len, default=[]) if pid is None else marks[pid]
    return sum(ours) / max(len(ours), 1)


def _share_locked(content: bytes) -> float:
    """Return the share of pictures that are marked as scrambled one by one, as on discs."""
    marks = [bool(one[0] & 0x30) for one in PS_PACKET.findall(content)]
    return sum(marks) / max(len(marks), 1)
