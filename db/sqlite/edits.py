"""Changes a user makes by hand: merging two records, choosing a name, removing a photo."""

from collections.abc import Mapping

from sqlite_utils import Database

from db.errors import GalleryError, IdentityConflictError, PerformerNotFoundError
from db.identities import combine, renamed, without_alias
from db.names import quote
from db.records import EnrolledPhoto, Identity, Performer
from db.sqlite import notes
from db.sqlite.enrolments import save_details
from db.sqlite.gallery import SqliteGallery
from db.sqlite.gallery_connections import owe_scrub
from db.sqlite.gallery_lookups import QUALITY


def merge(gallery: SqliteGallery, kept: Performer, absorbed: Performer) -> Performer:
    """Merge two performers: `kept` takes over every id, alias, url and photo of `absorbed`.

    Returns the merged performer. From then on imports from either source find it.

    Raises:
        GalleryError: both are the same performer.
        PerformerNotFoundError: one is no longer there.
    """
    if kept.id == absorbed.id:
        raise GalleryError(f"{kept.name} ({kept.id}) cannot be merged with itself. Name two.")
    with gallery.writing() as db:
        kept, absorbed = gallery.performer(kept.id), gallery.performer(absorbed.id)
        # OR IGNORE leaves the encodings of photos that both have; they are deleted with the row.
        db.execute(
            "UPDATE OR IGNORE encodings SET performer_id = ? WHERE performer_id = ?",
            (kept.id, absorbed.id),
        )
        db.execute(
            "UPDATE performers SET thumbnail = coalesce(thumbnail, "
            "(SELECT thumbnail FROM performers WHERE id = ?)) WHERE id = ?",
            (absorbed.id, kept.id),
        )
        db.execute(
            "UPDATE OR IGNORE removed_photos SET performer_id = ? WHERE performer_id = ?",
            (kept.id, absorbed.id),
        )
        db.execute(
            "UPDATE rejections SET performer_id = ? WHERE performer_id = ?", (kept.id, absorbed.id)
        )
        save_details(db, combine(kept, absorbed, keep_name=True))
        db.execute("DELETE FROM performers WHERE id = ?", (absorbed.id,))
        notes.log(gallery, "merge", {"performers": 2, "encodings": absorbed.encodings})
        return gallery.performer(kept.id)


def rename_identities(gallery: SqliteGallery, renamed: Mapping[Identity, Identity]) -> int:
    """Give ids other names, former to new; what was noted of them stays.

    A former id that nobody has is skipped; one whose new id the same performer has already is
    dropped. Returns how many changed.

    Raises:
        IdentityConflictError: a new id is another performer's; nothing is changed.
    """
    with gallery.writing() as db:
        return sum(_rename_identity(gallery, db, *pair) for pair in renamed.items())


def _rename_identity(gallery: SqliteGallery, db: Database, former: Identity, new: Identity) -> bool:
    owners = [gallery.find_identities([one]) for one in (former, new)]
    if not owners[0] or former == new:
        return False
    if owners[1] and owners[1][0].id != owners[0][0].id:
        raise IdentityConflictError(
            f"{owners[0][0].name} ({owners[0][0].id}) cannot get an id of {owners[1][0].name} "
            f"({owners[1][0].id}). If they are the same, merge them."
        )
    if owners[1]:
        db.execute("DELETE FROM identities WHERE source = ? AND source_id = ?", former)
    else:
        db.execute(
            "UPDATE identities SET source = ?, source_id = ? WHERE source = ? AND source_id = ?",
            (*new, *former),
        )
    db.execute(
        "UPDATE performers SET source = ?, source_id = ? WHERE source = ? AND source_id = ?",
        (*new, *former),
    )
    return True


def rename(
    gallery: SqliteGallery, performer: Performer, name: str, disambiguation: str | None
) -> None:
    """Rename a performer; later imports keep the new name, and the old one becomes an alias.

    If `disambiguation` is None, the stored one stays.

    Raises:
        PerformerNotFoundError: the performer is no longer there.
    """
    with gallery.writing() as db:
        save_details(db, renamed(gallery.performer(performer.id), name, disambiguation))
        db.execute("UPDATE performers SET renamed = 1 WHERE id = ?", (performer.id,))


def remove_alias(gallery: SqliteGallery, performer: Performer, alias: str) -> None:
    """Remove one of a performer's aliases; an import that still lists it adds it again.

    Raises:
        PerformerNotFoundError: the performer is no longer there, or has no such alias.
    """
    with gallery.writing() as db:
        save_details(db, without_alias(gallery.performer(performer.id), alias))


def photos_of(gallery: SqliteGallery, performer_id: int) -> list[EnrolledPhoto]:
    """List a performer's photos, oldest first, including those whose encoding is damaged."""
    rows = gallery.rows(
        f"SELECT origin, {QUALITY}, CAST(model AS TEXT), photo_hash, encodings.id FROM encodings "  # noqa: S608  # ours
        "LEFT JOIN models ON models.id = model WHERE performer_id = ? "
        "ORDER BY number, encodings.id",
        performer_id,
    )
    first: dict[str, tuple[int, EnrolledPhoto]] = {}
    for *columns, row_id in rows:
        photo = EnrolledPhoto(*columns)
        first.setdefault(photo.hash, (row_id, photo))
    return [photo for _, photo in sorted(first.values(), key=lambda pair: pair[0])]


def remove_photo(gallery: SqliteGallery, performer: Performer, photo: str) -> int:
    """Remove the encodings of one photo, given its origin or the start of its hash.

    No import enrols it again, unless `allow_photos` is called.
    Returns how many encodings were removed. With the last photo the thumbnail is removed too.

    Raises:
        PerformerNotFoundError: the performer has no such photo, or several match.
    """
    with gallery.writing() as db:
        photo_hash = _find_photo(gallery, performer, photo)
        removed = db.execute(
            "DELETE FROM encodings WHERE performer_id = ? AND photo_hash = ?",
            (performer.id, photo_hash),
        ).rowcount
        db.execute("INSERT OR IGNORE INTO removed_photos VALUES (?, ?)", (performer.id, photo_hash))
        db.execute(
            "UPDATE performers SET thumbnail = NULL WHERE id = ? AND NOT EXISTS "
            "(SELECT 1 FROM encodings WHERE performer_id = performers.id)",
            (performer.id,),
        )
        notes.log(gallery, "remove-photo", {"encodings": int(removed)})
        owe_scrub(db)
    gallery.scrub()
    return int(removed)


def _find_photo(gallery: SqliteGallery, performer: Performer, photo: str) -> str:
    rows = gallery.rows(
        "SELECT DISTINCT photo_hash FROM encodings "
        "WHERE performer_id = ? AND (origin = ? OR photo_hash LIKE ? || '%')",
        *(performer.id, photo, photo if photo.isalnum() else "-"),
    )
    if len(rows) != 1:
        found = f"{len(rows)} photos" if rows else "no photo"
        raise PerformerNotFoundError(
            f"{performer.name} has {found} {quote(photo)}. "
            f"`python -m tools show id:{performer.id}` lists them with their hashes."
        )
    return str(rows[0][0])


def allow_photos(gallery: SqliteGallery, performer: Performer) -> None:
    """Let a performer's removed photos be enrolled again."""
    with gallery.writing() as db:
        gallery.performer(performer.id)
        db.execute("DELETE FROM removed_photos WHERE performer_id = ?", (performer.id,))
