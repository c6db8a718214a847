"""What a ledger keeps of the scans that were asked for."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import pytest

from db.sqlite.ledger import SqliteLedger
from function.library.jobs import (
    WantedScan,
    add_wanted,
    change_wanted,
    chosen_strangers,
    put_wanted,
    wanted_scans,
)

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
    assert "scan again: python -m tools scan" in caplog.text


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


def test_what_is_added_or_taken_at_the_same_time_loses_nothing(tmp_path: Path) -> None:
    """Two processes have a ledger: whoever adds a scan may come while the other takes one away."""
    with SqliteLedger(tmp_path / "l.db") as ledger:
        put_wanted(ledger, [SOUND])

    def change(number: int) -> None:
        with SqliteLedger(tmp_path / "l.db") as ledger:
            for each in range(20):
                add_wanted(ledger, WantedScan((f"/{number}/{each}",)))
                change_wanted(ledger, lambda known: [one for one in known if one != SOUND])

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(change, range(2)))
    with SqliteLedger(tmp_path / "l.db") as ledger:
        places = {one.places for one in wanted_scans(ledger)}
    assert places == {(f"/{number}/{each}",) for number in range(2) for each in range(20)}


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
