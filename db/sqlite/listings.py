"""The gallery a page at a time, as people look through it."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from db.records import Encoding
from db.sqlite.gallery import SqliteGallery

_LISTED = """
    id, name, disambiguation,
    (SELECT count(*) FROM encodings WHERE performer_id = performers.id), thumbnail IS NOT NULL
"""

_FOUND = """
    FROM performers
    WHERE name LIKE ? ESCAPE '!' OR (aliases != '[]' AND aliases LIKE ? ESCAPE '!')
"""


@dataclass(frozen=True)
class Listed:
    """One performer in a list: enough to show, and no more."""

    id: int
    name: str
    disambiguation: str
    photos: int
    has_thumbnail: bool


@dataclass(frozen=True)
class Listing:
    """A stretch of the performers that were searched for, and how many there are in all."""

    performers: tuple[Listed, ...]
    total: int


def list_performers(gallery: SqliteGallery, search: str, start: int, limit: int) -> Listing:
    """List performers by name, from number `start` on, whose name or alias holds `search`.

    Those whose name begins with it come first. Upper and lower case are alike (in ASCII).
    """
    holds = f"%{_escape(search)}%"
    begins = f"{_escape(search)}%"
    total = gallery.rows(f"SELECT count(*) {_FOUND}", holds, holds)[0][0]
    rows = gallery.rows(
        f"SELECT {_LISTED} {_FOUND} "
        "ORDER BY name NOT LIKE ? ESCAPE '!', name COLLATE NOCASE, id LIMIT ? OFFSET ?",
        *(holds, holds, begins, limit, start),
    )
    return Listing(tuple(_listed(row) for row in rows), total)


def distances_to_others(encodings: list[Encoding]) -> list[float | None]:
    """Measure how far each encoding is from the mean of the performer's others; None for one."""
    if len(encodings) < 2:  # noqa: PLR2004  # one has no others
        return [None] * len(encodings)
    vectors = np.stack([one.vector for one in encodings])
    others = (vectors.sum(axis=0) - vectors) / (len(vectors) - 1)
    return [float(distance) for distance in np.linalg.norm(vectors - others, axis=1)]


def _listed(row: tuple[Any, ...]) -> Listed:
    return Listed(row[0], row[1], row[2], row[3], bool(row[4]))


def _escape(text: str) -> str:
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")
