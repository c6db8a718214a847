"""The plugin's script as Stash runs it: standard input and output, log levels, cookie."""

import ast
import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.support.stash_scripts import (
    Outcome,
    Side,
    StashSide,
    install,
    run_script,
    standing_in,
)

ROOT = Path(__file__).parents[2]
PLUGIN = ROOT / "stash" / "plugin"
SCENE = {"kind": "scene", "id": "12", "files": [{"path": "/data/a.mp4", "size": 1, "oshash": "f"}]}
STANDARD = {
    *("__future__", "http", "json", "os", "pathlib", "queue", "socket", "ssl", "sys"),
    *("threading", "typing", "urllib", "recognition_server"),
}


class Between:
    """The installed plugin between both stand-ins."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stash = StashSide()
        self.ours = Side()

    def run(self, **arguments: Any) -> Outcome:
        cookie = {"Name": "session", "Value": "secret"}
        connection = {"Scheme": "http", "Host": "0.0.0.0", "Port": self.stash.port}
        connection["SessionCookie"] = cookie
        return run_script(self.folder, {"server_connection": connection, "args": arguments})


@pytest.fixture
def between(tmp_path: Path) -> Iterator[Between]:
    sides = Between(install("plugin", tmp_path))
    with standing_in(sides.stash), standing_in(sides.ours):
        sides.stash.settings = {"address": sides.ours.address, "token": "t0ken"}
        yield sides


def test_an_operation_goes_to_the_address_of_the_settings_with_the_token(between: Between) -> None:
    between.ours.answers["/stash/view"] = (200, {"state": "done", "people": []})
    outcome = between.run(operation="view", scene=SCENE, pictures=True, address="http://evil")
    assert outcome.printed == {"output": {"state": "done", "people": []}}
    ((path, headers, body),) = between.ours.asked
    assert (path, body) == ("/stash/view", {"scene": SCENE, "pictures": True})
    assert headers["X-Token"] == "t0ken"
    assert headers["X-Recognition-Page"] == "1"


def test_only_operations_of_the_list_are_forwarded(between: Between) -> None:
    for name in ("forget", "/gallery/forget", "settings", None):
        outcome = between.run(operation=name)
        assert "Reload the page" in outcome.printed["output"]["error"]
    assert between.ours.asked == []


VIEW = {"people": [{"person": 0, "added": True, "markers": 0, "matches": []}]}


def test_writing_follows_the_settings(between: Between) -> None:
    between.stash.settings |= {"min_score": 97, "tag": " Seen "}
    for name in ("add", "add-sure", "create"):
        between.ours.answers[f"/stash/{name}"] = (200, VIEW)
        between.run(operation=name.replace("-", "_"), scene=SCENE)
    between.ours.answers["/stash/task"] = (200, {"text": "Queued."})
    between.run(task="apply")
    bodies = {path: body for path, _, body in between.ours.asked}
    assert {body["tag"] for body in bodies.values()} == {"Seen"}
    assert {path for path, body in bodies.items() if body.get("min_score") == 97} == {
        *("/stash/add-sure", "/stash/task")
    }
    assert bodies["/stash/task"]["markers"] is False
    assert "/stash/markers" not in bodies


def test_markers_follow_each_add_where_they_are_wanted(between: Between) -> None:
    between.stash.settings |= {"markers": True}
    between.ours.answers |= {
        "/stash/add": (200, VIEW),
        "/stash/markers": (200, {"people": []}),
    }
    outcome = between.run(operation="add", scene=SCENE, people=[])
    assert outcome.printed == {"output": {"people": []}}
    assert between.ours.asked[-1][0] == "/stash/markers"
    assert between.ours.asked[-1][2] == {"scene": SCENE, "people": [0]}


def test_images_and_galleries_get_no_markers(between: Between) -> None:
    between.stash.settings |= {"markers": True}
    between.ours.answers["/stash/add"] = (200, VIEW)
    outcome = between.run(operation="add", scene={"kind": "image", "id": "5"}, people=[])
    assert outcome.printed == {"output": VIEW}
    assert [path for path, _, _ in between.ours.asked] == ["/stash/add"]


def test_without_settings_the_usual_ones_count(between: Between) -> None:
    between.stash.settings = {"address": between.ours.address}
    between.ours.answers["/stash/add-sure"] = (200, VIEW)
    between.run(operation="add_sure", scene=SCENE)
    ((_, headers, body),) = between.ours.asked
    assert (body["min_score"], body["tag"]) == (99, "")
    assert "X-Token" not in headers


@pytest.mark.parametrize(
    ("task", "sent"),
    [
        ("sync", {"kind": "sync"}),
        ("scan", {"kind": "scan", "filter": {}}),
        (
            "scan_without_performers",
            {"kind": "scan", "filter": {"without_performers": True}},
        ),
        ("scan_pictures", {"kind": "scan", "pictures": True}),
        ("undo", {"kind": "undo"}),
    ],
)
def test_a_task_hands_its_work_over_and_logs_what_the_server_says(
    task: str, sent: dict[str, Any], between: Between
) -> None:
    between.ours.answers["/stash/task"] = (200, {"task": 3, "text": "Queued 7 scenes."})
    outcome = between.run(task=task)
    text = outcome.printed["output"]
    assert text.startswith("Queued 7 scenes. ")
    assert outcome.log == [("i", text)]
    assert [(path, body) for path, _, body in between.ours.asked] == [("/stash/task", sent)]


def test_the_tasks_that_find_people_keep_to_the_scenes_that_are_set(between: Between) -> None:
    between.stash.settings |= {"only_tag": "New", "only_path": " /data/a "}
    between.ours.answers["/stash/task"] = (200, {"text": "Queued."})
    between.run(task="scan_without_performers")
    ((_, _, body),) = between.ours.asked
    assert body["filter"] == {"without_performers": True, "tag": "New", "path": "/data/a"}


REFUSED = {"error": {"code": "unauthorized", "message": "…"}}
OTHER = {"error": {"code": "video_not_found", "message": "There is no video at /data/a.mp4."}}


@pytest.mark.parametrize(
    ("status", "answer", "words"),
    [
        (401, REFUSED, "refuses the token. Copy what PLUGIN_TOKEN"),
        (404, OTHER, "There is no video at /data/a.mp4."),
        (404, {"error": {"code": "not_found", "message": ""}}, "Update it"),
        (200, b"<html>", "Something other than the recognition server"),
        (404, b"<html>", "Something other than the recognition server"),
        (302, b"http://127.0.0.1:9/", "Something other than the recognition server"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(
    status: int, answer: Any, words: str, between: Between
) -> None:
    between.ours.answers["/stash/view"] = (status, answer)
    between.ours.answers["/stash/task"] = (status, answer)
    assert words in between.run(operation="view", scene=SCENE).printed["output"]["error"]
    outcome = between.run(task="scan")
    assert words in outcome.printed["error"]
    assert [level for level, _ in outcome.log] == ["e"]


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://127.0.0.1:9", "Nothing answers at http://127.0.0.1:9"),
        ("localhost:8080", "Write one like http://localhost:8080"),
        ("file:///etc/passwd", "Write one like http://localhost:8080"),
        ("http://localhost:many", "Write one like http://localhost:8080"),
        ("http://[::1", "Write one like http://localhost:8080"),
        ("http://127.0.0.1:9/caf\u00e9", "holds a letter that cannot be sent"),
    ],
)
def test_a_wrong_address_is_named(address: str, words: str, between: Between) -> None:
    between.stash.settings["address"] = address
    assert words in between.run(operation="view", scene=SCENE).printed["output"]["error"]


@pytest.mark.parametrize(
    "around", ["  {} \n", "{}/", "{}/stash/plugins/index.yml", " {}/stash/scrapers/index.yml/ "]
)
def test_what_was_copied_with_the_address_and_the_token_does_no_harm(
    around: str, between: Between
) -> None:
    between.stash.settings = {
        "address": around.format(between.ours.address),
        "token": " t0ken\n",
    }
    between.ours.answers["/stash/status"] = (200, {})
    between.ours.answers["/stash/connect"] = (200, {"scenes": 1})
    first, second, *_ = between.run(operation="check").printed["output"]["lines"]
    assert first["text"].startswith(f"The server answers at {between.ours.address};")
    assert second["ok"], second["text"]
    assert {headers["X-Token"] for _, headers, _ in between.ours.asked} == {"t0ken"}


@pytest.mark.parametrize("token", ["t0\nken", "\u20ac"])
def test_a_token_that_cannot_be_sent_is_said_in_words(token: str, between: Between) -> None:
    between.stash.settings["token"] = token
    words = between.run(operation="view", scene=SCENE).printed["output"]["error"]
    assert "Copy both once more" in words


@pytest.mark.parametrize("status", [401, 422])
def test_a_stash_that_refuses_its_own_plugin_is_to_be_updated(
    between: Between, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr(between.stash, "answer", lambda *_: (status, {}))
    words = between.run(operation="view", scene=SCENE).printed["output"]["error"]
    assert f"({status}). Stash v0.30 or newer is needed; update it." in words


def test_check_connects_both_and_says_what_each_sees(between: Between) -> None:
    between.stash.scenes = [
        {
            "id": "5",
            "files": [
                {
                    "path": "/data/b.mp4",
                    "size": "77",
                    "fingerprints": [{"type": "oshash", "value": "abc"}],
                }
            ],
        }
    ]
    between.ours.answers |= {
        "/stash/status": (200, {"connected": False}),
        "/stash/connect": (200, {"ok": True, "scenes": 5, "performers": 2}),
        "/stash/check": (200, {"lines": [{"ok": False, "text": "The file is not there."}]}),
    }
    outcome = between.run(task="check")
    text = (
        "2 of 3 checks passed. What is wrong is shown under Settings, Plugins, Performer "
        "Recognition, Check connection."
    )
    assert outcome.log == [("w", text)], "the log names no file and no address"
    assert outcome.printed == {"output": text}
    sent = {path: body for path, _, body in between.ours.asked}
    assert sent["/stash/connect"] == {
        "url": f"http://127.0.0.1:{between.stash.port}",
        "api_key": "key",
    }
    file = {"path": "/data/b.mp4", "size": 77, "oshash": "abc"}
    assert sent["/stash/check"] == {"scene": {"kind": "scene", "id": "5", "files": [file]}}


def test_check_tells_how_to_get_a_key_where_a_password_needs_one(between: Between) -> None:
    between.stash.general = {"username": "me", "apiKey": ""}
    between.ours.answers["/stash/status"] = (200, {})
    lines = between.run(operation="check").printed["output"]["lines"]
    assert [line["ok"] for line in lines] == [True, False]
    assert "Generate one under Settings, Security" in lines[1]["text"]


def test_check_hands_address_and_token_to_the_scraper_for_its_user_alone(
    between: Between, tmp_path: Path
) -> None:
    scraper = install("scraper", tmp_path / "scrapers")
    between.stash.general = {"scrapersPath": str(tmp_path / "scrapers")}
    between.run(task="check")
    path = scraper / "performer_recognition.json"
    assert json.loads(path.read_text()) == {"address": between.ours.address, "token": "t0ken"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_scrapers_token_is_written_into_no_file_that_others_can_read_and_through_no_link(
    between: Between, tmp_path: Path
) -> None:
    scraper = install("scraper", tmp_path / "scrapers")
    between.stash.general = {"scrapersPath": str(tmp_path / "scrapers")}
    path = scraper / "performer_recognition.json"
    path.touch(0o644)
    path.with_name(path.name + ".new").touch(0o644)
    between.run(task="check")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    elsewhere = tmp_path / "elsewhere"
    elsewhere.touch()
    path.unlink()
    path.symlink_to(elsewhere)
    between.run(task="check")
    assert elsewhere.read_text() == ""
    assert json.loads(path.read_text())["token"] == "t0ken"
    assert sorted(one.name for one in scraper.glob("*.json*")) == [path.name]


def test_names_come_from_stash_boxes_only_where_the_user_allows_it(between: Between) -> None:
    between.ours.answers["/stash/names"] = (200, {"names": [{"name": "Ada", "stash_id": "1"}]})
    box = {"name": "Box", "endpoint": "http://box/graphql"}
    between.stash.general = {"stashBoxes": [box]}
    assert len(between.run(operation="names", text="Ada").printed["output"]["names"]) == 1
    between.stash.settings["stash_box"] = True
    names = between.run(operation="names", text="Ada").printed["output"]["names"]
    stash_ids = [{"endpoint": "http://box/graphql", "stash_id": "x-1"}]
    assert names[1] == {"name": "Ada B", "disambiguation": "Box", "stash_ids": stash_ids}
    between.stash.scraped[0]["disambiguation"] = "poet"
    (_, poet) = between.run(operation="names", text="Ada").printed["output"]["names"]
    assert (poet["disambiguation"], poet["told_apart_by"]) == ("poet", "poet")


def test_no_name_and_no_face_reaches_the_log(between: Between) -> None:
    secret = {**VIEW, "image": "PICTURE", "name": "Ada", "text": "Done."}
    between.ours.answers |= dict.fromkeys(("/stash/add", "/stash/task"), (200, secret))
    for arguments in ({"operation": "add", "scene": SCENE}, {"task": "apply"}):
        log = between.run(**arguments).log
        assert not any(word in text for _, text in log for word in ("Ada", "PICTURE"))


def test_the_plugin_needs_only_what_its_yml_and_old_python_have() -> None:
    definition = YAML(typ="safe").load((PLUGIN / "performer_recognition.yml").read_text())
    named = [*definition["ui"]["javascript"], *definition["ui"]["css"]]
    assert all((PLUGIN / name).is_file() for name in named)
    assert {path.name for path in PLUGIN.glob("*.js")} == set(definition["ui"]["javascript"])
    assert "hooks" not in definition, "each new file would start a process"
    assert set(definition["settings"]) == {
        *("address", "token", "page_address", "stash_address", "min_score", "markers", "tag"),
        *("stash_box", "only_tag", "only_studio", "only_path"),
    }
    for path in (ROOT / "stash").rglob("*.py"):
        tree = ast.parse(path.read_text(), feature_version=(3, 9))
        found = {
            name.split(".")[0]
            for node in ast.walk(tree)
            for name in (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
        }
        assert found <= STANDARD, path
