"""Photos become encodings in the gallery; what is refused, and why."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from db.gallery import Change, Gallery
from db.records import Encoding
from function.engines import Engine
from function.faces import Face, faces_of_image
from function.quality import SMALL_PIXELS
from tools.photos import PhotoRefusedError, decode_photo
from tools.sources import Photo, SourceRecord

DETECTION_PIXELS = 800
"""Longest side of the picture in which a photo's face is looked for: a still may take longer."""


@dataclass(frozen=True)
class Refusal:
    """A photo that was not enrolled, and the reason."""

    performer: str
    photo: str
    reason: str


@dataclass(frozen=True)
class Enrolment:
    """What became of one performer: the change, the photos added, and those refused."""

    performer: str
    change: Change | None
    added_photos: int
    refusals: tuple[Refusal, ...] = field(default=())


def enrol_all(
    records: Iterable[SourceRecord], gallery: Gallery, engine: Engine
) -> Iterator[Enrolment]:
    """Enrol performers one by one; each is in the gallery, whole, when its Enrolment comes out."""
    for record in records:
        yield enrol_performer(record, gallery, engine)


def enrol_performer(record: SourceRecord, gallery: Gallery, engine: Engine) -> Enrolment:
    """Encode the photos of one performer that are new, and store them in one step.

    A performer none of whose photos can be used is not added: `change` is None.
    """
    performer = record.performer
    stored = gallery.find_same(performer)
    known = gallery.photo_hashes(stored.id, engine.model) if stored else set()
    encodings: dict[str, Encoding] = {}
    best: Face | None = None
    refusals = []
    for photo in record.photos:
        try:
            content = photo.read()
            photo_hash = hashlib.sha256(content).hexdigest()
            if photo_hash in known or photo_hash in encodings:
                continue
            face = find_only_face(content, engine)
        except (OSError, PhotoRefusedError) as error:
            refusals.append(Refusal(performer.name, photo.origin, str(error)))
            continue
        encodings[photo_hash] = _encoding(face, engine.model, photo_hash, photo)
        best = face if best is None or face.quality > best.quality else best
    if not encodings and stored is None:
        return Enrolment(performer.name, None, 0, tuple(refusals))
    change = gallery.enrol(performer, list(encodings.values()), best.crop if best else None)
    return Enrolment(performer.name, change, len(encodings), tuple(refusals))


def find_only_face(content: bytes, engine: Engine) -> Face:
    """Find the face of a photo that shows one person.

    Raises:
        PhotoRefusedError: the photo is unreadable, shows no face, several, or too small a one.
    """
    faces = faces_of_image(decode_photo(content), engine, DETECTION_PIXELS)
    if not faces:
        raise PhotoRefusedError("no face found")
    if len(faces) > 1:
        raise PhotoRefusedError(f"several faces: {len(faces)}; crop it to one")
    face = faces[0]
    if face.box.width < SMALL_PIXELS:
        raise PhotoRefusedError(
            f"too small: the face is {face.box.width} px wide, {SMALL_PIXELS} are needed"
        )
    return face


def _encoding(face: Face, model: str, photo_hash: str, photo: Photo) -> Encoding:
    return Encoding(
        vector=face.encoding,
        model=model,
        quality=face.quality,
        photo_hash=photo_hash,
        origin=photo.origin,
    )
