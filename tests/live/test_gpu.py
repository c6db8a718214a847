"""On a GPU the same faces are found, with the same encodings, as on the CPU."""

from pathlib import Path

import numpy as np
import pytest

from function.engines.loading import load_engine
from function.engines.protocol import Engine, EngineOptions
from function.errors import EngineUnavailableError
from function.faces.faces import faces_of_image
from tools.footage.videos import read_portrait


@pytest.fixture(scope="module")
def gpu() -> Engine:
    try:
        return load_engine("onnx", EngineOptions(device="cuda"))
    except EngineUnavailableError as error:
        pytest.skip(f"no GPU: {error}")


@pytest.mark.parametrize("name", ["obama1.jpg", "biden.jpg", "astronaut.png", "hopper.jpg"])
def test_a_gpu_sees_what_the_cpu_sees(name: str, gpu: Engine, engine: Engine, photos: Path) -> None:
    portrait = read_portrait(photos / name)
    (there,) = faces_of_image(portrait, gpu, 960)
    (here,) = faces_of_image(portrait, engine, 960)
    assert np.abs(np.subtract(corners(there.box), corners(here.box))).max() <= 2
    assert np.linalg.norm(there.encoding - here.encoding) < 0.02
    assert abs(there.quality - here.quality) < 0.02


def corners(box: object) -> list[int]:
    return [getattr(box, side) for side in ("left", "top", "right", "bottom")]
