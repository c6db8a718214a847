"""Measuring what hints do."""

from datetime import date
from functools import cache

import pytest

from function.engines.models import PRIMARY
from function.sources.records import UnusableSourceError
from tests.support.crowds import Crowd, make_sources
from tools.accuracy.evaluate import Setting
from tools.accuracy.hinted import HINTINGS, HintFigures, measure_hints, render_hints
from tools.accuracy.labelled import Dataset
from tools.accuracy.sets import name_set

ONE_BY_ONE = Setting(1, 1)


@cache
def figures() -> dict[str, HintFigures]:
    """Measure people who are often uncertain without a hint."""
    dataset = Dataset(make_sources(Crowd(person_spread=0.3), people=30, each=5, spread=0.32), ())
    found = measure_hints(
        [name_set("crowd", dataset)],
        PRIMARY,
        on=date(2026, 11, 26),
        settings=[ONE_BY_ONE],
        rounds=2,
    )
    return {one.hinting: one for one in found}


def test_every_kind_of_hints_is_measured_on_the_same_searches() -> None:
    assert tuple(figures()) == HINTINGS
    counts = {
        (one.searches.enrolled_searches, one.searches.stranger_searches)
        for one in figures().values()
    }
    assert counts == {(240, 240)}


def test_right_names_in_paths_name_more_and_wrong_ones_nobody_else() -> None:
    plain, library, namesake, alike = (figures()[one].searches for one in HINTINGS)
    assert library.named_right.value > plain.named_right.value + 0.01
    assert namesake.strangers_named.value <= plain.strangers_named.value + 0.005
    assert namesake.named_right.value == pytest.approx(plain.named_right.value, abs=0.02)
    assert alike.named_right.value < namesake.named_right.value


def test_the_table_has_a_row_for_each_kind_of_hints() -> None:
    lines = render_hints(list(figures().values())).splitlines()
    assert len(lines) == 2 + len(HINTINGS)
    assert lines[2].startswith("| 1 / 1 | none | ")
    assert len({line.count("|") for line in lines}) == 1


def test_too_few_people_are_an_error() -> None:
    alone = name_set("one", Dataset(make_sources(Crowd(), people=1, each=5), ()))
    with pytest.raises(UnusableSourceError, match="needs 2 people"):
        measure_hints([alone], PRIMARY, on=date(2026, 11, 26), settings=[ONE_BY_ONE])
