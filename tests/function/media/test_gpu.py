"""A GPU's decoder is chosen, used and left as it should be, and changes no picture."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from av.codec.codec import Codec
from av.codec.hwaccel import HWAccel, hwdevices_available

from function.errors import EngineUnavailableError, UnreadableVideoError
from function.media import gpu, packets
from function.media.decoders import DECODED_BY, GpuDecoderName, join_names, name_decoders
from function.media.frames import Frame, sample_frames
from function.media.gpu import choose_decoder, may_fit
from function.media.videos import open_video
from tests.support.plain_h264 import write_fields
from tests.support.standing_gpu import open_on_gpu
from tests.support.videos import numbered_pictures
from tools.footage.videos import write_video

EVERY = 0.4

DECODED: dict[str, dict[str, Any]] = {
    "h264.mp4": {},
    "h264.ts": {},
    "open_groups.mp4": {"options": {"x264-params": "open-gop=1"}},
    "full_range.mp4": {"pixel_format": "yuvj420p"},
    "ten_bit.mkv": {"pixel_format": "yuv420p10le", "codec": "libx265"},
    "hevc.mp4": {"codec": "libx265"},
    "vp9.webm": {"codec": "libvpx-vp9"},
}


@pytest.fixture(autouse=True)
def held(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget at the end which decoders a test has opened."""
    monkeypatch.setattr(gpu, "_HELD", {})


def sample(path: Path) -> list[Frame]:
    with open_video(path, EVERY) as video:
        return list(sample_frames(video))


def check_same(frames: list[Frame], expected: list[Frame]) -> None:
    times = [(one.index, one.seconds, one.until_seconds, one.shot) for one in frames]
    assert times == [(one.index, one.seconds, one.until_seconds, one.shot) for one in expected]
    for one, other in zip(frames, expected, strict=True):
        assert np.array_equal(one.picture.rgb(), other.picture.rgb())


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("films") / "film.mp4"
    return write_video(path, numbered_pictures(100), keyframe_every=25)


@pytest.mark.parametrize("name", DECODED)
def test_pictures_from_a_gpu_are_those_of_the_processor_to_the_bit(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_video(tmp_path / name, numbered_pictures(60), keyframe_every=20, **DECODED[name])
    expected = sample(path)
    with open_on_gpu(path, EVERY, monkeypatch) as (video, decoder):
        frames = list(sample_frames(video))
        assert video.decoded_by == "cuda"
        assert video.unreadable_seconds == 0
    assert decoder.packets
    check_same(frames, expected)


def test_only_what_is_sampled_is_brought_to_memory(
    film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_on_gpu(film, EVERY, monkeypatch) as (video, decoder):
        fetched: list[object] = []
        fetch = gpu.Gpu.fetch
        monkeypatch.setattr(gpu.Gpu, "fetch", lambda *given: fetched.append(1) or fetch(*given))
        frames = list(sample_frames(video))
    assert len(fetched) == len(frames) < decoder.pictures


@pytest.mark.parametrize(
    ("fails_after", "decoded_by"),
    [(0, "cpu"), (1, "cpu"), (10, "cuda+cpu"), (30, "cuda+cpu"), (63, "cuda+cpu")],
)
def test_the_processor_takes_over_where_a_gpu_fails(
    fails_after: int,
    decoded_by: str,
    film: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    expected = sample(film)
    caplog.set_level(logging.INFO)
    with open_on_gpu(film, EVERY, monkeypatch, fails_after=fails_after) as (video, decoder):
        frames = list(sample_frames(video))
        assert video.decoded_by == decoded_by
        assert video.unreadable_seconds == 0
    assert decoder.packets == fails_after
    check_same(frames, expected)
    (said,) = [one.getMessage() for one in caplog.records if "GPU" in one.getMessage()]
    assert "fell off the bus" in said


def test_a_picture_that_does_not_come_is_decoded_by_the_processor(
    film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = sample(film)
    with open_on_gpu(film, EVERY, monkeypatch, lost=frozenset(range(20, 40))) as (video, _):
        check_same(list(sample_frames(video)), expected)
        assert video.decoded_by == "cuda+cpu"


def test_a_group_that_comes_in_parts_is_left_to_the_processor(
    film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packets, "GROUP_PACKETS", 10)
    expected = sample(film)
    with open_on_gpu(film, EVERY, monkeypatch, fails_after=0) as (video, _):
        check_same(list(sample_frames(video)), expected)
        assert video.gpu


def test_a_format_that_nobody_expects_is_decoded_by_the_processor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = numbered_pictures(60)
    path = write_video(tmp_path / "film.mkv", pictures, pixel_format="yuv422p")
    expected = sample(path)
    with open_on_gpu(path, EVERY, monkeypatch) as (video, _):
        check_same(list(sample_frames(video)), expected)
        assert video.decoded_by == "cpu"


def test_a_picture_that_a_gpu_did_not_crop_is_decoded_by_the_processor(
    film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_on_gpu(film, EVERY, monkeypatch) as (video, decoder):
        monkeypatch.setattr(type(decoder), "width", video.width - 16)
        check_same(list(sample_frames(video)), sample(film))
        assert video.decoded_by == "cpu"


def test_what_a_gpu_leaves_to_the_processor_is_not_called_its_work(film: Path) -> None:
    with open_video(film, EVERY) as video:
        video.gpu = gpu.Gpu("cuda", video.reopen()[1].codec_context)
        frames = list(sample_frames(video))
        assert video.decoded_by == "cpu"
    check_same(frames, sample(film))


@pytest.mark.parametrize("kind", ["I and P", "I and I"])
def test_fields_in_packets_of_their_own_are_left_to_the_processor(
    kind: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = numbered_pictures(80, width=192, height=64)
    path = write_fields(tmp_path / "v.ts", pictures, keyframe_every=5, kind=kind)
    expected = sample(path)
    with open_on_gpu(path, EVERY, monkeypatch) as (video, _):
        check_same(list(sample_frames(video)), expected)
        assert video.unreadable_seconds == 0


def test_a_damaged_file_gives_what_it_gives_without_a_gpu(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = bytearray(film.read_bytes())
    third = len(content) // 3
    content[third : third + 3_000] = bytes(3_000)
    path = tmp_path / "damaged.mp4"
    path.write_bytes(content)
    expected = sample(path)
    with open_on_gpu(path, EVERY, monkeypatch) as (video, _):
        check_same(list(sample_frames(video)), expected)
        assert video.decoded_by == "cuda+cpu"


@pytest.mark.parametrize(
    ("name", "how", "fits"),
    [
        ("h264.mp4", {}, True),
        ("hevc.mp4", {"codec": "libx265"}, True),
        ("ten_bit.mkv", {"pixel_format": "yuv420p10le"}, True),
        ("ten_bit_422.mkv", {"pixel_format": "yuv422p10le"}, False),
        ("mpeg2.mpg", {"codec": "mpeg2video"}, False),
        ("av1.mp4", {"codec": "libsvtav1"}, False),
    ],
)
def test_a_gpu_is_tried_for_what_gpus_decode(
    name: str, how: dict[str, Any], *, fits: bool, tmp_path: Path
) -> None:
    path = write_video(tmp_path / name, numbered_pictures(10), **how)
    with open_video(path) as video:
        assert may_fit(video.container, video.stream) == fits


@pytest.mark.parametrize("name", ["cuda", "vaapi"])
def test_a_file_is_read_as_ever_where_no_gpu_opens(name: GpuDecoderName, film: Path) -> None:
    _skip_with(name)
    with open_video(film, EVERY, decoder=name) as video:
        check_same(list(sample_frames(video)), sample(film))
        assert video.decoded_by == "cpu"


def test_a_file_that_breaks_where_a_gpu_is_tried_gets_its_own_message(tmp_path: Path) -> None:
    path = tmp_path / "no_video.mp4"
    path.write_bytes(b"\0no video at all")
    with pytest.raises(UnreadableVideoError, match="not a video in a supported format"):
        open_video(path, decoder="cuda")
    path.write_bytes(b"no video at all")
    with pytest.raises(UnreadableVideoError, match="it holds text"):
        open_video(path, decoder="cuda")


def test_auto_takes_the_processor_unless_the_nets_run_on_cuda(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gpu, "_find_trouble", lambda _: "")
    assert choose_decoder("auto", nets_on_cuda=False) == "cpu"
    assert choose_decoder("auto", nets_on_cuda=True) == "cuda"
    assert choose_decoder("cpu", nets_on_cuda=True) == "cpu"
    assert choose_decoder("vaapi", nets_on_cuda=False) == "vaapi"


def test_auto_takes_the_processor_and_says_why_where_no_gpu_opens(
    caplog: pytest.LogCaptureFixture,
) -> None:
    _skip_with("cuda")
    assert choose_decoder("auto", nets_on_cuda=True) == "cpu"
    assert "nvidia-smi" in caplog.text


@pytest.mark.parametrize("name", ["cuda", "vaapi"])
def test_a_decoder_that_is_named_and_does_not_open_is_refused(name: GpuDecoderName) -> None:
    _skip_with(name)
    with pytest.raises(EngineUnavailableError, match=f"DECODE is {name}, but .*DECODE=cpu or auto"):
        choose_decoder(name, nets_on_cuda=False)


def test_a_gpu_that_opens_and_does_not_decode_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "accelerate", lambda *_, **__: None)
    with pytest.raises(
        EngineUnavailableError, match=r"cannot decode on it \(NotOnGpuError: .*video"
    ):
        choose_decoder("cuda", nets_on_cuda=False)


def test_a_gpu_that_decodes_the_trial_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "accelerate", lambda *_, **__: None)
    monkeypatch.setattr(gpu, "format_on_gpu", lambda _: "nv12")
    assert choose_decoder("cuda", nets_on_cuda=False) == "cuda"


def test_a_decoder_that_this_ffmpeg_lacks_is_refused_with_what_it_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gpu, "hwdevices_available", lambda: ["qsv", "drm"])
    with pytest.raises(EngineUnavailableError, match="PyAV can use qsv, drm only"):
        choose_decoder("cuda", nets_on_cuda=False)


def test_files_share_the_context_of_the_trial(monkeypatch: pytest.MonkeyPatch, film: Path) -> None:
    asked: list[bool] = []

    def accelerate(*_: object, is_shared: bool = False) -> None:
        asked.append(is_shared)

    monkeypatch.setattr(gpu, "_HELD", {})
    monkeypatch.setattr(gpu, "accelerate", accelerate)
    open_video(film, EVERY, decoder="cuda").close()
    monkeypatch.setattr(gpu, "format_on_gpu", lambda _: "nv12")
    choose_decoder("cuda", nets_on_cuda=False)
    open_video(film, EVERY, decoder="cuda").close()
    assert asked == [False, True, True]


def test_a_gpu_whose_context_cannot_be_shared_gives_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def accelerate(*_: object, is_shared: bool = False) -> None:
        if is_shared:
            raise ValueError("other flags")

    monkeypatch.setattr(gpu, "_HELD", {})
    monkeypatch.setattr(gpu, "accelerate", accelerate)
    monkeypatch.setattr(gpu, "format_on_gpu", lambda _: "nv12")
    assert choose_decoder("cuda", nets_on_cuda=False) == "cuda"
    assert gpu._HELD == {}


def test_every_path_has_one_word() -> None:
    assert name_decoders(()) == name_decoders({"cpu"}) == "cpu"
    assert name_decoders({"cpu", "cuda"}) == "cuda+cpu"
    assert {"cpu", "cuda", "vaapi", "cuda+cpu", "vaapi+cpu"} == DECODED_BY
    assert join_names([]) == join_names(["cpu"]) == "cpu"
    assert join_names(["cpu", "cuda"]) == join_names(["cuda+cpu", "cuda"]) == "cuda+cpu"


def _skip_with(name: GpuDecoderName) -> None:
    if name in hwdevices_available():
        try:
            HWAccel(name).create(Codec("h264", "r"))
        except gpu.FAILURES:
            return
        pytest.skip("this machine has a GPU")
