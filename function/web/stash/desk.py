"""Opens the library and Stash for requests of the plugin, and says what is wrong with either."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

from db.errors import PerformerNotFoundError
from function.errors import (
    BusyError,
    CorrectionRefusedError,
    StashUnavailableError,
    UnknownPerformerError,
)
from function.library.forgetting import open_library
from function.sources.records import RefusedError, UnusableSourceError
from function.stash.connection import find_connection
from function.web.library.shelf import Shelf
from function.web.service import Service, explained
from function.web.stash.work import Work

MOST_ASKING = 8
"""This many requests may wait for Stash at once: each holds a thread, and others need some too."""


_asking = threading.BoundedSemaphore(MOST_ASKING)

ASKED_AGAIN_AFTER_SECONDS = 10.0
"""The plugin asks for the status every second or two; Stash need not be asked so often."""


class Desk:
    """Opens the library and Stash for requests of the plugin."""

    def __init__(self, service: Service) -> None:
        """Open nothing yet."""
        self.service = service
        self._shelf = Shelf(service)
        self._greeting = ("", 0.0)

    @contextmanager
    def reading(self) -> Iterator[Work]:
        """Open the library as it is; where there is none yet, an empty one that nobody keeps.

        Raises:
            GalleryUnavailableError: it is locked, or not a ledger.
            StashUnavailableError: Stash is needed, and cannot be used.
            CorrectionRefusedError: Stash refuses something.
        """
        with (
            explained_stash(),
            self._shelf.ledger() as ledger,
            closing(Work(self.service, ledger)) as work,
        ):
            yield work

    @contextmanager
    def up_to_date(self) -> Iterator[Work]:
        """Open the library as for `reading`, with names by today's gallery as far as time allows.

        Raises:
            EngineUnavailableError: what reads videos cannot run here as configured.
        """
        with (
            explained_stash(),
            self._shelf.library() as library,
            closing(Work(self.service, library.ledger)) as work,
        ):
            yield work

    @contextmanager
    def changing(self) -> Iterator[Work]:
        """Open the library, which is made if there is none; as for `reading`."""
        service = self.service
        with (
            explained_stash(),
            explained(),
            open_library(service.settings.library_db, service.store) as ledger,
            closing(Work(service, ledger)) as work,
        ):
            yield work

    def version(self) -> str:
        """Return Stash's version; "" if it does not answer, or is not connected."""
        version, asked_at = self._greeting
        if time.monotonic() - asked_at > ASKED_AGAIN_AFTER_SECONDS or not asked_at:
            version = self._ask_version()
            self._greeting = version, time.monotonic()
        return version

    def _ask_version(self) -> str:
        try:
            connection = find_connection(self.service.settings)
            if connection is None:
                return ""
            with closing(connection.open(is_awaited=True)) as stash:
                return stash.version()
        except UnusableSourceError:
            return ""


@contextmanager
def explained_stash() -> Iterator[None]:
    """Turn what is wrong with Stash into errors that a request may end with.

    Raises:
        StashUnavailableError: Stash does not answer, or is not connected.
        CorrectionRefusedError: it refuses something.
        BusyError: too many requests wait for it.
    """
    if not _asking.acquire(blocking=False):
        raise BusyError(
            "Too many requests are already waiting for Stash. Try again in a few seconds."
        )
    try:
        yield
    except RefusedError as error:
        raise CorrectionRefusedError(str(error)) from error
    except UnusableSourceError as error:
        raise StashUnavailableError(str(error)) from error
    except PerformerNotFoundError as error:
        raise UnknownPerformerError(str(error)) from error
    finally:
        _asking.release()
