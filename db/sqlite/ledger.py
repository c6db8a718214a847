"""The ledger in one SQLite file: the people seen in the videos of its queue."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from db.decisions import Decision
from db.errors import DamagedVectorError
from db.people import Link
from db.records import Generation, Identity, Vector
from db.sqlite.ledger_connections import of_videos
from db.sqlite.ledger_damage import drop_damaged, note_unknown_scans
from db.sqlite.ledger_decisions import (
    add_identities,
    read_decisions,
    read_latest_decisions,
    save_decision,
    take_back,
)
from db.sqlite.ledger_erased_decisions import erase_decisions
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
from db.sqlite.ledger_queue import SqliteQueue, lease_clock, update_leased
from db.sqlite.ledger_records import RECORDS, inside, is_known, read_record
from db.sqlite.ledger_strangers import SqliteStrangers
from db.sqlite.ledger_tagged import (
    erase_tagged,
    read_all_tagged,
    read_tagged,
    rename_tagged,
    replace_tagged,
)
from db.sqlite.ledger_tasks import SqliteTasks
from db.sqlite.ledger_writes import SqliteWrites
from db.videos import (
    AlbumPicture,
    Content,
    Counts,
    Depth,
    Interval,
    Kind,
    Lease,
    Outcome,
    Scanned,
    Shown,
    Sighting,
    State,
    VideoFound,
    VideoRecord,
)


class SqliteLedger(SqliteQueue):
    """A ledger; safe to use from several threads. It must not cross a fork."""

    def __init__(
        self,
        path: Path | None = None,
        clock: Callable[[], float] = lease_clock,
        *,
        create: bool = True,
    ) -> None:
        """Open the ledger at `path`, or make it if `create`; without a path, one in memory.

        `clock` returns the seconds by which leases run out.
        """
        super().__init__(path, clock, create=create)
        self.strangers = SqliteStrangers(self)
        self.writes = SqliteWrites(self)
        self.tasks = SqliteTasks(self)

    def choice(self, name: str) -> str:
        """Return what the user chose; "" if nothing yet."""
        rows = self.rows("SELECT value FROM choices WHERE name = ?", name)
        return str(rows[0][0]) if rows else ""

    def choose(self, name: str, value: str) -> None:
        """Remember what the user chose."""
        self.choose_by(name, lambda _: value)

    def choose_by(self, name: str, choose: Callable[[str], str]) -> str:
        """Remember what follows from what was chosen before, in one transaction."""
        with self.writing() as db:
            value = choose(self.choice(name))
            db.execute("INSERT OR REPLACE INTO choices VALUES (?, ?)", (name, value))
            return value

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
        with self.writing() as db:
            is_ours = update_leased(
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
                save_outcomes(db, {lease.video: outcomes})
                erase_again(db, at[0], (one.performer for one in outcomes if one.performer))
        return is_ours

    def counts(self, within: Sequence[bytes] = (), kind: Kind | None = None) -> Counts:
        """Count the videos and albums by state, or those of one kind, or in some folders."""
        condition, values = inside(within)
        sql = (
            "SELECT CASE WHEN EXISTS (SELECT 1 FROM files WHERE video_id = videos.id AND NOT gone) "
            "THEN iif(state IN ('queued', 'working', 'done'), state, 'failed') ELSE 'gone' END "
            "AS shown, count(*) FROM videos WHERE (? IS NULL OR kind = ?) AND ({}) GROUP BY shown"
        )
        rows = self.rows(sql.format(condition), kind, kind, *values)
        return Counts(**(dict.fromkeys(Counts._fields, 0) | dict(rows)))

    def videos(self, after: int = 0, limit: int = 1000) -> list[VideoRecord]:
        """List videos by id."""
        return self._records("WHERE id > ? ORDER BY id LIMIT ?", after, limit)

    def iterate(self, state: State | None = None) -> Iterator[VideoRecord]:
        """Yield all videos by id, or those in one state."""
        after = 0
        while found := self.videos(after):
            yield from (one for one in found if state in (None, one.state))
            after = found[-1].id

    def ids(self, paths: Iterable[bytes]) -> frozenset[int]:
        """Return the ids of the videos that these files hold."""
        sql = "SELECT video_id FROM files WHERE path = ?"
        return frozenset(row[0] for path in paths for row in self.rows(sql, path))

    def ids_of_content(self, oshash: str, content: str = "") -> frozenset[int]:
        """Return the ids of the videos with this fingerprint, and this content if it is given."""
        sql = "SELECT id FROM videos WHERE oshash = ? AND (? = '' OR content IN ('', ?))"
        rows = self.rows(sql, oshash, content, content)
        return frozenset(row[0] for row in rows)

    def ids_of_performer(self, gallery: int, performer: int) -> frozenset[int]:
        """Return the ids of the videos in which somebody is matched with a performer."""
        sql = (
            "SELECT video_id FROM outcomes JOIN videos ON videos.id = video_id "
            "WHERE performer = ? AND gallery = ?"
        )
        return frozenset(row[0] for row in self.rows(sql, performer, gallery))

    def records(self, videos: Sequence[int]) -> list[VideoRecord]:
        """Return some videos, by id."""
        among = "WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id"
        return self._records(among, json.dumps(videos))

    def sightings(
        self, videos: Sequence[int], *, pictures: bool = True
    ) -> dict[int, list[Sighting]]:
        """Return the people seen in some videos."""
        with self.reading() as db, suppress(DamagedVectorError):
            return read_sightings(db, videos, pictures=pictures)
        with self.writing() as db:
            drop_damaged(db, videos)
            return read_sightings(db, videos, pictures=pictures)

    def picture(self, video: int, position: int) -> bytes:
        """Return the picture of somebody in a video; empty if there is none."""
        sql = "SELECT CAST(picture AS BLOB) FROM sightings WHERE (video_id, position) = (?, ?)"
        rows = self.rows(sql, video, position)
        return bytes(rows[0][0]) if rows else b""

    def pictures(self, videos: Sequence[int]) -> dict[int, list[AlbumPicture]]:
        """Return the pictures of some albums, in order."""
        with self.reading() as db:
            found = read_pictures(db, videos)
        scanned = {one.id for one in self.records(videos) if one.scanned}
        return {video: found[video] if video in scanned else [] for video in videos}

    def note_pictures(self, album: int, pictures: Sequence[AlbumPicture]) -> None:
        """Note which pictures an album has now: what was decided and forgotten follows them."""
        with self.writing() as db:
            move_places(db, album, pictures)

    def shown(self, videos: Sequence[int]) -> dict[int, list[Shown]]:
        """Return who is where on the pictures of some albums."""
        with self.reading() as db:
            return read_shown(db, videos)

    def uncertain(self) -> list[tuple[int, int]]:
        """Return the video and the position of everyone uncertain."""
        sql = (
            "SELECT video_id, position FROM outcomes "
            "WHERE verdict = 'uncertain' AND lead = position ORDER BY video_id, position"
        )
        return [(row[0], row[1]) for row in self.rows(sql)]

    def links(self, videos: Sequence[int]) -> dict[int, list[Link]]:
        """Return who may be one person in some videos."""
        with self.reading() as db:
            return read_links(db, videos)

    def outcomes(self, videos: Sequence[int]) -> dict[int, list[Outcome]]:
        """Return what matching said of the people in some videos."""
        with self.reading() as db:
            return read_outcomes(db, videos)

    def put_outcomes(
        self,
        outcomes: Mapping[int, Sequence[Outcome]],
        at: Generation,
        before: Mapping[int, VideoRecord] | None = None,
    ) -> dict[int, list[Outcome]]:
        """Replace the outcomes of some videos, except where others are seen by now."""
        with self.writing_derived() as db:
            videos = list(outcomes)
            seen, known = positions_of(db, videos), read_outcomes(db, videos)
            fit = {
                video: list(outcomes[video])
                for video in _as_before(db, videos, before)
                if seen[video] == sorted(one.position for one in outcomes[video])
            }
            save_outcomes(db, {one: rows for one, rows in fit.items() if rows != known[one]})
            sql = "UPDATE videos SET gallery = ?, generation = ? WHERE id = ?"
            db.conn.executemany(sql, [(*at, video) for video in fit])
            named = (one.performer for rows in fit.values() for one in rows if one.performer)
            erase_again(db, at[0], named)
            return {video: known[video] for video in fit}

    def not_matched_at(self, at: Generation, limit: int, after: int = 0) -> list[int]:
        """Return the ids of videos whose outcomes are of another generation of the gallery."""
        sql = (
            "SELECT id FROM videos WHERE id > ? AND depth <> '' "
            "AND (gallery, generation) IS NOT (?, ?) ORDER BY id LIMIT ?"
        )
        return [row[0] for row in self.rows(sql, after, *at, limit)]

    def decide(self, video: int, decision: Decision) -> int:
        """Store a decision about a video."""
        with self.writing() as db:
            return save_decision(db, video, decision)

    def take_back(self, decision: int) -> bool:
        """Delete a decision."""
        with self.writing() as db:
            return take_back(db, decision)

    def decisions(self, videos: Sequence[int]) -> dict[int, list[Decision]]:
        """Return the decisions about some videos."""
        with self.reading() as db:
            return read_decisions(db, videos)

    def latest_decisions(self, before: int | None = None) -> Iterator[tuple[int, Decision]]:
        """Yield all decisions, the newest first; some at a time, in a transaction of their own."""
        while True:
            with self.reading() as db:
                last, found = read_latest_decisions(db, before)
            yield from found
            if last is None:
                return
            before = last

    def erase_decisions(
        self,
        identities: Sequence[Identity],
        looks: Sequence[Vector] = (),
        others: Collection[Identity] = (),
    ) -> None:
        """Delete every decision about a performer, and that they are tagged."""
        with self.writing() as db:
            erase_tagged(db, identities)
            erase_decisions(db, identities, looks, others)

    def add_identities(self, also: Mapping[Identity, Identity]) -> int:
        """Give every decision about one of these performers another id of theirs as well."""
        with self.writing() as db:
            rename_tagged(db, also)
            return add_identities(db, also)

    def note_tagged(
        self,
        tagged: Mapping[Content, Collection[Identity]],
        gallery: int,
        performers: Mapping[Identity, int],
    ) -> int:
        """Note whom the user tagged on which content, in place of all that was noted before."""
        with self.writing() as db:
            return replace_tagged(db, tagged, gallery, performers)

    def tagged(self, videos: Sequence[int]) -> dict[int, list[Identity]]:
        """Return whom the user tagged on some videos."""
        with self.reading() as db:
            return read_tagged(db, videos)

    def all_tagged(self) -> Mapping[Content, set[Identity]]:
        """Return whom the user tagged on which content."""
        with self.reading() as db:
            return read_all_tagged(db)

    def begin_forgetting(self, gallery: int, performer: int) -> None:
        """Note that a performer is to be forgotten, before anything is erased."""
        with self.writing() as db:
            note_forgotten(db, gallery, performer)

    def erase_performer(self, gallery: int, performer: int) -> int:
        """Erase every sighting that is matched with a performer."""
        with self.writing() as db:
            return erase(db, gallery, performer)

    def end_forgetting(self, gallery: int, performer: int) -> bool:
        """Note that all is erased, if the file could be rewritten and no copy of it is left."""
        if not (self.delete_copies() and self.scrub()):
            return False
        with self.writing() as db:
            sql = "UPDATE erasures SET done = 1 WHERE (gallery, performer) = (?, ?)"
            db.execute(sql, (gallery, performer))
        return True

    def unfinished_forgetting(self) -> list[tuple[int, int]]:
        """Return the galleries and performers whose erasure was broken off."""
        sql = "SELECT gallery, performer FROM erasures WHERE NOT done"
        return [(row[0], row[1]) for row in self.rows(sql)]

    def _records(self, which: str, *values: Any) -> list[VideoRecord]:
        sql = f"{RECORDS} {which}"
        found = [read_record(row) for row in self.rows(sql, *values)]
        damaged = [one.id for one in found if one.scanned and not is_known(one.scanned)]
        if not damaged:
            return found
        with self.writing() as db:
            note_unknown_scans(db, damaged)
        return [read_record(row) for row in self.rows(sql, *values)]

    def forgotten_spans(self, video: int) -> list[Interval]:
        """Return when people were seen in a video who were forgotten since."""
        sql = (
            "SELECT since_seconds, until_seconds FROM forgotten_spans JOIN videos "
            "USING (oshash, size_bytes) WHERE videos.id = ? ORDER BY since_seconds"
        )
        return [(row[0], row[1]) for row in self.rows(sql, video)]


def _as_before(
    db: Database, videos: Sequence[int], before: Mapping[int, VideoRecord] | None
) -> list[int]:
    """Return which videos were neither scanned nor decided about since they were read."""
    sql = "SELECT id, decided, scans FROM videos WHERE id IN ({})"
    return [
        video
        for video, *counts in of_videos(db, sql, videos)
        if before is None or counts == [before[video].decided, before[video].scans]
    ]
