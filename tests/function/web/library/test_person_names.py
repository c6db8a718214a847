"""Naming one person in a video over HTTP."""

from collections.abc import Iterator
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
    """P0 and a stranger in one video."""
    made = MadeUpLibrary(tmp_path)
    made.scan("a.mp4", [made.person(0), made.person(None, 10)])
    return made


@pytest.fixture
def client(library: MadeUpLibrary) -> Iterator[FlaskClient]:
    with serving(**library.settings()) as start:
        yield start()


def look(client: FlaskClient) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the video, and the person in it who is seen last."""
    reply = client.get("/library/video?path=a.mp4").get_json()
    return reply["video"], max(reply["people"], key=lambda one: one["best_seconds"])


def name(client: FlaskClient, name: str, **fields: Any) -> Any:
    video, person = look(client)
    about = {"oshash": video["oshash"], "person": person["person"], "name": name}
    return client.post("/library/name", json=about | fields, headers=PAGE)


def code_of(response: Any) -> tuple[int, str]:
    return response.status_code, response.get_json()["error"]["code"]


def test_somebody_new_is_enrolled_and_confirmed_until_that_is_undone(client: FlaskClient) -> None:
    done = name(client, " Eileen  Collins ").get_json()
    _, person = look(client)
    assert (person["performer"], person["decided"]) == ("Eileen Collins", "confirmed")
    photos = client.get(f"/gallery/performer?id={done['performer']}").get_json()["photos"]
    assert len(photos) == done["views"] > 0
    assert photos[0]["origin"].startswith("library: a.mp4 at ")
    client.post("/library/undecide", json={"decision": done["decision"]}, headers=PAGE)
    assert look(client)[1]["performer"] is None
    assert client.get("/gallery?search=eileen").get_json()["total"] == 0


@pytest.mark.parametrize("seen_again", [True, False])
def test_a_name_is_undone_whatever_a_later_scan_saw(
    library: MadeUpLibrary, client: FlaskClient, *, seen_again: bool
) -> None:
    stranger = len(library.centres)
    library.centres.append(library.crowd.person())
    library.scan("b.mp4", [library.person(stranger, 10)])
    video = client.get("/library/video?path=b.mp4").get_json()["video"]
    about = {"oshash": video["oshash"], "person": 0, "name": "Eileen Collins"}
    done = client.post("/library/name", json=about, headers=PAGE).get_json()
    with library.ledger() as ledger:
        ledger.want_again([video["id"]], "deep")
    library.scan("b.mp4", [library.person(stranger, 11)] if seen_again else [])
    url = f"/gallery/performer?id={done['performer']}"
    assert len(client.get(url).get_json()["photos"]) == done["views"]
    undone = client.post("/library/undecide", json={"decision": done["decision"]}, headers=PAGE)
    assert undone.get_json()["views"] == done["views"]
    assert client.get("/gallery?search=eileen").get_json()["total"] == 0


def test_a_taken_name_is_asked_about_and_nothing_is_enrolled(client: FlaskClient) -> None:
    refused = name(client, "p1")
    assert code_of(refused) == (409, "name_taken")
    assert refused.get_json()["error"]["performers"] == [2]
    assert client.get("/gallery").get_json()["total"] == 10
    assert name(client, "p1", new=True).status_code == 200
    assert client.get("/gallery").get_json()["total"] == 11


def test_nobody_is_named_where_nobody_is_meant(client: FlaskClient) -> None:
    answers = {
        "person": name(client, "Ada", person=7),
        "video": name(client, "Ada", oshash="0123"),
        "scan": name(client, "Ada", scanned_at="2026-01-01T00:00:00Z"),
        "name": name(client, " "),
        "header": client.post("/library/name", json={}),
    }
    assert {why: code_of(answer) for why, answer in answers.items()} == {
        "person": (404, "person_not_found"),
        "video": (404, "video_not_found"),
        "scan": (409, "correction_refused"),
        "name": (400, "bad_parameter"),
        "header": (403, "not_from_page"),
    }
    assert client.get("/gallery").get_json()["total"] == 10
