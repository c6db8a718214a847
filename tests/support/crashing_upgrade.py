"""An upgrade of a gallery that does not get to its end, for tests."""

import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

from sqlite_utils import Database

from db.sqlite.gallery import SqliteGallery
from db.sqlite.migrations import MIGRATIONS


class FailedUpgradeError(Exception):
    """The last step went wrong at its end."""


def upgrade_and_fail(path: Path) -> None:
    def fail() -> None:
        raise FailedUpgradeError

    _upgrade(path, fail)


def upgrade_and_wait(path: Path, ready: Path) -> None:
    """Say when the last step is done but not yet kept, and wait to be killed."""

    def wait() -> None:
        ready.touch()
        time.sleep(60)

    _upgrade(path, wait)


def _upgrade(path: Path, at_the_end: Callable[[], None]) -> None:
    def last(db: Database) -> None:
        MIGRATIONS[-1](db)
        at_the_end()

    steps = (*MIGRATIONS[:-1], last)
    with (
        patch("db.sqlite.migrations.MIGRATIONS", steps),
        patch("db.sqlite.connections.MIGRATIONS", steps),
    ):
        SqliteGallery(path).close()
