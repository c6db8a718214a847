"""Galleries from before there was a second net are completed from what is here."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

import cv2
import numpy as np
import pytest

from db.records import Performer
from db.sqlite.store import StoredGallery
from function.engines.loading import load_engine
from function.engines.models import PRIMARY, SECOND
from function.engines.protocol import Engine, EngineOptions
from function.enrolling.kept_faces import encode_kept
from function.imports.photos import Demands
from function.media.images import RgbPicture, encode_jpeg
from function.media.photo_decoder import decode_photo
from function.media.pictures import RgbImage
from function.sources.records import Photo, SourceRecord
from tools.imports.enrol import enrol_performer
from tools.imports.upgrades import Upgrade, complete_photos, encode_lacking, find_lacking


def record(name: str, *paths: Path, origins: Sequence[str] = ()) -> SourceRecord:
    photos = [
        Photo(origin, path.read_bytes)
        for path, origin in zip(paths, origins or [str(path) for path in paths], strict=True)
    ]
    return SourceRecord(Performer(0, name, source_id=name), tuple(photos))


class OneNet:
    """An engine as it was before there was a second net."""

    def __init__(self, engine: Engine) -> None:
        self.name, self.provider, self.detector = engine.name, engine.provider, engine.detector
        self.encoder, self.second = engine.encoder, None
        self.open_detector, self.rate_frontal = engine.open_detector, engine.rate_frontal


@pytest.fixture
def gallery() -> Iterator[StoredGallery]:
    with StoredGallery() as opened:
        yield opened


def complete(gallery: StoredGallery, name: str) -> int:
    return len(gallery.photo_hashes(gallery.find_performer(name).id, SECOND.id))


def upgrade(gallery: StoredGallery, engine: Engine) -> list[Upgrade]:
    assert engine.second is not None
    second = engine.second.model
    done = []
    for one in find_lacking(gallery, engine, second):
        encoded = encode_lacking(gallery, one.id, engine, second)
        done.append(complete_photos(gallery, one.id, encoded, engine, second))
    return done


def test_photos_that_are_still_there_are_read_again(
    gallery: StoredGallery, photos: Path, engine: Engine
) -> None:
    shown = [photos / name for name in ("obama1.jpg", "obama2.jpg")]
    enrol_performer(record("Obama", *shown), gallery, OneNet(engine))
    assert complete(gallery, "Obama") == 0
    assert upgrade(gallery, engine) == [Upgrade("Obama", 2, 0)]
    obama = gallery.find_performer("Obama")
    assert obama.encodings == 2
    assert complete(gallery, "Obama") == 2
    fresh = StoredGallery()
    enrol_performer(record("Obama", *shown), fresh, engine)
    for one, other in zip(gallery.encodings(obama.id), fresh.encodings(1), strict=True):
        assert (one.model, one.photo_hash, one.origin) == (
            other.model,
            other.photo_hash,
            other.origin,
        )
        np.testing.assert_allclose(one.vector, other.vector, atol=1e-5)
    assert upgrade(gallery, engine) == []


def test_a_photo_that_is_removed_while_it_is_read_is_not_brought_back(
    gallery: StoredGallery, photos: Path, engine: Engine
) -> None:
    assert engine.second
    second = engine.second.model
    shown = [photos / name for name in ("obama1.jpg", "obama2.jpg")]
    enrol_performer(record("Obama", *shown), gallery, OneNet(engine))
    encoded = encode_lacking(gallery, 1, engine, second)
    gallery.remove_photo(gallery.find_performer("Obama"), encoded[0].photo_hash)
    assert complete_photos(gallery, 1, encoded, engine, second) == Upgrade("Obama", 1, 0)
    assert {one.photo_hash for one in gallery.encodings(1)} == {encoded[1].photo_hash}


def test_what_is_gone_or_changed_is_not_guessed_but_the_poster_completes_its_photo(
    gallery: StoredGallery, photos: Path, engine: Engine, tmp_path: Path
) -> None:
    changed = tmp_path / "changed.jpg"
    changed.write_bytes((photos / "obama2.jpg").read_bytes())
    origins = ["https://example.org/1.jpg", str(changed), "a\0b"]
    shown = [photos / "obama1.jpg", changed, photos / "obama3.jpg"]
    enrol_performer(record("Obama", *shown, origins=origins), gallery, OneNet(engine))
    changed.write_bytes((photos / "biden.jpg").read_bytes())
    assert upgrade(gallery, engine) == [Upgrade("Obama", 1, 2)]
    obama = gallery.find_performer("Obama")
    (again,) = [one for one in gallery.encodings(obama.id) if one.model == SECOND.id]
    best = max(gallery.photos(obama.id), key=lambda photo: photo.quality)
    assert again.photo_hash == best.hash
    assert upgrade(gallery, engine) == [Upgrade("Obama", 0, 2)]


def test_photos_whose_files_are_gone_are_completed_from_the_faces_that_are_kept(
    gallery: StoredGallery, photos: Path, engine: Engine
) -> None:
    names = ("obama1.jpg", "obama2.jpg", "biden.jpg")
    earlier = load_engine("onnx", EngineOptions(second_encoder="sface"))
    gone = [f"https://example.org/{name}" for name in names]
    for who, shown in (("Obama", slice(2)), ("Biden", slice(2, 3))):
        paths = [photos / name for name in names[shown]]
        enrol_performer(record(who, *paths, origins=gone[shown]), gallery, earlier)
    assert upgrade(gallery, engine) == [Upgrade("Biden", 1, 0), Upgrade("Obama", 2, 0)]
    fresh = StoredGallery()
    enrol_performer(record("Obama", *(photos / name for name in names[:2])), fresh, engine)
    kept, read, other = (
        np.stack([one.vector for one in opened.encodings(number) if one.model == SECOND.id])
        for opened, number in ((gallery, 1), (fresh, 1), (gallery, 2))
    )
    assert (np.linalg.norm(kept - read, axis=1) < 0.6).all()
    assert (np.linalg.norm(kept - other, axis=1) > 1.0).all()
    assert upgrade(gallery, engine) == []


def test_a_kept_picture_without_a_face_completes_nothing(engine: Engine) -> None:
    grey = encode_jpeg(np.full((112, 112, 3), 128, np.uint8))
    for picture in (grey, b"", b"no picture", grey[:200]):
        assert encode_kept(picture, engine) is None


def test_a_kept_picture_that_is_no_chip_is_cut_where_its_face_is(
    engine: Engine, photos: Path
) -> None:
    assert engine.second
    portrait = decode_photo((photos / "obama1.jpg").read_bytes())
    (face,) = engine.open_detector(960).detect(RgbPicture(portrait))
    assert face.points is not None
    (expected,), _ = engine.second.encode_with_likeness([engine.second.cut(portrait, face.points)])
    box = face.box
    crop = portrait[box.top - 40 : box.bottom + 40, box.left - 40 : box.right + 40]
    shrunk = cv2.resize(crop, (200, 240), interpolation=cv2.INTER_AREA).astype(np.uint8)
    found = encode_kept(encode_jpeg(shrunk), engine)
    assert found is not None
    assert np.linalg.norm(found - expected) < 0.6


def test_of_several_faces_in_a_kept_picture_it_is_the_one_in_the_middle(
    engine: Engine, photos: Path
) -> None:
    assert engine.second
    portrait, other = (
        decode_photo((photos / name).read_bytes()) for name in ("obama1.jpg", "biden.jpg")
    )
    mine, theirs = (_cut_around_face(one, engine) for one in (portrait, other))
    small = cv2.resize(mine, (160, 160))
    picture = cv2.copyMakeBorder(small, 50, 50, 140, 140, cv2.BORDER_CONSTANT)
    picture[:, 270:][:, :170] = cv2.resize(theirs, (200, 260))[:, :170]
    expected, wrong, found = (
        encode_kept(encode_jpeg(one.astype(np.uint8)), engine) for one in (mine, theirs, picture)
    )
    assert expected is not None
    assert wrong is not None
    assert found is not None
    assert np.linalg.norm(found - expected) < 0.6 < np.linalg.norm(found - wrong)


def _cut_around_face(portrait: RgbImage, engine: Engine) -> RgbImage:
    (face,) = engine.open_detector(960).detect(RgbPicture(portrait))
    box = face.box
    return portrait[box.top - 20 : box.bottom + 20, box.left - 20 : box.right + 20]


def test_encodings_of_an_earlier_version_are_recognised(
    gallery: StoredGallery, photos: Path, engine: Engine
) -> None:
    enrol_performer(record("Obama", photos / "obama1.jpg"), gallery, OneNet(engine))
    obama = gallery.find_performer("Obama")
    (now,) = gallery.encodings(obama.id)
    sideways = np.random.default_rng(1).normal(size=PRIMARY.dimensions)
    sideways *= 0.1 / np.linalg.norm(sideways)
    before = replace(now, vector=(now.vector + sideways).astype(np.float32))
    with StoredGallery() as earlier:
        earlier.enrol(replace(obama, encodings=0), [before], None)
        assert upgrade(earlier, engine) == [Upgrade("Obama", 1, 0)]
        stranger = replace(now, vector=np.roll(now.vector, 1))
        earlier.enrol(Performer(0, "Else", source_id="Else"), [stranger], None)
        assert upgrade(earlier, engine) == [Upgrade("Else", 0, 1)]


def test_an_import_run_again_completes_what_the_first_could_not(
    gallery: StoredGallery, photos: Path, engine: Engine
) -> None:
    shown = record("Obama", photos / "obama1.jpg", photos / "obama2.jpg")
    enrol_performer(shown, gallery, OneNet(engine))
    outcome = enrol_performer(shown, gallery, engine)
    assert (outcome.added_photos, outcome.duplicates, outcome.refusals) == (0, (), ())
    assert complete(gallery, "Obama") == 2
    generation = gallery.generation()
    assert enrol_performer(shown, gallery, engine, Demands()).change == "unchanged"
    assert gallery.generation() == generation


BAD = ["gone", "no picture", "a folder", "a name that no file can have"]


@pytest.mark.parametrize("bad_one", [*product(BAD, range(3))])
def test_a_photo_that_cannot_be_read_again_keeps_no_other_from_being_completed(
    bad_one: tuple[str, int], gallery: StoredGallery, photos: Path, engine: Engine, tmp_path: Path
) -> None:
    kind, place = bad_one
    names = ["Ann", "Mia", "Zoe"]
    shown = ["obama1.jpg", "biden.jpg", "hopper.jpg"]
    for number, (name, file) in enumerate(zip(names, shown, strict=True)):
        copy = Path(shutil.copy(photos / file, tmp_path / f"{name}.jpg"))
        origins = ("x\0y",) if number == place and kind.startswith("a name") else (str(copy),)
        enrol_performer(record(name, copy, origins=origins), gallery, OneNet(engine))
        with gallery.writing() as db:
            db.execute("UPDATE performers SET thumbnail = NULL")
    bad = tmp_path / f"{names[place]}.jpg"
    bad.unlink()
    if kind == "no picture":
        bad.write_bytes(b"hello")
    if kind == "a folder":
        bad.mkdir()
    done = {one.performer: (one.completed, one.lacking) for one in upgrade(gallery, engine)}
    assert done == {name: (0, 1) if name == names[place] else (1, 0) for name in names}
