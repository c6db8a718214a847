"""A net of one's own: what it is given, what it gives, and every reason to refuse it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from function.engines.chip_points import ARCFACE_POINTS
from function.engines.loading import load_engine
from function.engines.models import PRIMARY, models_of
from function.engines.own.description import read_description
from function.engines.own.encoder import load_own, prepare_chip
from function.engines.protocol import Engine, EngineOptions
from function.errors import EngineUnavailableError
from function.media.pictures import RgbImage
from tests.support.engines import detect
from tests.support.own_nets import NUMBERS, PATCH, PIXELS, as_model, make_net, write_net
from tools.footage.videos import read_portrait

OPTIONS = EngineOptions()
SHAPE = ["n", 3, PIXELS, PIXELS]


def noise(seed: int = 1) -> RgbImage:
    return np.random.default_rng(seed).integers(0, 256, (PIXELS, PIXELS, 3), np.uint8)


def node(kind: str, *names: str, **attributes: Any) -> Any:
    *inputs, output = names
    return helper.make_node(kind, inputs, [output], **attributes)


def test_a_chip_becomes_what_the_description_says(tmp_path: Path) -> None:
    def prepared(**changes: Any) -> Any:
        return prepare_chip(chip, read_description(write_net(tmp_path, **changes)).preprocessing)

    chip = noise()
    usual = prepared()
    assert (usual.shape, usual.dtype) == ((1, 3, PIXELS, PIXELS), np.float32)
    np.testing.assert_allclose(usual[0, 0], (chip[:, :, 0] - 127.5) / 128, atol=1e-6)
    turned = prepared(channels="bgr", mean=[0, 0, 10], scale=[1, 1, 2])
    np.testing.assert_allclose(turned[0, 2], (chip[:, :, 0] - 10.0) * 2)
    np.testing.assert_allclose(turned[0, 0], chip[:, :, 2])
    np.testing.assert_array_equal(prepared(layout="nhwc")[0], usual[0].transpose(1, 2, 0))


def test_an_encoding_is_the_mean_with_the_mirror_image_and_of_length_one(tmp_path: Path) -> None:
    encoder = load_own(write_net(tmp_path), OPTIONS)
    sums = numpy_helper.to_array(make_net().graph.initializer[0])
    cells = PIXELS // PATCH

    def by_hand(chip: RgbImage) -> Any:
        planes = ((chip.astype(np.float64) - 127.5) / 128).transpose(2, 0, 1)
        row = planes.reshape(3, cells, PATCH, cells, PATCH).mean(axis=(2, 4)).ravel()
        found = (row - row.mean()) @ sums
        return found / np.linalg.norm(found)

    chips = [noise(seed) for seed in (1, 2)]
    found = encoder.encode(chips)
    assert (found.shape, found.dtype) == ((2, NUMBERS), np.float32)
    for one, chip in zip(found, chips, strict=True):
        both = by_hand(chip) + by_hand(chip[:, ::-1])
        np.testing.assert_allclose(one, both / np.linalg.norm(both), atol=1e-4)
    assert encoder.encode([]).shape == (0, NUMBERS)


def test_a_face_is_cut_by_the_template(tmp_path: Path) -> None:
    picture = np.random.default_rng(1).integers(0, 256, (200, 200, 3), np.uint8)
    encoder = load_own(write_net(tmp_path), OPTIONS)
    exact = encoder.cut(picture, (ARCFACE_POINTS + 20).astype(np.float32))
    np.testing.assert_array_equal(exact, picture[20 : 20 + PIXELS, 20 : 20 + PIXELS])


@pytest.mark.parametrize("name", ["onnx", "dlib"])
def test_every_engine_takes_it_in_the_place_of_sface(tmp_path: Path, name: str) -> None:
    path = write_net(tmp_path)
    engine = load_engine(name, EngineOptions(second_encoder=path))
    assert models_of(engine) == (PRIMARY.id, read_description(path).id)
    without = load_engine(name, EngineOptions(second_encoder=path, detector="hog"))
    assert without.second is None


def test_pictures_of_one_person_are_nearer_than_of_two(
    tmp_path: Path, photos: Path, engine: Engine
) -> None:
    encoder = load_own(write_net(tmp_path), OPTIONS)
    chips = []
    for name, shift in (("obama1.jpg", 0), ("obama1.jpg", 3), ("biden.jpg", 0)):
        picture = np.roll(read_portrait(photos / name), shift, axis=0)
        points = detect(engine, picture)[0].points
        assert points is not None
        chips.append(encoder.cut(picture, points))
    first, again, other = encoder.encode(chips)
    assert np.linalg.norm(first - again) < 0.5 * np.linalg.norm(first - other)


@pytest.mark.parametrize("shape", [[1, 3, PIXELS, PIXELS], ["n", 3, "h", "w"], [None, 3, 112, 112]])
def test_inputs_that_are_fixed_or_left_open_are_accepted(tmp_path: Path, shape: list[Any]) -> None:
    net = make_net()
    value = helper.make_tensor_value_info("data", TensorProto.FLOAT, shape)
    net.graph.input[0].CopyFrom(value)
    encoder = load_own(write_net(tmp_path, net), OPTIONS)
    assert encoder.encode([noise()]).shape == (1, NUMBERS)


def test_channels_may_come_last(tmp_path: Path) -> None:
    net = make_net()
    value = helper.make_tensor_value_info("last", TensorProto.FLOAT, ["n", PIXELS, PIXELS, 3])
    net.graph.node.insert(0, node("Transpose", "last", "data", perm=[0, 3, 1, 2]))
    net.graph.input[0].CopyFrom(value)
    last = load_own(write_net(tmp_path / "last", net, layout="nhwc"), OPTIONS)
    first = load_own(write_net(tmp_path / "first"), OPTIONS)
    np.testing.assert_allclose(last.encode([noise()]), first.encode([noise()]), atol=1e-6)


def external() -> onnx.ModelProto:
    net = make_net()
    weights = net.graph.initializer[0]
    onnx.external_data_helper.set_external_data(weights, location="weights.bin")
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    return net


def external_in_a_branch() -> onnx.ModelProto:
    """A net that adds, in one branch, what a file says that lies where it is run."""
    net = make_net()
    net.graph.node[-1].output[0] = "sum"
    outside = onnx.TensorProto(name="told", data_type=TensorProto.FLOAT, dims=[NUMBERS])
    outside.data_location = TensorProto.EXTERNAL
    outside.external_data.add(key="location", value="secret.bin")
    shown = [helper.make_tensor_value_info("more", TensorProto.FLOAT, None)]
    branch = helper.make_graph([node("Add", "sum", "told", "more")], "b", [], shown, [outside])
    always = numpy_helper.from_array(np.array(True), "always")  # noqa: FBT003  # an array of it
    net.graph.initializer.append(always)
    net.graph.node.append(node("If", "always", "encodings", then_branch=branch, else_branch=branch))
    return net


def another_domain() -> onnx.ModelProto:
    return as_model([node("Look", "data", "encodings", domain="strange")], [], SHAPE)


def unknown_operator() -> onnx.ModelProto:
    return as_model([node("Look", "data", "encodings")], [], SHAPE)


def bytes_as_input() -> onnx.ModelProto:
    nodes = [
        node("Cast", "data", "floats", to=TensorProto.FLOAT),
        node("GlobalAveragePool", "floats", "small"),
        node("Flatten", "small", "encodings"),
    ]
    return as_model(nodes, [], SHAPE, kind=TensorProto.UINT8)


def two_inputs() -> onnx.ModelProto:
    return as_model([node("Add", "data", "more", "encodings")], [], SHAPE, inputs=("data", "more"))


def two_outputs() -> onnx.ModelProto:
    net = make_net()
    net.graph.output.append(helper.make_tensor_value_info("even", TensorProto.FLOAT, None))
    return net


def picture_as_output() -> onnx.ModelProto:
    return as_model([node("Relu", "data", "encodings")], [], SHAPE)


def not_a_number() -> onnx.ModelProto:
    net = make_net()
    net.graph.node[-1].output[0] = "sum"
    net.graph.node.append(node("Sqrt", "sum", "encodings"))  # of negative numbers too
    return net


def always_the_same() -> onnx.ModelProto:
    net = make_net()
    net.graph.node[-1].output[0] = "sum"
    nothing = numpy_helper.from_array(np.zeros(1, np.float32), "nothing")
    same = numpy_helper.from_array(np.ones(NUMBERS, np.float32), "same")
    net.graph.initializer.extend([nothing, same])
    net.graph.node.append(node("Mul", "sum", "nothing", "zeros"))
    net.graph.node.append(node("Add", "zeros", "same", "encodings"))
    return net


def by_chance() -> onnx.ModelProto:
    net = make_net()
    net.graph.node[-1].output[0] = "sum"
    net.graph.node.append(node("RandomNormalLike", "sum", "encodings"))
    return net


def no_graph() -> onnx.ModelProto:
    net = make_net()
    net.ClearField("graph")
    return net


def too_small_inside() -> onnx.ModelProto:
    net = make_net(side=PIXELS // 2)
    net.graph.input[0].CopyFrom(
        helper.make_tensor_value_info("data", TensorProto.FLOAT, ["n", 3, "h", "w"])
    )
    return net


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: b"no net at all", r"encoder\.onnx is not an ONNX file"),
        (lambda: b"", "is not an ONNX file: it holds no net"),
        (no_graph, "is not an ONNX file: it holds no net"),
        (lambda: make_net().SerializeToString()[:-999], r"encoder\.onnx is not an ONNX file"),
        (external, r"encoder\.onnx keeps its weights in another file"),
        (external_in_a_branch, r"encoder\.onnx keeps its weights in another file"),
        (another_domain, r"uses operators of strange, which onnxruntime does not bring along"),
        (unknown_operator, r"onnxruntime cannot run encoder\.onnx: .*Look"),
        (lambda: make_net(side=128), r"input of encoder\.onnx is \('n', 3, 128, 128\).*112 pixels"),
        (bytes_as_input, r"tensor\(uint8\); by its description.* must be .* tensor\(float\)"),
        (two_inputs, r"tensor\(float\) and \('n', 3, 112, 112\) tensor\(float\); by its"),
        (two_outputs, r"has 2 outputs \(encodings, even\); export it with the encoding alone"),
        (picture_as_output, r"output of encoder\.onnx for one face is \(1, 3, 112, 112\); it must"),
        (lambda: make_net(numbers=7), "gives 7 numbers for a face; encodings have 8 to 2048"),
        (lambda: make_net(numbers=2049), "gives 2049 numbers for a face"),
        (not_a_number, "gives NaN or infinity for a face"),
        (always_the_same, "encodes 4 unlike pictures alike: it cannot tell faces apart"),
        (by_chance, "encodes one picture in two ways. Export it for use, not for training"),
        (too_small_inside, r"cannot be run on an input of \(1, 3, 112, 112\)"),
    ],
)
def test_a_net_that_does_not_fit_is_refused_with_the_reason(
    tmp_path: Path,
    make: Callable[[], onnx.ModelProto | bytes],
    complaint: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "secret.bin").write_bytes(np.ones(NUMBERS, np.float32).tobytes())
    monkeypatch.chdir(tmp_path)
    with pytest.raises(EngineUnavailableError, match=complaint) as refused:
        load_own(write_net(tmp_path, make()), OPTIONS)
    assert str(tmp_path) not in str(refused.value)


def test_nan_for_a_face_in_use_is_an_error_and_no_encoding(tmp_path: Path) -> None:
    net = make_net()
    net.graph.node[-1].output[0] = "sum"
    net.graph.node.extend(  # infinite for a picture that is one colour
        [node("ReduceSumSquare", "sum", "all", axes=[1]), node("Div", "sum", "all", "encodings")]
    )
    encoder = load_own(write_net(tmp_path, net), OPTIONS)
    assert np.isfinite(encoder.encode([noise()])).all()
    with pytest.raises(EngineUnavailableError, match="gives NaN or infinity for a face"):
        encoder.encode([np.full((PIXELS, PIXELS, 3), 90, np.uint8)])
