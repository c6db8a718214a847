"""Vectors as bytes: float32, little-endian, the same on every machine."""

import numpy as np
from numpy.typing import NDArray

from db.errors import DamagedVectorError
from db.records import Vector, Vectors

NUMBER_BYTES = 4

LARGEST_NUMBER = 100.0
"""No net's encodings hold nearly as large a number; what a bad disk left may overflow in sums."""

NO_ENCODING = "NaN or infinity, numbers too large for an encoding, or only zeros"

_LITTLE_ENDIAN = np.dtype("<f4")


def to_blob(vector: Vector) -> bytes:
    """Turn an encoding into the bytes that are stored.

    Raises:
        DamagedVectorError: it is not a single vector, or holds NaN or infinity.
    """
    if vector.ndim != 1 or not len(vector):
        raise DamagedVectorError(f"An encoding is one row of numbers; this has {vector.shape}.")
    if not np.isfinite(vector).all():
        raise DamagedVectorError("An encoding holds NaN or infinity and cannot be stored.")
    return vector.astype(_LITTLE_ENDIAN).tobytes()


def from_blob(blob: bytes, dimensions: int) -> Vector:
    """Turn stored bytes back into an encoding, float32 (dimensions,).

    Raises:
        DamagedVectorError: the length is wrong, or the numbers are those of no encoding.
    """
    if not has_length(blob, dimensions):
        raise DamagedVectorError(
            f"An encoding takes {dimensions * NUMBER_BYTES} bytes, this blob has {len(blob)}."
        )
    vector = np.frombuffer(blob, dtype=_LITTLE_ENDIAN).astype(np.float32)
    if not are_sound(vector[None]).all():
        raise DamagedVectorError(f"The blob holds {NO_ENCODING}.")
    return vector


def has_length(blob: bytes, dimensions: int) -> bool:
    """Say whether a blob is as long as an encoding of `dimensions` numbers."""
    return dimensions > 0 and len(blob) == dimensions * NUMBER_BYTES


def are_sound(vectors: Vectors) -> NDArray[np.bool_]:
    """Say of each row whether an encoding can hold these numbers: (count,).

    Zeros alone, as a lost sector of a disk reads, NaN and endless numbers are of no face.
    """
    return are_largest_sound(np.abs(vectors).max(axis=1, initial=0.0))


def are_largest_sound(largest: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Say the same, given the largest number of each row, without signs."""
    are: NDArray[np.bool_] = (largest > 0) & (largest <= LARGEST_NUMBER)  # of NaN both are false
    return are


def stack_blobs(blobs: list[bytes], dimensions: int) -> Vectors:
    """Turn blobs of the right length into rows, float32 (count, dimensions), without checks."""
    joined = np.frombuffer(b"".join(blobs), dtype=_LITTLE_ENDIAN)
    return joined.reshape(-1, dimensions).astype(np.float32)
