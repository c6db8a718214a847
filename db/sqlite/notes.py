"""What a gallery records about imports: how far each source was read, and what was done."""

import json

from db.cells import as_text, read_object
from db.records import Identity
from db.sqlite.gallery import SqliteGallery


def updated_at(gallery: SqliteGallery, identity: Identity) -> str:
    """Return the source's time of the record last enrolled in full; "" if there is none."""
    rows = gallery.rows(
        "SELECT updated_at FROM identities WHERE source = ? AND source_id = ?", *identity
    )
    return str(rows[0][0]) if rows else ""


def note_updated_at(gallery: SqliteGallery, identity: Identity, when: str) -> None:
    """Record that everything its source had for a record at `when` was enrolled."""
    gallery.note(
        "UPDATE identities SET updated_at = ? WHERE source = ? AND source_id = ?", when, *identity
    )


def checkpoint(gallery: SqliteGallery, source: str) -> str:
    """Return the time up to which a source's changes were read in full; "" if never."""
    rows = gallery.rows("SELECT updated_at FROM checkpoints WHERE source = ?", source)
    return str(rows[0][0]) if rows else ""


def note_checkpoint(gallery: SqliteGallery, source: str, when: str) -> None:
    """Record that everything a source changed until `when` was read."""
    gallery.note("INSERT OR REPLACE INTO checkpoints VALUES (?, ?)", source, when)


def log(gallery: SqliteGallery, verb: str, counts: dict[str, int]) -> None:
    """Add a line to the journal, which only grows and holds no names."""
    gallery.note("INSERT INTO journal (verb, counts) VALUES (?, ?)", verb, json.dumps(counts))


def journal(gallery: SqliteGallery) -> list[tuple[str, str, dict[str, int]]]:
    """List what was done to the gallery, oldest first: when (UTC), the verb, the counts."""
    rows = gallery.rows("SELECT at, verb, counts FROM journal ORDER BY id")
    return [(as_text(at), as_text(verb), read_object(counts) or {}) for at, verb, counts in rows]
