"""Results say who is in which video, joined and named as matching said."""

from collections.abc import Iterator

import pytest

from db.records import Performer
from db.sqlite.ledger import SqliteLedger
from db.videos import Outcome
from function.library import results
from function.library.results import VideoResult, results_of
from tests.support.ledgers import Clock, made_up_person, open_with, scan_one, video_file

ADA, EVE = Performer(1, "Ada"), Performer(2, "Eve")
NAMES = {1: ADA, 2: EVE}


@pytest.fixture
def ledger() -> Iterator[SqliteLedger]:
    with open_with(Clock()) as opened:
        scan_one(
            opened,
            1,
            *(made_up_person(1, views=1, frames=(0, 1)), made_up_person(2, views=3, frames=(9,))),
            *(made_up_person(3, views=1, frames=(30, 31)), made_up_person(4, frames=(3,))),
            outcomes=(
                Outcome(0, 2),
                Outcome(1, 1),
                Outcome(2, 2, 1, 99.1, "match"),
                Outcome(3, 3, 2, 45.0, "uncertain"),
            ),
        )
        scan_one(opened, 2)
        opened.offer([video_file(3)], "normal")
        yield opened


def read(ledger: SqliteLedger, names: dict[int, Performer] = NAMES) -> list[VideoResult]:
    return list(results_of(ledger, ledger.iterate(), names))


def test_people_come_the_most_certain_first_and_joined_ones_as_one(ledger: SqliteLedger) -> None:
    (first, *others) = read(ledger)
    assert [(one.position, one.verdict, one.score) for one in first.people] == [
        (2, "match", 99.1),
        (3, "uncertain", 45.0),
        (1, "unknown", 0.0),
    ]
    ada, _, unknown = first.people
    assert (ada.performer, unknown.performer) == (ADA, None)
    assert ada.faces == 2
    assert [(round(start, 2), round(end, 2)) for start, end in ada.appearances] == [
        (0.0, 0.48),
        (9.89, 10.48),
    ]
    assert [one.people for one in others] == [(), ()]


def test_only_people_with_some_verdicts_are_listed_on_request(ledger: SqliteLedger) -> None:
    found = list(results_of(ledger, ledger.iterate(), NAMES, ("match", "unknown")))
    assert [[one.verdict for one in video.people] for video in found] == [
        ["match", "unknown"],
        [],
        [],
    ]


def test_somebody_who_is_no_longer_enrolled_is_unknown_until_the_rematch(
    ledger: SqliteLedger,
) -> None:
    (first, *_) = read(ledger, {2: EVE})
    assert [(one.position, one.performer, one.verdict, one.score) for one in first.people] == [
        (3, EVE, "uncertain", 45.0),
        (1, None, "unknown", 0.0),
        (2, None, "unknown", 0.0),
    ]


def test_videos_are_read_in_parts(ledger: SqliteLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = [one.people for one in read(ledger)]
    monkeypatch.setattr(results, "VIDEOS_AT_ONCE", 1)
    assert [one.people for one in read(ledger)] == expected
