import json
from pathlib import Path

import pytest

from function.sources.records import UnusableSourceError
from tools.sources.folder import read_folder


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
    ada, eve = read_folder(tmp_path)
    assert (ada.performer.name, eve.performer.name) == ("Ada", "Eve")
    assert [Path(photo.origin).name for photo in ada.photos] == ["a.png", "b.JPG"]


def test_details_beside_the_photos_are_read(tmp_path: Path) -> None:
    put(tmp_path / "Ada" / "a.png")
    details = {"name": "Ada L.", "aliases": ["A"], "urls": ["u"], "disambiguation": "poet's child"}
    put(tmp_path / "Ada" / "performer.json", "\ufeff" + json.dumps(details))
    (record,) = read_folder(tmp_path)
    assert record.performer.name == "Ada L."
    assert record.performer.source_id == "Ada"
    assert record.performer.disambiguation == "poet's child"


@pytest.mark.parametrize(
    ("details", "complaint"),
    [
        ("{", "is not JSON"),
        ("[]", "holds a list; it must be an object"),
        ('{"nick": "A"}', "has the field 'nick'; it may have name"),
        ('{"urls": "u"}', "urls is 'u'; it must be a list of strings"),
        ('{"name": 7}', "name is 7; it must be a string"),
    ],
)
def test_details_that_cannot_be_used_are_named(
    tmp_path: Path, details: str, complaint: str
) -> None:
    put(tmp_path / "Ada" / "a.png")
    put(tmp_path / "Ada" / "performer.json", details)
    with pytest.raises(UnusableSourceError, match=complaint):
        list(read_folder(tmp_path))


def test_a_folder_that_is_missing_or_has_no_photos_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UnusableSourceError, match="There is no folder"):
        list(read_folder(tmp_path / "nowhere"))
    with pytest.raises(UnusableSourceError, match=r"<Performer Name>/\*\.jpg"):
        list(read_folder(tmp_path))
