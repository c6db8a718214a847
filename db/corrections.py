"""What a user says about a person in a video: who it is, or is not; each can be undone."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from db.blobs import from_blob, to_blob
from db.gallery import Gallery
from db.records import Encoding, Identity, Performer, Vector
from db.rejections import REJECTED_WITHIN

SOURCE = "page"
"""The source of performers that a user named in a video or added by hand."""


@dataclass(frozen=True, eq=False)
class Look:
    """A person as seen in one video: the template, the encodings worth enrolling, a picture."""

    template: Vector
    encodings: tuple[Encoding, ...]
    picture: bytes
    model: str
    origin: str


@dataclass(frozen=True)
class Correction:
    """What one correction changed, so that it can be undone.

    `photo_hashes` were added to the performer, `added` are the ids of new rejections, `lifted` the
    rejections that were taken back: performer, vector, model and origin.
    """

    performer: Performer
    created: bool = False
    photo_hashes: tuple[str, ...] = ()
    added: tuple[int, ...] = ()
    lifted: tuple[tuple[int, bytes, str, str], ...] = ()


def new_performer(name: str) -> Performer:
    """Return a performer known only from the user, not from any source."""
    return Performer(id=0, name=name, source=SOURCE, source_id=uuid.uuid4().hex)


def assign(
    gallery: Gallery, performer: Performer, look: Look, instead_of: Performer | None = None
) -> Correction:
    """Enrol a seen person as `performer` (stored if new), and reject `instead_of` for them.

    Raises:
        ForgottenError: the performer was forgotten.
        OtherModelError: the gallery holds encodings of another model.
    """
    known = gallery.photo_hashes(performer.id, look.model) if performer.id else set()
    change = gallery.enrol(performer, look.encodings, look.picture)
    (stored,) = gallery.find_identities([Identity(performer.source, performer.source_id)])
    new = gallery.photo_hashes(stored.id, look.model) - known
    added = reject(gallery, instead_of, look).added if instead_of else ()
    return Correction(
        performer=stored,
        created=change == "added",
        photo_hashes=tuple(sorted(new)),
        added=added,
        lifted=_lift(gallery, stored, look),
    )


def reject(gallery: Gallery, performer: Performer, look: Look) -> Correction:
    """Record that a seen person is not `performer`, who is then no longer offered for them."""
    with gallery.writing() as db:
        inserted = db.execute(
            "INSERT INTO rejections (performer_id, vector, model, origin) VALUES (?, ?, ?, ?)",
            (performer.id, to_blob(look.template), look.model, look.origin),
        )
        rejection = int(inserted.lastrowid or 0)
    return Correction(performer, added=(rejection,))


def undo(gallery: Gallery, correction: Correction) -> None:
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
    gallery: Gallery, performer: Performer, look: Look
) -> tuple[tuple[int, bytes, str, str], ...]:
    """Take back an earlier rejection of this performer for this person, if there is one."""
    rows = gallery.rows(
        "SELECT id, performer_id, vector, model, origin FROM rejections "
        "WHERE performer_id = ? AND model = ?",
        *(performer.id, look.model),
    )
    near = [row for row in rows if _is_near(row[2], look.template)]
    if near:
        _delete(gallery, [row[0] for row in near])
    return tuple((row[1], row[2], row[3], row[4]) for row in near)


def _is_near(blob: bytes, template: Vector) -> bool:
    return float(np.linalg.norm(from_blob(blob) - template)) < REJECTED_WITHIN


def _delete(gallery: Gallery, rejections: Sequence[int]) -> None:
    with gallery.writing() as db:
        for rejection in rejections:
            db.execute("DELETE FROM rejections WHERE id = ?", (rejection,))
