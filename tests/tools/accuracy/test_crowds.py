"""Made-up strangers who fill a gallery."""

from dataclasses import replace

import numpy as np
import pytest

from db.models import EncodingSpace
from db.vectors import square_distances
from function.engines.models import BOTH, BOTH_BEFORE, PRIMARY
from function.matching.densities import densities_of
from tests.support.crowds import Crowd, make_sources
from tools.accuracy import crowds
from tools.accuracy.crowds import CROWD_SEED, add_crowd, add_strangers, place_strangers
from tools.accuracy.trials import Trial, make_trials

COUNT = 30


def draw_trials() -> list[Trial]:
    sources = make_sources(Crowd(), people=4, each=3, twice=True)
    return list(make_trials(sources, PRIMARY, enrol=1, probe=1, rounds=1, seed=1))


def test_every_gallery_gets_the_same_strangers_around_its_own_people() -> None:
    trials = draw_trials()
    for trial, crowded in zip(trials, add_crowd(trials, COUNT), strict=True):
        known = len(trial.gallery.performers)
        expected = add_strangers(trial.gallery, COUNT, np.random.default_rng(CROWD_SEED))
        gallery = crowded.gallery
        assert gallery.performers == expected.performers
        assert len({one.id for one in gallery.performers}) == known + COUNT
        np.testing.assert_array_equal(gallery.vectors, expected.vectors)
        np.testing.assert_array_equal(gallery.vectors[:known], trial.gallery.vectors)
        (fused,), (wanted,) = gallery.fused, expected.fused
        np.testing.assert_array_equal(fused.templates.means, wanted.templates.means)
        assert len(crowded.usual_gallery.performers) == known + COUNT
        assert crowded.usual_gallery.fused == ()


def test_a_crowd_is_drawn_once_for_all_galleries(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []

    def draw(count: int, _: np.random.Generator) -> crowds.Crowd:
        drawn.append(count)
        sides = (PRIMARY.dimensions, BOTH.space.dimensions)
        return crowds.Crowd(*(np.zeros((count, side), np.float32) for side in sides))

    monkeypatch.setattr(crowds, "draw_crowd", draw)
    trials = draw_trials()
    assert len({id(trial.gallery) for trial in trials}) > 4
    assert len(list(add_crowd(trials, COUNT))) == len(trials)
    assert drawn == [COUNT]


def test_without_a_crowd_trials_stay_as_they_are() -> None:
    trials = draw_trials()
    assert all(one is other for one, other in zip(trials, add_crowd(trials, 0), strict=True))


def test_a_gallery_of_one_net_gets_strangers_of_one_net() -> None:
    gallery = replace(draw_trials()[0].gallery, fused=())
    crowded = add_strangers(gallery, COUNT, np.random.default_rng(1))
    assert crowded.fused == ()
    assert crowded.vectors.shape == (len(gallery.vectors) + COUNT, 128)


@pytest.mark.parametrize(
    ("space", "spread"), [(PRIMARY, 0.096), (BOTH.space, 0.046), (BOTH_BEFORE.space, 0.06)]
)
def test_made_up_strangers_are_as_far_apart_as_real_ones_by_every_net(
    space: EncodingSpace, spread: float
) -> None:
    densities = densities_of(space.id)
    drawn = np.random.default_rng(1).standard_normal((400, BOTH.space.dimensions), np.float32)
    placed = place_strangers(drawn, densities, np.zeros(space.dimensions, np.float32))
    distances = np.sqrt(square_distances(placed, placed)[np.triu_indices(len(placed), 1)])
    usual = densities.between_variance + 2 * densities.own_variance
    assert np.square(distances).mean() == pytest.approx(usual, rel=0.05)
    assert np.log(distances).std() == pytest.approx(spread, rel=0.1)
