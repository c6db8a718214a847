"""The gallery one page at a time, for people to browse."""

import json
from typing import Any

from db.cells import as_text, read_texts
from db.names import name_key, show_text
from db.records import Listed, Listing
from db.sqlite.gallery import SqliteGallery

_LISTED = """
    id, name, disambiguation,
    (SELECT count(DISTINCT photo_hash) FROM encodings WHERE performer_id = performers.id),
    thumbnail IS NOT NULL
"""


_NUMBERED = "FROM performers WHERE id IN (SELECT value FROM json_each(?))"


def list_performers(gallery: SqliteGallery, text: str, start: int, limit: int) -> Listing:
    """List performers whose name or alias contains `text`, from number `start` on.

    Those whose name begins with `text` come first; then by name. Names are compared by `name_key`:
    case and accents do not count.
    """
    wanted = name_key(show_text(text)) if text.strip() else ""
    rows = gallery.rows("SELECT id, name, aliases FROM performers")
    found = sorted(
        (not key.startswith(wanted), key, number)
        for number, name, aliases in rows
        for key in (name_key(as_text(name)),)
        if wanted in key or (aliases != "[]" and _one_holds(aliases, wanted))
    )
    ids = [number for _, _, number in found[start : start + limit]]
    listed = gallery.rows(
        f"SELECT {_LISTED} {_NUMBERED}",
        json.dumps(ids),
    )
    by_id = {row[0]: _listed(row) for row in listed}
    return Listing(tuple(by_id[number] for number in ids if number in by_id), len(found))


def _one_holds(aliases: object, wanted: str) -> bool:
    return any(wanted in name_key(alias) for alias in read_texts(aliases) or ())


def _listed(row: tuple[Any, ...]) -> Listed:
    return Listed(row[0], as_text(row[1]), as_text(row[2]), row[3], bool(row[4]))
