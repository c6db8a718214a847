"""Erases how somebody looks from what was rejected for others, when they are forgotten.

Whoever says "this is not Bob" has the look of somebody else kept beside Bob.
"""

import sqlite3
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from db.blobs import NUMBER_BYTES, are_sound, has_length, stack_blobs
from db.records import Vectors
from db.sqlite.ledger_erased_decisions import NEAR
from db.vectors import find_near

ROWS_AT_ONCE = 10_000
"""This many looks are in memory at once, 10 MB at most: a gallery may hold a million."""


@dataclass(frozen=True, eq=False)
class _Looks:
    """Rows of a table: their ids, whom they belong to, and vectors, float32 (rows, dimensions)."""

    ids: NDArray[np.int64]
    owners: NDArray[np.int64]
    vectors: Vectors

    def only(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> "_Looks":
        return _Looks(self.ids[chosen], self.owners[chosen], self.vectors[chosen])


def erase_rejected(
    db: sqlite3.Connection,
    performers: Collection[int],
    looks: Collection[tuple[str, bytes]] = (),
) -> None:
    """Delete what was rejected for others and looks like one of some performers, still there.

    `looks` are more encodings of theirs, each with its model. What looks more like somebody else is
    theirs, and stays; the one for whom it was rejected does not count. The caller holds the
    transaction.
    """
    if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'rejections'").fetchone():
        return  # schemas did not have it yet
    sql = "SELECT model, vector FROM encodings WHERE performer_id = ? AND typeof(vector) = 'blob'"
    known = {row for one in performers for row in db.execute(sql, (one,))} | {*looks}
    for model, size in {(model, len(look)) for model, look in known}:
        dimensions = size // NUMBER_BYTES
        if has_length(bytes(size), dimensions):
            same = [look for its_model, look in known if (its_model, len(look)) == (model, size)]
            theirs = stack_blobs(same, dimensions)
            sound = theirs[are_sound(theirs)]
            doomed = _find_theirs(db, model, sound, performers)
            db.executemany("DELETE FROM rejections WHERE id = ?", [(one,) for one in doomed])


def _find_theirs(
    db: sqlite3.Connection, model: str, theirs: Vectors, performers: Collection[int]
) -> list[int]:
    """List the rejections for others than some performers that look like them and nobody else."""
    rejected, apart = _find_near(db, model, theirs, performers)
    if not len(apart):
        return []  # as mostly: others need not be read
    is_others = np.zeros(len(apart), np.bool_)
    for part in _read(db, "encodings", model, theirs.shape[1], performers):
        near = find_near(rejected.vectors, part.vectors, apart, len(part.ids))
        is_nearer = near.distances < apart[near.rows]
        counts = rejected.owners[near.rows] != part.owners[near.columns]
        is_others[near.rows[is_nearer & counts]] = True
    found: list[int] = rejected.ids[~is_others].tolist()
    return found


def _find_near(
    db: sqlite3.Connection, model: str, theirs: Vectors, performers: Collection[int]
) -> tuple[_Looks, NDArray[np.float64]]:
    """Find the rejections that look like some performers, and how far they are from them."""
    nobody = np.empty(0, np.int64)
    found = [_Looks(nobody, nobody, theirs[:0])]
    apart = [np.empty(0)]
    for part in _read(db, "rejections", model, theirs.shape[1], performers):
        near = find_near(part.vectors, theirs, np.full(len(part.ids), NEAR), 1)
        found.append(part.only(near.rows))
        apart.append(near.distances)
    rows = _Looks(
        np.concatenate([one.ids for one in found]),
        np.concatenate([one.owners for one in found]),
        np.concatenate([one.vectors for one in found]),
    )
    return rows, np.concatenate(apart)


def _read(
    db: sqlite3.Connection, table: str, model: str, dimensions: int, performers: Collection[int]
) -> Iterator[_Looks]:
    """Read a table's sound rows that belong to others than some performers, some at a time."""
    sql = (
        f"SELECT id, performer_id, vector FROM {table} "  # noqa: S608  # one of ours
        "WHERE model = ? AND typeof(vector) = 'blob' AND length(vector) = ?"
    )
    cursor = db.execute(sql, (model, dimensions * NUMBER_BYTES))
    while rows := cursor.fetchmany(ROWS_AT_ONCE):
        read = _Looks(
            np.array([row[0] for row in rows]),
            np.array([row[1] for row in rows]),
            stack_blobs([row[2] for row in rows], dimensions),
        )
        yield read.only(are_sound(read.vectors) & ~np.isin(read.owners, [*performers]))
