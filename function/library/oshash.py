"""Fingerprints a video as Stash does: by its size, its beginning and its end."""

import hashlib
import os
import stat

import numpy as np

CHUNK_BYTES = 64 * 1024
"""OpenSubtitles' hash, which Stash calls oshash, adds up the first and the last 64 KiB."""

SMALL_BYTES = 2 * CHUNK_BYTES
"""A file that is no larger than both chunks can be compared whole."""

_WORD_BYTES = 8


def oshash_of(descriptor: int) -> str:
    """Return the fingerprint of an open file: 16 hexadecimal digits.

    It is the sum of the size and of both chunks as 64-bit numbers, little-endian. A file shorter
    than a chunk is both; one that does not fill its last number is padded with zeros, which Stash
    does differently, see `is_oshash_of`.
    """
    return _oshash(descriptor, min(os.fstat(descriptor).st_size, CHUNK_BYTES))


def is_oshash_of(oshash: str, descriptor: int) -> bool:
    """Say whether an open file has a fingerprint, by our reckoning or by Stash's.

    In a file shorter than a chunk Stash adds up only whole numbers: the first ones, and the last.
    """
    whole = min(os.fstat(descriptor).st_size // _WORD_BYTES * _WORD_BYTES, CHUNK_BYTES)
    return oshash in (oshash_of(descriptor), _oshash(descriptor, whole))


def _oshash(descriptor: int, chunk: int) -> str:
    size = os.fstat(descriptor).st_size
    words = _sum(os.pread(descriptor, chunk, 0)) + _sum(os.pread(descriptor, chunk, size - chunk))
    return f"{(size + words) % 2**64:016x}"


def fingerprint(descriptor: int, path: bytes) -> str:
    """Return what the library knows a file by: an empty one by its path, as it holds nothing.

    Otherwise all empty files would be one video with many names.
    """
    status = os.fstat(descriptor)
    if status.st_size or not stat.S_ISREG(status.st_mode):
        return oshash_of(descriptor)
    return hashlib.blake2b(path, digest_size=8).hexdigest()


def content_of(descriptor: int) -> str:
    """Return a fingerprint of all that a small file holds: 16 hexadecimal digits; "" of others.

    An oshash is a sum, so it is the same for the same numbers in another order.
    """
    size = os.fstat(descriptor).st_size
    if not 0 < size <= SMALL_BYTES:
        return ""
    return hashlib.blake2b(os.pread(descriptor, size, 0), digest_size=8).hexdigest()


def fingerprints_of(descriptor: int, path: bytes) -> list[str]:
    """Return what the library may know an open file by, the surest first."""
    found = (content_of(descriptor), fingerprint(descriptor, path))
    return [one for one in found if one]


def _sum(content: bytes) -> int:
    filled = content.ljust(-(-len(content) // _WORD_BYTES) * _WORD_BYTES, b"\0")
    return int(np.frombuffer(filled, "<u8").sum(dtype=np.uint64))
