"""The gallery one page at a time, for people to browse."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from db.errors import PerformerNotFoundError
from db.gallery import Gallery
from db.records import Encoding

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
    """One performer in a list: just enough to show."""

    id: int
    name: str
    disambiguation: str
    photos: int
    has_thumbnail: bool


@dataclass(frozen=True)
class Listing:
    """A slice of the performers that a search found, and how many it found in all."""

    performers: tuple[Listed, ...]
    total: int


def list_performers(gallery: Gallery, search: str, start: int, limit: int) -> Listing:
    """List performers by name, from number `start` on, whose name or alias contains `search`.

    Those whose name begins with it come first. Case is ignored (in ASCII).
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


def find_listed(gallery: Gallery, performer_id: int) -> Listed:
    """Return one performer as a list shows them.

    Raises:
        PerformerNotFoundError: no performer has that id.
    """
    sql = f"SELECT {_LISTED} FROM performers WHERE id = ?"  # noqa: S608  # columns from above
    rows = gallery.rows(sql, performer_id)
    if not rows:
        raise PerformerNotFoundError(f"There is no performer {performer_id}, or not any more.")
    return _listed(rows[0])


def distances_to_others(encodings: list[Encoding]) -> list[float | None]:
    """Measure how far each encoding is from the mean of the performer's others; None if alone."""
    if len(encodings) < 2:  # noqa: PLR2004  # one has no others
        return [None] * len(encodings)
    vectors = np.stack([one.vector for one in encodings])
    others = (vectors.sum(axis=0) - vectors) / (len(vectors) - 1)
    return [float(distance) for distance in np.linalg.norm(vectors - others, axis=1)]


def _listed(row: tuple[Any, ...]) -> Listed:
    return Listed(row[0], row[1], row[2], row[3], bool(row[4]))


def _escape(text: str) -> str:
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")
