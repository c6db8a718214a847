"""Batches of fixed shapes change nothing that a net says of a picture."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from function.engines.cuda import may_use_cuda
from function.engines.lightcnn.encoder import LIGHT_CNN_NET, read_light_cnn
from function.engines.onnx import fixed_shapes
from function.engines.onnx.cuda_nets import SHAPES, longest_pixels
from function.engines.onnx.fixed_shapes import FixedShapes, Numbers, Run, Shape, open_fixed
from function.engines.onnx.graph_cache import GraphCache
from function.engines.onnx.late_encoder import LateEncoder, LateNet
from function.engines.onnx.sessions import open_session
from function.engines.protocol import EngineOptions
from function.engines.sface.encoder import SFACE_NET, read_sface
from function.engines.yunet.detector import YunetDetector
from function.engines.yunet.net import COARSEST_STRIDE, YunetNet, load_yunet, read_yunet
from function.media.images import RgbPicture
from function.media.pictures import RgbImage
from tools.footage.videos import moving_picture, read_portrait

ON_CPU = EngineOptions(device="cpu")


class Summing:
    """Opens nets that add up the pixels of each picture, and remember in which shapes they ran."""

    def __init__(self) -> None:
        self.opened: list[Shape] = []
        self.recorded: list[Shape] = []
        self.ran: list[Shape] = []

    def open(self, shape: Shape, may_record: bool) -> Run:  # noqa: FBT001  # as OpenShape says
        self.opened.append(shape)
        self.recorded += [shape] * may_record

        def run(batch: RgbImage) -> Numbers:
            assert batch.shape == (*shape, 3)
            self.ran.append(shape)
            return [batch.sum(axis=(1, 2, 3), dtype=np.float32), batch[:, :1, :1, 0].astype(float)]

        return run


def stack(count: int, height: int, width: int, value: int = 1) -> RgbImage:
    return np.full((count, height, width, 3), value, np.uint8)


def test_pictures_lie_on_black_in_the_smallest_shape_that_holds_them() -> None:
    net = Summing()
    shapes = FixedShapes(net.open, [(1, 8, 8), (1, 4, 8), (1, 8, 16)])
    for height, width in (
        (8, 8),
        (5, 5),
        (3, 5),
        (4, 9),
    ):  # what is left of the first would be added
        sums, first = shapes.run(None, {"pixels": stack(1, height, width)})
        assert sums.tolist() == [3 * height * width]
        assert first.shape == (1, 1, 1)
    assert net.ran == [(1, 8, 8), (1, 8, 8), (1, 4, 8), (1, 8, 16)]


def test_pictures_that_are_too_large_share_a_few_squares() -> None:
    net = Summing()
    shapes = FixedShapes(net.open, [(4, 8, 8)], 1000)
    for height in (9, 20, 640):
        sums, _ = shapes.run(None, {"pixels": stack(2, height, 8)})
        assert sums.tolist() == [3 * height * 8] * 2
    shapes.run(None, {"pixels": stack(1, 8, 641)})
    assert net.opened == [(1, 640, 640), (1, 1280, 1280)]
    assert net.ran == [(1, 640, 640)] * 6 + [(1, 1280, 1280)]


def test_pictures_that_are_larger_than_any_should_be_open_nothing() -> None:
    net = Summing()
    with pytest.raises(MemoryError):
        FixedShapes(net.open, [(4, 8, 8)], 1000).run(None, {"pixels": stack(1, 8, 1001)})
    with pytest.raises(MemoryError):
        FixedShapes(net.open, [(4, 8, 8)]).run(None, {"pixels": stack(1, 8, 9)})
    assert net.opened == []


@pytest.mark.parametrize("detection_pixels", [640, 1280, 1300, 4000])
def test_every_copy_of_a_picture_that_is_searched_fits(detection_pixels: int) -> None:
    options = EngineOptions(detection_pixels=detection_pixels)
    longest = longest_pixels("yunet", options)
    shapes = FixedShapes(Summing().open, SHAPES["yunet"], longest)
    side = detection_pixels + -detection_pixels % COARSEST_STRIDE  # as the grids take it
    for sides in ((side, 32), (32, side), (side, side), (1280, 1280)):
        assert shapes.size_for(*sides)
    assert not shapes.size_for(32, max(side, 1280) + 1)
    assert [longest_pixels(name, options) for name in ("encoder", "sface")] == [0, 0]


def test_many_pictures_run_in_as_few_batches_as_hold_them() -> None:
    net = Summing()
    shapes = FixedShapes(net.open, [(1, 8, 8), (4, 8, 8)])
    pictures = np.concatenate([stack(1, 8, 8, value) for value in range(6)])
    sums, _ = shapes.run(None, {"pixels": pictures})
    assert sums.tolist() == [192 * value for value in range(6)]
    assert net.ran == [(4, 8, 8), (4, 8, 8)]
    shapes.run(None, {"pixels": stack(1, 8, 8)})
    assert net.ran[2:] == [(1, 8, 8)]


def test_stacks_of_one_size_run_together_and_are_told_apart_again() -> None:
    net = Summing()
    shapes = FixedShapes(net.open, [(4, 8, 8), (4, 16, 16)])
    stacks = [stack(1, 8, 8, 1), stack(1, 16, 16, 2), stack(2, 8, 8, 3)]
    answers = shapes.run_all(stacks)
    assert [sums.tolist() for sums, _ in answers] == [[192], [1536], [576, 576]]
    assert sorted(net.ran) == [(4, 8, 8), (4, 16, 16)]


def test_shapes_are_prepared_once() -> None:
    net = Summing()
    shapes = FixedShapes(net.open, [(1, 8, 8), (4, 8, 8)])
    shapes.prepare()
    shapes.run(None, {"pixels": stack(3, 8, 8)})
    assert net.opened == [(1, 8, 8), (4, 8, 8)]


def test_only_shapes_that_were_prepared_are_recorded() -> None:
    net = Summing()
    shapes = FixedShapes(net.open, [(1, 8, 8), (4, 8, 8)], 1000)
    shapes.prepare()
    shapes.run(None, {"pixels": stack(3, 8, 8)})
    shapes.run(None, {"pixels": stack(1, 8, 9)})
    assert net.opened == [(1, 8, 8), (4, 8, 8), (1, 640, 640)]
    assert net.recorded == [(1, 8, 8), (4, 8, 8)]


@pytest.mark.parametrize("is_recorded", [False, True])
def test_a_session_is_recorded_if_all_of_its_net_can_be_and_it_is_prepared(
    *, is_recorded: bool, cache: GraphCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[object] = []

    def note(graph: bytes, options: EngineOptions, fixed: Mapping[str, int] | None = None) -> Any:
        opened.append(fixed)
        return open_session(graph, options)

    monkeypatch.setattr(fixed_shapes, "open_session", note)
    net = open_fixed(
        read_yunet(cache), ON_CPU, [(1, 64, 64)], is_recorded=is_recorded, longest_pixels=640
    )
    net.prepare()
    net.run(None, {"pixels": stack(1, 96, 96)})
    _, prepared, other = opened
    assert bool(prepared) == is_recorded
    assert not other


@pytest.fixture(scope="module")
def cache() -> GraphCache:
    return GraphCache()


def test_a_film_shows_the_same_faces_to_nets_in_batches(photos: Path, cache: GraphCache) -> None:
    batches = open_fixed(read_yunet(cache), ON_CPU, SHAPES["yunet"], is_recorded=True)
    one = YunetDetector(load_yunet(ON_CPU, cache), 960)
    other = YunetDetector(YunetNet(batches, is_on_gpu=True), 960)
    portrait = read_portrait(photos / "obama3.jpg")
    faces = 0
    for number, picture in enumerate(moving_picture(portrait, 3, fps=2, size=(1280, 720))):
        turned = RgbPicture(np.ascontiguousarray(np.rot90(picture, number % 3)))
        here, there = one.detect(turned), other.detect(turned)
        assert [face.box for face in here] == [face.box for face in there]
        faces += len(here)
    assert faces >= 4


@pytest.mark.parametrize(
    ("name", "net", "graph"),
    [
        ("sface", SFACE_NET, read_sface),
        ("lightcnn", LIGHT_CNN_NET, partial(read_light_cnn, in_bytes=False)),
    ],
)
def test_second_encodings_are_the_same_in_batches(
    cache: GraphCache, name: str, net: LateNet, graph: Callable[[GraphCache], bytes]
) -> None:
    content, side = graph(cache), net.chip_pixels
    batches = open_fixed(content, ON_CPU, SHAPES[name], is_recorded=False)
    noise = np.random.default_rng(1)
    chips = [noise.integers(0, 256, (side, side, 3), np.uint8) for _ in range(12)]
    alone = LateEncoder(net, partial(open_session, content, ON_CPU)).encode(chips)
    together = LateEncoder(net, lambda: batches, at_once=10).encode(chips)
    assert np.abs(alone - together).max() < 1e-5


def test_cuda_is_tried_where_it_is_named_or_seems_to_be_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = tmp_path / "nvidiactl"
    assert may_use_cuda("cuda", [driver])
    assert not may_use_cuda("cpu", [driver])
    driver.touch()
    provider = tmp_path / "onnxruntime" / "capi" / "libonnxruntime_providers_cuda.so"
    provider.parent.mkdir(parents=True)
    (provider.parent.parent / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delitem(__import__("sys").modules, "onnxruntime", raising=False)
    assert not may_use_cuda("auto", [driver])
    provider.touch()
    assert may_use_cuda("auto", [driver])
    assert not may_use_cuda("auto", [tmp_path / "none"])


def test_options_with_nets_are_equal_to_those_without() -> None:
    assert replace(ON_CPU, nets=None) == ON_CPU
