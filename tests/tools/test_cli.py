import json
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from tools.cli import main
from tools.footage.videos import moving_picture, read_portrait, write_video
from tools.summaries import SUMMARIES
from tools.verbs.importing import import_
from tools.verbs.shared import PathType

ROOT = Path(__file__).parents[2]


def run(*arguments: str | Path, **options: Any) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], **options)


@pytest.fixture
def gallery_copy(gallery_path: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(gallery_path, tmp_path / "copy.db"))


def test_importing_a_folder_reports_json_and_a_second_time_changes_nothing(
    people_folder: Path, tmp_path: Path
) -> None:
    database = tmp_path / "g.db"
    first = run("import", "folder", people_folder, "--db", database)
    assert first.exit_code == 0, first.output
    assert json.loads(first.stdout)["added"] == 2
    assert json.loads(first.stdout)["photos"] == 3
    second = run("import", "folder", people_folder, "--db", database)
    assert json.loads(second.stdout) | {"unchanged": 2, "added": 0} == json.loads(second.stdout)


def test_a_refused_photo_is_named_and_the_exit_status_says_partly_done(
    photos: Path, tmp_path: Path
) -> None:
    (tmp_path / "people").mkdir()
    shutil.copy(photos / "hopper.jpg", tmp_path / "people" / "Grace Hopper.jpg")
    shutil.copy(photos / "cat.png", tmp_path / "people" / "Cat.png")
    result = run("import", "folder", tmp_path / "people", "--db", tmp_path / "g.db")
    assert result.exit_code == 3
    (refused,) = json.loads(result.stdout)["refused"]
    assert refused["performer"] == "Cat"
    assert refused["photo"].endswith("Cat.png")
    assert refused["reason"] == "no face found"


def test_no_name_in_the_log_can_command_the_terminal() -> None:
    lines = (
        "import logging, tools.cli as cli\n"
        "@cli.main.command()\n"
        "def speak():\n"
        "    logging.warning('%s is damaged', '\\x1b[31m\\nERROR: all is lost.ts')\n"
        "    try: 1 / 0\n"
        "    except ZeroDivisionError: logging.exception('it fell')\n"
        "cli.main(['speak'])\n"
    )
    done = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, check=True)
    first, *others = done.stderr.splitlines()
    assert first == "WARNING:root:\ufffd[31m\ufffdERROR: all is lost.ts is damaged"
    assert others[-1] == "ZeroDivisionError: division by zero"


def test_list_and_show_tell_who_is_there_and_where_the_encodings_came_from(
    gallery_path: Path,
) -> None:
    listed = json.loads(run("list", "--db", gallery_path).stdout)
    assert [one["name"] for one in listed] == ["Barack Obama", "Grace Hopper"]
    shown = json.loads(run("show", "barack obama", "--db", gallery_path).stdout)
    assert [Path(photo["origin"]).name for photo in shown["photos"]] == ["obama1.jpg", "obama2.jpg"]
    assert "vector" not in shown["photos"][0]


def test_who_is_there_and_what_was_checked_can_be_read_as_lines(gallery_path: Path) -> None:
    listed = run("list", "--table", "--db", gallery_path).stdout.splitlines()
    assert [line.split() for line in listed] == [
        ["id:1", "2", "photos", "Barack", "Obama;", "also", "44"],
        ["id:2", "1", "photo", "Grace", "Hopper"],
    ]
    checked = run("doctor", "--table", "--db", gallery_path).stdout
    assert "ok: Integrity: every page and index is sound.\n" in checked


def test_help_tells_of_every_verb_in_a_whole_line() -> None:
    said = run("--help").stdout
    assert "..." not in said.partition("\n\n")[2]
    for verbs in SUMMARIES.values():
        for verb, summary in verbs.items():
            assert re.search(rf"^  {verb} +{re.escape(summary)}$", said, re.MULTILINE)
    listed = [verb for verbs in SUMMARIES.values() for verb in verbs]
    assert sorted(listed) == main.list_commands(click.Context(main))


def test_the_gallery_may_be_named_by_the_environment(gallery_path: Path) -> None:
    result = run("list", env={"PERFORMERS_DB": str(gallery_path)})
    assert len(json.loads(result.stdout)) == 2


@pytest.mark.parametrize(
    ("arguments", "environment", "exit_code"),
    [
        (["--db", "postgresql://user:secret@host/db"], {}, 2),
        ([], {"PERFORMERS_DB": "postgresql://user:secret@host/db"}, 1),
    ],
)
def test_a_gallery_on_a_server_is_refused_without_telling_the_password(
    arguments: list[str], environment: dict[str, str], exit_code: int
) -> None:
    result = run("list", *arguments, env=environment)
    assert result.exit_code == exit_code
    assert "postgresql://host/db" in result.stderr
    assert "PERFORMERS_DB" in result.stderr
    assert "secret" not in result.output


def test_forget_asks_first_and_then_erases(gallery_copy: Path) -> None:
    declined = run("forget", "Grace Hopper", "--db", gallery_copy, input="n\n")
    assert declined.exit_code == 1
    assert len(json.loads(run("list", "--db", gallery_copy).stdout)) == 2
    done = run("forget", "Grace Hopper", "--yes", "--db", gallery_copy)
    assert json.loads(done.stdout) == {
        "backups": [],
        "forgotten": "Grace Hopper",
        "encodings": 1,
        "sightings": 0,
    }
    assert [one["name"] for one in json.loads(run("list", "--db", gallery_copy).stdout)] == [
        "Barack Obama"
    ]


def test_identify_prints_the_same_json_as_the_function(
    photos: Path, gallery_path: Path, tmp_path: Path
) -> None:
    shots = moving_picture(read_portrait(photos / "obama3.jpg"), 3, size=(640, 480))
    video = write_video(tmp_path / "video.mp4", shots)
    result = run("identify", video, "--db", gallery_path, "--every", "1")
    assert result.exit_code == 0, result.output
    (person,) = json.loads(result.stdout)
    assert person["matches"][0]["name"] == "Barack Obama"
    assert person["faces"] == 3


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["show", "Nobody"], "No performer is called 'Nobody'"),
        (["forget", "Nobody", "--yes"], "No performer is called 'Nobody'"),
        (["identify", "gone.mp4"], "gone.mp4"),
        (["identify", "gone.mp4", "--every", "0"], "--every is '0'; it must be"),
        (["import", "folder", "gone"], "There is no folder gone"),
    ],
)
def test_what_fails_says_why_in_one_line_and_exits_with_1(
    arguments: list[str], complaint: str, gallery_copy: Path
) -> None:
    result = run(*arguments, "--db", gallery_copy)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert complaint in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("kind", "of_nothing", "of_a_folder", "of_rubbish"),
    [
        ("folder", "There is no folder", "holds no photos", "is a file. Name a folder of photos"),
        ("file", "cannot be read: No such file", "use import folder", "no column 'name'"),
        ("stash-export", "No such file", "holds no performers/*.json", "not a zip file"),
        ("bundle", "There is no bundle", "is no file, and a bundle is one", "is not a gallery"),
    ],
)
def test_what_cannot_be_imported_is_told_in_one_line_and_makes_no_gallery(
    kind: str, of_nothing: str, of_a_folder: str, of_rubbish: str, tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "rubbish").write_bytes(bytes(range(256)) * 9)
    for name, words in (
        *(("nothing", of_nothing), ("folder", of_a_folder), ("rubbish", of_rubbish)),
    ):
        result = run("import", kind, tmp_path / name, "--db", tmp_path / "new.db")
        assert (result.exit_code, result.stdout) == (1, "")
        assert words in result.stderr
        assert len(result.stderr.strip().splitlines()) == 1
    assert sorted(one.name for one in tmp_path.iterdir()) == ["folder", "rubbish"]


def test_a_missing_gallery_is_an_error_except_for_import(tmp_path: Path) -> None:
    result = run("list", "--db", tmp_path / "gone.db")
    assert result.exit_code == 1
    assert "no gallery gone.db" in result.stderr


def test_every_verb_has_help_with_an_example() -> None:
    imports = [["import", name] for name in import_.commands]
    names = main.list_commands(click.Context(main))
    assert "evaluate" in names
    for verb in [*imports, *([name] for name in names if name != "import")]:
        result = run(*verb, "--help")
        assert result.exit_code == 0
        assert "Example: python -m tools" in result.stdout, verb
        assert str(2**63 - 1) not in result.stdout, verb


def test_a_folder_is_no_gallery_to_name(tmp_path: Path) -> None:
    result = run("list", "--db", str(tmp_path))
    assert result.exit_code == 2
    assert "is a folder. Name a file in it." in result.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_an_identification_that_is_interrupted_leaves_no_process_behind(
    photos: Path, gallery_path: Path, tmp_path: Path
) -> None:
    shots = moving_picture(read_portrait(photos / "obama3.jpg"), 60, fps=5, size=(640, 360))
    video = write_video(tmp_path / "long.mp4", shots, fps=5, keyframe_every=2)
    command = [sys.executable, "-m", "tools", "identify", str(video), "--every", "0.1"]
    command += ["--db", str(gallery_path)]
    identifying = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert identifying.stderr is not None
    # The bar is drawn once the first frames are through.
    assert identifying.stderr.read(1)
    (child,) = descendants(identifying.pid)
    identifying.send_signal(signal.SIGINT)
    identifying.communicate(timeout=20)
    assert identifying.returncode != 0
    deadline = time.monotonic() + 10
    while Path(f"/proc/{child}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def descendants(parent: int) -> list[int]:
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [int(child) for child in children]


def path_options(group: click.Group) -> Iterator[click.Parameter]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command
        if isinstance(command, click.Group):
            yield from path_options(command)
        yield from (one for one in command.params if isinstance(one.type, click.Path))


def test_no_empty_path_is_taken_for_this_folder(tmp_path: Path) -> None:
    found = list(path_options(main))
    assert len(found) > 12
    assert {type(one.type) for one in found} == {PathType}
    refused = run("export", "--bundle", "", "--db", tmp_path / "g.db")
    assert refused.exit_code == 2
    assert "'--bundle': The path is empty." in refused.stderr
