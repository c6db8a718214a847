from collections.abc import Iterator
from pathlib import Path

import pytest

from db.addresses import StoreAddress
from db.galleries import Store
from db.ledgers import Ledger
from db.sqlite.store import SqliteStore
from db.stores import open_ledger
from tests.support.stash_server import FakeStash, serving


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("function.sources.retries.FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr("function.sources.retries.LONGEST_PAUSE_SECONDS", 0.01)


@pytest.fixture
def fake() -> Iterator[FakeStash]:
    """A Stash that holds nothing yet; its key is "right"."""
    with serving(FakeStash()) as running:
        yield running


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return SqliteStore(StoreAddress(str(tmp_path / "g.db")))


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with open_ledger(tmp_path / "l.db") as opened:
        yield opened
