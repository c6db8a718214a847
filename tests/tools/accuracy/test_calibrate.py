"""Fitting densities on a labelled library."""

from datetime import date

import numpy as np
import pytest

from function.matching.densities import OWN_FREEDOM, shipped_densities, student
from tests.support.crowds import Crowd, make_sources
from tools.accuracy.calibrate import calibrate, fit_densities, render_calibration
from tools.accuracy.labelled import Dataset
from tools.sources import UnusableSourceError

MODEL = shipped_densities().model
TODAY = date(2026, 11, 23)


def test_the_variances_that_made_the_faces_are_found_again() -> None:
    crowd = Crowd(person_spread=0.5)
    sources = make_sources(crowd, people=12, each=6, spread=0.3)
    densities = fit_densities(sources, MODEL, fitted_on="made-up people", on=TODAY, seed=1)
    assert densities.own_variance == pytest.approx(0.3**2, rel=0.15)
    assert densities.between_variance == pytest.approx(2 * 0.5**2, rel=0.1)
    assert (densities.people, densities.faces) == (12, 72)
    assert (densities.model, densities.date) == (MODEL, "2026-11-23")


def test_a_library_that_is_more_alike_gives_nearer_strangers() -> None:
    fits = [
        fit_densities(
            make_sources(Crowd(person_spread=spread), people=8, each=4),
            MODEL,
            fitted_on="made-up people",
            on=TODAY,
            seed=1,
        )
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
    assert calibration.to_json()["densities"]["model"] == MODEL


def test_too_few_people_are_refused_with_the_number_needed() -> None:
    dataset = Dataset(make_sources(Crowd(), people=3, each=4), ())
    with pytest.raises(UnusableSourceError, match="3 people have 2 usable"):
        calibrate(dataset, MODEL, fitted_on="few", on=TODAY)


def test_what_ships_is_near_what_the_ten_people_give(lfw: Dataset) -> None:
    shipped = shipped_densities()
    fitted = fit_densities(lfw.sources, MODEL, fitted_on="LFW", on=TODAY, seed=1)
    assert fitted.own_variance == pytest.approx(shipped.own_variance, rel=0.15)
    assert fitted.between_variance == pytest.approx(shipped.between_variance, rel=0.1)
    assert fitted.own_scale == pytest.approx(shipped.own_scale, rel=0.2)
    assert fitted.stranger_scale == pytest.approx(shipped.stranger_scale, rel=0.2)
