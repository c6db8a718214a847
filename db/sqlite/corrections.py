"""Corrections: the user says who a person in a video is, or is not; each can be undone."""

from collections.abc import Sequence

import numpy as np

from db.blobs import has_length, to_blob
from db.corrections import Correction, Subject
from db.records import Identity, Performer
from db.sqlite.gallery import SqliteGallery


def assign(
    gallery: SqliteGallery,
    performer: Performer,
    subject: Subject,
    instead_of: Performer | None = None,
) -> Correction:
    """Enrol a subject as `performer` (stored if new), and reject `instead_of` for it.

    Raises:
        ForgottenError: the performer was forgotten.
        OtherModelError: a photo would have no encoding of the gallery's primary model.
        PerformerNotFoundError: `instead_of` is no longer there.
    """
    with gallery.writing():
        before = gallery.find_same(performer)
        known = _hashes_of(gallery, before) if before else set()
        is_pictured = before is not None and gallery.thumbnail(before.id) is not None
        change = gallery.enrol(performer, subject.encodings, subject.picture or None)
        (stored,) = gallery.find_identities([Identity(performer.source, performer.source_id)])
        added = reject(gallery, instead_of, subject).added if instead_of else ()
        return Correction(
            performer=stored,
            created=change == "added",
            photo_hashes=tuple(sorted(_hashes_of(gallery, stored) - known)),
            added=added,
            lifted=_lift(gallery, stored, subject),
            picture=None if is_pictured else subject.picture or None,
        )


def reject(gallery: SqliteGallery, performer: Performer, subject: Subject) -> Correction:
    """Store that a subject is not `performer`, who is never offered for it again.

    Raises:
        PerformerNotFoundError: the performer is no longer there.
    """
    with gallery.writing() as db:
        performer = gallery.performer(performer.id)
        inserted = db.execute(
            "INSERT INTO rejections (performer_id, vector, model, origin) VALUES (?, ?, ?, ?)",
            (performer.id, to_blob(subject.template), subject.model.id, subject.origin),
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
        db.execute(
            "UPDATE performers SET thumbnail = NULL WHERE id = ? AND thumbnail = ?",
            (performer_id, correction.picture),
        )
        if correction.created:
            db.execute(
                "DELETE FROM performers WHERE id = ? AND NOT EXISTS "
                "(SELECT 1 FROM encodings WHERE performer_id = performers.id)",
                (performer_id,),
            )


def _hashes_of(gallery: SqliteGallery, performer: Performer) -> set[str]:
    sql = "SELECT photo_hash FROM encodings WHERE performer_id = ?"
    return {row[0] for row in gallery.rows(sql, performer.id)}


def _lift(
    gallery: SqliteGallery, performer: Performer, subject: Subject
) -> tuple[tuple[int, bytes, str, str], ...]:
    """Take back an earlier rejection of this performer for this subject, if there is one."""
    rows = gallery.rows(
        "SELECT id, performer_id, vector, model, origin FROM rejections "
        "WHERE performer_id = ? AND model = ?",
        *(performer.id, subject.model.id),
    )
    near = [row for row in rows if _is_near(row[2], subject)]
    if near:
        _delete(gallery, [row[0] for row in near])
    return tuple((row[1], row[2], row[3], row[4]) for row in near)


def _is_near(blob: bytes, subject: Subject) -> bool:
    if not has_length(blob, subject.model.dimensions):
        return False
    apart = np.linalg.norm(np.frombuffer(blob, "<f4") - subject.template)
    return float(apart) < subject.model.rejected_within


def _delete(gallery: SqliteGallery, rejections: Sequence[int]) -> None:
    with gallery.writing() as db:
        for rejection in rejections:
            db.execute("DELETE FROM rejections WHERE id = ?", (rejection,))
