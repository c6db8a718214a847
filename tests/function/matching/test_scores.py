"""Leaving out hopeless candidates early changes no score."""

import numpy as np
import pytest

from db.vectors import distances_to_performers
from function.matching.densities import calibrated, shipped_densities
from function.matching.scores import MOST_SEEN, Comparison, compare
from tests.support.crowds import Crowd, make_faces, make_gallery
from tests.support.people import template_of


@pytest.mark.parametrize("least_ratio", [50.0, 500.0, 5000.0])
def test_only_those_are_left_out_early_whose_ratio_is_lower(least_ratio: float) -> None:
    crowd = Crowd()
    centres = [crowd.person() for _ in range(400)]
    gallery = make_gallery([crowd.encodings(centre, 2) for centre in centres])
    left_out = 0
    for centre in [*centres[:5], *(crowd.person() for _ in range(5))]:
        probe = template_of(make_faces(crowd.encodings(centre, 3)))
        (distances,) = distances_to_performers(probe.mean[None], gallery.templates)
        densities = shipped_densities()
        comparison = Comparison(distances, probe.evidence, gallery.templates, densities)
        everyone, few = compare(comparison), compare(comparison, least_ratio)
        ratios = np.exp(calibrated(everyone.logs, probe.evidence, densities))
        is_kept = np.isin(everyone.positions, few.positions)
        assert ratios[~is_kept].max(initial=0.0) < least_ratio
        np.testing.assert_array_equal(everyone.positions[is_kept], few.positions)
        np.testing.assert_allclose(everyone.logs[is_kept], few.logs, atol=1e-3)
        left_out += int((~is_kept).sum())
    assert left_out > 0


def test_a_small_gallery_and_one_larger_than_what_is_looked_at_give_finite_ratios() -> None:
    for people in (1, 2, MOST_SEEN, 3 * MOST_SEEN):
        crowd = Crowd()
        gallery = make_gallery([crowd.encodings(crowd.person(), 1) for _ in range(people)])
        probe = template_of(make_faces(crowd.encodings(crowd.person(), 1)))
        (distances,) = distances_to_performers(probe.mean[None], gallery.templates)
        ratios = compare(
            Comparison(distances, probe.evidence, gallery.templates, shipped_densities())
        )
        assert len(ratios.logs) == min(people, 64)
        assert np.isfinite(ratios.logs).all()
