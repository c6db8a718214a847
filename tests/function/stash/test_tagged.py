"""Whom the user tagged in Stash is likelier in that video, and nobody whom we tagged."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from db.people import PersonFound
from db.records import Identity, Performer
from db.tasks import Task
from db.videos import Content, Outcome, Scanned, Stamp, VideoFile
from db.writes import Write
from function.engines.models import PRIMARY
from function.faces.found import StageSeconds
from function.library.forgetting import forget_everywhere
from function.library.keeping import Watched, keep_people
from function.library.naming import Naming, open_naming
from function.library.rematching import name_again, rematch
from function.matching.matches import Identification
from function.people.gathering import PeopleFound
from function.recognition import Unnamed
from function.settings import Settings
from function.stash.client import Stash
from function.stash.connection import require_connection
from function.stash.options import Options
from function.stash.paths import locator
from function.stash.tagged import note_tagged
from function.stash.tasks import Workplace, do_task
from tests.support.crowds import make_face
from tests.support.people import person_of
from tests.support.stash_libraries import StashLibrary, stash_library

LARGE = 1 << 20


@pytest.fixture
def library(tmp_path: Path) -> Iterator[StashLibrary]:
    with stash_library(tmp_path) as made:
        yield made


def do(library: StashLibrary, kind: Any) -> str:
    settings = library.own_settings()
    with library.ledger() as ledger:
        connection = require_connection(settings)
        place = Workplace(settings, library.store, ledger, connection, lambda _: None)
        *_, last = do_task(Task(kind, Options().to_json(), id=1), place)
        assert last.state == "done", last.text
        return last.text


def read(library: StashLibrary) -> None:
    """Read the scenes, as each sync does at its end."""
    settings = library.own_settings()
    locate = locator(settings, require_connection(settings))
    with (
        closing(Stash(library.fake.url, library.fake.api_key)) as stash,
        library.ledger() as ledger,
    ):
        present = {one.id: one for one in stash.performers()}
        note_tagged(stash, library.store, ledger, locate, present)


def naming_of(library: StashLibrary, hints: Any = "on") -> Naming:
    return open_naming(library.store, None, Settings(second_encoder="off", hints=hints))


def hinted(library: StashLibrary, scene: str, hints: Any = "on") -> dict[str, tuple[str, ...]]:
    """Whom each person in a scene is most like, and by what besides the face."""
    path = library.fake.scenes[scene]["files"][0]["path"]
    with library.ledger() as ledger:
        (video,) = ledger.ids([path.encode()])
        people = name_again(ledger, [video], naming_of(library, hints))[video]
    firsts = [one.person.matches[0] for one in people if one.person.matches]
    return {one.performer.name: one.hints for one in firsts}


def outcomes(library: StashLibrary) -> list[list[Outcome]]:
    with library.ledger() as ledger:
        for _ in rematch(ledger, naming_of(library)):
            pass
        return list(ledger.outcomes([one.id for one in ledger.videos()]).values())


def unclear(library: StashLibrary, number: int) -> PersonFound:
    """Somebody whom the face alone makes uncertain to be a performer."""
    naming = naming_of(library)
    for _ in range(200):
        face = library.crowd.encodings(library.centres[number], 1, 0.55)[0]
        person = replace(person_of([make_face(face)]), picture=b"\xff\xd8\xff")
        found = name(naming, person)
        tagged = name(naming, person, library.in_stash[number])
        if (found.verdict, tagged.verdict) == ("uncertain", "match"):
            return person
    raise AssertionError("the crowd has changed: nobody is uncertain")


def name(naming: Naming, person: PersonFound, tagged: str = "") -> Identification:
    found = PeopleFound((person,), (PRIMARY.id,), 1, 1, StageSeconds(0.0, 0.0))
    hints = naming.hints_of([Identity("stash", tagged)] if tagged else [])
    ((named,),) = naming.name([Unnamed(found, "", hints)])
    return named


def test_whom_the_user_tagged_is_likelier_after_a_sync_until_they_are_taken_off(
    library: StashLibrary,
) -> None:
    one = library.in_stash[1]
    scene = library.scene("a.mp4", [unclear(library, 1)], performers=[one])
    other = library.scene("b.mp4", [library.person(2)])
    ((before,), unchanged) = outcomes(library)
    assert before.verdict == "uncertain"
    do(library, "sync")
    assert hinted(library, scene) == {"P1": ("tag",)}
    ((now,), same) = outcomes(library)
    assert (now.verdict, now.score > before.score, same) == ("match", True, unchanged)
    assert hinted(library, other) == {"P2": ()}
    library.fake.edit("scenes", scene, performers=[])
    do(library, "sync")
    assert outcomes(library) == [[before], unchanged]


def test_only_videos_of_which_something_changed_are_matched_again(library: StashLibrary) -> None:
    scene = library.scene("a.mp4", [library.person(1)], performers=[library.in_stash[1]])
    library.scene("b.mp4", [library.person(2)])
    read(library)

    def due() -> list[int]:
        with library.ledger() as ledger:
            return ledger.not_matched_at(naming_of(library).generation, 10)

    assert due() == [1]
    outcomes(library)
    read(library)
    assert due() == [], "the same is noted again"
    library.fake.edit("scenes", scene, performers=[library.in_stash[2]])
    read(library)
    assert due() == [1]


def test_hints_off_ignores_whom_the_user_tagged(library: StashLibrary) -> None:
    scene = library.scene("a.mp4", [library.person(1)], performers=[library.in_stash[1]])
    read(library)
    assert hinted(library, scene) == {"P1": ("tag",)}
    assert hinted(library, scene, hints="off") == {"P1": ()}


def test_a_tag_alone_names_nobody(library: StashLibrary) -> None:
    everyone = list(library.in_stash.values())
    library.scene("a.mp4", [library.person(None), library.person(None, 10)], performers=everyone)
    read(library)
    ((first, second),) = outcomes(library)
    assert (first.verdict, second.verdict) == ("unknown", "unknown")


def test_what_we_wrote_is_no_hint(library: StashLibrary) -> None:
    scene = library.scene("a.mp4", [library.person(1), library.person(2, 10)])
    library.fake.edit("scenes", scene, performers=[library.in_stash[2]])
    do(library, "apply")
    assert library.fake.scenes[scene]["performers"] == [library.in_stash[2], library.in_stash[1]]
    do(library, "sync")
    assert hinted(library, scene) == {"P1": (), "P2": ("tag",)}
    do(library, "undo")
    library.fake.edit("scenes", scene, performers=[library.in_stash[1]])
    do(library, "sync")
    assert hinted(library, scene) == {"P1": (), "P2": ()}, "it may have come back by itself"


def test_a_tag_is_no_hint_any_more_once_we_wrote_it_ourselves(library: StashLibrary) -> None:
    scene = library.scene("a.mp4", [library.person(1)], performers=[library.in_stash[1]])
    do(library, "sync")
    library.fake.edit("scenes", scene, performers=[])
    do(library, "apply")
    assert library.fake.scenes[scene]["performers"] == [library.in_stash[1]]
    do(library, "sync")
    assert hinted(library, scene) == {"P1": ()}


def test_what_is_written_while_the_scenes_are_read_is_no_hint(
    library: StashLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = library.in_stash[1]
    scene = library.scene("a.mp4", [library.person(1)], performers=[one])
    scenes = Stash.scenes

    def write_then(stash: Stash, *given: Any) -> Any:
        with library.ledger() as ledger:
            ledger.writes.intend(ledger.writes.begin_run("apply"), [Write("performer", scene, one)])
        return scenes(stash, *given)

    monkeypatch.setattr(Stash, "scenes", write_then)
    read(library)
    assert hinted(library, scene) == {"P1": ()}


def test_what_is_undone_while_the_scenes_are_read_is_no_hint(
    library: StashLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = library.scene("a.mp4", [library.person(1)])
    do(library, "apply")
    scenes = Stash.scenes

    def undo_then(stash: Stash, *given: Any) -> Any:
        yield from list(scenes(stash, *given))
        with library.ledger() as ledger:
            writes = ledger.writes
            writes.end_undo(writes.begin_undo(writes.of_scene(scene)))

    monkeypatch.setattr(Stash, "scenes", undo_then)
    read(library)
    assert hinted(library, scene) == {"P1": ()}


def test_whom_we_named_to_the_scraper_is_no_hint(library: StashLibrary) -> None:
    one, two = library.in_stash[1], library.in_stash[2]
    scene = library.scene("a.mp4", [library.person(1), library.person(2, 10)], performers=[two])
    with library.ledger() as ledger:
        ledger.writes.tell(scene, [], [one])
    library.fake.edit("scenes", scene, performers=[two, one])
    read(library)
    assert hinted(library, scene) == {"P1": (), "P2": ("tag",)}


def test_only_scenes_with_performers_are_asked_for(library: StashLibrary) -> None:
    library.scene("a.mp4", [library.person(1)])
    scene = library.scene("b.mp4", [library.person(1)], performers=[library.in_stash[1]])
    library.fake.queries.clear()
    read(library)
    (asked,) = [one for one in library.fake.queries if "findScenes" in one["query"]]
    answer = json.loads(library.fake.execute(asked).body)["data"]["findScenes"]
    assert [one["id"] for one in answer["scenes"]] == [scene]


@pytest.mark.parametrize("by", ["apply", "scraper"])
@pytest.mark.parametrize("how", ["merged", "copied", "undone and merged"])
def test_what_we_put_on_a_scene_is_no_hint_on_another_of_the_same_file(
    library: StashLibrary, by: str, how: str
) -> None:
    one = library.in_stash[1]
    scene = library.scene("a.mp4", [library.person(1)])
    files = library.fake.scenes[scene]["files"]
    if by == "apply":
        do(library, "apply")
    else:
        with library.ledger() as ledger:
            ledger.writes.tell(scene, [files[0]["fingerprints"][0]["value"]], [one])
    if how != "copied":
        del library.fake.scenes[scene]
    library.fake.add_scene(performers=[one], files=files)
    if how == "undone and merged":
        do(library, "undo")
    read(library)
    assert rows(library) == []


def test_nobody_is_a_hint_where_somebody_whom_we_added_is_in_stash_no_more(
    library: StashLibrary,
) -> None:
    one, two = library.in_stash[1], library.in_stash[2]
    scene = library.scene("a.mp4", [library.person(1)])
    do(library, "apply")
    library.fake.merge_performers(two, one, with_values=False)
    assert library.fake.scenes[scene]["performers"] == [two]
    library.scene("b.mp4", [library.person(3)], performers=[two])
    do(library, "sync")
    assert hinted(library, scene) == {"P1": ()}
    assert rows(library) == [("stash", two)], "elsewhere they are the user's"


def test_who_is_deleted_in_stash_ends_no_hint_of_the_others_whom_the_user_tagged_before(
    library: StashLibrary,
) -> None:
    one, two, three = (library.in_stash[number] for number in (1, 2, 3))
    scene = library.scene("a.mp4", [library.person(1), library.person(2, 10)], performers=[two])
    do(library, "apply")
    do(library, "sync")
    assert hinted(library, scene) == {"P1": (), "P2": ("tag",)}
    library.fake.delete_performer(one)
    library.fake.edit("scenes", scene, performers=[two, three])
    for _ in range(2):
        do(library, "sync")
        assert rows(library) == [("stash", two)], "the other may be whom they were merged into"
        assert hinted(library, scene) == {"P1": (), "P2": ("tag",)}
    library.fake.edit("scenes", scene, performers=[three])
    do(library, "sync")
    assert rows(library) == []


def test_a_number_of_stash_that_is_somebody_elses_now_is_no_hint(library: StashLibrary) -> None:
    one = library.in_stash[1]
    scene = library.scene("a.mp4", [library.person(1)], performers=[one])
    library.fake.edit_performer(one, name="Somebody else")
    read(library)
    assert hinted(library, scene) == {"P1": ()}
    library.fake.edit_performer(one, name="Somebody else", alias_list=["p1"])
    read(library)
    assert hinted(library, scene) == {"P1": ("tag",)}


def scan(library: StashLibrary, file_name: str, people: list[PersonFound]) -> None:
    """Scan a file as the worker does, with what the ledger knows of it."""
    naming = naming_of(library)
    found = PeopleFound(tuple(people), (PRIMARY.id,), 1, 1, StageSeconds(0.0, 0.0))
    path = library.root / file_name
    with library.ledger() as ledger:
        file = VideoFile(bytes(path), Stamp(LARGE, 1), "0123456789abcdef")
        ledger.offer([file], "normal")
        lease = ledger.lease("test", 60)
        assert lease
        tagged = ledger.tagged([lease.video])[lease.video]
        kept = keep_people(found, Watched(file_name, 1.0), naming, strangers=True, tagged=tagged)
        scanned = Scanned("normal", None, (PRIMARY.id,))
        assert ledger.finish(lease, kept.found, scanned, kept.outcomes, naming.generation)


def test_a_scan_takes_what_was_read_before_it_and_a_rematch_says_the_same(
    library: StashLibrary,
) -> None:
    library.fake.add_scene(
        str(library.root / "new.mp4"),
        oshash="0123456789abcdef",
        size=LARGE,
        performers=[library.in_stash[1]],
    )
    read(library)
    scan(library, "new.mp4", [unclear(library, 1)])
    with library.ledger() as ledger:
        (video,) = ledger.videos()
        ((said,),) = ledger.outcomes([video.id]).values()
        assert said.verdict == "match"
        assert ledger.not_matched_at(naming_of(library).generation, 10) == []
        ((again,),) = name_again(ledger, [video.id], naming_of(library)).values()
        assert again.person.matches[0].score == said.score


def test_scenes_of_one_content_add_up(library: StashLibrary) -> None:
    scene = library.scene("a.mp4", [library.person(1), library.person(2, 10)])
    file = library.fake.scenes[scene]["files"][0]
    for number in (1, 2):
        library.fake.add_scene(
            file["path"],
            oshash=file["fingerprints"][0]["value"],
            size=file["size"],
            performers=[library.in_stash[number]],
        )
    read(library)
    assert hinted(library, scene) == {"P1": ("tag",), "P2": ("tag",)}


def test_performers_are_found_by_their_ids_and_never_by_name(library: StashLibrary) -> None:
    box = "https://box.example/graphql"
    aa = [{"endpoint": box, "stash_id": "aa-00", "updated_at": "2026-01-01T00:00:00Z"}]
    known = library.fake.add_performer("Another name", stash_ids=aa)
    namesake = library.fake.add_performer("P4")
    people = [library.person(number, 10 * number) for number in (0, 4, 5)]
    scene = library.scene("a.mp4", people, performers=[known, namesake])
    read(library)
    assert hinted(library, scene) == {"P0": ("tag",), "P4": (), "P5": ()}
    with library.store.changing() as gallery:
        gallery.enrol(
            Performer(0, "P5", source_id="P5", identities=(Identity("stash", known),)), [], None
        )
    read(library)
    nobody = {"P0": (), "P4": (), "P5": ()}
    assert hinted(library, scene) == nobody, "two performers have an id of theirs"


def rows(library: StashLibrary) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(library.ledger_path)) as raw:
        return raw.execute("SELECT source, source_id FROM tagged").fetchall()


def test_nothing_is_left_of_whom_is_forgotten_and_the_next_read_brings_nothing_back(
    library: StashLibrary,
) -> None:
    one, two = library.in_stash[1], library.in_stash[2]
    library.scene("a.mp4", [library.person(3)], performers=[one, two])
    read(library)
    assert rows(library) == [("stash", one), ("stash", two)]
    forget_everywhere(library.store, library.own_settings(), library.ids[1])
    assert rows(library) == [("stash", two)]
    read(library)
    assert rows(library) == [("stash", two)]


def test_who_is_being_forgotten_while_scenes_are_read_is_not_noted(library: StashLibrary) -> None:
    identity = Identity("stash", library.in_stash[1])
    with library.store.gallery() as gallery:
        number = gallery.generation()[0]
    with library.ledger() as ledger:
        ledger.begin_forgetting(number, library.ids[1])
        told = {Content("0123456789abcdef", LARGE): [identity]}
        assert ledger.note_tagged(told, number, {identity: library.ids[1]}) == 0
    assert rows(library) == []


@pytest.mark.parametrize("where", ["gallery", "stash"])
def test_whoever_was_merged_is_hinted_at_as_the_one_they_are_now(
    library: StashLibrary, where: str
) -> None:
    one, two = library.in_stash[1], library.in_stash[2]
    scene = library.scene("a.mp4", [library.person(2)], performers=[one])
    read(library)
    assert hinted(library, scene) == {"P2": ()}
    if where == "gallery":
        with library.store.changing() as gallery:
            gallery.merge(gallery.performer(library.ids[2]), gallery.performer(library.ids[1]))
    else:
        library.fake.merge_performers(two, one)
        library.fake.edit("scenes", scene, performers=[])
        do(library, "sync")
        assert hinted(library, scene) == {"P2": ()}, "it was taken off meanwhile"
        library.fake.edit("scenes", scene, performers=[two])
        read(library)
    assert hinted(library, scene) == {"P2": ("tag",)}
