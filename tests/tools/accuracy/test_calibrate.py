"""Fitting densities on a labelled library."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest

from function.engines.models import BOTH, PRIMARY
from function.matching.densities import (
    OWN_FREEDOM,
    calibrated,
    densities_of,
    student,
)
from function.sources.records import UnusableSourceError
from tests.support.crowds import Crowd, make_sources
from tools.accuracy import ratios
from tools.accuracy.calibrate import calibrate, fit_all, render_calibration
from tools.accuracy.labelled import Dataset
from tools.accuracy.ratios import MOST_PERFORMERS, fit_calibration
from tools.accuracy.trials import Trial, make_small_trials

MODEL = PRIMARY
TODAY = date(2026, 11, 23)


def test_the_variances_that_made_the_faces_are_found_again() -> None:
    crowd = Crowd(person_spread=0.5)
    sources = make_sources(crowd, people=12, each=6, spread=0.3)
    (densities,) = fit_all(sources, MODEL, fitted_on="made-up people", on=TODAY, seed=1)
    assert densities.own_variance == pytest.approx(0.3**2, rel=0.15)
    assert densities.between_variance == pytest.approx(2 * 0.5**2, rel=0.1)
    assert (densities.people, densities.faces) == (12, 72)
    assert (densities.model, densities.date) == (MODEL.id, "2026-11-23")


def test_a_library_that_is_more_alike_gives_nearer_strangers() -> None:
    fits = [
        fit_all(
            make_sources(Crowd(person_spread=spread), people=8, each=4),
            MODEL,
            fitted_on="made-up people",
            on=TODAY,
            seed=1,
        )[0]
        for spread in (0.3, 0.45)
    ]
    assert fits[0].between_variance < 0.6 * fits[1].between_variance


def test_the_densities_are_densities() -> None:
    offsets = np.linspace(-50, 50, 200_001)
    assert np.trapezoid(student(offsets, 0.15, OWN_FREEDOM), offsets) == pytest.approx(1, abs=1e-4)


def test_the_report_tells_how_well_the_fit_holds_for_other_people() -> None:
    dataset = Dataset(make_sources(Crowd(), people=8, each=4), ())
    calibration = calibrate(dataset, MODEL, fitted_on="made-up people", on=TODAY)
    assert calibration.held_out.log_loss < 0.3
    assert sum(one.count for one in calibration.held_out.bins) > 100
    report = render_calibration(calibration)
    assert "made-up people: 8 people, 32 faces" in report
    assert "came true" in report
    assert [one["model"] for one in calibration.to_json()["densities"]] == [MODEL.id]


def test_too_few_people_are_refused_with_the_number_needed() -> None:
    dataset = Dataset(make_sources(Crowd(), people=3, each=4), ())
    with pytest.raises(UnusableSourceError, match="3 people have 2 usable"):
        calibrate(dataset, MODEL, fitted_on="few", on=TODAY)


def test_both_nets_are_fitted_where_faces_have_been_encoded_twice() -> None:
    sources = make_sources(Crowd(), people=8, each=4, spread=0.3, twice=True)
    alone, both = fit_all(sources, MODEL, fitted_on="made-up people", on=TODAY, seed=1)
    assert (alone.model, both.model) == (MODEL.id, BOTH.space.id)
    first, second = BOTH.scales
    assert both.own_variance == pytest.approx((first**2 + second**2) * alone.own_variance, rel=0.15)


def test_a_fit_compares_photos_as_shown_with_photos_as_enrolled() -> None:
    sources = make_sources(Crowd(), people=8, each=4, spread=0.3)
    apart = PRIMARY.dimensions * [0.05]
    enrolled = tuple(
        replace(one, to_enrol=(replace(one.faces[0], encoding=one.faces[0].encoding + apart),))
        for one in sources
    )
    near, far = (
        fit_all(one, MODEL, fitted_on="made-up people", on=TODAY, seed=1)[0]
        for one in (sources, enrolled)
    )
    assert far.own_variance > 1.5 * near.own_variance


def test_people_with_one_photo_are_strangers_to_the_others() -> None:
    few = make_sources(Crowd(), people=6, each=4)
    others = [replace(one, name=f"other {one.name}") for one in make_sources(Crowd(2), 9, 1)]
    alone, joined = (
        fit_all(sources, MODEL, fitted_on="made-up people", on=TODAY, seed=1)[0]
        for sources in (few, [*few, *others])
    )
    assert (alone.people, joined.people) == (6, 15)
    assert joined.own_distances == alone.own_distances
    assert joined.stranger_distances > alone.stranger_distances


def test_the_calibration_takes_back_what_does_not_come_true() -> None:
    sources = make_sources(Crowd(), people=16, each=4)
    (fitted,) = fit_all(sources, MODEL, fitted_on="made-up people", on=TODAY, seed=1)
    half_wrong = [
        replace(source, name=f"P{(number + 4 * (number % 2)) % 64 // 4}")
        for number, source in enumerate(sources)
    ]
    doubted = fit_calibration(half_wrong, MODEL, MODEL, fitted, 1)
    likely = np.array([6.0])
    assert calibrated(likely, 1.0, doubted) < calibrated(likely, 1.0, fitted) - 1


def test_that_nobody_was_mistaken_is_no_reason_to_be_certain() -> None:
    sources = make_sources(Crowd(), people=12, each=4, spread=0.1)
    (fitted,) = fit_all(sources, MODEL, fitted_on="made-up people", on=TODAY, seed=1)
    assert fitted.slope < 1.5


def test_what_does_not_come_true_in_small_galleries_is_taken_back_in_those(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sources = make_sources(Crowd(), people=16, each=4)
    (fitted,) = fit_all(sources, MODEL, fitted_on="made-up people", on=TODAY, seed=1)

    def look_alikes(*given: Any, **options: Any) -> Iterator[Trial]:
        for trial in make_small_trials(*given, **options):
            yield replace(trial, name="a look-alike", enrolled=False)

    monkeypatch.setattr(ratios, "make_small_trials", look_alikes)
    doubted = fit_calibration(sources, MODEL, MODEL, fitted, 1)
    assert doubted.most_performers == 15
    assert doubted.size_slope > fitted.size_slope
    likely = np.array([6.0])
    among_two, among_many = (calibrated(likely, 1.0, doubted.among(n)) for n in (2, 16))
    assert among_two < among_many - 1


def test_a_small_gallery_is_never_surer_however_seldom_anyone_was_mistaken() -> None:
    sources = make_sources(Crowd(), people=12, each=4, spread=0.1)
    (fitted,) = fit_all(sources, MODEL, fitted_on="made-up people", on=TODAY, seed=1)
    assert fitted.size_slope >= 0


def test_the_fit_on_ten_people_is_what_it_was_and_near_what_ships(lfw: Dataset) -> None:
    alone, both = fit_all(lfw.sources, MODEL, fitted_on="LFW", on=TODAY, seed=1)
    expected = {
        MODEL.id: (0.0772, 0.4039, 0.1779, 0.0913),
        BOTH.space.id: (0.0865, 0.4132, 0.1343, 0.0467),
    }
    for one in (alone, both):
        found = (one.own_variance, one.between_variance, one.own_scale, one.stranger_scale)
        assert found == pytest.approx(expected[one.model], rel=0.03)
        assert (one.size_slope, one.most_performers) == (pytest.approx(0, abs=0.05), 9)
        # What ships was fitted on photographs that differ more from each other than news does.
        shipped = densities_of(one.model)
        assert one.own_variance < shipped.own_variance < 1.6 * one.own_variance
        assert one.stranger_scale < shipped.stranger_scale < 1.6 * one.stranger_scale
        assert shipped.between_variance == pytest.approx(one.between_variance, rel=0.2)
        # Of dlib's net alone the term was not measured on other people, so it does not ship.
        most = MOST_PERFORMERS if one is both else 1
        assert (shipped.size_slope > 0, shipped.most_performers) == (one is both, most)
