"""What was decided is listed with whom it is about now."""

from pathlib import Path

import pytest

from db.ledgers import Ledger
from db.stores import open_ledger, open_store
from function.engines.models import PRIMARY
from function.library.decisions import decide
from function.library.naming import Naming, open_naming
from function.library.said import Said, said_of
from function.library.taking_back import take_back
from function.settings import Settings
from tests.support.libraries import Library
from tests.support.scans import enrol, make_gallery, make_scanner, offer_all, write_album

ADA, BOB = 101, 202


def naming_of(gallery: Path) -> Naming:
    return open_naming(open_store(gallery), None, Settings(second_encoder="off"))


def listed(ledger: Ledger, naming: Naming) -> list[Said]:
    return said_of(ledger, list(ledger.latest_decisions()), naming.gallery.performers, PRIMARY)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path)


def test_a_decision_about_an_album_names_the_pictures_and_no_times(tmp_path: Path) -> None:
    gallery = make_gallery(tmp_path / "g.db")
    write_album(tmp_path / "set", {"1.png": ADA, "2.png": BOB, "3.png": ADA})
    with open_ledger(tmp_path / "l.db") as ledger:
        offer_all(ledger, tmp_path / "set", pictures=True)
        list(make_scanner(ledger, gallery).scan_all())
        (position,) = (one.position for one in ledger.sightings([1])[1] if one.person.faces == 2)
        decide(ledger, naming_of(gallery).gallery, (1, position), "ignored")
        (said,) = listed(ledger, naming_of(gallery))
        assert (said.pictures, said.appearances, said.position) == ((1, 3), (), position)
        write_album(tmp_path / "set", {"0.png": BOB})
        offer_all(ledger, tmp_path / "set", pictures=True)
        list(make_scanner(ledger, gallery).scan_all())
        (said,) = listed(ledger, naming_of(gallery))
        assert said.pictures == (2, 4), "the pictures have other numbers now"


def test_a_decision_about_a_video_says_when_and_about_whom(library: Library) -> None:
    naming = open_naming(library.store, None, library.settings)
    with open_ledger(library.path) as ledger, library.store.gallery() as gallery:
        performer = gallery.performer(library.ids[1])
        decide(ledger, naming.gallery, (1, 1), "rejected", performer)
        (said,) = listed(ledger, naming)
        assert (said.position, said.pictures) == (1, ())
        assert said.performer == performer
        assert said.appearances == ((0.0, 13.0),)


def test_who_is_no_longer_enrolled_or_no_longer_seen_is_nobody(library: Library) -> None:
    naming = open_naming(library.store, None, library.settings)
    with open_ledger(library.path) as ledger, library.store.changing() as gallery:
        performer = gallery.performer(library.ids[1])
        decide(ledger, naming.gallery, (1, 1), "rejected", performer)
        others = [one for one in naming.gallery.performers if one.id != performer.id]
        (said,) = said_of(ledger, list(ledger.latest_decisions()), others, PRIMARY)
        assert said.performer is None
        ledger.want_again([1], "deep")
        library.scan(ledger, library.people[:1])
        (said,) = listed(ledger, naming)
        assert said.position is None


def test_all_decisions_are_read_the_newest_first_however_many(library: Library) -> None:
    naming = open_naming(library.store, None, library.settings)
    with open_ledger(library.path) as ledger:
        made = [decide(ledger, naming.gallery, (1, 2), "ignored") for _ in range(501)]
        found = list(ledger.latest_decisions())
        assert [decision.id for _, decision in found] == made[::-1]
        assert {video for video, _ in found} == {1}
        assert [one.id for _, one in ledger.latest_decisions(made[2])] == [made[1], made[0]]


def test_only_a_decision_that_is_there_is_taken_back(library: Library) -> None:
    naming = open_naming(library.store, None, library.settings)
    with open_ledger(library.path) as ledger:
        number = decide(ledger, naming.gallery, (1, 2), "ignored")
        assert take_back(ledger, library.store, number + 1) is None
        assert take_back(ledger, library.store, number) == 0
        assert take_back(ledger, library.store, number) is None


def test_what_was_enrolled_otherwise_outlasts_the_name_that_is_taken_back(tmp_path: Path) -> None:
    gallery = make_gallery(tmp_path / "g.db")
    write_album(tmp_path / "set", {"1.png": ADA})
    with open_ledger(tmp_path / "l.db") as ledger:
        offer_all(ledger, tmp_path / "set", pictures=True)
        list(make_scanner(ledger, gallery).scan_all())
        (sighting,) = ledger.sightings([1])[1]
        ada = enrol(gallery, "Ada", sighting.person.views[0].encodings[0])
        snapshot, gone = naming_of(gallery).gallery, ("of a view that was removed",)
        number = decide(ledger, snapshot, (1, 0), "named", ada, photo_hashes=gone)
        store = open_store(gallery)
        assert take_back(ledger, store, number) == 0
        with store.gallery() as opened:
            assert len(opened.photos(ada.id)) == 3
