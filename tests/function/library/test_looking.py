"""What somebody waits for is looked at before all else."""

import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from db.addresses import StoreAddress
from db.stores import open_ledger, open_store
from function.errors import BusyError
from function.faces.found import Progress, Task
from function.library import jobs, looking
from function.library.gate import Gate
from function.library.looking import Looker
from function.media.files import MediaFile
from function.people.gathering import PeopleFound
from function.settings import Settings
from tests.support.scans import (
    SquaresReader,
    make_gallery,
    offer_all,
    picture_of,
    write_album,
    write_many,
)

IN_TIME_SECONDS = 20.0


class HeldReader(SquaresReader):
    """Waits in the middle of each video until it is let go."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.let_go = threading.Event()
        self.begun = threading.Event()

    def find_people(self, media: MediaFile, task: Task) -> Generator[Progress | PeopleFound]:
        for event in super().find_people(media, task):
            yield event
            self.begun.set()
            self.let_go.wait(IN_TIME_SECONDS)


class Place:
    """A ledger in which three videos are queued, and what looks at them."""

    def __init__(self, folder: Path) -> None:
        write_many(folder / "media", 3)
        self.settings = Settings(
            media_root=(folder / "media",),
            library_db=StoreAddress(str(folder / "l.db")),
            sandbox="off",
        )
        self.reader = HeldReader()
        self.gate = Gate()
        store = open_store(make_gallery(folder / "g.db"))
        self.opened = 0
        self.looker = Looker(self.settings, store, self.gate, self._open_reader)
        with open_ledger(folder / "l.db") as ledger:
            offer_all(ledger, folder / "media")
            self.videos = [one.id for one in ledger.iterate()]

    def _open_reader(self, _: Settings) -> HeldReader:
        self.opened += 1
        return self.reader

    def state(self, video: int) -> str:
        with open_ledger(self.settings.library_db) as ledger:
            return ledger.records([video])[0].state


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + IN_TIME_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_only_what_is_asked_for_is_looked_at_and_scans_wait_meanwhile(place: Place) -> None:
    wanted = place.videos[2]
    place.looker.look(wanted)
    place.looker.look(wanted)
    assert place.reader.begun.wait(IN_TIME_SECONDS)
    until(lambda: place.looker.progress_of(wanted))
    with open_ledger(place.settings.library_db) as ledger:
        assert place.gate.is_held(ledger)
        place.reader.let_go.set()
        until(lambda: not place.gate.is_held(ledger))
    assert place.state(wanted) == "done"
    until(lambda: place.looker.progress_of(wanted) is None)
    assert place.reader.read == ["02.mp4"]


def test_where_no_thread_is_to_be_had_it_is_looked_at_when_it_is_asked_for_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    place.reader.let_go.set()
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError, match="new thread"):
            place.looker.look(place.videos[1])
    place.looker.look(place.videos[1])
    until(lambda: place.state(place.videos[1]) == "done")
    place.looker.close()


def test_it_is_looked_at_also_while_scans_are_paused(place: Place) -> None:
    place.reader.let_go.set()
    with open_ledger(place.settings.library_db) as ledger:
        jobs.pause(ledger)
    place.looker.look(place.videos[1])
    until(lambda: place.state(place.videos[1]) == "done")
    assert place.state(place.videos[0]) == "queued"


def test_whoever_becomes_the_worker_leaves_it_to_whom_it_is_looked_at_by(place: Place) -> None:
    wanted = place.videos[1]
    with open_ledger(place.settings.library_db) as ledger:
        assert ledger.lease("somebody who ended", 600)
        place.looker.look(wanted)
        assert place.reader.begun.wait(IN_TIME_SECONDS)
        with ledger.working() as is_ours:
            assert is_ours
            assert [place.state(one) for one in place.videos] == ["queued", "working", "queued"]
        place.reader.let_go.set()
        until(lambda: place.state(wanted) == "done")
        until(lambda: place.looker.progress_of(wanted) is None)
        until(lambda: not place.gate.is_held(ledger))
        assert place.reader.read == ["01.mp4"]
        with ledger.beside() as owner:
            assert ledger.lease(owner, 600)
            ledger.take_over()
            assert place.state(place.videos[0]) == "working"
        ledger.take_over()
        assert place.state(place.videos[0]) == "queued", "whoever looked has ended"


def test_only_so_many_wait_to_be_looked_at(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "MOST_LOOKS", 2)
    for _ in range(2):
        for wanted in place.videos[:2]:
            place.looker.look(wanted)
    with pytest.raises(BusyError, match="2 videos and albums are already waiting to be looked at"):
        place.looker.look(place.videos[2])
    place.reader.let_go.set()
    until(lambda: place.state(place.videos[1]) == "done")
    until(lambda: not place.looker.progress_of(place.videos[1]))
    place.looker.look(place.videos[2])
    until(lambda: place.state(place.videos[2]) == "done")


def test_ended_in_the_middle_it_stays_queued(place: Place) -> None:
    place.looker.look(place.videos[0])
    assert place.reader.begun.wait(IN_TIME_SECONDS)
    closing = threading.Thread(target=place.looker.close)
    closing.start()
    place.reader.let_go.set()
    closing.join()
    assert place.state(place.videos[0]) == "queued"
    place.looker.look(place.videos[1])
    place.looker.close()  # it waits for whatever is at work
    assert place.state(place.videos[1]) == "queued"
    assert place.opened == 1


def test_a_link_in_an_album_leads_it_nowhere_outside_the_media_root(
    place: Place, tmp_path: Path
) -> None:
    album = write_album(tmp_path / "media" / "set", {"1.png": 101})
    (tmp_path / "secret.png").write_bytes(picture_of(202))
    (album / "2.png").symlink_to(tmp_path / "secret.png")
    place.reader.let_go.set()
    with open_ledger(place.settings.library_db) as ledger:
        offer_all(ledger, tmp_path / "media", pictures=True)
        (number,) = (one.id for one in ledger.iterate() if one.kind == "album")
        place.looker.look(number)
        until(lambda: place.state(number) == "done")
        read, left_out = ledger.pictures([number])[number]
    assert (read.faces, read.reason) == (1, "")
    assert (left_out.faces, left_out.reason) == (0, "a link leads outside the media root")
