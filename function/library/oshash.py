"""Fingerprints a video as Stash does: by its size, its beginning and its end."""

import hashlib
import os
import stat

import numpy as np

CHUNK_BYTES = 64 * 1024
"""OpenSubtitles' hash, which Stash calls oshash, adds up the first and the last 64 KiB."""

_WORD_BYTES = 8


def oshash_of(descriptor: int) -> str:
    """Return the fingerprint of an open file: 16 hexadecimal digits.

    It is the sum of the size and of both chunks as 64-bit numbers, little-endian. A file shorter
    than a chunk is both; one that does not fill its last number is filled up with zeros (Stash has
    no fingerprint for it).
    """
    size = os.fstat(descriptor).st_size
    chunk = min(size, CHUNK_BYTES)
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


def _sum(content: bytes) -> int:
    filled = content.ljust(-(-len(content) // _WORD_BYTES) * _WORD_BYTES, b"\0")
    return int(np.frombuffer(filled, "<u8").sum(dtype=np.uint64))
