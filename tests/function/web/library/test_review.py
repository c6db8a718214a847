"""Review over HTTP: who is uncertain, and what the user decides of them."""

from collections.abc import Iterator
from dataclasses import replace
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
    """P0 and P1 uncertain in two videos, P2 certain in the second, nobody in a third."""
    made = MadeUpLibrary(tmp_path)
    made.scan_uncertain([])
    return made


@pytest.fixture
def client(library: MadeUpLibrary) -> Iterator[FlaskClient]:
    with serving(**library.settings()) as start:
        yield start()


def review(client: FlaskClient, query: str = "") -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/library/review{query}").get_json()
    return found


def decide(client: FlaskClient, one: dict[str, Any], kind: str, **fields: Any) -> Any:
    told = {"oshash": one["oshash"], "person": one["person"], "kind": kind} | fields
    return client.post("/library/decide", json=told, headers=PAGE)


def code_of(response: Any) -> tuple[int, str]:
    return response.status_code, response.get_json()["error"]["code"]


def test_the_uncertain_are_listed_with_the_performer_they_may_be(client: FlaskClient) -> None:
    reply = review(client)
    first, second = reply["people"]
    assert (first["path"], first["name"], first["score"]) == ("a.mp4", "P0", 60.0)
    assert (second["path"], second["name"]) == ("sub/b.mp4", "P1")
    assert first["appearances"] == [[0.0, 3.0]]
    assert first["poster"] == "/gallery/thumbnail?id=1"
    assert first["picture"] == f"/library/face?sighting={first['sighting']}"
    assert (reply["total"], reply["next"], reply["stale"]) == (2, None, False)


def test_parts_follow_each_other_without_gap_or_repeat(client: FlaskClient) -> None:
    first = review(client, "?limit=1")
    assert first["next"] == first["people"][0]["sighting"]
    second = review(client, f"?limit=1&after={first['next']}")
    assert [one["name"] for one in second["people"]] == ["P1"]
    assert (second["total"], second["next"]) == (2, None)


def test_who_is_outside_the_media_root_is_not_shown(library: MadeUpLibrary) -> None:
    inner = library.settings() | {"MEDIA_ROOT": library.root / "sub"}
    with serving(**inner) as start:
        client = start()
        assert [one["path"] for one in review(client)["people"]] == ["b.mp4"]
        outside = {"oshash": library.add_file("a.mp4").oshash, "person": 0}
        refused = decide(client, outside, "confirmed", performer=1)
        assert code_of(refused) == (404, "video_not_found")


def test_parts_are_read_on_until_enough_are_shown(
    client: FlaskClient, library: MadeUpLibrary
) -> None:
    (library.root / "a.mp4").unlink()
    (library.root / "a.mp4").symlink_to("/etc/hostname")
    assert [one["name"] for one in review(client, "?limit=1")["people"]] == ["P1"]


def test_what_cannot_be_read_is_refused(client: FlaskClient) -> None:
    for query in ("?after=x", "?limit=0", "?from=1"):
        assert code_of(client.get(f"/library/review{query}")) == (400, "bad_parameter")


def test_the_others_of_a_video_are_not_among_the_uncertain(
    client: FlaskClient, library: MadeUpLibrary
) -> None:
    replaced = replace(library.person(3, 50), picture=b"")
    library.scan("d.mp4", [replaced])
    assert review(client)["total"] == 2
