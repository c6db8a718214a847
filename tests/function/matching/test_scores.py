"""Leaving out hopeless candidates early changes no score."""

import numpy as np
import pytest

from db.snapshots import Snapshot
from function.matching import scores
from function.matching.densities import calibrated, shipped_densities
from function.matching.scores import MOST_SEEN, Comparison, compare, weigh_candidates
from function.people.people import Template
from tests.support.crowds import Crowd, make_faces, make_gallery
from tests.support.people import template_of


def next_to(gallery: Snapshot, *probes: Template) -> Comparison:
    return Comparison(
        np.stack([one.mean for one in probes]),
        np.array([one.evidence for one in probes]),
        np.arange(len(gallery.performers)),
        gallery.templates,
        shipped_densities(),
    )


@pytest.mark.parametrize("least_ratio", [50.0, 500.0, 5000.0])
def test_only_those_are_left_out_early_whose_ratio_is_lower(least_ratio: float) -> None:
    crowd = Crowd()
    centres = [crowd.person() for _ in range(400)]
    gallery = make_gallery([crowd.encodings(centre, 2) for centre in centres])
    left_out = 0
    for centre in [*centres[:5], *(crowd.person() for _ in range(5))]:
        probe = template_of(make_faces(crowd.encodings(centre, 3)))
        densities = shipped_densities()
        comparison = next_to(gallery, probe)
        everyone, few = compare(comparison), compare(comparison, least_ratio)
        ratios = np.exp(calibrated(everyone.logs, probe.evidence, densities))
        is_kept = np.isin(everyone.positions, few.positions)
        assert ratios[~is_kept].max(initial=0.0) < least_ratio
        np.testing.assert_array_equal(everyone.positions[is_kept], few.positions)
        np.testing.assert_allclose(everyone.logs[is_kept], few.logs, atol=1e-9)
        left_out += int((~is_kept).sum())
    assert left_out > 0


def test_a_small_gallery_and_one_larger_than_what_is_looked_at_give_finite_ratios() -> None:
    for people in (1, 2, MOST_SEEN, 3 * MOST_SEEN):
        crowd = Crowd()
        gallery = make_gallery([crowd.encodings(crowd.person(), 1) for _ in range(people)])
        probe = template_of(make_faces(crowd.encodings(crowd.person(), 1)))
        ratios = compare(next_to(gallery, probe))
        assert len(ratios.logs) == min(people, 64)
        assert np.isfinite(ratios.logs).all()


@pytest.mark.parametrize("performers", [40, 900])
def test_probes_are_weighed_together_as_each_alone(
    performers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scores, "PAIRS_AT_ONCE", 7)
    crowd = Crowd()
    centres = [crowd.person() for _ in range(performers)]
    gallery = make_gallery(
        [crowd.encodings(centre, 1 + place % 3) for place, centre in enumerate(centres)]
    )
    looks = [*centres[:20], *(crowd.person() for _ in range(20))]
    probes = [template_of(make_faces(crowd.encodings(one, 2))) for one in looks]
    hinted = {row: np.eye(performers)[row] / 10 for row in (3, 25)}
    together = weigh_candidates([next_to(gallery, *probes)], performers, hinted)
    assert together.raised.any()
    for row, probe in enumerate(probes):
        own = {0: hinted[row]} if row in hinted else None
        alone = weigh_candidates([next_to(gallery, probe)], performers, own)
        chosen = together.rows == row
        assert alone.positions.tolist() == together.positions[chosen].tolist()
        np.testing.assert_allclose(
            alone.probabilities, together.probabilities[chosen], rtol=1e-9, atol=1e-15
        )
        assert alone.raised.tolist() == together.raised[chosen].tolist()
