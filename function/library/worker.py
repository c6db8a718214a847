"""The server's worker: one thread that looks for videos and has them scanned, as long as it runs.

It holds the claim to scan for the ledger, even before there is one, so that a scan started in a
shell is done here, and continues when the shell is closed.
"""

import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

from db.errors import GalleryError
from db.galleries import Store
from db.ledgers import Ledger
from function.errors import DiskMissingError, RecognitionError, StoppingError
from function.faces.found import Progress
from function.library.crew import run_scanners
from function.library.finding import text_of
from function.library.forgetting import finish_strangers, open_library
from function.library.gate import Gate
from function.library.jobs import (
    WantedScan,
    change_wanted,
    chosen_strangers,
    note_worker_roots,
    wanted_scans,
)
from function.library.naming import open_naming
from function.library.offering import (
    find_within,
    is_lost,
    lost_below,
    note_missing,
    queue_videos,
)
from function.library.scan_events import Advanced, Event
from function.library.scanning import LONGEST_SECONDS, NICENESS, Scanner
from function.library.server_threads import (
    POLLED_EVERY_SECONDS,
    ServerThread,
    claimed_ledger,
    identify,
)
from function.matching.second_models import open_second
from function.sandbox.readers import Reader, open_reader
from function.settings import Settings

AGAIN_AFTER_SECONDS = 30.0
"""After an error, such as a missing gallery or disk, it waits this long."""

TIDIED_EVERY_SECONDS = 3600.0
"""How often it looks for strangers whose days are over."""

_log = logging.getLogger(__name__)


class Worker:
    """Scans for the ledger of some settings; it starts nothing before `start`.

    `gate` is passed by every scanner: a request that is answered holds it up.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        open_reader: Callable[[Settings], Reader] = open_reader,
    ) -> None:
        self._settings = settings
        self._store = store
        self._open_reader = open_reader
        self.gate = Gate(settings.scan_hours)
        self._lock = threading.Lock()
        self._thread = ServerThread("worker", self._work, _lower_priority)
        self._stopping = threading.Event()
        self._at_work: dict[bytes, Progress] = {}
        self._looking: WantedScan | None = None
        self.seen = 0
        """How many files it has come across since it last began to look for videos."""
        self._look_at = 0.0
        self._scan_at = 0.0
        self._tidy_at = 0.0

    def start(self) -> None:
        """Begin, or go on with, what is queued; it may be called again."""
        self._thread.start()

    def want(self, scan: WantedScan) -> None:
        """Remember a scan that is asked for, even if the machine stops, and start with it.

        Raises:
            GalleryError: the ledger cannot be made or written; see `db.errors`.
        """

        def add(known: tuple[WantedScan, ...]) -> Iterable[WantedScan]:
            looking = self._looking
            is_late = looking in known and looking and scan == replace(looking, turn=0)
            # What was written since that look began would be missed.
            added = replace(scan, turn=looking.turn + 1) if looking and is_late else scan
            return dict.fromkeys((*known, added))

        with open_library(self._settings.library_db, self._store) as ledger, self._lock:
            change_wanted(ledger, add)
        self.start()

    def tidy_soon(self) -> None:
        """Group strangers as soon as no video is in work, not only when the hour is over."""
        self._tidy_at = 0.0
        self._thread.wake.set()

    def at_work(self) -> dict[bytes, Progress]:
        """Return the paths of the videos in work here, and how far each one is."""
        with self._lock:
            return dict(self._at_work)

    @property
    def is_closing(self) -> bool:
        """Whether the server stops."""
        return self._thread.closing.is_set()

    def stop(self) -> None:
        """Begin to give back the videos in work, and to end."""
        self._thread.stop()
        self._stopping.set()

    def close(self) -> None:
        """Give back the videos in work, and end."""
        self.stop()
        self._thread.close()

    def _work(self) -> float:
        """Work for the ledger until that is not possible; say after how long to try again."""
        try:
            self._serve()
        except StoppingError:
            pass
        except (GalleryError, RecognitionError) as error:
            _log.error("Scanning has stopped, and will be tried again: %s", error)
            return AGAIN_AFTER_SECONDS
        except Exception:  # noqa: BLE001  # the last resort, and it is logged
            _log.exception("Scanning has stopped with an unexpected error.")
            return AGAIN_AFTER_SECONDS
        return POLLED_EVERY_SECONDS

    def _serve(self) -> None:
        """Work for the ledger until its file is another one, unless another process does."""
        address, thread = self._settings.library_db, self._thread
        makes_it = self._settings.scan_every != "off"
        with claimed_ledger(address, self._store, "worker", thread, makes_it=makes_it) as ledger:
            if ledger is None:
                return
            note_worker_roots(ledger, self._settings.media_root)
            ledger.take_over()
            file = identify(address.path)
            while not self.is_closing and identify(address.path) == file:
                self._look(ledger)
                self._tidy(ledger)
                counts = ledger.counts()
                if (counts.queued or counts.working) and self._may_begin(ledger):
                    self._scan_what_is_there(ledger)
                thread.wait(POLLED_EVERY_SECONDS)

    def _may_begin(self, ledger: Ledger) -> bool:
        is_time = time.monotonic() >= self._scan_at and self.gate.is_within_hours()
        return is_time and not self.gate.is_held(ledger)

    def _look(self, ledger: Ledger) -> None:
        """Queue what was asked for, and what is new if it is time to look again."""
        while not self.is_closing and (wanted := wanted_scans(ledger)):
            with self._lock:
                first = self._looking = wanted[0]
                self.seen = 0
            self._offer(ledger, first, partial(_is_wanted, ledger, first))
            self._scan_at = 0.0
            with self._lock:
                self._looking = None
                change_wanted(ledger, partial(_without, first))
        every = self._settings.scan_every
        if isinstance(every, timedelta) and time.monotonic() >= self._look_at:
            places = tuple(map(str, self._settings.media_root))
            self._offer(ledger, WantedScan(places, pictures=self._settings.finds_pictures))
            self._look_at = time.monotonic() + every.total_seconds()

    def _offer(
        self, ledger: Ledger, wanted: WantedScan, is_wanted: Callable[[], bool] = lambda: True
    ) -> None:
        """Find and queue videos, unless that is no longer wanted once they are found."""
        places = [Path(place).resolve() for place in wanted.places]
        roots = [root.resolve() for root in self._settings.media_root]
        lost = [one for one in places if wanted.gone and is_lost(one, roots)]
        places = [one for one in places if one not in lost]
        found = find_within(
            ledger, places, roots, self._note_seen, pictures=wanted.pictures, again=wanted.again
        )
        if is_wanted():
            ledger.note_gone(lost_below(ledger, lost))
            found = note_missing(ledger, found, places, gone=wanted.gone)
            queue_videos(ledger, found, wanted.depth, retry=wanted.retry, again=wanted.again)
            if not is_wanted():  # cancelled meanwhile: of many videos that takes seconds
                ledger.empty_queue()
        _log.info("Found %d videos, %d new or changed.", len(found.paths), len(found.files))
        if found.texts:
            _log.info("%s", found.texts_told)
        if found.unreadable:
            _log.warning(
                "%d files or folders cannot be read, such as %s: %s",
                len(found.unreadable),
                text_of(found.unreadable[0][0]),
                found.unreadable[0][1],
            )

    def _note_seen(self, count: int) -> None:
        self.seen = count

    def _scan_what_is_there(self, ledger: Ledger) -> None:
        """Scan, and wait before the next time if a disk is missing.

        The ledger stays ours meanwhile: claiming it again would take a video from whoever looks at
        it alone.
        """
        try:
            self._scan(ledger)
        except DiskMissingError as error:
            _log.error("What is queued will be tried again: %s", error)
            self._scan_at = time.monotonic() + AGAIN_AFTER_SECONDS

    def _scan(self, ledger: Ledger) -> None:
        """Scan what is queued, several at once, until nothing is left or the gate is shut."""
        with self._store.gallery():
            pass  # a missing gallery is told before a video is read for nothing
        settings = replace(self._settings.for_scanning(), time_limit_seconds=LONGEST_SECONDS)
        with self._lock:
            self._stopping = threading.Event()
            if self.is_closing:
                return
        with closing(self._open_reader(settings)) as reader:
            scanner = Scanner(
                ledger,
                reader,
                self._store,
                settings,
                strangers=False,
                keeps_strangers=lambda: self._strangers(ledger) not in ("", "off"),
                stopping=self._stopping,
                pictures=reader,
                gate=self.gate,
                roots=[root.resolve() for root in self._settings.media_root],
            )
            try:
                self._follow(scanner, settings.slots)
                self._finish_strangers(ledger)
            finally:
                self._at_work.clear()

    def _follow(self, scanner: Scanner, at_once: int) -> None:
        with closing(run_scanners(scanner, at_once)) as events:
            for event in events:
                self._note(event)
                if self._thread.wake.is_set():
                    self._thread.wake.clear()
                    self._look(scanner.ledger)

    def _tidy(self, ledger: Ledger) -> None:
        """Erase strangers whose days are over, even while nothing is scanned."""
        if time.monotonic() >= self._tidy_at and self._store.exists():
            self._tidy_at = time.monotonic() + TIDIED_EVERY_SECONDS
            self._finish_strangers(ledger)

    def _finish_strangers(self, ledger: Ledger) -> None:
        naming = open_naming(
            self._store, open_second(self._settings.engine_options), self._settings
        )
        finish_strangers(ledger, naming, self._strangers(ledger))

    def _strangers(self, ledger: Ledger) -> str:
        return self._settings.strangers or chosen_strangers(ledger)

    def _note(self, event: Event) -> None:
        with self._lock:
            if isinstance(event, Advanced):
                self._at_work[event.path] = event.progress
            else:
                self._at_work.pop(event.path, None)


def _without(scan: WantedScan, known: Iterable[WantedScan]) -> list[WantedScan]:
    return [one for one in known if one != scan]


def _is_wanted(ledger: Ledger, wanted: WantedScan) -> bool:
    return wanted in wanted_scans(ledger)


def _lower_priority() -> None:
    """Let this thread, and the processes that it starts, give way to others."""
    # Elsewhere the priority is the whole process's, which has requests to answer.
    if sys.platform == "linux":
        os.nice(NICENESS)
