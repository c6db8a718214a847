"""Says whether a Matroska or Flash file was cut off: whether it states more bytes than it has.

The index of an MP4 tells that too (`lengths.py`); other kinds do not state it where it can be
trusted.
"""

import os
import struct
from pathlib import Path

from function.media.descriptors import opened
from function.media.elements import find_end

FLASH_SIZE = b"\x00\x08filesize\x00"
"""How Flash's description names the size of the file; a number of 8 bytes follows."""

HEAD_BYTES = 64 * 1024


def is_cut_off(source: Path | int, format_name: str) -> bool:
    """Say whether a file ends before its stated end; `format_name` is FFmpeg's."""
    kinds = format_name.split(",")
    with opened(source) as descriptor:
        size = os.lseek(descriptor, 0, os.SEEK_END)
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
