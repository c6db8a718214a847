"""One bad performer or photo at a stash-box never ends an import, wherever it stands."""

import json
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from db.sqlite.store import StoredGallery
from function.imports.photos import USUAL_DEMANDS
from function.imports.reports import Report
from function.sources.downloads import Downloads, OwnServer
from function.sources.records import NotSupportedError
from function.sources.stash_box import StashBox
from tests.support.bad_photos import BAD_PHOTOS
from tests.support.engines import QuickEngine, made_up_photo
from tests.support.graphql_server import Answer, StandIn, serving
from tests.support.stash_box_server import in_box, stash_box
from tools.imports.imports import import_records

PLACES = ["first", "middle", "last"]
FIELDS: dict[str, dict[str, Any]] = {
    "two lines": {"name": "two\nlines"},
    "too long": {"name": "x" * 400},
    "invisible": {"name": "\u200b"},
    "odd picture": {"images": [{"id": "1", "url": "http://[::1", "width": 9, "height": 9}]},
    "no address": {"images": [{"id": "1", "url": "", "width": 9, "height": 9}]},
    "no list": {"images": None},
    "deleted": {"deleted": True},
    "no id": {"merged_into_id": "nowhere"},
}


def refused(message: str) -> Answer:
    body = json.dumps({"errors": [{"message": message}], "data": None}).encode()
    return Answer(body, 200, "application/json")


ANSWERS = {
    "an error": refused("invalid input syntax for type uuid"),
    "wrong": Answer(b'{"data": {"findPerformer": {"name": 7}}}', 200, "application/json"),
    "a list": Answer(b'{"data": {"findPerformer": []}}', 200, "application/json"),
    "empty": Answer(b'{"data": {}}', 200, "application/json"),
}


def ids(place: str) -> list[str]:
    known = ["bea", "yve"]
    known.insert(PLACES.index(place), "bad")
    return known


def imported(server: StandIn, wanted: Sequence[str]) -> tuple[list[str], Report]:
    own = Downloads([OwnServer(httpx.URL(server.url))])
    with StoredGallery() as gallery:
        records = StashBox(server.url, "right").read_ids(wanted, own)
        report = import_records(records, gallery, QuickEngine(), USUAL_DEMANDS, kind="stash-box")
        return [one.name for one in gallery.performers() if one.encodings], report


def box_of(**fields: Any) -> StandIn:
    """A stash-box with Bea, Yve and a bad performer, each with a photo."""
    people = [in_box(one, one.title()) for one in ("bea", "yve", "bad")]
    running = stash_box(people)
    for number, one in enumerate(people):
        one["images"] = [{"id": one["id"], "url": "", "width": 9, "height": 9}]
        running.photos[f"/i/{one['id']}"] = Answer(made_up_photo(number))
    people[2].update(fields)
    return running


def give_addresses(server: StandIn, box: StandIn, *, but: bool) -> None:
    """Say where the photos are, which is known once the server runs."""
    people = [box.root["findPerformer"](None, id=one) for one in ("bea", "yve", "bad")]
    for one in people[: 2 if but else 3]:
        one["images"][0]["url"] = f"{server.url}/i/{one['id']}"


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", BAD_PHOTOS)
def test_a_bad_photo_at_a_stash_box_costs_only_itself(kind: str, place: str) -> None:
    box = box_of()
    box.photos["/i/bad"] = BAD_PHOTOS[kind]
    with serving(box) as server:
        give_addresses(server, box, but=False)
        names, report = imported(server, ids(place))
    assert names == ["Bea", "Yve"]
    assert [one["performer"] for one in report.to_json()["refused"]] == ["Bad"]
    assert not report.stopped


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", FIELDS)
def test_a_bad_performer_at_a_stash_box_costs_only_themselves(kind: str, place: str) -> None:
    box = box_of(**FIELDS[kind])
    with serving(box) as server:
        give_addresses(server, box, but="images" in FIELDS[kind])
        names, report = imported(server, ids(place))
    assert names == ["Bea", "Yve"]
    said = report.to_json()
    assert len(said["refused"] + said["remarks"]) == 1
    assert not report.stopped


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", ANSWERS)
def test_a_bad_answer_of_a_stash_box_costs_only_who_was_asked_for(kind: str, place: str) -> None:
    box = box_of()
    answer_query = box.answer_query

    def answer(asked: dict[str, Any], api_key: str) -> Answer:
        is_bad = asked["variables"]["id"] == "bad"
        return ANSWERS[kind] if is_bad else answer_query(asked, api_key)

    box.answer_query = answer  # type: ignore[method-assign]
    with serving(box) as server:
        give_addresses(server, box, but=False)
        names, report = imported(server, ids(place))
    assert names == ["Bea", "Yve"]
    assert [one["performer"] for one in report.to_json()["refused"]] == ["bad"]
    assert not report.stopped


@pytest.mark.parametrize("message", ["Not authorized", "Cannot query field x"])
def test_a_stash_box_that_allows_nothing_is_not_asked_for_each(message: str) -> None:
    box = box_of()
    with serving(box) as server:
        box.troubles += [refused(message)] * 3
        with pytest.raises(NotSupportedError):
            list(StashBox(server.url, "right").read_ids(ids("first"), Downloads()))
        assert len(box.queries) == 1
