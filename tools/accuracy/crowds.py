"""Makes up strangers by the hundred thousand, as far apart as real ones.

Real encodings lie mostly along a few directions, so made-up ones get a falling spectrum: the
squared distance of two is between_variance + 2 x own_variance on average, and its logarithm has
the same spread as that of real strangers.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from db.records import Performer, Vectors
from db.snapshots import Fused, Snapshot, no_rejections
from db.templates import USUAL_QUALITY, Templates
from function.engines.models import BOTH, BOTH_BEFORE, PRIMARY
from function.matching.densities import Densities, densities_of, shipped_densities
from tools.accuracy.trials import Trial

USUAL_LENGTH = 1.4
"""dlib's encodings are about this long."""

CROWD_SEED = 2

FALLS = {PRIMARY.id: 0.7, BOTH.space.id: 0.5, BOTH_BEFORE.space.id: 0.55}
"""Each direction has 1 / rank^fall of the variance of the first, in the space of each model. On a
log scale this spreads the distances of made-up strangers by 0.096, by both nets by 0.046, and by
dlib's and SFace by 0.06; those of ten real people spread by 0.088, of 85 by 0.12, by both nets by
0.047, and by dlib's and SFace by 0.06."""


@dataclass(frozen=True, eq=False)
class Crowd:
    """Made-up strangers before they are put around a gallery's people, drawn once for many.

    `by_one` and `by_both` are standard normal draws for the space of dlib's net and those of two
    nets, float32 (strangers, dimensions).
    """

    by_one: Vectors
    by_both: Vectors | None


def draw_crowd(count: int, random: np.random.Generator, *, twice: bool = True) -> Crowd:
    """Draw `count` strangers, for two nets' space too if `twice`; 100,000 take 200 MB."""
    by_one = random.standard_normal((count, PRIMARY.dimensions), np.float32)
    shape = (count, BOTH.space.dimensions)
    return Crowd(by_one, random.standard_normal(shape, np.float32) if twice else None)


def make_strangers(
    count: int, random: np.random.Generator, centre: Vectors | None = None
) -> Vectors:
    """Draw `count` encodings of single photos around `centre`, float32 (count, dimensions)."""
    drawn = random.standard_normal((count, PRIMARY.dimensions), np.float32)
    return place_strangers(
        drawn, shipped_densities(), _centre(random) if centre is None else centre
    )


def add_strangers(gallery: Snapshot, count: int, random: np.random.Generator) -> Snapshot:
    """Add `count` made-up strangers, with one photo each, to a gallery's performers."""
    return join_crowd(gallery, draw_crowd(count, random, twice=bool(gallery.fused)))


def join_crowd(gallery: Snapshot, crowd: Crowd) -> Snapshot:
    """Add the strangers of a crowd, with one photo each, to a gallery's performers."""
    known, count = len(gallery.performers), len(crowd.by_one)
    centre = gallery.templates.means.mean(axis=0)
    strangers = place_strangers(crowd.by_one, shipped_densities(), centre)
    return Snapshot(
        generation=gallery.generation,
        model=gallery.model,
        performers=gallery.performers + _name_strangers(known, count),
        vectors=np.concatenate([gallery.vectors, strangers]),
        owners=np.concatenate([gallery.owners, known + np.arange(count)]),
        qualities=np.concatenate([gallery.qualities, np.full(count, USUAL_QUALITY, np.float32)]),
        rejections=no_rejections(gallery.model),
        fused=tuple(
            _add_to_fused(one, crowd.by_both) for one in gallery.fused if crowd.by_both is not None
        ),
    )


def add_crowd(trials: Iterable[Trial], count: int) -> Iterator[Trial]:
    """Add the same `count` made-up strangers to the gallery of each trial."""
    if not count:
        yield from trials
        return
    crowd = draw_crowd(count, np.random.default_rng(CROWD_SEED))

    @lru_cache(maxsize=4)  # trials alternate between two galleries, ours and the usual way's
    def crowded(gallery: Snapshot) -> Snapshot:
        return join_crowd(gallery, crowd)

    for trial in trials:
        ours, usual = crowded(trial.gallery), crowded(trial.usual_gallery)
        yield replace(trial, gallery=ours, usual_gallery=usual)


@lru_cache(maxsize=2)  # a gallery of everyone and those without one person alternate
def _name_strangers(known: int, count: int) -> tuple[Performer, ...]:
    return tuple(Performer(known + index + 1, f"stranger {index}") for index in range(count))


def _add_to_fused(fused: Fused, drawn: Vectors) -> Fused:
    known = fused.templates
    densities = densities_of(fused.fusion.space.id)
    strangers = place_strangers(drawn, densities, known.means.mean(axis=0))
    means = np.concatenate([known.means, strangers])
    alone = np.ones(len(strangers), np.float32)
    return Fused(fused.fusion, Templates(means, np.concatenate([known.evidence, alone])))


def place_strangers(drawn: Vectors, densities: Densities, centre: Vectors) -> Vectors:
    """Put standard normal draws around a centre, as far apart as strangers are.

    A space with fewer dimensions than were drawn takes the first ones.
    """
    dimensions = len(centre)
    spectrum = np.arange(1, dimensions + 1) ** -FALLS[densities.model]
    variance = densities.between_variance / 2 + densities.own_variance
    widths = np.sqrt(spectrum / spectrum.sum() * variance).astype(np.float32)
    strangers: Vectors = drawn[:, :dimensions] * widths
    strangers += centre
    return strangers


def _centre(random: np.random.Generator) -> Vectors:
    direction = random.standard_normal(PRIMARY.dimensions, np.float32)
    centre: Vectors = USUAL_LENGTH * direction / np.linalg.norm(direction)
    return centre
