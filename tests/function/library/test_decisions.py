"""What the user said of a person lasts, and can be taken back."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from db.blobs import to_blob
from db.ledgers import Ledger
from db.stores import open_ledger
from db.videos import Outcome, Stamp
from function.errors import UnknownPersonError
from function.library.decisions import decide
from function.library.forgetting import forget_everywhere
from function.library.naming import open_naming
from function.library.rematching import rematch
from tests.support.libraries import Library


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path)


def match(library: Library, ledger: Ledger, video: int = 1) -> list[Outcome]:
    for _ in rematch(ledger, open_naming(library.store, None, library.settings)):
        pass
    return ledger.outcomes([video])[video]


def say(library: Library, ledger: Ledger, position: int, kind: str, name: int | None) -> int:
    naming = open_naming(library.store, None, library.settings)
    performer = None
    if name is not None:
        with library.store.gallery() as gallery:
            performer = gallery.performer(library.ids[name])
    return decide(ledger, naming.gallery, (1, position), kind, performer)  # type: ignore[arg-type]


def told(outcome: Outcome, library: Library) -> tuple[int | None, str, str]:
    """Return the number of the performer, the verdict, and what the user said."""
    number = None if outcome.performer is None else library.ids.index(outcome.performer)
    return number, outcome.verdict, outcome.decided


def test_a_stranger_becomes_who_the_user_says_and_an_undo_makes_them_a_stranger_again(
    library: Library,
) -> None:
    with open_ledger(library.path) as ledger:
        before = match(library, ledger)
        assert told(before[2], library) == (None, "unknown", "")
        number = say(library, ledger, 2, "confirmed", 5)
        after = match(library, ledger)
        assert told(after[2], library) == (5, "match", "confirmed")
        assert after[2].score == 100.0
        assert after[:2] == before[:2]
        assert ledger.take_back(number)
        assert match(library, ledger) == before
        assert not ledger.take_back(number)


def test_a_rejected_performer_is_not_named_again(library: Library) -> None:
    with open_ledger(library.path) as ledger:
        say(library, ledger, 0, "rejected", 0)
        assert told(match(library, ledger)[0], library) == (None, "unknown", "rejected")
        say(library, ledger, 0, "confirmed", 0)  # the latest counts
        assert told(match(library, ledger)[0], library) == (0, "match", "confirmed")


def test_somebody_ignored_has_no_name(library: Library) -> None:
    with open_ledger(library.path) as ledger:
        say(library, ledger, 1, "ignored", None)
        assert told(match(library, ledger)[1], library) == (None, "unknown", "ignored")


def test_a_decision_lasts_through_a_deeper_scan_in_which_people_have_other_numbers(
    library: Library,
) -> None:
    with open_ledger(library.path) as ledger:
        say(library, ledger, 2, "confirmed", 5)
        ledger.want([1], "deep")
        library.scan(ledger, library.people[::-1])
        found = [told(one, library) for one in ledger.outcomes([1])[1]]
        assert found == [(5, "match", "confirmed"), (1, "match", ""), (0, "match", "")]
        assert [told(one, library) for one in match(library, ledger)] == found


def test_a_decision_follows_a_file_that_was_encoded_anew(library: Library) -> None:
    with open_ledger(library.path) as ledger:
        say(library, ledger, 2, "confirmed", 5)
        anew = replace(library.file, stamp=Stamp(900, 2), oshash="0000000000000384")
        assert ledger.offer([anew], "normal").changed == 1
        later = [
            replace(
                person,
                seen=tuple(
                    replace(one, seconds=one.seconds + 90, until_seconds=one.until_seconds + 90)
                    for one in person.seen
                ),
            )
            for person in library.people
        ]
        library.scan(ledger, later)
        assert told(ledger.outcomes([2])[2][2], library) == (5, "match", "confirmed")


def test_a_decision_lasts_when_its_performer_is_merged_into_another(library: Library) -> None:
    with open_ledger(library.path) as ledger:
        say(library, ledger, 2, "confirmed", 5)
        with library.store.changing() as gallery:
            gallery.merge(gallery.performer(library.ids[6]), gallery.performer(library.ids[5]))
        assert told(match(library, ledger)[2], library) == (6, "match", "confirmed")


def test_a_decision_that_lost_a_part_of_the_look_is_about_nobody(library: Library) -> None:
    with open_ledger(library.path) as ledger:
        before = match(library, ledger)
        number = say(library, ledger, 2, "confirmed", 5)
        with closing(sqlite3.connect(library.path)) as raw, raw:
            raw.execute("UPDATE decisions SET template = substr(template, 1, 256)")
        assert match(library, ledger) == before
        assert ledger.take_back(number)


def test_decisions_about_a_forgotten_performer_are_erased(library: Library) -> None:
    with open_ledger(library.path) as ledger:
        say(library, ledger, 2, "confirmed", 5)
        say(library, ledger, 0, "rejected", 5)
        say(library, ledger, 1, "confirmed", 1)
        forget_everywhere(library.store, library.settings, library.ids[5])
        assert [one.kind for one in ledger.decisions([1])[1]] == ["confirmed"]


def test_a_number_that_nobody_has_is_an_error_that_says_who_is_there(library: Library) -> None:
    with open_ledger(library.path) as ledger, pytest.raises(UnknownPersonError, match="0, 1, 2"):
        say(library, ledger, 7, "ignored", None)


def test_what_was_said_of_somebody_else_does_not_keep_the_look_of_the_forgotten(
    library: Library,
) -> None:
    with open_ledger(library.path) as ledger:
        say(library, ledger, 0, "rejected", 5)
        say(library, ledger, 1, "rejected", 5)
        look = to_blob(ledger.decisions([1])[1][0].template)
        assert look in library.bytes_on_disk()
        forget_everywhere(library.store, library.settings, library.ids[0])
        (left,) = ledger.decisions([1])[1]
        assert to_blob(left.template) != look
    assert look not in library.bytes_on_disk()


def test_a_decision_stays_with_what_a_file_held_when_files_change_names(library: Library) -> None:
    with open_ledger(library.path) as ledger:
        say(library, ledger, 2, "confirmed", 5)
        other = replace(library.file, path=b"/v/b.mp4", oshash="00000000000000ff")
        ledger.offer([other], "normal")
        ledger.offer(
            [replace(other, path=library.file.path), replace(library.file, path=b"/v/c.mp4")],
            "normal",
        )
        assert [one.kind for one in ledger.decisions([1])[1]] == ["confirmed"]
        assert ledger.decisions([2])[2] == []


def test_ruling_somebody_else_out_leaves_who_was_confirmed(library: Library) -> None:
    with open_ledger(library.path) as ledger:
        say(library, ledger, 2, "confirmed", 5)
        say(library, ledger, 2, "rejected", 6)
        assert told(match(library, ledger)[2], library) == (5, "match", "confirmed")
        say(library, ledger, 2, "rejected", 5)
        assert told(match(library, ledger)[2], library) == (None, "unknown", "rejected")
