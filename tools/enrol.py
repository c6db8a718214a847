"""Photos become encodings in the gallery; what is refused, and why."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from db.errors import ForgottenError, IdentityConflictError
from db.gallery import Change, Gallery
from db.identities import identities_of
from db.records import Encoding, Identity, Performer, Vector
from function.engines import Engine
from function.faces import Face
from function.photos import PhotoNotFetchedError, PhotoRefusedError
from function.portraits import find_only_face
from function.quality import SMALL_PIXELS
from tools.names import find_complaint
from tools.sources import Photo, Refusal, SourceRecord

SAME_PHOTO_DISTANCE = 0.12
"""Nearer encodings are of one picture. Six portraits, saved again at JPEG quality 60 to 95 or
scaled to a half, moved by 0.035 to 0.115; two pictures of one person lay 0.34 apart."""


WAYS_OUT = {
    "several faces": ", or say --largest-face",
    "blurred": ", or say --allow-blurred",
}
"""What an import can be told instead, by the beginning of a refusal."""


@dataclass(frozen=True)
class Demands:
    """What a photo must be to be enrolled.

    `look_again` asks for the photos of records that were enrolled in full and have not changed.
    """

    largest_face: bool = False
    smallest_pixels: int = SMALL_PIXELS
    allow_blurred: bool = False
    look_again: bool = False


@dataclass(frozen=True)
class Enrolment:
    """What became of one performer: the change, the photos added, and those left out.

    `change` is None where nothing was stored; `forgotten` where the user asked for that;
    `is_incomplete` where a photo did not arrive and may the next time.
    """

    performer: str
    change: Change | None
    added_photos: int
    refusals: tuple[Refusal, ...] = field(default=())
    duplicates: tuple[str, ...] = field(default=())
    namesakes: tuple[int, ...] = field(default=())
    forgotten: bool = False
    is_incomplete: bool = False


def enrol_all(
    records: Iterable[SourceRecord | Refusal],
    gallery: Gallery,
    engine: Engine,
    demands: Demands = Demands(),
) -> Iterator[Enrolment]:
    """Enrol performers one by one; each is in the gallery, whole, when its Enrolment comes out."""
    for record in records:
        if isinstance(record, Refusal):
            yield Enrolment(record.performer, None, 0, (record,))
        else:
            yield enrol_performer(record, gallery, engine, demands)


def enrol_performer(
    record: SourceRecord,
    gallery: Gallery,
    engine: Engine,
    demands: Demands = Demands(),
) -> Enrolment:
    """Encode the photos of one performer that are new, and store them in one step.

    A performer none of whose photos can be used is not added: `change` is None.
    """
    performer = record.performer
    complaint = find_complaint(performer)
    if complaint:
        return _refused(performer, complaint)
    try:
        stored = gallery.find_same(performer)
    except IdentityConflictError as error:
        return _refused(performer, str(error))
    except ForgottenError:
        return Enrolment(performer.name, None, 0, forgotten=True)
    if not demands.look_again and is_done(record, gallery):
        return Enrolment(performer.name, "unchanged", 0)
    looked_at = _Photos(engine, demands)
    if stored:
        looked_at.know(gallery.encodings(stored.id), gallery.removed_photos(stored.id))
    for photo in record.photos:
        looked_at.look_at(performer.name, photo)
    if not looked_at.new and stored is None:
        refusals = tuple(looked_at.refusals)
        is_incomplete = looked_at.is_incomplete
        return Enrolment(performer.name, None, 0, refusals, is_incomplete=is_incomplete)
    change = gallery.enrol(performer, looked_at.new, looked_at.poster())
    if record.updated_at and not looked_at.is_incomplete:
        identity = Identity(performer.source, performer.source_id)
        gallery.note_updated_at(identity, record.updated_at)
    return Enrolment(
        performer.name,
        change,
        len(looked_at.new),
        tuple(looked_at.refusals),
        tuple(looked_at.duplicates),
        _namesakes(performer, gallery) if change == "added" else (),
        is_incomplete=looked_at.is_incomplete,
    )


def is_done(record: SourceRecord, gallery: Gallery) -> bool:
    """Say whether the source has not changed the record since it was enrolled in full."""
    identity = Identity(record.performer.source, record.performer.source_id)
    return bool(record.updated_at) and gallery.updated_at(identity) == record.updated_at


def spare_done(
    records: Iterable[SourceRecord | Refusal], gallery: Gallery
) -> Iterator[SourceRecord | Refusal]:
    """Take the photos off records that need none, so that nobody fetches them."""
    for record in records:
        if isinstance(record, SourceRecord) and (
            is_done(record, gallery) or gallery.has_forgotten(record.performer)
        ):
            yield replace(record, photos=())
        else:
            yield record


class _Photos:
    """The photos of one performer as they are looked at: what is new, refused, or known already."""

    def __init__(self, engine: Engine, demands: Demands) -> None:
        self._engine = engine
        self._demands = demands
        self._hashes: set[str] = set()
        self._vectors: list[Vector] = []
        self._best: Face | None = None
        self.new: list[Encoding] = []
        self.refusals: list[Refusal] = []
        self.duplicates: list[str] = []
        self.is_incomplete = False

    def know(self, stored: list[Encoding], removed: set[str]) -> None:
        same_model = [one for one in stored if one.model == self._engine.model]
        self._hashes |= removed | {one.photo_hash for one in same_model}
        self._vectors += [one.vector for one in same_model]

    def look_at(self, performer: str, photo: Photo) -> None:
        try:
            content = photo.read()
            photo_hash = hashlib.sha256(content).hexdigest()
            if photo_hash in self._hashes:
                return
            face = find_only_face(
                content,
                self._engine,
                largest_face=self._demands.largest_face,
                smallest_pixels=self._demands.smallest_pixels,
                allow_blurred=self._demands.allow_blurred,
            )
        except (OSError, PhotoRefusedError) as error:
            # A photo that did not arrive may do so next time; one that was seen will not change.
            self.is_incomplete |= isinstance(error, OSError | PhotoNotFetchedError)
            self.refusals.append(Refusal(performer, photo.origin, _explain(error)))
            return
        self._hashes.add(photo_hash)
        if _distance_to_nearest(face.encoding, self._vectors) < SAME_PHOTO_DISTANCE:
            self.duplicates.append(photo.origin)
            return
        self._vectors.append(face.encoding)
        self.new.append(_encoding(face, self._engine.model, photo_hash, photo))
        if self._best is None or face.quality > self._best.quality:
            self._best = face

    def poster(self) -> bytes | None:
        return self._best.crop if self._best else None


def _explain(error: Exception) -> str:
    reason = str(error)
    return reason + next((way for kind, way in WAYS_OUT.items() if reason.startswith(kind)), "")


def _distance_to_nearest(vector: Vector, others: list[Vector]) -> float:
    if not others:
        return float("inf")
    return float(np.linalg.norm(np.stack(others) - vector, axis=1).min())


def _refused(performer: Performer, reason: str) -> Enrolment:
    # A name may be refused for being endless; the report shows where it begins.
    name = " ".join(performer.name.split())[:80]
    return Enrolment(name, None, 0, (Refusal(name, "", reason),))


def _namesakes(performer: Performer, gallery: Gallery) -> tuple[int, ...]:
    (stored,) = gallery.find_identities(identities_of(performer))
    return tuple(one.id for one in gallery.namesakes(stored))


def _encoding(face: Face, model: str, photo_hash: str, photo: Photo) -> Encoding:
    return Encoding(
        vector=face.encoding,
        model=model,
        quality=face.quality,
        photo_hash=photo_hash,
        origin=photo.origin,
        weaknesses=", ".join(face.weaknesses),
    )
