"""The scraper's script as Stash runs it: a fragment in, a scene or image out."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.stash_scripts import Outcome, Side, install, run_script, standing_in

FRAGMENT = {
    "id": "12",
    "title": "A scene",
    "files": [
        {"path": "/data/a.mp4", "size": 9, "fingerprints": [{"type": "md5", "fingerprint": "x"}]},
        {
            "path": "/data/b.mp4",
            "size": 8,
            "fingerprints": [
                {"type": "phash", "fingerprint": "y"},
                {"type": "oshash", "fingerprint": "z"},
            ],
        },
    ],
}


@pytest.fixture
def ours() -> Iterator[Side]:
    side = Side()
    with standing_in(side):
        yield side


@pytest.fixture
def scraper(tmp_path: Path, ours: Side) -> Path:
    folder = install("scraper", tmp_path)
    told = {"address": ours.address, "token": "t0ken"}
    (folder / "performer_recognition.json").write_text(json.dumps(told))
    return folder


def test_it_answers_with_the_ids_of_those_the_server_is_sure_of(scraper: Path, ours: Side) -> None:
    sure = {"stored_id": "3", "name": "Ada", "score": 99.5}
    ours.answers["/stash/scrape"] = (200, {"performers": [sure]})
    outcome = run_script(scraper, FRAGMENT, "scene")
    assert outcome == Outcome({"performers": [{"stored_id": "3", "name": "Ada"}]}, [])
    ((_, headers, body),) = ours.asked
    assert headers["X-Token"] == "t0ken"
    assert body == {
        "kind": "scene",
        "id": "12",
        "files": [
            {"path": "/data/a.mp4", "size": 9, "oshash": ""},
            {"path": "/data/b.mp4", "size": 8, "oshash": "z"},
        ],
    }


def test_an_image_is_asked_for_by_its_id_alone(scraper: Path, ours: Side) -> None:
    ours.answers["/stash/scrape"] = (200, {"performers": []})
    assert run_script(scraper, {"id": "4", "title": ""}, "image").printed == {}
    assert ours.asked[0][2] == {"kind": "image", "id": "4", "files": []}


def test_trouble_is_logged_and_is_no_answer(scraper: Path, ours: Side) -> None:
    ours.answers["/stash/scrape"] = (401, {"error": {"code": "unauthorized", "message": ""}})
    outcome = run_script(scraper, FRAGMENT, "scene")
    assert outcome.printed == {}
    assert [level for level, _ in outcome.log] == ["e"]
    assert "performer_recognition.json" in outcome.log[0][1]
    (scraper / "performer_recognition.json").write_text("{broken")
    assert "Check connection" in run_script(scraper, FRAGMENT, "scene").log[0][1]
