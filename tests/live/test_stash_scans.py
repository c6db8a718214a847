"""A long scan in a real Stash: who is waited for comes first, and a server that is killed goes on.

See `tests.live.test_stash` for what it needs.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen

import pytest
from playwright.sync_api import Page

from db.sqlite.ledger import SqliteLedger
from db.videos import VideoRecord
from tests.support.live_stash import (
    FOLDER,
    TOKEN,
    LiveStash,
    ask_ours,
    configure,
    film_of,
    settings_beside,
    wait_for,
    wait_for_quiet,
)
from tests.support.live_stash_page import FIRST_LOOK_MILLISECONDS, install, open_faces
from tests.support.servers import own_server
from tools.soak.servers import free_port

FILMS = 8
SCAN = "Find people in all scenes"


@pytest.fixture(scope="module")
def films(stash: LiveStash, photos: Path) -> Iterator[list[str]]:
    """Films that take a while; names in the order in which they are scanned."""
    folder = stash.folder / FOLDER / "many"
    folder.mkdir(exist_ok=True)
    names = [f"many {number:02}.mp4" for number in range(FILMS)]
    pictures = [photos / one for one in ("obama3.jpg", "hopper.jpg", "astronaut.png")]
    for number, name in enumerate(names):
        if not (folder / name).exists():
            film_of(folder / name, pictures[number % 3 :], seconds=8 + number / 10)
    stash.finish(stash.ask("mutation { metadataScan(input: {}) }")["metadataScan"])
    yield names
    shutil.rmtree(folder)


@contextmanager
def server(stash: LiveStash, folder: Path, port: int) -> Iterator[tuple[str, "Popen[bytes]"]]:
    """Serve at a port, with what was known there before; the process may be killed."""
    settings = settings_beside(stash, folder) | {"PORT": port}
    with own_server(folder / "server.log", **settings) as started:
        yield started


def records(folder: Path) -> dict[str, VideoRecord]:
    """Return the videos of a library that are done, by the names of their files."""
    with SqliteLedger(folder / "l.db") as ledger:
        return {_name(one): one for one in ledger.iterate("done")}


def _name(video: VideoRecord) -> str:
    return Path(os.fsdecode(video.known_paths[0])).name


def test_a_scene_that_is_opened_during_a_scan_is_looked_at_first(
    page: Page, address: str, stash: LiveStash, films: list[str], tmp_path: Path
) -> None:
    with server(stash, tmp_path, free_port()) as (ours, _):
        install(page, address, ours, "plugins", "plugins")
        configure(stash, address=ours, token=TOKEN)
        stash.run_task("Check connection")
        stash.run_task("Enrol my performers")
        wait_for_quiet(ours)
        stash.run_task(SCAN)
        wait_for(lambda: ask_ours(ours, "/stash/status")["working"])
        with SqliteLedger(tmp_path / "l.db") as ledger:
            waiting = [one for one in ledger.iterate("queued") if _name(one) in films]
        last = _name(waiting[-1])
        open_faces(page, address, stash, last)
        faces = page.locator(".recognition-faces")
        button = faces.get_by_role("button", name="Find people")
        button.or_(faces.get_by_text("Waiting for its turn", exact=False)).first.wait_for()
        if button.count():
            button.click()
        faces.locator("article").first.wait_for(timeout=FIRST_LOOK_MILLISECONDS)
        left = ask_ours(ours, "/stash/status")["queued"]
        assert left >= len(films) // 4, "the others waited meanwhile"
        wait_for_quiet(ours)


def test_a_server_that_is_killed_in_mid_scan_says_so_and_goes_on_with_what_is_left(
    page: Page, address: str, stash: LiveStash, films: list[str], tmp_path: Path
) -> None:
    port = free_port()
    with server(stash, tmp_path, port) as (ours, process):
        configure(stash, address=ours, token=TOKEN)
        stash.run_task("Check connection")
        stash.run_task("Enrol my performers")
        wait_for_quiet(ours)
        stash.run_task(SCAN)
        wait_for(lambda: len(records(tmp_path)) >= 3)
        process.kill()
        process.wait()
    before = records(tmp_path)
    assert 3 <= len(before) < len(films)
    open_faces(page, address, stash, films[0])
    alert = page.locator(".recognition-faces [role=alert]")
    alert.get_by_text(f"Nothing answers at {ours}", exact=False).wait_for()
    with server(stash, tmp_path, port) as (ours, _):
        wait_for_quiet(ours)
        alert.get_by_role("button", name="Try again").click()
        page.locator(".recognition-faces article").first.wait_for()
        answers = [
            stash.run_operation(operation="view", scene=stash.subject(film), pictures=False)
            for film in films
        ]
    assert {one["state"] for one in answers} == {"done"}
    after = records(tmp_path)
    assert set(films) <= set(after)
    assert {name: after[name] for name in before} == before, "nothing is looked at twice"
