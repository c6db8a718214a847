from pathlib import Path

import cv2
import pytest

from db.gallery import Gallery
from db.records import Performer
from function.engines import Engine
from tools.enrol import enrol_performer
from tools.sources import Photo, SourceRecord


def record(*paths: Path, name: str = "Barack Obama") -> SourceRecord:
    performer = Performer(id=0, name=name, source_id=name)
    return SourceRecord(performer, tuple(Photo(path.name, path.read_bytes) for path in paths))


def side_by_side(left: Path, right: Path, to: Path) -> Path:
    pictures = [cv2.resize(cv2.imread(str(path)), (400, 500)) for path in (left, right)]
    cv2.imwrite(str(to), cv2.hconcat(pictures))
    return to


def test_each_photo_becomes_an_encoding_and_the_best_face_the_thumbnail(
    photos: Path, engine: Engine
) -> None:
    with Gallery() as gallery:
        outcome = enrol_performer(
            record(photos / "obama1.jpg", photos / "obama2.jpg"), gallery, engine
        )
        assert (outcome.change, outcome.added_photos, outcome.refusals) == ("added", 2, ())
        stored = gallery.find_performer("Barack Obama")
        thumbnail = gallery.thumbnail(stored.id)
        assert thumbnail is not None
        assert thumbnail.startswith(b"\xff\xd8")
        assert [one.origin for one in gallery.encodings(stored.id)] == ["obama1.jpg", "obama2.jpg"]


def test_enrolling_twice_changes_nothing_and_looks_at_no_photo_twice(
    photos: Path, engine: Engine
) -> None:
    with Gallery() as gallery:
        enrol_performer(record(photos / "obama1.jpg"), gallery, engine)
        generation = gallery.generation()
        outcome = enrol_performer(record(photos / "obama1.jpg"), gallery, engine)
        assert (outcome.change, outcome.added_photos) == ("unchanged", 0)
        assert gallery.generation() == generation


def test_refused_photos_are_named_with_their_reasons_and_the_rest_goes_on(
    photos: Path, engine: Engine, tmp_path: Path
) -> None:
    two = side_by_side(photos / "obama1.jpg", photos / "biden.jpg", tmp_path / "two.png")
    text = tmp_path / "text.jpg"
    text.write_text("hello")
    gone = tmp_path / "gone.jpg"
    with Gallery() as gallery:
        outcome = enrol_performer(
            record(photos / "cat.png", two, text, photos / "obama1.jpg"), gallery, engine
        )
        lost = SourceRecord(Performer(id=0, name="Lost"), (Photo("gone.jpg", gone.read_bytes),))
        assert "No such file" in enrol_performer(lost, gallery, engine).refusals[0].reason
    assert outcome.added_photos == 1
    assert [(one.photo, one.reason.split(":")[0]) for one in outcome.refusals] == [
        ("cat.png", "no face found"),
        ("two.png", "several faces"),
        ("text.jpg", "unreadable"),
    ]


def test_a_face_too_small_to_tell_apart_is_refused(
    photos: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.enrol.SMALL_PIXELS", 1000)
    with Gallery() as gallery:
        outcome = enrol_performer(record(photos / "obama1.jpg"), gallery, engine)
    assert "too small" in outcome.refusals[0].reason


def test_a_performer_without_a_usable_photo_is_not_added(photos: Path, engine: Engine) -> None:
    with Gallery() as gallery:
        outcome = enrol_performer(record(photos / "cat.png", name="Cat"), gallery, engine)
        assert outcome.change is None
        assert gallery.performers() == []
