"""A real Stash, and our server beside it, are killed while we write: nothing is lost or doubled.

Beside STASH_URL and STASH_API_KEY it needs STASH_COMMAND, which starts that Stash: it must not run
yet, hold the more scenes the better, and be there for tests.
"""

import itertools
import os
import shlex
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from db.records import Identity, Performer
from db.sqlite.ledger import SqliteLedger
from db.videos import Scanned, Stamp, VideoFile
from function.engines.models import PRIMARY
from function.faces.found import StageSeconds
from function.library.keeping import Watched, keep_people
from function.library.naming import open_naming
from function.people.gathering import PeopleFound
from function.settings import Settings
from function.stash.client import Stash
from function.stash.records import NewPerformer, Scene
from tests.live.test_stash_undo import whole
from tests.support.live_stash import MASTER, TOKEN, ask, ask_ours, wait_for
from tests.support.made_up_libraries import MadeUpLibrary
from tests.support.servers import own_server
from tools.soak.servers import free_port

URL, API_KEY = os.environ.get("STASH_URL", "").rstrip("/"), os.environ.get("STASH_API_KEY", "")
COMMAND = os.environ.get("STASH_COMMAND", "")
MOST_SCENES = 400
PATIENCE_SECONDS = 600.0

pytestmark = pytest.mark.skipif(
    not (URL and COMMAND), reason="STASH_COMMAND starts no Stash that may be killed"
)


class RunningStash:
    """The Stash, which can be killed and started again."""

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process = subprocess.Popen(
            shlex.split(COMMAND), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_for(self._answers)

    def go_on(self) -> None:
        """Start it if it was killed."""
        if self._process.poll() is not None:
            self.start()

    def kill(self) -> None:
        """Kill it, as a lack of memory does."""
        self._process.kill()
        self._process.wait()

    def _answers(self) -> bool:
        with suppress(OSError):
            return bool(ask(URL, API_KEY, "{ version { version } }"))
        return False


@pytest.fixture
def stash() -> Iterator[RunningStash]:
    with suppress(OSError):
        ask(URL, API_KEY, "{ version { version } }")
        pytest.skip(f"{URL} answers already, so it is not ours to be killed")
    running = RunningStash()
    yield running
    running.kill()


@pytest.fixture
def client(stash: RunningStash) -> Iterator[Stash]:
    stash.go_on()
    with closing(Stash(URL, API_KEY)) as opened:
        yield opened


@pytest.fixture
def performers(stash: RunningStash, client: Stash) -> Iterator[list[str]]:
    """Ten performers of Stash who are in no scene."""
    name = f"made by a test at {time.time():.3f}"
    made = [client.create_performer(NewPerformer(f"{name}, {one}")).id for one in range(10)]
    yield made
    stash.go_on()
    client.destroy_performers(made)


def make_library(
    folder: Path, scenes: list[Scene], performers: list[str]
) -> tuple[MadeUpLibrary, set[tuple[str, str]]]:
    """Make a gallery and a ledger that knows two of ten performers in each scene; say whom."""
    library = MadeUpLibrary(folder)
    with library.store.changing() as gallery:
        for number, id_ in enumerate(performers):
            known = (Identity("stash", id_),)
            gallery.enrol(
                Performer(0, f"P{number}", source_id=f"P{number}", identities=known), [], None
            )
    naming = open_naming(library.store, None, Settings(second_encoder="off"))
    pairs = itertools.cycle(itertools.combinations(range(10), 2))
    wanted: set[tuple[str, str]] = set()
    with library.ledger() as ledger:
        for scene, pair in zip(scenes, pairs, strict=False):
            (file, *_) = scene.files
            found = Path(file.path).stat()
            stamp = Stamp(found.st_size, found.st_mtime_ns)
            ledger.offer([VideoFile(os.fsencode(file.path), stamp, file.oshash)], "normal")
            people = tuple(library.person(one, 10 * at) for at, one in enumerate(pair))
            seen = PeopleFound(people, (PRIMARY.id,), 30, 12, StageSeconds(0.0, 0.0))
            kept = keep_people(seen, Watched(file.path, 30.0), naming, strangers=False)
            lease = ledger.lease("test", 60)
            assert lease
            scanned = Scanned("normal", None, (PRIMARY.id,))
            generation = naming.gallery.generation
            assert ledger.finish(lease, kept.found, scanned, kept.outcomes, generation)
            wanted |= {(scene.id, performers[one]) for one in pair}
    return library, wanted


def tagged(scenes: dict[str, Any], performers: list[str]) -> set[tuple[str, str]]:
    return {
        (scene, who["id"])
        for scene, one in scenes.items()
        for who in one["performers"]
        if who["id"] in performers
    }


def test_stash_and_our_server_are_killed_in_mid_apply_and_mid_undo(
    stash: RunningStash, client: Stash, performers: list[str], tmp_path: Path
) -> None:
    scenes = list(itertools.islice(client.scenes(), MOST_SCENES))
    before = whole(client)
    library, wanted = make_library(tmp_path, scenes, performers)
    port = free_port()
    settings = library.settings() | {
        "MEDIA_ROOT": Path(scenes[0].files[0].path).parent,
        "STASH_URL": URL,
        "STASH_API_KEY": API_KEY,
        "TOKEN": MASTER,
        "PLUGIN_TOKEN": TOKEN,
        "PORT": port,
    }
    ours = f"http://127.0.0.1:{port}"

    def writes(*states: str) -> Counter[tuple[str, str]]:
        """Count the additions that are in some states, by scene and performer."""
        with SqliteLedger(library.ledger_path) as ledger:
            rows = ledger.rows(
                "SELECT scene, thing, state FROM stash_writes WHERE kind = 'performer'"
            )
            return Counter((scene, thing) for scene, thing, state in rows if state in states)

    def newest() -> Any:
        return ask_ours(ours, "/stash/status")["tasks"][0]

    def is_done() -> bool:
        assert newest()["state"] != "failed", newest()
        return bool(newest()["state"] == "done")

    def killed_at(*states: str, share: float) -> None:
        """Kill Stash as soon as so much is written, see what is said, and start it again."""
        wait_for(lambda: writes(*states).total() >= share * len(wanted), PATIENCE_SECONDS)
        stash.kill()
        wait_for(lambda: newest()["state"] == "waiting")
        assert newest()["text"].startswith(f"Stash at {URL}/graphql does not answer")
        assert "It continues by itself" in newest()["text"]
        stash.start()

    with own_server(tmp_path / "1.log", **settings) as (_, server):
        ask_ours(ours, "/stash/task", {"kind": "apply", "confirmed": True, "tag": f"of {tmp_path}"})
        killed_at("done", share=0.2)
        wait_for(lambda: writes("done").total() >= 0.6 * len(wanted), PATIENCE_SECONDS)
        server.kill()
        server.wait()
    assert writes("done").total() < len(wanted), "it was killed midway"
    with own_server(tmp_path / "2.log", **settings):
        wait_for(is_done, PATIENCE_SECONDS)
        assert newest()["text"].startswith(f"Made {len(wanted)} additions to {len(scenes)} scenes.")
        assert writes("intended", "done") == Counter(wanted), "each is noted once"
        applied = whole(client)
        assert tagged(applied, performers) == wanted
        alike = ("id", "title", "files", "scene_markers", "studio")
        assert all(applied[one][name] == before[one][name] for one in before for name in alike)
        ask_ours(ours, "/stash/task", {"kind": "undo"})
        killed_at("undone", share=0.3)
        wait_for(is_done, PATIENCE_SECONDS)
        assert f"{len(wanted)} performers" in newest()["text"] or "interrupted" in newest()["text"]
    assert writes("undone") == Counter(wanted), "nothing is forgotten"
    assert whole(client) == before
