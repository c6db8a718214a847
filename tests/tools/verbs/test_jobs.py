"""`jobs`, and what a scan in a shell makes of it."""

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from function.library.jobs import resume
from tests.support.made_up_libraries import MadeUpLibrary
from tests.support.scans import offer_all, write_album
from tools.cli import main


@pytest.fixture
def library(tmp_path: Path) -> MadeUpLibrary:
    """One scanned video, and one in the queue."""
    made = MadeUpLibrary(tmp_path)
    made.scan("a.mp4", [made.person(0)])
    made.add_file("d.mp4")
    return made


def run(library: MadeUpLibrary, *arguments: str) -> Any:
    environment = {name: str(value) for name, value in library.settings().items()}
    done = CliRunner().invoke(main, arguments, env=environment | {"SANDBOX": "off"})
    assert done.exit_code in (0, 3), done.output
    return json.loads(done.stdout)


def test_jobs_says_how_far_the_scans_are(library: MadeUpLibrary) -> None:
    album = write_album(library.root / "set", {"1.png": 101})
    with library.ledger() as ledger:
        offer_all(ledger, album, pictures=True)
    videos = {"queued": 1, "working": 0, "done": 1, "failed": 0, "gone": 0}
    assert run(library, "jobs") == {
        "paused": False,
        "worker": False,
        "to_look_at": [],
        "videos": videos,
        "albums": videos | {"done": 0},
    }
    with library.ledger() as ledger, ledger.working():
        assert run(library, "jobs")["worker"] is True


def test_cancel_empties_the_queue_and_keeps_what_was_found(library: MadeUpLibrary) -> None:
    run(library, "jobs", "pause")
    assert run(library, "jobs", "resume")["paused"] is False
    run(library, "jobs", "pause")
    cancelled = run(library, "jobs", "cancel")
    assert (cancelled["cancelled"], cancelled["paused"]) == (1, False)
    assert (cancelled["videos"]["queued"], cancelled["videos"]["done"]) == (0, 1)


def test_a_scan_in_a_shell_waits_while_it_is_paused(library: MadeUpLibrary) -> None:
    assert run(library, "jobs", "pause")["paused"] is True
    ended: list[Any] = []
    scan = threading.Thread(target=lambda: ended.append(run(library, "scan")))
    scan.start()
    time.sleep(2)
    assert not ended
    with library.ledger() as ledger:
        assert ledger.counts().queued == 1
        resume(ledger)  # not by the verb: two at once cannot be told apart by their output
    scan.join(timeout=30)
    assert ended[0]["library"]["failed"] == 1


def test_without_a_library_it_is_said_how_to_make_one(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["jobs", "--library", str(tmp_path / "none.db")])
    assert done.exit_code == 1
    assert "python -m tools scan" in done.output
    assert not (tmp_path / "none.db").exists()
