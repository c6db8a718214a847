"""Asking again costs no time in tests."""

import pytest


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("function.sources.retries.FIRST_PAUSE_SECONDS", 0.001)
