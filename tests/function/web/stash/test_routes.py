"""What the plugin asks: who is in a scene, and what is written there."""

import json
import re
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from function.sources import graphql
from function.web.page_requests import PAGE_HEADER
from function.web.stash import desk, looks
from tests.support.servers import Serve
from tests.support.stash_asking import Ask, asked, names, until
from tests.support.stash_libraries import StashLibrary
from tests.support.stash_server import Answer, FakeStash
from tests.support.stash_server import serving as serving_stash

PLUGINS_SERVER = Path(__file__).parents[4] / "stash/recognition_server.py"


@pytest.mark.parametrize("data", [{}, {"version": None}, {"version": {"version": "v" * 1000}}])
def test_a_stash_that_says_no_version_is_said_not_to_answer(
    library: StashLibrary, client: FlaskClient, data: dict[str, Any]
) -> None:
    answer = json.dumps({"data": data}).encode()
    library.fake.troubles.append(Answer(answer, media_type="application/json"))
    reply = client.get("/stash/status")
    assert reply.status_code == 200
    assert reply.get_json()["stash_version"] == ""


def test_stashs_page_is_sent_no_picture_from_elsewhere_and_no_link_that_runs(
    library: StashLibrary, ask: Ask
) -> None:
    scene = library.scene("a.mp4", [library.person(1)])
    addresses = json.dumps(["javascript:alert(1)", "https://example.org/p1"])
    with closing(sqlite3.connect(library.gallery_path)) as raw:
        raw.execute("UPDATE performers SET poster_url = 'http://router/', urls = ?", (addresses,))
        raw.execute("UPDATE performers SET thumbnail = NULL")
        raw.execute("UPDATE counters SET value = value + 1 WHERE name = 'generation'")
        raw.commit()
    (match, *_) = ask("view", scene=asked(library, scene))["people"][0]["matches"]
    assert (match["poster"], match["urls"]) == ("", ["https://example.org/p1"])


def test_scenes_are_listed_in_which_a_performer_is_not_tagged(
    library: StashLibrary, ask: Ask
) -> None:
    untagged = library.scene("a.mp4", [library.person(1)])
    library.scene("b.mp4", [library.person(1)], performers=[library.in_stash[1]])
    library.scene("sub/c.mp4", [library.person(2)])
    reply = ask("performer", id=library.in_stash[1])
    assert [one["id"] for one in reply["scenes"]] == [untagged]
    (row,) = reply["scenes"]
    assert row["appearances"] == [[0.0, 3.0]]
    people = [{"person": row["person"], "performer": row["performer"]}]
    view = ask("add", scene={"id": row["id"]}, people=people)
    assert view["people"][0]["added"] is True
    assert library.fake.scenes[untagged]["performers"] == [library.in_stash[1]]
    assert ask("performer", id="999") == {"scenes": [], "more": 0}


@pytest.mark.parametrize("known_by", ["oshash", "path"])
def test_a_scene_of_several_files_is_known_by_any_of_them(
    library: StashLibrary, ask: Ask, known_by: str
) -> None:
    scene = library.scene("a.mp4", [library.person(1)])
    other = {"path": "/elsewhere/b.mp4", "size": 5, "oshash": "f" * 16}
    (file,) = asked(library, scene)["files"]
    known = file | ({"path": "/moved/a.mp4"} if known_by == "oshash" else {"oshash": "e" * 16})
    found = ask("scrape", kind="scene", id=scene, files=[other, known])["performers"]
    assert [one["name"] for one in found] == ["P1"]


def test_names_are_suggested_from_the_gallery_and_from_stash(
    library: StashLibrary, ask: Ask
) -> None:
    library.fake.add_performer("P1 Somebody")
    found = ask("names", text="P1")["names"]
    assert found[0] == {
        "name": "P1",
        "stash_id": library.in_stash[1],
        "performer": str(library.ids[1]),
    }
    assert [one["name"] for one in found] == ["P1", "P1 Somebody"]
    assert ask("names", text="  ")["names"] == []


def test_a_scan_of_scenes_queues_their_files(
    library: StashLibrary, ask: Ask, client: FlaskClient
) -> None:
    scene = library.scene("a.mp4")
    with library.ledger() as ledger:
        ledger.empty_queue()
    ask("task", kind="scan", filter={"scenes": [scene]})
    until(lambda: client.get("/stash/status").get_json()["tasks"][0]["state"] == "done")

    def is_known() -> bool:
        with library.ledger() as ledger:
            return bool(ledger.ids([bytes(library.root / "a.mp4")]))

    until(is_known)


@pytest.mark.parametrize(
    ("route", "body", "code"),
    [
        ("view", {}, "missing_parameter"),
        ("view", {"scene": {"id": 12}}, "bad_parameter"),
        ("view", {"scene": {"id": "x"}}, "bad_parameter"),
        ("view", {"scene": {"id": "1", "kind": "film"}}, "bad_parameter"),
        ("view", {"scene": {"id": "1", "files": ["a"]}}, "bad_parameter"),
        ("view", {"scene": {"id": "1"}, "other": 1}, "bad_parameter"),
        ("add", {"scene": {"id": "1"}, "people": ["a"]}, "bad_parameter"),
        ("task", {"kind": "forget"}, "bad_parameter"),
        ("task", {"kind": "apply", "min_score": 101}, "bad_parameter"),
        ("task", {"kind": "scan", "filter": {"colour": "red"}}, "bad_parameter"),
        ("task", {"kind": "scan", "filter": {"scenes": [1]}}, "bad_parameter"),
        ("task", {"kind": "scan", "filter": {"scenes": []}}, "bad_parameter"),
        ("task", {"kind": "apply", "filter": {"images": ["1"]}}, "bad_parameter"),
        ("task", {"kind": "apply", "filter": {"galleries": ["1"]}}, "bad_parameter"),
        ("task", {"kind": "apply", "pictures": True}, "bad_parameter"),
        ("task", {"kind": "apply", "scene": "1"}, "bad_parameter"),
        ("task", {"kind": "scan", "dry_run": True}, "bad_parameter"),
        ("task", {"kind": "scan", "pictures": True, "filter": {"tag": "x"}}, "bad_parameter"),
        ("task", {"kind": "scan", "filter": {"tag": " "}}, "bad_parameter"),
        ("task", {"kind": "scan", "filter": {"studio": ""}}, "bad_parameter"),
        ("task", {"kind": "scan", "filter": {"path": '""'}}, "bad_parameter"),
        ("task", {"kind": "scan", "filter": {"path": ["a"]}}, "bad_parameter"),
        ("task", {"kind": "undo", "filter": {"scenes": ["1"]}}, "bad_parameter"),
        ("task", {"kind": "undo", "dry_run": True}, "bad_parameter"),
        ("task", {"kind": "sync", "filter": {}}, "bad_parameter"),
        ("task", {"kind": "undo", "run": 2**63}, "bad_parameter"),
        ("task", {"kind": "undo", "run": -1}, "bad_parameter"),
        ("task", {"kind": "sync", "from_scenes": 21}, "bad_parameter"),
        ("undo", {"run": 2**63}, "bad_parameter"),
    ],
)
def test_what_cannot_be_used_is_refused_with_words(
    ask: Ask, route: str, body: dict[str, Any], code: str
) -> None:
    assert ask(route, fails=True, **body) == code


def test_no_change_is_made_without_the_pages_header(
    library: StashLibrary, client: FlaskClient
) -> None:
    scene = library.scene("a.mp4", [library.person(1)])
    reply = client.post("/stash/add-sure", json={"scene": asked(library, scene)})
    assert (reply.status_code, library.fake.writes) == (403, [])


def test_without_a_connection_people_are_shown_and_the_rest_says_why(
    library: StashLibrary, serve: Serve
) -> None:
    scene = library.scene("a.mp4", [library.person(1)])
    client = serve(STASH_URL="", STASH_API_KEY="")
    body, headers = {"scene": asked(library, scene)}, {PAGE_HEADER: "1"}
    view = client.post("/stash/view", json=body, headers=headers).get_json()
    assert names(view) == [["P1"]]
    assert "not connected" in view["stash"]
    refused = client.post("/stash/add-sure", json=body, headers=headers)
    assert (refused.status_code, refused.get_json()["error"]["code"]) == (503, "stash_unavailable")
    status = client.get("/stash/status").get_json()
    assert (status["connected"], status["stash_version"]) == (False, "")
    url = {"url": library.fake.url, "api_key": "right"}
    assert client.post("/stash/connect", json=url, headers=headers).get_json()["scenes"] == 1
    assert client.post("/stash/add-sure", json=body, headers=headers).status_code == 200
    assert library.fake.scenes[scene]["performers"] == [library.in_stash[1]]
    lines = client.post("/stash/check", json={}, headers=headers).get_json()["lines"]
    assert all(one["ok"] for one in lines)


def test_the_plugins_token_connects_the_first_stash_and_no_other(
    library: StashLibrary, serve: Serve
) -> None:
    client = serve(STASH_URL="", STASH_API_KEY="", PLUGIN_TOKEN="plugin", TOKEN="owner")

    def connect(url: str, token: str) -> int:
        headers = {PAGE_HEADER: "1", "X-Token": token}
        body = {"url": url, "api_key": "right"}
        return client.post("/stash/connect", json=body, headers=headers).status_code

    assert connect(library.fake.url, "plugin") == 200
    assert connect(library.fake.url, "plugin") == 200
    with serving_stash(FakeStash()) as other:
        assert connect(other.url, "plugin") == 401
        assert connect(other.url, "owner") == 200


@pytest.mark.parametrize(
    "url", ["http://[", "http://a\x00b", "http://host:99999", "nowhere at all"]
)
def test_an_address_that_is_none_is_refused_with_words(serve: Serve, url: str) -> None:
    client = serve(STASH_URL="", STASH_API_KEY="")
    reply = client.post("/stash/connect", json={"url": url}, headers={PAGE_HEADER: "1"})
    assert (reply.status_code, reply.get_json()["error"]["code"]) == (503, "stash_unavailable")


@pytest.mark.parametrize("trouble", [Answer(status=0), Answer(b"busy", 503, "text/plain")])
@pytest.mark.parametrize("route", ["view", "add", "add-sure", "markers", "undo", "names", "check"])
def test_a_stash_that_does_not_answer_is_asked_once_while_somebody_waits(
    library: StashLibrary, ask: Ask, route: str, trouble: Answer
) -> None:
    scene = library.scene("a.mp4", [library.person(1)])
    whole = asked(library, scene)
    person = {"person": 0, "performer": str(library.ids[1])}
    ask("add", scene=whole, people=[person])
    library.fake.queries.clear()
    library.fake.troubles = [trouble] * 5
    bodies: dict[str, dict[str, Any]] = {
        "add": {"people": [person]},
        "markers": {"people": [0]},
        "names": {"text": "Pe"},
    }
    of_scene = {} if route == "names" else {"scene": whole}
    is_shown = route in ("view", "check")
    told = ask(route, fails=not is_shown, **of_scene, **bodies.get(route, {}))
    words = {"view": "stash", "check": "lines"}.get(route)
    said = told[words] if words else told
    assert said
    assert is_shown or said == "stash_unavailable"
    assert len(library.fake.queries) == 1


def test_an_answer_that_does_not_come_is_given_up_before_the_plugin_gives_up(
    library: StashLibrary, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    (patience,) = re.findall(r"^PATIENCE_SECONDS = (\S+)", PLUGINS_SERVER.read_text(), re.MULTILINE)
    assert float(patience) > 1.5 * graphql.AWAITED_SECONDS
    monkeypatch.setattr(graphql, "AWAITED_SECONDS", 0.2)
    scene = library.scene("a.mp4", [library.person(1)])
    library.fake.troubles = [Answer(b"{}", 200, "application/json", delay_seconds=2.0)]
    started = time.monotonic()
    view = ask("view", scene=asked(library, scene))
    assert time.monotonic() - started < 1.9
    assert "does not answer" in view["stash"]


def test_only_so_many_requests_wait_for_stash(monkeypatch: pytest.MonkeyPatch, ask: Ask) -> None:
    monkeypatch.setattr(desk, "_asking", threading.BoundedSemaphore(1))
    with desk.explained_stash():
        assert ask("names", text="a", fails=True) == "busy"
    assert ask("names", text="P1")["names"]


def test_only_so_many_scenes_are_looked_up_while_somebody_waits(
    library: StashLibrary, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looks, "MOST_SCENES", 1)
    for name in ("a.mp4", "b.mp4"):
        library.scene(name, [library.person(1)])
    reply = ask("performer", id=library.in_stash[1])
    assert (len(reply["scenes"]), reply["more"]) == (1, 1)


def test_no_name_and_no_picture_is_logged(
    library: StashLibrary, ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    scene = library.scene("a.mp4", [library.person(1)])
    ask("view", scene=asked(library, scene))
    ask("add-sure", scene=asked(library, scene))
    ask("undo", scene=asked(library, scene))
    logged = caplog.text
    assert "/stash/view" in logged
    assert "P1" not in logged
    assert library.fake.api_key not in logged
