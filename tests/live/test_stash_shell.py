"""The verbs of a shell with a real Stash: connect, sync, scan, apply, undo, status, evaluate.

See `tests.live.test_stash` for what it needs.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.live_stash import FOLDER, LiveStash, film_of, settings_beside
from tests.support.servers import ROOT

TAGGED = {"first.mp4": "obama1.jpg", "second.mp4": "obama3.jpg", "odd.mp4": "astronaut.png"}
LATER = {"later.mp4": "obama2.jpg"}
ONLY = "Only In Scenes"
TAGGED_LATER = {"later.mp4": ONLY, "noon.mp4": "Grace Hopper", "evening.mp4": "Grace Hopper"}


@pytest.fixture(scope="module")
def environment(
    stash: LiveStash, photos: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """Somebody without a photo, alone in three scenes of which one shows another; the shell."""
    for name, picture in (TAGGED | LATER).items():
        film_of(stash.folder / FOLDER / name, [photos / picture], seconds=3)
    stash.finish(stash.ask("mutation { metadataScan(input: {}) }")["metadataScan"])
    known = performers(stash)
    stash.ask("mutation D($i: [ID!]!) { performersDestroy(ids: $i) }", i=[known["Barack Obama"]])
    document = "mutation C($i: PerformerCreateInput!) { performerCreate(input: $i) { id } }"
    stash.ask(document, i={"name": ONLY})
    for name in TAGGED:
        tag(stash, name, ONLY)
    folder = tmp_path_factory.mktemp("shell")
    given = {name: str(value) for name, value in settings_beside(stash, folder).items()}
    return {**os.environ, "PYTHONPATH": str(ROOT), **given, "STASH_API_KEY": stash.api_key}


def performers(stash: LiveStash) -> dict[str, str]:
    found = stash.ask("{ findPerformers(filter: {per_page: -1}) { performers { id name } } }")
    return {one["name"]: one["id"] for one in found["findPerformers"]["performers"]}


def tag(stash: LiveStash, film: str, *names: str) -> None:
    known = performers(stash)
    document = "mutation U($i: SceneUpdateInput!) { sceneUpdate(input: $i) { id } }"
    ids = [known[one] for one in names]
    stash.ask(document, i={"id": stash.scene(film)["id"], "performer_ids": ids})


def shell(environment: dict[str, str], *words: str, **changed: str) -> tuple[int, Any, str]:
    """Run a verb; return its exit status, the JSON that it printed, and what else it said."""
    command = [sys.executable, "-m", "tools", *words]
    done = subprocess.run(
        command,
        check=False,
        cwd=ROOT,
        env={**environment, **changed},
        capture_output=True,
        text=True,
    )
    return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr


def test_connecting_says_what_is_wrong_and_then_what_each_side_sees(
    stash: LiveStash, environment: dict[str, str]
) -> None:
    def connect(url: str, **changed: str) -> tuple[int, Any, str]:
        return shell(environment, "stash", "connect", "--url", url, **changed)

    code, _, said = connect("http://127.0.0.1:9")
    assert (code, "does not answer" in said) == (1, True)
    code, _, said = connect(f"{stash.url}/nowhere")
    assert (code, "not GraphQL. Check the URL" in said) == (1, True)
    if stash.api_key:
        code, _, said = connect(stash.url, STASH_API_KEY="wrong")
        assert (code, "refused the API key (401)" in said) == (1, True)
    code, told, _ = connect(stash.url)
    assert (code, {one["ok"] for one in told["lines"]}) == (0, {True})
    code, told, _ = shell(environment, "stash", "status", STASH_API_KEY="")
    assert (code, told["connected"], told["scenes"]) == (0, True, 8)


def test_scenes_of_one_performer_enrol_them_where_they_agree(
    stash: LiveStash, environment: dict[str, str]
) -> None:
    code, told, _ = shell(environment, "stash", "sync", "--from-scenes", "3")
    assert (code, told["added"]) == (0, 1)
    learned = told["from_scenes"]
    assert (learned["scenes"], learned["performers"]) == (2, 1)
    odd = stash.scene("odd.mp4")["id"]
    assert [one["scene"] for one in learned["refused"]] == [odd]
    again = shell(environment, "stash", "sync", "--from-scenes", "3")[1]
    assert again["from_scenes"]["scenes"] == 0


def test_a_scan_looks_at_every_scene(environment: dict[str, str]) -> None:
    code, _, said = shell(environment, "stash", "scan", "--no-wait")
    assert (code, "It is queued" in said) == (0, True)
    code, told, _ = shell(environment, "stash", "scan")
    assert (code, told["scanned"]) == (0, 8)


def test_evaluate_judges_by_the_users_tags_but_not_by_scenes_that_enrolled(
    stash: LiveStash, environment: dict[str, str]
) -> None:
    for film, name in TAGGED_LATER.items():
        tag(stash, film, name)
    code, told, _ = shell(environment, "evaluate", "--from-stash")
    assert (code, told["scenes"], told["scenes_not_scanned"]) == (0, 6, 0)
    rows = {one.pop("name"): one for one in told["performers"]}
    counts = ("right", "uncertain", "missed", "wrong")
    assert [rows["Grace Hopper"][one] for one in counts] == [2, 0, 0, 0]
    assert [rows[ONLY][one] for one in counts] == [1, 0, 1, 1]
    wrong = {(one["scene"], one["named"]) for one in told["wrong_scenes"]}
    assert wrong == {(stash.scene("evening.mp4")["id"], ONLY)}
    for film in TAGGED_LATER:
        tag(stash, film)


def test_apply_and_undo_write_what_is_sure_and_take_it_back(
    stash: LiveStash, environment: dict[str, str]
) -> None:
    code, told, said = shell(environment, "stash", "apply", "--dry-run")
    assert (code, f"more for {ONLY}, who has 3" in said) == (0, True)
    assert stash.names_in("evening.mp4") == set()
    code, told, _ = shell(environment, "stash", "apply", "--dry-run", "--min-score", "100")
    assert (code, told["additions"]) == (0, 0)
    code, told, _ = shell(environment, "stash", "apply")
    assert stash.names_in("evening.mp4") == stash.names_in("morning.mp4") | {"Grace Hopper"}
    assert (code, told["scenes"]) == (0, 4)
    code, undone, _ = shell(environment, "stash", "undo")
    assert (code, undone["performers"], undone["left"]) == (0, told["written"], [])
    assert stash.names_in("evening.mp4") == set()
    code, status, _ = shell(environment, "stash", "status")
    assert status["runs"][0]["undone"] == told["written"]


def test_evaluate_judges_by_no_tag_that_was_ever_ours(
    stash: LiveStash, environment: dict[str, str]
) -> None:
    for film, name in TAGGED_LATER.items():
        tag(stash, film, name)
    assert shell(environment, "evaluate", "--from-stash")[1]["scenes"] == len(TAGGED)


def test_what_a_scene_enrolled_is_removed_for_good(
    stash: LiveStash, environment: dict[str, str]
) -> None:
    photo = f"stash scene {stash.scene('first.mp4')['id']}"
    assert shell(environment, "remove-photo", ONLY, photo)[0] == 0
    told = shell(environment, "stash", "sync", "--from-scenes", "3")[1]
    assert stash.scene("first.mp4")["id"] not in {
        one["scene"] for one in told["from_scenes"]["refused"]
    }
    shown = shell(environment, "show", ONLY)[1]
    assert photo not in json.dumps(shown)
