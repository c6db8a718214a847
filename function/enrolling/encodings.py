"""Turns the face chosen in a photo into the encodings to store: one for each net."""

from collections.abc import Sequence

from db.records import Encoding
from function.faces.face import Face

LARGEST_BYTES = 20_000
"""Of a face's small picture; one takes about 3 KB."""

LONGEST_ORIGIN = 4_000
"""More of a photo's URL than anybody reads, and as much as a bundle takes."""


def encodings_of(
    face: Face, models: Sequence[str], photo_hash: str, origin: str
) -> tuple[Encoding, ...]:
    """Return a face's encodings; `models` are the ids of the nets, the primary one first.

    The first one has the face's own small picture, if that is as small as it should be.
    """
    pictures = [face.chip if len(face.chip) <= LARGEST_BYTES else b"", b""]
    vectors = [face.encoding, *([face.second] if face.second is not None else [])]
    return tuple(
        Encoding(
            vector=vector,
            model=model,
            quality=face.quality,
            photo_hash=photo_hash,
            origin=origin[:LONGEST_ORIGIN],
            weaknesses=", ".join(face.weaknesses),
            face=picture,
        )
        for vector, model, picture in zip(vectors, models, pictures, strict=False)
    )
