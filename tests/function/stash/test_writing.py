"""What is written into Stash is noted, can be taken back, and is never written twice."""

import copy
import random
import threading
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import pytest

from db.ledgers import Ledger
from db.sqlite.ledger import SqliteLedger
from db.writes import Write, WriteKind
from function.sources.records import UnusableSourceError
from function.stash.applying import Added, Addition, add_performers
from function.stash.client import Stash
from function.stash.markers import MOST_MARKERS, Marked, add_markers, ensure_tag, merge_spans
from function.stash.records import NewPerformer
from function.stash.settling import settle
from function.stash.undoing import IN_USE, Undone, decisions_of, undo
from function.stash.writer import Writer, begin
from tests.support.crashing_apply import POINTS, UNDO_POINTS, apply_all, undo_all
from tests.support.killed import Start
from tests.support.stash_server import FakeStash, serving

SCENES = 1000
EDITED = 20


@pytest.fixture
def fake() -> Iterator[FakeStash]:
    with serving(FakeStash([])) as running:
        yield running


@pytest.fixture
def stash(fake: FakeStash) -> Stash:
    return Stash(fake.url, "right")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with SqliteLedger(tmp_path / "l.db") as opened:
        yield opened


def apply(writer: Writer, *additions: Addition, tag: str = "") -> Added:
    return sum(add_performers(writer, additions, tag), Added())


def undo_run(ledger: Ledger, stash: Stash, run: int, *, edited: bool = False) -> Undone:
    return sum(undo(ledger.writes, stash, ledger.writes.of_run(run), edited=edited), Undone())


def shown(fake: FakeStash) -> dict[str, Any]:
    """All that Stash holds, but for when it was changed."""
    kept = {
        name: {number: {**one, "updated_at": ""} for number, one in getattr(fake, name).items()}
        for name in ("scenes", "tags", "markers")
    }
    performers = sorted((one["id"], one["name"]) for one in fake.performers)
    return copy.deepcopy({**kept, "performers": performers})


def test_only_what_is_missing_is_written_and_only_that_is_undone(
    fake: FakeStash, stash: Stash, ledger: Ledger
) -> None:
    ada, eve = fake.add_performer("Ada"), fake.add_performer("Eve")
    tag = fake.add_tag("Recognised")
    first = fake.add_scene("/a.mp4", performers=[eve])
    second = fake.add_scene("/b.mp4", performers=[ada], tags=[tag])
    before = shown(fake)
    writer = begin(ledger, stash, "apply")
    added = apply(
        writer, *(Addition(one, who) for one in (first, second) for who in (ada, eve)), tag=tag
    )
    assert added == Added(written=2, there=2)
    assert sorted(fake.scenes[first]["performers"]) == sorted([ada, eve])
    assert sorted(fake.scenes[second]["performers"]) == sorted([ada, eve])
    assert ada in ledger.writes.all_written().get(first, ())
    assert eve not in ledger.writes.all_written().get(first, ())
    undone = undo_run(ledger, stash, writer.run)
    assert (undone.performers, undone.tags, undone.left) == (2, 1, ())
    assert shown(fake) == before


def test_a_scene_that_is_deleted_while_it_is_undone_needs_no_look(
    fake: FakeStash, stash: Stash, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, kept, deleted = fake.add_performer("Ada"), fake.add_scene("/a.mp4"), fake.add_scene("/b")
    writer = begin(ledger, stash, "apply")
    apply(writer, Addition(kept, ada), Addition(deleted, ada))
    tag_items = stash.tag_items

    def delete_then(*given: Any, **changes: Any) -> Any:
        fake.scenes.pop(deleted, None)
        return tag_items(*given, **changes)

    monkeypatch.setattr(stash, "tag_items", delete_then)
    undone = undo_run(ledger, stash, writer.run)
    assert (undone.performers, undone.gone, undone.left) == (1, 1, ())
    assert (ledger.writes.of_run(writer.run), fake.scenes[kept]["performers"]) == ([], [])


def test_a_second_run_writes_nothing(fake: FakeStash, stash: Stash, ledger: Ledger) -> None:
    ada, scene = fake.add_performer("Ada"), fake.add_scene("/a.mp4")
    apply(begin(ledger, stash, "apply"), Addition(scene, ada))
    written = len(fake.writes)
    again = apply(begin(ledger, stash, "apply"), Addition(scene, ada))
    assert (again, len(fake.writes)) == (Added(there=1), written)


def test_a_write_that_stash_answers_with_other_scenes_is_settled_later(
    fake: FakeStash, stash: Stash, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, scene = fake.add_performer("Ada"), fake.add_scene("/a.mp4")
    before = shown(fake)
    tag_items = stash.tag_items

    def answer_nothing(*ids: Any, **changes: Any) -> tuple[()]:
        tag_items(*ids, **changes)
        return ()

    writer = begin(ledger, stash, "apply")
    with monkeypatch.context() as patched:
        patched.setattr(stash, "tag_items", answer_nothing)
        with pytest.raises(UnusableSourceError, match="in another form"):
            apply(writer, Addition(scene, ada))
    assert settle(ledger.writes, stash) == 1
    assert ada in ledger.writes.all_written().get(scene, ())
    with monkeypatch.context() as patched:
        patched.setattr(stash, "tag_items", answer_nothing)
        with pytest.raises(UnusableSourceError, match="in another form"):
            undo_run(ledger, stash, writer.run)
    assert settle(ledger.writes, stash) == 1
    assert (shown(fake), ledger.writes.of_run(writer.run)) == (before, [])


def test_who_is_forgotten_while_markers_are_made_is_marked_no_more(
    fake: FakeStash, stash: Stash, ledger: Ledger
) -> None:
    ada, scene = fake.add_performer("Ada"), fake.add_scene("/a.mp4")

    def gone(performers: Collection[str]) -> frozenset[str]:
        return frozenset(performers if fake.markers else ())

    writer = begin(ledger, stash, "markers", gone)
    spans = ((0.0, 1.0), (20.0, 21.0))
    assert add_markers(writer, scene, [Marked(ada, "Ada", spans)]) == 1
    assert len(fake.markers) == 1


def test_a_performer_who_is_gone_fails_alone(fake: FakeStash, stash: Stash, ledger: Ledger) -> None:
    ada, eve = fake.add_performer("Ada"), fake.add_performer("Eve")
    scenes = [fake.add_scene(f"/{one}.mp4") for one in range(3)]
    fake.delete_performer(eve)
    writer = begin(ledger, stash, "apply")
    added = apply(writer, *(Addition(one, who) for one in scenes for who in (ada, eve)))
    assert added.written == 3
    assert {one.performer for one, _ in added.refused} == {eve}
    assert all(fake.scenes[one]["performers"] == [ada] for one in scenes)
    assert ledger.writes.unsettled() == []


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_scene_that_is_gone_fails_alone(
    place: int, fake: FakeStash, stash: Stash, ledger: Ledger
) -> None:
    ada = fake.add_performer("Ada")
    scenes = [fake.add_scene(f"/{one}.mp4") for one in range(3)]
    del fake.scenes[scenes[place]]
    writer = begin(ledger, stash, "apply")
    added = apply(writer, *(Addition(one, ada) for one in scenes))
    assert (added.written, [one.scene for one, _ in added.refused]) == (2, [scenes[place]])
    assert all(one["performers"] == [ada] for one in fake.scenes.values())


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_scene_that_is_gone_keeps_no_other_from_being_undone(
    place: int, fake: FakeStash, stash: Stash, ledger: Ledger
) -> None:
    ada = fake.add_performer("Ada")
    scenes = [fake.add_scene(f"/{one}.mp4") for one in range(3)]
    writer = begin(ledger, stash, "apply")
    apply(writer, *(Addition(one, ada) for one in scenes))
    del fake.scenes[scenes[place]]
    undone = undo_run(ledger, stash, writer.run)
    assert (undone.performers, undone.gone, undone.left) == (2, 1, ())
    assert not any(one["performers"] for one in fake.scenes.values())


@pytest.mark.parametrize("how", ["before", "after"])
def test_a_write_without_an_answer_is_neither_lost_nor_made_twice(
    fake: FakeStash, stash: Stash, ledger: Ledger, how: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("function.sources.graphql.ATTEMPTS", 1)
    ada, scene = fake.add_performer("Ada"), fake.add_scene("/a.mp4")
    fake.fail_write(1, how)
    writer = begin(ledger, stash, "apply")
    with pytest.raises(UnusableSourceError):
        apply(writer, Addition(scene, ada))
    assert len(ledger.writes.unsettled()) == 1
    assert settle(ledger.writes, stash) == 1
    assert [one.thing for one in ledger.writes.of_scene(scene)] == ([ada] if how == "after" else [])
    apply(writer, Addition(scene, ada))
    assert fake.writes == ["bulkSceneUpdate"]
    assert undo_run(ledger, stash, writer.run).performers == 1
    assert fake.scenes[scene]["performers"] == []


def test_a_scene_edited_by_hand_is_left_and_listed_until_the_user_says_so(
    fake: FakeStash, stash: Stash, ledger: Ledger
) -> None:
    ada = fake.add_performer("Ada")
    scenes = [fake.add_scene(f"/{one}.mp4") for one in range(3)]
    writer = begin(ledger, stash, "apply")
    apply(writer, *(Addition(one, ada) for one in scenes))
    fake.edit("scenes", scenes[1], title="Mine")
    undone = undo_run(ledger, stash, writer.run)
    assert [scene for scene, _ in undone.left] == [scenes[1]]
    assert [fake.scenes[one]["performers"] for one in scenes] == [[], [ada], []]
    assert undo_run(ledger, stash, writer.run, edited=True).performers == 1
    assert fake.scenes[scenes[1]] == {
        **fake.scenes[scenes[1]],
        "performers": [],
        "title": "Mine",
    }


def test_what_the_user_took_away_and_gave_back_is_the_users(
    fake: FakeStash, stash: Stash, ledger: Ledger
) -> None:
    ada, scene = fake.add_performer("Ada"), fake.add_scene("/a.mp4")
    writer = begin(ledger, stash, "apply")
    apply(writer, Addition(scene, ada))
    fake.edit("scenes", scene, performers=[])
    undone = undo_run(ledger, stash, writer.run)
    assert (undone.gone, undone.left) == (1, ())
    fake.edit("scenes", scene, performers=[ada])
    assert undo_run(ledger, stash, writer.run) == Undone()
    assert fake.scenes[scene]["performers"] == [ada]


def test_two_runs_on_a_scene_are_undone_one_by_one(
    fake: FakeStash, stash: Stash, ledger: Ledger
) -> None:
    ada, eve, scene = fake.add_performer("Ada"), fake.add_performer("Eve"), fake.add_scene("/a.mp4")
    first, second = (begin(ledger, stash, "apply") for _ in range(2))
    apply(first, Addition(scene, ada))
    apply(second, Addition(scene, eve))
    assert undo_run(ledger, stash, first.run).performers == 1
    assert fake.scenes[scene]["performers"] == [eve]
    assert undo_run(ledger, stash, second.run).performers == 1
    assert fake.scenes[scene]["performers"] == []


def test_markers_are_merged_capped_and_never_made_twice(
    fake: FakeStash, stash: Stash, ledger: Ledger
) -> None:
    assert merge_spans([(0, 3), (5, 9), (30, 31)]) == [(0, 9), (30, 31)]
    spans = [(one * 60.0, one * 60.0 + one) for one in range(1, 31)]
    assert merge_spans(spans) == spans[-MOST_MARKERS:]
    scene = fake.add_scene("/a.mp4")
    before = shown(fake)
    writer = begin(ledger, stash, "markers")
    people = [Marked("7", "Ada", ((1.0, 2.5), (40.0, 41.0)))]
    assert add_markers(writer, scene, people) == 2
    assert add_markers(writer, scene, people) == 0
    made = sorted(
        (one["title"], one["seconds"], one["end_seconds"]) for one in fake.markers.values()
    )
    assert made == [("Ada", 1.0, 2.5), ("Ada", 40.0, 41.0)]
    assert [one["name"] for one in fake.tags.values()] == ["Face"]
    assert all(one.detail == "" for one in ledger.writes.of_run(writer.run)), "no names are kept"
    undo_run(ledger, stash, writer.run)
    assert shown(fake) == before


Use = Callable[[FakeStash, str], object]

USES_OF_PERFORMERS: dict[str, Use] = {
    "scene": lambda fake, who: fake.add_scene("/x.mp4", performers=[who]),
    "image": lambda fake, who: fake.add_image(b"png", [who]),
    "gallery": lambda fake, who: fake.add_gallery("/x", [who]),
    "group": lambda fake, who: fake.edit_performer(who, group_count=1),
    "edit": lambda fake, who: fake.edit_performer(who, gender="FEMALE"),
}


@pytest.mark.parametrize("use", [*USES_OF_PERFORMERS, ""])
def test_a_performer_we_made_is_deleted_only_while_nothing_in_stash_has_them(
    fake: FakeStash, stash: Stash, ledger: Ledger, use: str
) -> None:
    writer = begin(ledger, stash, "create")
    made = stash.create_performer(NewPerformer("Ada"))
    intent = Write("new performer", "", thing=made.id, left_at=made.updated_at)
    ledger.writes.confirm(ledger.writes.intend(writer.run, [intent]))
    if use:
        USES_OF_PERFORMERS[use](fake, made.id)
    undone = undo_run(ledger, stash, writer.run)
    assert undone == (Undone(left=(("", IN_USE),)) if use else Undone(deleted=1))
    assert bool(fake.performers) == bool(use)


USES_OF_TAGS: dict[str, Use] = {
    "scene": lambda fake, tag: fake.add_scene("/x.mp4", tags=[tag]),
    "image": lambda fake, tag: fake.edit("images", fake.add_image(b"png"), tags=[tag]),
    "gallery": lambda fake, tag: fake.edit("galleries", fake.add_gallery("/x"), tags=[tag]),
    "edit": lambda fake, tag: fake.tags[tag].update(updated_at=fake.now()),
} | {
    kind: lambda fake, tag, kind=kind: fake.tags[tag].update({f"{kind}_count": 1})
    for kind in ("scene_marker", "performer", "studio", "group", "parent", "child")
}


@pytest.mark.parametrize("use", [*USES_OF_TAGS, ""])
def test_a_tag_we_made_is_deleted_only_while_nothing_in_stash_has_it(
    fake: FakeStash, stash: Stash, ledger: Ledger, use: str
) -> None:
    writer = begin(ledger, stash, "apply")
    tag = ensure_tag(writer, "Recognised")
    if use:
        USES_OF_TAGS[use](fake, tag)
    undo_run(ledger, stash, writer.run)
    assert list(fake.tags) == ([tag] if use else [])


def test_what_the_user_did_while_a_request_was_lost_is_not_ours(
    fake: FakeStash, stash: Stash, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("function.sources.graphql.ATTEMPTS", 1)
    ada = fake.add_performer("Ada")
    first, second = fake.add_scene("/a.mp4"), fake.add_scene("/b.mp4")
    fake.fail_write(1, "before")
    writer = begin(ledger, stash, "apply")
    with pytest.raises(UnusableSourceError):
        apply(writer, Addition(first, ada), Addition(second, ada))
    fake.edit("scenes", first, performers=[ada])
    settle(ledger.writes, stash)
    assert ledger.writes.of_run(writer.run) == []
    assert ledger.writes.unsettled() == []


def test_an_undo_that_was_lost_is_not_taken_for_done_where_the_user_did_it(
    fake: FakeStash, stash: Stash, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("function.sources.graphql.ATTEMPTS", 1)
    ada = fake.add_performer("Ada")
    scenes = [fake.add_scene("/a.mp4"), fake.add_scene("/b.mp4")]
    writer = begin(ledger, stash, "apply")
    apply(writer, *(Addition(one, ada) for one in scenes))
    fake.fail_write(1, "before")
    with pytest.raises(UnusableSourceError):
        undo_run(ledger, stash, writer.run)
    fake.edit("scenes", scenes[0], performers=[])
    settle(ledger.writes, stash)
    assert [one.scene for one in ledger.writes.of_run(writer.run)] == scenes


@pytest.mark.parametrize("detail", ["{", "7", "[]", "{}", "\ufffd"])
@pytest.mark.parametrize("kind", ["marker", "new tag", "new performer", "performer"])
def test_an_intent_that_a_bad_disk_spoilt_holds_nothing_up(
    fake: FakeStash, stash: Stash, ledger: Ledger, kind: WriteKind, detail: str
) -> None:
    scene = fake.add_scene("/a.mp4")
    writer = begin(ledger, stash, "apply")
    ledger.writes.intend(writer.run, [Write(kind, scene, performer="Ada", detail=detail)])
    settle(ledger.writes, stash)
    assert ledger.writes.unsettled() == []
    done = [Write("performer", scene, detail='{"decision": 7}'), Write(kind, scene, detail=detail)]
    assert decisions_of(done) == (7,), "it may be taken back, what is damaged cannot"


@pytest.mark.parametrize("how", ["before", "after"])
def test_a_marker_without_an_answer_is_found_again(
    fake: FakeStash, stash: Stash, ledger: Ledger, how: Any
) -> None:
    scene = fake.add_scene("/a.mp4")
    writer = begin(ledger, stash, "markers")
    people = [Marked("7", "Ada", ((1.0, 2.5), (40.0, 41.0)))]
    fake.fail_write(2, how)
    with pytest.raises(UnusableSourceError):
        add_markers(writer, scene, people)
    settle(ledger.writes, stash)
    add_markers(writer, scene, people)
    assert len(fake.markers) == 2
    assert undo_run(ledger, stash, writer.run).markers == 2
    assert not fake.markers


def test_a_marker_edited_by_hand_stays(fake: FakeStash, stash: Stash, ledger: Ledger) -> None:
    scene = fake.add_scene("/a.mp4")
    writer = begin(ledger, stash, "markers")
    add_markers(writer, scene, [Marked("7", "Ada", ((1.0, 2.5), (40.0, 41.0)))])
    next(iter(fake.markers.values())).update(title="Best part", updated_at=fake.now())
    undone = undo_run(ledger, stash, writer.run)
    assert (undone.markers, [scene for scene, _ in undone.left]) == (1, [scene])
    assert [one["title"] for one in fake.markers.values()] == ["Best part"]


def test_a_marker_that_stash_refuses_to_delete_stays_listed(
    fake: FakeStash, stash: Stash, ledger: Ledger
) -> None:
    scene = fake.add_scene("/a.mp4")
    writer = begin(ledger, stash, "markers")
    add_markers(writer, scene, [Marked("7", "Ada", ((1.0, 2.5),))])
    fake.fail_write(1, "error")
    undone = undo_run(ledger, stash, writer.run)
    assert (undone.markers, len(undone.left)) == (0, 1)
    assert undo_run(ledger, stash, writer.run).markers == 1


def test_what_is_in_work_elsewhere_is_not_taken_for_broken_off(
    fake: FakeStash, stash: Stash, tmp_path: Path
) -> None:
    ada, scene = fake.add_performer("Ada"), fake.add_scene("/a.mp4")
    arrived, go_on = threading.Event(), threading.Event()

    class SlowStash(Stash):
        def tag_items(self, *arguments: Any, **options: Any) -> Any:
            arrived.set()
            assert go_on.wait(20)
            return super().tag_items(*arguments, **options)

    def write() -> None:
        with SqliteLedger(tmp_path / "l.db") as ledger:
            writer = begin(ledger, SlowStash(fake.url, "right"), "apply")
            apply(writer, Addition(scene, ada))

    writing = threading.Thread(target=write)
    writing.start()
    assert arrived.wait(20)
    with SqliteLedger(tmp_path / "l.db") as other:
        settling = threading.Thread(target=settle, args=(other.writes, stash))
        settling.start()
        settling.join(0.3)
        assert settling.is_alive(), "it waits for its turn"
        go_on.set()
        writing.join()
        settling.join()
        assert [one.thing for one in other.writes.of_scene(scene)] == [ada]


# A process that writes is killed


def fill(fake: FakeStash, count: int) -> tuple[list[tuple[str, str]], str]:
    """Add scenes, some of which are tagged, and say whom to add to them."""
    performers = [fake.add_performer(f"P{number}") for number in range(3)]
    tag = fake.add_tag("Recognised")
    additions = []
    for number in range(count):
        theirs = performers[: number % 3]
        scene = fake.add_scene(f"/{number}.mp4", performers=theirs, tags=[tag][: number % 2])
        additions += [(scene, one) for one in performers[: 1 + number % 2]]
    return additions, tag


@pytest.mark.parametrize("point", [*POINTS, *UNDO_POINTS])
def test_ended_between_any_two_steps_it_goes_on_and_undoes_all(
    fake: FakeStash, start: Start, tmp_path: Path, point: str
) -> None:
    additions, tag = fill(fake, 30)
    before = shown(fake)
    ledger = tmp_path / "l.db"
    is_undo = point in UNDO_POINTS
    for stop in [""] if is_undo else [point, ""]:
        process = start(apply_all, ledger, fake.url, additions, tag, stop)
        process.join()
        assert bool(process.exitcode) == bool(stop)
    assert all(who in fake.scenes[scene]["performers"] for scene, who in additions)
    for stop in [point, ""] if is_undo else [""]:
        process = start(undo_all, ledger, fake.url, stop)
        process.join()
        assert bool(process.exitcode) == bool(stop)
    assert shown(fake) == before


def test_a_thousand_scenes_tagged_killed_edited_and_undone_differ_only_where_edited(
    fake: FakeStash, start: Start, tmp_path: Path
) -> None:
    additions, tag = fill(fake, SCENES)
    before = shown(fake)
    ledger, chance = tmp_path / "l.db", random.Random(5)
    for part in (0.3, 0.7):
        process = start(apply_all, ledger, fake.url, additions, tag)
        wanted = len(fake.writes) + int(part * 6)
        while process.is_alive() and len(fake.writes) < wanted:
            time.sleep(0.001)
        time.sleep(chance.uniform(0, 0.2))
        process.kill()
        process.join()
    with SqliteLedger(ledger) as opened:
        run_id = int(opened.choice("run"))
        done = {one.scene for one in opened.writes.of_run(run_id)}
        done |= {one.scene for one in opened.writes.unsettled()}
    assert 0 < len(done) < SCENES, "it was killed midway"
    touched = sorted(one for one in done if _differs(fake, before, one))
    edited = chance.sample(touched, EDITED)
    for scene in edited:
        fake.edit("scenes", scene, title="Edited by hand")
    process = start(undo_all, ledger, fake.url)
    process.join()
    assert process.exitcode == 0
    after = shown(fake)
    differing = {one for one in after["scenes"] if after["scenes"][one] != before["scenes"][one]}
    assert differing == set(edited)
    assert {**after, "scenes": 0} == {**before, "scenes": 0}
    with SqliteLedger(ledger) as opened:
        assert {one.scene for one in opened.writes.of_run(run_id)} == set(edited)


def _differs(fake: FakeStash, before: dict[str, Any], scene: str) -> bool:
    return {**fake.scenes[scene], "updated_at": ""} != before["scenes"][scene]
