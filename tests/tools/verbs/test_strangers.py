"""`strangers` as a user types it, on a library of made-up people."""

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from tests.support.stranger_libraries import MadeUpLibrary
from tools.cli import main
from tools.verbs.strangers import COMMENT


class Shell:
    """A man in three videos and a woman in one, and the verbs on them."""

    def __init__(self, folder: Path) -> None:
        self.library = MadeUpLibrary(folder)
        self.man, self.woman = self.library.add_couple()
        self.environment = {
            "PERFORMERS_DB": str(folder / "g.db"),
            "LIBRARY_DB": str(self.library.path),
            "SECOND_ENCODER": "off",
        }

    def run(self, *arguments: object, answer: str = "") -> Result:
        texts = [str(one) for one in arguments]
        return CliRunner().invoke(main, texts, env=self.environment, input=answer)

    def said(self, *arguments: object, answer: str = "") -> Any:
        result = self.run(*arguments, answer=answer)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    made = Shell(tmp_path)
    yield made
    made.library.ledger.close()


def test_an_empty_list_says_where_strangers_are_not_kept(shell: Shell) -> None:
    assert shell.run("strangers").stderr == ""
    shell.said("forget", "--strangers", "--yes")
    listed = shell.run("strangers")
    assert json.loads(listed.stdout) == []
    assert "scan --strangers keep --again" in listed.stderr
    shell.environment["STRANGERS"] = "keep"
    assert shell.run("strangers").stderr == ""


@pytest.mark.parametrize(
    "words", ["", "name 1 Ada", "unname Ada", "ignore 1", "split 1 v.mp4", "join 1 2"]
)
def test_no_library_is_made_where_there_is_none(words: str, shell: Shell, tmp_path: Path) -> None:
    shell.environment["LIBRARY_DB"] = str(tmp_path / "other" / "library.db")
    (tmp_path / "other").mkdir()
    done = shell.run("strangers", *words.split())
    assert (done.exit_code, [*(tmp_path / "other").iterdir()]) == (1, [])
    assert "There is no library library.db. Make one: python -m tools scan FOLDER." in done.stderr


def test_those_seen_in_most_videos_are_listed_first(shell: Shell, tmp_path: Path) -> None:
    pictures = tmp_path / "faces"
    man, woman = shell.said("strangers", "--pictures", pictures)
    assert man["videos"] == ["/v/1.mp4", "/v/2.mp4", "/v/3.mp4"]
    assert woman["videos"] == ["/v/1.mp4"]
    assert (man["faces"], woman["faces"]) == (18, 6)
    assert {one["sighting"] for one in man["sightings"]} == {"1.0", "2.0", "3.0"}
    assert sorted(one.name for one in pictures.iterdir()) == [
        f"{man['id']}.jpg",
        f"{woman['id']}.jpg",
    ]
    assert {one.stat().st_mode & 0o777 for one in pictures.iterdir()} == {0o600}
    for one in pictures.iterdir():
        one.chmod(0o644)
    shell.said("strangers", "--pictures", pictures)
    assert {one.stat().st_mode & 0o777 for one in pictures.iterdir()} == {0o600}
    limited = shell.run("strangers", "--limit", 1)
    assert [one["id"] for one in json.loads(limited.stdout)] == [man["id"]]
    assert "1 of 2 are listed" in limited.stderr


def test_no_picture_is_written_through_a_link_that_comes_just_then(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = tmp_path / "theirs"
    theirs.write_text("of somebody else")
    replace = Path.replace

    def replaced(new: Path, file: Path) -> Path:
        file.symlink_to(theirs)
        return replace(new, file)

    monkeypatch.setattr(Path, "replace", replaced)
    shell.said("strangers", "--pictures", tmp_path / "faces")
    assert theirs.read_text() == "of somebody else"
    assert not any(one.is_symlink() for one in (tmp_path / "faces").iterdir())


def test_pictures_that_an_earlier_version_wrote_are_replaced(shell: Shell, tmp_path: Path) -> None:
    shell.said("strangers", "--pictures", tmp_path / "faces")
    for one in (tmp_path / "faces").iterdir():
        one.write_bytes(one.read_bytes().replace(COMMENT, b""))  # as it was without a mark
        assert one.stat().st_size > 2
    shell.said("strangers", "--pictures", tmp_path / "faces")
    assert all(COMMENT in one.read_bytes() for one in (tmp_path / "faces").iterdir())
    for one in (tmp_path / "faces").iterdir():
        one.write_bytes(one.read_bytes().replace(COMMENT, b"") + b"edited")
    assert shell.run("strangers", "--pictures", tmp_path / "faces").exit_code == 1


def test_no_picture_of_the_users_own_is_replaced_by_one_of_a_stranger(
    shell: Shell, tmp_path: Path
) -> None:
    man, woman = (one["id"] for one in shell.said("strangers"))
    faces = tmp_path / "faces"
    faces.mkdir()
    mine = faces / f"{woman}.jpg"
    for own in (b"\xff\xd8\xff\xe0 of my own", b""):
        mine.write_bytes(own)
        refused = shell.run("strangers", "--pictures", faces)
        assert refused.exit_code == 1
        assert f"{mine} is there already, and was not written by this command" in refused.stderr
        assert (mine.read_bytes(), [*faces.iterdir()]) == (own, [mine])
    mine.unlink()
    shell.said("strangers", "--pictures", faces)
    with Image.open(faces / f"{man}.jpg") as opened:
        opened.load()
        assert opened.format == "JPEG"


def test_naming_fills_in_every_video_and_can_be_taken_back(shell: Shell) -> None:
    man, woman = shell.said("strangers")
    named = shell.said("strangers", "name", man["id"], "Grace Hopper")
    assert (named["videos"], named["filled_in"], named["still_unknown"]) == (3, 3, 0)
    assert [one["id"] for one in shell.said("strangers")] == [woman["id"]]
    results = shell.said("results", "--performer", "Grace Hopper")
    assert [one["path"] for one in results] == ["/v/1.mp4", "/v/2.mp4", "/v/3.mp4"]
    assert shell.said("strangers", "unname", "Grace Hopper")["views"] == named["views"]
    assert shell.said("strangers", "ignore", man["id"], "--undo")["id"] == man["id"], "at once"
    assert len(shell.said("strangers")) == 2


def test_an_enrolled_name_is_asked_about(shell: Shell) -> None:
    shell.library.enrol("Grace Hopper", shell.library.crowd.person())
    man, woman = shell.said("strangers")
    refused = shell.run("strangers", "name", man["id"], "Grace Hopper", answer="n\n")
    assert refused.exit_code == 1
    assert "Is this the same person?" in refused.stderr
    first = shell.said("strangers", "name", man["id"], "Grace Hopper", "--new")
    assert first["performer_id"] == "2"
    again = shell.run("strangers", "name", woman["id"], "Grace Hopper", "--yes")
    assert again.exit_code == 1
    assert "may be any of" in again.stderr
    assert shell.said("strangers", "name", woman["id"], "1", "--yes")["performer_id"] == "1"


@pytest.mark.parametrize(("name", "said"), [(" ", "the name is empty"), ("id:99", "'id:99'")])
def test_a_name_that_cannot_be_used_is_refused(shell: Shell, name: str, said: str) -> None:
    (man, _) = shell.said("strangers")
    refused = shell.run("strangers", "name", man["id"], name)
    assert refused.exit_code != 0
    assert said in refused.stderr


def test_a_forgotten_name_is_refused(shell: Shell) -> None:
    shell.library.enrol("Grace Hopper", shell.library.crowd.person())
    shell.said("forget", "Grace Hopper", "--yes")
    (man, _) = shell.said("strangers")
    refused = shell.run("strangers", "name", man["id"], "Grace Hopper")
    assert (refused.exit_code, "was forgotten" in refused.stderr) == (1, True)


def test_the_ignored_are_not_listed_until_that_is_undone(shell: Shell) -> None:
    man, woman = shell.said("strangers")
    shell.said("strangers", "ignore", man["id"])
    assert [one["id"] for one in shell.said("strangers")] == [woman["id"]]
    assert [one["id"] for one in shell.said("strangers", "--ignored")] == [man["id"]]
    shell.said("strangers", "ignore", man["id"], "--undo")
    assert len(shell.said("strangers")) == 2


@pytest.mark.parametrize("change", ["ignore {id}", "split {id} 2.0", "name {id} Ada"])
def test_what_is_printed_as_the_way_back_leads_there(shell: Shell, change: str) -> None:
    for number in range(7):  # so that no id is somebody else's, too
        shell.library.enrol(f"P{number}", shell.library.crowd.person())
    library = ("--library", shell.environment.pop("LIBRARY_DB"))
    gallery = ("--db", shell.environment.pop("PERFORMERS_DB"))
    before = shell.said("strangers", *library, *gallery)
    verb, *words = change.format(id=before[0]["id"]).split()
    done = shell.said("strangers", verb, *words, *library, *gallery)
    assert shell.said("strangers", *library, *gallery) != before
    prefix, way_back = done["undo"].split(" -m tools ")
    assert prefix == "python"
    shell.said(*way_back.split())
    assert shell.said("strangers", *library, *gallery) == before


def test_naming_prints_no_way_back_that_would_take_back_more(shell: Shell) -> None:
    man, woman = shell.said("strangers")
    assert shell.said("strangers", "name", man["id"], "Ada")["undo"]
    assert shell.said("strangers", "name", woman["id"], "Ada", "--yes")["undo"] == ""


@pytest.mark.parametrize("what", ["2.0", "/v/2.mp4"])
def test_a_sighting_or_a_video_is_split_off_and_joined_again(shell: Shell, what: str) -> None:
    (man, _) = shell.said("strangers")
    new = shell.said("strangers", "split", man["id"], what)["new_id"]
    by_id = {one["id"]: one["videos"] for one in shell.said("strangers")}
    assert by_id[man["id"]] == ["/v/1.mp4", "/v/3.mp4"]
    assert by_id[new] == ["/v/2.mp4"]
    assert shell.said("strangers", "join", man["id"], new)["sightings"] == 3
    assert len(shell.said("strangers")) == 2


def test_a_wrong_join_is_taken_back_by_the_command_that_it_prints(shell: Shell) -> None:
    man, woman = shell.said("strangers")
    before = sorted(sorted(one["videos"]) for one in shell.said("strangers"))
    joined = shell.said("strangers", "join", woman["id"], man["id"])
    assert joined["sightings"] == len(man["videos"]) + len(woman["videos"]) > 3
    (all_,) = shell.said("strangers")
    words = shlex.split(joined["undo"])
    assert words[:6] == ["python", "-m", "tools", "strangers", "split", str(all_["id"])]
    shell.said(*words[3:])
    assert sorted(sorted(one["videos"]) for one in shell.said("strangers")) == before


def test_what_a_stranger_does_not_have_is_told(shell: Shell) -> None:
    (_, woman) = shell.said("strangers")
    for arguments, said in (
        (("split", woman["id"], "9.9"), "no video and no sighting 9.9"),
        (("split", woman["id"], "/v/1.mp4"), "all that stranger"),
        (("name", 99, "Grace Hopper"), "There is no stranger 99"),
        (("join", woman["id"], woman["id"]), "cannot be joined with itself"),
    ):
        refused = shell.run("strangers", *arguments)
        assert refused.exit_code != 0
        assert said in refused.stderr


def test_everyone_unknown_is_forgotten_when_that_is_asked(shell: Shell) -> None:
    assert len(shell.said("strangers")) == 2  # which groups them
    asked = shell.run("forget", "--strangers", answer="n\n")
    assert asked.exit_code == 1
    assert "(2 strangers so far) for good? To name them later, the videos have" in asked.stderr
    assert shell.said("forget", "--strangers", "--yes")["sightings"] == 4
    assert shell.said("strangers") == []
    for arguments in ((), ("Grace Hopper", "--strangers")):
        refused = shell.run("forget", *arguments)
        assert (refused.exit_code, "Say whom" in refused.stderr) == (2, True)


def test_a_scan_erases_those_kept_for_longer_than_their_days(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(
        "function.library.forgetting.forget_old_strangers", lambda _, days: asked.append(days) or 4
    )
    (tmp_path / "empty").mkdir()
    scanned = shell.run("scan", tmp_path / "empty", "--strangers", "90d")
    assert (scanned.exit_code, asked) == (0, [90])
    assert "4 unknown people were erased, as 90d says" in scanned.stderr
    shell.environment["STRANGERS"] = "keep"
    assert shell.run("scan", tmp_path / "empty").exit_code == 0
    assert asked == [90]
    assert shell.run("scan", tmp_path / "empty", "--strangers", "soon").exit_code == 1


def test_a_namesake_in_other_letters_takes_nobodys_name(shell: Shell) -> None:
    man, woman = shell.said("strangers")
    shell.said("strangers", "name", man["id"], "Grace Hopper")
    shell.said("strangers", "name", woman["id"], "grace hopper", "--new")
    assert len(shell.said("results", "--performer", "Grace Hopper")) == 3
    assert len(shell.said("results", "--performer", "grace hopper")) == 1
    assert "may be any of" in shell.run("results", "--performer", "GRACE HOPPER").stderr


def test_taking_a_name_back_takes_the_face_that_came_with_it(shell: Shell) -> None:
    man, _ = shell.said("strangers")
    number = shell.library.enrol("Grace Hopper", shell.library.crowd.person())
    shell.said("strangers", "name", man["id"], "Grace Hopper", "--yes")
    with shell.library.store.gallery() as gallery:
        assert gallery.thumbnail(number)
    shell.said("strangers", "unname", "Grace Hopper")
    with shell.library.store.gallery() as gallery:
        assert gallery.performer(number).encodings == 3
        assert gallery.thumbnail(number) is None


@pytest.mark.parametrize(
    "arguments",
    [
        ("strangers", "name", 2**64, "X"),
        ("strangers", "ignore", 2**64),
        ("strangers", "split", 2**64, "1.0"),
        ("strangers", "join", 1, 2**64),
        ("decisions", "--undo", 2**64),
    ],
)
def test_a_number_that_no_store_can_hold_is_refused(
    shell: Shell, arguments: tuple[object, ...]
) -> None:
    result = shell.run(*arguments)
    assert result.exit_code == 2, result.output
    assert "is not in the range" in result.stderr
