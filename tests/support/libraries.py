"""A small library for tests: a gallery file, a ledger file, one video that was scanned."""

from dataclasses import replace
from pathlib import Path

from db.addresses import StoreAddress
from db.galleries import Store
from db.ledgers import Ledger
from db.people import PersonFound
from db.records import Encoding, Performer
from db.sqlite.store import SqliteStore
from db.stores import open_ledger
from db.videos import Scanned, Stamp, VideoFile
from function.engines.models import PRIMARY
from function.faces.found import StageSeconds
from function.library.keeping import Watched, keep_people
from function.library.naming import open_naming
from function.people.gathering import PeopleFound
from function.settings import Settings
from tests.support.crowds import Crowd, make_faces
from tests.support.people import person_of


class Library:
    """Ten performers, and one video in which the first two of them and a stranger are seen."""

    def __init__(self, folder: Path) -> None:
        crowd = Crowd()
        self.centres = [crowd.person() for _ in range(10)]
        self.store: Store = SqliteStore(StoreAddress(str(folder / "g.db")))
        self.store.create()
        with self.store.changing() as gallery:
            for number, centre in enumerate(self.centres):
                performer = Performer(0, f"P{number}", source_id=f"P{number}")
                photos = [
                    Encoding(one, PRIMARY.id, 0.9, f"{number} {row}", "photo")
                    for row, one in enumerate(crowd.encodings(centre, 3))
                ]
                gallery.enrol(performer, photos, None)
        with self.store.gallery() as opened:
            self.ids = [opened.find_performer(f"P{number}").id for number in range(10)]
        self.path = folder / "l.db"
        self.settings = Settings(library_db=StoreAddress(str(self.path)), second_encoder="off")
        self.people = [
            _pictured(
                person_of(make_faces(crowd.encodings(one, 4), at)), b"\xff\xd8\xff picture %d" % at
            )
            for one, at in zip([*self.centres[:2], crowd.person()], (0, 10, 20), strict=True)
        ]
        self.file = VideoFile(b"/v/film.mp4", Stamp(1000, 1), "00000000000003e8")
        with open_ledger(self.path) as ledger:
            ledger.offer([self.file], "normal")
            self.scan(ledger, self.people)

    def scan(self, ledger: Ledger, people: list[PersonFound], *, strangers: bool = True) -> int:
        """Store these people as a scan would, strangers too; say how many were kept."""
        naming = open_naming(self.store, None, self.settings)
        lease = ledger.lease("test", 60)
        assert lease
        found = PeopleFound(tuple(people), (PRIMARY.id,), 30, 12, StageSeconds(0.0, 0.0), links=())
        spans = ledger.forgotten_spans(lease.video)
        kept = keep_people(
            found,
            Watched("/v/film.mp4", 30.0),
            naming,
            strangers=strangers,
            forgotten=spans,
            decisions=ledger.decisions([lease.video])[lease.video],
        )
        scanned = Scanned(lease.depth, None, (PRIMARY.id,))
        generation = naming.generation
        assert ledger.finish(lease, kept.found, scanned, kept.outcomes, generation)
        return len(kept.found.people)

    def positions(self) -> list[int]:
        with open_ledger(self.path) as ledger:
            return [one.position for one in ledger.sightings([1])[1]]

    def bytes_on_disk(self) -> bytes:
        return b"".join(
            path.read_bytes() for path in self.path.parent.iterdir() if path.name.startswith("l.db")
        )


def _pictured(person: PersonFound, picture: bytes) -> PersonFound:
    return replace(person, picture=picture)
