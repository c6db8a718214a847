"""Tasks that the plugin queues, and undoing."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from db.tasks import Task
from function.stash.queueing import UNDER_WAY
from function.stash.syncing import NO_PHOTO
from function.stash.worker import MOST_QUEUED, TaskWorker
from function.version import VERSION
from function.web.stash import undos
from tests.support.stash_asking import Ask, asked, until
from tests.support.stash_libraries import StashLibrary


def test_tasks_are_queued_and_done_and_told_in_the_status(
    library: StashLibrary, ask: Ask, client: FlaskClient
) -> None:
    scene = library.scene("a.mp4", [library.person(1)])
    number = ask("task", kind="apply", min_score=95, tag="Recognised")["task"]

    def status() -> Any:
        return client.get("/stash/status").get_json()

    until(lambda: status()["tasks"][0]["state"] == "done")
    task = status()["tasks"][0]
    assert (task["id"], task["kind"], "P1" in task["text"]) == (number, "apply", False)
    assert status()["connected"] is True
    assert status()["version"] == VERSION
    assert status()["stash_version"].startswith("v")
    (run,) = status()["runs"]
    assert (run["kind"], run["scenes"], run["tags"], run["undone"]) == ("apply", 1, 1, 0)
    assert ask("undo", run=run["id"])["undone"]["performers"] == 1
    assert library.fake.scenes[scene]["performers"] == []
    assert status()["runs"][0]["undone"] >= 2


def test_only_so_many_tasks_wait(
    library: StashLibrary, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TaskWorker, "start", lambda _: None)  # as while Stash does not answer
    for number in range(MOST_QUEUED):
        ask("task", kind="scan", filter={"tag": f"tag {number}"})
    assert ask("task", kind="scan", filter={"tag": "one more"}, fails=True) == "busy"
    with library.ledger() as ledger:
        ledger.tasks.cancel(MOST_QUEUED // 2)
    assert ask("task", kind="scan", filter={"tag": "one more"})["text"] == "Queued."
    assert ask("task", kind="scan", filter={"tag": "two more"}, fails=True) == "busy"


def test_the_status_says_who_has_no_usable_photo_by_number_alone(
    library: StashLibrary, ask: Ask, client: FlaskClient
) -> None:
    number = library.fake.add_performer("Nobody Known")
    ask("task", kind="sync")

    def status() -> Any:
        return client.get("/stash/status").get_json()

    until(lambda: [one for one in status()["tasks"] if one["state"] == "done"])
    missing = {one["stash_id"]: one["reason"] for one in status()["without_photo"]}
    assert missing[number] == NO_PHOTO
    with library.ledger() as ledger:
        assert not any("Nobody" in one.result for one in ledger.tasks.latest())


def test_a_large_undo_is_a_task(
    library: StashLibrary, ask: Ask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(undos, "MOST_AT_ONCE", 1)
    scenes = [library.scene(f"{one}.mp4", [library.person(1)]) for one in range(2)]
    ask("task", kind="apply")
    until(lambda: all(library.fake.scenes[one]["performers"] for one in scenes))
    until(lambda: client.get("/stash/status").get_json()["tasks"][0]["state"] == "done")
    reply = ask("undo")
    assert set(reply) == {"task", "text"}
    until(lambda: not any(library.fake.scenes[one]["performers"] for one in scenes))


def test_an_undo_asks_before_it_takes_back_an_older_run(
    library: StashLibrary, ask: Ask, client: FlaskClient
) -> None:
    scenes = [library.scene(f"{one}.mp4", [library.person(one)]) for one in (1, 2)]

    def last() -> Any:
        return client.get("/stash/status").get_json()["tasks"][0]

    for scene in scenes:
        ask("task", kind="apply", filter={"scenes": [scene]})
        until(lambda: last()["state"] == "done")
    assert ask("undo")["undone"]["performers"] == 1
    asked_about = ask("undo")
    assert "Nothing was taken back" in asked_about["text"]
    until(lambda: (last()["id"], last()["state"]) == (asked_about["task"], "done"))
    assert last()["text"] == asked_about["text"]
    assert [bool(library.fake.scenes[one]["performers"]) for one in scenes] == [True, False]
    assert ask("undo")["undone"]["performers"] == 1
    assert not any(library.fake.scenes[one]["performers"] for one in scenes)


@pytest.mark.parametrize("route", ["task", "undo"])
def test_an_undo_pressed_twice_says_that_one_is_under_way(
    library: StashLibrary, ask: Ask, monkeypatch: pytest.MonkeyPatch, route: str
) -> None:
    scene = library.scene("a.mp4", [library.person(1)])
    ask("add-sure", scene=asked(library, scene))
    monkeypatch.setattr(TaskWorker, "start", lambda _: None)  # as while Stash does not answer
    first = ask("task", kind="undo")
    assert first["text"] == "Queued."
    again: Any = {"kind": "undo"} if route == "task" else {}
    with library.ledger() as ledger:
        for state in ("queued", "working", "waiting"):
            ledger.tasks.change(Task("undo", state=state, id=first["task"]))
            assert ask(route, **again) == {"task": first["task"], "text": UNDER_WAY}
    assert library.fake.scenes[scene]["performers"] == [library.in_stash[1]]
    assert ask("undo", scene=asked(library, scene))["undone"]["performers"] == 1
    with library.ledger() as ledger:
        ledger.tasks.change(Task("undo", state="done", id=first["task"]))
    assert ask("task", kind="undo")["text"] == "Queued."
