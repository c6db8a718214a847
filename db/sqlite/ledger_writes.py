"""Keeps in a ledger what was written into Stash."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from sqlite_utils import Database

from db.cells import read_object, read_texts
from db.sqlite.ledger_connections import LedgerConnection
from db.sqlite.writers import in_turn
from db.writes import BESIDE, FromUs, ItemKind, Run, Write

_COLUMNS = (
    *("kind", "scene", "thing", "performer", "detail", "oshash", "before_at", "left_at", "state"),
    *("item", "run_id", "batch", "id"),
)
_WRITES = f"SELECT {', '.join(_COLUMNS)} FROM stash_writes"  # noqa: S608  # names of columns

_STILL_OURS = (
    "UPDATE stash_writes SET left_at = ? WHERE scene = ? AND scene <> '' AND item = ? "
    "AND left_at = ? AND kind IN ('performer', 'tag') AND state = 'done'"
)
"""What was as we left it is so still, after a further write of ours."""

_ADDED = (
    "SELECT scene, thing FROM stash_writes WHERE kind = 'performer' AND item = ? "
    "AND state <> 'undone'"
)

_FROM_US = """
    SELECT scene, thing FROM stash_writes
    WHERE kind = 'performer' AND item = 'scene' AND thing <> ''
    UNION SELECT scene, performer FROM stash_told
"""

_FROM_US_BY_FILE = """
    SELECT oshash, thing FROM stash_writes
    WHERE kind = 'performer' AND item = 'scene' AND thing <> '' AND oshash <> ''
    UNION SELECT oshash, performer FROM stash_told_of_files
"""

_TOLD = ("stash_told", "stash_told_of_files")
"""The tables of whom the scraper was told, by scene and by file."""

_UNDONE = "UPDATE stash_writes SET state = 'undone' WHERE id = ?"

_LEFT_TO_USER = (
    "UPDATE stash_writes SET state = 'undone', thing = '' WHERE id = ? AND state = 'done'"
)
"""So that nobody is from us by it any more, as somebody is whom we added and took away."""

LONGEST_TURN_SECONDS = 60.0
"""A request to Stash takes half a minute at most."""


class SqliteWrites:
    """The journal of a ledger, whose connection is used for reading and writing."""

    def __init__(self, ledger: LedgerConnection) -> None:
        self._ledger = ledger

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Be the only one who writes into Stash."""
        if self._ledger.path is None:
            yield
            return
        with in_turn(self._ledger.path, LONGEST_TURN_SECONDS):
            yield

    def begin_run(self, kind: str) -> int:
        """Note that something is going to be written."""
        with self._ledger.writing() as db:
            sql = "INSERT INTO stash_runs (kind) VALUES (?) RETURNING id"
            return int(db.execute(sql, (kind,)).fetchone()[0])

    def runs(self, limit: int = 20) -> list[Run]:
        """List the latest runs that wrote something."""
        rows = self._ledger.rows(
            "SELECT stash_runs.id, stash_runs.kind, at, "
            "count(DISTINCT CASE WHEN scene <> '' THEN item || scene END), "
            "sum(stash_writes.kind = 'performer'), sum(stash_writes.kind = 'marker'), "
            "sum(state = 'undone') FROM stash_runs JOIN stash_writes ON run_id = stash_runs.id "
            "GROUP BY stash_runs.id ORDER BY stash_runs.id DESC LIMIT ?",
            limit,
        )
        return [Run(*row) for row in rows]

    def intend(self, run: int, writes: Sequence[Write]) -> list[Write]:
        """Note what the next request to Stash is to write."""
        noted: list[Write] = []
        with self._ledger.writing() as db:
            for write in writes:
                first = noted[0].batch if noted else _next_batch(db)
                one = replace(write, state="intended", run=run, batch=first)
                noted.append(replace(one, id=_insert(db, one)))
        return noted

    def confirm(self, done: Iterable[Write]) -> None:
        """Note that Stash has written these."""
        with self._ledger.writing() as db:
            for one in done:
                _carry_on(db, one)
                db.execute(
                    "UPDATE stash_writes SET state = 'done', thing = ?, detail = ?, left_at = ? "
                    "WHERE id = ?",
                    (one.thing, one.detail, one.left_at, one.id),
                )

    def drop(self, writes: Iterable[Write]) -> None:
        """Forget intents that were not carried out."""
        sql = "DELETE FROM stash_writes WHERE id = ? AND state = 'intended'"
        with self._ledger.writing() as db:
            db.conn.executemany(sql, [(one.id,) for one in writes])

    def begin_undo(self, writes: Sequence[Write]) -> list[Write]:
        """Note that the next request is to undo these."""
        if not writes:
            return []
        with self._ledger.writing() as db:
            batch = _next_batch(db)
            noted = [replace(one, state="undoing", batch=batch) for one in writes]
            db.conn.executemany(
                "UPDATE stash_writes SET state = 'undoing', batch = ?, before_at = ? WHERE id = ?",
                [(batch, one.before_at, one.id) for one in noted],
            )
        return noted

    def end_undo(self, undone: Iterable[Write]) -> None:
        """Note that nothing of these is left."""
        with self._ledger.writing() as db:
            for one in undone:
                _carry_on(db, one)
                db.execute(_UNDONE, (one.id,))

    def keep(self, writes: Iterable[Write]) -> None:
        """Note that Stash has not undone these."""
        sql = "UPDATE stash_writes SET state = 'done' WHERE id = ? AND state = 'undoing'"
        with self._ledger.writing() as db:
            db.conn.executemany(sql, [(one.id,) for one in writes])

    def unsettled(self) -> list[Write]:
        """List the writes of which it is not known whether Stash has done them."""
        return self._writes("WHERE state IN ('intended', 'undoing') ORDER BY batch, id")

    def of_scene(self, scene: str, item: ItemKind = "scene") -> list[Write]:
        """List the writes on a scene, or another item, that are done."""
        which = "WHERE scene = ? AND item = ? AND state = 'done' ORDER BY id"
        return self._writes(which, scene, item)

    def of_run(self, run: int) -> list[Write]:
        """List the writes of a run that are done."""
        return self._writes("WHERE run_id = ? AND state = 'done' ORDER BY id", run)

    def all_written(self, item: ItemKind = "scene") -> Mapping[str, frozenset[str]]:
        """Return the performers that we added, by scene, or by another item."""
        return _by_scene(self._ledger.rows(_ADDED, item))

    def tell(self, scene: str, oshashes: Collection[str], performers: Collection[str]) -> None:
        """Note whom we named to Stash's scraper."""
        with self._ledger.writing() as db:
            for table, places in zip(_TOLD, ([scene], oshashes), strict=True):
                sql = f"INSERT OR IGNORE INTO {table} VALUES (?, ?)"  # noqa: S608
                pairs = [(place, one) for place in places if place for one in performers]
                db.conn.executemany(sql, pairs)

    def told(self, scene: str) -> frozenset[str]:
        """Return whom we named to Stash's scraper for a scene."""
        rows = self._ledger.rows("SELECT performer FROM stash_told WHERE scene = ?", scene)
        return frozenset(row[0] for row in rows)

    def all_from_us(self) -> FromUs:
        """Return the performers that we ever added or named to Stash's scraper."""
        by_scene, by_file = (self._ledger.rows(sql) for sql in (_FROM_US, _FROM_US_BY_FILE))
        return FromUs(_by_scene(by_scene), _by_scene(by_file))

    def follow(self, before: str, after: str) -> None:
        """Let what is written of a performer be of another one."""
        performers = "kind IN ('performer', 'new performer')"
        with self._ledger.writing() as db:
            _leave_to_user(db, before, after)
            sql = f"UPDATE stash_writes SET thing = ? WHERE thing = ? AND {performers}"  # noqa: S608
            db.execute(sql, (after, before))
            for table in _TOLD:
                sql = f"UPDATE OR REPLACE {table} SET performer = ? WHERE performer = ?"  # noqa: S608
                db.execute(sql, (after, before))
            sql = "UPDATE stash_writes SET performer = ? WHERE performer = ?"
            db.execute(sql, (after, before))

    def _writes(self, which: str, *values: Any) -> list[Write]:
        return [Write(*row) for row in self._ledger.rows(f"{_WRITES} {which}", *values)]


def _by_scene(rows: Iterable[Sequence[str]]) -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for scene, performer in rows:
        found[scene].add(performer)
    return {scene: frozenset(performers) for scene, performers in found.items()}


def _insert(db: Database, write: Write) -> int:
    names = [name for name in _COLUMNS if name != "id"]
    values = [write.run if name == "run_id" else getattr(write, name) for name in names]
    marks = ", ".join("?" * len(names))
    sql = f"INSERT INTO stash_writes ({', '.join(names)}) VALUES ({marks}) RETURNING id"  # noqa: S608
    return int(db.execute(sql, values).fetchone()[0])


def _leave_to_user(db: Database, before: str, after: str) -> None:
    """Give up what was added beside the one into whom its performer was merged: that one is theirs.

    Who was beside others is called by the new id, too, for the next merge.
    """
    sql = "SELECT id, thing, detail FROM stash_writes WHERE kind = 'performer' AND detail LIKE ?"
    for id_, thing, detail in db.execute(sql, (f'%"{BESIDE}"%',)).fetchall():
        told = read_object(detail) or {}  # a bad disk may have left something else
        beside = read_texts(json.dumps(told.get(BESIDE))) or ()
        if thing == before and after in beside:
            db.execute(_LEFT_TO_USER, (id_,))
        elif before in beside:
            told[BESIDE] = sorted({after if one == before else one for one in beside})
            changed = (json.dumps(told), id_)
            db.execute("UPDATE stash_writes SET detail = ? WHERE id = ?", changed)


def _next_batch(db: Database) -> int:
    """Return a number that no batch has yet."""
    return int(db.execute("SELECT coalesce(max(batch), 0) + 1 FROM stash_writes").fetchone()[0])


def _carry_on(db: Database, write: Write) -> None:
    """Let other writes on the scene be as we left them, if they were so before this one."""
    if write.left_at and write.kind in ("performer", "tag"):
        db.execute(_STILL_OURS, (write.left_at, write.scene, write.item, write.before_at))
