"""What the user says of people in videos over HTTP: stored, listed, and taken back."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from function.web.page_requests import PAGE_HEADER
from tests.support.made_up_libraries import MadeUpLibrary
from tests.support.servers import serving

PAGE = {PAGE_HEADER: "1"}


@pytest.fixture
def library(tmp_path: Path) -> MadeUpLibrary:
    """P0 and P1 uncertain in two videos, P2 certain in the second, a stranger in a third."""
    made = MadeUpLibrary(tmp_path)
    made.scan_uncertain([made.person(None)])
    return made


@pytest.fixture
def client(library: MadeUpLibrary) -> Iterator[FlaskClient]:
    with serving(**library.settings()) as start:
        yield start()


def review(client: FlaskClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/library/review").get_json()
    return found


def video(client: FlaskClient, path: str) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/library/video?path={path}").get_json()
    return found


def decide(client: FlaskClient, one: dict[str, Any], kind: str, **fields: Any) -> Any:
    told = {"oshash": one["oshash"], "person": one["person"], "kind": kind} | fields
    return client.post("/library/decide", json=told, headers=PAGE)


def undo(client: FlaskClient, number: int) -> Any:
    return client.post("/library/undecide", json={"decision": number}, headers=PAGE)


def decisions(client: FlaskClient, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"/library/decisions{query}").get_json()["decisions"]
    return found


def code_of(response: Any) -> tuple[int, str]:
    return response.status_code, response.get_json()["error"]["code"]


@pytest.mark.parametrize(
    ("kind", "performer", "verdict"),
    [("confirmed", 1, "match"), ("rejected", 1, "unknown"), ("ignored", None, "unknown")],
)
def test_a_decision_holds_at_once_and_can_be_taken_back(
    client: FlaskClient, library: MadeUpLibrary, kind: str, performer: int | None, verdict: str
) -> None:
    (first, *_) = review(client)["people"]
    fields = {} if performer is None else {"performer": performer}
    made = decide(client, first, kind, scanned_at=first["scanned_at"], **fields).get_json()
    with library.ledger() as ledger:  # even before anything else is asked for
        assert [one.decided for one in ledger.outcomes([1])[1]] == [kind]
    assert [one["name"] for one in review(client)["people"]] == ["P1"]
    (person,) = client.get("/library/video?path=a.mp4").get_json()["people"]
    assert (person["verdict"], person["decided"]) == (verdict, kind)
    undone = undo(client, made["decision"])
    assert undone.get_json() == {"taken_back": made["decision"], "views": 0}
    (person,) = client.get("/library/video?path=a.mp4").get_json()["people"]
    assert (person["performer"], person["decided"]) == ("P0", "")
    assert code_of(undo(client, made["decision"])) == (410, "result_gone")


def test_nothing_is_decided_of_somebody_unknown_or_of_an_earlier_scan(
    client: FlaskClient, library: MadeUpLibrary
) -> None:
    (first, *_) = review(client)["people"]
    answers = {
        "person": decide(client, first | {"person": 7}, "confirmed", performer=1),
        "video": decide(client, first | {"oshash": "0123"}, "confirmed", performer=1),
        "performer": decide(client, first, "confirmed", performer=99),
        "nobody": decide(client, first, "confirmed"),
        "somebody": decide(client, first, "ignored", performer=1),
        "kind": decide(client, first, "loved", performer=1),
        "named": decide(client, first, "named", performer=1),
        "scan": decide(client, first, "confirmed", performer=1, scanned_at="2026-01-01T00:00:00Z"),
        "header": client.post("/library/decide", json=first),
    }
    assert {why: code_of(answer) for why, answer in answers.items()} == {
        "person": (404, "person_not_found"),
        "video": (404, "video_not_found"),
        "performer": (404, "performer_not_found"),
        "nobody": (400, "bad_parameter"),
        "somebody": (400, "bad_parameter"),
        "kind": (400, "bad_parameter"),
        "named": (400, "bad_parameter"),
        "scan": (409, "correction_refused"),
        "header": (403, "not_from_page"),
    }
    with library.ledger() as ledger:
        assert not any(ledger.decisions([1, 2, 3]).values())


def test_decisions_are_listed_the_newest_first_with_whom_they_are_about(
    client: FlaskClient,
) -> None:
    first, second = review(client)["people"]
    decide(client, first, "confirmed", performer=1)
    decide(client, second, "rejected", performer=2)
    decide(client, first, "ignored")
    ignored, rejected, confirmed = decisions(client)
    assert [one["kind"] for one in (ignored, rejected, confirmed)] == [
        *("ignored", "rejected", "confirmed"),
    ]
    assert (ignored["performer"], ignored["performer_id"]) == (None, None)
    assert (rejected["performer"], rejected["performer_id"]) == ("P1", "2")
    assert (rejected["path"], rejected["person"]) == ("sub/b.mp4", second["person"])
    assert rejected["picture"] == f"/library/face?sighting={second['sighting']}"
    assert (confirmed["appearances"], confirmed["pictures"]) == ([[0.0, 3.0]], [])
    assert decisions(client, f"?oshash={first['oshash']}") == [ignored, confirmed]
    assert decisions(client, "?performer=2") == [rejected]
    assert video(client, "a.mp4")["decisions"] == [ignored, confirmed]
    assert video(client, "c.mp4")["decisions"] == []


def test_pages_of_decisions_follow_each_other(client: FlaskClient) -> None:
    (first, *_) = review(client)["people"]
    made = [decide(client, first, "ignored").get_json()["decision"] for _ in range(3)]
    page = client.get("/library/decisions?limit=2").get_json()
    assert [one["id"] for one in page["decisions"]] == made[:0:-1]
    rest = client.get(f"/library/decisions?limit=2&before={page['next']}").get_json()
    assert ([one["id"] for one in rest["decisions"]], rest["next"]) == (made[:1], None)
    assert code_of(client.get("/library/decisions?performer=99")) == (404, "performer_not_found")


def test_a_decision_about_nobody_who_is_there_now_is_listed_and_can_be_taken_back(
    client: FlaskClient, library: MadeUpLibrary
) -> None:
    (first, *_) = review(client)["people"]
    number = decide(client, first, "ignored").get_json()["decision"]
    with library.ledger() as ledger:
        ledger.want_again([1], "deep")
    library.scan("a.mp4", [library.person(5, 50)])
    (listed,) = video(client, "a.mp4")["decisions"]
    assert (listed["id"], listed["person"], listed["picture"]) == (number, None, "")
    assert undo(client, number).status_code == 200
    assert decisions(client) == []


def test_what_was_decided_outside_the_media_root_is_not_listed(
    client: FlaskClient, library: MadeUpLibrary
) -> None:
    for one in review(client)["people"]:
        decide(client, one, "ignored")
    with serving(**library.settings() | {"MEDIA_ROOT": library.root / "sub"}) as start:
        assert [one["path"] for one in decisions(start())] == ["b.mp4"]


def test_taking_back_a_name_removes_what_it_enrolled_but_no_other_photo(
    client: FlaskClient, library: MadeUpLibrary
) -> None:
    (person,) = video(client, "c.mp4")["people"]
    about = {"oshash": video(client, "c.mp4")["video"]["oshash"], "person": person["person"]}
    for _ in range(2):
        done = client.post("/library/name", json=about | {"name": "Ada"}, headers=PAGE).get_json()
        (listed,) = decisions(client)
        assert (listed["kind"], listed["performer"]) == ("named", "Ada")
        assert video(client, "c.mp4")["people"][0]["decided"] == "confirmed"
        undone = undo(client, done["decision"]).get_json()
        assert undone["views"] == done["views"] > 0
        assert client.get("/gallery?search=ada").get_json()["total"] == 0
    assert client.get("/gallery").get_json()["total"] == 10
    done = client.post("/library/name", json=about | {"name": "Ada"}, headers=PAGE).get_json()
    with library.store.changing() as gallery:
        ada = gallery.find_performer("Ada")
        gallery.enrol(ada, library._photos(99, library.crowd.person()), None)
    undo(client, done["decision"])
    (left,) = client.get("/gallery?search=ada").get_json()["performers"]
    assert left["photos"] == 3


def test_what_was_decided_outside_the_media_root_is_not_taken_back(
    client: FlaskClient, library: MadeUpLibrary
) -> None:
    (first, *_) = review(client)["people"]
    made = decide(client, first, "ignored").get_json()["decision"]
    with serving(**library.settings() | {"MEDIA_ROOT": library.root / "sub"}) as start:
        assert code_of(undo(start(), made)) == (410, "result_gone")
    assert [one["id"] for one in decisions(client)] == [made]


def spoil(library: MadeUpLibrary, damage: str) -> None:
    with closing(sqlite3.connect(library.ledger_path)) as raw, raw:
        raw.execute(f"UPDATE decisions SET {damage}")


@pytest.mark.parametrize(
    ("damage", "parts"),
    [
        ("template = x'00'", ["template"]),
        ("spans = '?', identities = '?'", ["spans", "identities"]),
        ("kind = CAST(x'ff' AS TEXT)", ["kind"]),
    ],
)
def test_a_damaged_name_counts_no_more_and_what_it_enrolled_is_still_taken_back(
    client: FlaskClient, library: MadeUpLibrary, damage: str, parts: list[str]
) -> None:
    (person,) = video(client, "c.mp4")["people"]
    about = {"oshash": video(client, "c.mp4")["video"]["oshash"], "person": person["person"]}
    done = client.post("/library/name", json=about | {"name": "Ada"}, headers=PAGE).get_json()
    spoil(library, damage)
    (listed,) = decisions(client)
    assert (listed["id"], listed["damaged"]) == (done["decision"], parts)
    assert listed["kind"] == ("unreadable" if "kind" in parts else "named")
    assert (listed["performer"], listed["person"]) == (
        None if "identities" in parts else "Ada",
        None,
    )
    assert undo(client, done["decision"]).get_json()["views"] == done["views"] > 0
    assert client.get("/gallery?search=ada").get_json()["total"] == 0
    assert decisions(client) == []


def test_a_name_too_damaged_to_say_what_it_enrolled_is_dropped_only_if_that_is_asked(
    client: FlaskClient, library: MadeUpLibrary
) -> None:
    (person,) = video(client, "c.mp4")["people"]
    about = {"oshash": video(client, "c.mp4")["video"]["oshash"], "person": person["person"]}
    done = client.post("/library/name", json=about | {"name": "Ada"}, headers=PAGE).get_json()
    number = done["decision"]
    told = {"decision": number, "drop": True}
    assert code_of(client.post("/library/undecide", json=told, headers=PAGE)) == (
        409,
        "correction_refused",
    )
    spoil(library, "photo_hashes = '['")
    refused = undo(client, number)
    assert refused.status_code == 409
    assert f"decisions --drop {number}" in refused.get_json()["error"]["message"]
    assert [one["id"] for one in decisions(client)] == [number]
    dropped = client.post("/library/undecide", json=told, headers=PAGE).get_json()
    assert dropped == {"taken_back": number, "views": 0}
    assert client.get("/gallery?search=ada").get_json()["total"] == 1, "its photos stay"
    assert client.post("/library/undecide", json=told, headers=PAGE).status_code == 410
