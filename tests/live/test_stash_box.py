"""A real stash-box: whom it gives by name and by id. See `tests.support.live_stash_box`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from db.records import Identity
from db.sqlite.store import StoredGallery
from function.engines.loading import load_engine
from function.engines.protocol import EngineOptions
from function.imports.photos import USUAL_DEMANDS
from function.sources.downloads import Downloads
from function.sources.records import Refusal, SourceRecord, UnusableSourceError
from function.sources.stash_box import StashBox
from tests.support.live_stash_box import KEY, URL, LiveBox, open_live_box
from tools.imports.imports import import_records

NOBODY = "01a00000-0000-7000-8000-000000000000"

pytestmark = pytest.mark.skipif(not URL, reason="STASH_BOX_URL names no stash-box to test with")


@pytest.fixture(scope="module")
def box() -> Iterator[LiveBox]:
    with open_live_box() as opened:
        yield opened


@pytest.fixture(scope="module")
def ids(box: LiveBox, photos: Path) -> Iterator[dict[str, str]]:
    """Who is in the stash-box, by a word for each."""
    found = {
        "grace": box.add("Grace Hopper", photos / "hopper.jpg"),
        "kept": box.add("Barack Obama", photos / "obama1.jpg", photos / "obama2.jpg"),
        "merged": box.add("Barry"),
        "deleted": box.add("Gone"),
        "builder": box.add("Bob", disambiguation="builder"),
        "painter": box.add("Bob", disambiguation="painter"),
    }
    details = {"name": box.name("Barack Obama")}
    box.edit("MERGE", found["kept"], merge_source_ids=[found["merged"]], details=details)
    box.edit("DESTROY", found["deleted"])
    yield found
    box.remove([found[one] for one in ("grace", "kept", "builder", "painter")])


def test_performers_and_their_pictures_come_by_name_and_by_id(
    box: LiveBox, ids: dict[str, str]
) -> None:
    asked = StashBox(URL, KEY)
    downloads = Downloads([asked.own_server])
    records = [
        *asked.read_ids([ids["merged"]], downloads),
        *asked.read_names([box.name("grace hopper")], downloads),
    ]
    with StoredGallery() as gallery:
        engine = load_engine("auto", EngineOptions())
        report = import_records(iter(records), gallery, engine, USUAL_DEMANDS, kind="stash-box")
        enrolled = {one.name: one for one in gallery.performers()}
    assert (report.counts()["added"], report.counts()["photos"]) == (2, 3)
    obama = enrolled[box.name("Barack Obama")]
    assert set(obama.stash_ids) == {Identity(URL, ids["kept"]), Identity(URL, ids["merged"])}


def test_who_is_not_there_or_not_the_only_one_is_refused_with_the_reason(
    box: LiveBox, ids: dict[str, str]
) -> None:
    asked = StashBox(URL, KEY)
    refused = [
        *asked.read_ids([ids["deleted"], NOBODY, "no id"], Downloads()),
        *asked.read_names([box.name("Bob"), box.name("Gone")], Downloads()),
    ]
    reasons = [one.reason if isinstance(one, Refusal) else "" for one in refused]
    assert reasons[0] == "deleted at the stash-box"
    assert reasons[1] == "the stash-box does not have this id"
    assert "answered: " in reasons[2]
    assert f"{ids['painter']} (painter)" in reasons[3]
    assert reasons[4] == "the stash-box has no performer with exactly this name"
    (bob,) = asked.read_ids([ids["builder"]], Downloads())
    assert isinstance(bob, SourceRecord)


@pytest.mark.parametrize("key", ["wrong", KEY[:-5] + "AAAAA", ""])
def test_a_wrong_key_is_said_in_words(ids: dict[str, str], key: str) -> None:
    with pytest.raises(UnusableSourceError, match="the API key"):
        list(StashBox(URL, key).read_ids([ids["grace"]], Downloads()))
