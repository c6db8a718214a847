"""The whole library in brief."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.support.made_up_libraries import MadeUpLibrary
from tests.support.servers import serving


@pytest.fixture
def library(tmp_path: Path) -> MadeUpLibrary:
    """P0 twice, P1 and a stranger in one video; one whose file is gone; and a queued one."""
    made = MadeUpLibrary(tmp_path)
    made.scan(
        "a.mp4",
        [made.person(0), made.person(1, 10), made.person(None, 20), made.person(0, 40)],
    )
    made.scan("gone.mp4", [made.person(1)])
    with made.ledger() as ledger:
        ledger.note_gone([bytes(made.root / "gone.mp4")])
    made.add_file("b.mp4")
    return made


@pytest.fixture
def client(library: MadeUpLibrary) -> Iterator[FlaskClient]:
    with serving(**library.settings()) as start:
        yield start()


def test_every_video_is_a_line_with_each_performer_once_and_strangers_counted(
    client: FlaskClient,
) -> None:
    reply = client.get("/library/overview").get_json()
    first, gone, queued = reply["videos"]
    assert sorted((one["performer"], one["verdict"]) for one in first["named"]) == [
        (1, "match"),
        (2, "match"),
    ]
    scores = [one["score"] for one in first["named"]]
    assert scores == sorted(scores, reverse=True)
    assert (first["path"], first["strangers"], first["duration_seconds"]) == ("a.mp4", 1, 30.0)
    assert (queued["path"], queued["state"], queued["named"]) == ("b.mp4", "queued", [])
    assert (gone["path"], gone["state"]) == ("gone.mp4", "gone")
    assert reply["performers"] == [{"id": 1, "name": "P0"}, {"id": 2, "name": "P1"}]
    assert (reply["next"], reply["stale"]) == (None, False)
    shown = client.get(f"/library/video?oshash={first['oshash']}").get_json()
    assert shown["video"]["path"] == "a.mp4"


def test_parts_follow_each_other_without_gap_or_repeat(client: FlaskClient) -> None:
    seen, after = [], 0
    while after is not None:
        reply = client.get(f"/library/overview?limit=1&after={after}").get_json()
        seen += [one["path"] for one in reply["videos"]]
        after = reply["next"]
    assert seen == ["a.mp4", "gone.mp4", "b.mp4"]


def test_who_was_forgotten_is_no_longer_named(client: FlaskClient, library: MadeUpLibrary) -> None:
    with library.store.changing() as gallery:
        gallery.forget(gallery.find_performer("P0"))
    reply = client.get("/library/overview").get_json()
    assert [one["name"] for one in reply["performers"]] == ["P1"]


def test_without_a_library_there_is_nothing_and_none_is_made(
    library: MadeUpLibrary, tmp_path: Path
) -> None:
    with serving(**library.settings() | {"LIBRARY_DB": tmp_path / "none.db"}) as start:
        reply = start().get("/library/overview").get_json()
    assert reply == {"videos": [], "performers": [], "next": None, "stale": False}
    assert not (tmp_path / "none.db").exists()
