"""How dlib's net and a second one are put together: as it ships, or fitted for one of one's own."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from db.models import EncodingKind, Fusion
from db.records import Vectors
from function.engines.dlib_nets.model import LENGTH as DLIB_LENGTH
from function.engines.models import BOTH
from function.faces.face import Face
from function.matching.densities import Numbers
from function.matching.second_models import (
    SFACE_MODEL,
    SHIPPED_MODEL,
    SecondModel,
    Weighing,
    fuse_with,
)
from function.sources.records import UnusableSourceError
from tools.accuracy.labelled import Source

SHARES = tuple(number / 10 for number in range(1, 11))
"""The shares of the second net that are tried; near the best one they are all equally good."""

NEAREST_STRANGERS = 0.01
"""One person's distances should lie far below those of this share of strangers, the nearest."""

MOST_EACH = 12
"""Sources of a person that are compared: more of a few people would outweigh the others."""

MOST_STRANGERS = 100_000
"""Pairs of strangers that are drawn."""

FEWEST_PEOPLE = 2
"""Halves of a library are fitted too, so this is fewer than `calibrate` asks for."""


@dataclass(frozen=True)
class SecondNet:
    """The second net that is measured: one that ships, or one's `own`, whose weighing is fitted.

    `name` is for people. `model` is what is used where nothing is fitted; None for an own net
    without a fit.
    """

    name: str = "Light CNN"
    own: EncodingKind | None = None
    model: SecondModel | None = SHIPPED_MODEL

    def fuse(self, sources: Sequence[Source]) -> Fusion:
        """Return the fusion: that which ships, or for an own net the one fitted on sources.

        Raises:
            UnusableSourceError: fewer than two people have two sources that it encoded.
        """
        if self.own:
            return fuse_with(self.own, fit_weighing(sources))
        return self.model.fusion if self.model else BOTH


SHIPPED_NET = SecondNet()
SFACE_NET = SecondNet("SFace", model=SFACE_MODEL)


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Squared distances of pairs by each net, (pairs,), and how much each pair counts."""

    first: Numbers
    second: Numbers
    weights: Numbers

    def fused(self, share: float, length: float) -> Numbers:
        scaled: Numbers = share * self.second * (DLIB_LENGTH / length) ** 2
        return (1 - share) * self.first + scaled


def fit_weighing(sources: Sequence[Source], seed: int = 1) -> Weighing:
    """Find how a second net is best put beside dlib's: what tells people apart best.

    Both nets are scaled to the same strangers. Then that share is taken with which one person's
    distances lie furthest below the nearest strangers', measured in their own spread, on the log
    scale of the densities.

    Raises:
        UnusableSourceError: fewer than two people have two sources with second encodings.
    """
    own, strangers = _draw_pairs(sources, random.Random(seed))  # noqa: S311  # no secret
    ratio = float(np.median(strangers.second)) / float(np.median(strangers.first))
    length = round(DLIB_LENGTH * ratio**0.5, 4)
    share = max(SHARES, key=lambda one: _separation(own, strangers, one, length))
    variance = float(np.average(own.fused(share, length), weights=own.weights)) / 2
    return Weighing(share, length, round(variance, 4))


def _separation(own: _Pairs, strangers: _Pairs, share: float, length: float) -> float:
    logs = np.log(np.maximum(own.fused(share, length), 1e-6)) / 2
    middle = np.average(logs, weights=own.weights)
    spread = np.average(np.square(logs - middle), weights=own.weights) ** 0.5
    nearest = np.quantile(strangers.fused(share, length), NEAREST_STRANGERS)
    return float((np.log(max(nearest, 1e-6)) / 2 - middle) / max(spread, 1e-6))


def _draw_pairs(sources: Sequence[Source], shuffler: random.Random) -> tuple[_Pairs, _Pairs]:
    """Pair sources of each person, everyone counting as much, and sources of strangers."""
    faces = _choose_faces(sources, shuffler)
    people = sum(len(own) > 1 for own in faces.values())
    if people < FEWEST_PEOPLE:
        raise UnusableSourceError(
            f"{people} people have 2 usable photos or clips that the second net encoded; fitting "
            f"needs at least {FEWEST_PEOPLE}, and ten or more to be useful."
        )
    kept = [face for own in faces.values() for face in own]
    first = np.stack([face.encoding for face in kept])
    second = np.stack([face.second for face in kept if face.second is not None])
    owners = np.repeat(np.arange(len(faces)), [len(own) for own in faces.values()])
    rows = [np.flatnonzero(owners == owner) for owner in range(len(faces))]
    own = np.array([pair for one in rows for pair in combinations(one.tolist(), 2)], np.intp)
    weights = 1 / np.bincount(owners[own[:, 0]], minlength=len(faces))[owners[own[:, 0]]]
    drawn = np.random.default_rng(shuffler.randrange(2**32)).integers(
        0, len(kept), (MOST_STRANGERS, 2)
    )
    apart = drawn[owners[drawn[:, 0]] != owners[drawn[:, 1]]]
    return (
        _measure(first, second, own, weights),
        _measure(first, second, apart, np.ones(len(apart))),
    )


def _choose_faces(sources: Sequence[Source], shuffler: random.Random) -> dict[str, list[Face]]:
    """Choose one face of a source, the best that has been encoded twice, of some sources each."""
    faces: dict[str, list[Face]] = {}
    for source in sorted(sources, key=lambda one: (one.name, one.origin)):
        twice = [face for face in source.faces if face.second is not None]
        if twice:
            faces.setdefault(source.name, []).append(max(twice, key=lambda face: face.quality))
    return {name: shuffler.sample(own, min(len(own), MOST_EACH)) for name, own in faces.items()}


def _measure(first: Vectors, second: Vectors, pairs: NDArray[np.intp], weights: Numbers) -> _Pairs:
    apart = [
        np.square(one[pairs[:, 0]] - one[pairs[:, 1]]).sum(axis=1, dtype=np.float64)
        for one in (first, second)
    ]
    return _Pairs(apart[0], apart[1], weights)
