"""What opens the page in a real browser, and a server that several modules share."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser, expect

from tests.support.browsers import (
    PATIENCE_MS,
    Open,
    chromium,
    opening,
)
from tests.support.servers import Serve, running_server, serving
from tests.support.videos import repeat_film

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    with opening(browser) as start:
        yield start


@pytest.fixture(scope="module")
def gallery_in_use(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("in-use") / "performers.db"


@pytest.fixture(scope="module")
def shared_server(
    page_media: Path, photos: Path, gallery_in_use: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A server of that media root, of a film that lasts longer than any test, and of a picture."""
    folder = tmp_path_factory.mktemp("server")
    media = shutil.copytree(page_media, folder / "media", symlinks=True)
    repeat_film(media / "long.mp4", media / "endless.mp4", times=60)
    shutil.copy(photos / "biden.jpg", media / ".hidden")
    settings = {"MEDIA_ROOT": media, "PERFORMERS_DB": gallery_in_use}
    with running_server(folder / "server.log", **settings) as address:
        yield address


@pytest.fixture
def gallery(gallery_path: Path, gallery_in_use: Path, tmp_path: Path) -> Path:
    """The gallery that the server uses, as it was before any test."""
    fresh = Path(shutil.copy(gallery_path, tmp_path / "fresh.db"))
    with closing(sqlite3.connect(fresh)) as raw, raw:
        # Another file than before: what the server holds in memory does not count for it.
        raw.execute("UPDATE counters SET value = abs(random()) WHERE name = 'identity'")
    for left in gallery_in_use.parent.iterdir():
        left.unlink(missing_ok=True)
    fresh.rename(gallery_in_use)  # whole at once: the server may open it at any moment
    return gallery_in_use


@pytest.fixture
def open_shared(open_page: Open, shared_server: str, gallery: Path) -> Open:  # noqa: ARG001  # the server's
    """Open the page of the shared server, at a fragment."""
    return lambda fragment="", **options: open_page(f"{shared_server}/{fragment}", **options)


@pytest.fixture
def own_gallery(gallery_path: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(gallery_path, tmp_path / "performers.db"))


@pytest.fixture
def serve(page_media: Path, own_gallery: Path) -> Iterator[Serve]:
    # One engine for videos and photos; the browser's tests have the child processes.
    with serving(MEDIA_ROOT=page_media, PERFORMERS_DB=own_gallery, SANDBOX="off") as start:
        yield start


@pytest.fixture
def client(serve: Serve) -> FlaskClient:
    return serve()
