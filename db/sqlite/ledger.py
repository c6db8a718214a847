"""The ledger in one SQLite file: videos, the queue, and the people seen."""

import json
import math
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

from sqlite_utils import Database

from db.decisions import Decision
from db.errors import DamagedVectorError
from db.people import Link
from db.records import Generation, Identity
from db.sqlite.connections import explained, open_database, transaction
from db.sqlite.ledger_damage import drop_damaged
from db.sqlite.ledger_decisions import (
    add_identities,
    erase_decisions,
    follow_content,
    read_decisions,
    save_decision,
    take_back,
)
from db.sqlite.ledger_forgetting import erase, erase_again, note_forgotten
from db.sqlite.ledger_people import (
    positions_of,
    read_links,
    read_outcomes,
    read_pictures,
    read_shown,
    read_sightings,
    save_outcomes,
    save_people,
)
from db.sqlite.ledger_places import move_places
from db.sqlite.ledger_schema import LEDGER
from db.sqlite.ledger_strangers import SqliteStrangers
from db.sqlite.ledger_tasks import SqliteTasks
from db.sqlite.ledger_writes import SqliteWrites
from db.sqlite.writers import CLAIMS_ARE_CERTAIN, only_worker
from db.videos import (
    DEPTHS,
    MOST_TRIES,
    AlbumPicture,
    Counts,
    Depth,
    Interval,
    Kind,
    Lease,
    Offered,
    Outcome,
    Scanned,
    Shown,
    Sighting,
    Stamp,
    State,
    VideoFile,
    VideoFound,
    VideoRecord,
)

SET_ASIDE = (
    f"Its scan ended without an answer {MOST_TRIES} times: it crashes what reads it, or the "
    "machine stopped each time. Try it again with --retry."
)

_OFFERED_AT_ONCE = 500

_RECORDS = """
    SELECT id, oshash, size_bytes,
           (SELECT json_group_array(hex(path)) FROM
               (SELECT path FROM files WHERE video_id = videos.id AND NOT gone
                ORDER BY real_path <> x'', path)),
           state, reason, tries, seconds, faces, left_out, depth, every_seconds, models,
           scanned_at, gallery, generation,
           (SELECT hex(path) FROM files WHERE video_id = videos.id
            ORDER BY gone <> 0, gone DESC, path LIMIT 1),
           decided, unreadable_seconds, kind, iif(kind = 'album', frames, 0), scans
    FROM videos
"""


class SqliteLedger:
    """A ledger; safe to use from several threads. It must not cross a fork.

    `clock` returns the seconds by which leases run out: all processes on a machine share it.
    """

    def __init__(
        self,
        path: Path | None = None,
        clock: Callable[[], float] = time.time,
        *,
        create: bool = True,
    ) -> None:
        """Open the ledger at `path`, or make it if `create`; without a path, one in memory."""
        self.path = path
        self._clock = clock
        self._lock = threading.RLock()
        self._db = open_database(path, create=create, schema=LEDGER)
        self.strangers = SqliteStrangers(self._reading, self._writing)
        self.writes = SqliteWrites(self._reading, self._writing, path)
        self.tasks = SqliteTasks(self._reading, self._writing, path)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def working(self) -> Iterator[bool]:
        """Become the one worker; False if another process is."""
        if self.path is None:
            yield True
            return
        with only_worker(self.path) as is_ours:
            if is_ours and CLAIMS_ARE_CERTAIN:
                # Whoever had videos in work has ended, so nobody need wait for its leases.
                with self._writing() as db:
                    _queue_again(db, math.inf)
            yield is_ours

    def choice(self, name: str) -> str:
        """Return what the user chose; "" if nothing yet."""
        rows = self._rows("SELECT value FROM choices WHERE name = ?", name)
        return str(rows[0][0]) if rows else ""

    def choose(self, name: str, value: str) -> None:
        """Remember what the user chose."""
        with self._writing() as db:
            db.execute("INSERT OR REPLACE INTO choices VALUES (?, ?)", (name, value))

    def stamps(self, paths: Iterable[bytes] | None = None) -> Mapping[bytes, Stamp]:
        """Return the stamps of all known files that are there, or of those at some paths."""
        sql = "SELECT path, size_bytes, mtime_ns FROM files WHERE NOT gone"
        if paths is None:
            rows = self._rows(sql)
        else:
            rows = [row for path in paths for row in self._rows(f"{sql} AND path = ?", path)]
        return {path: Stamp(size, mtime) for path, size, mtime in rows}

    def offer(self, files: Iterable[VideoFile], depth: Depth) -> Offered:
        """Add files, a few hundred in each transaction, and queue what is to be scanned."""
        counted = dict.fromkeys(Offered._fields, 0)
        waiting = list(files)
        for start in range(0, len(waiting), _OFFERED_AT_ONCE):
            with self._writing() as db:
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
        with self._writing() as db:
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
        with self._writing() as db:
            return sum(db.execute(sql, (deeper, depth, one)).rowcount for one in videos)

    def note_gone(self, paths: Iterable[bytes]) -> int:
        """Note that files are no longer there."""
        sql = (
            "UPDATE files SET gone = (SELECT max(gone) + 1 FROM files) WHERE path = ? AND NOT gone"
        )
        with self._writing() as db:
            return sum(db.execute(sql, (path,)).rowcount for path in paths)

    def lease(
        self,
        owner: str,
        seconds: float,
        only: frozenset[int] | None = None,
        *,
        albums: bool = True,
    ) -> Lease | None:
        """Take the next queued video that has a file, or one of `only`."""
        now = self._clock()
        token = secrets.token_hex(16)
        among = None if only is None else json.dumps(sorted(only))
        with self._writing() as db:
            _queue_again(db, now)
            row = db.execute(
                "UPDATE videos SET state = 'working', tries = tries + 1, lease_token = ?, "
                "lease_owner = ?, lease_until = ? WHERE id = (SELECT id FROM videos "
                "WHERE state = 'queued' AND EXISTS "
                "(SELECT 1 FROM files WHERE video_id = videos.id AND NOT gone) "
                "AND (? IS NULL OR id IN (SELECT value FROM json_each(?))) "
                "AND (? OR kind = 'video') "
                "ORDER BY wanted_depth <> 'quick', id LIMIT 1) "
                "RETURNING id, oshash, tries, wanted_depth, decided, kind",
                (token, owner, now + seconds, among, among, albums),
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
        with self._writing() as db:
            return _update(db, lease, "lease_until = ?", until)

    def release(self, lease: Lease) -> None:
        """Give a video back unscanned."""
        with self._writing() as db:
            _update(db, lease, "state = 'queued', tries = tries - 1, lease_token = ''")

    def finish(
        self,
        lease: Lease,
        found: VideoFound,
        scanned: Scanned,
        outcomes: Sequence[Outcome],
        at: Generation,
        *,
        again: Depth | None = None,
    ) -> bool:
        """Store what was found, and end the lease."""
        with self._writing() as db:
            is_ours = _update(
                db,
                lease,
                "state = iif(?, 'queued', 'done'), wanted_depth = coalesce(?, wanted_depth), "
                "reason = '', tries = 0, depth = ?, every_seconds = ?, models = ?, "
                "seconds = ?, frames = ?, faces = ?, left_out = ?, strangers = ?, "
                "unreadable_seconds = ?, scans = scans + 1, "
                "scanned_at = strftime('%Y-%m-%dT%H:%M:%SZ', 'now'), gallery = ?, "
                "generation = iif(decided = ?, ?, NULL), lease_token = ''",
                *(again is not None, again),
                *(scanned.depth, scanned.every_seconds, json.dumps(scanned.models)),
                *(found.seconds, found.frames, found.faces, found.left_out, found.strangers),
                found.unreadable_seconds,
                *(at[0], lease.decided, at[1]),
            )
            if is_ours:
                save_people(db, lease.video, found)
                move_places(db, lease.video, found.pictures)
                save_outcomes(db, lease.video, outcomes)
                erase_again(db, at[0], (one.performer for one in outcomes if one.performer))
        return is_ours

    def fail(self, lease: Lease, reason: str, *, for_good: bool) -> bool:
        """Note that a video could not be scanned."""
        state = "failed" if for_good or lease.tries >= MOST_TRIES else "queued"
        with self._writing() as db:
            return _update(db, lease, "state = ?, reason = ?, lease_token = ''", state, reason)

    def retry(self, videos: Iterable[int]) -> int:
        """Queue failed videos again."""
        sql = "UPDATE videos SET state = 'queued', tries = 0 WHERE id = ? AND state = 'failed'"
        with self._writing() as db:
            return sum(db.execute(sql, (video,)).rowcount for video in videos)

    def turn_into(self, video: int, kind: Kind) -> None:
        """Note that what was never scanned is of another kind, and queue it again if it failed."""
        sql = (
            "UPDATE videos SET kind = ?, tries = iif(state = 'failed', 0, tries), "
            "state = iif(state = 'failed', 'queued', state) WHERE id = ? AND depth = ''"
        )
        with self._writing() as db:
            db.execute(sql, (kind, video))

    def empty_queue(self) -> int:
        """Take every video out of the queue, and from whoever scans it."""
        known = (
            "UPDATE videos SET state = 'done', tries = 0, lease_token = '' "
            "WHERE state IN ('queued', 'working') AND depth <> ''"
        )
        new = "DELETE FROM videos WHERE state IN ('queued', 'working')"
        # A file that was written anew is known by what it held before, with a size that no file
        # has: so it is found changed again, and what was decided and forgotten follows it.
        changed = (
            "UPDATE files SET video_id = old.id, size_bytes = -1 FROM videos AS new "
            "JOIN videos AS old ON old.id = new.before WHERE new.id = video_id "
            "AND new.state IN ('queued', 'working') AND new.depth = ''"
        )
        with self._writing() as db:
            db.execute(changed)
            return sum(int(db.execute(sql).rowcount) for sql in (known, new))

    def counts(self, within: Sequence[bytes] = ()) -> Counts:
        """Count the videos by state; with some folders, only those of which a file lies in one."""
        condition, values = _inside(within)
        sql = (
            "SELECT CASE WHEN EXISTS (SELECT 1 FROM files WHERE video_id = videos.id AND NOT gone) "
            "THEN state ELSE 'gone' END AS shown, count(*) FROM videos {} GROUP BY shown"
        )
        rows = self._rows(sql.format(condition), *values)
        return Counts(**(dict.fromkeys(Counts._fields, 0) | dict(rows)))

    def videos(self, after: int = 0, limit: int = 1000) -> list[VideoRecord]:
        """List videos by id."""
        rows = self._rows(f"{_RECORDS} WHERE id > ? ORDER BY id LIMIT ?", after, limit)
        return [_record(row) for row in rows]

    def iterate(self, state: State | None = None) -> Iterator[VideoRecord]:
        """Yield all videos by id, or those in one state."""
        after = 0
        while found := self.videos(after):
            yield from (one for one in found if state in (None, one.state))
            after = found[-1].id

    def ids(self, paths: Iterable[bytes]) -> frozenset[int]:
        """Return the ids of the videos that these files hold."""
        sql = "SELECT video_id FROM files WHERE path = ?"
        return frozenset(row[0] for path in paths for row in self._rows(sql, path))

    def ids_of_content(self, oshash: str) -> frozenset[int]:
        """Return the ids of the videos with this fingerprint."""
        rows = self._rows("SELECT id FROM videos WHERE oshash = ?", oshash)
        return frozenset(row[0] for row in rows)

    def ids_of_performer(self, gallery: int, performer: int) -> frozenset[int]:
        """Return the ids of the videos in which somebody is matched with a performer."""
        sql = (
            "SELECT video_id FROM outcomes JOIN videos ON videos.id = video_id "
            "WHERE performer = ? AND gallery = ?"
        )
        return frozenset(row[0] for row in self._rows(sql, performer, gallery))

    def records(self, videos: Sequence[int]) -> list[VideoRecord]:
        """Return some videos, by id."""
        among = "WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id"
        return [_record(row) for row in self._rows(f"{_RECORDS} {among}", json.dumps(videos))]

    def sightings(
        self, videos: Sequence[int], *, pictures: bool = True
    ) -> dict[int, list[Sighting]]:
        """Return the people seen in some videos."""
        with self._reading() as db, suppress(DamagedVectorError):
            return read_sightings(db, videos, pictures=pictures)
        with self._writing() as db:
            drop_damaged(db, videos)
            return read_sightings(db, videos, pictures=pictures)

    def picture(self, video: int, position: int) -> bytes:
        """Return the picture of somebody in a video; empty if there is none."""
        sql = "SELECT picture FROM sightings WHERE (video_id, position) = (?, ?)"
        rows = self._rows(sql, video, position)
        return bytes(rows[0][0]) if rows else b""

    def pictures(self, videos: Sequence[int]) -> dict[int, list[AlbumPicture]]:
        """Return the pictures of some albums, in order."""
        with self._reading() as db:
            found = read_pictures(db, videos)
        scanned = {one.id for one in self.records(videos) if one.scanned}
        return {video: found[video] if video in scanned else [] for video in videos}

    def note_pictures(self, album: int, pictures: Sequence[AlbumPicture]) -> None:
        """Note which pictures an album has now: what was decided and forgotten follows them."""
        with self._writing() as db:
            move_places(db, album, pictures)

    def shown(self, videos: Sequence[int]) -> dict[int, list[Shown]]:
        """Return who is where on the pictures of some albums."""
        with self._reading() as db:
            return read_shown(db, videos)

    def uncertain(self) -> list[tuple[int, int]]:
        """Return the video and the position of everyone uncertain."""
        sql = (
            "SELECT video_id, position FROM outcomes "
            "WHERE verdict = 'uncertain' AND lead = position ORDER BY video_id, position"
        )
        return [(row[0], row[1]) for row in self._rows(sql)]

    def links(self, videos: Sequence[int]) -> dict[int, list[Link]]:
        """Return who may be one person in some videos."""
        with self._reading() as db:
            return read_links(db, videos)

    def outcomes(self, videos: Sequence[int]) -> dict[int, list[Outcome]]:
        """Return what matching said of the people in some videos."""
        with self._reading() as db:
            return read_outcomes(db, videos)

    def put_outcomes(
        self,
        outcomes: Mapping[int, Sequence[Outcome]],
        at: Generation,
        before: Mapping[int, VideoRecord] | None = None,
    ) -> None:
        """Replace the outcomes of some videos, except where others are seen by now."""
        with self._writing() as db:
            for video, rows in outcomes.items():
                if positions_of(db, video) != sorted(one.position for one in rows):
                    continue
                if before is not None and not _is_as_before(db, before[video]):
                    continue
                save_outcomes(db, video, rows)
                sql = "UPDATE videos SET gallery = ?, generation = ? WHERE id = ?"
                db.execute(sql, (*at, video))
                erase_again(db, at[0], (one.performer for one in rows if one.performer))

    def not_matched_at(self, at: Generation, limit: int, after: int = 0) -> list[int]:
        """Return the ids of videos whose outcomes are of another generation of the gallery."""
        sql = (
            "SELECT id FROM videos WHERE id > ? AND depth <> '' "
            "AND (gallery, generation) IS NOT (?, ?) ORDER BY id LIMIT ?"
        )
        return [row[0] for row in self._rows(sql, after, *at, limit)]

    def decide(self, video: int, decision: Decision) -> int:
        """Store a decision about a video."""
        with self._writing() as db:
            return save_decision(db, video, decision)

    def take_back(self, decision: int) -> bool:
        """Delete a decision."""
        with self._writing() as db:
            return take_back(db, decision)

    def decisions(self, videos: Sequence[int]) -> dict[int, list[Decision]]:
        """Return the decisions about some videos."""
        with self._reading() as db:
            return read_decisions(db, videos)

    def erase_decisions(self, identities: Sequence[Identity]) -> None:
        """Delete every decision about a performer."""
        with self._writing() as db:
            erase_decisions(db, identities)

    def add_identities(self, also: Mapping[Identity, Identity]) -> int:
        """Give every decision about one of these performers another id of theirs as well."""
        with self._writing() as db:
            return add_identities(db, also)

    def begin_forgetting(self, gallery: int, performer: int) -> None:
        """Note that a performer is to be forgotten, before anything is erased."""
        with self._writing() as db:
            note_forgotten(db, gallery, performer)

    def erase_performer(self, gallery: int, performer: int) -> int:
        """Erase every sighting that is matched with a performer."""
        with self._writing() as db:
            return erase(db, gallery, performer)

    def end_forgetting(self, gallery: int, performer: int) -> bool:
        """Note that all is erased, if the write-ahead log could be emptied too."""
        # Deleted cells are overwritten (secure_delete); only the log still has them.
        is_held, *_ = self._rows("PRAGMA wal_checkpoint(TRUNCATE)")[0]
        if is_held:
            return False
        with self._writing() as db:
            sql = "UPDATE erasures SET done = 1 WHERE (gallery, performer) = (?, ?)"
            db.execute(sql, (gallery, performer))
        return True

    def unfinished_forgetting(self) -> list[tuple[int, int]]:
        """Return the galleries and performers whose erasure was broken off."""
        sql = "SELECT gallery, performer FROM erasures WHERE NOT done"
        return [(row[0], row[1]) for row in self._rows(sql)]

    def forgotten_spans(self, video: int) -> list[Interval]:
        """Return when people were seen in a video who were forgotten since."""
        sql = (
            "SELECT since_seconds, until_seconds FROM forgotten_spans JOIN videos "
            "USING (oshash, size_bytes) WHERE videos.id = ? ORDER BY since_seconds"
        )
        return [(row[0], row[1]) for row in self._rows(sql, video)]

    def _rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with self._reading() as db:
            rows: list[tuple[Any, ...]] = db.execute(sql, values).fetchall()
            return rows

    @contextmanager
    def _reading(self) -> Iterator[Database]:
        with self._lock, explained(self.path, LEDGER.noun):
            yield self._db

    @contextmanager
    def _writing(self) -> Iterator[Database]:
        with self._reading() as db, transaction(db):
            yield db


def _inside(folders: Sequence[bytes]) -> tuple[str, list[bytes | int]]:
    """Return a condition that a video has a file in one of these folders, and its values.

    While any file of it is there, only such files count.
    """
    if not folders:
        return "", []
    beginnings = [folder.rstrip(b"/") + b"/" for folder in folders]
    either = " OR ".join("substr({0}, 1, ?) = ?" for _ in beginnings)
    real = "iif(real_path = x'', path, real_path)"
    values = [value for one in beginnings for value in (len(one), one)]
    files = "SELECT 1 FROM files WHERE video_id = videos.id"
    condition = (
        f"WHERE NOT EXISTS ({files}) OR EXISTS ({files} AND ({either.format('path')}) "
        f"AND ({either.format(real)}) AND (NOT gone OR NOT EXISTS ({files} AND NOT gone)))"
    )
    return condition, values * 2


def _offer(db: Database, file: VideoFile, depth: Depth) -> str:
    """Add a file, and say which field of Offered counts it."""
    size, mtime = file.stamp
    before = db.execute(
        "SELECT oshash, videos.size_bytes, mtime_ns FROM files JOIN videos ON videos.id = video_id "
        "WHERE path = ?",
        (file.path,),
    ).fetchone()
    is_same = before is not None and before[:2] == (file.oshash, size)
    video = db.execute(
        "INSERT INTO videos (oshash, size_bytes, wanted_depth, kind) VALUES (?, ?, ?, ?) "
        "ON CONFLICT DO NOTHING RETURNING id",
        (file.oshash, size, depth, file.kind),
    ).fetchone()
    db.execute(
        "INSERT INTO files (path, video_id, size_bytes, mtime_ns, real_path) "
        "SELECT ?, id, ?, ?, ? FROM videos WHERE (oshash, size_bytes) = (?, ?) "
        "ON CONFLICT DO UPDATE SET video_id = excluded.video_id, "
        "size_bytes = excluded.size_bytes, mtime_ns = excluded.mtime_ns, gone = 0, "
        "real_path = excluded.real_path",
        (file.path, size, mtime, file.real_path, file.oshash, size),
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


def _queue_again(db: Database, now: float) -> None:
    """Queue videos whose lease ran out, or set them aside."""
    db.execute(
        "UPDATE videos SET state = 'failed', reason = ?, lease_token = '' "
        "WHERE state = 'working' AND lease_until < ? AND tries >= ?",
        (SET_ASIDE, now, MOST_TRIES),
    )
    db.execute(
        "UPDATE videos SET state = 'queued', lease_token = '' "
        "WHERE state = 'working' AND lease_until < ?",
        (now,),
    )


def _update(db: Database, lease: Lease, change: str, *values: Any) -> bool:
    """Change a leased video; False if the lease was lost."""
    is_ours = "WHERE id = ? AND lease_token = ? AND state = 'working'"
    sql = f"UPDATE videos SET {change} {is_ours}"  # noqa: S608  # every change is in this file
    return bool(db.execute(sql, (*values, lease.video, lease.token)).rowcount)


def _is_as_before(db: Database, video: VideoRecord) -> bool:
    """Say whether a video was neither scanned nor decided about since it was read."""
    row = db.execute("SELECT decided, scans FROM videos WHERE id = ?", (video.id,)).fetchone()
    return bool(row == (video.decided, video.scans))


def _record(row: tuple[Any, ...]) -> VideoRecord:
    number, oshash, size, paths, state, reason, tries, seconds, faces, left_out = row[:10]
    depth, every, models, scanned_at, gallery, generation, path, decided = row[10:18]
    unreadable, kind, pictures, scans = row[18:]
    return VideoRecord(
        id=number,
        oshash=oshash,
        size_bytes=size,
        paths=tuple(bytes.fromhex(path) for path in json.loads(paths)),
        state=state,
        reason=reason,
        tries=tries,
        seconds=seconds,
        faces=faces,
        left_out=left_out,
        scanned=Scanned(depth, every, tuple(json.loads(models))) if depth else None,
        scanned_at=scanned_at,
        matched_at=None if generation is None else (gallery, generation),
        last_path=b"" if path is None or paths != "[]" else bytes.fromhex(path),
        decided=decided,
        unreadable_seconds=unreadable,
        kind=kind,
        pictures=pictures,
        scans=scans,
    )
