"""What a ledger keeps of the scans that were asked for."""

import json
from dataclasses import asdict

import pytest

from db.sqlite.ledger import SqliteLedger
from function.library.jobs import WantedScan, chosen_strangers, put_wanted, wanted_scans

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
    [
        *(7, {}, {"places": 7}, {"places": [7]}, {"places": ["/a"], "depth": "dee"}),
        *({"place": ["/a"]}, {"places": ["/a"], "turn": []}, {"places": ["/a"], "gone": "falsd"}),
    ],
)
def test_one_that_is_damaged_takes_no_other_with_it(damaged: object) -> None:
    with SqliteLedger() as ledger:
        ledger.choose("wanted scans", json.dumps([damaged, asdict(SOUND)]))
        assert wanted_scans(ledger) == (SOUND,)
        assert len(json.loads(ledger.choice("wanted scans"))) == 1


@pytest.mark.parametrize("chosen", ["keep", "off", "90d"])
def test_what_was_chosen_of_strangers_is_known(chosen: str) -> None:
    with SqliteLedger() as ledger:
        assert chosen_strangers(ledger) == ""
        ledger.choose("strangers", chosen)
        assert chosen_strangers(ledger) == chosen


@pytest.mark.parametrize("damaged", ["kedp", "ke\ufffdp", "9\ufffdd", "d", "-1d"])
def test_what_is_no_choice_keeps_nobody(damaged: str) -> None:
    with SqliteLedger() as ledger:
        ledger.choose("strangers", damaged)
        assert chosen_strangers(ledger) == ""
