import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from db.records import Identity, Performer
from db.videos import Content
from db.writes import Write
from function.library.naming import open_naming
from function.library.rematching import name_again
from function.settings import Settings
from function.stash.scene_faces import hash_of, origin_of
from tests.support.crowds import make_face
from tests.support.galleries import encoding
from tests.support.people import person_of
from tests.support.stash_libraries import StashLibrary, stash_library
from tools.accuracy.tagged_scenes import Judged, Judgement, Kind, render, to_json
from tools.cli import main


@pytest.fixture
def library(tmp_path: Path) -> Iterator[StashLibrary]:
    with stash_library(tmp_path) as made:
        yield made


def figures(library: StashLibrary, *options: str) -> str:
    environment = {name: str(value) for name, value in library.settings().items()}
    verb = ["evaluate", "--from-stash", *options]
    result = CliRunner().invoke(main, verb, env=environment | {"SECOND_ENCODER": "off"})
    assert result.exit_code == 0, result.output
    return result.stdout


def judged(library: StashLibrary) -> dict[str, object]:
    told: dict[str, object] = json.loads(figures(library))
    return told


def judgements(*scores: tuple[Kind, float]) -> Judged:
    return Judged(tuple(Judgement("1", 1, kind, score) for kind, score in scores), 1, 0)


def test_tagged_scenes_say_who_was_named_right_missed_or_wrong(library: StashLibrary) -> None:
    one, two = library.in_stash[1], library.in_stash[2]
    library.scene("right.mp4", [library.person(1)], performers=[one])
    library.scene("missed.mp4", [library.person(None)], performers=[two])
    wrong = library.scene("wrong.mp4", [library.person(1), library.person(2, 10)], [one])
    library.scene("untagged.mp4", [library.person(2)])
    library.scene("unscanned.mp4", performers=[one])
    told = judged(library)
    counts = {name: told[name] for name in ("scenes", "right", "missed", "wrong", "uncertain")}
    assert counts == {"scenes": 3, "right": 2, "missed": 1, "wrong": 1, "uncertain": 0}
    assert told["scenes_not_scanned"] == 1
    (row,) = told["wrong_scenes"]  # type: ignore[misc]
    assert (row["scene"], row["named"]) == (wrong, "P2")
    assert told["apply"] == {"min_score": 99.0, "right": 2, "wrong": 1, "missed": 1}
    table = figures(library, "--table")
    assert f"named, but not tagged: P2 in scene {wrong}" in table


def test_a_scene_of_somebody_without_a_photo_judges_whom_it_is_named_after(
    library: StashLibrary,
) -> None:
    stranger = library.fake.add_performer("Without A Photo")
    wrong = library.scene("wrong.mp4", [library.person(1)], performers=[stranger])
    library.scene("nobody.mp4", [library.person(None)], performers=[stranger])
    told = judged(library)
    assert [told[name] for name in ("scenes", "right", "missed", "wrong")] == [2, 0, 0, 1]
    (row,) = told["wrong_scenes"]  # type: ignore[misc]
    assert (row["scene"], row["named"]) == (wrong, "P1")


def test_a_scene_that_enrolled_somebody_does_not_judge_them(library: StashLibrary) -> None:
    scene = library.scene("a.mp4", [library.person(1)], performers=[library.in_stash[1]])
    assert judged(library)["right"] == 1
    with library.store.changing() as gallery:
        performer = gallery.performer(library.ids[1])
        (first, *_) = gallery.encodings(performer.id)
        learned = encoding(1, hash_of(scene), first.model)
        learned = type(learned)(**{**vars(learned), "origin": origin_of(scene)})
        gallery.enrol(performer, [learned], None)
    told = judged(library)
    assert [told[name] for name in ("right", "missed", "wrong", "uncertain")] == [0, 0, 0, 0]


def test_what_we_wrote_does_not_judge(library: StashLibrary) -> None:
    one, two = library.in_stash[1], library.in_stash[2]
    scene = library.scene("a.mp4", [library.person(1), library.person(2, 10)], [one, two])
    with library.ledger() as ledger:
        writes = ledger.writes
        run = writes.begin_run("apply")
        writes.confirm(writes.intend(run, [Write("performer", scene, thing=two)]))
    told = judged(library)
    assert (told["right"], told["wrong"]) == (1, 0)


def test_what_another_library_may_have_written_does_not_judge_and_that_is_said(
    library: StashLibrary,
) -> None:
    library.scene("a.mp4", [library.person(1)], performers=[library.in_stash[1]])
    library.fake.ui["performerRecognition"] = {"another": {"since": "2001-01-01T00:00:00Z"}}
    environment = {name: str(value) for name, value in library.settings().items()}
    result = CliRunner().invoke(main, ["evaluate", "--from-stash"], env=environment)
    assert json.loads(result.stdout)["scenes"] == 0
    assert "Tags on 1 scene do not count" in result.stderr


def test_what_is_judged_by_has_not_helped(library: StashLibrary) -> None:
    one, far = library.in_stash[1], library.crowd.encodings(library.centres[1], 1, 0.48)[0]
    person = replace(person_of([make_face(far)]), picture=b"\xff\xd8\xff")
    library.scene("a.mp4", [person], performers=[one])
    before = judged(library)
    with library.ledger() as ledger:
        (video,) = ledger.videos()
        whole, identity = Content(video.oshash, video.size_bytes), Identity("stash", one)
        ledger.note_tagged({whole: [identity]}, 0, {identity: library.ids[1]})
    assert judged(library) == before
    naming = open_naming(library.store, None, Settings(second_encoder="off"))
    with library.ledger() as ledger:
        ((seen,),) = name_again(ledger, [video.id], naming).values()
        ((alone,),) = name_again(ledger, [video.id], naming, with_tags=False).values()
    assert (seen.person.matches[0].hints, alone.person.matches[0].hints) == (("tag",), ())
    assert seen.person.matches[0].score > alone.person.matches[0].score == before["threshold"]


def test_the_threshold_is_the_lowest_that_gives_one_wrong_tag_in_200_at_most() -> None:
    right: list[tuple[Kind, float]] = [("right", 99.5)] * 199
    assert judgements(*right, ("wrong", 99.0), ("right", 98.0)).threshold() == 98.0
    assert judgements(*right, ("wrong", 99.0), ("wrong", 98.0)).threshold() == 99.0
    assert judgements(*right[:9], ("wrong", 99.0)).threshold() == 99.5
    assert judgements(("wrong", 99.5), ("right", 99.5)).threshold() is None
    assert judgements(("missed", 0.0), ("uncertain", 50.0)).threshold() is None


@pytest.mark.parametrize(("right", "is_enough"), [(599, False), (600, True)])
def test_a_threshold_of_few_tags_is_said_to_be_unreliable(right: int, *, is_enough: bool) -> None:
    figures = to_json(judgements(*[("right", 99.5)] * right), {1: Performer(1, "Ada")}, 99.0)
    assert f"at most one tag in 200 is wrong here: 0 of {right}." in render(figures)
    assert ("too few" in render(figures)) is not is_enough


def test_without_a_folder_or_a_stash_the_verb_says_what_to_give() -> None:
    result = CliRunner().invoke(main, ["evaluate"])
    assert result.exit_code == 2
    assert "--from-stash" in result.stderr
