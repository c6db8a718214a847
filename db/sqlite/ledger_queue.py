"""The queue of a ledger in SQLite: files, the videos they hold, and who scans which."""

import json
import math
import secrets
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from db.sqlite.ledger_connections import REWRITTEN_WITHIN_SECONDS, LedgerConnection
from db.sqlite.ledger_decisions import follow_content
from db.sqlite.writers import (
    CLAIMS_ARE_CERTAIN,
    beside_worker,
    is_anyone_beside,
    only_worker,
)
from db.videos import DEPTHS, MOST_TRIES, Depth, Kind, Lease, Offered, Stamp, VideoFile

SET_ASIDE = (
    f"Its scan ended without an answer {MOST_TRIES} times: it crashes what reads it, or the "
    "machine stopped each time. Try it again with --retry."
)

BESIDE = "beside the worker"
"""Who leases single videos that somebody waits for: whoever becomes the worker leaves them alone as
long as anyone does that."""

LONGEST_LEASE_SECONDS = 4 * REWRITTEN_WITHIN_SECONDS
"""A lease that runs for longer was given before the machine started, when its clock began again. It
may have been made longer by a few rewritings in a row, before whoever has it renewed it."""

_OFFERED_AT_ONCE = 500

_LEASE = """
    UPDATE videos SET state = 'working', tries = tries + 1, lease_token = ?, lease_owner = ?,
        lease_until = ?
    WHERE id = (
        SELECT id FROM videos WHERE state = 'queued'
        AND EXISTS (SELECT 1 FROM files WHERE video_id = videos.id AND NOT gone AND {})
        AND (? IS NULL OR id IN (SELECT value FROM json_each(?))) AND (? OR kind = 'video')
        ORDER BY wanted_depth <> 'quick', id LIMIT 1
    )
    RETURNING id, oshash, tries, wanted_depth, decided, kind
"""


def lease_clock() -> float:
    """Return the seconds by which leases run out, shared by all processes of a machine.

    They do not pass while it sleeps, nor when its date is set: else whoever has a video in work
    would lose it then. They begin again when it starts; whatever was in work before is queued again
    by the next worker, except where it cannot be sure to be the only one, and the date has to do.
    """
    return time.monotonic() if CLAIMS_ARE_CERTAIN else time.time()


class SqliteQueue(LedgerConnection):
    """The files of a ledger, and the queue of the videos they hold.

    `clock` returns the seconds by which leases run out.
    """

    def __init__(
        self,
        path: Path | None = None,
        clock: Callable[[], float] = lease_clock,
        *,
        create: bool = True,
    ) -> None:
        """Open the ledger at `path`, or make it if `create`; without a path, one in memory."""
        super().__init__(path, create=create)
        self._clock = clock

    @contextmanager
    def working(self) -> Iterator[bool]:
        """Become the one worker; False if another process is."""
        if self.path is None:
            yield True
            return
        with only_worker(self.path) as is_ours:
            if is_ours:
                self.take_over()
            yield is_ours

    def take_over(self) -> None:
        """Queue again what ended processes had in work."""
        if CLAIMS_ARE_CERTAIN:
            # Whoever had videos in work has ended, so nobody need wait for its leases.
            spared = BESIDE if self.path and is_anyone_beside(self.path) else ""
            now = self._clock()
            with self.writing() as db:
                _queue_again(db, now)
                _queue_again(db, math.inf, spared, spared_until=now + LONGEST_LEASE_SECONDS)

    @contextmanager
    def beside(self) -> Iterator[str]:
        """Look at single videos, whoever is the worker; gives the name to lease them under."""
        with beside_worker(self.path) if self.path else nullcontext():
            yield BESIDE

    def stamps(
        self, paths: Iterable[bytes] | None = None, *, gone: bool = False
    ) -> Mapping[bytes, Stamp]:
        """Return the stamps of all known files that are there, or that are `gone`."""
        sql = "SELECT path, size_bytes, mtime_ns FROM files WHERE (gone <> 0) = ?"
        if paths is None:
            rows = self.rows(sql, gone)
        else:
            rows = [row for path in paths for row in self.rows(f"{sql} AND path = ?", gone, path)]
        return {path: Stamp(size, mtime) for path, size, mtime in rows}

    def offer(self, files: Iterable[VideoFile], depth: Depth) -> Offered:
        """Add files, a few hundred in each transaction, and queue what is to be scanned."""
        counted = dict.fromkeys(Offered._fields, 0)
        waiting = list(files)
        for start in range(0, len(waiting), _OFFERED_AT_ONCE):
            with self.writing() as db:
                for file in waiting[start : start + _OFFERED_AT_ONCE]:
                    counted[_offer(db, file, depth)] += 1
        return Offered(**counted)

    def want(self, videos: Iterable[int], depth: Depth) -> int:
        """Queue those of some videos that were done at a lesser depth; return how many.

        Those that were not scanned yet will be scanned at this depth, too.
        """
        lesser = json.dumps(DEPTHS[: DEPTHS.index(depth)])
        again = (
            "UPDATE videos SET wanted_depth = ?, state = 'queued', tries = 0 WHERE id = ? "
            "AND state = 'done' AND depth IN (SELECT value FROM json_each(?))"
        )
        waiting = (
            "UPDATE videos SET wanted_depth = ? WHERE id = ? AND state IN ('queued', 'failed') "
            "AND wanted_depth IN (SELECT value FROM json_each(?))"
        )
        with self.writing() as db:
            rows = [(depth, one, lesser) for one in videos]
            db.conn.executemany(waiting, rows)
            return sum(db.execute(again, row).rowcount for row in rows)

    def want_again(self, videos: Iterable[int], depth: Depth) -> int:
        """Queue those of some videos that were done, at this depth or the deeper one they had."""
        deeper = json.dumps(DEPTHS[DEPTHS.index(depth) :])
        sql = (
            "UPDATE videos SET state = 'queued', tries = 0, wanted_depth = "
            "iif(depth IN (SELECT value FROM json_each(?)), depth, ?) WHERE id = ? "
            "AND state = 'done'"
        )
        with self.writing() as db:
            return sum(db.execute(sql, (deeper, depth, one)).rowcount for one in videos)

    def note_gone(self, paths: Iterable[bytes]) -> int:
        """Note that files are no longer there."""
        sql = "UPDATE files SET gone = ? WHERE path = ? AND NOT gone"
        with self.writing() as db:
            # Once for all: to find the last one reads every file.
            (last,) = db.execute("SELECT coalesce(max(gone), 0) FROM files").fetchone()
            numbered = enumerate(paths, last + 1)
            return sum(db.execute(sql, one).rowcount for one in numbered)

    def note_back(self, paths: Iterable[bytes]) -> None:
        """Note that files are there again that were gone."""
        with self.writing() as db:
            db.conn.executemany(
                "UPDATE files SET gone = 0 WHERE path = ?", [(path,) for path in paths]
            )

    def lease(
        self,
        owner: str,
        seconds: float,
        only: frozenset[int] | None = None,
        *,
        albums: bool = True,
        missing: Collection[bytes] = (),
    ) -> Lease | None:
        """Take the next queued video that has a file, or one of `only`."""
        now = self._clock()
        is_there, places = _is_elsewhere(missing)
        token = secrets.token_hex(16)
        among = None if only is None else json.dumps(sorted(only))
        with self.writing() as db:
            _queue_again(db, now)
            row = db.execute(
                _LEASE.format(is_there),
                (token, owner, now + seconds, *places, among, among, albums),
            ).fetchone()
            if row is None:
                return None
            paths = db.execute(
                "SELECT path FROM files WHERE video_id = ? AND NOT gone "
                "ORDER BY real_path <> x'', path",
                (row[0],),
            ).fetchall()
        number, oshash, *others = row
        return Lease(number, token, oshash, tuple(path for (path,) in paths), *others)

    def renew(self, lease: Lease, seconds: float) -> bool:
        """Keep a lease for so much longer."""
        until = self._clock() + seconds
        with self.writing() as db:
            return update_leased(db, lease, "lease_until = ?", until)

    def release(self, lease: Lease) -> None:
        """Give a video back unscanned."""
        with self.writing() as db:
            update_leased(db, lease, "state = 'queued', tries = tries - 1, lease_token = ''")

    def fail(self, lease: Lease, reason: str, *, for_good: bool) -> bool:
        """Note that a video could not be scanned."""
        state = "failed" if for_good or lease.tries >= MOST_TRIES else "queued"
        with self.writing() as db:
            return update_leased(
                db, lease, "state = ?, reason = ?, lease_token = ''", state, reason
            )

    def retry(self, videos: Iterable[int]) -> int:
        """Queue failed videos again."""
        sql = (
            "UPDATE videos SET state = 'queued', tries = 0 WHERE id = ? "
            "AND state NOT IN ('queued', 'working', 'done')"  # one that is damaged, too
        )
        with self.writing() as db:
            return sum(db.execute(sql, (video,)).rowcount for video in videos)

    def turn_into(self, video: int, kind: Kind) -> None:
        """Note that what was never scanned is of another kind, and queue it again if it failed."""
        sql = (
            "UPDATE videos SET kind = ?, tries = iif(state = 'failed', 0, tries), "
            "state = iif(state = 'failed', 'queued', state) WHERE id = ? AND depth = ''"
        )
        with self.writing() as db:
            db.execute(sql, (kind, video))

    def empty_queue(self) -> int:
        """Take every video out of the queue, and from whoever scans it."""
        known = (
            "UPDATE videos SET state = 'done', tries = 0, lease_token = '' "
            "WHERE state IN ('queued', 'working') AND depth <> ''"
        )
        new = "DELETE FROM videos WHERE state IN ('queued', 'working')"
        # A file that was rewritten is known by what it held before, with a size that no file
        # has: so it is found changed again, and what was decided and forgotten follows it.
        changed = (
            "UPDATE files SET video_id = old.id, size_bytes = -1 FROM videos AS new "
            "JOIN videos AS old ON old.id = new.before WHERE new.id = video_id "
            "AND new.state IN ('queued', 'working') AND new.depth = ''"
        )
        with self.writing() as db:
            db.execute(changed)
            return sum(int(db.execute(sql).rowcount) for sql in (known, new))


def update_leased(db: Database, lease: Lease, change: str, *values: Any) -> bool:
    """Change a leased video; False if the lease was lost."""
    is_ours = "WHERE id = ? AND lease_token = ? AND state = 'working'"
    sql = f"UPDATE videos SET {change} {is_ours}"  # noqa: S608  # changes are ours: here, ledger.py
    return bool(db.execute(sql, (*values, lease.video, lease.token)).rowcount)


def _is_elsewhere(missing: Collection[bytes]) -> tuple[str, list[bytes | int]]:
    """Return a condition that a file is none of these, nor in one of these folders, and values."""
    folders = [place.rstrip(b"/") + b"/" for place in missing]
    condition = " AND ".join("path <> ? AND substr(path, 1, ?) <> ?" for _ in missing) or "TRUE"
    triples = zip(missing, map(len, folders), folders, strict=True)
    return condition, [value for triple in triples for value in triple]


def _offer(db: Database, file: VideoFile, depth: Depth) -> str:
    """Add a file, and say which field of Offered counts it."""
    file = _told_apart(db, file)
    size, mtime = file.stamp
    before = db.execute(
        "SELECT oshash, videos.size_bytes, mtime_ns FROM files JOIN videos ON videos.id = video_id "
        "WHERE path = ?",
        (file.path,),
    ).fetchone()
    is_same = before is not None and before[:2] == (file.oshash, size)
    video = db.execute(
        "INSERT INTO videos (oshash, size_bytes, content, wanted_depth, kind) "
        "VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING id",
        (file.oshash, size, file.content, depth, file.kind),
    ).fetchone()
    db.execute(
        "INSERT INTO files (path, video_id, size_bytes, mtime_ns, real_path) "
        "SELECT ?, id, ?, ?, ? FROM videos WHERE (oshash, size_bytes) = (?, ?) "
        "ON CONFLICT DO UPDATE SET video_id = excluded.video_id, "
        "size_bytes = excluded.size_bytes, mtime_ns = excluded.mtime_ns, gone = 0, "
        "real_path = excluded.real_path",
        (file.path, size, mtime, file.real_path, file.oshash, size),
    )
    if file.content:  # it may not have been known when the video was found
        db.execute(
            "UPDATE videos SET content = ? WHERE (oshash, size_bytes) = (?, ?) AND content = ''",
            (file.content, file.oshash, size),
        )
    if before is not None and not is_same:
        if video:  # else the file was only renamed, and what it holds has decisions of its own
            follow_content(db, before[:2], (file.oshash, size))
        return "changed"
    if before is not None and before[2] != mtime:
        # Written again, perhaps in its middle, which no fingerprint covers.
        again = "UPDATE videos SET state = 'queued', tries = 0 WHERE state = 'failed'"
        db.execute(f"{again} AND (oshash, size_bytes) = (?, ?)", (file.oshash, size))
    return "new" if video else "known" if is_same else "moved"


def _told_apart(db: Database, file: VideoFile) -> VideoFile:
    """Give a small file another fingerprint if its own is that of something else."""
    sql = (
        "SELECT 1 FROM videos WHERE (oshash, size_bytes) = (?, ?) AND content NOT IN ('', ?) "
        "AND ? <> ''"
    )
    values = (file.oshash, file.stamp.size_bytes, file.content, file.content)
    is_taken = db.execute(sql, values).fetchone()
    return replace(file, oshash=file.content) if is_taken else file


def _queue_again(
    db: Database, now: float, spared: str = "", *, spared_until: float = math.inf
) -> None:
    """Queue videos whose lease ran out, or set them aside; not those of an owner to be spared.

    Also that owner's, if they run for longer than they can.
    """
    db.execute(
        "UPDATE videos SET state = iif(tries >= ?, 'failed', 'queued'), "
        "reason = iif(tries >= ?, ?, reason), lease_token = '' "
        "WHERE state = 'working' AND lease_until < ? "
        "AND (? = '' OR lease_owner <> ? OR lease_until > ?)",
        (MOST_TRIES, MOST_TRIES, SET_ASIDE, now, spared, spared, spared_until),
    )
