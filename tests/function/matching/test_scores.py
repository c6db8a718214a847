"""Leaving out hopeless candidates early changes no score."""

import numpy as np
import pytest

from function.matching import scores
from function.matching.matches import choose_densities, identify_people
from tests.support.crowds import Crowd, make_faces, make_gallery
from tests.support.people import person_of


def test_those_left_out_early_would_not_have_moved_a_score(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    crowd = Crowd(person_spread=0.8)
    centres = [crowd.person() for _ in range(500)]
    gallery = make_gallery([crowd.encodings(centre, 2) for centre in centres])
    people = [person_of(make_faces(crowd.encodings(centre, 2))) for centre in centres[:20]]
    people += [person_of(make_faces(crowd.encodings(crowd.person(), 2))) for _ in range(20)]
    densities = choose_densities(gallery)
    weighed: list[list[dict[int, float]]] = []
    for negligible in (scores.NEGLIGIBLE, 0.0):
        monkeypatch.setattr(scores, "NEGLIGIBLE", negligible)
        found = identify_people(people, gallery, densities)
        weighed.append([{m.performer.id: m.score for m in one.matches} for one in found])
    few, all_of_them = weighed
    assert sum(map(len, few)) < 0.7 * sum(map(len, all_of_them))
    for some, everyone in zip(few, all_of_them, strict=True):
        left_out = [score for performer, score in everyone.items() if performer not in some]
        assert max(left_out, default=0.0) == 0.0
        kept = [everyone[performer] for performer in some]
        np.testing.assert_allclose(list(some.values()), kept, atol=0.1001)
