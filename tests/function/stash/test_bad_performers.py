"""One bad performer or photo in Stash never ends a sync, wherever it stands."""

from pathlib import Path
from typing import Any

import pytest

from db.addresses import StoreAddress
from db.sqlite.store import SqliteStore
from function.imports.finders import EngineFinder
from function.stash.client import Stash
from function.stash.synced import Synced, SyncOptions
from function.stash.syncing import run, sync
from tests.support.bad_photos import BAD_PHOTOS
from tests.support.engines import QuickEngine, made_up_photo
from tests.support.graphql_server import Answer
from tests.support.stash_server import FakeStash

PLACES = ["first", "middle", "last"]
COVERS = BAD_PHOTOS | {
    "larger than allowed": Answer(b"", claimed_bytes=2**40),
    "elsewhere": Answer(b"", 302, headers={"Location": "http://127.0.0.1:1/x"}),
}
FIELDS: dict[str, dict[str, Any]] = {
    "two lines": {"name": "two\nlines"},
    "too long": {"name": "x" * 400},
    "invisible": {"name": "\u200b"},
    "no name": {"name": ""},
    "odd address": {"urls": ["javascript:alert(1)", "\0", "x" * 9_000]},
    "odd aliases": {"alias_list": ["", "a\nb", "x" * 9_000]},
    "odd cover": {"image_path": "http://[::1"},
    "cover of two lines": {"image_path": "/performer/1/image%0A"},
    "cover with a mark": {"image_path": "/performer/1/image%3F?t=1"},
    "cover that is no text": {"image_path": "/performer/1/\ud800"},
    "address that is no text": {"urls": ["https://a.example/\ud800"]},
    "id that is no text": {"stash_ids": [{"endpoint": "https://b.example", "stash_id": "\ud800"}]},
    "odd time": {"updated_at": "yesterday"},
    "time that is no text": {"updated_at": "\ud800"},
}


def synced(fake: FakeStash, tmp_path: Path) -> tuple[Synced, list[str]]:
    store = SqliteStore(StoreAddress(str(tmp_path / "g.db")))
    with store.changing(create=True):
        pass
    stash = Stash(fake.url, "right")
    finder = EngineFinder(QuickEngine())
    done = run(sync(stash, store, None, finder, options=SyncOptions()), lambda _: None)
    with store.gallery() as opened:
        return done, [one.name for one in opened.performers() if one.encodings]


def add_in_order(fake: FakeStash, place: str, name: str = "Bad") -> str:
    """Add Bea, Yve and a bad performer; return the id of the bad one."""
    names = ["Bea", "Yve"]
    names.insert(PLACES.index(place), name)
    ids = [fake.add_performer(one, made_up_photo(sum(one.encode()))) for one in names]
    return ids[PLACES.index(place)]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", COVERS)
def test_a_bad_photo_in_stash_costs_only_itself(
    kind: str, place: str, fake: FakeStash, tmp_path: Path
) -> None:
    bad = add_in_order(fake, place)
    fake.photos[f"/performer/{bad}/image"] = COVERS[kind]
    done, names = synced(fake, tmp_path)
    assert names == ["Bea", "Yve"]
    assert not done.report.stopped
    assert [one.id for one in done.without_photo] in ([bad], [])
    (refused,) = done.report.to_json()["refused"]
    assert refused["performer"] == "Bad"


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", FIELDS)
def test_a_bad_performer_in_stash_costs_only_itself(
    kind: str, place: str, fake: FakeStash, tmp_path: Path
) -> None:
    bad = add_in_order(fake, place)
    fake.edit_performer(bad, **FIELDS[kind])
    if "updated_at" in FIELDS[kind]:
        next(one for one in fake.performers if str(one["id"]) == bad).update(FIELDS[kind])
    done, names = synced(fake, tmp_path)
    assert {"Bea", "Yve"} <= set(names)
    assert not done.report.stopped
    again, names = synced(fake, tmp_path)
    assert {"Bea", "Yve"} <= set(names)
    assert not again.report.stopped


@pytest.mark.parametrize("place", PLACES)
def test_pictures_that_stash_cannot_list_cost_their_performer_only_these(
    place: str, fake: FakeStash, tmp_path: Path
) -> None:
    bad = add_in_order(fake, place)
    answer_query = fake.answer_query
    fault = b'{"errors": [{"message": "database disk image is malformed"}], "data": null}'

    def answer(asked: dict[str, Any], api_key: str) -> Answer:
        is_bad = "findImages" in asked["query"] and bad in str(asked["variables"].get("wanted", ""))
        broken = Answer(fault, 200, "application/json")
        return broken if is_bad else answer_query(asked, api_key)

    fake.answer_query = answer  # type: ignore[method-assign]
    done, names = synced(fake, tmp_path)
    assert sorted(names) == ["Bad", "Bea", "Yve"]
    (refused,) = done.report.to_json()["refused"]
    assert (refused["performer"], refused["photo"]) == ("Bad", "pictures in Stash")
    assert "malformed" in refused["reason"]
    fake.answer_query = answer_query  # type: ignore[method-assign]
    done, _ = synced(fake, tmp_path)
    assert done.report.to_json()["refused"] == []
