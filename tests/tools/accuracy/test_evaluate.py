"""Measuring a labelled library."""

import json
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from function.engines.models import PRIMARY
from function.engines.protocol import Engine
from function.faces.face import Face
from tests.support.crowds import Crowd, make_face, make_gallery, make_sources
from tools.accuracy.evaluate import evaluate, render_evaluation
from tools.accuracy.figures import Outcome, measure_groups, measure_reliability, measure_searches
from tools.accuracy.labelled import Dataset, read_dataset
from tools.accuracy.reference import TOLERANCE, group_greedily, nearest_face
from tools.accuracy.trials import make_trials
from tools.footage.videos import moving_picture, read_picture, write_video
from tools.sources import UnusableSourceError

MODEL = PRIMARY


def _outcome(who: Literal["right", "wrong", "stranger"], score: float) -> Outcome:
    right = who == "right"
    return Outcome(
        enrolled=who != "stranger",
        first_is_right=right,
        score=score,
        right_score=score if right else 0.0,
        named=True,
    )


def test_b_cubed_is_that_of_the_textbook() -> None:
    # Bagga and Baldwin's example: precision 0.76 for joining a group of 5 with one of 2 apart.
    names = ["a"] * 5 + ["b"] * 2 + ["c"] * 5
    joined = [0] * 5 + [1] * 7
    figures = measure_groups(joined, names)
    assert figures.b_cubed_precision == pytest.approx((5 + 2 * 2 / 7 + 5 * 5 / 7) / 12)
    assert figures.b_cubed_recall == 1
    assert (figures.people_found, figures.people_true) == (2, 3)


def test_a_face_that_is_nobodys_costs_recall_and_is_no_person() -> None:
    figures = measure_groups([0, 0, 0, -1], ["a"] * 4)
    assert figures.b_cubed_precision == 1
    assert figures.b_cubed_recall == pytest.approx((3 * 3 / 4 + 1 / 4) / 4)
    assert figures.people_found == 1


def test_misses_are_counted_at_the_threshold_that_strangers_set() -> None:
    strangers = [_outcome("stranger", score) for score in range(100)]
    enrolled = [_outcome("right", 98.5), _outcome("right", 50), _outcome("wrong", 99.9)]
    figures = measure_searches([*strangers, *enrolled])
    one_percent, one_per_mille = figures.misses
    assert (one_percent.threshold, one_percent.bound) == (98, None)
    assert one_percent.fnir == pytest.approx(2 / 3)
    assert one_per_mille.threshold == 99
    assert one_per_mille.bound == 0.01
    assert figures.rank_1 == pytest.approx(2 / 3)
    assert figures.named_wrong == pytest.approx(1 / 3)
    assert figures.strangers_named == 1


def test_scores_that_come_true_have_no_calibration_error() -> None:
    promised = [0.85] * 20 + [0.05] * 20
    true = [True] * 17 + [False] * 3 + [True] + [False] * 19
    assert measure_reliability(promised, true, [0.0]).calibration_error == pytest.approx(
        0, abs=1e-9
    )
    boasting = measure_reliability([0.95] * 20, [False] * 20, [3.0])
    assert boasting.calibration_error == pytest.approx(0.95)
    assert boasting.bins[0].count == 20


def test_the_reference_takes_the_nearest_face_and_the_first_group_within_its_tolerance() -> None:
    start = np.zeros(128, np.float32)
    step = np.eye(1, 128, dtype=np.float32)[0] * (TOLERANCE - 0.01)
    faces = [make_face(start + count * step, count) for count in range(4)]
    assert group_greedily(faces) == [0, 0, 0, 0]
    assert group_greedily([faces[0], faces[2], faces[3]]) == [0, 1, 1]
    gallery = make_gallery([np.stack([start, start + 3 * step]), np.stack([start + 2 * step])])
    position, distance = nearest_face([faces[3]], gallery)
    assert (position, distance) == (0, 0)


def test_no_source_is_enrolled_and_looked_for_at_once() -> None:
    sources = make_sources(Crowd(), people=4, each=5)
    for trial in make_trials(sources, MODEL, enrol=2, probe=2, rounds=3, seed=1):
        enrolled = {row.tobytes() for row in trial.gallery.vectors}
        assert not enrolled & {face.encoding.tobytes() for face in trial.faces}
        names = {performer.name for performer in trial.gallery.performers}
        assert (trial.name in names) == trial.enrolled
        assert len(names) == (4 if trial.enrolled else 3)


def test_the_same_library_gives_the_same_figures() -> None:
    dataset = Dataset(make_sources(Crowd(), people=5, each=4), ())
    first, second = (evaluate(dataset, MODEL, enrol=1, probe=1, rounds=2) for _ in range(2))
    assert first == second


def test_people_far_apart_are_named_and_grouped_without_fault() -> None:
    dataset = Dataset(make_sources(Crowd(), people=6, each=6, spread=0.2), ())
    evaluation = evaluate(dataset, MODEL, rounds=3)
    assert evaluation.searches.rank_1 == 1
    assert evaluation.searches.named_right == 1
    assert evaluation.searches.strangers_named == 0
    assert evaluation.groups.b_cubed_f == 1
    assert evaluation.verdicts["enrolled"]["match"] == 1
    assert evaluation.reliability.calibration_error < 0.02


def test_names_that_mean_nothing_are_seen_to_mean_nothing() -> None:
    crowd = Crowd()
    faces = [make_face(crowd.person()) for _ in range(24)]
    shuffled = [
        source
        for number, source in enumerate(make_sources(crowd, people=4, each=6))
        for source in [type(source)(source.name, source.origin, (faces[number],), is_video=False)]
    ]
    evaluation = evaluate(Dataset(tuple(shuffled), ()), MODEL, enrol=1, probe=1, rounds=2)
    assert evaluation.searches.rank_1 < 0.6
    assert evaluation.searches.named_right < 0.1


def test_the_table_and_the_json_hold_the_figures() -> None:
    dataset = Dataset(make_sources(Crowd(), people=4, each=4), ())
    evaluation = evaluate(dataset, MODEL, enrol=2, probe=1, rounds=1)
    record = json.loads(json.dumps(evaluation.to_json()))
    assert record["searches"]["rank_1"] == evaluation.searches.rank_1
    assert record["reference_groups"]["people_true"] == 4
    table = render_evaluation(evaluation)
    assert "FNIR at FPIR 0 of 8" in table
    assert "B-cubed F" in table


def test_too_few_photos_are_an_error_that_says_how_many_are_needed() -> None:
    dataset = Dataset(make_sources(Crowd(), people=3, each=3), ())
    with pytest.raises(UnusableSourceError, match="Nobody here has 4 usable"):
        evaluate(dataset, MODEL, enrol=3)


def test_a_folder_of_photos_is_read_by_name(people_folder: Path, engine: Engine) -> None:
    dataset = read_dataset(people_folder, engine)
    names = [source.name for source in dataset.sources]
    assert names == ["Barack Obama", "Barack Obama", "Grace Hopper"]
    assert dataset.left_out == ()
    assert all(isinstance(source.faces[0], Face) for source in dataset.sources)


def test_a_folder_of_clips_is_read_by_its_labels(
    photos: Path, tmp_path: Path, engine: Engine
) -> None:
    collins, hopper = (read_picture(photos / name) for name in ("astronaut.png", "hopper.jpg"))
    shots = [
        *moving_picture(collins, 2, size=(480, 360)),
        *moving_picture(hopper, 2, size=(480, 360)),
    ]
    write_video(tmp_path / "two.mp4", shots)
    (tmp_path / "labels.csv").write_text(
        "clip,name,start,end\ntwo.mp4,Collins,0,1.9\ntwo.mp4,Hopper,2.1,\ngone.mp4,Collins,,\n"
    )
    dataset = read_dataset(tmp_path, engine)
    assert [(source.name, source.is_video) for source in dataset.sources] == [
        ("Collins", True),
        ("Hopper", True),
    ]
    collins_faces, hopper_faces = (source.faces for source in dataset.sources)
    assert all(face.seconds > 2 for face in hopper_faces)
    assert all(face.seconds < 2 for face in collins_faces)
    assert [one.origin for one in dataset.left_out] == ["gone.mp4"]


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ("video,name\na.mp4,X\n", "no column 'clip'"),
        ("clip,name,start,end\na.mp4,X,soon,\n", "line 2: start and end must be seconds"),
    ],
)
def test_labels_that_cannot_be_used_say_where(
    table: str, complaint: str, tmp_path: Path, engine: Engine
) -> None:
    (tmp_path / "labels.csv").write_text(table)
    with pytest.raises(UnusableSourceError, match=complaint):
        read_dataset(tmp_path, engine)


def test_on_real_photographs_ours_names_no_stranger_where_the_reference_does(lfw: Dataset) -> None:
    evaluation = evaluate(lfw, MODEL, rounds=3)
    assert evaluation.searches.strangers_named == 0
    assert evaluation.searches.named_wrong == 0
    assert evaluation.searches.named_right > 0.95
    assert evaluation.reference_searches.strangers_named > 0.1
    assert evaluation.reliability.calibration_error < 0.05
    assert evaluation.groups.b_cubed_f > evaluation.reference_groups.b_cubed_f
