"""A net of one's own in the locked child: from a photo and a video to a name."""

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from db.people import PersonFound, Seen, View
from db.records import Performer
from db.sqlite.store import StoredGallery
from db.stores import open_store
from function.engines.models import PRIMARY, SECOND
from function.engines.own.description import read_description
from function.enrolling.choosing import choose_face
from function.enrolling.encodings import encodings_of
from function.errors import EngineUnavailableError
from function.faces.found import StageSeconds, Task
from function.matching.second_models import write_fit
from function.media.files import open_any
from function.people.gathering import PeopleFound
from function.recognition import Recognition, recognize_video
from function.sandbox.checks import check_answer
from function.sandbox.messages import ANSWERS, largest_answer, read_message, write_message
from function.sandbox.orders import PhotoOrder, VideoOrder
from function.sandbox.portions import Collected, split
from function.sandbox.readers import Reader, Sandboxed, open_reader
from function.sandbox.wire import pack
from function.settings import Settings
from tests.support.own_nets import NUMBERS, fit_of, make_net, write_net, write_toml
from tools.footage.videos import moving_picture, read_portrait, write_video

ENROLLED = ("obama1.jpg", "biden.jpg")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A net that has been fitted."""
    path = write_net(tmp_path_factory.mktemp("net"))
    write_fit(fit_of(path), path.with_suffix(".fitted.json"))
    return path


@pytest.fixture(scope="module", params=["off", "on"])
def reader(request: pytest.FixtureRequest, path: Path) -> Iterator[Reader]:
    reader = open_reader(Settings(sandbox=request.param, second_encoder=path))
    yield reader
    reader.close()


@pytest.fixture(scope="module")
def video(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two who are enrolled, two seconds each."""
    shots = (
        frame
        for name in ENROLLED
        for frame in moving_picture(read_portrait(photos / name), 2, fps=10, size=(640, 360))
    )
    return write_video(tmp_path_factory.mktemp("v") / "two.mp4", shots, fps=10, keyframe_every=5)


def enrol(gallery: StoredGallery, reader: Reader, folder: Path) -> None:
    models = reader.ready().models
    for name in ENROLLED:
        face = choose_face(reader.find_faces((folder / name).read_bytes()))
        gallery.enrol(
            Performer(0, name, source_id=name), encodings_of(face, models, name, name), None
        )


def recognized(reader: Reader, gallery: Path, video: Path) -> Recognition:
    with open_any(video) as media:
        settings = Settings(every_seconds=0.5)
        *_, last = recognize_video(media, reader, open_store(gallery), settings)
    assert isinstance(last, Recognition)
    return last


def test_who_was_enrolled_by_it_is_named_by_both_nets(
    reader: Reader, path: Path, photos: Path, video: Path, tmp_path: Path
) -> None:
    ready, own = reader.ready(), read_description(path).id
    assert ready.models == (PRIMARY.id, own)
    with StoredGallery(tmp_path / "g.db", create=True) as gallery:
        enrol(gallery, reader, photos)
        assert gallery.models() == [PRIMARY.id, own]
        assert {len(one.vector) for one in gallery.encodings(1)} == {PRIMARY.dimensions, NUMBERS}
    found = recognized(reader, tmp_path / "g.db", video)
    firsts = [one.matches[0] for one in found.identifications]
    assert {one.performer.name for one in firsts} == {*ENROLLED}
    assert all(one.by_both for one in firsts)
    for one in found.identifications:
        _, second = one.person.views[0].encodings
        assert second.shape == (NUMBERS,)
        assert np.linalg.norm(second) == pytest.approx(1, abs=1e-4)


def test_photos_that_sface_encoded_are_compared_by_dlibs_net_alone(
    reader: Reader, gallery_path: Path, video: Path
) -> None:
    found = recognized(reader, gallery_path, video)
    named = [one for one in found.identifications if one.verdict == "match"]
    assert [one.matches[0].performer.name for one in named] == ["Barack Obama"]
    assert not any(match.by_both for one in found.identifications for match in one.matches)
    with StoredGallery(gallery_path) as gallery:
        assert gallery.models() == [PRIMARY.id, SECOND.id]
        assert reader.second is not None
        assert gallery.snapshot(PRIMARY, [reader.second.fusion]).fused == ()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names are Unicode")
def test_a_net_and_the_cache_may_be_in_folders_whose_names_are_not_utf_8(
    path: Path, tmp_path: Path
) -> None:
    copied = shutil.copytree(path.parent, tmp_path / os.fsdecode(b"n\xe9t")) / path.name
    cache = tmp_path / os.fsdecode(b"caf\xe9")
    reader = Sandboxed(Settings(second_encoder=copied, cache_folder=cache))
    try:
        assert reader.ready().models == (PRIMARY.id, read_description(copied).id)
    finally:
        reader.close()
    assert list(cache.iterdir())


def unfit(folder: Path) -> Path:
    return write_net(folder / "unfit")


def unlike(folder: Path) -> Path:
    path = write_net(folder / "unlike")
    write_fit(fit_of(path), path.with_suffix(".fitted.json"))
    return write_toml(path.parent, mean=0)


def spoilt(folder: Path) -> Path:
    path = write_net(folder / "spoilt", b"no net")
    write_fit(fit_of(path), path.with_suffix(".fitted.json"))
    return path


@pytest.mark.parametrize("sandbox", ["off", "on"])
@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (unfit, r"has not been fitted.* Run `python -m tools calibrate"),
        (unlike, "the file or its preprocessing has changed"),
        (spoilt, "is not an ONNX file"),
        (lambda folder: folder / "gone.toml", r"names gone\.toml, which cannot be read"),
    ],
)
def test_nothing_is_read_with_a_net_that_cannot_be_used(
    tmp_path: Path, sandbox: str, make: object, complaint: str
) -> None:
    path = make(tmp_path)  # type: ignore[operator]
    reader = open_reader(Settings(sandbox=sandbox, second_encoder=path))  # type: ignore[arg-type]
    try:
        with pytest.raises(EngineUnavailableError, match=complaint):
            reader.ready()
    finally:
        reader.close()


def test_a_net_that_is_replaced_while_the_server_runs_is_refused(
    path: Path, photos: Path, tmp_path: Path
) -> None:
    copied = shutil.copytree(path.parent, tmp_path / "net") / path.name
    reader = Sandboxed(Settings(second_encoder=copied))
    try:
        photo = (photos / "obama1.jpg").read_bytes()
        assert choose_face(reader.find_faces(photo)).second is not None
        write_net(copied.parent, make_net(seed=2))
        with reader.pool.lend(PhotoOrder(), 60) as child:
            child.kill()
        with pytest.raises(EngineUnavailableError, match="If a net was replaced, start again"):
            reader.find_faces(photo)
    finally:
        reader.close()


def test_encodings_of_another_length_from_the_child_are_not_believed(
    path: Path, photos: Path, tmp_path: Path
) -> None:
    copied = shutil.copytree(path.parent, tmp_path / "net") / path.name
    wrong = replace(fit_of(copied), dimensions=NUMBERS + 1)
    write_fit(wrong, copied.with_suffix(".fitted.json"))
    reader = Sandboxed(Settings(second_encoder=copied))
    try:
        with pytest.raises(Exception, match="an encoding has the wrong length"):
            reader.find_faces((photos / "obama1.jpg").read_bytes())
    finally:
        reader.close()


def test_a_thousand_of_the_longest_encodings_come_in_portions() -> None:
    view = View(1.0, 0.5, 1, (), (np.ones(PRIMARY.dimensions, np.float32), np.ones(2_048, "<f4")))
    person = PersonFound((view,) * 1_000, (Seen(0, 1.0, 1.0, 1.0),), 1.0, b"\xff\xd8\xff")
    models = (PRIMARY.id, "own")
    most = PeopleFound((person,) * 2, models, 1, 1_000, StageSeconds(0.1, 0.2))
    collected = Collected(VideoOrder("", Task(None, 640)))
    *portions, last = split(most)
    for portion in portions:
        message = write_message(portion)
        assert len(message) < largest_answer(message[:1]) / 2
        collected.add(read_message(ANSWERS, message))
    assert isinstance(last, PeopleFound)
    read = collected.complete(last)
    check_answer(read, (PRIMARY.dimensions, 2_048))
    assert pack(read) == pack(most)
