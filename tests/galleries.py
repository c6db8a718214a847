"""Small galleries of made-up people for the tests."""

import numpy as np

from db.records import Encoding, Performer, Vector

MODEL = "test-model"


def made_up_vector(seed: int) -> Vector:
    """A vector as long as dlib's are, in a direction of its own."""
    direction = np.random.default_rng(seed).normal(size=128)
    return (1.4 * direction / np.linalg.norm(direction)).astype(np.float32)


def performer(name: str, source_id: str | None = None, **fields: object) -> Performer:
    return Performer(id=0, name=name, source="folder", source_id=source_id or name, **fields)  # type: ignore[arg-type]


def encoding(seed: int, photo_hash: str | None = None, model: str = MODEL) -> Encoding:
    return Encoding(
        vector=made_up_vector(seed),
        model=model,
        quality=0.9,
        photo_hash=photo_hash or f"hash{seed}",
        origin=f"photo{seed}.jpg",
    )
