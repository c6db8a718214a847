"""Asking again, and one after the other, costs no time in tests."""

import pytest


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("function.sources.retries.FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr("function.sources.graphql.REQUESTS_PER_MINUTE", 60_000)
