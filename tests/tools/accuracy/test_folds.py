"""Holding people apart."""

from datetime import date

import pytest

from function.engines.models import BOTH, PRIMARY
from function.sources.records import UnusableSourceError
from tests.support.crowds import Crowd, make_sources
from tools.accuracy.folds import NO_FOLDS, Folds, deal_people, fit_folds
from tools.accuracy.labelled import Dataset

TODAY = date(2026, 11, 23)


def _fit(people: int, folds: int) -> Folds:
    dataset = Dataset(make_sources(Crowd(), people=people, each=3, twice=True), ())
    return fit_folds([dataset], PRIMARY, folds=folds, on=TODAY, seed=1, report=lambda _: None)


def test_each_set_is_dealt_evenly_and_so_are_all_people() -> None:
    sets = [[f"{name}/{number}" for number in range(count)] for name, count in (("a", 7), ("b", 6))]
    fold_of = deal_people(sets, 5, seed=1)
    for names in [*sets, [*sets[0], *sets[1]]]:
        sizes = [sum(fold_of[name] == fold for name in names) for fold in range(5)]
        assert max(sizes) - min(sizes) <= 1
    assert deal_people(sets, 5, seed=1) == fold_of
    assert deal_people(sets, 5, seed=2) != fold_of


def test_each_fold_is_fitted_on_everyone_outside_it() -> None:
    folds = _fit(people=9, folds=2)
    for name, fold in folds.fold_of.items():
        inside = sum(other == fold for other in folds.fold_of.values())
        densities = folds.densities_for(name)
        assert densities is not None
        assert [one.model for one in densities] == [PRIMARY.id, BOTH.space.id]
        for one in densities:
            assert one.people == 9 - inside
            assert one.fitted_on == f"everyone outside fold {fold + 1} of 2"


def test_without_folds_the_densities_that_ship_are_used() -> None:
    assert _fit(people=2, folds=0) == NO_FOLDS
    assert NO_FOLDS.densities_for("anyone") is None


@pytest.mark.parametrize(
    ("people", "folds", "complaint"),
    [
        (6, 1, "1 folds of 6 people were asked for"),
        (6, 7, "7 folds of 6 people were asked for"),
        (4, 2, "Of 2 folds, one leaves too few people .*: 2 people have 2 usable"),
    ],
)
def test_folds_that_do_not_fit_the_people_are_refused(
    people: int, folds: int, complaint: str
) -> None:
    with pytest.raises(UnusableSourceError, match=complaint):
        _fit(people, folds)
