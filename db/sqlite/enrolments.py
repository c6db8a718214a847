"""Enrols a performer in a gallery: adds them, or what is new to the one who is there."""

import json
from collections.abc import Sequence
from dataclasses import replace

from sqlite_utils import Database

from db.blobs import to_blob
from db.errors import DamagedVectorError, OtherModelError
from db.identities import combine, identities_of
from db.records import Change, Encoding, Performer
from db.sqlite.gallery_lookups import GalleryLookups


def enrol(
    gallery: GalleryLookups,
    performer: Performer,
    encodings: Sequence[Encoding],
    thumbnail: bytes | None,
) -> Change:
    """Add a performer, or add what is new to the one who shares an id with this record.

    `performer.id` is ignored. Photos already stored stay, and so does a thumbnail.

    Raises:
        OtherModelError: a photo would have no encoding of the gallery's primary model.
        DamagedVectorError: an encoding cannot be stored; nothing was.
        IdentityConflictError: the record carries the ids of two performers.
        ForgottenError: the performer was forgotten.
    """
    with gallery.writing() as db:
        stored = gallery.find_same(performer)
        encodings = _primary_first(gallery, db, stored, encodings)
        if stored is None:
            _add(gallery, db, performer, encodings, thumbnail)
            return "added"
        keep_name = bool(
            gallery.rows("SELECT renamed FROM performers WHERE id = ?", stored.id)[0][0]
        )
        combined = combine(stored, performer, keep_name=keep_name)
        if combined != stored:
            save_details(db, combined)
        pictured = thumbnail is not None and gallery.thumbnail(stored.id) is None
        if pictured:
            db.table("performers").update(stored.id, {"thumbnail": thumbnail})
        added = _save_encodings(gallery, db, stored.id, encodings)
        return "updated" if added or pictured or combined != stored else "unchanged"


def save_details(db: Database, performer: Performer) -> None:
    """Write a performer's name, aliases and other details; the caller holds the transaction."""
    db.execute(
        "UPDATE performers SET name = ?, disambiguation = ?, aliases = ?, urls = ?, "
        "poster_url = ?, updated = CURRENT_TIMESTAMP WHERE id = ?",
        (
            performer.name,
            performer.disambiguation,
            json.dumps(performer.aliases),
            json.dumps(performer.urls),
            performer.poster_url,
            performer.id,
        ),
    )
    for identity in identities_of(performer):
        db.execute(
            "INSERT INTO identities (source, source_id, performer_id) VALUES (?, ?, ?) "
            "ON CONFLICT DO UPDATE SET performer_id = excluded.performer_id",
            (*identity, performer.id),
        )


def _primary_first(
    gallery: GalleryLookups, db: Database, stored: Performer | None, encodings: Sequence[Encoding]
) -> Sequence[Encoding]:
    """Refuse photos without an encoding of the primary model; put its encodings first.

    So a gallery that is filled from this one, performer by performer, has the same primary
    model.
    """
    if not encodings:
        return encodings
    primary = next(iter(gallery.models()), "")
    if not primary:
        # Models without any encodings left would otherwise come before the new one.
        db.execute("DELETE FROM models")
        primary = encodings[0].model
    known = gallery.photo_hashes(stored.id, primary) if stored else set()
    known |= {one.photo_hash for one in encodings if one.model == primary}
    for encoding in encodings:
        if encoding.photo_hash not in known:
            raise OtherModelError(
                f"The gallery holds encodings of {primary}, but these are of {encoding.model}; "
                "they cannot be compared. Use another gallery file, or the engine that made it."
            )
    return sorted(encodings, key=lambda one: one.model != primary)


def _add(
    gallery: GalleryLookups,
    db: Database,
    performer: Performer,
    encodings: Sequence[Encoding],
    thumbnail: bytes | None,
) -> None:
    origin = {"source": performer.source, "source_id": performer.source_id}
    inserted = db.table("performers").insert(
        {"name": performer.name, "thumbnail": thumbnail, **origin}
    )
    performer_id = int(str(inserted.last_pk))
    save_details(db, replace(performer, id=performer_id))
    _save_encodings(gallery, db, performer_id, encodings)


def _save_encodings(
    gallery: GalleryLookups, db: Database, performer_id: int, encodings: Sequence[Encoding]
) -> int:
    added = 0
    for encoding in encodings:
        if encoding.photo_hash in gallery.photo_hashes(performer_id, encoding.model):
            continue
        _note_model(gallery, db, encoding)
        db.table("encodings").insert(
            {
                "performer_id": performer_id,
                "vector": to_blob(encoding.vector),
                "model": encoding.model,
                "quality": encoding.quality,
                "photo_hash": encoding.photo_hash,
                "origin": encoding.origin,
                "weaknesses": encoding.weaknesses,
                "face": encoding.face or None,
            }
        )
        added += 1
    return added


def _note_model(gallery: GalleryLookups, db: Database, encoding: Encoding) -> None:
    """Store how long a model's encodings are, or refuse an encoding of another length."""
    dimensions = len(encoding.vector)
    db.execute(
        "INSERT OR IGNORE INTO models (id, dimensions) VALUES (?, ?)",
        (encoding.model, dimensions),
    )
    sql = "SELECT dimensions FROM models WHERE id = ?"
    (expected,) = gallery.rows(sql, encoding.model)[0]
    if dimensions != expected:
        raise DamagedVectorError(
            f"An encoding of {encoding.model} has {expected} numbers, this one {dimensions}."
        )
