"""Every test of a store runs over SQLite, and over plain dicts in memory."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from db.galleries import GalleryChange, Store
from db.stores import open_store
from tests.support.memory_store import MemoryStore

STORES: dict[str, Callable[[Path], Store]] = {
    "sqlite": lambda folder: open_store(folder / "g.db"),
    "memory": lambda _: MemoryStore(),
}


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return STORES[request.param](tmp_path)


@pytest.fixture
def gallery(store: Store) -> Iterator[GalleryChange]:
    with store.changing(create=True) as opened:
        yield opened
