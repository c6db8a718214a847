"""The library as one request sees it: the ledger, and names by today's gallery."""

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from db.errors import GalleryLockedError
from db.ledgers import Ledger
from db.records import Performer
from db.stores import empty_ledger
from db.videos import VideoRecord
from function.library.finding import is_truly_below
from function.library.forgetting import open_library
from function.library.naming import Naming, open_naming
from function.library.rematching import rematch
from function.library.strangers import place_strangers
from function.settings import Settings
from function.web.service import Service, explained

MATCHED_WITHIN_SECONDS = 2.0
"""A request matches again what another state of the gallery named, for so long at most; the next
one goes on."""


GROUPED_AT_ONCE = 500
"""A request groups so many unknown people at most, in about a second; the worker groups more."""


@dataclass(frozen=True, eq=False)
class Library:
    """The ledger, the gallery that names who is in it, and whether names may be out of date.

    `ungrouped` counts unknown people who belong to no stranger yet, where that was asked.
    """

    ledger: Ledger
    naming: Naming
    is_stale: bool
    settings: Settings
    ungrouped: int = 0

    @cached_property
    def performers(self) -> dict[int, Performer]:
        """Everyone enrolled, by id."""
        return {one.id: one for one in self.naming.gallery.performers}

    def shown(self, video: VideoRecord) -> VideoRecord | None:
        """Return a video with only those paths that callers may see, or None if it has no such.

        That are those in the media root, relative to it if there is only one. A video without any
        file is shown if its last one was there, or nobody knows where it was.
        """
        return shown_within(video, self._roots)

    @cached_property
    def _roots(self) -> list[Path]:
        return [root.resolve() for root in self.settings.media_root]


class Shelf:
    """Opens the library for requests; it is never made by being asked for."""

    def __init__(self, service: Service) -> None:
        """Open nothing yet."""
        self._service = service
        self._matching = threading.Lock()

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        """Open the ledger; where there is none yet, an empty one that nobody keeps.

        Raises:
            GalleryUnavailableError: it is locked, or not a ledger.
        """
        address = self._service.settings.library_db
        with explained():
            if not address.path.exists():
                with empty_ledger() as nothing:
                    yield nothing
                return
            with open_library(address, self._service.store) as ledger:
                yield ledger

    @contextmanager
    def library(self, seconds: float | None = None) -> Iterator[Library]:
        """Open the library, and spend so long at most on bringing names up to date.

        Without `seconds`, that is MATCHED_WITHIN_SECONDS.

        Raises:
            GalleryUnavailableError: the gallery or the ledger cannot be read.
            EngineUnavailableError: what reads videos cannot run here as configured.
        """
        service = self._service
        with self.ledger() as ledger:
            naming = open_naming(service.store, service.reader.second, service.settings)
            within = MATCHED_WITHIN_SECONDS if seconds is None else seconds
            self._match_again(ledger, naming, within)
            is_stale = bool(ledger.not_matched_at(naming.generation, 1))
            yield Library(ledger, naming, is_stale, service.settings)

    @contextmanager
    def grouped_library(self) -> Iterator[Library]:
        """Open the library, and group unknown people who belong to no stranger yet.

        If they are many, the worker is told to.

        Raises:
            as for `library`.
        """
        with self.library() as library:
            yield replace(library, ungrouped=self._group(library))

    def _group(self, library: Library) -> int:
        """Group the unknown people; return how many are left to the worker."""
        ungrouped = len(library.ledger.strangers.unplaced())
        if library.is_stale:
            return ungrouped  # some of them may have a name in a moment
        if ungrouped > GROUPED_AT_ONCE:
            library.ledger.strangers.tidy()  # whoever is named by now is none
            self._service.worker.tidy_soon()
            return ungrouped
        with self._matching:
            place_strangers(library.ledger, library.naming)
        return 0

    def _match_again(self, ledger: Ledger, naming: Naming, seconds: float) -> None:
        until = time.monotonic() + seconds
        wait_seconds = -1.0 if math.isinf(seconds) else max(0.0, seconds)  # -1: as long as it takes
        if not self._matching.acquire(timeout=wait_seconds):
            return  # a second request would only do the same work again
        try:
            if time.monotonic() > until:
                return
            # While it is rewritten, as after a forgetting, names are those of before.
            with suppress(GalleryLockedError):
                for _ in rematch(ledger, naming):
                    if time.monotonic() > until:
                        return
        finally:
            self._matching.release()


def shown_within(video: VideoRecord, roots: list[Path]) -> VideoRecord | None:
    """Return a video with only its paths below some folders, as for `Library.shown`."""
    inside = [path for path in video.known_paths if is_truly_below(path, roots)]
    if video.known_paths and not inside:
        return None
    named = tuple(name_path(path, roots) for path in inside)
    if video.paths:
        return replace(video, paths=named)
    return replace(video, last_path=named[0] if named else b"")


def name_path(path: bytes, roots: list[Path]) -> bytes:
    """Write a path as callers may ask for it: relative if there is one root, else absolute."""
    if len(roots) > 1:
        return path
    return path.removeprefix(bytes(roots[0])).lstrip(b"/")
