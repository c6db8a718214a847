"""Looks at single videos that somebody waits for, ahead of all others, in its own thread.

The server's other scans wait meanwhile. It works even while they are paused or outside their hours:
a person's request goes first.
"""

import logging
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

from db.errors import GalleryError
from db.galleries import Store
from db.ledgers import Ledger
from function.errors import BusyError, RecognitionError, StoppingError
from function.faces.found import Progress
from function.library.forgetting import open_library
from function.library.gate import Gate
from function.library.jobs import chosen_strangers
from function.library.scan_events import Advanced
from function.library.scanning import LONGEST_SECONDS, Scanner
from function.sandbox.readers import Reader, open_reader
from function.settings import Settings

MOST_LOOKS = 500
"""This many may wait, some hours of work: later ones would wait for all of them, and so do the
scans."""

CLOSED_WITHIN_SECONDS = 3.0
"""A video in work is given back within about a second."""

_log = logging.getLogger(__name__)


class Looker:
    """Scans the videos that are asked for, one after the other; until then it starts nothing.

    `gate` is that of the server's scans, which it holds up. Safe to use from several threads.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        gate: Gate,
        open_reader: Callable[[Settings], Reader] = open_reader,
    ) -> None:
        self._settings, self._store, self._gate = settings, store, gate
        self._open_reader = open_reader
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._wanted: list[int] = []
        self._progress: dict[int, Progress | None] = {}
        self._thread: threading.Thread | None = None

    def look(self, video: int) -> None:
        """Look at a queued video of the ledger as soon as those before it are done.

        Raises:
            BusyError: MOST_LOOKS wait already.
        """
        with self._lock:
            if video in self._wanted or self._stopping.is_set():
                return
            if len(self._wanted) >= MOST_LOOKS:
                raise BusyError(
                    f"{MOST_LOOKS} videos and albums are already waiting to be looked at. "
                    "Try again later."
                )
            if self._thread is None or not self._thread.is_alive():
                thread = threading.Thread(target=self._run, name="looker", daemon=True)
                thread.start()  # it waits for the lock; where none is to be had, all is as before
                self._thread = thread
            self._wanted.append(video)

    def progress_of(self, video: int) -> Progress | None:
        """Return how far the look at a video has got; None if it has not begun."""
        with self._lock:
            return self._progress.get(video)

    def close(self) -> None:
        """Give back the video in work, which stays queued, and end."""
        self._stopping.set()
        thread = self._thread
        if thread and thread is not threading.current_thread():
            thread.join(CLOSED_WITHIN_SECONDS)

    def _run(self) -> None:
        settings = replace(self._settings, time_limit_seconds=LONGEST_SECONDS)
        with closing(self._open_reader(settings)) as reader:
            while (video := self._first()) is not None:
                try:
                    self._scan(video, reader, settings)
                except StoppingError:
                    pass
                except (GalleryError, RecognitionError) as error:
                    _log.error("A video that a person waits for cannot be looked at now: %s", error)
                except Exception:  # noqa: BLE001  # the last resort, and it is logged
                    _log.exception(
                        "Looking at a video for a person ended with an unexpected error."
                    )
                finally:
                    self._drop(video)

    def _first(self) -> int | None:
        with self._lock:
            if not self._wanted or self._stopping.is_set():
                self._wanted.clear()
                self._thread = None
                return None
            return self._wanted[0]

    def _drop(self, video: int) -> None:
        with self._lock:
            self._progress.pop(video, None)
            if video in self._wanted:
                self._wanted.remove(video)

    def _scan(self, video: int, reader: Reader, settings: Settings) -> None:
        with (
            self._gate.ahead(),
            open_library(self._settings.library_db, self._store) as ledger,
            ledger.beside() as owner,
        ):
            scanner = Scanner(
                ledger,
                reader,
                self._store,
                settings,
                strangers=False,
                keeps_strangers=lambda: _keeps_strangers(settings, ledger),
                stopping=self._stopping,
                pictures=reader,
                only=frozenset([video]),
                gate=_OpenGate(),
                roots=[root.resolve() for root in settings.media_root],
                owner=owner,
            )
            with closing(scanner.scan_all()) as events:
                for event in events:
                    if isinstance(event, Advanced):
                        with self._lock:
                            self._progress[video] = event.progress


class _OpenGate(Gate):
    """Lets a scanner through whenever it comes."""

    def is_within_hours(self) -> bool:
        return True

    def is_held(self, ledger: Ledger) -> bool:
        del ledger
        return False


def _keeps_strangers(settings: Settings, ledger: Ledger) -> bool:
    return (settings.strangers or chosen_strangers(ledger)) not in ("", "off")
