"""Turns the face chosen in a photo into the encodings to store: one for each net."""

from collections.abc import Sequence

from db.records import Encoding
from function.faces.face import Face


def encodings_of(
    face: Face, models: Sequence[str], photo_hash: str, origin: str
) -> tuple[Encoding, ...]:
    """Return a face's encodings; `models` are the ids of the nets, the primary one first."""
    vectors = [face.encoding, *([face.second] if face.second is not None else [])]
    return tuple(
        Encoding(
            vector=vector,
            model=model,
            quality=face.quality,
            photo_hash=photo_hash,
            origin=origin,
            weaknesses=", ".join(face.weaknesses),
        )
        for vector, model in zip(vectors, models, strict=False)
    )
