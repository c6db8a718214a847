"""What reads files does the same here and in the sandbox."""

import io
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import av
import numpy as np
import pytest
from PIL import Image

from function.engines.models import PRIMARY, SECOND
from function.enrolling.choosing import choose_face
from function.errors import (
    EngineUnavailableError,
    PhotoUnusableError,
    UnreadableVideoError,
    VideoOverLimitError,
)
from function.faces.found import Progress, Task
from function.media import decoding
from function.media.files import MediaFile, open_any
from function.media.gpu import choose_decoder
from function.media.moments import MAX_SIDE_PIXELS
from function.media.photo_decoder import ORIENTATION
from function.people.gathering import PeopleFound
from function.sandbox.readers import Here, Reader, Sandboxed, open_reader
from function.settings import SandboxName, Settings
from tools.footage.videos import moving_picture, read_portrait, write_video

TASK = Task(every_seconds=0.5, detection_pixels=640)
KINDS = {"here": "off", "sandboxed": "on"}


@pytest.fixture(scope="module", params=KINDS)
def reader(request: pytest.FixtureRequest) -> Iterator[Reader]:
    reader = open_reader(Settings(sandbox=KINDS[request.param]))  # type: ignore[arg-type]
    yield reader
    reader.close()


@pytest.fixture(scope="module")
def folder(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two people one after the other, and what is no video."""
    folder = tmp_path_factory.mktemp("read")
    shots = (
        frame
        for name in ("obama3.jpg", "astronaut.png")
        for frame in moving_picture(read_portrait(photos / name), 2, fps=10, size=(640, 360))
    )
    write_video(folder / "two.mp4", shots, fps=10, keyframe_every=5)
    (folder / "text.mp4").write_text("no video\n" * 100)
    return folder


@pytest.fixture
def video(folder: Path) -> Iterator[MediaFile]:
    with open_any(folder / "two.mp4") as media:
        yield media


def test_the_setting_chooses() -> None:
    assert isinstance(open_reader(Settings(sandbox="off")), Here)
    for sandbox in ("on", "strict"):
        reader = open_reader(Settings(sandbox=sandbox))  # type: ignore[arg-type]
        assert isinstance(reader, Sandboxed)
        reader.close()


def test_it_says_what_it_is_the_primary_model_first(reader: Reader) -> None:
    ready = reader.ready()
    assert ready.models == (PRIMARY.id, SECOND.id)
    assert (ready.engine, ready.provider, ready.decoder) == ("onnx", "CPU", "cpu")
    assert reader.ready() == ready


@pytest.mark.parametrize("sandbox", KINDS.values())
def test_a_gpu_decoder_that_is_named_and_not_there_is_refused(sandbox: SandboxName) -> None:
    try:
        choose_decoder("vaapi", nets_on_cuda=False)
    except EngineUnavailableError:
        pass
    else:
        pytest.skip("this machine has a GPU")
    reader = open_reader(Settings(sandbox=sandbox, decode="vaapi"))
    try:
        with pytest.raises(EngineUnavailableError, match="DECODE is vaapi, but"):
            reader.ready()
    finally:
        reader.close()


def test_people_come_last_with_pictures_and_progress_before(
    reader: Reader, video: MediaFile
) -> None:
    *before, found = reader.find_people(video, TASK)
    assert isinstance(found, PeopleFound)
    assert before
    assert all(isinstance(event, Progress) for event in before)
    assert found.models == reader.ready().models
    assert found.decoder == "cpu"
    assert len(found.people) == 2
    for person in found.people:
        assert person.picture.startswith(b"\xff\xd8\xff")
        first, second = person.views[0].encodings
        assert first.shape == (PRIMARY.dimensions,)
        assert second.shape == (SECOND.dimensions,)
        assert np.linalg.norm(second) == pytest.approx(1, abs=1e-4)
        assert any(one.seconds == person.best_seconds for one in person.seen)
    assert 0 < sum(person.faces for person in found.people) <= found.faces


def test_a_search_that_is_closed_leaves_the_reader_fit(reader: Reader, video: MediaFile) -> None:
    events = reader.find_people(video, TASK)
    next(events)
    events.close()
    *_, found = reader.find_people(video, TASK)
    assert isinstance(found, PeopleFound)


def test_the_faces_of_a_photo_are_for_the_caller_to_choose_from(
    reader: Reader, photos: Path
) -> None:
    found = reader.find_faces((photos / "obama1.jpg").read_bytes())
    face = choose_face(found)
    assert face.crop.startswith(b"\xff\xd8\xff")
    assert np.linalg.norm(face.encoding) > 1
    assert face.second is not None
    assert np.linalg.norm(face.second) == pytest.approx(1, abs=1e-4)


def test_the_picture_of_a_moment_is_a_jpeg(reader: Reader, video: MediaFile) -> None:
    moment = reader.find_moment(video, 1.0)
    assert moment.picture.startswith(b"\xff\xd8\xff")
    assert moment.seconds == pytest.approx(1.0, abs=0.11)


def test_a_picture_is_read_as_a_video_of_one_picture(reader: Reader, photos: Path) -> None:
    with open_any(photos / "obama1.jpg") as media:
        (found,) = reader.find_people(media, TASK)
        shown = reader.find_moment(media, 3.0)
    assert isinstance(found, PeopleFound)
    (person,) = found.people
    assert (found.frames, found.faces, person.faces) == (1, 1, 1)
    assert [len(view.encodings) for view in person.views] == [2]
    assert person.picture.startswith(b"\xff\xd8\xff")
    assert shown.picture.startswith(b"\xff\xd8\xff")


def test_a_picture_held_on_its_side_is_set_upright(
    reader: Reader, photos: Path, tmp_path: Path
) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    with Image.open(photos / "obama1.jpg") as upright:
        upright.rotate(90, expand=True).save(tmp_path / "turned.jpg", exif=exif)
    with open_any(tmp_path / "turned.jpg") as media:
        found = reader.find_in_picture(media)
    assert (found.width, found.height) == (910, 1137)
    assert [abs(face.roll_degrees) < 20 for face in found.faces] == [True]


def test_pictures_in_an_archive_are_read_one_by_one_and_a_bad_one_costs_only_itself(
    reader: Reader, photos: Path, tmp_path: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(photos / "biden.jpg", "10.jpg")
        archive.writestr("2.jpg", b"no picture")
        archive.writestr("notes.txt", b"notes")
    with open_any(tmp_path / "a.zip") as media:
        contents = reader.list_archive(media)
        bad, good = contents.pictures
        with pytest.raises(PhotoUnusableError, match=r"a\.zip: unreadable: not a picture"):
            reader.find_in_picture(media, bad.place)
        (face,) = reader.find_in_picture(media, good.place).faces
        copy = reader.copy_picture(media, good.place)
    assert [(one.name, one.reason) for one in contents.left_out] == [("notes.txt", "not a picture")]
    assert face.crop.startswith(b"\xff\xd8\xff")
    assert face.second is not None
    with Image.open(io.BytesIO(copy.picture)) as shown:
        assert max(shown.size) == MAX_SIDE_PIXELS


def test_what_is_no_archive_is_refused_by_its_name(reader: Reader, folder: Path) -> None:
    with open_any(folder / "text.mp4") as media, pytest.raises(UnreadableVideoError) as refused:
        reader.list_archive(media)
    assert str(refused.value).startswith("text.mp4 cannot be read as a zip archive")


def test_what_is_no_video_and_no_photo_is_refused_and_the_next_is_read(
    reader: Reader, folder: Path, photos: Path
) -> None:
    with open_any(folder / "text.mp4") as media:
        with pytest.raises(UnreadableVideoError, match=r"text\.mp4"):
            list(reader.find_people(media, TASK))
        with pytest.raises(UnreadableVideoError, match=r"text\.mp4"):
            reader.find_moment(media, 0.0)
    with pytest.raises(PhotoUnusableError, match="not a picture"):
        reader.find_faces(b"no photo")
    assert choose_face(reader.find_faces((photos / "biden.jpg").read_bytes()))


def test_a_video_that_this_process_has_no_memory_for_is_refused(
    video: MediaFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def take_too_much(*_: object) -> NoReturn:
        raise av.MemoryError(12, "Cannot allocate memory")

    monkeypatch.setattr(decoding, "_decode", take_too_much)
    reader = Here(Settings(sandbox="off"))
    with pytest.raises(VideoOverLimitError, match="memory"):
        list(reader.find_people(video, Task(None, 640)))
    with pytest.raises(VideoOverLimitError, match="memory"):
        reader.find_moment(video, 1.0)


def test_several_threads_may_ask_at_once(reader: Reader, photos: Path) -> None:
    photo = (photos / "obama1.jpg").read_bytes()
    found: list[int] = []
    asking = [
        threading.Thread(target=lambda: found.append(len(reader.find_faces(photo).faces)))
        for _ in range(3)
    ]
    for one in asking:
        one.start()
    started = time.monotonic()
    for one in asking:
        one.join()
    assert found == [1, 1, 1]
    assert time.monotonic() - started < 60
