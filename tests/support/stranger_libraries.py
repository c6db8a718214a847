"""A library of made-up people, as scans would leave it, without any video."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from db.addresses import StoreAddress
from db.galleries import Store
from db.ledgers import Ledger
from db.people import Link, PersonFound
from db.records import Encoding, Performer, Vector
from db.sqlite.store import SqliteStore
from db.stores import open_ledger
from db.videos import Scanned, Stamp, VideoFile
from function.engines.models import PRIMARY
from function.faces.found import StageSeconds
from function.library.keeping import Watched, keep_people
from function.library.naming import Naming, open_naming
from function.people.gathering import PeopleFound
from function.settings import Settings
from tests.support.crowds import Crowd, make_faces
from tests.support.people import person_of

DAY = 0.1
"""How far a face of these people is from its person: all their days are alike."""


class MadeUpLibrary:
    """An empty gallery and a ledger; videos are numbered from 1 as they are added."""

    def __init__(self, folder: Path, seed: int = 3) -> None:
        self.crowd = Crowd(seed)
        self.store: Store = SqliteStore(StoreAddress(str(folder / "g.db")))
        self.store.create()
        self.path = folder / "l.db"
        self.settings = Settings(library_db=StoreAddress(str(self.path)), second_encoder="off")
        self.ledger: Ledger = open_ledger(self.path)
        self._frames = 0

    def naming(self) -> Naming:
        return open_naming(self.store, None, self.settings)

    def enrol(
        self, name: str, person: Vector, photos: int = 3, picture: bytes | None = None
    ) -> int:
        encodings = [
            Encoding(one, PRIMARY.id, 0.9, f"{name} {row}", "photo")
            for row, one in enumerate(self.crowd.encodings(person, photos, DAY))
        ]
        with self.store.changing() as gallery:
            gallery.enrol(Performer(0, name, source_id=name), encodings, picture)
            return gallery.find_performer(name).id

    def seen(self, person: Vector, faces: int = 6, first_frame: int | None = None) -> PersonFound:
        """A person as found in a video, in frames of their own unless a first one is given."""
        start = self._frames if first_frame is None else first_frame
        self._frames += faces
        found = person_of(make_faces(self.crowd.encodings(person, faces, DAY), start))
        return replace(found, picture=jpeg(start))

    def add_couple(self) -> tuple[Vector, Vector]:
        """Add a man in three videos, 1 to 3, and a woman in the first of them."""
        man, woman = self.crowd.person(), self.crowd.person()
        self.add_video([self.seen(man), self.seen(woman)], "1")
        for name in ("2", "3"):
            self.add_video([self.seen(man)], name)
        return man, woman

    def add_video(
        self,
        people: Sequence[PersonFound],
        name: str = "",
        links: tuple[Link, ...] = (),
        models: tuple[str, ...] = (PRIMARY.id,),
    ) -> int:
        """Add a video with these people, as a scan with these nets that keeps strangers would."""
        number = len(list(self.ledger.iterate())) + 1
        path = f"/v/{name or number}.mp4".encode()
        file = VideoFile(path, Stamp(1000 + number, 1), f"{number:016x}")
        self.ledger.offer([file], "normal")
        self.scan(number, people, links, models)
        return number

    def scan(
        self,
        video: int,
        people: Sequence[PersonFound],
        links: tuple[Link, ...] = (),
        models: tuple[str, ...] = (PRIMARY.id,),
    ) -> None:
        """Store what a scan of a video found; it must be queued."""
        lease = self.ledger.lease("test", 60, frozenset([video]))
        assert lease
        naming = self.naming()
        found = PeopleFound(tuple(people), models, 30, 12, StageSeconds(0.0, 0.0), links)
        kept = keep_people(found, Watched("", 30.0), naming, strangers=True)
        scanned = Scanned(lease.depth, None, models)
        generation = naming.generation
        assert self.ledger.finish(lease, kept.found, scanned, kept.outcomes, generation)

    def scan_again(self, video: int, people: Sequence[PersonFound]) -> None:
        self.ledger.want_again([video], "deep")
        self.scan(video, people)

    def bytes_on_disk(self) -> bytes:
        names = f"{self.path.name}*"
        return b"".join(path.read_bytes() for path in self.path.parent.glob(names))


def jpeg(seed: int, side: int = 32) -> bytes:
    noise = np.random.default_rng(seed).integers(0, 255, (side, side, 3), np.uint8)
    return cv2.imencode(".jpg", noise)[1].tobytes()
