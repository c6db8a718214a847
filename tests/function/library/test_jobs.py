"""What a ledger keeps of the scans that were asked for."""

import json
from dataclasses import asdict

import pytest

from db.sqlite.ledger import SqliteLedger
from function.library.jobs import WantedScan, put_wanted, wanted_scans

SOUND = WantedScan(("/videos",), "deep", retry=True)


def test_what_is_wanted_comes_back() -> None:
    with SqliteLedger() as ledger:
        assert wanted_scans(ledger) == ()
        put_wanted(ledger, [SOUND, WantedScan(("/a", "/b"))])
        assert wanted_scans(ledger) == (SOUND, WantedScan(("/a", "/b")))


@pytest.mark.parametrize("stored", ["[{", "7", '{"places": []}', "\ufffd"])
def test_what_is_no_list_is_dropped_and_told_once(
    stored: str, caplog: pytest.LogCaptureFixture
) -> None:
    with SqliteLedger() as ledger:
        ledger.choose("wanted scans", stored)
        assert wanted_scans(ledger) == wanted_scans(ledger) == ()
    assert len(caplog.messages) == 1
    assert "ask for it again" in caplog.text


@pytest.mark.parametrize(
    "damaged",
    [7, {}, {"places": 7}, {"places": [7]}, {"places": ["/a"], "depth": "dee"}, {"place": ["/a"]}],
)
def test_one_that_is_damaged_takes_no_other_with_it(damaged: object) -> None:
    with SqliteLedger() as ledger:
        ledger.choose("wanted scans", json.dumps([damaged, asdict(SOUND)]))
        assert wanted_scans(ledger) == (SOUND,)
        assert len(json.loads(ledger.choice("wanted scans"))) == 1
