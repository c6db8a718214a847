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
        (self.root / "sub").mkdir(parents=True)
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
        path.write_bytes(os.fsencode(name) * 100)
        with path.open("rb") as file:
            oshash = oshash_of(file.fileno())
        found = path.stat()
        video = VideoFile(os.fsencode(path), Stamp(found.st_size, found.st_mtime_ns), oshash)
        with self.ledger() as ledger:
            ledger.offer([video], "normal")
        return video

    def person(self, number: int | None, at: int = 0) -> PersonFound:
        """Somebody seen for four seconds from `at` on: a performer, or a stranger."""
        centre = self.crowd.person() if number is None else self.centres[number]
        found = person_of(make_faces(self.crowd.encodings(centre, 4), at))
        return replace(found, picture=b"\xff\xd8\xff at %d" % at)

    def scan(
        self,
        name: str,
        people: Sequence[PersonFound],
        unreadable_seconds: float = 0.0,
        *,
        strangers: bool = True,
    ) -> None:
        """Add a file, and store these people as a scan of it would, strangers too or without."""
        self.add_file(name)
        settings = Settings(second_encoder="off")
        naming = open_naming(self.store, None, settings)
        found = PeopleFound(tuple(people), (PRIMARY.id,), 30, 12, StageSeconds(0.0, 0.0))
        found = replace(found, unreadable_seconds=unreadable_seconds)
        kept = keep_people(found, Watched(name, 30.0), naming, strangers=strangers)
        with self.ledger() as ledger:
            lease = ledger.lease("test", 60)
            assert lease
            scanned = Scanned("normal", None, (PRIMARY.id,))
            assert ledger.finish(lease, kept.found, scanned, kept.outcomes, naming.generation)

    def scan_uncertain(self, others: Sequence[PersonFound]) -> None:
        """Scan P0 and P1, uncertain, and P2, certain, in two videos, and others in a third."""
        self.scan("a.mp4", [self.person(0)])
        self.scan("sub/b.mp4", [self.person(1), self.person(2, 10)])
        self.scan("c.mp4", others)
        with closing(sqlite3.connect(self.ledger_path)) as raw, raw:
            raw.execute("UPDATE outcomes SET verdict = 'uncertain', score = 60 WHERE performer < 3")

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
