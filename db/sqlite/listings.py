"""The gallery one page at a time, for people to browse."""

import json
from typing import Any

from db.records import Listed, Listing
from db.sqlite.gallery import SqliteGallery

_LISTED = """
    id, name, disambiguation,
    (SELECT count(DISTINCT photo_hash) FROM encodings WHERE performer_id = performers.id),
    thumbnail IS NOT NULL
"""

_FOUND = """
    FROM performers
    WHERE name LIKE ? ESCAPE '!' OR (aliases != '[]' AND aliases LIKE ? ESCAPE '!' AND EXISTS
        (SELECT 1 FROM json_each(aliases) WHERE json_each.value LIKE ? ESCAPE '!'))
"""


def list_performers(gallery: SqliteGallery, text: str, start: int, limit: int) -> Listing:
    """List performers whose name or alias contains `text`, from number `start` on.

    Those whose name begins with `text` come first; then by name. Case is ignored (in ASCII).
    """
    holds = f"%{_escape(text)}%"
    begins = f"{_escape(text)}%"
    # Compared with the aliases as stored, so that the JSON of most performers is never parsed.
    written = f"%{_escape(json.dumps(text)[1:-1])}%"
    total = gallery.rows(f"SELECT count(*) {_FOUND}", holds, written, holds)[0][0]
    rows = gallery.rows(
        f"SELECT {_LISTED} {_FOUND} "
        "ORDER BY name NOT LIKE ? ESCAPE '!', name COLLATE NOCASE, id LIMIT ? OFFSET ?",
        *(holds, written, holds, begins, limit, start),
    )
    return Listing(tuple(_listed(row) for row in rows), total)


def _listed(row: tuple[Any, ...]) -> Listed:
    return Listed(row[0], row[1], row[2], row[3], bool(row[4]))


def _escape(text: str) -> str:
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")
