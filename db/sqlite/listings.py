"""The gallery one page at a time, for people to browse."""

from typing import Any

from db.names import name_key, show_text
from db.records import Listed, Listing
from db.sqlite.gallery import SqliteGallery

_LISTED = """
    id, name, disambiguation,
    (SELECT count(DISTINCT photo_hash) FROM encodings WHERE performer_id = performers.id),
    thumbnail IS NOT NULL
"""

_FOUND = """
    FROM performers WHERE instr(name_key(name), ?) > 0 OR a_key_holds(aliases, ?)
"""


def list_performers(gallery: SqliteGallery, text: str, start: int, limit: int) -> Listing:
    """List performers whose name or alias contains `text`, from number `start` on.

    Those whose name begins with `text` come first; then by name. Names are compared by `name_key`:
    case and accents do not count.
    """
    key = name_key(show_text(text))
    total = gallery.rows(f"SELECT count(*) {_FOUND}", key, key)[0][0]
    rows = gallery.rows(
        f"SELECT {_LISTED} {_FOUND} "
        "ORDER BY instr(name_key(name), ?) != 1, name_key(name), id LIMIT ? OFFSET ?",
        *(key, key, key, limit, start),
    )
    return Listing(tuple(_listed(row) for row in rows), total)


def _listed(row: tuple[Any, ...]) -> Listed:
    return Listed(row[0], row[1], row[2], row[3], bool(row[4]))
