"""Vectors as bytes: float32, little-endian, the same on every machine."""

import numpy as np

from db.errors import DamagedVectorError
from db.records import Vector

DIMENSIONS = 128
BLOB_BYTES = DIMENSIONS * 4
_LITTLE_ENDIAN = np.dtype("<f4")


def to_blob(vector: Vector) -> bytes:
    """Turn an encoding into the bytes that are stored.

    Raises:
        DamagedVectorError: it does not have 128 dimensions, or holds NaN or infinity.
    """
    if vector.shape != (DIMENSIONS,):
        raise DamagedVectorError(f"An encoding has shape (128,), this one has {vector.shape}.")
    if not np.isfinite(vector).all():
        raise DamagedVectorError("An encoding holds NaN or infinity and cannot be stored.")
    return vector.astype(_LITTLE_ENDIAN).tobytes()


def from_blob(blob: bytes) -> Vector:
    """Turn stored bytes back into an encoding, float32 (128,).

    Raises:
        DamagedVectorError: the length is not 512 bytes, or a number is NaN or infinite.
    """
    if len(blob) != BLOB_BYTES:
        raise DamagedVectorError(f"An encoding has {BLOB_BYTES} bytes, this blob has {len(blob)}.")
    vector = np.frombuffer(blob, dtype=_LITTLE_ENDIAN).astype(np.float32)
    if not np.isfinite(vector).all():
        raise DamagedVectorError("The blob holds NaN or infinity.")
    return vector
