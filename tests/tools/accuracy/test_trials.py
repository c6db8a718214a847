"""Drawing what is enrolled and what is searched for."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from db.people import PersonFound
from function.engines.models import PRIMARY
from function.engines.protocol import Engine
from function.matching.matches import Identification, identify_people
from tests.support.crowds import Crowd, make_sources
from tools.accuracy.labelled import Source, read_dataset
from tools.accuracy.trials import (
    PROBES_PER_PERSON,
    Trial,
    make_small_trials,
    make_trials,
    run_trial,
    run_trials,
)

MODEL = PRIMARY


def _trials(sources: tuple[Source, ...], enrol: int, probe: int) -> list[Trial]:
    return list(make_trials(sources, MODEL, enrol=enrol, probe=probe, rounds=3, seed=1))


def test_no_source_is_enrolled_and_looked_for_at_once() -> None:
    sources = make_sources(Crowd(), people=4, each=5)
    for trial in _trials(sources, enrol=2, probe=2):
        enrolled = {row.tobytes() for row in trial.gallery.vectors}
        assert not enrolled & {face.encoding.tobytes() for face in trial.faces}
        names = {performer.name for performer in trial.gallery.performers}
        assert (trial.name in names) == trial.enrolled
        assert len(names) == (4 if trial.enrolled else 3)


def test_photos_are_enrolled_as_enrolling_encodes_them_and_searched_for_as_videos_are() -> None:
    sources = make_sources(Crowd(), people=3, each=4, twice=True)
    mirrored = tuple(
        replace(one, to_enrol=(replace(one.faces[0], quality=0.25),), as_usual=one.faces)
        for one in sources
    )
    shown = sources[0].faces[0].quality
    for trial in _trials(mirrored, enrol=1, probe=1):
        assert set(trial.gallery.qualities.tolist()) == {0.25}
        assert trial.faces[0].quality == shown
        assert set(trial.usual_gallery.qualities.tolist()) == {np.float32(shown)}


def test_nobody_is_searched_for_more_than_a_few_times_a_round() -> None:
    trials = _trials(make_sources(Crowd(), people=3, each=30), enrol=1, probe=1)
    counts = Counter(trial.name for trial in trials if trial.enrolled)
    assert set(counts.values()) == {3 * PROBES_PER_PERSON}


def test_the_gallery_of_a_stranger_is_made_once_a_round() -> None:
    trials = _trials(make_sources(Crowd(), people=3, each=5), enrol=1, probe=1)
    galleries = {id(trial.gallery) for trial in trials if not trial.enrolled}
    assert len(galleries) == 3 * 3


def _small_trials(sources: Sequence[Source], performers: int) -> list[Trial]:
    made = make_small_trials(
        sources, MODEL, enrol=1, probe=2, performers=performers, galleries=12, seed=1
    )
    return list(made)


@pytest.mark.parametrize("performers", [1, 2, 5])
def test_in_small_galleries_everyone_is_searched_for_among_as_many(performers: int) -> None:
    trials = _small_trials(make_sources(Crowd(), people=9, each=5), performers)
    galleries = {id(trial.gallery): trial.gallery for trial in trials}
    assert {len(one.performers) for one in galleries.values()} == {performers}
    assert len(galleries) >= 12
    for trial in trials:
        assert (trial.name in {one.name for one in trial.gallery.performers}) == trial.enrolled
        enrolled = {row.tobytes() for row in trial.gallery.vectors}
        assert not enrolled & {face.encoding.tobytes() for face in trial.faces}
    known, unknown = (
        Counter(trial.name for trial in trials if trial.enrolled == enrolled)
        for enrolled in (True, False)
    )
    assert known == unknown


def test_as_many_performers_as_people_leave_nobody_to_be_a_stranger() -> None:
    sources = make_sources(Crowd(), people=4, each=5)
    assert _small_trials(sources, 4) == []
    assert _small_trials(sources, 3) != []


def test_a_source_without_a_face_is_searched_for_names_nobody_and_is_never_enrolled() -> None:
    crowd = Crowd()
    sources = make_sources(crowd, people=3, each=4)
    blank = tuple(replace(one, faces=()) for one in make_sources(crowd, people=3, each=4))
    trials = _trials(sources + blank, enrol=2, probe=1)
    assert all(len(trial.gallery.vectors) == 2 * len(trial.gallery.performers) for trial in trials)
    without = [run_trial(trial, None) for trial in trials if not trial.faces]
    assert {outcome.ours.enrolled for outcome in without} == {True, False}
    assert not any(outcome.ours.named or outcome.reference.named for outcome in without)
    assert {outcome.verdict for outcome in without} == {"unknown"}
    assert not any(outcome.found_face for outcome in without)


def test_trials_run_together_have_the_outcomes_of_each_alone_in_their_order() -> None:
    crowd = Crowd()
    sources = make_sources(crowd, people=4, each=5)
    blank = tuple(replace(one, faces=()) for one in make_sources(crowd, people=4, each=1))
    drawn = _trials(sources + blank, enrol=1, probe=1)
    assert {bool(trial.faces) for trial in drawn} == {True, False}
    asked = Counter[str]()
    together = list(run_trials(drawn, lambda name: asked.update([name])))
    assert together == [run_trial(trial, None) for trial in drawn]
    assert set(asked) == {trial.name for trial in drawn}


def test_trials_of_one_person_share_a_search_of_each_gallery(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn = _trials(make_sources(Crowd(), people=3, each=5), enrol=1, probe=1)
    sizes = list[int]()

    def count(people: Sequence[PersonFound], *rest: Any) -> list[Identification]:
        sizes.append(len(people))
        return identify_people(people, *rest)

    monkeypatch.setattr("tools.accuracy.trials.identify_people", count)
    list(run_trials(drawn, lambda _: None))
    assert sizes == [PROBES_PER_PERSON] * (2 * 3 * 3)


def test_sources_without_a_face_are_as_frequent_among_probes_as_among_all() -> None:
    sources = make_sources(Crowd(), people=60, each=10)
    marked = tuple(
        replace(one, faces=()) if number % 5 == 0 else one for number, one in enumerate(sources)
    )
    trials = _trials(marked, enrol=3, probe=1)
    share = sum(not trial.faces for trial in trials) / len(trials)
    assert 0.16 < share < 0.24


def test_a_probe_of_several_photos_takes_the_faces_that_there_are() -> None:
    sources = make_sources(Crowd(), people=2, each=3)
    first = sources[0].name
    blank = Source(first, "blank", (), is_video=False)
    own = [source for source in sources if source.name == first]
    mixed = (*own, *[replace(blank, origin=f"blank{number}") for number in range(2)])
    counts = {
        len(trial.faces)
        for trial in _trials((*mixed, *sources[3:]), enrol=1, probe=4)
        if trial.name == first
    }
    assert 2 in counts


def test_the_usual_way_gets_the_encodings_that_it_would_make_itself() -> None:
    crowd = Crowd()
    sources = [
        replace(source, as_usual=(replace(source.faces[0], encoding=source.faces[0].encoding * 2),))
        for source in make_sources(crowd, people=3, each=3)
    ]
    for trial in make_trials(sources, PRIMARY, enrol=1, probe=1, rounds=1, seed=1):
        np.testing.assert_array_equal(trial.usual_gallery.vectors, 2 * trial.gallery.vectors)
        (ours,), (usual,) = trial.faces, trial.usual_faces
        np.testing.assert_array_equal(usual.encoding, 2 * ours.encoding)


def test_a_photo_is_encoded_for_the_usual_way_without_its_mirror_image(
    people_folder: Path, engine: Engine
) -> None:
    source = read_dataset(people_folder, engine).sources[0]
    ((ours,), (usual,)) = source.faces, source.as_usual
    assert usual.box == ours.box
    assert usual.second is None
    assert 0.03 < np.linalg.norm(usual.encoding - ours.encoding) < 0.2
    assert source.for_usual_way().faces == (usual,)
    assert replace(source, as_usual=()).for_usual_way().faces == (ours,)
