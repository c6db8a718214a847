"""Tasks for Stash do what was asked, whatever stops in between."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from db.errors import GalleryLockedError, GalleryMissingError
from db.tasks import Task
from function.library.forgetting import forget_everywhere
from function.library.jobs import WantedScan
from function.sources.records import UnusableSourceError
from function.stash import planning, undoing, worker
from function.stash.applying import Addition, add_performers
from function.stash.client import Stash
from function.stash.connection import require_connection
from function.stash.options import Options, read_options
from function.stash.planning import is_suspicious
from function.stash.queueing import open_undo, queue_task
from function.stash.tasks import Workplace, do_task
from function.stash.worker import TaskWorker, work_on
from function.stash.writer import begin
from tests.support.stash_libraries import StashLibrary, stash_library

IN_TIME_SECONDS = 20.0


@pytest.fixture
def library(tmp_path: Path) -> Iterator[StashLibrary]:
    with stash_library(tmp_path) as made:
        yield made


@pytest.fixture
def wanted() -> list[WantedScan]:
    return []


Do = Callable[..., Task]


@pytest.fixture
def do(library: StashLibrary, wanted: list[WantedScan]) -> Do:
    """Do a task to its end, and give how it stands then."""

    def do(kind: Any, **options: Any) -> Task:
        settings = library.own_settings()
        with library.ledger() as ledger:
            connection = require_connection(settings)
            place = Workplace(settings, library.store, ledger, connection, wanted.append)
            *_, last = do_task(Task(kind, Options(**options).to_json(), id=1), place)
            return last

    return do


Press = Callable[..., tuple[int, bool]]


@pytest.fixture
def press(library: StashLibrary) -> Press:
    """Ask for an undo; give the task that does it, and whether it is a new one."""

    def press(**options: Any) -> tuple[int, bool]:
        with library.ledger() as ledger:
            queued = queue_task(ledger, Task("undo", Options(**options).to_json()))
            return queued.id, queued.is_new

    return press


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + IN_TIME_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_apply_writes_sure_matches_of_performers_whom_stash_knows(
    library: StashLibrary, do: Do
) -> None:
    first = library.scene("a.mp4", [library.person(1), library.person(0, 10), library.person(None)])
    second = library.scene("b.mp4", [library.person(2)], performers=[library.in_stash[2]])
    third = library.scene("c.mp4")
    task = do("apply")
    shown = {scene: one["performers"] for scene, one in library.fake.scenes.items()}
    assert shown == {first: [library.in_stash[1]], second: [library.in_stash[2]], third: []}
    assert (task.state, json.loads(task.result)["written"]) == ("done", 1)
    assert task.text.startswith("Made 1 addition to 1 scene. 1 time it was surely somebody")
    assert "P1" not in task.text, "words of a task name nobody"
    assert "Undone: 1 performer and 0 tags" in do("undo").text
    assert library.fake.scenes[first]["performers"] == []
    assert do("undo").text == "There is nothing to undo."


def test_a_dry_run_writes_nothing(library: StashLibrary, do: Do) -> None:
    library.scene("a.mp4", [library.person(1)])
    task = do("apply", dry_run=True)
    assert json.loads(task.result)["planned"] == 1
    assert (library.fake.writes, "Would make 1 addition to 1 scene" in task.text) == ([], True)


def test_less_sure_matches_are_not_written(library: StashLibrary, do: Do) -> None:
    library.scene("a.mp4", [library.person(1)])
    assert json.loads(do("apply", min_score=99.95).result)["written"] == 0
    assert json.loads(do("apply", min_score=90.0).result)["written"] == 1


@pytest.mark.parametrize("markers", [False, True])
def test_who_is_forgotten_between_two_scenes_is_not_added_to_the_second(
    library: StashLibrary, do: Do, monkeypatch: pytest.MonkeyPatch, *, markers: bool
) -> None:
    first = library.scene("a.mp4", [library.person(1)])
    second = library.scene("b.mp4", [library.person(1), library.person(2, 10)])
    tag_items = Stash.tag_items

    def forget_then(stash: Stash, *given: Any, **changes: Any) -> Any:
        changed = tag_items(stash, *given, **changes)
        monkeypatch.setattr(Stash, "tag_items", tag_items)
        forget_everywhere(library.store, library.own_settings(), library.ids[1])
        return changed

    monkeypatch.setattr(Stash, "tag_items", forget_then)
    task = do("apply", markers=markers)
    assert library.fake.scenes[first]["performers"] == [library.in_stash[1]]
    assert library.fake.scenes[second]["performers"] == [library.in_stash[2]]
    assert "1 addition was left out: the performer was taken out of the gallery" in task.text
    assert (json.loads(task.result)["forgotten"], task.done) == (1, 3)
    assert {one["title"] for one in library.fake.markers.values()} == ({"P2"} if markers else set())


def test_who_was_merged_since_is_undone_under_the_new_name_and_the_users_own_stay(
    library: StashLibrary, do: Do
) -> None:
    known, double = library.in_stash[1], library.fake.add_performer("Double")
    ours = library.scene("a.mp4", [library.person(1)])
    both = library.scene("b.mp4", [library.person(1)], performers=[double])
    do("apply")
    library.fake.merge_performers(double, known)
    assert library.fake.scenes[ours]["performers"] == [double]
    assert "Undone: 1 performer " in do("undo").text
    shown = {scene: one["performers"] for scene, one in library.fake.scenes.items()}
    assert shown == {ours: [], both: [double]}


def test_a_tag_marks_what_was_touched_and_goes_with_undo(library: StashLibrary, do: Do) -> None:
    scene = library.scene("a.mp4", [library.person(1)])
    do("apply", tag="Recognised")
    (tag,) = library.fake.tags
    assert library.fake.scenes[scene]["tags"] == [tag]
    do("undo")
    assert library.fake.scenes[scene]["tags"] == []
    assert not library.fake.tags


def test_markers_are_made_for_those_who_are_added_if_wanted(library: StashLibrary, do: Do) -> None:
    tagged = [library.in_stash[2]]
    scene = library.scene("a.mp4", [library.person(1), library.person(2, 10)], performers=tagged)
    do("apply", markers=True)
    (marker,) = library.fake.markers.values()
    assert (marker["title"], marker["seconds"], marker["scene"]) == ("P1", 0.0, scene)
    assert "1 marker." in do("undo").text
    assert not library.fake.markers


def test_undo_of_a_run_that_is_undone_already_undoes_no_other(
    library: StashLibrary, do: Do
) -> None:
    scene = library.scene("a.mp4", [library.person(1)])
    first = do("apply").run
    library.scene("b.mp4", [library.person(2)])
    do("undo", run=first)
    second = do("apply").run
    assert second != first
    assert do("undo", run=first).text == "There is nothing to undo."
    assert library.fake.scenes[scene]["performers"] == [library.in_stash[1]]


def test_undo_takes_the_last_apply_and_then_the_one_before(library: StashLibrary, do: Do) -> None:
    first, second, third = (library.scene(f"{one}.mp4", [library.person(one)]) for one in (1, 2, 3))
    for scene in (first, second):
        do("apply", filter={"scenes": [scene]})
    with (
        library.ledger() as ledger,
        closing(require_connection(library.own_settings()).open()) as it,
    ):
        writer = begin(ledger, it, "add")
        list(add_performers(writer, [Addition(third, library.in_stash[3])]))
    library.fake.edit("scenes", second, title="Mine")

    def undone(**options: Any) -> Any:
        settings = library.own_settings()
        with library.ledger() as ledger:
            number = ledger.tasks.add(Task("undo", Options(**options).to_json()))
            task = ledger.tasks.find(number)
            assert task
            connection = require_connection(settings)
            place = Workplace(settings, library.store, ledger, connection, lambda _: None)
            work_on(task, ledger, lambda: place, threading.Event())
        return [bool(library.fake.scenes[one]["performers"]) for one in (first, second, third)]

    assert undone() == [True, True, True], "the last one was edited since"
    assert undone() == [True, True, True], "it is asked before the one before is taken back"
    assert undone() == [False, True, True]
    assert undone() == [False, True, True], "what was added by hand stays"
    assert undone(edited=True) == [False, False, True]


@pytest.mark.parametrize("edited", [False, True])
def test_an_undo_asks_again_before_each_run_that_is_older(
    library: StashLibrary, press: Press, *, edited: bool
) -> None:
    scenes = [library.scene(f"{one}.mp4", [library.person(one)]) for one in (1, 2, 3)]
    apply_to(library, *scenes)
    seen = []
    for _ in range(6):
        press(edited=edited)
        _work_on_all(library)
        seen.append([bool(library.fake.scenes[one]["performers"]) for one in scenes])
    two, one, none = [True, True, False], [True, False, False], [False] * 3
    assert seen == [two, two, one, one, none, none]


@pytest.mark.parametrize("how", ["its run", "its scene", "its scene by hand"])
def test_the_older_run_is_asked_about_however_the_last_one_was_undone(
    library: StashLibrary, press: Press, how: str
) -> None:
    first, last = (library.scene(f"{one}.mp4", [library.person(one)]) for one in (1, 2))
    runs = apply_to(library, first, last)
    if how == "its scene by hand":
        library.fake.edit("scenes", last, performers=[])
        press()
    else:
        press(**({"run": runs[-1]} if how == "its run" else {"scene": last}))
    _work_on_all(library)
    press()
    _work_on_all(library)
    with library.ledger() as ledger:
        (task, *_) = ledger.tasks.latest()
    assert f"run {runs[0]} on 1 scene, " in task.text
    assert json.loads(task.result)["asks"] == runs[0]
    assert library.fake.scenes[first]["performers"] == [library.in_stash[1]]


def test_who_was_asked_and_applies_again_takes_back_that_and_is_asked_anew(
    library: StashLibrary, press: Press
) -> None:
    scenes = [library.scene(f"{one}.mp4", [library.person(one)]) for one in (1, 2)]
    apply_to(library, *scenes)
    third = library.scene("3.mp4", [library.person(3)])

    def undo_once() -> str:
        press()
        _work_on_all(library)
        return "".join(str(int(bool(library.fake.scenes[it]["performers"]))) for it in scenes)

    assert [undo_once(), undo_once()] == ["10", "10"]
    scenes.append(third)
    apply_to(library, third)
    assert [undo_once() for _ in range(3)] == ["100", "100", "000"]


def apply_to(library: StashLibrary, *scenes: str) -> list[int]:
    """Apply to one scene after the other; return the runs."""
    with library.ledger() as ledger:
        for scene in scenes:
            ledger.tasks.add(Task("apply", Options(filter={"scenes": [scene]}).to_json()))
            _work_on_all(library)
        return [one.run for one in ledger.tasks.latest(len(scenes))][::-1]


@pytest.mark.parametrize("state", ["queued", "working", "waiting"])
@pytest.mark.parametrize("first", [{}, {"edited": True}, {"run": 2}])
def test_undo_pressed_twice_in_a_row_takes_back_one_run(
    library: StashLibrary, do: Do, press: Press, state: Any, first: dict[str, Any]
) -> None:
    scenes = [library.scene(f"{one}.mp4", [library.person(one)]) for one in (1, 2)]
    for scene in scenes:
        do("apply", filter={"scenes": [scene]})
    number, is_new = press(**first)
    assert is_new
    with library.ledger() as ledger:
        task = ledger.tasks.find(number)
        assert task
        ledger.tasks.change(replace(task, state=state))
        assert [press(), press(edited=True)] == [(number, False)] * 2
        assert open_undo(ledger) == replace(task, state=state)
    _work_on_all(library)
    assert [bool(library.fake.scenes[one]["performers"]) for one in scenes] == [True, False]
    assert press() == (number + 1, True), "once it is done, it is asked about the one before"
    _work_on_all(library)
    assert [bool(library.fake.scenes[one]["performers"]) for one in scenes] == [True, False]
    assert press() == (number + 2, True)
    _work_on_all(library)
    assert not any(library.fake.scenes[one]["performers"] for one in scenes)


def _work_on_all(library: StashLibrary) -> None:
    """Do what is queued, one task after the other."""
    settings = library.own_settings()
    with library.ledger() as ledger:
        connection = require_connection(settings)
        place = Workplace(settings, library.store, ledger, connection, lambda _: None)
        while task := ledger.tasks.next():
            work_on(task, ledger, lambda: place, threading.Event())


def test_the_undo_of_a_scene_and_of_a_named_run_stand_beside_that_of_the_last_run(
    press: Press,
) -> None:
    asked: list[dict[str, Any]] = [{"scene": "1"}, {"scene": "2"}, {}, {"run": 1}, {"run": 2}]
    assert [press(**one) for one in asked] == [(one, True) for one in range(1, 6)]


@pytest.mark.parametrize("options", ["damaged", '{"scene": "1"}', '{"of another version": 1}'])
def test_what_cannot_be_read_or_failed_keeps_nobody_from_an_undo(
    library: StashLibrary, press: Press, options: str
) -> None:
    with library.ledger() as ledger:
        number = ledger.tasks.add(Task("undo", options))
        task = ledger.tasks.find(number)
        assert task
        ledger.tasks.change(replace(task, state="failed"))
        assert open_undo(ledger) is None
    assert press() == (number + 1, True)


def test_of_many_who_press_at_once_one_queues_an_undo(library: StashLibrary, press: Press) -> None:
    with library.ledger():
        pass  # or else they make it
    with ThreadPoolExecutor(8) as pool:
        pressed = list(pool.map(lambda one: press(edited=bool(one % 2)), range(16)))
    assert len({number for number, _ in pressed}) == 1
    assert sum(is_new for _, is_new in pressed) == 1


def test_whom_the_user_took_away_is_not_added_again(library: StashLibrary, do: Do) -> None:
    scene = library.scene("a.mp4", [library.person(1)])
    do("apply")
    library.fake.edit("scenes", scene, performers=[])
    assert json.loads(do("apply").result)["planned"] == 0


def test_a_scene_is_found_by_its_path_where_stash_has_no_fingerprint(
    library: StashLibrary, do: Do
) -> None:
    scene = library.scene("a.mp4", [library.person(1)])
    library.fake.scenes[scene]["files"][0]["fingerprints"] = []
    do("apply")
    assert library.fake.scenes[scene]["performers"] == [library.in_stash[1]]


def test_who_would_gain_suspiciously_many_is_held_back_until_confirmed(
    library: StashLibrary, do: Do, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "MANY_SCENES", 2)
    many = [library.scene(f"{one}.mp4", [library.person(1)]) for one in range(3)]
    one = library.scene("b.mp4", [library.person(2)])
    task = do("apply")
    assert json.loads(task.result)["held"] == [library.in_stash[1]]
    assert "Held back: 1 performer, who" in task.text
    assert library.fake.scenes[one]["performers"] == [library.in_stash[2]]
    assert not any(library.fake.scenes[scene]["performers"] for scene in many)
    do("apply", confirmed=True)
    assert all(library.fake.scenes[scene]["performers"] for scene in many)


@pytest.mark.parametrize(
    ("has", "gains", "of_all", "suspicious"),
    [
        (0, 50, 50, False),
        (0, 51, 1000, True),
        (100, 51, 1000, False),
        (100, 400, 1000, True),
        (30, 301, 10_000, True),
        (30, 299, 10_000, False),
    ],
)
def test_what_is_suspicious(has: int, gains: int, of_all: int, *, suspicious: bool) -> None:
    assert is_suspicious(has, gains, of_all) == suspicious


def test_a_scan_queues_the_files_of_the_scenes_that_were_asked_for(
    library: StashLibrary, do: Do, wanted: list[WantedScan]
) -> None:
    tagged = library.scene("a.mp4", performers=[library.in_stash[1]])
    library.scene("sub/b.mp4")
    library.fake.add_scene("/elsewhere/c.mp4", oshash="0c")
    task = do("scan", filter={"without_performers": True})
    assert [one.places for one in wanted] == [(str(library.root / "sub/b.mp4"),)]
    assert "Not in the media root here: 1 file;" in task.text
    do("scan", filter={"scenes": [tagged]})
    assert wanted[-1].places == (str(library.root / "a.mp4"),)


@pytest.mark.parametrize(
    "options",
    [{"filter": {"images": ["1"]}}, {"pictures": True}, {"filter": {"colour": "red"}}],
)
def test_an_apply_that_is_asked_for_what_no_scene_has_writes_nothing(
    library: StashLibrary, do: Do, options: dict[str, Any]
) -> None:
    library.scene("a.mp4", [library.person(1)])
    with pytest.raises(UnusableSourceError):
        do("apply", **options)
    assert library.fake.writes == []


def test_a_task_with_an_option_of_another_version_is_not_done_without_it() -> None:
    with pytest.raises(UnusableSourceError, match="'colour'"):
        read_options(Task("apply", '{"colour": "red"}'))


@pytest.mark.parametrize("options", ["{", "7", "[]", "\ufffd"])
def test_a_task_whose_options_are_damaged_says_so(options: str) -> None:
    with pytest.raises(UnusableSourceError, match="damaged"):
        read_options(Task("apply", options))


@pytest.mark.parametrize(
    ("error", "state", "words"),
    [
        (GalleryMissingError("There is no gallery."), "failed", "There is no gallery."),
        (ZeroDivisionError("a bug"), "failed", worker.UNEXPECTED),
    ],
)
def test_what_no_waiting_mends_ends_a_task_and_those_behind_it_go_on(
    library: StashLibrary, error: Exception, state: str, words: str
) -> None:
    def place() -> Workplace:
        raise error

    with library.ledger() as ledger:
        ledger.tasks.add(Task("apply"))
        behind = ledger.tasks.add(Task("scan"))
        task = ledger.tasks.next()
        assert task
        work_on(task, ledger, place, threading.Event())
        ended, following = ledger.tasks.find(task.id), ledger.tasks.next()
    assert ended
    assert following
    assert (ended.state, ended.text, following.id) == (state, words, behind)


def test_a_task_that_waits_is_given_up_when_cancelled(
    library: StashLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "POLLED_EVERY_SECONDS", 0.01)
    monkeypatch.setattr(worker, "FIRST_PAUSE_SECONDS", 600.0)

    def place() -> Workplace:
        raise GalleryLockedError("Another process holds the gallery.")

    with library.ledger() as ledger:
        number = ledger.tasks.add(Task("apply"))
        task = ledger.tasks.next()
        assert task

        def cancel(told: Task) -> None:
            assert told.state == "waiting"
            assert ledger.tasks.cancel(number)
            assert not ledger.tasks.cancel(number), "it has ended"

        ended = work_on(task, ledger, place, threading.Event(), cancel)
        assert (ended.state, ended.text) == ("failed", "It was cancelled.")
        assert ledger.tasks.next() is None


def test_stash_away_is_waited_for_and_nothing_is_written_twice(
    library: StashLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("function.sources.graphql.ATTEMPTS", 1)
    monkeypatch.setattr(worker, "FIRST_PAUSE_SECONDS", 0.01)
    scenes = [library.scene(f"{one}.mp4", [library.person(1 + one % 2)]) for one in range(4)]
    library.fake.fail_write(1, "after")
    library.fake.fail_write(2, "before")
    seen: list[str] = []
    with library.ledger() as ledger:
        number = ledger.tasks.add(Task("apply"))
        task = ledger.tasks.find(number)
        assert task is not None

        def place() -> Workplace:
            stored = ledger.tasks.find(number)
            assert stored is not None
            seen.append(stored.state)
            settings = library.own_settings()
            connection = require_connection(settings)
            return Workplace(settings, library.store, ledger, connection, lambda _: None)

        task = work_on(task, ledger, place, threading.Event())
        assert (task.state, seen) == ("done", ["queued", "waiting", "waiting"])
        assert [one.tags for one in ledger.writes.runs()] == [4], "all in one run"
    assert all(len(library.fake.scenes[scene]["performers"]) == 1 for scene in scenes)
    assert library.fake.writes == ["bulkSceneUpdate"] * 2


def test_the_servers_thread_goes_on_with_what_was_in_work(library: StashLibrary) -> None:
    scene = library.scene("a.mp4", [library.person(1)])
    with library.ledger() as ledger:
        number = ledger.tasks.add(Task("apply"))
        task = ledger.tasks.find(number)
        assert task is not None
        ledger.tasks.change(replace(task, state="working", run=ledger.writes.begin_run("apply")))
    tasks = TaskWorker(library.own_settings(), library.store, lambda _: None)
    tasks.start()
    try:
        with library.ledger() as ledger:
            until(lambda: (it := ledger.tasks.find(number)) is not None and it.state == "done")
            with ledger.tasks.working() as is_ours:
                assert not is_ours, "one process does the tasks"
        assert library.fake.scenes[scene]["performers"] == [library.in_stash[1]]
        second = tasks.add(Task("undo")).id
        with library.ledger() as ledger:
            until(lambda: (it := ledger.tasks.find(second)) is not None and it.state == "done")
        assert library.fake.scenes[scene]["performers"] == []
    finally:
        tasks.close()
    with library.ledger() as ledger, ledger.tasks.working() as is_ours:
        assert is_ours


@pytest.mark.parametrize("point", ["before the markers", "in the markers", "before the end"])
def test_an_apply_that_was_broken_off_goes_on_to_its_markers(
    library: StashLibrary, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    scenes = [library.scene(f"{one}.mp4", [library.person(1)]) for one in range(3)]
    monkeypatch.setattr(planning, "MANY_SCENES", 3)
    with library.ledger() as ledger:
        number = ledger.tasks.add(Task("apply", Options(markers=True).to_json()))
        connection = require_connection(library.own_settings())
        place = Workplace(library.own_settings(), library.store, ledger, connection, lambda _: None)
        stop = {"before the markers": "Added 3", "in the markers": "Made 2", "before the end": ""}

        def is_there(told: Task) -> bool:
            return told.text.startswith(stop[point]) and (bool(stop[point]) or told.state == "done")

        task = ledger.tasks.find(number)
        assert task
        for told in do_task(task, place):
            if is_there(told):
                break
            ledger.tasks.change(told)
        left = ledger.tasks.next()
        assert left
        ended = work_on(left, ledger, lambda: place, threading.Event())
        assert ended.state == "done"
        assert ended.text == "Made 3 additions to 3 scenes."
        assert (ended.done, ended.of) == (3, 3)
        assert json.loads(ended.result)["gains"][0] == {
            "performer": library.in_stash[1],
            "has": 0,
            "gains": 3,
            "is_suspicious": False,
        }
        assert [(one.tags, one.markers) for one in ledger.writes.runs()] == [(3, 3)]
    marked = sorted(one["scene"] for one in library.fake.markers.values())
    assert marked == sorted(scenes)


def test_what_was_not_suspicious_at_first_is_not_when_an_apply_goes_on(
    library: StashLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "MANY_SCENES", 1)
    monkeypatch.setattr("function.stash.applying.SCENES_AT_ONCE", 1)
    for one in range(9):
        library.scene(f"{one}.mp4", [library.person(1 + one % 3)], performers=[])
    for who in library.in_stash.values():
        library.fake.add_scene("/data/old.mp4", performers=[who])
    with library.ledger() as ledger:
        task = ledger.tasks.find(ledger.tasks.add(Task("apply")))
        connection = require_connection(library.own_settings())
        place = Workplace(library.own_settings(), library.store, ledger, connection, lambda _: None)
        assert task
        for told in do_task(task, place):
            ledger.tasks.change(told)
            if told.text.startswith("Added 7"):
                break
        left = ledger.tasks.next()
        assert left
        ended = work_on(left, ledger, lambda: place, threading.Event())
    assert ended.text == "Made 9 additions to 9 scenes."


def test_an_undo_that_was_broken_off_tells_of_all_of_it(
    library: StashLibrary, do: Do, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("function.stash.undoing.SCENES_AT_ONCE", 1)
    scenes = [library.scene(f"{one}.mp4", [library.person(1)]) for one in range(3)]
    do("apply")
    library.fake.edit("scenes", scenes[2], title="Mine")
    with library.ledger() as ledger:
        task = ledger.tasks.find(ledger.tasks.add(Task("undo")))
        connection = require_connection(library.own_settings())
        place = Workplace(library.own_settings(), library.store, ledger, connection, lambda _: None)
        assert task
        for told in do_task(task, place):
            ledger.tasks.change(told)
            if told.text.startswith("Undone: 1"):
                break
        left = ledger.tasks.next()
        assert left
        ended = work_on(left, ledger, lambda: place, threading.Event())
    assert ended.text == (
        "Undone: 1 performer and 0 tags on scenes, 0 markers. 1 more was undone before it was "
        f"interrupted. Left on 1 scene ({scenes[2]}): {undoing.EDITED}"
    )
    assert (ended.done, ended.of) == (3, 3)


def test_markers_that_stash_refuses_do_not_end_an_apply(library: StashLibrary, do: Do) -> None:
    first, second = (library.scene(f"{one}.mp4", [library.person(1)]) for one in range(2))
    library.fake.fail_write(3, "error")
    task = do("apply", markers=True)
    assert task.state == "done"
    assert task.text == ("Made 2 additions to 2 scenes. Stash refused markers on 1 scene.")
    assert [one["scene"] for one in library.fake.markers.values()] == [second]
    assert library.fake.scenes[first]["performers"] == [library.in_stash[1]]


def test_a_wrong_key_ends_a_task_with_words(library: StashLibrary) -> None:
    settings = replace(library.own_settings(), stash_api_key="wrong")
    with library.ledger() as ledger:
        task = ledger.tasks.find(ledger.tasks.add(Task("apply")))
        assert task is not None
        connection = require_connection(settings)
        place = Workplace(settings, library.store, ledger, connection, lambda _: None)
        task = work_on(task, ledger, lambda: place, threading.Event())
        assert task.state == "failed"
        assert "API key" in task.text
