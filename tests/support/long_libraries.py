"""Makes a library of made-up people long: many videos, and people who are seen for long."""

import sqlite3
from contextlib import closing
from dataclasses import replace

from db.people import PersonFound
from tests.support.crowds import make_faces
from tests.support.made_up_libraries import MadeUpLibrary
from tests.support.people import person_of


def person_for(
    library: MadeUpLibrary, number: int | None, seconds: int, at: int = 0
) -> PersonFound:
    """Make somebody who is seen once a second from `at` on: a performer, or a stranger (None)."""
    centre = library.crowd.person() if number is None else library.centres[number]
    found = person_of(make_faces(library.crowd.encodings(centre, seconds), at))
    return replace(found, picture=b"\xff\xd8\xff at %d" % at)


def repeat_video(library: MadeUpLibrary, name: str, count: int) -> None:
    """Add the last scanned video under `count` more names: what matching said, but no people.

    The names end in numbers from 1 to `count`, without leading zeros.
    """
    path = library.root / name
    with closing(sqlite3.connect(library.ledger_path)) as raw, raw:
        (video,) = raw.execute(
            "SELECT video_id FROM files WHERE path = ?", (bytes(path),)
        ).fetchone()
        told = _columns(raw, "videos", "id", "oshash")
        said = _columns(raw, "outcomes", "video_id")
        for number in range(1, count + 1):
            new = video + number
            raw.execute(
                f"INSERT INTO videos (id, oshash, {told}) "
                f"SELECT ?, ?, {told} FROM videos WHERE id = ?",
                (new, f"{number:016x}", video),
            )
            named = bytes(path.with_stem(f"{path.stem} {number}"))
            raw.execute("INSERT INTO files VALUES (?, ?, 1, 1, 0, x'')", (named, new))
            raw.execute(
                f"INSERT INTO outcomes (video_id, {said}) "
                f"SELECT ?, {said} FROM outcomes WHERE video_id = ?",
                (new, video),
            )


def _columns(raw: sqlite3.Connection, table: str, *but: str) -> str:
    kinds = raw.execute("SELECT name FROM pragma_table_info(?)", (table,))
    return ", ".join(kind for (kind,) in kinds if kind not in but)
