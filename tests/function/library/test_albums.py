"""Folders and archives of pictures are scanned as one item each, and always left for review."""

import os
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from db.records import Vector
from db.sqlite.ledger import SqliteLedger
from db.stores import open_store
from db.videos import AlbumPicture, VideoRecord
from function.errors import PhotoUnusableError, TimeLimitError
from function.faces.found import PictureFound
from function.library import albums
from function.library.albums import MOST_LATE, fingerprint_of, kind_at, kind_of, stamp_of_folder
from function.library.decisions import decide
from function.library.enrolment import enrol_stranger, new_from_library
from function.library.finding import find_ids, find_videos
from function.library.forgetting import forget_performer
from function.library.lists import to_csv, to_full_json, to_table
from function.library.naming import Naming, open_naming
from function.library.offering import find_within, note_missing, queue_videos
from function.library.rematching import rematch
from function.library.results import VideoResult, results_of
from function.library.scan_events import Done, Event
from function.library.strangers import describe, place_strangers
from function.media.files import MediaFile, open_any
from function.settings import Settings
from tests.support.ledgers import Clock, assert_whole, open_with
from tests.support.scans import (
    SquaresReader,
    enrol,
    failures,
    make_gallery,
    make_scanner,
    offer_all,
    picture_of,
    squares,
    write_album,
    write_squares,
)

ADA, BOB, CARL = 101, 202, 303


@pytest.fixture
def gallery(tmp_path: Path) -> Path:
    return make_gallery(tmp_path / "g.db")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqliteLedger]:
    with open_with(Clock(), tmp_path / "l.db") as opened:
        yield opened


@pytest.fixture
def media(tmp_path: Path) -> Path:
    """A folder with an album: Ada on pictures 1 and 10, Bob on 2, and what is no picture."""
    folder = tmp_path / "media" / "set"
    write_album(folder, {"10.png": ADA, "1.png": ADA, "2.png": BOB, ".hidden.png": CARL})
    (folder / "3.jpg").write_bytes(b"no picture")
    (folder / "notes.txt").write_text("notes")
    return tmp_path / "media"


def pack(path: Path, *pictures: int, **others: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for number, seed in enumerate(pictures, 1):
            archive.writestr(f"{number}.png", picture_of(seed))
        for name, content in others.items():
            archive.writestr(name.replace("_", "."), content)
    return path


def scan(
    ledger: SqliteLedger, gallery: Path, *places: Path, reader: SquaresReader | None = None
) -> list[Event]:
    offer_all(ledger, *places, pictures=True)
    return list(make_scanner(ledger, gallery, reader).scan_all())


def naming_of(gallery: Path) -> Naming:
    return open_naming(open_store(gallery), None, Settings(second_encoder="off"))


def results(ledger: SqliteLedger, gallery: Path) -> list[VideoResult]:
    performers = {one.id: one for one in naming_of(gallery).gallery.performers}
    return list(results_of(ledger, ledger.iterate(), performers, each_picture=True))


def look_of(ledger: SqliteLedger, video: int, picture: int) -> Vector:
    """The encoding of whoever is on a picture, counted from 1."""
    (person,) = (
        one.person
        for one in ledger.sightings([video])[video]
        if picture - 1 in {seen.frame for seen in one.person.seen}
    )
    return person.views[0].encodings[0]


def verdicts(ledger: SqliteLedger, video: int) -> list[str]:
    return sorted(one.verdict for one in ledger.outcomes([video])[video])


def test_a_folder_of_pictures_has_a_result_for_each_and_for_the_whole(
    ledger: SqliteLedger, gallery: Path, media: Path, tmp_path: Path
) -> None:
    (done,) = (one for one in scan(ledger, gallery, media) if isinstance(one, Done))
    assert (done.faces, done.people, done.named) == (3, 2, 0)
    (result,) = results(ledger, gallery)
    assert (result.video.kind, result.video.pictures) == ("album", 4)
    assert [one.pictures for one in result.people] == [(1, 4), (2,)]
    assert [one.appearances for one in result.people] == [(), ()]
    assert [(one.number, one.name, [face.person for face in one.faces]) for one in result.pictures]
    ada, bob = (one.position for one in result.people)
    assert [(one.name, [face.person for face in one.faces]) for one in result.pictures] == [
        ("1.png", [ada]),
        ("2.png", [bob]),
        ("3.jpg", []),
        ("10.png", [ada]),
    ]
    assert [one.reason for one in result.pictures if one.reason] == [
        "unreadable: not a picture, or of a rare kind"
    ]
    assert tuple(result.pictures[0].faces[0].area) == (0, 0, 1, 1)
    assert_whole(tmp_path / "l.db")
    assert scan(ledger, gallery, media) == []


def test_an_archive_of_pictures_is_an_album_and_what_it_lacks_is_listed(
    ledger: SqliteLedger, gallery: Path, tmp_path: Path
) -> None:
    (tmp_path / "media").mkdir()
    pack(tmp_path / "media" / "a.cbz", ADA, BOB, inner_zip=b"PK", notes_txt=b"notes")
    scan(ledger, gallery, tmp_path / "media")
    (result,) = results(ledger, gallery)
    assert [(one.name, len(one.faces), one.reason) for one in result.pictures] == [
        ("1.png", 1, ""),
        ("2.png", 1, ""),
        ("inner.zip", 0, "an archive within an archive"),
        ("notes.txt", 0, "not a picture"),
    ]
    assert result.video.pictures == 2


def test_a_match_in_an_album_is_for_review_until_it_is_confirmed(
    ledger: SqliteLedger, gallery: Path, media: Path
) -> None:
    write_squares(media / "film.mp4", ADA)
    scan(ledger, gallery, media)
    by_kind = {one.kind: one.id for one in ledger.iterate()}
    ada = enrol(gallery, "Ada", look_of(ledger, by_kind["album"], 1))
    list(rematch(ledger, naming_of(gallery)))
    assert verdicts(ledger, by_kind["video"]) == ["match"]
    assert verdicts(ledger, by_kind["album"]) == ["uncertain", "unknown"]
    assert [video for video, _ in ledger.uncertain()] == [by_kind["album"]]
    before = ledger.outcomes([by_kind["album"]])
    ledger.want_again([by_kind["album"]], "deep")
    scan(ledger, gallery, media)
    assert ledger.outcomes([by_kind["album"]]) == before
    ((album, position),) = ledger.uncertain()
    decide(ledger, naming_of(gallery).gallery, (album, position), "confirmed", ada)
    list(rematch(ledger, naming_of(gallery)))
    assert verdicts(ledger, album) == ["match", "unknown"]


def test_forgetting_somebody_leaves_neither_their_faces_nor_where_they_were(
    ledger: SqliteLedger, gallery: Path, media: Path, tmp_path: Path
) -> None:
    scan(ledger, gallery, media)
    vector = look_of(ledger, 1, 1)
    picture = next(
        one.person.picture for one in ledger.sightings([1])[1] if len(one.person.seen) == 2
    )
    ada = enrol(gallery, "Ada", vector)
    list(rematch(ledger, naming_of(gallery)))
    assert forget_performer(open_store(gallery), ledger, ada.id) == 1
    (result,) = results(ledger, gallery)
    assert [[face.person for face in one.faces] for one in result.pictures] == [
        [],
        [result.people[0].position],
        [],
        [],
    ]
    ledger.want_again([1], "deep")
    scan(ledger, gallery, media)
    assert [one.pictures for one in results(ledger, gallery)[0].people] == [(2,)]
    ledger.close()
    left = b"".join(one.read_bytes() for one in tmp_path.glob("*.db*"))
    assert vector.tobytes() not in left
    assert picture[-200:] not in left


def forget_whoever_is_on(ledger: SqliteLedger, gallery: Path, album: int, picture: int) -> None:
    """Enrol somebody by what a picture shows, counted from 1, and forget them."""
    performer = enrol(gallery, "Ada", look_of(ledger, album, picture))
    list(rematch(ledger, naming_of(gallery)))
    assert forget_performer(open_store(gallery), ledger, performer.id) == 1


def rewrite(album: Path, pictures: dict[str, int]) -> None:
    """Give an album, a folder or an archive, other pictures in place of all it had."""
    if album.suffix:
        with zipfile.ZipFile(album, "w") as archive:
            for name, seed in pictures.items():
                archive.writestr(name, picture_of(seed))
    else:
        shutil.rmtree(album, ignore_errors=True)
        write_album(album, pictures)


@pytest.mark.parametrize("name", ["album", "album.zip"])
@pytest.mark.parametrize(
    "changed",
    [
        {"0.png": CARL, "1.png": ADA, "2.png": BOB, "3.png": ADA},
        {"1.png": CARL, "2.png": ADA, "3.png": BOB, "4.png": ADA},
        {"b.png": BOB, "c.png": CARL, "x.png": ADA, "y.png": ADA},
        {"3.png": ADA, "4.png": CARL, "5.png": BOB},
    ],
    ids=["one in front", "renumbered", "renamed", "one gone"],
)
def test_whoever_was_forgotten_stays_so_when_an_album_changes(
    ledger: SqliteLedger, gallery: Path, tmp_path: Path, name: str, changed: dict[str, int]
) -> None:
    album = tmp_path / name
    rewrite(album, {"1.png": ADA, "2.png": BOB, "3.png": ADA})
    scan(ledger, gallery, album.parent)
    forget_whoever_is_on(ledger, gallery, 1, 1)
    rewrite(album, changed)
    scan(ledger, gallery, album.parent)
    (found,) = (one for one in results(ledger, gallery) if one.video.paths)
    names = [one.name for one in found.pictures if one.faces]
    assert names == [name for name, seed in changed.items() if seed != ADA]
    rewrite(album, changed | {"01.png": 404})
    offer_all(ledger, album.parent, pictures=True)
    rewrite(album, changed | {"00.png": 404})
    scan(ledger, gallery, album.parent)
    (found,) = (one for one in results(ledger, gallery) if one.video.paths)
    assert sorted(one.name for one in found.pictures if one.faces) == sorted(["00.png", *names])


def test_whoever_was_forgotten_stays_so_where_their_picture_is_edited(
    ledger: SqliteLedger, gallery: Path, media: Path
) -> None:
    scan(ledger, gallery, media)
    forget_whoever_is_on(ledger, gallery, 1, 1)
    for name in ("1.png", "10.png"):
        with (media / "set" / name).open("ab") as picture:
            picture.write(b"more")
    write_album(media / "set", {"0.png": CARL})
    scan(ledger, gallery, media)
    (found,) = (one for one in results(ledger, gallery) if one.video.paths)
    assert [one.name for one in found.pictures if one.faces] == ["0.png", "2.png"]


def test_whoever_is_forgotten_between_a_change_and_its_scan_stays_so(
    ledger: SqliteLedger, gallery: Path, media: Path
) -> None:
    scan(ledger, gallery, media)
    for number in (4, 5):
        write_album(media / "set", {f"0{number}.png": CARL})
        offer_all(ledger, media, pictures=True)
    forget_whoever_is_on(ledger, gallery, 1, 1)
    scan(ledger, gallery, media)
    (found,) = (one for one in results(ledger, gallery) if one.video.paths)
    assert [one.name for one in found.pictures if one.faces] == ["2.png", "04.png", "05.png"]


def test_whoever_was_forgotten_stays_so_when_the_scan_of_a_changed_album_was_cancelled(
    ledger: SqliteLedger, gallery: Path, media: Path
) -> None:
    scan(ledger, gallery, media)
    forget_whoever_is_on(ledger, gallery, 1, 1)
    write_album(media / "set", {"0.png": CARL})
    offer_all(ledger, media, pictures=True)
    assert ledger.empty_queue() == 1
    assert [(one.id, one.paths) for one in ledger.iterate()] == [(1, (bytes(media / "set"),))]
    scan(ledger, gallery, media)
    (found,) = (one for one in results(ledger, gallery) if one.video.paths)
    assert [one.name for one in found.pictures if one.faces] == ["0.png", "2.png"]


def test_where_somebody_was_forgotten_goes_with_the_picture(
    ledger: SqliteLedger, gallery: Path, media: Path
) -> None:
    scan(ledger, gallery, media)
    forget_whoever_is_on(ledger, gallery, 1, 1)
    assert ledger.forgotten_spans(1) == [(0.0, 0.0), (3.0, 3.0)]
    (media / "set" / "1.png").unlink()
    scan(ledger, gallery, media)
    assert ledger.forgotten_spans(2) == [(2.0, 2.0)]
    assert ledger.forgotten_spans(1) == [(0.0, 0.0), (3.0, 3.0)], "it may come back"


def test_a_decision_follows_the_pictures_of_an_album(
    ledger: SqliteLedger, gallery: Path, media: Path
) -> None:
    scan(ledger, gallery, media)
    ((bob, _),) = (
        (one.position, one) for one in ledger.sightings([1])[1] if len(one.person.seen) == 1
    )
    decide(ledger, naming_of(gallery).gallery, (1, bob), "ignored")
    write_album(media / "set", {"0.png": CARL})
    scan(ledger, gallery, media)
    (decision,) = ledger.decisions([2])[2]
    assert decision.spans == ((2.0, 2.0),)
    assert [one.decided for one in results(ledger, gallery)[-1].people if one.pictures == (3,)] == [
        "ignored"
    ]


def test_an_album_that_was_not_scanned_since_it_changed_lists_no_pictures(
    ledger: SqliteLedger, gallery: Path, media: Path
) -> None:
    scan(ledger, gallery, media)
    write_album(media / "set", {"0.png": CARL})
    offer_all(ledger, media, pictures=True)
    assert len(ledger.pictures([1, 2])[1]) == 4
    assert ledger.pictures([1, 2])[2] == []


def test_a_moved_album_is_recognised_and_a_changed_one_is_scanned_again(
    ledger: SqliteLedger, gallery: Path, media: Path
) -> None:
    scan(ledger, gallery, media)
    shutil.move(media / "set", media / "moved")
    assert find_ids(ledger, media / "moved") == {1}
    assert scan(ledger, gallery, media) == []
    (record,) = ledger.iterate()
    assert bytes(media / "moved") in record.paths
    write_album(media / "moved", {"11.png": CARL})
    (done,) = (one for one in scan(ledger, gallery, media) if isinstance(one, Done))
    assert (done.faces, done.people) == (4, 3)


def test_a_renamed_picture_makes_the_album_another(media: Path) -> None:
    folder = bytes(media / "set")
    before = fingerprint_of(folder)
    os.utime(media / "set" / "1.png")
    assert fingerprint_of(folder) == before
    (media / "set" / "1.png").rename(media / "set" / "4.png")
    assert fingerprint_of(folder) != before


def test_what_is_written_into_a_picture_is_noticed(media: Path) -> None:
    folder = bytes(media / "set")
    before = stamp_of_folder(folder), fingerprint_of(folder)
    picture = media / "set" / "1.png"
    content = picture.read_bytes()
    picture.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    os.utime(picture, ns=(1, before[0].mtime_ns + 1))
    assert stamp_of_folder(folder) != before[0]
    assert fingerprint_of(folder) != before[1]


def test_albums_are_found_only_if_they_are_wanted_and_files_also_if_they_are_named(
    media: Path,
) -> None:
    archive = pack(media / "a.zip", ADA)
    write_squares(media / "film.mp4", ADA)

    def found(*places: Path, pictures: bool = False) -> dict[str, str]:
        files = find_videos(places, {}, pictures=pictures).files
        return {Path(os.fsdecode(one.path)).name: one.kind for one in files}

    assert found(media) == {"film.mp4": "video"}
    assert found(media, pictures=True) == {"film.mp4": "video", "a.zip": "album", "set": "album"}
    assert found(archive, media / "set" / "1.png") == {"a.zip": "album", "1.png": "album"}
    assert found(media / "set") == {}


def test_a_gif_that_is_named_is_a_film_and_one_in_a_folder_a_picture(tmp_path: Path) -> None:
    assert kind_of(b"/v/a.gif") == "video"
    (tmp_path / "a.gif").write_bytes(b"GIF89a")
    (found,) = find_videos([tmp_path], {}, pictures=True).files
    assert (found.path, found.kind) == (bytes(tmp_path), "album")


def write_png(path: Path, *seeds: int) -> Path:
    """Write a PNG that shows one person after the other, a still one if there is one."""
    first, *others = (Image.fromarray(squares(seed)) for seed in seeds)
    first.save(path, "PNG", save_all=bool(others), append_images=others, duration=500)
    return path


def test_an_apng_that_is_named_is_a_film_only_if_it_moves(
    ledger: SqliteLedger, gallery: Path, tmp_path: Path
) -> None:
    still = write_png(tmp_path / "still.apng", ADA)
    moving = write_png(tmp_path / "moving.apng", ADA, BOB)
    assert (kind_at(bytes(still)), kind_at(bytes(moving))) == ("album", "video")
    assert failures(scan(ledger, gallery, still, moving)) == []
    found = {one.video.kind: len(one.people) for one in results(ledger, gallery)}
    assert found == {"album": 1, "video": 2}


@pytest.mark.parametrize("is_picture", [True, False])
def test_what_failed_under_the_name_of_another_kind_is_scanned_once_it_is_renamed(
    ledger: SqliteLedger, gallery: Path, tmp_path: Path, *, is_picture: bool
) -> None:
    wrong, right = (tmp_path / name for name in ("x.mp4", "x.png"))
    if is_picture:
        wrong.write_bytes(picture_of(ADA))
    else:
        shutil.move(write_squares(tmp_path / "film.mp4", ADA), right)
        wrong, right = right, wrong
    ((_, reason, _),) = failures(scan(ledger, gallery, wrong))
    assert ("Rename it" in reason) == is_picture
    wrong.rename(right)
    (done,) = (one for one in scan(ledger, gallery, right) if isinstance(one, Done))
    assert (done.path, done.faces > 0) == (bytes(right), True)
    (record,) = ledger.iterate()
    assert record.kind == ("album" if is_picture else "video")


def test_what_has_names_of_both_kinds_stays_what_it_is(
    ledger: SqliteLedger, gallery: Path, tmp_path: Path
) -> None:
    (tmp_path / "x.mp4").write_bytes(b"damaged" * 1000)
    assert len(failures(scan(ledger, gallery, tmp_path / "x.mp4"))) == 1
    shutil.copy(tmp_path / "x.mp4", tmp_path / "x.png")
    assert scan(ledger, gallery, tmp_path / "x.png") == []
    assert [(one.kind, one.state) for one in ledger.iterate()] == [("video", "failed")]


def test_a_single_picture_is_an_album_of_one(
    ledger: SqliteLedger, gallery: Path, media: Path
) -> None:
    scan(ledger, gallery, media / "set" / "1.png")
    (result,) = results(ledger, gallery)
    assert [(one.name, len(one.faces)) for one in result.pictures] == [("1.png", 1)]
    assert to_full_json(result)["path"].endswith("set/1.png")


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"a.zip": b"no archive"}, "a.zip cannot be read as a zip archive"),
        ({"set/1.jpg": b"x", "set/2.jpg": b"y"}, "set: None of its 2 pictures can be used (1.jpg:"),
        ({"a.png": b"x"}, "It cannot be used (unreadable"),
    ],
)
def test_an_album_of_which_nothing_can_be_used_fails_with_the_reason(
    ledger: SqliteLedger, gallery: Path, tmp_path: Path, files: dict[str, bytes], reason: str
) -> None:
    for name, content in files.items():
        path = tmp_path / "media" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    ((_, said, for_good),) = failures(scan(ledger, gallery, tmp_path / "media"))
    assert reason in said
    assert for_good


def test_an_archive_without_pictures_fails_with_the_reason(
    ledger: SqliteLedger, gallery: Path, tmp_path: Path
) -> None:
    pack(tmp_path / "a.zip", notes_txt=b"notes")
    ((_, reason, _),) = failures(scan(ledger, gallery, tmp_path / "a.zip"))
    assert reason == "a.zip holds no picture that could be read."


class _Ending(SquaresReader):
    """Ends with an error on some pictures, by name."""

    def __init__(self, errors: dict[str, Exception]) -> None:
        super().__init__()
        self.errors = errors

    def find_in_picture(self, media: MediaFile, place: int | None = None) -> PictureFound:
        if media.name in self.errors:
            raise self.errors[media.name]
        return super().find_in_picture(media, place)


def test_a_picture_that_crashes_or_hangs_costs_only_itself(
    ledger: SqliteLedger, gallery: Path, media: Path
) -> None:
    reader = _Ending(
        {
            "1.png": PhotoUnusableError(
                "1.png: unreadable: 1.png crashed the process that read it."
            ),
            "2.png": TimeLimitError("2.png took longer than 60 s."),
        }
    )
    scan(ledger, gallery, media, reader=reader)
    (result,) = results(ledger, gallery)
    assert [one.reason for one in result.pictures] == [
        "unreadable: 1.png crashed the process that read it",
        "2.png took longer than 60 s.",
        "unreadable: not a picture, or of a rare kind",
        "",
    ]
    assert [one.pictures for one in result.people] == [(4,)]


def test_an_album_of_pictures_that_hang_is_given_up(
    ledger: SqliteLedger, gallery: Path, tmp_path: Path
) -> None:
    names = [f"{number}.png" for number in range(MOST_LATE + 5)]
    write_album(tmp_path / "set", dict.fromkeys(names, ADA))
    reader = _Ending(dict.fromkeys(names[1:], TimeLimitError("It took too long.")))
    ((_, reason, _),) = failures(scan(ledger, gallery, tmp_path / "set", reader=reader))
    assert reason == f"{MOST_LATE} pictures of set took too long."


def test_more_faces_than_are_kept_are_said(
    ledger: SqliteLedger, gallery: Path, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(albums, "MOST_FACES", 2)
    scan(ledger, gallery, media)
    *_, last = results(ledger, gallery)[0].pictures
    assert last.reason == "the album shows more than 2 faces"


def test_larger_faces_than_are_kept_are_said(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = SquaresReader()
    with open_any(media / "set" / "1.png") as first:
        (face,) = reader.find_in_picture(first).faces
    monkeypatch.setattr(albums, "MOST_CROP_BYTES", len(face.crop))
    *_, found = albums.read_album(reader, media / "set")
    assert isinstance(found, albums.AlbumFound)
    assert [one.faces for one in found.pictures] == [1, 0, 0, 0]
    assert "take more than" in found.pictures[1].reason


def test_whoever_reads_videos_only_leaves_albums_in_the_queue(
    ledger: SqliteLedger, gallery: Path, media: Path
) -> None:
    write_squares(media / "film.mp4", ADA)
    offer_all(ledger, media, pictures=True)
    scanner = replace(make_scanner(ledger, gallery), pictures=None)
    assert sum(isinstance(one, Done) for one in scanner.scan_all()) == 1
    assert {one.kind: one.state for one in ledger.iterate()} == {
        "album": "queued",
        "video": "done",
    }


def test_a_link_in_an_album_leads_nobody_out_of_the_media_root(
    ledger: SqliteLedger, gallery: Path, media: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret.png").write_bytes(picture_of(CARL))
    (media / "set" / "4.png").symlink_to(tmp_path / "secret.png")
    offer_all(ledger, media, pictures=True)
    list(replace(make_scanner(ledger, gallery), roots=[media]).scan_all())
    (result,) = results(ledger, gallery)
    assert [one.reason for one in result.pictures if one.name == "4.png"] == [
        "a link leads outside the media root"
    ]
    assert len(result.people) == 2


def test_of_why_a_picture_cannot_be_used_little_is_kept(
    ledger: SqliteLedger, gallery: Path, media: Path
) -> None:
    reader = _Ending({"2.png": PhotoUnusableError(f"2.png: {'x' * 32_000}")})
    scan(ledger, gallery, media, reader=reader)
    (said,) = (one.reason for one in ledger.pictures([1])[1] if one.name == "2.png")
    assert said == "x" * albums.LONGEST_REASON + "…"


def test_an_album_that_changed_since_it_was_found_is_not_scanned(
    ledger: SqliteLedger, gallery: Path, media: Path
) -> None:
    offer_all(ledger, media, pictures=True)
    write_album(media / "set", {"4.png": CARL})
    ((name, reason, _),) = failures(make_scanner(ledger, gallery).scan_all())
    assert (name, "has changed since it was found" in reason) == ("set", True)


def test_a_folder_without_its_pictures_is_gone_and_one_with_them_is_not(
    ledger: SqliteLedger, gallery: Path, media: Path
) -> None:
    write_squares(media / "set" / "film.mp4", ADA)
    scan(ledger, gallery, media)

    def look(*, pictures: bool) -> list[VideoRecord]:
        found = find_within(ledger, [media], [media], pictures=pictures)
        note_missing(ledger, found, [media])
        return [one for one in ledger.iterate() if one.kind == "album"]

    assert look(pictures=False)[0].paths
    for picture in [*(media / "set").glob("*.png"), *(media / "set").glob("*.jpg")]:
        picture.unlink()
    (album,) = look(pictures=True)
    assert (album.paths, album.last_path) == ((), bytes(media / "set"))


def test_what_is_scanned_again_are_known_albums_too_as_they_are_now_and_no_others(
    ledger: SqliteLedger, gallery: Path, media: Path
) -> None:
    scan(ledger, gallery, media)
    write_album(media / "set", {"4.png": CARL})
    write_album(media / "another", {"1.png": CARL})
    assert find_within(ledger, [media], [media]).paths == ()
    found = find_within(ledger, [media], [media], again=True)
    assert bytes(media / "set") in found.paths
    assert bytes(media / "another") not in found.paths
    queue_videos(ledger, found, "normal", again=True)
    assert failures(make_scanner(ledger, gallery).scan_all()) == []
    (album,) = (one for one in ledger.iterate() if bytes(media / "set") in one.paths)
    assert album.pictures == 5
    assert find_within(ledger, [media / "another"], [media], again=True).paths == ()


def test_an_album_is_listed_in_every_form(ledger: SqliteLedger, gallery: Path, media: Path) -> None:
    scan(ledger, gallery, media)
    found = results(ledger, gallery)
    header, first, *_ = (line.split(",") for line in to_csv(found))
    row = dict(zip(header, first, strict=True))
    assert (row["kind"], row["pictures"], row["appearances"]) == ("album", "1;4", "")
    assert (row["depth"], row["duration_seconds"]) == ("", "0.0")
    assert any("somebody unknown  picture 1, picture 4" in line for line in to_table(found))
    listed = to_full_json(found[0])
    assert listed["picture_count"] == 4
    assert [one["number"] for one in listed["pictures"]] == [1, 2, 3, 4]  # type: ignore[typeddict-item]


def test_a_name_that_is_no_text_is_left_out(
    ledger: SqliteLedger, gallery: Path, media: Path
) -> None:
    try:
        Path(os.fsdecode(bytes(media / "set") + b"/\xff.png")).write_bytes(picture_of(CARL))
    except OSError:
        pytest.skip("this disk takes no such names")
    scan(ledger, gallery, media)
    assert [(one.name, one.reason) for one in ledger.pictures([1])[1] if "UTF-8" in one.reason] == [
        ("\ufffd.png", "its name is not UTF-8; rename it")
    ]


@pytest.mark.parametrize("name", [b"\xe9.png", b"\xe9.zip", b"\xe9"])
def test_an_album_whose_name_is_no_text_is_scanned_and_stops_no_others(
    ledger: SqliteLedger, gallery: Path, tmp_path: Path, name: bytes
) -> None:
    album = tmp_path / os.fsdecode(name)
    try:
        album.touch()
    except OSError:
        pytest.skip("this disk takes no such names")
    album.unlink()
    if album.suffix == ".png":
        album.write_bytes(picture_of(ADA))
    else:
        rewrite(album, {"1.png": ADA})
    write_squares(tmp_path / "z.mp4", BOB)
    done = scan(ledger, gallery, album, tmp_path / "z.mp4", tmp_path)
    assert sum(isinstance(one, Done) for one in done) == 2
    first, *_ = results(ledger, gallery)
    assert [(one.name, len(one.faces)) for one in first.pictures] == [
        (r"\xe9.png" if album.suffix == ".png" else "1.png", 1)
    ]
    assert find_ids(ledger, album) == {1}


@pytest.mark.parametrize("name", [b"\xe9.png", b"\xe9.zip"])
def test_an_album_whose_name_is_no_text_fails_with_the_reason(
    ledger: SqliteLedger, gallery: Path, tmp_path: Path, name: bytes
) -> None:
    album = tmp_path / os.fsdecode(name)
    try:
        album.write_bytes(b"no picture")
    except OSError:
        pytest.skip("this disk takes no such names")
    ((_, reason, _),) = failures(scan(ledger, gallery, album))
    assert reason.startswith(r"\xe9.")


def test_the_same_pictures_twice_are_one_album_with_two_places(
    ledger: SqliteLedger, gallery: Path, media: Path
) -> None:
    shutil.copytree(media / "set", media / "copy")
    scan(ledger, gallery, media)
    (record,) = ledger.iterate()
    assert record.paths == (bytes(media / "copy"), bytes(media / "set"))


def test_files_of_an_album_are_where_they_are(media: Path, tmp_path: Path) -> None:
    assert albums.file_of(media / "set", AlbumPicture("1.png")) == media / "set" / "1.png"
    archive = pack(tmp_path / "a.zip", ADA)
    assert albums.file_of(archive, AlbumPicture("1.png", place=0)) == archive


def test_a_stranger_of_an_album_and_a_film_is_one_and_is_enrolled_from_its_pictures(
    ledger: SqliteLedger, gallery: Path, media: Path
) -> None:
    write_squares(media / "film.mp4", ADA)
    scan(ledger, gallery, media)
    place_strangers(ledger, naming_of(gallery))
    strangers = describe(ledger, ledger.strangers.everyone())
    (ada,) = (one for one in strangers if len(one.videos) == 2)
    with open_store(gallery).changing() as opened:
        done = enrol_stranger(opened, new_from_library("Ada"), ada)
        origins = {one.origin for one in opened.photos(done.performer.id)}
    assert origins <= {
        "library: set at picture 1",
        "library: set at picture 4",
        "library: film.mp4 at 0.0 s",
    }
    list(rematch(ledger, naming_of(gallery)))
    found = {one.kind: verdicts(ledger, one.id) for one in ledger.iterate()}
    assert found == {"album": ["uncertain", "unknown"], "video": ["match"]}
