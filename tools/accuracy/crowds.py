"""Makes up strangers by the hundred thousand, as far apart as real ones.

Real encodings lie mostly along a few directions, so made-up ones get a falling spectrum: the
squared distance of two is between_variance + 2 x own_variance on average, and its logarithm has
the same spread as that of real strangers.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache

import numpy as np

from db.records import Performer, Vectors
from db.snapshots import Fused, Snapshot, no_rejections
from db.templates import USUAL_QUALITY, Templates
from function.engines.models import PRIMARY
from function.matching.densities import Densities, densities_of, shipped_densities
from tools.accuracy.trials import Trial

USUAL_LENGTH = 1.4
"""dlib's encodings are about this long."""

CROWD_SEED = 2

FALL = {1: 0.7, 2: 0.55}
"""Each direction has 1 / rank^FALL of the variance of the first, by one net and by two. On a log
scale this spreads the distances of made-up strangers by 0.096, and by 0.06 by both nets; those of
ten real people spread by 0.088, of 85 by 0.13, and by 0.06 by both nets."""


def make_strangers(
    count: int, random: np.random.Generator, centre: Vectors | None = None
) -> Vectors:
    """Draw `count` encodings of single photos around `centre`, float32 (count, dimensions)."""
    return _draw(count, random, shipped_densities(), _centre(random) if centre is None else centre)


def add_strangers(gallery: Snapshot, count: int, random: np.random.Generator) -> Snapshot:
    """Add `count` made-up strangers, with one photo each, to a gallery's performers."""
    known = len(gallery.performers)
    strangers = make_strangers(count, random, gallery.templates.means.mean(axis=0))
    names = tuple(Performer(known + index + 1, f"stranger {index}") for index in range(count))
    return Snapshot(
        generation=gallery.generation,
        model=gallery.model,
        performers=gallery.performers + names,
        vectors=np.concatenate([gallery.vectors, strangers]),
        owners=np.concatenate([gallery.owners, known + np.arange(count)]),
        qualities=np.concatenate([gallery.qualities, np.full(count, USUAL_QUALITY, np.float32)]),
        rejections=no_rejections(gallery.model),
        fused=_add_to_fused(gallery.fused, count, random) if gallery.fused else None,
    )


def add_crowd(trials: Iterable[Trial], count: int) -> Iterator[Trial]:
    """Add the same `count` made-up strangers to the gallery of each trial."""

    @lru_cache(maxsize=4)  # trials alternate between two galleries, ours and the usual way's
    def crowded(gallery: Snapshot) -> Snapshot:
        return add_strangers(gallery, count, np.random.default_rng(CROWD_SEED))

    if not count:
        yield from trials
        return
    for trial in trials:
        ours, usual = crowded(trial.gallery), crowded(trial.usual_gallery)
        yield replace(trial, gallery=ours, usual_gallery=usual)


def _add_to_fused(fused: Fused, count: int, random: np.random.Generator) -> Fused:
    known = fused.templates
    densities = densities_of(fused.fusion.space.id)
    strangers = _draw(count, random, densities, known.means.mean(axis=0))
    means = np.concatenate([known.means, strangers])
    return Fused(
        fused.fusion,
        Templates(means, np.concatenate([known.evidence, np.ones(count, np.float32)])),
    )


def _draw(
    count: int, random: np.random.Generator, densities: Densities, centre: Vectors
) -> Vectors:
    dimensions = len(centre)
    spectrum = np.arange(1, dimensions + 1) ** -FALL[dimensions // PRIMARY.dimensions]
    variance = densities.between_variance / 2 + densities.own_variance
    scales = np.sqrt(spectrum / spectrum.sum() * variance).astype(np.float32)
    strangers: Vectors = random.standard_normal((count, dimensions), np.float32)
    strangers *= scales
    strangers += centre
    return strangers


def _centre(random: np.random.Generator) -> Vectors:
    direction = random.standard_normal(PRIMARY.dimensions, np.float32)
    centre: Vectors = USUAL_LENGTH * direction / np.linalg.norm(direction)
    return centre
