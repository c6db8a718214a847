from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from db.records import Identity, Performer, Vectors
from db.sqlite.edits import allow_photos, remove_photo
from db.sqlite.forgetting import forget
from db.sqlite.store import StoredGallery
from function.engines.models import PRIMARY, SECOND
from function.engines.protocol import Detection, Engine
from function.faces.quality import make_blank_chip
from function.imports.enrol import spare_photos
from function.imports.photos import Demands
from function.media.pictures import Picture, RgbImage
from function.sources.records import Photo, SourceRecord
from tests.support.engines import QuickEngine, made_up_photo
from tools.imports.enrol import enrol_all, enrol_performer


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
    with StoredGallery() as gallery:
        outcome = enrol_performer(
            record(photos / "obama1.jpg", photos / "obama2.jpg"), gallery, engine
        )
        assert (outcome.change, outcome.added_photos, outcome.refusals) == ("added", 2, ())
        stored = gallery.find_performer("Barack Obama")
        thumbnail = gallery.thumbnail(stored.id)
        assert thumbnail is not None
        assert thumbnail.startswith(b"\xff\xd8")
        encodings = gallery.encodings(stored.id)
        assert [(one.origin, one.model) for one in encodings] == [
            (name, model.id) for model in (PRIMARY, SECOND) for name in ("obama1.jpg", "obama2.jpg")
        ]
        assert stored.encodings == 2


def test_enrolling_twice_changes_nothing_and_looks_at_no_photo_twice(
    photos: Path, engine: Engine
) -> None:
    with StoredGallery() as gallery:
        enrol_performer(record(photos / "obama1.jpg"), gallery, engine)
        generation = gallery.generation()
        outcome = enrol_performer(record(photos / "obama1.jpg"), gallery, engine)
        assert (outcome.change, outcome.added_photos) == ("unchanged", 0)
        assert gallery.generation() == generation


def test_a_photo_that_is_somebody_elses_already_is_enrolled_with_a_remark(
    photos: Path, engine: Engine
) -> None:
    obama = record(photos / "obama1.jpg", photos / "obama2.jpg")
    wrong = record(photos / "obama2.jpg", photos / "biden.jpg", name="Joe Biden")
    again = record(photos / "obama2.jpg", photos / "biden.jpg", name="J. Biden")
    with StoredGallery() as gallery:
        first, second, third = enrol_all([obama, wrong, again], gallery, engine)
        assert (first.remarks, second.added_photos, third.added_photos) == ((), 2, 2)
        said = "is enrolled already as {}: if that is somebody else, remove it from one"
        assert [(one.photo, one.remark) for one in (*second.remarks, *third.remarks)] == [
            ("obama2.jpg", said.format("Barack Obama (id:1)")),
            ("obama2.jpg", said.format("Barack Obama (id:1)")),
            ("biden.jpg", said.format("Joe Biden (id:2)")),
        ]
        later = enrol_performer(replace(obama, photos=wrong.photos[1:]), gallery, engine)
        assert [one.remark for one in later.remarks] == [said.format("Joe Biden (id:2)")]


def test_whoever_is_forgotten_while_others_are_imported_is_not_told_of(
    photos: Path, engine: Engine
) -> None:
    with StoredGallery() as gallery:
        records = (record(photos / "biden.jpg", name=name) for name in ("A", "Joe Biden"))
        enrolments = enrol_all(records, gallery, engine)
        next(enrolments)
        forget(gallery, gallery.find_performer("A"))
        assert next(enrolments).remarks == ()


def test_refused_photos_are_named_with_their_reasons_and_the_rest_goes_on(
    photos: Path, engine: Engine, tmp_path: Path
) -> None:
    two = side_by_side(photos / "obama1.jpg", photos / "biden.jpg", tmp_path / "two.png")
    text = tmp_path / "text.jpg"
    text.write_text("hello")
    gone = tmp_path / "gone.jpg"
    with StoredGallery() as gallery:
        outcome = enrol_performer(
            record(photos / "cat.png", two, text, photos / "obama1.jpg"), gallery, engine
        )
        lost = SourceRecord(Performer(id=0, name="Lost"), (Photo("gone.jpg", gone.read_bytes),))
        (refusal,) = enrol_performer(lost, gallery, engine).refusals
        assert refusal.reason == "cannot be read: No such file or directory"
    assert outcome.added_photos == 1
    assert [(one.photo, one.reason.split(":")[0]) for one in outcome.refusals] == [
        ("cat.png", "no face found"),
        ("two.png", "several faces"),
        ("text.jpg", "unreadable"),
    ]


def test_a_face_too_small_to_tell_apart_is_refused(photos: Path, engine: Engine) -> None:
    with StoredGallery() as gallery:
        demands = Demands(smallest_pixels=1000)
        outcome = enrol_performer(record(photos / "obama1.jpg"), gallery, engine, demands)
    assert "too small" in outcome.refusals[0].reason


def test_of_several_faces_the_largest_counts_only_where_that_was_said(
    photos: Path, engine: Engine, tmp_path: Path
) -> None:
    large = cv2.resize(cv2.imread(str(photos / "obama1.jpg")), (600, 800))
    small = cv2.resize(cv2.imread(str(photos / "hopper.jpg")), (300, 352))
    small = cv2.copyMakeBorder(small, 0, 448, 0, 0, cv2.BORDER_CONSTANT)
    cv2.imwrite(str(tmp_path / "two.png"), cv2.hconcat([small, large]))
    with StoredGallery() as gallery:
        refused = enrol_performer(record(tmp_path / "two.png"), gallery, engine)
        assert "use --largest-face" in refused.refusals[0].reason
        demands = Demands(largest_face=True)
        (told,) = enrol_performer(record(tmp_path / "two.png"), gallery, engine, demands).remarks
        assert told.remark.startswith("of 2 faces the largest was taken, ")
        enrol_performer(record(photos / "obama1.jpg", name="Alone"), gallery, engine)
        chosen, alone = (
            gallery.encodings(gallery.find_performer(name).id)[0].vector
            for name in ("Barack Obama", "Alone")
        )
        assert np.linalg.norm(chosen - alone) < 0.35


def test_a_poster_behind_somebody_is_told_of(photos: Path, engine: Engine, tmp_path: Path) -> None:
    large = cv2.resize(cv2.imread(str(photos / "obama1.jpg")), (600, 800))
    small = cv2.resize(cv2.imread(str(photos / "hopper.jpg")), (240, 282))
    small = cv2.copyMakeBorder(small, 0, 518, 0, 0, cv2.BORDER_CONSTANT)
    cv2.imwrite(str(tmp_path / "two.png"), cv2.hconcat([small, large]))
    with StoredGallery() as gallery:
        outcome = enrol_performer(record(tmp_path / "two.png"), gallery, engine)
    assert outcome.added_photos == 1
    (told,) = outcome.remarks
    assert told.remark.startswith("of 2 faces the largest was taken, ")


class SeesTooMuch(QuickEngine):
    """Also finds a second face, of which it is not sure."""

    def detect(self, picture: Picture) -> list[Detection]:
        surely = super().detect(picture)
        return [*surely, Detection(surely[0].box, 0.01)]

    def encode(self, chips: Sequence[RgbImage]) -> Vectors:
        encodings = super().encode(chips)
        encodings[1:] = super().encode([make_blank_chip(self.model)])
        return encodings


def test_what_may_be_no_face_at_all_neither_counts_nor_is_enrolled(tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(made_up_photo(1))
    with StoredGallery() as gallery:
        outcome = enrol_performer(record(tmp_path / "photo.png"), gallery, SeesTooMuch())
        assert (outcome.added_photos, outcome.refusals) == (1, ())


def test_a_soft_photo_is_enrolled_with_a_remark_and_one_that_shows_nobody_is_refused(
    photos: Path, engine: Engine, tmp_path: Path
) -> None:
    sharp = cv2.imread(str(photos / "obama1.jpg"))
    for name, deviation in (("soft.png", 10.5), ("fog.png", 16)):
        cv2.imwrite(str(tmp_path / name), cv2.GaussianBlur(sharp, (0, 0), deviation))
    with StoredGallery() as gallery:
        good, soft, fog = (
            enrol_performer(record(path, name=path.stem), gallery, engine)
            for path in (photos / "obama1.jpg", tmp_path / "soft.png", tmp_path / "fog.png")
        )
        enrolled = [
            gallery.encodings(gallery.find_performer(name).id)[0].quality
            for name in ("obama1", "soft")
        ]
    assert (good.added_photos, good.remarks) == (1, ())
    assert soft.added_photos == 1
    assert [(one.performer, one.photo) for one in soft.remarks] == [("soft", "soft.png")]
    assert soft.remarks[0].remark.startswith("blurred: it counts two thirds of a good photo; ")
    assert soft.remarks[0].remark.endswith("add a sharper one")
    assert enrolled[1] < enrolled[0]
    assert fog.added_photos == 0
    assert "too little of who it is (blurred): choose a sharper one" in fog.refusals[0].reason


def test_one_photo_saved_in_two_sizes_counts_once(
    photos: Path, engine: Engine, tmp_path: Path
) -> None:
    picture = cv2.imread(str(photos / "obama1.jpg"))
    again = tmp_path / "again.jpg"
    cv2.imwrite(str(again), picture, [cv2.IMWRITE_JPEG_QUALITY, 85])
    with StoredGallery() as gallery:
        outcome = enrol_performer(record(photos / "obama1.jpg", again), gallery, engine)
        assert (outcome.added_photos, outcome.duplicates) == (1, ("again.jpg",))
        later = enrol_performer(record(again), gallery, engine)
        assert (later.change, later.duplicates) == ("unchanged", ("again.jpg",))


def test_a_removed_photo_stays_away(photos: Path, engine: Engine) -> None:
    with StoredGallery() as gallery:
        both = record(photos / "obama1.jpg", photos / "obama2.jpg")
        enrol_performer(both, gallery, engine)
        obama = gallery.find_performer("Barack Obama")
        remove_photo(gallery, obama, "obama1.jpg")
        assert enrol_performer(both, gallery, engine).added_photos == 0
        allow_photos(gallery, obama)
        assert enrol_performer(both, gallery, engine).added_photos == 1


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("two\nlines", "line break"),
        ("x" * 10_000, "10000 characters; 300 at most"),
        ("  ", "the name is empty"),
    ],
)
def test_a_name_that_fits_no_line_is_refused(engine: Engine, name: str, complaint: str) -> None:
    with StoredGallery() as gallery:
        refused = enrol_performer(record(name=name), gallery, engine)
        assert complaint in refused.refusals[0].reason
        assert len(refused.performer) <= 80


@pytest.mark.parametrize("name", ["Zoë 🎭", "=cmd|' /C calc'!A0", "李小龍"])
def test_any_other_name_is_taken_as_it_is(photos: Path, engine: Engine, name: str) -> None:
    with StoredGallery() as gallery:
        enrol_performer(record(photos / "obama1.jpg", name=name), gallery, engine)
        assert gallery.performers()[0].name == name


def test_a_record_that_has_not_changed_is_not_looked_at_again(photos: Path, engine: Engine) -> None:
    def vanished() -> bytes:
        raise AssertionError("the photo was read again")

    once = replace(record(photos / "obama1.jpg"), updated_at="monday")
    again = replace(once, photos=(Photo("x.jpg", vanished),))
    with StoredGallery() as gallery:
        enrol_performer(once, gallery, engine)
        assert enrol_performer(again, gallery, engine).change == "unchanged"
        assert next(spare_photos([again], gallery)).photos == ()  # type: ignore[union-attr]
        with pytest.raises(AssertionError, match="read again"):
            enrol_performer(replace(again, updated_at="tuesday"), gallery, engine)


def test_a_forgotten_performer_is_skipped_and_their_photos_are_not_even_fetched(
    photos: Path, engine: Engine
) -> None:
    with StoredGallery() as gallery:
        obama = record(photos / "obama1.jpg")
        enrol_performer(obama, gallery, engine)
        forget(gallery, gallery.find_performer("Barack Obama"))
        outcome = enrol_performer(obama, gallery, engine)
        assert (outcome.forgotten, outcome.change) == (True, None)
        for again in (False, True):
            (spared,) = spare_photos([obama], gallery, look_again=again)
            assert spared.photos == ()  # type: ignore[union-attr]


def test_a_namesake_of_the_forgotten_who_is_enrolled_is_not_taken_for_them(
    photos: Path, engine: Engine
) -> None:
    namesake = record(photos / "obama2.jpg")
    namesake = replace(namesake, performer=replace(namesake.performer, source_id="2"))
    with StoredGallery() as gallery:
        enrol_performer(namesake, gallery, engine)
        first = record(photos / "obama1.jpg")
        enrol_performer(first, gallery, engine)
        forget(gallery, gallery.find_identities([Identity("folder", "Barack Obama")])[0])
        assert next(spare_photos([namesake], gallery)).photos == namesake.photos  # type: ignore[union-attr]
        assert enrol_performer(namesake, gallery, engine).change == "unchanged"


def test_a_performer_without_a_usable_photo_is_not_added(photos: Path, engine: Engine) -> None:
    with StoredGallery() as gallery:
        outcome = enrol_performer(record(photos / "cat.png", name="Cat"), gallery, engine)
        assert outcome.change is None
        assert gallery.performers() == []
