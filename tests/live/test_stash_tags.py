"""Whom the user tagged in a real Stash is a hint, and nobody whom we ever put there.

It needs a Stash that may be written into, with five scenes or more that have files: `STASH_URL` and
`STASH_API_KEY` name it. What is made there is deleted again, and its scenes lose no performers.
"""

import multiprocessing
import os
import random
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from db.addresses import StoreAddress
from db.records import Identity, Performer
from db.tasks import Task
from db.videos import Content, Scanned, Stamp, VideoFile
from db.writes import Write
from function.engines.models import PRIMARY
from function.faces.found import StageSeconds
from function.library.keeping import Watched, keep_people
from function.library.naming import open_naming
from function.library.oshash import SMALL_BYTES
from function.library.rematching import name_again
from function.people.gathering import PeopleFound
from function.settings import Settings
from function.stash.client import Stash
from function.stash.connection import Connection
from function.stash.options import Options
from function.stash.records import File, NewPerformer, Scene
from function.stash.tasks import Workplace, do_task
from tests.support.live_stash import put_notes
from tests.support.made_up_libraries import MadeUpLibrary
from tests.support.servers import serving

URL, API_KEY = os.environ.get("STASH_URL", ""), os.environ.get("STASH_API_KEY", "")

pytestmark = pytest.mark.skipif(not URL, reason="STASH_URL names no Stash to be written into")

MERGE = "mutation M($input: SceneMergeInput!) { sceneMerge(input: $input) { id } }"
MERGE_PERFORMERS = "mutation M($i: PerformerMergeInput!) { performerMerge(input: $i) { id } }"
RENAME = "mutation R($i: PerformerUpdateInput!) { performerUpdate(input: $i) { id } }"
SPLIT = "mutation S($i: SceneCreateInput!) { sceneCreate(input: $i) { id } }"
CAN_MERGE = '{ __type(name: "Mutation") { fields { name } } }'


class Place(MadeUpLibrary):
    """Two performers of Stash, who are P1 and P2 here, and scenes of Stash that show P1 and P2."""

    def __init__(self, folder: Path, stash: Stash) -> None:
        super().__init__(folder)
        self.stash, self.folder = stash, folder
        self.name = f"made by a test at {time.time():.3f}"
        self.numbers = [self.make(number) for number in (1, 2)]
        held = [one for one in stash.scenes() if one.files and one.files[0].oshash]
        self.scenes = [one for one in held if one.files[0].size_bytes > SMALL_BYTES][:5]
        assert len(self.scenes) == 5, "it has too few scenes"
        for scene in self.scenes:
            self.look(scene.files[0])

    def make(self, number: int) -> str:
        """Make a performer in Stash, and let P1 or P2 be known by the number."""
        made = self.stash.create_performer(NewPerformer(f"{self.name}, P{number}")).id
        known = Performer(0, f"P{number}", source_id=f"P{number}")
        aliases = (f"{self.name}, P{number}",)
        with self.store.changing() as gallery:
            gallery.enrol(
                replace(known, aliases=aliases, identities=(Identity("stash", made),)), [], None
            )
        return made

    def look(self, file: File) -> None:
        """Scan what a file of Stash holds; it shows P1 and P2."""
        naming = open_naming(self.store, None, Settings(second_encoder="off"))
        people = (self.person(1), self.person(2, 10))
        found = PeopleFound(people, (PRIMARY.id,), 30, 12, StageSeconds(0.0, 0.0))
        with self.ledger() as ledger:
            ledger.offer(
                [VideoFile(os.fsencode(file.path), Stamp(file.size_bytes, 1), file.oshash)],
                "normal",
            )
            lease = ledger.lease("test", 60)
            assert lease
            kept = keep_people(found, Watched(file.path, 30.0), naming, strangers=True)
            scanned = Scanned("normal", None, (PRIMARY.id,))
            assert ledger.finish(lease, kept.found, scanned, kept.outcomes, naming.generation)

    def do(self, kind: Any, **options: Any) -> None:
        work(self.folder, kind, **options)

    def tag(self, scene: int, *performers: str) -> None:
        """Let these be on a scene, as a user does."""
        now = self.stash.item("scene", self.scenes[scene].id)
        assert now
        if now.performers:
            self.stash.tag_items("scene", [now.id], remove=now.performers)
        if performers:
            self.stash.tag_items("scene", [now.id], add=performers)

    def hints(self, scene: int = 0) -> set[str]:
        """Sync, and return who is likelier in a scene because of a tag."""
        self.do("sync")
        naming = open_naming(self.store, None, Settings(second_encoder="off"))
        (file,) = self.scenes[scene].files
        with self.ledger() as ledger:
            (video,) = ledger.ids_of_content(file.oshash)
            people = name_again(ledger, [video], naming)[video]
        firsts = [one.person.matches[0] for one in people]
        return {one.performer.name for one in firsts if one.hints == ("tag",)}


def work(folder: Path, kind: Any, **options: Any) -> None:
    """Do a task, in whichever process."""
    place = made_in(folder)
    with place.ledger:
        *_, last = do_task(Task(kind, Options(**options).to_json(), id=1), place)
    assert last.state == "done", last.text


def made_in(folder: Path) -> Workplace:
    settings = Settings(
        media_root=(folder / "media",),
        performers_db=StoreAddress(str(folder / "g.db")),
        library_db=StoreAddress(str(folder / "l.db")),
        second_encoder="off",
        stash_url=URL,
        stash_api_key=API_KEY,
    )
    from db.stores import open_ledger, open_store  # noqa: PLC0415  # for the other process

    ledger = open_ledger(settings.library_db)
    store = open_store(settings.performers_db)
    return Workplace(settings, store, ledger, Connection(URL, API_KEY), lambda _: None)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with closing(Stash(URL, API_KEY)) as stash:
        made = Place(tmp_path, stash)
        before = {one.id: one.performers for one in made.scenes}
        notes = {key: vars(it) for key, it in stash.notes().items()}
        put_notes(lambda document, **values: stash.ask(document, values), {})
        try:
            yield made
        finally:
            for one in stash.performers():
                if one.name.startswith(made.name):
                    stash.destroy_performers([one.id])
            there = {one.id for one in stash.performers()}
            for scene, performers in before.items():
                if stash.scene(scene) and (kept := there.intersection(performers)):
                    stash.tag_items("scene", [scene], add=sorted(kept))
            put_notes(lambda document, **values: stash.ask(document, values), notes)


def test_whom_the_user_tags_is_a_hint_until_taken_off_and_again_when_put_on(place: Place) -> None:
    one, two = place.numbers
    assert place.hints() == set()
    for performers, found in (([one], {"P1"}), ([], set()), ([one, two], {"P1", "P2"})):
        place.tag(0, *performers)
        assert place.hints() == found
    assert place.hints(1) == set()


def test_what_apply_wrote_is_no_hint_whatever_becomes_of_it(place: Place) -> None:
    one, two = place.numbers
    place.tag(0, two)
    ids = [it.id for it in place.scenes[:2]]
    place.do("apply", filter={"scenes": ids}, confirmed=True)
    assert set(place.stash.item("scene", ids[0]).performers) == {one, two}  # type: ignore[union-attr]
    assert (place.hints(), place.hints(1)) == ({"P2"}, set())
    place.tag(0, two)
    place.tag(0, two, one)
    assert place.hints() == {"P2"}, "taken off and put on by hand"
    place.do("undo", edited=True)
    assert place.stash.item("scene", ids[0]).performers == (two,)  # type: ignore[union-attr]
    place.tag(0, two, one)
    assert place.hints() == {"P2"}, "undone, and put on by hand"
    place.do("apply", filter={"scenes": ids}, confirmed=True)
    assert (place.hints(), place.hints(1)) == ({"P2"}, set()), "done again"


def test_whom_the_scraper_named_is_no_hint(place: Place) -> None:
    one, two = place.numbers
    place.tag(0, two)
    scene = place.scenes[0]
    files = [{"path": it.path, "size": it.size_bytes, "oshash": it.oshash} for it in scene.files]
    beside = {"MEDIA_ROOT": "/", "STASH_URL": URL, "STASH_API_KEY": API_KEY}
    with serving(**{**place.settings(), **beside}) as start:
        reply = start().post(
            "/stash/scrape",
            json={"kind": "scene", "id": scene.id, "files": files},
            headers={"X-Recognition-Page": "1"},
        )
    assert {it["stored_id"] for it in reply.get_json()["performers"]} == {one, two}
    place.tag(0, two, one)
    assert place.hints() == {"P2"}


def test_what_we_wrote_is_no_hint_on_a_scene_into_which_its_own_is_merged(place: Place) -> None:
    source, goal = place.scenes[0], place.scenes[1]
    place.do("apply", filter={"scenes": [source.id]}, confirmed=True)
    values = {"id": goal.id, "performer_ids": list(place.numbers)}
    merged = {"source": [source.id], "destination": goal.id, "values": values}
    place.stash.ask(MERGE, {"input": merged})
    try:
        assert place.hints(0) == set()
        assert place.hints(1) == set(), "who is on it is ours as well as the user's"
        place.do("undo")
        assert place.hints(0) == set()
    finally:
        found = place.stash.ask(
            "query F($id: ID!) { findScene(id: $id) { files { id path } } }", {"id": goal.id}
        )["findScene"]["files"]
        (file,) = [it["id"] for it in found if it["path"] == source.files[0].path]
        place.stash.ask(SPLIT, {"i": {"file_ids": [file]}})


def test_who_is_renamed_made_anew_or_of_one_name_is_known_by_the_number(place: Place) -> None:
    one, _ = place.numbers
    place.tag(0, one)
    place.stash.ask(RENAME, {"i": {"id": one, "name": f"{place.name}, renamed"}})
    assert place.hints() == {"P1"}
    place.stash.destroy_performers([one])
    assert place.hints() == set()
    again = place.stash.create_performer(NewPerformer(f"{place.name}, P1")).id
    place.tag(0, again)
    assert place.hints() == set(), "of the same name, and not enrolled by this number"
    twin = NewPerformer(f"{place.name}, P1", disambiguation="another")
    place.tag(1, place.stash.create_performer(twin).id)
    assert place.hints(1) == set()


@pytest.mark.parametrize("by", ["user", "apply"])
def test_who_is_merged_is_a_hint_only_if_the_user_tagged_them(place: Place, by: str) -> None:
    fields = place.stash.ask(CAN_MERGE)["__type"]["fields"]
    if "performerMerge" not in {one["name"] for one in fields}:
        pytest.skip("this Stash cannot merge performers")
    one, two = place.numbers
    if by == "user":
        place.tag(0, one)
    else:
        place.do("apply", filter={"scenes": [place.scenes[0].id]}, confirmed=True)
        place.tag(0, one)
    place.stash.ask(MERGE_PERFORMERS, {"i": {"source": [one], "destination": two}})
    place.do("sync")
    with place.ledger() as ledger:
        (file,) = place.scenes[0].files
        (video,) = ledger.ids_of_content(file.oshash)
        noted = ledger.tagged([video])[video]
    assert noted == ([Identity("stash", two)] if by == "user" else [])


def test_syncs_that_are_killed_or_at_once_leave_what_the_last_one_read(place: Place) -> None:
    one, two = place.numbers
    for number, _ in enumerate(place.scenes):
        place.tag(number, [one, two][number % 2])
    chance, context = random.Random(3), multiprocessing.get_context("forkserver")
    for _ in range(12):
        both = [context.Process(target=work, args=(place.folder, "sync")) for _ in range(2)]
        for process in both:
            process.start()
        time.sleep(chance.uniform(0.3, 2.5))
        for process in both:
            process.kill()
            process.join()
        with place.ledger() as ledger:
            assert len(noted_in(ledger, place.scenes)) in (0, 5), "all or none"
    both = [context.Process(target=work, args=(place.folder, "sync")) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join()
    assert [process.exitcode for process in both] == [0, 0]
    with place.ledger() as ledger:
        assert len(noted_in(ledger, place.scenes)) == 5


def noted_in(ledger: Any, scenes: list[Scene]) -> list[Content]:
    files = [file for scene in scenes for file in scene.files]
    ids = {id_ for file in files for id_ in ledger.ids_of_content(file.oshash)}
    return [one for some in ledger.tagged(sorted(ids)).values() for one in some]


@pytest.mark.parametrize("how", ["anew", "from a backup"])
def test_a_library_that_lacks_what_was_written_takes_nothing_of_it_for_the_users(
    place: Place, how: str
) -> None:
    one, two = place.numbers
    path = place.ledger_path
    with place.ledger() as ledger:  # of some run before the backup
        ledger.writes.intend(ledger.writes.begin_run("add"), [Write("performer", "0", one)])
    place.hints()
    kept = path.read_bytes()
    place.tag(1, two)
    place.do("apply", filter={"scenes": [place.scenes[0].id]}, confirmed=True)
    for beside in path.parent.glob(f"{path.name}-*"):
        beside.unlink()
    if how == "anew":
        path.unlink()
        for scene in place.scenes:
            place.look(scene.files[0])
    else:
        path.write_bytes(kept)
    assert place.hints() == set()
