"""`evaluate`, as a user types it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NoReturn

import pytest
from click.testing import CliRunner, Result

from function.engines.protocol import Engine
from function.sources.records import UnusableSourceError
from tools.accuracy.film_figures import check_folder, held
from tools.accuracy.pages import BEGIN, END
from tools.cli import main

ROOT = Path(__file__).parents[3]


@pytest.fixture
def friends(photos: Path, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two people with two photos each; one photo shows a cat."""
    monkeypatch.setattr("tools.verbs.measuring.load_chosen_engine", lambda _: engine)
    shown = {"Obama": ("obama1.jpg", "obama2.jpg"), "Hopper": ("hopper.jpg", "cat.png")}
    for name, files in shown.items():
        (tmp_path / "friends" / name).mkdir(parents=True)
        for file in files:
            shutil.copy(photos / file, tmp_path / "friends" / name)
    return tmp_path / "friends"


def evaluate(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["evaluate", *(str(argument) for argument in arguments)])


def test_figures_are_json_progress_is_on_stderr_and_the_page_gets_a_table(friends: Path) -> None:
    page = friends.parent / "page.md"
    page.write_text(f"Before.\n{BEGIN}\n{END}\nAfter.\n")
    done = evaluate(friends, "--enrol", 1, "--probe", 1, "--rounds", 2, "--page", page)
    assert done.exit_code == 0, done.output
    (row,) = json.loads(done.stdout)["rows"]
    assert (row["set_name"], row["people"]) == ("friends", 2)
    assert row["without_face"] > 0
    assert "reading friends\nmeasuring friends, 1 enrolled" in done.stderr
    assert "| friends | 2 | 1 / 1 |" in page.read_text()
    assert (page.parent / "accuracy-misses.svg").exists()


def test_one_folder_is_one_setting_if_asked_and_the_photos_left_out_are_named(
    friends: Path,
) -> None:
    done = evaluate(friends, "--enrol", 1, "--rounds", 1, "--table")
    assert done.exit_code == 0, done.output
    assert "1/3" in done.stdout
    assert "1/1" not in done.stdout
    assert "cat.png: no face found" in done.stdout


def test_a_page_without_markers_stops_it_before_anything_is_read(friends: Path) -> None:
    page = friends.parent / "page.md"
    page.write_text("no markers")
    done = evaluate(friends, "--page", page)
    assert done.exit_code == 1
    assert f"has no line {BEGIN}" in done.stderr
    assert "reading" not in done.stderr


@pytest.mark.parametrize(
    ("second", "said"),
    [("sface", "dlib's net and SFace"), ("off", "dlib's net alone"), ("on", "")],
)
def test_a_page_says_which_nets_were_measured_if_others_are_set(
    second: str, said: str, friends: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECOND_ENCODER", second)
    if second == "off":
        monkeypatch.setattr(engine, "second", None)
    page = friends.parent / "page.md"
    page.write_text(f"{BEGIN}\n{END}\n")
    done = evaluate(friends, "--page", page, "--rounds", 1, "--enrol", 1, "--probe", 1)
    assert done.exit_code == 0, done.output
    above, _ = page.read_text().removeprefix(f"{BEGIN}\n").split("| set |")
    assert above == (f"Measured with {said}.\n\n" if said else "")


def test_films_are_measured_at_the_intervals_asked_for(clip_folder: Path, friends: Path) -> None:
    keep = friends / "films"
    ask = ["evaluate-films", str(clip_folder), "--films", "1", "--every", "2", "--keep", str(keep)]
    done = CliRunner().invoke(main, ask)
    assert done.exit_code == 0, done.output
    figures = json.loads(done.stdout)
    rows = [(row["every_seconds"], row["is_joined"]) for row in figures["rows"]]
    assert rows == [(2.0, True), (2.0, False)]
    assert figures["enrolled"] == 2
    assert sorted(file.name for file in keep.iterdir()) == ["film-1.json", "film-1.mp4"]
    check_folder(keep, 1)  # again, which replaces them


def test_no_film_of_the_users_own_is_replaced(clip_folder: Path, tmp_path: Path) -> None:
    keep = tmp_path / "films"
    keep.mkdir()
    for name in ("film-2.mp4", "film-2.json"):
        (keep / name).write_bytes(b"mine")
        done = CliRunner().invoke(main, ["evaluate-films", str(clip_folder), "--keep", str(keep)])
        assert (done.exit_code, "reading" in done.stderr) == (1, False)
        assert f"{keep / name} is there already" in done.stderr
        assert [one.read_bytes() for one in keep.iterdir()] == [b"mine"]
        (keep / name).unlink()


def test_two_evaluations_do_not_leave_films_in_one_folder_at_a_time(
    clip_folder: Path, tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = tmp_path / "films"
    ask = ["evaluate-films", str(clip_folder), "--films", "1", "--keep", str(keep)]
    refused: list[Result] = []

    def ask_meanwhile(*_: object) -> NoReturn:
        (keep / "half").touch()
        refused.append(CliRunner().invoke(main, ask))
        raise UnusableSourceError("It is broken off.")

    monkeypatch.setattr("tools.verbs.measuring.load_chosen_engine", lambda _: engine)
    monkeypatch.setattr("tools.verbs.measuring.read_cast", ask_meanwhile)
    done = CliRunner().invoke(main, ask)
    (other,) = refused
    assert (other.exit_code, "reading" in other.stderr) == (1, False)
    assert f"Another evaluation leaves its films in {keep}." in other.stderr
    assert (done.exit_code, "It is broken off." in done.stderr) == (1, True)
    assert [one.name for one in keep.iterdir()] == ["half"]
    with held(keep):
        (keep / "half").unlink()
    assert keep.exists(), "it was there before"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_evaluation_that_is_stopped_leaves_no_part_of_a_film(
    number: signal.Signals, clip_folder: Path, tmp_path: Path
) -> None:
    keep, temporary = tmp_path / "films", tmp_path / "tmp"
    temporary.mkdir()
    ask = ["-m", "tools", "evaluate-films", str(clip_folder), "--films", "1", "--every", "2"]
    environment = os.environ | {"TMPDIR": str(temporary)}
    with subprocess.Popen(
        [sys.executable, *ask, "--keep", str(keep)],
        cwd=ROOT,
        env=environment,
        stderr=subprocess.DEVNULL,
    ) as running:
        while not any(one.is_file() for one in keep.rglob("*")):
            assert running.poll() is None
            time.sleep(0.01)
        running.send_signal(number)
    assert running.returncode != 0
    if number == signal.SIGKILL:
        left = [one for one in keep.rglob("*") if one.is_file()]
        done = CliRunner().invoke(main, [*ask[2:], "--keep", str(keep)])
        assert done.exit_code == 0, done.output
        assert left
    # Before the first film is whole, the folder that was made for it goes, too.
    assert {one.name for one in keep.glob("*")} <= {"film-1.mp4", "film-1.json"}
    assert list(temporary.iterdir()) == []


def test_an_interval_that_is_none_stops_it_before_anything_is_read(clip_folder: Path) -> None:
    ask = ["evaluate-films", str(clip_folder), "--every", "often"]
    done = CliRunner().invoke(main, ask)
    assert done.exit_code == 1
    assert "--every is 'often'; it must be a number of seconds above 0, " in done.stderr
    assert "reading" not in done.stderr


def test_how_strangers_are_grouped_is_a_table(friends: Path) -> None:
    result = CliRunner().invoke(main, ["evaluate-strangers", str(friends), "--rounds", "1"])
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert [line.split("|")[1].strip() for line in lines[2:]] == ["1", "3", "5"]
    assert "| 100.00% |" in lines[3]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["{0}", "{0}"], "Only --weak and --worth take several folders"),
        (["{0}", "{0}", "--enrolled"], "Only --weak and --worth take several folders"),
        (["{0}", "--weak", "--enrolled"], "Give one of --enrolled, --weak and --worth."),
        (["{0}", "--weak", "--worth"], "Give one of --enrolled, --weak and --worth."),
    ],
)
def test_kinds_are_measured_in_one_way_at_a_time(
    friends: Path, options: list[str], said: str
) -> None:
    done = CliRunner().invoke(main, ["evaluate-kinds", *(one.format(friends) for one in options)])
    assert done.exit_code == 2
    assert said in done.stderr
    assert "reading" not in done.stderr


@pytest.mark.parametrize("option", ["--weak", "--worth"])
def test_where_too_few_have_photos_enough_nothing_is_fitted(friends: Path, option: str) -> None:
    done = CliRunner().invoke(main, ["evaluate-kinds", str(friends), option])
    assert done.exit_code == 1
    assert f"0 people in {friends} have 4 photos with a face; two are needed." in done.stderr
