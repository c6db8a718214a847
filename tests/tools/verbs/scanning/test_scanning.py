"""`scan` as a user types it."""

import json
import os
import shutil
import sqlite3
import unicodedata
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tqdm import tqdm

from db.sqlite.ledger import SqliteLedger
from function.library import finding, offering
from function.library.jobs import note_worker_roots
from tests.support.scans import (
    SquaresReader,
    names_in,
    read,
    write_album,
    write_many,
    write_squares,
)
from tools.cli import main
from tools.library import looking


def test_a_scan_says_what_it_did_and_the_next_one_has_nothing_to_do(
    run: Any, media: Path, quick: SquaresReader
) -> None:
    library = {"queued": 0, "working": 0, "done": 3, "failed": 0, "gone": 0}
    assert read(run("scan", "--strangers", "keep", media)) == {
        "scanned": 3,
        "albums_scanned": 0,
        "failed": 0,
        "albums_failed": 0,
        "faces": 6,
        "people": 6,
        "named": 0,
        "strangers_left_out": 0,
        "unreadable": 0,
        "library": library,
        "library_albums": dict.fromkeys(library, 0),
    }
    again = read(run("scan", media))
    assert (again["scanned"], again["library"]) == (0, library)
    assert len(quick.read) == 3


def test_without_a_choice_strangers_are_not_kept_and_that_is_said(run: Any, media: Path) -> None:
    result = run("scan", media)
    assert read(result)["strangers_left_out"] == 6
    assert "Found people you did not enrol, and kept nothing of them: 6." in result.stderr
    assert [one["people"] for one in read(run("results"))] == [[], [], []]


def test_the_choice_is_remembered(run: Any, media: Path) -> None:
    run("scan", "--strangers", "keep", media / "00.mp4")
    run("scan", media)
    assert [len(one["people"]) for one in read(run("results"))] == [2, 2, 2]


def test_some_videos_that_fail_make_the_exit_status_3(run: Any, media: Path) -> None:
    (media / "text.mp4").write_text("no video")
    (media / "dangling.mp4").symlink_to("nowhere")
    os.mkfifo(media / "pipe.mp4")
    (media / "gone").symlink_to(media / "gone")
    result = run("scan", media, exit_code=3)
    assert (read(result)["failed"], read(result)["unreadable"]) == (1, 0)
    assert f"failed: {media}/text.mp4: text.mp4 was found, but" in result.stderr
    assert run("scan", media).exit_code == 0, "what is no video is no error each time"


def test_text_that_is_named_like_a_video_is_no_video_that_failed(run: Any, media: Path) -> None:
    (media / "types.d.ts").write_text("export {}\n")
    result = run("scan", media)
    assert (read(result)["scanned"], read(result)["failed"]) == (3, 0)
    told = f"named like videos but hold text: 1, such as {media}/types.d.ts"
    assert told in result.stderr


def test_a_disk_that_is_not_there_is_told_and_nothing_is_gone(run: Any, media: Path) -> None:
    run("scan", media)
    files = {one: one.read_bytes() for one in media.iterdir()}
    for file in files:
        file.unlink()
    result = run("scan", media, exit_code=3)
    assert f"cannot be read: {media}: 3 videos that were scanned there are missing" in result.stderr
    assert (read(result)["unreadable"], read(result)["library"]["gone"]) == (1, 0)
    assert read(run("scan", "--gone", media))["library"]["gone"] == 3
    assert {one["path"] for one in read(run("results", media))} == set(map(str, files))
    for file, content in files.items():
        file.write_bytes(content)
    report = read(run("scan", media))
    assert (report["scanned"], report["library"]["done"]) == (0, 3)


def test_videos_are_scanned_again_on_request_as_deeply_as_before(
    run: Any, media: Path, tmp_path: Path
) -> None:
    run("scan", "--strangers", "off", "--depth", "deep", media / "00.mp4")
    assert read(run("scan", media))["strangers_left_out"] == 4
    assert read(run("scan", "--strangers", "keep", "--again", "--dry-run", media))["to_scan"] == 3
    report = read(run("scan", "--strangers", "keep", "--again", media))
    assert (report["scanned"], report["strangers_left_out"]) == (3, 0)
    with SqliteLedger(tmp_path / "l.db") as ledger:
        depths = [one.scanned.depth for one in ledger.videos() if one.scanned]
    assert depths == ["deep", "normal", "normal"]


def test_a_video_is_found_through_links_to_its_folder(
    run: Any, media: Path, tmp_path: Path
) -> None:
    (tmp_path / "real").mkdir()
    write_squares(tmp_path / "real" / "linked.mp4", 7)
    (media / "link").symlink_to(tmp_path / "real")
    (tmp_path / "other").symlink_to(media)
    run("scan", "--strangers", "keep", media)
    for path in ("media/link/linked.mp4", "other/link/linked.mp4", "real/linked.mp4"):
        assert read(run("decide", tmp_path / path, 0, "--ignore"))["decision"]
    for place in ("media/link", "other/link", "real"):
        assert list(names_in(read(run("results", tmp_path / place)))) == ["linked.mp4"]


def test_a_name_that_is_no_text_is_told_as_one(run: Any, media: Path) -> None:
    run("scan", media)
    odd = os.fsdecode(b"\xff\n.mp4")
    assert r"\xff\n.mp4 is not there" in run("decide", odd, 0, "--ignore", exit_code=1).stderr
    new = media / "new.mp4"
    new.write_bytes(b"new")
    assert (
        "was not scanned, or was changed" in run("decide", new, 0, "--ignore", exit_code=1).stderr
    )


def test_a_vanished_file_is_found_by_its_name_as_it_is_printed(
    run: Any, media: Path, tmp_path: Path
) -> None:
    odd = tmp_path / os.fsdecode(b"old \x80disc")
    odd.mkdir()
    for number, name in enumerate((b"gone \xe9\n.mp4", b"there.mp4")):
        write_squares(odd / os.fsdecode(name), 7 + number)
    run("scan", "--strangers", "keep", media, odd)
    (odd / os.fsdecode(b"gone \xe9\n.mp4")).unlink()
    run("scan", "--gone", media, odd)
    shown = tmp_path / r"old \x80disc"
    assert list(names_in(read(run("results", shown / r"gone \xe9\n.mp4")))) == ["gone \\xe9\n.mp4"]
    assert len(read(run("results", shown))) == 2
    assert read(run("decide", shown / r"gone \xe9\n.mp4", 0, "--ignore"))["decision"]
    assert read(run("decisions"))[0]["path"].endswith("gone \\xe9\n.mp4")


def test_a_damaged_decision_is_listed_and_dropped_and_a_sound_one_only_taken_back(
    run: Any, media: Path, tmp_path: Path
) -> None:
    run("scan", "--strangers", "keep", media)
    paths = [one["path"] for one in read(run("results"))[:2]]
    first, second = (read(run("decide", path, 0, "--ignore"))["decision"] for path in paths)
    with closing(sqlite3.connect(tmp_path / "l.db")) as raw, raw:
        raw.execute("UPDATE decisions SET template = x'00', spans = '?' WHERE id = ?", (first,))
    listed = {one["id"]: one for one in read(run("decisions"))}
    assert (listed[first]["damaged"], listed[second]["damaged"]) == (["spans", "template"], [])
    assert (listed[first]["kind"], listed[first]["person"]) == ("ignored", None)
    both = run("decisions", "--undo", first, "--drop", first, exit_code=2)
    assert "Give one of" in both.stderr
    refused = run("decisions", "--drop", second, exit_code=1)
    assert f"decisions --undo {second}" in refused.stderr
    assert read(run("decisions", "--drop", first)) == {"dropped": first}
    assert [one["id"] for one in read(run("decisions"))] == [second]
    assert "There is no decision" in run("decisions", "--drop", first, exit_code=1).stderr


@pytest.mark.parametrize("option", ["--undo", "--drop"])
def test_a_number_that_no_decision_can_have_is_told(run: Any, media: Path, option: str) -> None:
    run("scan", media)
    assert "There is no decision" in run("decisions", option, 2**63 - 1, exit_code=1).stderr


def test_failed_videos_are_tried_again_only_on_request(
    run: Any, media: Path, quick: SquaresReader
) -> None:
    quick.crashing = frozenset(["01.mp4"])
    result = run("scan", media, exit_code=3)
    assert read(result)["failed"] == 1
    assert result.stderr.count("It will be tried again.") == 2
    assert read(run("scan", media))["failed"] == 0
    quick.crashing = frozenset()
    assert read(run("scan", media))["scanned"] == 0
    assert read(run("scan", "--retry", media))["scanned"] == 1


def test_a_limit_leaves_the_rest_for_the_next_scan(run: Any, media: Path) -> None:
    for left in (2, 1, 0):
        report = read(run("scan", "--limit", "1", media))
        assert (report["scanned"], report["library"]["queued"]) == (1, left)


def test_a_deeper_scan_takes_those_again_that_were_scanned_less_deeply(
    run: Any, media: Path
) -> None:
    run("scan", "--limit", "1", media)
    assert read(run("scan", "--depth", "deep", "--limit", "2", media))["scanned"] == 2
    assert read(run("scan", "--depth", "deep", media))["scanned"] == 1
    assert {one["depth"] for one in read(run("results"))} == {"deep"}
    assert read(run("scan", media))["scanned"] == 0


def test_a_dry_run_scans_nothing_and_queues_nothing_again(
    run: Any, media: Path, quick: SquaresReader
) -> None:
    assert read(run("scan", "--dry-run", media))["to_scan"] == 3
    assert quick.read == []
    assert not list(media.parent.glob("l.db*"))
    quick.crashing = frozenset(["01.mp4"])
    run("scan", media, exit_code=3)
    for options, count in (([], 0), (["--retry"], 1), (["--depth", "deep"], 2)):
        report = read(run("scan", "--dry-run", *options, media))
        assert report["to_scan"] == count
        assert (report["library"]["done"], report["library"]["failed"]) == (2, 1)


def test_a_dry_run_says_that_there_is_no_library_or_why_none_can_be_made(
    run: Any, media: Path, tmp_path: Path
) -> None:
    told = run("scan", "--dry-run", media)
    assert f"There is no library {tmp_path / 'l.db'} yet: a scan makes it." in told.stderr
    elsewhere = ("--library", tmp_path / "no" / "l.db")
    told = run("scan", *elsewhere, "--dry-run", media, exit_code=1)
    assert "none can be made there" in told.stderr
    assert told.stdout == ""
    run("scan", "--limit", 1, media)
    assert "no library" not in run("scan", "--dry-run", media).stderr


@pytest.mark.parametrize("options", [(), ("--dry-run",), ("--gone",), ("--gone", "--dry-run")])
def test_a_place_that_is_not_there_is_told_of_a_library_that_is_not_there_either(
    run: Any, media: Path, options: tuple[str, ...]
) -> None:
    told = run("scan", *options, media / "nowhere", exit_code=2).stderr
    assert f"There is no {media / 'nowhere'}. There is no library yet" in told
    run("scan", "--limit", 1, media)
    told = run("scan", *options, media / "nowhere", exit_code=2).stderr
    assert "The library knows no file there" in told


def test_a_dry_run_counts_no_file_that_was_only_moved_or_copied(run: Any, media: Path) -> None:
    run("scan", "--limit", "1", media)
    moved = media.with_name("moved")
    shutil.copytree(media, moved)
    assert read(run("scan", "--dry-run", moved))["to_scan"] == 2
    assert read(run("scan", "--dry-run", "--again", moved))["to_scan"] == 3
    run("scan", media)
    assert read(run("scan", "--dry-run", moved))["to_scan"] == 0
    assert read(run("scan", moved))["scanned"] == 0


def test_what_is_gone_moved_or_back_is_noticed(run: Any, media: Path, tmp_path: Path) -> None:
    run("scan", media)
    (media / "00.mp4").rename(media / "renamed.mp4")
    (media / "01.mp4").rename(tmp_path / "away.mp4")
    report = read(run("scan", media))
    assert (report["scanned"], report["library"]["gone"]) == (0, 1)
    assert [one["path"] for one in read(run("results", "--state", "done"))] == [
        f"{media}/02.mp4",
        f"{media}/renamed.mp4",
    ]
    (tmp_path / "away.mp4").rename(media / "01.mp4")
    assert read(run("scan", media))["library"]["gone"] == 0


def test_a_place_that_is_no_more_is_gone_only_if_that_is_said(run: Any, media: Path) -> None:
    refused = run("scan", media / "none", exit_code=2)
    assert f"There is no {media}/none. There is no library yet" in refused.stderr
    assert not list(media.parent.glob("l.db*"))
    run("scan", media)
    away = media.rename(media.with_name("away"))
    refused = run("scan", media, exit_code=2)
    assert "knows 3 files there. If a disk is missing, connect it." in refused.stderr
    assert "--gone" in refused.stderr
    run("scan", "--gone", media, media / "none", exit_code=2)
    assert [one["state"] for one in read(run("results"))] == ["done"] * 3
    other = media.with_name("other")
    write_many(other, 4)
    (other / "03.mp4").rename(media.with_name("new.mp4"))
    noted = run("scan", "--gone", media, media.with_name("new.mp4"))
    assert (read(noted)["scanned"], read(noted)["library"]["gone"]) == (1, 3)
    assert f"3 files noted as gone: {media} is not there." in noted.stderr
    assert run("scan", "--gone", media, exit_code=2).stderr.count("or only as gone") == 1
    away.rename(media)
    back = read(run("scan", media))
    assert (back["scanned"], back["library"]["gone"], back["library"]["done"]) == (0, 0, 4)


@pytest.mark.parametrize("address", ["tls://127.0.0.1:9", "tcp://192.0.2.1:9"])
def test_a_scan_that_cannot_begin_makes_no_library(
    run: Any, media: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDIA_ROOT", str(media))
    assert "tls" in run("scan", "--dask", address, media, exit_code=1).stderr
    assert not list(media.parent.glob("l.db*"))


def test_a_folder_without_videos_is_told_of(run: Any, media: Path) -> None:
    sets = media.with_name("sets")
    write_album(sets, {"1.png": 101})
    told = run("scan", sets).stderr
    assert "No video was found there" in told
    assert "Pictures and zip archives are found with --pictures." in told
    assert "No video was found" not in run("scan", "--pictures", sets).stderr
    assert "No video was found" not in run("scan", media).stderr
    assert "No video was found" not in run("scan", media).stderr


def test_a_single_file_or_a_name_that_is_no_text_may_be_gone(run: Any, media: Path) -> None:
    odd = media / os.fsdecode(b"odd \xe9")
    odd.mkdir()
    write_squares(odd / "new.mp4", 11, 12)
    run("scan", media)
    shutil.rmtree(odd)
    (media / "00.mp4").unlink()
    run("scan", "--gone", media / "00.mp4", media / r"odd \xe9")
    assert {one["path"] for one in read(run("results", "--state", "gone"))} == {
        *(f"{media}/00.mp4", rf"{media}/odd \xe9/new.mp4")
    }


def test_a_place_that_is_there_but_spelled_otherwise_is_scanned_and_not_taken_for_gone(
    run: Any, media: Path
) -> None:
    there = media / unicodedata.normalize("NFD", "été")
    write_many(there, 1)
    typed = media / unicodedata.normalize("NFC", "été")
    assert read(run("scan", "--gone", typed))["library"]["done"] == 1
    (there / "00.mp4").unlink()
    write_squares(there / "new.mp4", 11, 12)
    library = read(run("scan", "--gone", typed))["library"]
    assert (library["done"], library["gone"]) == (1, 1)


def test_a_place_that_is_no_more_need_not_be_in_the_media_root_of_a_server(
    run: Any, media: Path, tmp_path: Path
) -> None:
    old = media.with_name("old")
    old.mkdir()
    write_squares(old / "new.mp4", 11, 12)
    run("scan", media, old)
    shutil.rmtree(old)
    with closing(SqliteLedger(tmp_path / "l.db")) as ledger, ledger.working() as is_ours:
        assert is_ours
        note_worker_roots(ledger, [media])
        assert read(run("scan", "--gone", old))["library"]["gone"] == 1


def test_files_that_are_back_as_they_were_are_not_read_again(
    run: Any, media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("scan", media)
    there = tmp_path / "as the container sees them"
    media.rename(there)
    run("scan", there)
    read_again: list[bytes] = []
    real = finding.fingerprint_of

    def reading(path: bytes) -> str:
        read_again.append(path)
        return real(path)

    monkeypatch.setattr(finding, "fingerprint_of", reading)
    for one, other in ((media, there), (there, media)):
        other.rename(one)
        assert read(run("scan", "--dry-run", other.parent))["library"]["gone"] == 0
        read_again.clear()
        assert read(run("scan", one))["library"]["done"] == 3
        assert read_again == []
        paths = [video["path"] for video in read(run("results", "--state", "done"))]
        assert paths == [f"{one}/0{number}.mp4" for number in range(3)]
    (there / "00.mp4").rename(tmp_path / "away.mp4")
    run("scan", there)
    write_squares(there / "00.mp4", 7, 8, 9)
    run("scan", there)
    assert read_again == [bytes(there / "00.mp4")]


def test_progress_is_shown_while_files_are_found_and_noted(
    run: Any, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offering, "SEEN_AT_ONCE", 2)
    shown: list[tuple[str, int]] = []

    class Bar(tqdm):  # type: ignore[type-arg]
        def update(self, n: float | None = 1) -> bool | None:
            shown.append((self.desc, int(n or 0)))
            return super().update(n)

    monkeypatch.setattr(looking, "tqdm", Bar)
    run("scan", media)
    assert shown == [
        *[("Looking for videos", 1)] * 3,
        *[("Noting them", 2), ("Noting them", 1)],
        *[("Choosing what is to be scanned", 1)] * 3,
    ]


def test_videos_elsewhere_are_not_taken_for_gone(run: Any, media: Path, tmp_path: Path) -> None:
    run("scan", media)
    other = tmp_path / "media2"
    other.mkdir()
    assert read(run("scan", other))["library"] == read(run("scan", media))["library"]


def test_videos_below_a_link_that_leads_nowhere_now_are_not_taken_for_gone(
    run: Any, media: Path, tmp_path: Path
) -> None:
    run("scan", media)
    media.rename(tmp_path / "unplugged")
    texts = ["scan", "--library", str(tmp_path / "l.db"), "--db", str(tmp_path / "g.db")]
    result = CliRunner().invoke(main, texts, env={"MEDIA_ROOT": str(media)})
    assert result.exit_code == 3, result.output
    assert json.loads(result.stdout)["library"]["gone"] == 0


def test_a_gallery_that_is_missing_is_told_before_anything_is_looked_for(
    tmp_path: Path, media: Path
) -> None:
    texts = ["scan", "--library", tmp_path / "l.db", "--db", tmp_path / "none.db", media]
    result = CliRunner().invoke(main, [str(one) for one in texts])
    assert result.exit_code == 1
    assert "Error: There is no gallery none.db" in result.stderr
    named = f"It was looked for in {tmp_path}; name one elsewhere with --db or PERFORMERS_DB."
    assert named in result.stderr
    assert "Looking" not in result.stderr
    assert not list(tmp_path.glob("l.db*"))


@pytest.mark.parametrize(
    "words",
    [
        *("results", "rematch", "strangers", "decisions", "decisions --undo 1", "jobs"),
        *("jobs pause", "decide a.mp4 0 --ignore", "forget --strangers --yes"),
        "evaluate --from-stash",
    ],
)
def test_a_library_that_is_missing_is_not_made_by_asking_it(
    run: Any, tmp_path: Path, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STASH_URL", "http://127.0.0.1:9")
    told = run(*words.split(), exit_code=1).stderr
    assert "There is no library l.db. Make one: python -m tools scan FOLDER." in told
    assert f"It was looked for in {tmp_path}; name one elsewhere with --library or" in told
    assert not list(tmp_path.glob("l.db*"))


def test_a_gallery_is_not_taken_for_a_library(gallery: Path, media: Path) -> None:
    texts = ["scan", "--library", gallery, "--db", gallery, media]
    result = CliRunner().invoke(main, [str(one) for one in texts])
    assert result.exit_code == 1
    assert "g.db is an SQLite file, but not a library" in result.stderr


def test_albums_are_scanned_if_pictures_are_wanted_and_listed_picture_by_picture(
    run: Any, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_album(media / "set", {"1.png": 101, "2.png": 202})
    assert read(run("scan", "--strangers", "keep", media))["scanned"] == 3
    monkeypatch.setenv("SCAN_PICTURES", "on")
    assert read(run("scan", "--no-pictures", "--dry-run", media))["to_scan"] == 0
    dry = read(run("scan", "--dry-run", media))
    assert (dry["to_scan"], dry["albums_to_scan"]) == (0, 1)
    assert (dry["found"], dry["albums_found"]) == (3, 1)
    monkeypatch.delenv("SCAN_PICTURES")
    scanned = read(run("scan", "--pictures", media))
    assert (scanned["scanned"], scanned["albums_scanned"]) == (0, 1)
    assert (scanned["library"]["done"], scanned["library_albums"]["done"]) == (3, 1)
    again = read(run("scan", "--again", "--dry-run", media))
    assert (again["to_scan"], again["albums_to_scan"]) == (3, 1)
    assert read(run("scan", "--again", "--no-pictures", "--dry-run", media))["to_scan"] == 3
    (album,) = (one for one in read(run("results", media / "set")) if one["kind"] == "album")
    assert [one["name"] for one in album["pictures"]] == ["1.png", "2.png"]
    assert [one["pictures"] for one in album["people"]] == [[1], [2]]
    assert "picture 2" in run("results", "--table", media / "set").output
    number = album["people"][0]["person"]
    run("decide", media / "set", number, "--ignore")
    people = read(run("results", media / "set"))[0]["people"]
    assert {one["person"]: one["decided"] for one in people}[number] == "ignored"
