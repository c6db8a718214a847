"""Strangers over HTTP: listed, named, hidden, split, joined, and each of these taken back."""

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image

from function.faces.face import DOUBTFUL
from function.library import admission
from function.web.library import shelf, stranger_changes
from function.web.ndjson import NDJSON
from function.web.page_requests import PAGE_HEADER
from tests.support.servers import Serve, serving
from tests.support.stranger_libraries import MadeUpLibrary, jpeg

PAGE = {PAGE_HEADER: "1"}


class Made:
    """A man in three videos and a woman in one of them, and a server that knows them."""

    def __init__(self, folder: Path) -> None:
        self.library = MadeUpLibrary(folder)
        self.man, self.woman = self.library.add_couple()
        self.settings = {
            "MEDIA_ROOT": "/v",
            "PERFORMERS_DB": str(folder / "g.db"),
            "LIBRARY_DB": str(self.library.path),
            "SECOND_ENCODER": "off",
        }


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Made]:
    found = Made(tmp_path)
    yield found
    found.library.ledger.close()


@pytest.fixture
def serve(made: Made) -> Iterator[Serve]:
    with serving(**made.settings) as start:
        yield start


@pytest.fixture
def client(serve: Serve) -> FlaskClient:
    return serve()


def listed(client: FlaskClient, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"/library/strangers{query}").get_json()["strangers"]
    return found


def post(client: FlaskClient, what: str, **fields: Any) -> Any:
    return client.post(f"/library/{what}", json=fields, headers=PAGE)


def done(client: FlaskClient, what: str, **fields: Any) -> Any:
    response = post(client, what, **fields)
    assert response.status_code == 200, response.get_json()
    return response.get_json()


def code_of(response: Any) -> tuple[int, str]:
    return response.status_code, response.get_json()["error"]["code"]


def test_those_seen_in_most_videos_come_first_with_what_a_card_shows(client: FlaskClient) -> None:
    reply = client.get("/library/strangers").get_json()
    man, woman = reply["strangers"]
    assert man["videos"] == ["1.mp4", "2.mp4", "3.mp4"]
    assert (man["faces"], woman["faces"], woman["videos"]) == (18, 6, ["1.mp4"])
    assert (len(man["pictures"]), len(woman["pictures"])) == (3, 1)
    assert len(man["days"]) == 2
    assert man["days"][0] <= man["days"][1]
    told = {name: reply[name] for name in ("next", "total", "ungrouped", "kept", "stale")}
    assert told == {"next": None, "total": 2, "ungrouped": 0, "kept": "", "stale": False}


def test_the_clearest_face_comes_first(client: FlaskClient, made: Made) -> None:
    clear = made.library.seen(made.man)
    weak = [replace(view, weaknesses=("blurred",), quality=1.0) for view in clear.views]
    blurred = replace(clear, views=(*clear.views[:1], *weak[1:]))
    best = replace(clear, views=tuple(replace(one, quality=0.99) for one in clear.views))
    number = made.library.add_video([best], "4")
    made.library.add_video([blurred], "5")
    man, _ = listed(client)
    assert len(man["videos"]) == 5
    assert man["pictures"][0] == f"/library/face?sighting={number}.0"
    assert len(man["pictures"]) == 4


def test_a_picture_is_sent_only_if_it_is_one_and_kept_by_no_browser(
    client: FlaskClient, made: Made, serve: Serve
) -> None:
    (man, _) = listed(client)
    response = client.get(man["pictures"][0])
    assert response.mimetype == "image/jpeg"
    assert Image.open(io.BytesIO(response.data)).size == (32, 32)
    assert response.headers["Cache-Control"] == "no-store"  # `forget` could not reach a copy
    huge = replace(
        made.library.seen(made.woman), picture=jpeg(1, admission.LONGEST_SIDE_PIXELS + 8)
    )
    number = made.library.add_video([huge], "huge")
    assert code_of(client.get(f"/library/face?sighting={number}.0")) == (404, "person_not_found")
    assert code_of(client.get("/library/face?sighting=9.9")) == (404, "person_not_found")
    assert code_of(client.get("/library/face?sighting=9")) == (400, "bad_parameter")
    elsewhere = serve(MEDIA_ROOT="/w")
    assert code_of(elsewhere.get(man["pictures"][0])) == (404, "person_not_found")


def test_parts_follow_each_other_without_gap_or_repeat(client: FlaskClient, made: Made) -> None:
    for number in range(5):
        made.library.add_video([made.library.seen(made.library.crowd.person())], f"x{number}")
    seen, query = [], "?limit=2"
    while query:
        reply = client.get(f"/library/strangers{query}").get_json()
        assert reply["total"] == 7
        seen += [one["id"] for one in reply["strangers"]]
        query = f"?limit=2&after={reply['next']}" if reply["next"] else ""
    assert seen == [one["id"] for one in listed(client)]
    assert len(set(seen)) == 7


def test_one_stranger_is_told_with_every_sighting_and_when_it_is(client: FlaskClient) -> None:
    (man, _) = listed(client)
    reply = client.get(f"/library/stranger?id={man['id']}").get_json()
    assert reply["stranger"] == man
    assert [one["path"] for one in reply["seen"]] == man["videos"]
    assert [one["sighting"] for one in reply["seen"]] == ["1.0", "2.0", "3.0"]
    first = reply["seen"][0]
    assert len(first["appearances"]) == 1
    assert first["duration_seconds"] == 30.0
    shown = client.get(f"/library/video?oshash={first['oshash']}").get_json()
    assert shown["video"]["path"] == "1.mp4"
    assert client.get("/library/stranger?sighting=2.0").get_json() == reply
    for query in ("id=99", "id=0", "sighting=9.9"):
        missing = client.get(f"/library/stranger?{query}")
        assert code_of(missing) == (404, "stranger_not_found"), query
    assert code_of(client.get("/library/stranger")) == (400, "missing_parameter")


def test_naming_fills_in_every_video_and_is_taken_back_by_its_correction(
    client: FlaskClient,
) -> None:
    man, woman = listed(client)
    named = done(client, "strangers/name", stranger=man["id"], name=" Grace  Hopper ")
    told = {name: named[name] for name in ("name", "videos", "filled_in", "uncertain")}
    assert told == {"name": "Grace Hopper", "videos": 3, "filled_in": 3, "uncertain": 0}
    assert [one["id"] for one in listed(client)] == [woman["id"]]
    found = client.get("/library/people?performer=Grace+Hopper").get_json()
    assert [one["path"] for one in found["videos"]] == man["videos"]
    undo = {"correction": named["correction"]}
    assert client.post("/corrections/undo", json=undo, headers=PAGE).status_code == 200
    assert sorted(one["videos"] for one in listed(client)) == sorted(
        [man["videos"], woman["videos"]]
    )
    assert client.get("/library/people?performer=Grace+Hopper").status_code == 404


def name_in_lines(client: FlaskClient, **fields: Any) -> Any:
    headers = {**PAGE, "Accept": NDJSON}
    return client.post("/library/strangers/name", json=fields, headers=headers)


def test_whoever_asks_for_lines_is_told_how_far_naming_is(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stranger_changes, "VIDEOS_AT_ONCE", 2)
    man, woman = listed(client)
    response = name_in_lines(client, stranger=man["id"], name="Grace Hopper")
    assert response.mimetype == NDJSON
    *told, last = map(json.loads, response.text.splitlines())
    assert told == [{"filling": {"done": done, "of": 3}} for done in (0, 2)]
    assert last["named"]["filled_in"] == 3
    assert [one["id"] for one in listed(client)] == [woman["id"]]
    again = name_in_lines(client, stranger=woman["id"], name="Grace Hopper")
    assert code_of(again) == (409, "name_taken")


def test_a_caller_who_leaves_while_a_name_is_filled_in_loses_nothing(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stranger_changes, "VIDEOS_AT_ONCE", 1)
    man, woman = listed(client)
    response = name_in_lines(client, stranger=man["id"], name="Grace Hopper")
    first = next(iter(response.response))
    assert json.loads(first)["filling"]["done"] == 0
    response.close()
    assert [one["id"] for one in listed(client)] == [woman["id"]]
    found = client.get("/library/people?performer=Grace+Hopper").get_json()
    assert [one["path"] for one in found["videos"]] == man["videos"]


def test_a_name_is_taken_back_later_too_but_photos_of_others_stay(
    client: FlaskClient, made: Made
) -> None:
    number = made.library.enrol("Ada", made.library.crowd.person())
    assert code_of(post(client, "strangers/unname", performer=number)) == (
        *(409, "correction_refused"),
    )
    man, _ = listed(client)
    named = done(client, "strangers/name", stranger=man["id"], name="Ada", same=number)
    assert named["performer"] == number
    unnamed = done(client, "strangers/unname", performer=number)
    assert unnamed == {"performer": number, "name": "Ada", "views": named["views"]}
    with made.library.store.gallery() as gallery:
        assert len(gallery.photos(number)) == 3
    assert [len(one["videos"]) for one in listed(client)] == [3, 1]
    assert code_of(post(client, "strangers/unname", performer=99)) == (404, "performer_not_found")


@pytest.mark.parametrize("name", ["Grace Hopper", "grace hopper", "Amazing Grace"])
def test_a_taken_name_asks_whether_it_is_the_same_person(
    client: FlaskClient, made: Made, name: str
) -> None:
    number = made.library.enrol("Amazing Grace", made.library.crowd.person())
    with made.library.store.changing() as gallery:
        gallery.rename(gallery.performer(number), "Grace Hopper", None)
    man, woman = listed(client)
    asked = post(client, "strangers/name", stranger=man["id"], name=name)
    assert code_of(asked) == (409, "name_taken")
    assert asked.get_json()["error"]["performers"] == [number]
    assert len(listed(client)) == 2
    same = done(client, "strangers/name", stranger=man["id"], name=name, same=number)
    assert same["performer"] == number
    new = done(client, "strangers/name", stranger=woman["id"], name=name, new=True)
    assert new["performer"] not in (number, 0)
    assert new["name"] == name


def test_a_name_that_is_only_part_of_another_is_free(client: FlaskClient, made: Made) -> None:
    made.library.enrol("Grace Hopper", made.library.crowd.person())
    man, _ = listed(client)
    assert done(client, "strangers/name", stranger=man["id"], name="Grace")["filled_in"] == 3


def test_what_cannot_be_enrolled_is_refused_with_the_reason(
    client: FlaskClient, made: Made
) -> None:
    made.library.enrol("Grace Hopper", made.library.crowd.person())
    with made.library.store.changing() as gallery:
        gallery.forget(gallery.find_performer("Grace Hopper"))
    man, _ = listed(client)
    number = man["id"]
    refused = {
        "forgotten": post(client, "strangers/name", stranger=number, name="Grace Hopper"),
        "empty": post(client, "strangers/name", stranger=number, name=" "),
        "nobody": post(client, "strangers/name", stranger=number, name="Ada", same=99),
        "unknown": post(client, "strangers/name", stranger=99, name="Ada"),
        "no number": post(client, "strangers/name", stranger=number, name="Ada", same="1"),
    }
    assert {why: code_of(response) for why, response in refused.items()} == {
        "forgotten": (409, "correction_refused"),
        "empty": (400, "bad_parameter"),
        "nobody": (404, "performer_not_found"),
        "unknown": (404, "stranger_not_found"),
        "no number": (400, "bad_parameter"),
    }
    blurred = made.library.seen(made.library.crowd.person())
    doubtful = tuple(replace(one, weaknesses=(DOUBTFUL,)) for one in blurred.views)
    made.library.add_video([replace(blurred, views=doubtful)], "4")
    last = max(one["id"] for one in listed(client))
    response = post(client, "strangers/name", stranger=last, name="Ada")
    assert code_of(response) == (409, "correction_refused")
    assert "never seen well enough" in response.get_json()["error"]["message"]


def test_the_ignored_are_listed_apart_until_that_is_undone(client: FlaskClient) -> None:
    man, woman = listed(client)
    done(client, "strangers/ignore", stranger=man["id"], ignored=True)
    assert [one["id"] for one in listed(client)] == [woman["id"]]
    assert [one["id"] for one in listed(client, "?ignored=on")] == [man["id"]]
    done(client, "strangers/ignore", stranger=man["id"], ignored=False)
    assert len(listed(client)) == 2


def test_a_split_is_taken_back_by_joining_and_a_join_by_splitting(client: FlaskClient) -> None:
    man, woman = listed(client)
    split = done(client, "strangers/split", stranger=man["id"], sightings=["2.0"])
    by_id = {one["id"]: one["videos"] for one in listed(client)}
    assert (by_id[man["id"]], by_id[split["new_id"]]) == (["1.mp4", "3.mp4"], ["2.mp4"])
    done(client, "strangers/join", kept=man["id"], other=split["new_id"])
    assert listed(client) == [man, woman]
    joined = done(client, "strangers/join", kept=man["id"], other=woman["id"])
    assert joined["joined"] == ["1.1"]
    assert [one["faces"] for one in listed(client)] == [24]
    done(client, "strangers/split", stranger=man["id"], sightings=joined["joined"])
    assert [one["videos"] for one in listed(client)] == [man["videos"], woman["videos"]]


def test_what_is_not_there_is_neither_split_nor_joined(client: FlaskClient) -> None:
    man, woman = listed(client)
    answers = [
        post(client, "strangers/split", stranger=man["id"], sightings=["1.1"]),
        post(client, "strangers/split", stranger=man["id"], sightings=[]),
        post(client, "strangers/split", stranger=woman["id"], sightings=["1.1"]),
        post(client, "strangers/split", stranger=man["id"], sightings=["/v/1.mp4"]),
        post(client, "strangers/join", kept=man["id"], other=man["id"]),
        post(client, "strangers/join", kept=man["id"], other=99),
    ]
    assert [code_of(one) for one in answers] == [
        (404, "stranger_not_found"),
        (404, "stranger_not_found"),
        (409, "correction_refused"),
        (400, "bad_parameter"),
        (400, "bad_parameter"),
        (404, "stranger_not_found"),
    ]
    assert listed(client) == [man, woman]


def test_many_who_are_not_grouped_yet_are_left_to_the_worker(
    client: FlaskClient, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf, "GROUPED_AT_ONCE", 1)
    reply = client.get("/library/strangers").get_json()
    assert (reply["strangers"], reply["ungrouped"]) == ([], 4)
    monkeypatch.setattr(shelf, "GROUPED_AT_ONCE", 4)
    assert len(listed(client)) == 2
    made.library.enrol("Man", made.man)
    monkeypatch.setattr(shelf, "GROUPED_AT_ONCE", -1)
    assert len(listed(client)) == 1  # whoever is named by now is no stranger


def test_who_is_seen_only_outside_the_media_root_is_neither_shown_nor_changed(
    client: FlaskClient, serve: Serve
) -> None:
    (man, _) = listed(client)
    elsewhere = serve(MEDIA_ROOT="/w")
    assert listed(elsewhere) == []
    for what, fields in (
        ("strangers/name", {"stranger": man["id"], "name": "Ada"}),
        ("strangers/ignore", {"stranger": man["id"], "ignored": True}),
        ("strangers/split", {"stranger": man["id"], "sightings": ["1.0"]}),
    ):
        assert code_of(post(elsewhere, what, **fields)) == (404, "stranger_not_found")
    assert code_of(elsewhere.get(f"/library/stranger?id={man['id']}")) == (
        *(404, "stranger_not_found"),
    )


@pytest.mark.parametrize(
    "path", ["strangers/name", "strangers/unname", "strangers/ignore", "strangers/split"]
)
def test_changes_need_the_header_of_the_page_and_the_token(serve: Serve, path: str) -> None:
    client = serve()
    response = client.post(f"/library/{path}", json={"stranger": 1})
    assert code_of(response) == (403, "not_from_page")
    guarded = serve(TOKEN="secret")
    assert guarded.post(f"/library/{path}", json={}, headers=PAGE).status_code == 401
    assert guarded.get("/library/strangers").status_code == 401


@pytest.mark.parametrize("query", ["?after=x", "?limit=0", "?ignored=yes", "?form=csv"])
def test_what_cannot_be_read_is_refused(client: FlaskClient, query: str) -> None:
    assert code_of(client.get(f"/library/strangers{query}")) == (400, "bad_parameter")
