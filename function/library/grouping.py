"""Groups people of many videos: which of them are one stranger.

Two are joined if the densities behind the scores leave hardly any doubt, and only if each is the
other's likeliest: everyone joins their own person before a look-alike, and the more is known of
both, the clearer the difference. This goes in rounds, so that what was joined is weighed again; and
what was grouped before stays, so that a few new people are placed in seconds.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from db.records import Vectors
from db.vectors import square_distances
from function.matching.densities import Densities
from function.matching.kin import are_one, odds_of_one
from function.people.people import WEAK_PERSON_EVIDENCE

FEWEST_ASSUMED = 1000
"""Somebody is looked for among at least this many: the people of a usual library, seen or not
yet."""

REACH = 0.6
"""Farther apart, in units of dlib's net, nobody is almost certainly one: at most 0.58 suffices, for
two single faces of the lowest quality."""

TOO_LITTLE = WEAK_PERSON_EVIDENCE
"""Nobody with only this evidence is joined: weak faces."""

PROBES_AT_ONCE = 256
"""People compared with all others in one product: with 100,000 others it takes 200 MB."""

Pair: TypeAlias = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Part:
    """The templates of some people in one space, and how its distances are scored.

    `means` is float32 (people, dimensions); `evidence` float32 (people,), 0 for those without.
    Grouping averages in place.
    """

    densities: Densities
    means: Vectors
    evidence: NDArray[np.float32]


@dataclass(eq=False)
class Grouping:
    """People, or groups of them, by row, and who became one.

    `parts` hold the templates, in the most telling space last. `fresh` says who is to be placed:
    the others are joined only along with one who is. `apart[row]` holds the rows that are never
    joined with `row`: whoever shares a frame, and whom the user split. `root[row]` is the row that
    stands for a row's group: its lowest.
    """

    parts: Sequence[Part]
    fresh: NDArray[np.bool_]
    apart: Mapping[int, set[int]]
    root: NDArray[np.intp] = field(init=False)

    def __post_init__(self) -> None:
        """Begin with everyone alone."""
        self.root = np.arange(len(self.fresh))
        self._apart = {row: set(others) for row, others in self.apart.items()}

    def run(self) -> Iterator[int]:
        """Join until nobody fresh can be joined; yields after each round how many pairs were."""
        waiting = np.flatnonzero(self.fresh)
        while len(waiting):
            before, changed = self.root.copy(), waiting
            while pairs := self._choose(self._find_pairs(changed)):
                for pair in pairs:
                    self._join(*pair)
                yield len(pairs)
                changed = np.array([kept for kept, _ in pairs], np.intp)
            # Those who were not joined look again among those who were: there are fewer by now.
            is_same = np.array_equal(before, self.root)
            waiting = np.unique(self.root[waiting[:0] if is_same else waiting])

    def _find_pairs(self, rows: NDArray[np.intp]) -> dict[Pair, float]:
        """Return the pairs of some rows that may be one, each with the log odds that it is."""
        alive = np.flatnonzero(self.root == np.arange(len(self.root)))
        columns = [(part.means[alive], part.evidence[alive]) for part in self.parts]
        found: dict[Pair, float] = {}
        for start in range(0, len(rows), PROBES_AT_ONCE):
            probes = rows[start : start + PROBES_AT_ONCE]
            taken = probes[:, None] == alive[None, :]
            for part, (means, evidence) in reversed(list(zip(self.parts, columns, strict=True))):
                if taken.all():
                    break
                squared = square_distances(part.means[probes], means)
                can = (part.evidence[probes] > TOO_LITTLE)[:, None] & (evidence > TOO_LITTLE)
                near = (squared < REACH**2) & can & ~taken
                taken |= can
                places = np.nonzero(near)
                pairs = probes[places[0]], alive[places[1]]
                found |= _weigh(pairs, np.sqrt(squared[near]), part, len(alive))
        return found

    def _choose(self, found: Mapping[Pair, float]) -> list[Pair]:
        """Choose the pairs who may be joined and who are each other's likeliest."""
        looked_at: set[int] = set()
        chosen = []
        for pair, _ in sorted(found.items(), key=lambda one: (-one[1], one[0])):
            if pair[1] in self._apart.get(pair[0], ()):
                continue
            if looked_at.isdisjoint(pair):
                chosen.append(pair)
            looked_at.update(pair)
        return chosen

    def _join(self, kept: int, dropped: int) -> None:
        """Make two groups one: their templates are averaged, and what is apart stays apart."""
        for part in self.parts:
            weights = part.evidence[[kept, dropped]]
            if weights[1] > 0:
                part.means[kept] = weights @ part.means[[kept, dropped]] / weights.sum()
                part.evidence[kept] = weights.sum()
        self.root[self.root == dropped] = kept
        for other in self._apart.pop(dropped, set()):
            self._apart[other].discard(dropped)
            self._apart[other].add(kept)
            self._apart.setdefault(kept, set()).add(other)


def _weigh(
    pairs: tuple[NDArray[np.intp], NDArray[np.intp]],
    distances: NDArray[np.float32],
    part: Part,
    people: int,
) -> dict[Pair, float]:
    """Return the pairs, of two rows each, that are almost certainly one, and the log odds of it."""
    one, other = (part.evidence[rows].astype(np.float64) for rows in pairs)
    among = max(people, FEWEST_ASSUMED)
    odds = odds_of_one(distances.astype(np.float64), (one, other), part.densities, among)
    sure = are_one(odds)
    ends = np.sort(np.stack(pairs, axis=1)[sure], axis=1).tolist()
    return {(low, high): log for (low, high), log in zip(ends, odds[sure].tolist(), strict=True)}
