from collections.abc import Iterator

import pytest

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
