"""Reads the objects of an ASF or WMV file: is it encrypted, and is all of it there?"""

import os
from collections.abc import Iterator
from typing import NamedTuple

MARK = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
"""The GUID of the header, by which such a file begins (ASF 1.2, 3.1)."""

PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
CONTENT = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")
"""The GUIDs of what says how long it is (3.2), and of all pictures and sounds (5.1)."""

LOCKS = (
    bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e"),  # Content Encryption Object
    bytes.fromhex("14e68a292226174cb935dae07ee9289c"),  # Extended Content Encryption Object
)
"""The GUIDs by which a header says that the content is encrypted (3.14)."""

NOWHERE = 1 << 62  # beyond the end of any file

GUID_BYTES, HEAD_BYTES, FILE_HEAD_BYTES = 16, 24, 30
MOST_OBJECTS = 1_000
LONGEST_IN_HEADER = 2**32  # bytes: a longer one is damage

LASTING_AT, EARLY_AT, FLAGS_AT = 40, 56, 64
"""Where the properties state how long it is played, what of that comes before the first picture,
and whether it is a recording that goes on, which does not know."""

IS_GOING_ON = 1
PER_SECOND, EARLY_PER_SECOND = 10**7, 10**3


class Object(NamedTuple):
    """An object: its GUID, where it begins, and where it ends."""

    guid: bytes
    start: int
    end: int


def states_locked_pictures(descriptor: int) -> bool:
    """Say whether the header of an ASF file states that its content is encrypted."""
    return any(one.guid in LOCKS for one in _objects_in_header(descriptor))


def find_seconds_if_cut(descriptor: int, size: int) -> float:
    """Return how long an ASF file of this many bytes says that it is, if some of it is not there.

    In seconds; 0.0 if it is whole or does not say, as a recording that was broken off.
    """
    header_end = _number_at(descriptor, GUID_BYTES, 8)
    content = _read_object(descriptor, header_end)
    if not content or content.guid != CONTENT or content.end <= size:
        return 0.0
    for one in _objects_in_header(descriptor):
        if one.guid == PROPERTIES:
            return _read_seconds(descriptor, one.start)
    return 0.0


def _read_seconds(descriptor: int, start: int) -> float:
    """Return how long the properties at a place state that the film is, or 0.0."""
    if _number_at(descriptor, start + FLAGS_AT + HEAD_BYTES, 4) & IS_GOING_ON:
        return 0.0
    lasting = _number_at(descriptor, start + LASTING_AT + HEAD_BYTES, 8) / PER_SECOND
    early = _number_at(descriptor, start + EARLY_AT + HEAD_BYTES, 8) / EARLY_PER_SECOND
    return max(lasting - early, 0.0)


def _objects_in_header(descriptor: int) -> Iterator[Object]:
    """Yield the objects that the header of an ASF file holds; of another file, none."""
    if os.pread(descriptor, GUID_BYTES, 0) != MARK:
        return
    place = FILE_HEAD_BYTES
    for _ in range(MOST_OBJECTS):
        found = _read_object(descriptor, place)
        if not found or found.end - place > LONGEST_IN_HEADER:
            return
        yield found
        place = found.end


def _read_object(descriptor: int, place: int) -> Object | None:
    """Read the GUID and the length of an object; None if there is none at the place."""
    head = os.pread(descriptor, HEAD_BYTES, place) if place < NOWHERE else b""
    length = int.from_bytes(head[GUID_BYTES:], "little")
    if length < HEAD_BYTES:
        return None
    return Object(head[:GUID_BYTES], place, place + length)


def _number_at(descriptor: int, place: int, count: int) -> int:
    return int.from_bytes(os.pread(descriptor, count, place), "little")
