"""SFace, the second encoder: the same net as in its file, on chips cut by five points."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator

from function.engines.chip_points import ARCFACE_POINTS
from function.engines.onnx.graph_cache import GraphCache
from function.engines.onnx.late_encoder import LateEncoder
from function.engines.protocol import Engine, EngineOptions, Points, SecondEncoder
from function.engines.sface.encoder import SFACE_NET, load_sface
from function.engines.sface.graph import sface_graph
from function.engines.sface.model import CHIP_PIXELS, SFACE
from function.engines.weights import SFACE_WEIGHTS, YUNET_WEIGHTS
from function.errors import EngineUnavailableError
from function.media.pictures import RgbImage
from tests.support.engines import detect
from tools.footage.videos import read_portrait


@pytest.fixture(scope="module")
def sface() -> SecondEncoder:
    return load_sface(EngineOptions(device="cpu"), GraphCache())


Cut = Callable[[str], RgbImage]


@pytest.fixture(scope="module")
def chip_of(engine: Engine, sface: SecondEncoder, photos: Path) -> Cut:
    def cut(name: str) -> RgbImage:
        picture = read_portrait(photos / name)
        return sface.cut(picture, points_in(engine, picture))

    return cut


def points_in(engine: Engine, picture: RgbImage) -> Points:
    points = detect(engine, picture)[0].points
    assert points is not None
    return points


def encode_as_in_the_file(chip: RgbImage) -> NDArray[np.float32]:
    """Encode a chip with the net as its file has it, packed weights and all, in plain numpy."""
    planes = np.ascontiguousarray(chip.transpose(2, 0, 1)[None], np.float32)
    (features,) = ReferenceEvaluator(str(SFACE_WEIGHTS.find())).run(["fc1"], {"data": planes})
    found: NDArray[np.float32] = features[0] / np.linalg.norm(features[0])
    return found


def test_an_encoding_is_that_of_the_file_for_a_chip_and_its_mirror_image(
    chip_of: Cut, sface: SecondEncoder
) -> None:
    chip = chip_of("obama1.jpg")
    mirrored = np.ascontiguousarray(chip[:, ::-1])
    both = encode_as_in_the_file(chip) + encode_as_in_the_file(mirrored)
    (found,) = sface.encode([chip])
    assert (found.shape, found.dtype) == ((SFACE.dimensions,), np.float32)
    assert np.linalg.norm(found - both / np.linalg.norm(both)) < 1e-5


def test_the_points_of_a_face_come_to_lie_where_the_net_expects_them(
    engine: Engine, sface: SecondEncoder, photos: Path
) -> None:
    picture = read_portrait(photos / "obama1.jpg")
    leaning = np.ascontiguousarray(np.rot90(picture))
    for one in (picture, leaning):
        chip = sface.cut(one, points_in(engine, one))
        assert chip.shape == (CHIP_PIXELS, CHIP_PIXELS, 3)
    straight = sface.cut(picture, points_in(engine, picture))
    turned = sface.cut(leaning, points_in(engine, leaning))
    first, second = sface.encode([straight, turned])
    assert np.linalg.norm(first - second) < 0.35
    exact = sface.cut(picture, (ARCFACE_POINTS + 20).astype(np.float32))
    np.testing.assert_array_equal(exact, picture[20 : 20 + CHIP_PIXELS, 20 : 20 + CHIP_PIXELS])


def test_one_person_is_nearer_than_two(chip_of: Cut, sface: SecondEncoder) -> None:
    first, again, other = sface.encode(
        [chip_of(name) for name in ("obama1.jpg", "obama3.jpg", "biden.jpg")]
    )
    assert np.linalg.norm(first - again) < 1.0 < np.linalg.norm(first - other)


def test_no_chips_are_no_encodings(sface: SecondEncoder) -> None:
    assert sface.encode([]).shape == (0, SFACE.dimensions)


def test_points_that_lie_on_one_another_are_cut_without_an_error(sface: SecondEncoder) -> None:
    picture = np.full((80, 80, 3), 90, np.uint8)
    chip = sface.cut(picture, np.full((5, 2), 40, np.float32))
    assert np.isfinite(sface.encode([chip])).all()


def test_its_session_is_opened_when_it_is_first_used_and_once_for_all_threads(
    sface: SecondEncoder,
) -> None:
    assert isinstance(sface, LateEncoder)
    chips = [np.full((CHIP_PIXELS, CHIP_PIXELS, 3), 90, np.uint8)]
    opened: list[object] = []

    def open_net() -> object:
        time.sleep(0.05)  # so that the other threads come meanwhile
        opened.append(sface._opened())
        return opened[-1]

    lazy = LateEncoder(SFACE_NET, open_net)
    lazy.cut(np.zeros((80, 80, 3), np.uint8), np.full((5, 2), 40, np.float32))
    assert not opened
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lazy.encode, [chips] * 4))
    assert len(opened) == 1
    assert all(np.array_equal(one, sface.encode(chips)) for one in found)


def test_another_net_in_its_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailableError, match="53 convolutions, where SFace has 27"):
        sface_graph(YUNET_WEIGHTS.find())
    with pytest.raises(EngineUnavailableError, match="does not carry the expected face_recog"):
        replace(SFACE_WEIGHTS, sha256="0" * 64).find()
    assert not list(tmp_path.iterdir())


def test_one_changed_weight_is_noticed(chip_of: Cut, sface: SecondEncoder) -> None:
    from function.engines.onnx.sessions import open_session  # noqa: PLC0415  # heavy, used here only

    chip = chip_of("obama1.jpg")
    model = onnx.load_from_string(sface_graph(SFACE_WEIGHTS.find()))
    kernel = next(one for one in model.graph.initializer if list(one.dims)[2:] == [3, 3])
    values = onnx.numpy_helper.to_array(kernel).copy()
    values.flat[3] += 0.5
    kernel.CopyFrom(onnx.numpy_helper.from_array(values, kernel.name))
    changed = LateEncoder(
        SFACE_NET, partial(open_session, model.SerializeToString(), EngineOptions())
    )
    assert np.linalg.norm(changed.encode([chip]) - sface.encode([chip])) > 1e-2


def test_the_second_net_opens_again_after_it_could_not_be_opened() -> None:
    tried: list[int] = []

    class Ones:
        def run(self, _: object, feeds: dict[str, RgbImage]) -> list[NDArray[np.float32]]:
            return [np.ones((len(feeds["chips"]), SFACE.dimensions), np.float32)]

    def open_net() -> Ones:
        tried.append(1)
        if len(tried) < 3:
            raise MemoryError
        return Ones()

    encoder = LateEncoder(SFACE_NET, open_net)
    encoder.keep_room()
    chip = np.zeros((CHIP_PIXELS, CHIP_PIXELS, 3), np.uint8)
    for _ in range(2):
        with pytest.raises(MemoryError):
            encoder.encode([chip])
    assert encoder.encode([chip]).shape == (1, SFACE.dimensions)
