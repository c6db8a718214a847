"""`stash scan`, `apply` and `undo`, as a user types them."""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from function.stash import planning
from function.stash.applying import Addition, add_performers
from function.stash.client import Stash
from function.stash.queueing import UNDER_WAY
from function.stash.worker import TaskWorker
from function.stash.writer import begin
from tests.support.scans import SquaresReader, make_gallery, picture_of, write_squares
from tests.support.stash_libraries import StashLibrary, stash_library
from tests.support.stash_server import FakeStash, serving
from tools.cli import main


@pytest.fixture
def library(tmp_path: Path) -> Iterator[StashLibrary]:
    with stash_library(tmp_path) as made:
        yield made


def run(library: StashLibrary, *arguments: str) -> Result:
    environment = {name: str(value) for name, value in library.settings().items()}
    return CliRunner().invoke(main, ["stash", *arguments], env=environment)


def answer(library: StashLibrary, *arguments: str, exit_code: int = 0) -> Any:
    result = run(library, *arguments)
    assert result.exit_code == exit_code, result.output
    return json.loads(result.stdout)


def test_apply_says_who_gains_what_writes_it_and_undo_takes_it_back(
    library: StashLibrary,
) -> None:
    scene = library.scene("a.mp4", [library.person(1)])
    dry = run(library, "apply", "--dry-run")
    assert "1 more for P1, who has 0" in dry.stderr
    assert json.loads(dry.stdout)["additions"] == 1
    assert library.fake.writes == []
    told = answer(library, "apply", "--mark", "Recognised")
    assert (told["written"], told["gains"][0]["name"]) == (1, "P1")
    assert library.fake.scenes[scene]["performers"] == [library.in_stash[1]]
    undone = answer(library, "undo", "--run", str(told["run"]))
    assert (undone["performers"], undone["tags"], undone["left"]) == (1, 1, [])
    assert library.fake.scenes[scene]["performers"] == []


def test_who_was_edited_since_is_listed_and_undone_only_if_said_so(library: StashLibrary) -> None:
    scene = library.scene("a.mp4", [library.person(1)])
    answer(library, "apply")
    library.fake.edit("scenes", scene, title="Mine")
    left = answer(library, "undo", exit_code=3)["left"]
    assert [one[0] for one in left] == [scene]
    assert answer(library, "undo", "--scene", scene, "--edited")["performers"] == 1


@pytest.mark.parametrize("kind", ["scene", "image", "gallery"])
def test_what_was_written_on_one_thing_is_undone_by_its_kind_and_id(
    library: StashLibrary, kind: Any
) -> None:
    scene = library.fake.add_scene("/a.mp4")
    number = {"scene": scene, "image": library.fake.add_image()}.get(kind)
    number = number or library.fake.add_gallery("/set")
    with library.ledger() as ledger, closing(Stash(library.fake.url, "right")) as stash:
        writer = begin(ledger, stash, "add")
        for some in add_performers(writer, [Addition(number, library.in_stash[1], item=kind)]):
            assert some.written == 1
    for other in {"scene", "image", "gallery"} - {kind}:
        assert answer(library, "undo", f"--{other}", number)["performers"] == 0
    assert answer(library, "undo", f"--{kind}", number)["performers"] == 1


def test_apply_says_how_to_take_it_back(library: StashLibrary) -> None:
    library.scene("a.mp4", [library.person(1)])
    done = run(library, "apply")
    _, way_back = done.stderr.strip().split("To take it back: python -m tools stash ")
    assert "To take it back" not in run(library, "apply").stderr, "it has written nothing"
    assert answer(library, *way_back.split())["performers"] == 1
    assert "To take it back" not in run(library, "apply", "--dry-run").stderr


def test_undo_takes_one_thing_at_a_time(library: StashLibrary) -> None:
    library.scene("a.mp4")
    for refused in (["--scene", "1", "--image", "1"], ["--run", "1", "--gallery", "1"]):
        assert "Name one of" in run(library, "undo", *refused).stderr


@pytest.mark.parametrize(
    "asked",
    [
        *(["apply", f"--{name}", ""] for name in ("tag", "studio", "path", "scene")),
        *(["scan", f"--{name}", " "] for name in ("image", "gallery", "scene")),
        *(["undo", f"--{name}", ""] for name in ("scene", "image", "gallery")),
    ],
)
def test_an_empty_choice_is_refused_and_not_taken_for_all(
    library: StashLibrary, asked: list[str]
) -> None:
    library.scene("a.mp4", [library.person(1)])
    answer(library, "apply")
    refused = run(library, *asked)
    assert (refused.exit_code, len(library.fake.writes)) == (2, 1)
    assert "it is empty" in refused.stderr


def test_a_few_images_and_galleries_are_queued_by_id(library: StashLibrary) -> None:
    (library.root / "a.png").write_bytes(picture_of(1))
    image = library.fake.add_image(at=str(library.root / "a.png"))
    library.fake.add_image(at="/elsewhere/b.png")
    assert answer(library, "scan", "--image", image)["files"] == 1
    refused = run(library, "scan", "--image", image, "--tag", "x")
    assert "leave out tag" in refused.stderr


def test_the_suspicious_are_held_back_unless_said_so(
    library: StashLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "MANY_SCENES", 1)
    for name in ("a.mp4", "b.mp4"):
        library.scene(name, [library.person(1)])
    held = run(library, "apply")
    assert held.exit_code == 3
    assert "suspiciously many" in held.stderr
    assert library.fake.writes == []
    assert answer(library, "apply", "--yes")["written"] == 2


def test_without_waiting_it_is_left_to_the_server(library: StashLibrary) -> None:
    scene = library.scene("a.mp4", [library.person(1)])
    number = answer(library, "apply", "--no-wait")["task"]
    assert library.fake.writes == []
    tasks = TaskWorker(library.own_settings(), library.store, lambda _: None)
    tasks.start()
    try:
        # The next command watches the server, which does both in order.
        told = answer(library, "undo")
        assert told["performers"] == 1
    finally:
        tasks.close()
    with library.ledger() as ledger:
        task = ledger.tasks.find(number)
    assert task is not None
    assert task.state == "done"
    assert library.fake.scenes[scene]["performers"] == []


@pytest.mark.parametrize("verb", ["apply", "undo"])
def test_help_offers_no_other_stash_where_only_the_connected_one_will_do(verb: str) -> None:
    assert "--url" not in CliRunner().invoke(main, ["stash", verb, "--help"]).stdout
    assert "--url" in CliRunner().invoke(main, ["stash", "scan", "--help"]).stdout


@pytest.mark.parametrize(
    "verb", [["apply"], ["apply", "--dry-run"], ["undo"], ["scan", "--no-wait"]]
)
def test_what_is_queued_for_the_connected_stash_is_not_asked_of_another(
    library: StashLibrary, verb: list[str]
) -> None:
    refused = run(library, *verb, "--url", library.fake.url)
    assert refused.exit_code == 2
    assert f"stash connect --url {library.fake.url}" in refused.stderr
    with library.ledger() as ledger:
        assert ledger.tasks.next() is None


def test_what_is_queued_can_be_cancelled(library: StashLibrary) -> None:
    library.scene("a.mp4")
    number = answer(library, "undo", "--no-wait")["task"]
    assert answer(library, "cancel", str(number)) == {"cancelled": number}
    assert "neither queued nor waiting" in run(library, "cancel", str(number)).stderr


def test_an_undo_that_was_broken_off_is_gone_on_with_and_no_other_begun(
    library: StashLibrary,
) -> None:
    scenes = [library.scene(f"{one}.mp4", [library.person(one)]) for one in (1, 2)]
    for scene in scenes:
        answer(library, "apply", "--scene", scene)
    number = answer(library, "undo", "--no-wait")["task"]
    again = run(library, "undo", "--no-wait")
    assert (json.loads(again.stdout), again.stderr.strip()) == ({"task": number}, UNDER_WAY)
    with library.ledger() as ledger:
        task = ledger.tasks.find(number)
        assert task is not None
        ledger.tasks.change(replace(task, state="working"))  # as a Ctrl-C leaves it
    gone_on = run(library, "undo")
    assert (json.loads(gone_on.stdout)["performers"], gone_on.exit_code) == (1, 0)
    assert UNDER_WAY in gone_on.stderr
    assert [bool(library.fake.scenes[one]["performers"]) for one in scenes] == [True, False]


def test_an_undo_of_an_older_run_is_asked_for_first(library: StashLibrary) -> None:
    scenes = [library.scene(f"{one}.mp4", [library.person(one)]) for one in (1, 2)]
    first, _ = (answer(library, "apply", "--scene", scene)["run"] for scene in scenes)
    assert answer(library, "undo")["performers"] == 1
    asked = run(library, "undo")
    assert asked.exit_code == 3
    assert json.loads(asked.stdout)["asks"] == first
    assert "Nothing was taken back, because the last run was undone before. To take" in asked.stderr
    assert [bool(library.fake.scenes[one]["performers"]) for one in scenes] == [True, False]
    assert answer(library, "undo")["performers"] == 1


def test_scenes_without_performers_are_scanned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "videos").mkdir()
    write_squares(tmp_path / "videos/a.mp4", 1)
    write_squares(tmp_path / "videos/b.mp4", 2)
    make_gallery(tmp_path / "g.db")
    monkeypatch.setattr("tools.library.hands.open_reader", lambda _: SquaresReader())
    with serving(FakeStash([])) as fake:
        ada = fake.add_performer("Ada")
        fake.add_scene("/data/a.mp4", performers=[ada])
        fake.add_scene("/data/b.mp4")
        fake.add_scene("/elsewhere/c.mp4")
        environment = {
            "PERFORMERS_DB": str(tmp_path / "g.db"),
            "LIBRARY_DB": str(tmp_path / "l.db"),
            "MEDIA_ROOT": str(tmp_path / "videos"),
            "PATH_MAP": f"/data={tmp_path / 'videos'}",
            "STASH_URL": fake.url,
            "STASH_API_KEY": "right",
            "SANDBOX": "off",
        }
        verb = ["stash", "scan", "--without-performers"]
        result = CliRunner().invoke(main, verb, env=environment)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["library"]["done"] == 1
    assert "Not in the media root here: 1 file of Stash" in result.stderr


def test_images_and_galleries_are_queued_for_the_server(library: StashLibrary) -> None:
    album = library.album("set", ["1.jpg"], [library.person(1)])
    library.fake.add_gallery(str(album))
    loose = library.root / "loose.jpg"
    loose.write_bytes(b"picture" * 20_000)
    library.fake.add_image(at=str(loose))
    assert answer(library, "scan", "--pictures") == {"files": 2, "missing": 0}
    with library.ledger() as ledger:
        queued = [one.paths for one in ledger.iterate() if one.state == "queued"]
    assert queued == [(bytes(loose),)]
    assert "task" in answer(library, "scan", "--pictures", "--no-wait")
    refused = run(library, "scan", "--pictures", "--tag", "New")
    assert (refused.exit_code, "leave out tag" in refused.output) == (2, True)
