"""Measuring labelled libraries."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from function.engines.models import PRIMARY
from function.matching.densities import Densities, shipped_densities
from function.sources.records import UnusableSourceError
from tests.support.crowds import Crowd, make_face, make_sources
from tools.accuracy import evaluate as evaluating
from tools.accuracy import folds as folding
from tools.accuracy.evaluate import SETTINGS, Evaluation, Row, Setting, evaluate
from tools.accuracy.labelled import Dataset, LeftOut, Source
from tools.accuracy.outcomes import TrialOutcome
from tools.accuracy.sets import name_set
from tools.accuracy.tables import render_evaluation
from tools.accuracy.trials import DensitiesFor, Trial, run_trials

TODAY = date(2026, 11, 23)
ONE_BY_ONE = (Setting(1, 1),)


def _measure(*datasets: Dataset, **how: Any) -> Evaluation:
    sets = [name_set(f"set{number}", dataset) for number, dataset in enumerate(datasets)]
    return evaluate(sets, PRIMARY, on=TODAY, **{"rounds": 2, **how})


def _crowd(people: int, each: int, seed: int = 1, spread: float = 0.29) -> Dataset:
    return Dataset(make_sources(Crowd(seed), people, each, spread), ())


def _row(evaluation: Evaluation) -> Row:
    (row,) = evaluation.rows
    return row


def test_the_same_library_gives_the_same_figures() -> None:
    first, second = (_measure(_crowd(5, 4), settings=ONE_BY_ONE) for _ in range(2))
    assert first == second


def test_people_far_apart_are_named_and_grouped_without_fault() -> None:
    evaluation = _measure(_crowd(6, 6, spread=0.2), settings=[Setting(3, 3)], rounds=3)
    row = _row(evaluation)
    assert row.searches.rank_1.value == 1
    assert row.searches.named_right.value == 1
    assert row.searches.strangers_named.value == 0
    assert row.verdicts["enrolled"]["match"].value == 1
    assert row.calibration_error.value < 0.02
    assert evaluation.sets[0].groups.b_cubed_f == 1


def test_names_that_mean_nothing_are_seen_to_mean_nothing() -> None:
    crowd = Crowd()
    shuffled = tuple(
        replace(source, faces=(make_face(crowd.person()),))
        for source in make_sources(crowd, people=4, each=6)
    )
    row = _row(_measure(Dataset(shuffled, ()), settings=ONE_BY_ONE))
    assert row.searches.rank_1.value < 0.6
    assert row.searches.named_right.value < 0.1


def test_every_set_is_measured_in_every_setting_and_only_several_are_mixed() -> None:
    alone = _measure(_crowd(3, 5))
    assert [row.set_name for row in alone.rows] == ["set0"] * 4
    both = _measure(_crowd(3, 5), _crowd(4, 5, seed=2))
    assert [one.name for one in both.sets] == ["set0", "set1", "mixed"]
    found = [(row.set_name, Setting(row.enrolled_from, row.looked_for)) for row in both.rows]
    assert found == [(one.name, setting) for one in both.sets for setting in SETTINGS]
    assert [row.people for row in both.rows[::4]] == [3, 4, 7]


def test_nobody_is_searched_for_with_densities_that_were_fitted_on_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    searched: list[tuple[str, str]] = []

    def fit(sources: Sequence[Source], *_: object, **__: object) -> tuple[Densities, ...]:
        names = sorted({source.name for source in sources})
        return (replace(shipped_densities(), fitted_on=" ".join(names)),)

    def run(trials: Iterable[Trial], densities_for: DensitiesFor) -> Iterator[TrialOutcome]:
        drawn = list(trials)
        for trial in drawn:
            densities = densities_for(trial.name)
            assert densities is not None
            searched.extend((trial.name, one.fitted_on) for one in densities)
        return run_trials(drawn, densities_for)

    monkeypatch.setattr(folding, "fit_all", fit)
    monkeypatch.setattr(evaluating, "run_trials", run)
    evaluation = _measure(_crowd(5, 4), _crowd(4, 4, seed=2), folds=3)
    assert {name for name, _ in searched} == {
        *(f"set0/P{number}" for number in range(5)),
        *(f"set1/P{number}" for number in range(4)),
    }
    for name, fitted_on in searched:
        assert name not in fitted_on.split()
        assert len(fitted_on.split()) == 6
    assert len(evaluation.fitted) == 3


def test_photos_without_a_face_are_searches_that_name_nobody() -> None:
    good = make_sources(Crowd(), people=6, each=4, spread=0.2)
    blank = tuple(
        LeftOut(f"P{person}", f"P{person}/blank{number}.jpg", "no face found")
        for person in range(6)
        for number in range(4)
    )
    row = _row(_measure(Dataset(good, blank), settings=ONE_BY_ONE, rounds=10))
    searches = row.searches.enrolled_searches + row.searches.stranger_searches
    assert 0.4 < row.without_face / searches < 0.6
    assert row.searches.named_right.value == pytest.approx(1 - row.without_face / searches)
    assert row.verdicts["enrolled"]["unknown"].value == pytest.approx(row.without_face / searches)
    assert row.searches.enrolled_searches == row.searches.stranger_searches


def test_what_is_in_use_is_a_point_of_the_curve() -> None:
    row = _row(_measure(_crowd(8, 5, spread=0.35), settings=ONE_BY_ONE))
    (point,) = [point for point in row.curve if point.score == 90]
    assert point.missed == pytest.approx(1 - row.searches.named_right.value)
    assert point.strangers_named == pytest.approx(row.searches.strangers_named.value)


def test_a_setting_for_which_there_are_too_few_photos_is_said_to_be_missing() -> None:
    evaluation = _measure(_crowd(3, 3))
    assert [row.enrolled_from for row in evaluation.rows] == [1, 1]
    assert evaluation.skipped == (
        "set0, 3 enrolled, 1 searched for at a time",
        "set0, 3 enrolled, 3 searched for at a time",
    )


def test_too_few_photos_for_any_setting_are_an_error_that_says_how_many_are_needed() -> None:
    with pytest.raises(UnusableSourceError, match="2 people with 4 photos or clips each"):
        _measure(_crowd(3, 3), settings=[Setting(3, 3)])
    with pytest.raises(UnusableSourceError, match="2 people with 2 photos"):
        _measure(_crowd(1, 9))


def test_what_is_being_measured_is_said() -> None:
    said: list[str] = []
    _measure(_crowd(8, 3), settings=ONE_BY_ONE, folds=2, report=said.append)
    assert said[0] == "fitting densities for fold 1 of 2, on the people of the others"
    assert said[-1] == "measuring set0, 1 enrolled, 1 searched for at a time"


def test_on_real_photographs_ours_names_no_stranger_where_the_reference_does(lfw: Dataset) -> None:
    evaluation = _measure(lfw, settings=[Setting(3, 3)], rounds=3)
    row, (figures,) = _row(evaluation), evaluation.sets
    assert row.searches.strangers_named.value == 0
    assert row.searches.named_wrong.value == 0
    assert row.searches.named_right.value > 0.95
    assert row.reference_searches.strangers_named.value > 0.1
    assert row.calibration_error.value < 0.05
    assert figures.groups.b_cubed_f > figures.reference_groups.b_cubed_f


def test_a_crowd_of_made_up_performers_makes_everyone_harder_to_name() -> None:
    sets = [_crowd(6, 4, spread=0.4), _crowd(5, 4, seed=2, spread=0.4)]
    alone = _measure(*sets, settings=ONE_BY_ONE)
    crowded = _measure(*sets, settings=ONE_BY_ONE, crowd=3000)
    assert [row.set_name for row in crowded.rows] == ["mixed"]
    assert crowded.crowd == 3000
    assert _row(crowded).searches.named_right.value < alone.rows[-1].searches.named_right.value
    assert "3000 made-up performers" in render_evaluation(crowded)
