"""The server's tasks keep the gallery in step with Stash, asked or each hour."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from db.records import Identity
from db.tasks import Task
from function.stash import syncing, worker
from function.stash.connection import require_connection
from function.stash.following import GONE
from function.stash.options import Options
from function.stash.tasks import Workplace, do_task
from function.stash.worker import TaskWorker
from tests.support.stash_libraries import StashLibrary, stash_library

IN_TIME_SECONDS = 20.0


@pytest.fixture
def library(tmp_path: Path) -> Iterator[StashLibrary]:
    with stash_library(tmp_path) as made:
        yield made


def synced(library: StashLibrary) -> Task:
    settings = library.own_settings()
    with library.ledger() as ledger:
        connection = require_connection(settings)
        place = Workplace(settings, library.store, ledger, connection, lambda _: None)
        *_, last = do_task(Task("sync", Options().to_json(), id=1), place)
        return last


def identities(library: StashLibrary, number: int) -> set[Identity]:
    with library.store.gallery() as gallery:
        return set(gallery.performer(library.ids[number]).identities)


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + IN_TIME_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_task_syncs_and_says_how_far_it_is_and_what_it_did_without_names(
    library: StashLibrary,
) -> None:
    library.fake.delete_performer(library.in_stash[1])
    task = synced(library)
    assert (task.state, task.done, task.of) == ("done", 2, 2)
    assert "0 merged, 1 detached; 0 without" in task.text
    assert "P1" not in task.text
    assert Identity(GONE, library.in_stash[1]) in identities(library, 1)


def test_the_server_syncs_each_hour_once_somebody_has_synced(
    library: StashLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "SYNCED_EVERY_SECONDS", 0.05)
    monkeypatch.setattr(worker, "POLLED_EVERY_SECONDS", 0.02)
    library.ledger().close()
    tasks = TaskWorker(library.own_settings(), library.store, lambda _: None)
    tasks.start()
    try:
        until(lambda: tasks._sync_at > 0)  # it has looked whether to sync
        with library.ledger() as ledger:
            assert ledger.tasks.latest() == []
        with library.store.gallery() as gallery:
            gallery.note_checkpoint(syncing.IMAGES_READ, syncing.LONG_AGO)
        library.fake.delete_performer(library.in_stash[2])
        until(lambda: Identity(GONE, library.in_stash[2]) in identities(library, 2))
    finally:
        tasks.close()
