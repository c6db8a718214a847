"""Says how long a file is that was cut off: of those kinds that state what they hold in bytes.

The index of an MP4 tells that too (`lengths.py`), and of RealMedia and MXF FFmpeg believes what
they state. A broadcast or a disc (MPEG-TS, MPEG-PS) is written as it is received: nothing in it
says where it was to end.
"""

import os
import struct
from collections.abc import Collection
from pathlib import Path

import av
from av.container import InputContainer

from function.media import chunks, objects
from function.media.descriptors import opened, size_of
from function.media.elements import find_end

FLASH_SIZE = b"\x00\x08filesize\x00"
"""How Flash's description names the size of the file; a number of 8 bytes follows."""

HEAD_BYTES = 64 * 1024


def find_seconds_if_cut(source: Path | int, container: InputContainer) -> float:
    """Return how long a file says that it is, if it ends before its stated end; in seconds, or 0.0.

    Of an AVI or ASF that was cut off, FFmpeg does not tell what it states.
    """
    kinds = container.format.name.split(",")
    with opened(source) as descriptor:
        size = size_of(descriptor)
        if "avi" in kinds:
            return chunks.find_seconds_if_cut(descriptor, size)
        if "asf" in kinds:
            return objects.find_seconds_if_cut(descriptor, size)
        stated_seconds = (container.duration or 0) / av.time_base
        return stated_seconds if _ends_sooner(descriptor, size, kinds) else 0.0


def _ends_sooner(descriptor: int, size: int, kinds: Collection[str]) -> bool:
    """Say whether a Matroska or Flash file has fewer bytes than it states."""
    if "matroska" in kinds:
        return (find_end(descriptor) or 0) > size
    return "flv" in kinds and _find_flash_size(os.pread(descriptor, HEAD_BYTES, 0)) > size


def _find_flash_size(head: bytes) -> float:
    """Return the size that a Flash file states at its beginning; 0.0 if it does not."""
    _, name, rest = head.partition(FLASH_SIZE)
    if not name or len(rest) < struct.calcsize(">d"):
        return 0.0
    (size,) = struct.unpack_from(">d", rest)
    return float(size)
