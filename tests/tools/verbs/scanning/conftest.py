"""Verbs on a few videos that are read at once."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.support.scans import (
    SquaresReader,
    make_gallery,
    write_many,
)
from tools.cli import main


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> SquaresReader:
    """Verbs that run in this process read videos at once, and do not make it nicer."""
    reader = SquaresReader()
    monkeypatch.setattr("tools.library.hands.open_reader", lambda _: reader)
    monkeypatch.setattr("os.nice", lambda _: 0)
    for name in ("STRANGERS", "LIBRARY_DB", "PERFORMERS_DB", "MEDIA_ROOT"):
        monkeypatch.delenv(name, raising=False)
    return reader


@pytest.fixture
def gallery(tmp_path: Path) -> Path:
    return make_gallery(tmp_path / "g.db")


@pytest.fixture
def media(tmp_path: Path) -> Path:
    write_many(tmp_path / "media", 3)
    return tmp_path / "media"


@pytest.fixture
def run(tmp_path: Path, gallery: Path) -> Any:
    def run(verb: str, *arguments: object, exit_code: int = 0) -> Result:
        where = ("--library", tmp_path / "l.db", "--db", gallery)
        texts = [str(one) for one in (verb, *where, *arguments)]
        result = CliRunner().invoke(main, texts)
        assert result.exit_code == exit_code, result.output
        return result

    return run
