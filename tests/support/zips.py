"""Zip archives that are nothing but a long list of files."""

import struct
from pathlib import Path


def write_list(path: Path, count: int, name: bytes = b"a.jpg") -> Path:
    """Write an archive that lists one name so often, and holds none of these files."""
    # Version, flags, method, time, date, CRC, both sizes, the name's length; the rest is nothing.
    head = (b"PK\x01\x02", 20, 20, 0, 0, 0, 0, 0, 0, 0, len(name), *(0,) * 6)
    entry = struct.pack("<4s6H3L5H2L", *head) + name
    said = count & 0xFFFF  # Python believes only how long the list is
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, said, said, len(entry) * count, 0, 0)
    path.write_bytes(entry * count + end)
    return path
