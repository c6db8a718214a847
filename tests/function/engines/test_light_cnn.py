"""Light CNN, the second encoder: the net of its checkpoint, in floats and in bytes."""

import pickle
import zipfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from function.engines.lightcnn.byte_graph import light_cnn_graph_of_bytes
from function.engines.lightcnn.checkpoint import read_tensors
from function.engines.lightcnn.encoder import LIGHT_CNN_NET, load_light_cnn, read_light_cnn
from function.engines.lightcnn.graph import STAGES, UNHALVED_STAGE, light_cnn_graph
from function.engines.lightcnn.model import CHIP_PIXELS, LIGHT_CNN, POINTS
from function.engines.onnx.graph_cache import GraphCache
from function.engines.onnx.late_encoder import LateEncoder
from function.engines.onnx.sessions import has_larger_of_bytes, open_session
from function.engines.protocol import Engine, EngineOptions, SecondEncoder
from function.engines.weights import LIGHT_CNN_WEIGHTS
from function.errors import EngineUnavailableError
from function.media.pictures import RgbImage
from tests.support.engines import detect
from tools.footage.videos import read_portrait

ON_CPU = EngineOptions(device="cpu")

IN_BYTES = pytest.mark.skipif(not has_larger_of_bytes(), reason="this onnxruntime cannot")

Planes = NDArray[np.float32]
"""Maps of numbers: (count, rows, columns)."""


def open_encoder(*, in_bytes: bool) -> SecondEncoder:
    graph = read_light_cnn(GraphCache(), in_bytes=in_bytes)
    return LateEncoder(LIGHT_CNN_NET, partial(open_session, graph, ON_CPU))


@pytest.fixture(scope="module")
def floats() -> SecondEncoder:
    return open_encoder(in_bytes=False)


Cut = Callable[[str], RgbImage]


@pytest.fixture(scope="module")
def chip_of(engine: Engine, floats: SecondEncoder, photos: Path) -> Cut:
    def cut(name: str) -> RgbImage:
        picture = read_portrait(photos / name)
        points = detect(engine, picture)[0].points
        assert points is not None
        return floats.cut(picture, points)

    return cut


def encode_plainly(chip: RgbImage) -> NDArray[np.float32]:
    """Encode a chip with the numbers of the checkpoint, in plain numpy, as the paper has it."""
    tensors = read_tensors(LIGHT_CNN_WEIGHTS.find())

    def keep_larger(maps: Planes, layer: str) -> Planes:
        filters, biases = (tensors[f"{layer}.filter.{kind}"] for kind in ("weight", "bias"))
        padded = np.pad(maps, ((0, 0), (1, 1), (1, 1)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
        summed = np.tensordot(filters, windows, axes=((1, 2, 3), (0, 3, 4)))
        first, second = np.split(summed + biases[:, None, None], 2)
        return np.maximum(first, second)

    def halve(maps: Planes) -> Planes:
        count, rows, columns = maps.shape
        squares = maps.reshape(count, rows // 2, 2, columns // 2, 2)
        return squares.max(axis=(2, 4)) + squares.mean(axis=(2, 4))

    maps = halve(keep_larger(chip[:, :, ::-1].transpose(2, 0, 1) / np.float32(255), "conv1"))
    for stage, blocks in enumerate(STAGES, start=1):
        for block in range(blocks):
            inside = keep_larger(maps, f"block{stage}.{block}.conv1")
            maps = maps + keep_larger(inside, f"block{stage}.{block}.conv2")
        maps = keep_larger(maps, f"conv{stage + 1}")
        maps = maps if stage == UNHALVED_STAGE else halve(maps)
    encoding: NDArray[np.float32] = tensors["fc.weight"] @ maps.reshape(-1) + tensors["fc.bias"]
    return encoding / np.linalg.norm(encoding)


def test_an_encoding_is_that_of_the_checkpoint(chip_of: Cut, floats: SecondEncoder) -> None:
    chip = chip_of("obama1.jpg")
    (found,) = floats.encode([chip])
    assert (found.shape, found.dtype) == ((LIGHT_CNN.dimensions,), np.float32)
    assert np.linalg.norm(found - encode_plainly(chip)) < 1e-5


@IN_BYTES
def test_in_bytes_an_encoding_moves_little(chip_of: Cut, floats: SecondEncoder) -> None:
    chips = [chip_of(name) for name in ("obama1.jpg", "obama3.jpg", "biden.jpg")]
    moved = np.linalg.norm(floats.encode(chips) - open_encoder(in_bytes=True).encode(chips), axis=1)
    assert 0 < moved.min() <= moved.max() < 0.1


def test_a_face_that_is_enrolled_is_encoded_with_its_mirror_image(
    chip_of: Cut, floats: SecondEncoder
) -> None:
    chip = chip_of("obama1.jpg")
    mirrored = np.ascontiguousarray(chip[:, ::-1])
    one, other = floats.encode([chip, mirrored])
    (both,), (likeness,) = floats.encode_with_likeness([chip])
    np.testing.assert_allclose(both, (one + other) / np.linalg.norm(one + other), atol=1e-5)
    assert likeness == pytest.approx(float(one @ other), abs=1e-5)


def test_the_points_of_a_face_come_to_lie_where_the_net_expects_them(
    floats: SecondEncoder, photos: Path
) -> None:
    picture = read_portrait(photos / "obama1.jpg")
    exact = floats.cut(picture, (POINTS + 20).astype(np.float32))
    np.testing.assert_array_equal(exact, picture[20 : 20 + CHIP_PIXELS, 20 : 20 + CHIP_PIXELS])


def test_one_person_is_nearer_than_two(chip_of: Cut, engine: Engine) -> None:
    assert engine.second
    assert engine.second.model == LIGHT_CNN
    first, again, other = engine.second.encode(
        [chip_of(name) for name in ("obama1.jpg", "obama3.jpg", "biden.jpg")]
    )
    assert np.linalg.norm(first - again) < 0.9 < np.linalg.norm(first - other)


def test_no_chips_are_no_encodings(floats: SecondEncoder) -> None:
    assert floats.encode([]).shape == (0, LIGHT_CNN.dimensions)
    encodings, likeness = floats.encode_with_likeness([])
    assert (encodings.shape, likeness.shape) == ((0, LIGHT_CNN.dimensions), (0,))


@pytest.mark.parametrize(
    ("machine", "has_avx2", "version", "in_bytes"),
    [
        pytest.param("x86_64", True, "1.31.1", True, marks=IN_BYTES),
        ("x86_64", False, "1.31.1", False),
        pytest.param("aarch64", False, "1.31.1", True, marks=IN_BYTES),
        pytest.param("x86_64", True, "2.0.0", True, marks=IN_BYTES),
        pytest.param("x86_64", True, "1.24.0", True, marks=IN_BYTES),
        ("x86_64", True, "1.23.2", False),  # the last for Intel Macs, which cannot
    ],
)
def test_the_net_is_in_bytes_where_the_processor_gains_by_it_and_onnxruntime_can(
    machine: str,
    has_avx2: bool,  # noqa: FBT001  # one of two cases
    version: str,
    in_bytes: bool,  # noqa: FBT001  # likewise
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    avx2 = 11  # to OpenCV
    monkeypatch.setattr("cv2.checkHardwareSupport", lambda one: one != avx2 or has_avx2)
    monkeypatch.setattr("platform.machine", lambda: machine)
    monkeypatch.setattr("onnxruntime.__version__", version)
    chip = np.random.default_rng(1).integers(0, 256, (CHIP_PIXELS, CHIP_PIXELS, 3), np.uint8)
    loaded = load_light_cnn(ON_CPU, GraphCache()).encode([chip])
    np.testing.assert_array_equal(loaded, open_encoder(in_bytes=in_bytes).encode([chip]))


def test_another_file_in_its_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        EngineUnavailableError, match=r"not carry the expected Light.*or set SECOND_ENCODER=sface"
    ):
        replace(LIGHT_CNN_WEIGHTS, sha256="0" * 64).find()
    with pytest.raises(EngineUnavailableError, match="nowhere is not installed"):
        replace(LIGHT_CNN_WEIGHTS, package="nowhere").find()
    path = tmp_path / "net.pth.tar"
    for content in (b"", b"PK", bytes(1_000)):
        path.write_bytes(content)
        with pytest.raises(
            EngineUnavailableError, match=r"net\.pth\.tar cannot be read as a check"
        ):
            read_tensors(path)


class Runs:
    """What a pickle may ask for that runs something."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return print, ("run",)


def write_checkpoint(path: Path, content: object) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("net/data.pkl", pickle.dumps(content, protocol=2))
    return path


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("net/other", b""),
        ("net/data.pkl", b""),
        ("net/data.pkl", pickle.dumps({"state_dict": {}}, protocol=2)[:-1]),
        ("net/data.pkl", pickle.dumps({"state_dict": 1}, protocol=2)),
        ("net/data.pkl", pickle.dumps({"state_dict": {1: 1}}, protocol=2)),
        ("net/data.pkl", pickle.dumps([1], protocol=2)),
    ],
)
def test_a_damaged_checkpoint_is_refused(name: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "net.pth.tar"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, content)
    with pytest.raises(EngineUnavailableError, match=r"cannot be read .* of PyTorch: .+\."):
        read_tensors(path)


def test_bytes_of_a_checkpoint_that_do_not_decompress_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.pth.tar"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("net/data.pkl", bytes(1_000))
    content = path.read_bytes()
    begun = content.index(b"data.pkl") + len(b"data.pkl")
    path.write_bytes(content[:begun] + b"\xff" * 4 + content[begun + 4 :])
    with pytest.raises(EngineUnavailableError, match="cannot be read as a checkpoint"):
        read_tensors(path)


def test_a_pickle_that_asks_for_more_than_tensors_is_refused_and_runs_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_checkpoint(tmp_path / "net.pth.tar", {"state_dict": {"fc.weight": Runs()}})
    with pytest.raises(EngineUnavailableError, match=r"it asks for __builtin__\.print"):
        read_tensors(path)
    assert not capsys.readouterr().out


def test_a_checkpoint_of_another_net_is_refused(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "net.pth.tar", {"state_dict": {"fc.weight": 1}})
    with pytest.raises(EngineUnavailableError, match="holds 1 layers, where Light CNN has 26"):
        light_cnn_graph(path)
    with pytest.raises(EngineUnavailableError, match="cannot be read as a checkpoint"):
        read_tensors(write_checkpoint(path, {}))


@pytest.mark.parametrize("write", [light_cnn_graph, light_cnn_graph_of_bytes])
@pytest.mark.parametrize(
    ("layer", "instead", "complaint"),
    [
        ("conv1.filter.weight", "first.weight", r"conv1\.filter\.weight should .* is missing"),
        ("fc.bias", "bias", r"fc\.bias should be \(256,\), and is missing"),
        ("block3.1.conv2.filter.weight", None, r"and is \(192, 384, 3, 3\)"),
        ("fc.weight", None, r"fc\.weight should be \(256, 8192\), and is \(8192, 256\)"),
    ],
)
def test_a_net_of_as_many_layers_laid_out_otherwise_is_refused(
    write: Callable[[Path], bytes],
    layer: str,
    instead: str | None,
    complaint: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tensors = read_tensors(LIGHT_CNN_WEIGHTS.find())
    found = tensors.pop(layer)
    tensors |= {instead: found} if instead else {layer: np.swapaxes(found, 0, 1)}
    monkeypatch.setattr("function.engines.lightcnn.graph.read_tensors", lambda _: tensors)
    with pytest.raises(EngineUnavailableError, match=complaint):
        write(Path("net.pth.tar"))
