import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from db.names import find_complaint
from function.sources.records import Refusal, SourceRecord, UnusableSourceError
from tools.sources.folder import read_folder, read_performers


def put(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_folder_is_a_performer_and_so_is_a_single_photo(tmp_path: Path) -> None:
    put(tmp_path / "Ada" / "b.JPG")
    put(tmp_path / "Ada" / "a.png")
    put(tmp_path / "Eve.webp")
    put(tmp_path / "notes.txt")
    put(tmp_path / ".hidden.jpg")
    put(tmp_path / "Empty" / "notes.txt")
    ada, eve = read_performers(tmp_path)
    assert (ada.performer.name, eve.performer.name) == ("Ada", "Eve")
    assert [Path(photo.origin).name for photo in ada.photos] == ["a.png", "b.JPG"]


def said_of(folder: Path) -> list[str]:
    found = [one for record in read_folder(folder) for one in getattr(record, "remarks", ())]
    return [one.remark for one in found if one.photo == str(folder)]


def test_a_folder_that_may_be_one_performer_s_says_what_is_taken_for_a_name(tmp_path: Path) -> None:
    for name in ("beach", "car"):
        put(tmp_path / "Ada" / f"{name}.jpg")
    (said,) = said_of(tmp_path / "Ada")
    assert "'beach'" in said
    assert "import the folder above" in said
    assert said_of(tmp_path) == []
    put(tmp_path / "Ada" / "2020" / "1.jpg")
    assert "'2020'" in said_of(tmp_path / "Ada")[0]
    put(tmp_path / "Eve.jpg")
    assert said_of(tmp_path) == [], "photos and folders of several"


def test_a_folder_with_details_of_a_performer_is_not_taken_for_several(tmp_path: Path) -> None:
    put(tmp_path / "Ada" / "1.jpg")
    put(tmp_path / "Ada" / "performer.json", "{}")
    with pytest.raises(UnusableSourceError, match="the folder of one performer") as caught:
        list(read_folder(tmp_path / "Ada"))
    assert str(caught.value).endswith(f"Import the folder that it is in: {tmp_path}.")


def test_details_beside_the_photos_are_read(tmp_path: Path) -> None:
    put(tmp_path / "Ada" / "a.png")
    details = {"name": "Ada L.", "aliases": ["A"], "urls": ["u"], "disambiguation": "poet's child"}
    put(tmp_path / "Ada" / "performer.json", "\ufeff" + json.dumps(details))
    (record,) = read_performers(tmp_path)
    assert record.performer.name == "Ada L."
    assert record.performer.source_id == "Ada"
    assert record.performer.disambiguation == "poet's child"


@pytest.mark.parametrize("name", ["performer.json", "Performer.JSON"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_details_are_read_however_an_editor_writes_and_names_the_file(
    name: str, encoding: str, tmp_path: Path
) -> None:
    put(tmp_path / "Ada" / "a.png")
    (tmp_path / "Ada" / name).write_bytes('{"name": "Zoë"}'.encode(encoding))
    (record,) = read_performers(tmp_path)
    assert record.performer.name == "Zoë"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere both are one file")
def test_of_two_files_with_details_the_one_in_small_letters_is_read(tmp_path: Path) -> None:
    put(tmp_path / "Ada" / "a.png")
    for name in ("Performer.json", "performer.json", "performer.JSON"):
        (tmp_path / "Ada" / name).write_text(json.dumps({"name": name}))
    (record,) = read_performers(tmp_path)
    assert record.performer.name == "performer.json"


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_details_that_are_no_plain_file_are_refused_without_waiting(
    make: Callable[[Path], None], tmp_path: Path
) -> None:
    put(tmp_path / "Ada" / "a.png")
    put(tmp_path / "Bea" / "a.png")
    make(tmp_path / "Ada" / "performer.json")
    refused, read = read_folder(tmp_path)
    assert isinstance(refused, Refusal)
    assert "performer.json is not JSON (not an ordinary file)" in refused.reason
    assert isinstance(read, SourceRecord)


def test_details_larger_than_any_are_refused_unread(tmp_path: Path) -> None:
    put(tmp_path / "Ada" / "a.png")
    put(tmp_path / "Bea" / "a.png")
    with (tmp_path / "Ada" / "performer.json").open("wb") as hole:
        hole.truncate(2**40)
    refused, read = read_folder(tmp_path)
    assert isinstance(refused, Refusal)
    assert "performer.json is not JSON (over 1 MB)" in refused.reason
    assert isinstance(read, SourceRecord)


@pytest.mark.parametrize("links", [("A", "B-C"), tuple("ABCDEFGH"), ("more",)])
def test_links_that_lead_back_are_named_and_not_followed(
    links: tuple[str, ...], tmp_path: Path
) -> None:
    put(tmp_path / "Ada" / "1.jpg")
    put(tmp_path / "Bob.jpg")
    for link in links:
        (tmp_path / link).symlink_to(tmp_path)
    (tmp_path / "Ada" / "back").symlink_to(tmp_path)
    assert people(tmp_path) == {"Ada": ["1.jpg"], "Bob": ["Bob.jpg"]}
    said = [one for record in read_folder(tmp_path) for one in getattr(record, "remarks", ())]
    led_back = [one for one in said if "a folder that it is in" in one.remark]
    assert [Path(one.photo).name for one in led_back] == sorted(links)


def test_folders_within_each_other_have_an_end(tmp_path: Path) -> None:
    put(tmp_path / "Ada.jpg")
    place = os.open(tmp_path, os.O_RDONLY)
    for _ in range(200):
        os.mkdir("a", dir_fd=place)
        below = os.open("a", os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = below
    os.close(place)
    assert people(tmp_path) == {"Ada": ["Ada.jpg"]}
    (record,) = read_performers(tmp_path)
    assert "folders within each other" in record.remarks[0].remark


def people(folder: Path) -> dict[str, list[str]]:
    """Who is read, with the names of their photos."""
    return {
        one.performer.name: [Path(photo.origin).name for photo in one.photos]
        for one in read_folder(folder)
        if isinstance(one, SourceRecord)
    }


@pytest.mark.parametrize(
    ("details", "remark"),
    [
        ("[]", "holds a list, not an object"),
        ('{"nick": "A"}', "the field 'nick' is not known; there are name"),
        ('{"urls": {"a": 1}}', "urls is left out: it must be a list of texts"),
        ('{"name": ["Eve"]}', "name is left out: it must be a text"),
    ],
)
def test_a_field_that_cannot_be_used_is_named_and_the_performer_is_read(
    tmp_path: Path, details: str, remark: str
) -> None:
    put(tmp_path / "Ada" / "a.png")
    put(tmp_path / "Ada" / "performer.json", details)
    (record,) = read_performers(tmp_path)
    assert record.performer.name == "Ada"
    assert [remark in one.remark for one in record.remarks] == [True]


def test_fields_are_read_as_people_write_them(tmp_path: Path) -> None:
    put(tmp_path / "Ada" / "a.png")
    details = {"name": 7, "aliases": "A", "urls": None, "disambiguation": None}
    put(tmp_path / "Ada" / "performer.json", json.dumps(details))
    (record,) = read_performers(tmp_path)
    read = record.performer
    assert (read.name, read.aliases, read.urls, read.disambiguation) == ("7", ("A",), (), "")
    assert record.remarks == ()


@pytest.mark.parametrize("bad", ["Aaa", "Mmm", "Zzz"])
def test_a_file_of_details_that_is_not_json_costs_only_its_performer(
    tmp_path: Path, bad: str
) -> None:
    for name in ("Bea", "Yve", bad):
        put(tmp_path / name / "a.png")
    put(tmp_path / bad / "performer.json", "{")
    assert [*people(tmp_path)] == ["Bea", "Yve"]
    (refusal,) = [one for one in read_folder(tmp_path) if isinstance(one, Refusal)]
    assert (refusal.performer, refusal.reason[:26]) == (bad, "performer.json is not JSON")
    with pytest.raises(UnusableSourceError, match="is not JSON"):
        list(read_performers(tmp_path))


@pytest.mark.parametrize(
    "suffix", [".jpg", ".JPE", ".jfif", ".mpo", ".apng", ".heic", ".HEIF", ".hif", ".jxl", ".avif"]
)
def test_photos_are_known_by_every_usual_suffix(tmp_path: Path, suffix: str) -> None:
    put(tmp_path / "Ada" / f"a{suffix}")
    assert people(tmp_path) == {"Ada": [f"a{suffix}"]}


def test_a_photo_without_a_suffix_is_known_by_its_content_and_all_else_is_named(
    tmp_path: Path,
) -> None:
    put(tmp_path / "Ada" / "a.jpg")
    for name in ("no suffix", "wrong.txt"):
        (tmp_path / "Ada" / name).write_bytes(b"\x89PNG\r\n\x1a\n")
    put(tmp_path / "Ada" / "film.mp4", "film")
    put(tmp_path / "Ada" / "Thumbs.db", "of Windows")
    put(tmp_path / "list.csv", "name")
    os.mkfifo(tmp_path / "Ada" / "pipe")
    (record,) = read_performers(tmp_path)
    assert [Path(one.origin).name for one in record.photos] == ["a.jpg", "no suffix", "wrong.txt"]
    assert [(one.performer, Path(one.photo).name, one.remark) for one in record.remarks] == [
        ("", "list.csv", "left out: not a photo"),
        ("Ada", "film.mp4", "left out: not a photo"),
        ("Ada", "pipe", "left out: not a photo"),
    ]


def test_folders_in_a_performers_folder_hold_more_of_their_photos(tmp_path: Path) -> None:
    put(tmp_path / "Ada" / "a.png")
    put(tmp_path / "Ada" / "at the sea" / "deep" / "b.png")
    put(tmp_path / "Eve" / "2020" / "c.png")
    put(tmp_path / "Eve" / "set 2" / "d.png")
    put(tmp_path / "Kim" / "performer.json", "{}")
    put(tmp_path / "Kim" / "Berlin" / "e.png")
    assert people(tmp_path) == {
        "Ada": ["a.png", "b.png"],
        "Eve": ["c.png", "d.png"],
        "Kim": ["e.png"],
    }


def test_folders_by_letter_hold_performers(tmp_path: Path) -> None:
    put(tmp_path / "A-F" / "Ada" / "a.png")
    put(tmp_path / "A-F" / "Eve.jpg")
    put(tmp_path / "k" / "Kim" / "2020" / "b.png")
    put(tmp_path / "V" / "c.png")
    assert people(tmp_path) == {
        "Ada": ["a.png"],
        "Eve": ["Eve.jpg"],
        "V": ["c.png"],
        "Kim": ["b.png"],
    }


def test_a_name_that_stands_in_two_places_is_one_performer_and_that_is_said(tmp_path: Path) -> None:
    put(tmp_path / "A" / "Ann" / "a.png")
    put(tmp_path / "B" / "Ann" / "b.png")
    put(tmp_path / "Zo\u00eb.png")
    put(tmp_path / "Zoe\u0308" / "c.png")
    said = {
        Path(one.photo).name: one.remark
        for each in read_performers(tmp_path)
        for one in each.remarks
    }
    assert [*said] == ["b.png", "Zo\u00eb.png"]
    assert "taken for one performer with" in said["b.png"]
    assert said["b.png"].endswith("a.png, by the name; if not, rename one")


def test_a_folder_of_folders_that_may_be_either_is_not_guessed_at(tmp_path: Path) -> None:
    put(tmp_path / "Friends" / "Ada Lovelace" / "a.png")
    put(tmp_path / "Kim" / "b.png")
    refusal, kim = read_folder(tmp_path)
    assert isinstance(refusal, Refusal)
    assert "holds folders only, like 'Ada Lovelace'" in refusal.reason
    assert isinstance(kim, SourceRecord)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_names_that_are_not_utf8_are_read_and_shown_with_escapes(tmp_path: Path) -> None:
    put(tmp_path / "Ada" / os.fsdecode(b"caf\xe9.png"))
    put(tmp_path / os.fsdecode(b"Ren\xe9e") / "a.png")
    ada, renee = read_performers(tmp_path)
    assert ada.photos[0].origin.endswith("caf\\xe9.png")
    assert ada.photos[0].read() == b""
    assert r"the name is not UTF-8 (Ren\xe9e): rename" in find_complaint(renee.performer)


def test_a_folder_that_is_missing_or_has_no_photos_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UnusableSourceError, match="There is no folder"):
        list(read_folder(tmp_path / "nowhere"))
    with pytest.raises(UnusableSourceError, match=r"<Performer Name>/\*\.jpg"):
        list(read_folder(tmp_path))


@pytest.mark.parametrize("junk", [None, "Thumbs.db", ".DS_Store", ".hidden.jpg"])
def test_a_folder_without_a_photo_is_named(junk: str | None, tmp_path: Path) -> None:
    put(tmp_path / "Ada" / "a.png")
    (tmp_path / "Eve").mkdir()
    if junk:
        (tmp_path / "Eve" / junk).write_bytes(b"junk")
    ((remark,),) = (one.remarks for one in read_performers(tmp_path))
    assert (remark.performer, remark.remark) == ("Eve", "left out: there is no photo in it")
