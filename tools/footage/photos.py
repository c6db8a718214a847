"""Public-domain portraits to try things on, taken from pinned and hash-checked packages.

The photographs are official portraits by the United States government (White House, NASA, Navy)
and one cat (CC0), which well-known Python packages carry as samples. pip fetches and checks the
packages; nothing is committed.
"""

import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

PHOTOS_FOLDER = Path(__file__).parents[2] / ".cache" / "photos"

_SDIST_MEMBERS = {
    "obama1.jpg": "face_recognition-1.3.0/tests/test_images/obama.jpg",
    "obama2.jpg": "face_recognition-1.3.0/tests/test_images/obama2.jpg",
    "obama3.jpg": "face_recognition-1.3.0/tests/test_images/obama3.jpg",
    "biden.jpg": "face_recognition-1.3.0/tests/test_images/biden.jpg",
}
_WHEEL_MEMBERS = {
    "astronaut.png": "skimage/data/astronaut.png",
    "cat.png": "skimage/data/chelsea.png",
    "hopper.jpg": "matplotlib/mpl-data/sample_data/grace_hopper.jpg",
}
_WHEEL_PLATFORM = ["--only-binary", ":all:", "--platform", "macosx_11_0_arm64"]


def fetch_photos(folder: Path = PHOTOS_FOLDER) -> Path:
    """Fetch the seven pictures into `folder`, unless they exist, and return it.

    Raises:
        subprocess.CalledProcessError: pip could not fetch a package, or its hash differs.
    """
    if not all((folder / name).exists() for name in {**_SDIST_MEMBERS, **_WHEEL_MEMBERS}):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as temporary:
            packages = Path(temporary)
            _download("sdists.txt", packages, ["--no-binary", ":all:"])
            _download("wheels.txt", packages, [*_WHEEL_PLATFORM, "--python-version", "3.11"])
            _extract(packages, folder)
    return folder


def _download(pins: str, destination: Path, which: list[str]) -> None:
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    requirements = ["--requirement", str(Path(__file__).with_name(pins))]
    command = [*pip, *which, "--dest", str(destination), *requirements]
    subprocess.run(command, check=True, stdout=sys.stderr)  # noqa: S603  # a fixed command


def _extract(packages: Path, folder: Path) -> None:
    pictures: dict[str, bytes] = {}
    for archive in packages.glob("*.tar.gz"):
        with tarfile.open(archive) as sdist:
            for name, member in _SDIST_MEMBERS.items():
                stream = sdist.extractfile(member)
                pictures[name] = stream.read() if stream else b""
    for archive in packages.glob("*.whl"):
        with zipfile.ZipFile(archive) as wheel:
            held = set(wheel.namelist())
            pictures |= {n: wheel.read(m) for n, m in _WHEEL_MEMBERS.items() if m in held}
    for name, content in pictures.items():
        partial = folder / f"{name}.partial"
        partial.write_bytes(content)
        partial.replace(folder / name)
