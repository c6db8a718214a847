"""A small library of made-up people: a gallery, files that stand for videos, and their ledger."""

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from db.addresses import StoreAddress
from db.galleries import Store
from db.ledgers import Ledger
from db.people import PersonFound
from db.records import Encoding, Identity, Performer, Vector
from db.sqlite.store import SqliteStore
from db.stores import open_ledger
from db.videos import Scanned, Stamp, VideoFile
from function.engines.models import PRIMARY
from function.faces.found import StageSeconds
from function.library.keeping import Watched, keep_people
from function.library.naming import open_naming
from function.library.oshash import oshash_of
from function.people.gathering import PeopleFound
from function.settings import Settings
from tests.support.crowds import Crowd, make_faces
from tests.support.people import person_of

BOX = "https://box.example/graphql"


class MadeUpLibrary:
    """Ten performers P0 to P9, a media root, and a ledger that scans can be written into.

    P0 is known to a stash-box and to a Stash. Nothing is read: whom a video shows is told.
    """

    def __init__(self, folder: Path) -> None:
        self.crowd = Crowd()
        self.centres = [self.crowd.person() for _ in range(10)]
        self.root = folder / "media"
        self.root.mkdir()
        self.gallery_path, self.ledger_path = folder / "g.db", folder / "l.db"
        self.store: Store = SqliteStore(StoreAddress(str(self.gallery_path)))
        self.store.create()
        with self.store.changing() as gallery:
            for number, centre in enumerate(self.centres):
                gallery.enrol(_performer(number), self._photos(number, centre), None)

    def settings(self) -> dict[str, object]:
        """The settings of a server for this library, which loads no net to answer from it."""
        return {
            "MEDIA_ROOT": self.root,
            "PERFORMERS_DB": self.gallery_path,
            "LIBRARY_DB": self.ledger_path,
            "SECOND_ENCODER": "off",
        }

    def ledger(self) -> Ledger:
        return open_ledger(self.ledger_path)

    def add_file(self, name: str) -> VideoFile:
        """Write a file that is no video, and queue it."""
        path = self.root / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(name.encode() * 100)
        with path.open("rb") as file:
            oshash = oshash_of(file.fileno())
        found = path.stat()
        video = VideoFile(os.fsencode(path), Stamp(found.st_size, found.st_mtime_ns), oshash)
        with self.ledger() as ledger:
            ledger.offer([video], "normal")
        return video

    def person(self, number: int | None, at: int = 0, count: int = 4) -> PersonFound:
        """Somebody seen once a second, `count` times from `at` on: a performer, or a stranger."""
        centre = self.crowd.person() if number is None else self.centres[number]
        found = person_of(make_faces(self.crowd.encodings(centre, count), at))
        return replace(found, picture=b"\xff\xd8\xff at %d" % at)

    def scan(self, name: str, people: Sequence[PersonFound]) -> None:
        """Add a file, and store these people as a scan of it would, strangers too."""
        self.add_file(name)
        settings = Settings(second_encoder="off")
        naming = open_naming(self.store, None, settings)
        found = PeopleFound(tuple(people), (PRIMARY.id,), 30, 12, StageSeconds(0.0, 0.0))
        kept = keep_people(found, Watched(name, 30.0), naming, strangers=True)
        with self.ledger() as ledger:
            lease = ledger.lease("test", 60)
            assert lease
            scanned = Scanned("normal", None, naming.models)
            assert ledger.finish(
                lease, kept.found, scanned, kept.outcomes, naming.gallery.generation
            )

    def repeat(self, name: str, count: int) -> None:
        """Add a scanned video under `count` more names, each with people of its own, none stored.

        The numbers in the names are as high as 1 to `count`, without leading zeros.
        """
        path = self.root / name
        with closing(sqlite3.connect(self.ledger_path)) as raw, raw:
            sql = "SELECT video_id FROM files WHERE path = ?"
            (video,) = raw.execute(sql, (bytes(path),)).fetchone()
            raw.row_factory = sqlite3.Row
            (row,) = raw.execute("SELECT * FROM videos WHERE id = ?", (video,))
            columns = [one for one in row.keys() if one not in ("id", "oshash")]  # noqa: SIM118
            listed = ", ".join(columns)
            for number in range(1, count + 1):
                new = path.with_stem(f"{path.stem} {number}")
                raw.execute(
                    f"INSERT INTO videos (id, oshash, {listed}) SELECT ?, ?, {listed} "
                    "FROM videos WHERE id = ?",
                    (video + number, f"{number:016x}", video),
                )
                raw.execute(
                    "INSERT INTO files VALUES (?, ?, 1, 1, 0)", (bytes(new), video + number)
                )
                raw.execute(
                    "INSERT INTO outcomes SELECT ?, position, lead, performer, score, verdict "
                    "FROM outcomes WHERE video_id = ?",
                    (video + number, video),
                )

    def _photos(self, number: int, centre: Vector) -> list[Encoding]:
        return [
            Encoding(one, PRIMARY.id, 0.9, f"{number} {row}", "photo")
            for row, one in enumerate(self.crowd.encodings(centre, 3))
        ]


def _performer(number: int) -> Performer:
    known = (Identity(BOX, "aa-00"), Identity("stash http://localhost:9999", "7"))
    return Performer(
        0, f"P{number}", source_id=f"P{number}", identities=known if number == 0 else ()
    )
