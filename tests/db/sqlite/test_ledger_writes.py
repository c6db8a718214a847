"""What was written into Stash is noted, also where nobody knows whether it was."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from db.sqlite.ledger import SqliteLedger
from db.tasks import Task
from db.writes import FromUs, Write, Writes

ADDED_TO = "0a"
"""The fingerprint of what `added` adds to."""


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqliteLedger]:
    with SqliteLedger(tmp_path / "l.db") as opened:
        yield opened


@pytest.fixture
def writes(ledger: SqliteLedger) -> Writes:
    return ledger.writes


def added(scene: str, performer: str, before: str = "t1") -> Write:
    return Write("performer", scene, performer, oshash=ADDED_TO, before_at=before)


def write(writes: Writes, run: int, *planned: Write, at: str = "t2") -> list[Write]:
    noted = writes.intend(run, planned)
    writes.confirm([replace(one, left_at=at) for one in noted])
    return noted


def test_an_intent_is_unsettled_until_it_is_confirmed(writes: Writes) -> None:
    run = writes.begin_run("apply")
    noted = writes.intend(run, [added("1", "7"), added("2", "7")])
    assert writes.unsettled() == noted
    assert len({one.batch for one in noted}) == 1
    assert writes.of_run(run) == []
    writes.confirm([replace(one, left_at="t2") for one in noted])
    assert writes.unsettled() == []
    done = writes.of_scene("1")
    assert [(one.thing, one.state, one.before_at, one.left_at) for one in done] == [
        ("7", "done", "t1", "t2")
    ]


def test_batches_are_told_apart(writes: Writes) -> None:
    run = writes.begin_run("apply")
    first, second = (writes.intend(run, [added(scene, "7")])[0] for scene in "12")
    assert first.batch != second.batch
    again = writes.begin_undo([first])
    assert again[0].batch not in (first.batch, second.batch)


def test_an_intent_that_was_not_carried_out_is_forgotten(writes: Writes) -> None:
    noted = writes.intend(writes.begin_run("apply"), [added("1", "7")])
    writes.drop(noted)
    assert writes.unsettled() == []
    assert "7" not in writes.all_written().get("1", ())
    assert writes.runs() == []


def test_who_was_added_by_us_is_known_until_it_is_undone(writes: Writes) -> None:
    run = writes.begin_run("apply")
    (noted,) = writes.intend(run, [added("1", "7")])
    assert "7" in writes.all_written().get("1", ()), "it may have happened"
    writes.confirm([replace(noted, left_at="t2")])
    assert writes.all_written() == {"1": {"7"}}
    assert "8" not in writes.all_written().get("1", ())
    writes.end_undo(writes.begin_undo(writes.of_run(run)))
    assert "7" not in writes.all_written().get("1", ())
    assert writes.all_written() == {}
    assert [(one.tags, one.scenes, one.undone) for one in writes.runs()] == [(1, 1, 1)]


def test_a_further_write_of_ours_is_no_edit_by_hand(writes: Writes) -> None:
    run = writes.begin_run("add")
    write(writes, run, added("1", "7"), at="t2")
    write(writes, run, added("2", "7"), at="t2")
    write(writes, run, added("1", "8", before="t2"), at="t3")
    assert [one.left_at for one in writes.of_scene("1")] == ["t3", "t3"]
    assert [one.left_at for one in writes.of_scene("2")] == ["t2"]


def test_an_edit_by_hand_is_not_hidden_by_a_further_write(writes: Writes) -> None:
    run = writes.begin_run("add")
    write(writes, run, added("1", "7"), at="t2")
    write(writes, run, added("1", "8", before="edited"), at="t4")
    assert [one.left_at for one in writes.of_scene("1")] == ["t2", "t4"]


def test_undoing_one_leaves_the_others_as_ours(writes: Writes) -> None:
    run = writes.begin_run("add")
    write(writes, run, added("1", "7"), at="t2")
    write(writes, run, added("1", "8", before="t2"), at="t3")
    first, second = writes.of_scene("1")
    noted = writes.begin_undo([replace(first, before_at="t3")])
    assert [one.state for one in writes.unsettled()] == ["undoing"]
    writes.end_undo([replace(one, left_at="t4") for one in noted])
    assert [(one.thing, one.left_at) for one in writes.of_scene("1")] == [(second.thing, "t4")]


def test_what_stash_did_not_undo_is_done_still(writes: Writes) -> None:
    run = writes.begin_run("add")
    write(writes, run, added("1", "7"))
    writes.keep(writes.begin_undo(writes.of_run(run)))
    assert [one.thing for one in writes.of_run(run)] == ["7"]


def test_the_journal_follows_a_performer_who_was_merged(writes: Writes) -> None:
    run = writes.begin_run("add")
    write(writes, run, added("1", "7"), Write("marker", "1", "50", performer="7"))
    writes.follow("7", "9")
    assert "9" in writes.all_written().get("1", ())
    assert [one.performer for one in writes.of_scene("1")] == ["", "9"]


def test_whom_the_scraper_was_told_is_from_us_but_not_added(writes: Writes) -> None:
    write(writes, writes.begin_run("apply"), added("1", "7"))
    writes.tell("1", [], ["8"])
    for _ in range(2):
        writes.tell("2", ["aa", ""], ["7", "8"])
    assert writes.all_from_us() == FromUs(
        {"1": {"7", "8"}, "2": {"7", "8"}}, {ADDED_TO: {"7"}, "aa": {"7", "8"}}
    )
    assert (writes.told("1"), writes.told("3")) == ({"8"}, set())
    assert writes.all_written() == {"1": {"7"}}
    writes.follow("8", "7")
    assert writes.all_from_us() == FromUs({"1": {"7"}, "2": {"7"}}, {ADDED_TO: {"7"}, "aa": {"7"}})


def test_whom_we_ever_added_is_from_us_also_when_it_is_undone(writes: Writes) -> None:
    run = writes.begin_run("apply")
    write(writes, run, added("1", "7"))
    writes.drop(writes.intend(run, [added("1", "9")]))
    writes.end_undo(writes.begin_undo(writes.of_run(run)))
    from_us = writes.all_from_us()
    assert (from_us.on("1", ()), from_us.on("2", ["x", ADDED_TO])) == ({"7"}, {"7"})
    assert writes.all_written() == {}


def test_who_was_beside_the_merged_one_is_not_ours(writes: Writes) -> None:
    run = writes.begin_run("add")
    write(writes, run, replace(added("1", "7"), detail='{"beside": ["5", "9"]}'), added("2", "7"))
    write(writes, run, replace(added("3", "8"), detail='{"beside": ["7"], "decision": 3}'))
    writes.follow("7", "9")
    assert [(one.scene, one.thing) for one in writes.of_run(run)] == [("2", "9"), ("3", "8")]
    writes.follow("8", "9")
    assert [(one.scene, one.thing) for one in writes.of_run(run)] == [("2", "9")]
    assert writes.all_from_us().by_scene == {"2": {"9"}}


def test_a_note_that_a_bad_disk_spoilt_ends_no_merge(writes: Writes) -> None:
    run = writes.begin_run("add")
    for detail in ('{"beside": ["9"', '{"beside": 9}', '["beside"]', '{"no": "beside"}'):
        write(writes, run, replace(added("1", "7"), detail=detail))
    writes.follow("7", "9")
    assert {one.thing for one in writes.of_run(run)} == {"9"}


def test_the_name_of_what_was_made_is_not_kept(writes: Writes) -> None:
    run = writes.begin_run("create")
    (noted,) = writes.intend(run, [Write("new performer", "", detail='{"name": "Ada"}')])
    writes.confirm([replace(noted, thing="12", detail="", left_at="t2")])
    assert [(one.thing, one.detail) for one in writes.of_run(run)] == [("12", "")]


def test_a_task_goes_on_where_it_was_and_is_not_queued_twice(ledger: SqliteLedger) -> None:
    tasks = ledger.tasks
    first = tasks.add(Task("scan"))
    assert tasks.add(Task("scan")) == first
    second = tasks.add(Task("apply", '{"min_score": 99}'))
    task = tasks.next()
    assert task is not None
    assert task.id == first
    tasks.change(replace(task, state="working", done=3, of=9))
    assert tasks.add(Task("scan")) not in (first, second), "what is in work may be too late for it"
    going = tasks.next()
    assert going is not None
    assert (going.id, going.done, going.of) == (first, 3, 9)
    tasks.change(replace(going, state="done"))
    assert [one.id for one in tasks.latest()][-1] == first
    following = tasks.next()
    assert following is not None
    assert following.id == second
