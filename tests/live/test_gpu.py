"""On a GPU pictures, faces and encodings are those of the CPU."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from function.engines.loading import load_engine
from function.engines.protocol import DeviceName, Engine, EngineOptions
from function.errors import EngineUnavailableError
from function.faces.faces import faces_of_image
from function.faces.found import Task
from function.media.decoders import GPU_DECODERS, DecoderName
from function.media.files import open_any
from function.media.frames import Frame, sample_frames
from function.media.gpu import choose_decoder
from function.media.videos import open_video
from function.people.gathering import PeopleFound
from function.sandbox import starting
from function.sandbox.readers import open_reader
from function.settings import Settings
from tests.support import child_in_floats, child_in_lanes
from tests.support.floats import in_floats
from tests.support.videos import numbered_pictures
from tools.footage.videos import moving_picture, read_portrait, write_video


@pytest.fixture(scope="module")
def gpu() -> Engine:
    try:
        return load_engine("onnx", EngineOptions(device="cuda"))
    except EngineUnavailableError as error:
        pytest.skip(f"no GPU: {error}")


@pytest.fixture(scope="module")
def cpu() -> Iterator[Engine]:
    """The same nets on the CPU in floats: processors multiply bytes instead."""
    with in_floats():
        yield load_engine("onnx", EngineOptions(device="cpu"))


@pytest.mark.parametrize("name", ["obama1.jpg", "biden.jpg", "astronaut.png", "hopper.jpg"])
def test_a_gpu_sees_what_the_cpu_sees(name: str, gpu: Engine, cpu: Engine, photos: Path) -> None:
    portrait = read_portrait(photos / name)
    (there,) = faces_of_image(portrait, gpu, 960)
    (here,) = faces_of_image(portrait, cpu, 960)
    assert np.abs(np.subtract(corners(there.box), corners(here.box))).max() <= 2
    assert np.linalg.norm(there.encoding - here.encoding) < 0.02
    assert abs(there.quality - here.quality) < 0.02


def corners(box: object) -> list[int]:
    return [getattr(box, side) for side in ("left", "top", "right", "bottom")]


FILMS: dict[str, dict[str, Any]] = {
    "h264.mp4": {},
    "h264.ts": {},
    "open_groups.mp4": {"options": {"x264-params": "open-gop=1"}},
    "full_range.mp4": {"pixel_format": "yuvj420p"},
    "interlaced.ts": {"options": {"x264-params": "tff=1"}},
    "rotated.mp4": {"rotation": 90},
    "hevc.mp4": {"codec": "libx265"},
    "ten_bit.mkv": {"codec": "libx265", "pixel_format": "yuv420p10le"},
    "vp9.webm": {"codec": "libvpx-vp9"},
}

LEFT_TO_THE_PROCESSOR: dict[str, dict[str, Any]] = {
    "ten_bit_h264.mkv": {"pixel_format": "yuv420p10le"},
    "ten_bit_422.mkv": {"codec": "libx265", "pixel_format": "yuv422p10le"},
    "mpeg2.mpg": {"codec": "mpeg2video"},
}


@pytest.fixture(scope="module", params=GPU_DECODERS)
def decoder(request: pytest.FixtureRequest) -> DecoderName:
    try:
        return choose_decoder(request.param, nets_on_cuda=False)
    except EngineUnavailableError as error:
        pytest.skip(f"no GPU: {error}")


def sample(path: Path, decoder: DecoderName) -> tuple[list[Frame], str]:
    with open_video(path, 0.4, decoder=decoder) as video:
        return list(sample_frames(video)), video.decoded_by


@pytest.mark.parametrize("name", FILMS | LEFT_TO_THE_PROCESSOR)
def test_a_gpu_decodes_the_pictures_that_the_processor_does(
    name: str, decoder: DecoderName, tmp_path: Path
) -> None:
    how = (FILMS | LEFT_TO_THE_PROCESSOR)[name]
    pictures = numbered_pictures(200, width=384, height=256)
    path = write_video(tmp_path / name, pictures, keyframe_every=25, **how)
    there, decoded_by = sample(path, decoder)
    here, _ = sample(path, "cpu")
    assert [one.seconds for one in there] == [one.seconds for one in here]
    for one, other in zip(there, here, strict=True):
        assert np.array_equal(one.picture.rgb(), other.picture.rgb())
    if decoder == "cuda":
        assert decoded_by == (decoder if name in FILMS else "cpu")


def test_a_locked_child_decodes_on_a_gpu(
    decoder: DecoderName, photos: Path, tmp_path: Path
) -> None:
    portrait = read_portrait(photos / "obama1.jpg")
    moving = moving_picture(portrait, 4, fps=10, size=(1280, 720))
    path = write_video(tmp_path / "face.mp4", moving, fps=10, keyframe_every=10)
    found = []
    for decode in (decoder, "cpu"):
        reader = open_reader(Settings(decode=decode, device="cpu"))
        try:
            assert reader.ready().decoder == decode
            with open_any(path) as media:
                *_, people = reader.find_people(media, Task(0.5, 640))
        finally:
            reader.close()
        assert isinstance(people, PeopleFound)
        assert people.decoder == decode
        found.append(people)
    assert found[0].faces == found[1].faces
    assert len(found[0].people) == len(found[1].people) == 1


@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize("child", [starting.CHILD_MODULE, child_in_lanes.__name__])
def test_a_child_and_its_helpers_see_on_a_gpu_what_they_see_without(
    child: str, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    portraits = [read_portrait(photos / name) for name in ("obama3.jpg", "astronaut.png")]
    shots = (
        picture
        for number in range(6)
        for picture in moving_picture(portraits[number % 2], 4, fps=8, size=(1280, 720))
    )
    path = write_video(tmp_path / "film.mp4", shots, fps=8, keyframe_every=20)
    monkeypatch.setattr(starting, "CHILD_MODULE", child)
    there = find_on("cuda", path)
    monkeypatch.setattr(starting, "CHILD_MODULE", child_in_floats.__name__)
    here = find_on("cpu", path)
    assert here.faces == there.faces
    assert [person.seen for person in here.people] == [person.seen for person in there.people]
    for one, other in zip(here.people, there.people, strict=True):
        for view, same in zip(one.views, other.views, strict=True):
            for encoding, near in zip(view.encodings, same.encodings, strict=True):
                assert np.linalg.norm(encoding - near) < 0.02


def find_on(device: DeviceName, path: Path) -> PeopleFound:
    with closing(open_reader(Settings(device=device, decode="cpu", threads=3))) as reader:
        ready = reader.ready()
        assert ready.provider == device.upper()
        assert ready.helpers == 2
        assert "calls" in ready.locks
        with open_any(path) as media:
            *_, people = reader.find_people(media, Task(0.5, 960))
    assert isinstance(people, PeopleFound)
    return people
