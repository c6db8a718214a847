"""What a user says about a person in a video: who it is, or is not; each can be undone."""

from collections.abc import Sequence

import numpy as np

from db.blobs import from_blob, to_blob
from db.records import Identity, Performer
from db.sightings import Correction, Sighting
from db.sqlite.gallery import SqliteGallery


def assign(
    gallery: SqliteGallery,
    performer: Performer,
    sighting: Sighting,
    instead_of: Performer | None = None,
) -> Correction:
    """Enrol a sighting as `performer` (stored if new), and reject `instead_of` for it.

    Raises:
        ForgottenError: the performer was forgotten.
        OtherModelError: the gallery holds encodings of another model.
    """
    known = gallery.photo_hashes(performer.id, sighting.model.id) if performer.id else set()
    with gallery.writing():
        change = gallery.enrol(performer, sighting.encodings, sighting.picture)
        (stored,) = gallery.find_identities([Identity(performer.source, performer.source_id)])
        new = gallery.photo_hashes(stored.id, sighting.model.id) - known
        added = reject(gallery, instead_of, sighting).added if instead_of else ()
        lifted = _lift(gallery, stored, sighting)
    return Correction(
        performer=stored,
        created=change == "added",
        photo_hashes=tuple(sorted(new)),
        added=added,
        lifted=lifted,
    )


def reject(gallery: SqliteGallery, performer: Performer, sighting: Sighting) -> Correction:
    """Record that a sighting is not `performer`, who is then no longer offered for it."""
    with gallery.writing() as db:
        inserted = db.execute(
            "INSERT INTO rejections (performer_id, vector, model, origin) VALUES (?, ?, ?, ?)",
            (performer.id, to_blob(sighting.template), sighting.model.id, sighting.origin),
        )
        rejection = int(inserted.lastrowid or 0)
    return Correction(performer, added=(rejection,))


def undo(gallery: SqliteGallery, correction: Correction) -> None:
    """Take a correction back; other changes made since then stay."""
    performer_id = correction.performer.id
    with gallery.writing() as db:
        for photo_hash in correction.photo_hashes:
            db.execute(
                "DELETE FROM encodings WHERE performer_id = ? AND photo_hash = ?",
                (performer_id, photo_hash),
            )
        for rejection in correction.added:
            db.execute("DELETE FROM rejections WHERE id = ?", (rejection,))
        for lifted in correction.lifted:
            db.execute(
                "INSERT INTO rejections (performer_id, vector, model, origin) "
                "SELECT ?, ?, ?, ? WHERE EXISTS (SELECT 1 FROM performers WHERE id = ?)",
                (*lifted, lifted[0]),
            )
        if correction.created:
            db.execute(
                "DELETE FROM performers WHERE id = ? AND NOT EXISTS "
                "(SELECT 1 FROM encodings WHERE performer_id = performers.id)",
                (performer_id,),
            )


def _lift(
    gallery: SqliteGallery, performer: Performer, sighting: Sighting
) -> tuple[tuple[int, bytes, str, str], ...]:
    """Take back an earlier rejection of this performer for this sighting, if there is one."""
    rows = gallery.rows(
        "SELECT id, performer_id, vector, model, origin FROM rejections "
        "WHERE performer_id = ? AND model = ?",
        *(performer.id, sighting.model.id),
    )
    near = [row for row in rows if _is_near(row[2], sighting)]
    if near:
        _delete(gallery, [row[0] for row in near])
    return tuple((row[1], row[2], row[3], row[4]) for row in near)


def _is_near(blob: bytes, sighting: Sighting) -> bool:
    apart = np.linalg.norm(from_blob(blob, sighting.model.dimensions) - sighting.template)
    return float(apart) < sighting.model.rejected_within


def _delete(gallery: SqliteGallery, rejections: Sequence[int]) -> None:
    with gallery.writing() as db:
        for rejection in rejections:
            db.execute("DELETE FROM rejections WHERE id = ?", (rejection,))
