"""What a likelihood ratio is worth once it is calibrated."""

from dataclasses import replace

import numpy as np
import pytest

from function.matching import densities
from function.matching.densities import (
    WEAK_OFFSET,
    WEAK_SLOPE,
    WEAK_SLOPE_BELOW,
    calibrated,
    name_fits,
    shipped_densities,
    size_terms,
    weaken,
)
from function.people.people import WEAK_PERSON_EVIDENCE

LOGS = np.linspace(-60, 60, 241)


def test_a_nearer_face_never_counts_for_less_however_weakly_somebody_is_seen() -> None:
    for evidence in (WEAK_PERSON_EVIDENCE, 1.0, 2.0):
        assert (np.diff(calibrated(LOGS, evidence, shipped_densities())) >= 0).all()


def test_little_is_left_of_either_side_for_somebody_seen_only_weakly() -> None:
    weak, well = (calibrated(LOGS, one, shipped_densities()) for one in (WEAK_PERSON_EVIDENCE, 1.0))
    assert weak[-1] < well[-1] - 2
    assert weak[0] > well[0] + 10
    ends = weaken(np.array([-40.0, 40.0]))
    assert ends == pytest.approx(
        [WEAK_OFFSET - 40 * WEAK_SLOPE_BELOW, WEAK_OFFSET + 40 * WEAK_SLOPE]
    )


def test_only_who_is_seen_only_weakly_is_weighed_as_weak_among_others() -> None:
    evidence = np.array([WEAK_PERSON_EVIDENCE, 0.6, 1.5])
    together = calibrated(np.full(3, 2.0), evidence, shipped_densities())
    alone = [calibrated(np.array([2.0]), one, shipped_densities())[0] for one in evidence.tolist()]
    assert together == pytest.approx(alone)
    assert together[0] < together[1] - 1


def test_the_term_of_a_small_gallery_comes_before_what_is_weakened() -> None:
    fitted = replace(shipped_densities(), size_slope=0.5, most_performers=20)
    term = float(size_terms(np.array(2.0), fitted))
    assert term < -1
    few = calibrated(LOGS, WEAK_PERSON_EVIDENCE, fitted.among(2))
    assert few == pytest.approx(calibrated(LOGS, WEAK_PERSON_EVIDENCE, fitted, term))
    assert not np.allclose(few, calibrated(LOGS, WEAK_PERSON_EVIDENCE, fitted) + term)


def test_other_numbers_have_another_name_so_that_a_library_is_matched_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = name_fits.__wrapped__()
    monkeypatch.setattr(densities, "WEAK_OFFSET", WEAK_OFFSET - 0.1)
    assert name_fits.__wrapped__() != before
