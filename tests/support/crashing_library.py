"""All that can happen to a library, in a process that is killed before a chosen statement."""

import os
import resource
import signal
import sqlite3
import threading
from pathlib import Path
from typing import Any

from db.addresses import StoreAddress
from db.errors import GalleryReadOnlyError, PerformerNotFoundError
from db.galleries import Store
from db.ledgers import Ledger
from db.sqlite import connections
from db.sqlite.ledger import SqliteLedger
from db.stores import open_store
from function.library.crew import run_scanners
from function.library.enrolment import enrol_stranger, new_from_library
from function.library.finding import find_videos
from function.library.forgetting import forget_performer, open_library
from function.library.naming import Naming, open_naming
from function.library.offering import queue_videos
from function.library.rematching import rematch
from function.library.strangers import describe, place_strangers
from function.settings import Settings
from tests.support.crashing_scan import scan
from tests.support.scans import SquaresReader, make_scanner

UNSEEN = "01.mp4"
"""Nobody is found in this video, so that a quick look at it is followed by a normal one."""


def live(folder: Path, media: Path, kill_at: int = 0) -> None:
    """Scan `media`, match it again, name a stranger, forget Ada; begun again, it goes on.

    `folder` holds the gallery, in which Ada is, and the ledger. The process kills itself before
    the statement number `kill_at` that changes one of both; 0 lets it live, and then it writes to
    `folder` how many statements there were.
    """
    counted = _count_statements(kill_at)
    store = open_store(folder / "g.db")
    address = StoreAddress(str(folder / "l.db"))
    with open_library(address, store) as ledger:
        with ledger.working() as is_ours:
            assert is_ours
            queue_videos(ledger, find_videos([media], ledger.stamps()), "quick")
            reader = SquaresReader(unseen=frozenset([UNSEEN]))
            for _ in run_scanners(make_scanner(ledger, folder / "g.db", reader), 1):
                pass
        _name_somebody(ledger, store)
        _match(ledger, store)
        _forget(ledger, store, "Ada")
        _match(ledger, store)
    if not kill_at:
        (folder / "statements").write_text(str(len(counted)))


def scan_with_little_room(folder: Path, media: Path, room_bytes: int) -> None:
    """Scan as on a disk where no file can grow beyond `room_bytes`; exit with 3 if that is said."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (room_bytes, room_bytes))
    try:
        scan(folder, media, 1)
    except GalleryReadOnlyError as error:
        (folder / "said").write_bytes(str(error).encode()[:200])
        os._exit(3)


def scan_and_sleep_before_storing(folder: Path, media: Path) -> None:
    """Scan, but stop before the first video is stored, until somebody lets it go on."""
    finish = SqliteLedger.finish
    slept: list[int] = []

    def sleep_first(*arguments: Any, **options: Any) -> bool:
        if not slept:
            slept.append(1)
            (folder / "stopped").touch()
            # To this thread, or it might be within a transaction when the process stops.
            signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)
        return finish(*arguments, **options)

    SqliteLedger.finish = sleep_first  # type: ignore[method-assign]
    scan(folder, media, 1)


def _naming(store: Store) -> Naming:
    return open_naming(store, None, Settings(second_encoder="off"))


def _match(ledger: Ledger, store: Store) -> None:
    naming = _naming(store)
    for _ in rematch(ledger, naming):
        pass
    place_strangers(ledger, naming)


def _name_somebody(ledger: Ledger, store: Store) -> None:
    """Name the stranger of the last video Cleo, unless that was done before."""
    _match(ledger, store)
    with store.gallery() as gallery:
        if any(one.name == "Cleo" for one in gallery.performers()):
            return
    found = list(describe(ledger, ledger.strangers.everyone()))
    cleo = max(found, key=lambda one: (one.videos[-1].paths, one.sightings[0].position))
    with store.changing() as gallery:
        enrol_stranger(gallery, new_from_library("Cleo"), cleo)


def _forget(ledger: Ledger, store: Store, name: str) -> None:
    with store.gallery() as gallery:
        try:
            performer = gallery.find_performer(name)
        except PerformerNotFoundError:
            return  # it was done before
    forget_performer(store, ledger, performer.id)


def _count_statements(kill_at: int) -> list[str]:
    """Count what changes a database, in every connection that is opened from now on."""
    counted: list[str] = []
    connect = sqlite3.connect

    def trace(statement: str) -> None:
        if statement.split(maxsplit=1)[0].upper() in ("SELECT", "PRAGMA", "--"):
            return
        counted.append(statement)
        if len(counted) == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def connect_traced(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*arguments, **options)
        connection.set_trace_callback(trace)
        return connection

    connections.sqlite3.connect = connect_traced  # type: ignore[assignment]
    return counted
