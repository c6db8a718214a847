"""Erases how somebody looks from what was rejected for others, when they are forgotten.

Whoever says "this is not Bob" has the look of somebody else kept beside Bob.
"""

import sqlite3
from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from db.blobs import has_length
from db.sqlite.ledger_decisions import NEAR


def erase_rejected(db: sqlite3.Connection, performers: Collection[int]) -> None:
    """Delete what was rejected for others and looks like one of some performers, still there.

    What looks more like somebody else is theirs, and stays; the one for whom it was rejected does
    not count. The caller holds the transaction.
    """
    rows = _rows(db, "rejections")
    for model in {row[3] for row in rows}:
        encodings = [row for row in _rows(db, "encodings") if row[3] == model]
        dimensions = max((len(row[2]) // 4 for row in encodings), default=0)
        if not dimensions:
            continue
        sound = [row for row in encodings if has_length(row[2], dimensions)]
        owners = np.array([row[1] for row in sound])
        vectors = np.frombuffer(b"".join(row[2] for row in sound), "<f4").reshape(len(sound), -1)
        are_theirs = np.isin(owners, [*performers])
        for number, owner, look, its_model in rows:
            if its_model != model or owner in performers or not has_length(look, dimensions):
                continue
            theirs = _nearest(look, vectors[are_theirs])
            # Others are measured only then: there may be a hundred thousand.
            if theirs <= NEAR and theirs <= _nearest(
                look, vectors[~are_theirs & (owners != owner)]
            ):
                db.execute("DELETE FROM rejections WHERE id = ?", (number,))


def _rows(db: sqlite3.Connection, table: str) -> list[tuple[int, int, bytes, str]]:
    """Return what is there; nothing of a table that schemas did not have yet."""
    if not db.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone():
        return []
    sql = (
        f"SELECT id, performer_id, vector, model FROM {table} "  # noqa: S608  # one of ours
        "WHERE typeof(vector) = 'blob'"
    )
    return db.execute(sql).fetchall()


def _nearest(look: bytes, vectors: NDArray[np.float32]) -> float:
    apart = np.linalg.norm(vectors - np.frombuffer(look, "<f4"), axis=1)
    return float(np.nanmin(apart, initial=np.inf))
