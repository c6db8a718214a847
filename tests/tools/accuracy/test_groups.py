"""How well faces are grouped into people."""

import pytest

from tools.accuracy.groups import measure_groups


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
