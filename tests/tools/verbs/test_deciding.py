"""`decide` as a user types it: what is not said is asked for, never guessed."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from db.sqlite.ledger import SqliteLedger
from tests.support.scans import SquaresReader, make_gallery, write_many
from tools.cli import main


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tools.library.hands.open_reader", lambda _: SquaresReader())
    monkeypatch.setattr("os.nice", lambda _: 0)
    for name in ("STRANGERS", "LIBRARY_DB", "PERFORMERS_DB", "MEDIA_ROOT"):
        monkeypatch.delenv(name, raising=False)
    make_gallery(tmp_path / "g.db")
    write_many(tmp_path / "media", 1)
    run(tmp_path, "scan", "--strangers", "keep", str(tmp_path / "media"))
    return tmp_path


def run(library: Path, verb: str, *arguments: str) -> Result:
    where = ("--library", str(library / "l.db"), "--db", str(library / "g.db"))
    return CliRunner().invoke(main, [verb, *where, *arguments])


@pytest.mark.parametrize("option", ["--confirm", "--reject"])
def test_an_empty_name_decides_nothing(library: Path, option: str) -> None:
    refused = run(library, "decide", str(library / "media" / "00.mp4"), "0", option, "")
    assert refused.exit_code == 1
    assert "no performer" in refused.stderr.lower()
    with SqliteLedger(library / "l.db") as ledger:
        assert list(ledger.latest_decisions()) == []


def test_results_of_an_empty_name_are_not_those_of_everybody(library: Path) -> None:
    assert len(json.loads(run(library, "results").stdout)) == 1
    refused = run(library, "results", "--performer", "")
    assert refused.exit_code == 1
    assert refused.stdout == ""
