"""A made-up library whose videos are scenes of a stand-in for Stash."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from db.addresses import StoreAddress
from db.people import PersonFound
from db.records import Identity, Performer
from db.videos import AlbumPicture, Scanned
from function.engines.models import PRIMARY
from function.faces.found import StageSeconds
from function.library.keeping import Watched, keep_people
from function.library.naming import open_naming
from function.people.gathering import PeopleFound
from function.settings import Settings
from function.stash.albums import queue_album, read_album_file
from tests.support.made_up_libraries import MadeUpLibrary
from tests.support.stash_server import FakeStash, serving


class StashLibrary(MadeUpLibrary):
    """Performers P1, P2 and P3 are in Stash, as `in_stash` says; P0 and the others are not."""

    def __init__(self, folder: Path, fake: FakeStash) -> None:
        super().__init__(folder)
        self.fake = fake
        fake.libraries = [str(self.root)]
        self.in_stash = {number: fake.add_performer(f"P{number}") for number in (1, 2, 3)}
        with self.store.changing() as gallery:
            for number, id_ in self.in_stash.items():
                known = (Identity("stash", id_),)
                performer = Performer(0, f"P{number}", source_id=f"P{number}", identities=known)
                gallery.enrol(performer, [], None)
        with self.store.gallery() as opened:
            self.ids = [opened.find_performer(f"P{number}").id for number in range(10)]

    def scene(
        self,
        name: str,
        people: Sequence[PersonFound] | None = None,
        performers: Sequence[str] = (),
        *,
        strangers: bool = True,
    ) -> str:
        """Add a video and its scene, scanned if people are given; return the scene's id."""
        if people is None:
            file = self.add_file(name)
        else:
            self.scan(name, people, strangers=strangers)
            path = self.root / name
            with self.ledger() as ledger:
                (record,) = ledger.records(sorted(ledger.ids([bytes(path)])))
            return self._scene(name, record.oshash, performers)
        return self._scene(name, file.oshash, performers)

    def album(self, name: str, pictures: Sequence[str], people: Sequence[PersonFound]) -> Path:
        """Add an album, a folder unless its name ends in .zip, as scanned; return its path.

        A person seen at second 0 is on the first four pictures, and so on.
        """
        path = self.root / name
        if path.suffix == ".zip":
            path.write_bytes(name.encode() * 20_000)
        else:
            path.mkdir()
            for one in pictures:
                (path / one).write_bytes(one.encode() * 20_000)
        file = read_album_file(bytes(path))
        naming = open_naming(self.store, None, Settings(second_encoder="off"))
        found = PeopleFound(tuple(people), (PRIMARY.id,), 8, 8, StageSeconds(0.0, 0.0))
        kept = keep_people(found, Watched(name, 0.0, "album"), naming, strangers=True)
        stored = replace(kept.found, pictures=tuple(AlbumPicture(one, 1) for one in pictures))
        with self.ledger() as ledger:
            queue_album(ledger, file)
            lease = ledger.lease("test", 60)
            assert lease
            scanned = Scanned("deep", None, (PRIMARY.id,))
            generation = naming.generation
            assert ledger.finish(lease, stored, scanned, kept.outcomes, generation)
        return path

    def _scene(self, name: str, oshash: str, performers: Sequence[str]) -> str:
        path = self.root / name
        return self.fake.add_scene(
            str(path), oshash=oshash, size=path.stat().st_size, performers=performers
        )

    def settings(self) -> dict[str, object]:
        """The settings of a server for this library, connected with Stash."""
        return {
            **super().settings(),
            "STASH_URL": self.fake.url,
            "STASH_API_KEY": self.fake.api_key,
        }

    def own_settings(self) -> Settings:
        """The same, for code in this process."""
        return Settings(
            media_root=(self.root,),
            performers_db=StoreAddress(str(self.gallery_path)),
            library_db=StoreAddress(str(self.ledger_path)),
            second_encoder="off",
            stash_url=self.fake.url,
            stash_api_key=self.fake.api_key,
        )


@contextmanager
def stash_library(folder: Path) -> Iterator[StashLibrary]:
    """Run a stand-in for Stash, and make a library for it."""
    with serving(FakeStash([])) as fake:
        yield StashLibrary(folder, fake)
