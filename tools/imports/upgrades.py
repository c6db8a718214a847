"""Completes galleries that were filled without the second net, or with another one."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from db.errors import DamagedVectorError
from db.galleries import Gallery, GalleryChange
from db.models import EncodingKind
from db.records import Encoding, Performer
from function.engines.protocol import Engine
from function.library.enrolment import SOURCE
from function.media.photos import MAX_PHOTO_BYTES, PhotoRefusedError
from function.stash.scene_faces import ORIGIN
from function.web.results import CONFIRMED

SAME_PICTURE_WITHIN = 0.2
"""A face that is nearer than this to a stored encoding is the same picture. Copies of one, cut and
compressed again, are within 0.12; encodings of before, without the mirror image, are some 0.1 from
those of now; other pictures of one person are 0.34 and more away."""

FROM_VIDEOS = (f"{SOURCE}: ", f"{CONFIRMED} ", f"{ORIGIN} ")
"""How the origins of photos begin that were taken from a video, an album or a scene: there is no
file of them to import again."""


@dataclass(frozen=True)
class Upgrade:
    """How many photos of a performer were completed, and how many still lack an encoding.

    `from_videos` of those that lack one were taken from videos, and no picture of them completes
    them: neither this nor an import ever will.
    """

    performer: str
    completed: int
    lacking: int
    from_videos: int = 0


def find_lacking(gallery: Gallery, engine: Engine, second: EncodingKind) -> list[Performer]:
    """Return the performers some of whose photos have no encoding of the second net, by name."""
    return [one for one in gallery.performers() if _lacking(gallery, one.id, engine, second)]


def encode_lacking(
    gallery: Gallery, performer_id: int, engine: Engine, second: EncodingKind
) -> list[Encoding]:
    """Encode those of a performer's photos that lack an encoding, from what is here.

    A photo is read again where it was enrolled from, if that file is there and unchanged; or else
    the face in it, of which the gallery keeps a small picture. One of the others can be completed
    from the performer's poster, which is cut from it. Nothing is fetched over the network.
    """
    lacking = _lacking(gallery, performer_id, engine, second)
    read = [_complete(gallery, performer_id, one, engine, second) for one in lacking]
    left = [one for one, found in zip(lacking, read, strict=True) if found is None]
    picture = gallery.thumbnail(performer_id) if left else None
    poster = _encode_again(picture, left, engine, second)
    return [one for one in (*read, poster) if one is not None]


def complete_photos(
    gallery: GalleryChange,
    performer_id: int,
    encoded: Sequence[Encoding],
    engine: Engine,
    second: EncodingKind,
) -> Upgrade:
    """Store what `encode_lacking` found, for the photos that are still there and still lack it.

    Raises:
        PerformerNotFoundError: there is no such performer any more.
    """
    performer = gallery.performer(performer_id)
    lacking = {one.photo_hash: one for one in _lacking(gallery, performer_id, engine, second)}
    new = [one for one in encoded if one.photo_hash in lacking]
    if new:
        gallery.enrol(performer, new, None)
    for one in new:
        lacking.pop(one.photo_hash, None)
    from_videos = sum(one.origin.startswith(FROM_VIDEOS) for one in lacking.values())
    return Upgrade(performer.name, len(new), len(lacking), from_videos)


def _lacking(
    gallery: Gallery, performer_id: int, engine: Engine, second: EncodingKind
) -> list[Encoding]:
    """Return the encodings of the first net whose photos have none of the second."""
    try:
        encodings = gallery.encodings(performer_id)
    except DamagedVectorError:
        return []  # doctor names it
    complete = {one.photo_hash for one in encodings if one.model == second.id}
    first = engine.encoder.model.id
    return [one for one in encodings if one.model == first and one.photo_hash not in complete]


def _complete(
    gallery: Gallery, performer_id: int, lacking: Encoding, engine: Engine, second: EncodingKind
) -> Encoding | None:
    """Return the second encoding of a photo, from its file or from the face that is kept of it."""
    from function.enrolling.kept_faces import encode_kept  # noqa: PLC0415  # loads a decoder

    again = _encode_again(_read_unchanged(lacking), [lacking], engine, second)
    kept = gallery.photo_face(performer_id, lacking.photo_hash) if again is None else None
    vector = encode_kept(kept, engine) if kept else None
    if vector is None:
        return again
    return replace(lacking, vector=vector, model=second.id, face=b"")


def _read_unchanged(encoding: Encoding) -> bytes | None:
    """Read the file that a photo was enrolled from, if it still holds that photo."""
    path = Path(encoding.origin)
    try:
        if not path.is_file() or path.stat().st_size > MAX_PHOTO_BYTES:
            return None
        content = path.read_bytes()
    except (OSError, ValueError):  # an origin may be any text, also one that no file can have
        return None
    return content if hashlib.sha256(content).hexdigest() == encoding.photo_hash else None


def _encode_again(
    content: bytes | None, lacking: Sequence[Encoding], engine: Engine, second: EncodingKind
) -> Encoding | None:
    """Return the second encoding for the photo that a picture shows, if it is one of `lacking`."""
    from function.enrolling.search import search_photo  # noqa: PLC0415  # loads a decoder

    try:
        faces = search_photo(content, engine).faces if content else ()
    except PhotoRefusedError:
        return None
    pairs = [
        (float(np.linalg.norm(face.encoding - one.vector)), one.photo_hash, one, face.second)
        for one in lacking
        for face in faces
        if face.second is not None
    ]
    if not pairs:
        return None
    distance, _, nearest, vector = min(pairs, key=lambda pair: pair[:2])
    same = distance < SAME_PICTURE_WITHIN
    return replace(nearest, vector=vector, model=second.id, face=b"") if same else None
