"""Small ledgers of made-up videos for the tests."""

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from sqlite_utils import Database

from db.ledgers import Ledger
from db.people import Link, PersonFound, Seen, View
from db.sqlite.ledger import SqliteLedger
from db.sqlite.ledger_schema import LEDGER
from db.videos import Depth, Lease, Outcome, Scanned, Sighting, Stamp, VideoFile, VideoFound
from function.engines.models import PRIMARY, SECOND
from tests.support.galleries import made_up_vector

SCANNED = Scanned("normal", None, (PRIMARY.id, SECOND.id))
AT = (7, 3)

HALF = """
    SELECT 'no view', id, 0 FROM sightings WHERE id NOT IN (SELECT sighting_id FROM views)
    UNION ALL SELECT 'no outcome', * FROM (
        SELECT video_id, position FROM sightings EXCEPT SELECT video_id, position FROM outcomes)
    UNION ALL SELECT 'no sighting', * FROM (
        SELECT video_id, position FROM outcomes EXCEPT SELECT video_id, position FROM sightings)
    UNION ALL SELECT 'no lead', * FROM (
        SELECT video_id, lead FROM outcomes EXCEPT SELECT video_id, position FROM outcomes)
    UNION ALL SELECT 'no time', id, 0 FROM videos WHERE state = 'done' AND scanned_at = ''
    UNION ALL SELECT 'no scan', videos.id, 0 FROM videos JOIN sightings ON video_id = videos.id
        WHERE scanned_at = ''
"""
"""Finds what no process may leave behind, however it ends."""


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def video_file(number: int, name: str | bytes | None = None, *, mtime: int = 1) -> VideoFile:
    """The file with the content of that number."""
    path = os.fsencode(name if name is not None else f"/videos/{number}.mp4")
    return VideoFile(path, Stamp(1000 + number, mtime), f"{number:016x}")


def made_up_person(seed: int, *, views: int = 2, frames: Sequence[int] = (0, 1, 5)) -> PersonFound:
    """A person whose first view has encodings of both nets, and whose last one is weak."""
    random = np.random.default_rng(seed)
    found = [
        View(
            seconds=number + 0.1,
            quality=float(random.uniform(0.5, 1)),
            faces=number + 1,
            weaknesses=("blurred",) if number and number == views - 1 else (),
            encodings=(made_up_vector(100 * seed + number),)
            if number
            else (made_up_vector(100 * seed), made_up_vector(100 * seed + 99)),
        )
        for number in range(views)
    ]
    seen = tuple(
        Seen(frame, frame / 3, frame / 3 + 1 / 7, max(0.0, frame / 3 - 1 / 9)) for frame in frames
    )
    return PersonFound(tuple(found), seen, 1 / 3, b"\xff\xd8 picture of %d" % seed)


def made_up_video(*people: PersonFound, links: tuple[Link, ...] = ()) -> VideoFound:
    """A video with these people, at positions 0, 1, ..."""
    return VideoFound(
        *(12.5, 40, 9), tuple(enumerate(people)), links, left_out=1, unreadable_seconds=2.5
    )


def alone(count: int) -> tuple[Outcome, ...]:
    """What matching says of people nobody knows."""
    return tuple(Outcome(position, position) for position in range(count))


def take(ledger: Ledger, seconds: float = 60.0) -> Lease:
    """Lease the next video, which there must be."""
    lease = ledger.lease("test", seconds)
    assert lease is not None
    return lease


def scan_one(
    ledger: Ledger,
    number: int,
    *people: PersonFound,
    outcomes: Sequence[Outcome] | None = None,
    links: tuple[Link, ...] = (),
    depth: Depth = "normal",
) -> int:
    """Add the file of a number, finish its scan with these people, and return the video's id."""
    ledger.offer([video_file(number)], depth)
    (video,) = ledger.ids([video_file(number).path])
    lease = ledger.lease("test", 60.0, frozenset([video]))
    assert lease is not None
    said = alone(len(people)) if outcomes is None else outcomes
    scanned = Scanned(depth, None, SCANNED.models)
    assert ledger.finish(lease, made_up_video(*people, links=links), scanned, said, AT)
    return video


def bits(sightings: Sequence[Sighting]) -> list[object]:
    """All that sightings hold, as values that can be compared."""
    return [
        (
            one.position,
            one.person.seen,
            one.person.best_seconds,
            one.person.picture,
            [
                (
                    *(view.seconds, view.quality, view.faces, view.weaknesses),
                    [(encoding.dtype.str, encoding.tobytes()) for encoding in view.encodings],
                )
                for view in one.person.views
            ],
        )
        for one in sightings
    ]


def assert_whole(path: Path) -> None:
    """Check that a ledger's file holds nothing half: its integrity, its people, its outcomes."""
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert raw.execute("PRAGMA foreign_key_check").fetchall() == []
        assert raw.execute(HALF).fetchall() == []


def ledger_of_schema(path: Path, version: int) -> Path:
    """A ledger as the first `version` steps leave it, with one video in which somebody was seen."""
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        for step in LEDGER.steps[:version]:
            step(Database(raw))
        raw.execute(f"PRAGMA application_id = {LEDGER.application_id}")
        raw.execute(f"PRAGMA user_version = {version}")
        raw.execute(
            "INSERT INTO videos (oshash, size_bytes, state, wanted_depth, depth, models, "
            "scanned_at, gallery, generation) VALUES ('00000000000003e9', 1001, 'done', 'normal', "
            "'normal', '[\"dlib\"]', '2026-01-01T00:00:00Z', 7, 3)"
        )
        raw.execute("INSERT INTO files VALUES (CAST('/videos/1.mp4' AS BLOB), 1, 1001, 1, 0, x'')")
        seen = bytes.fromhex("789c636000010e0730c5f0c01e427f80d217ec01289503a6")
        raw.execute("INSERT INTO sightings VALUES (1, 1, 0, 0.5, ?, x'ffd8')", (seen,))
        raw.execute(
            "INSERT INTO views VALUES (1, 0, 0.5, 0.9, 4, '[]', ?, NULL)",
            (made_up_vector(1).tobytes(),),
        )
        raw.execute("INSERT INTO outcomes VALUES (1, 0, 0, 5, 97.5, 'match', '')")
    return path


def open_with(clock: Clock, path: Path | None = None) -> SqliteLedger:
    """Open a ledger by a clock of the test."""
    return SqliteLedger(path, clock)
