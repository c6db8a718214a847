"""Finds what in a gallery will cause wrong or missing names, and what to do about it.

Photos are numbered as `show` and the page list them, from 1.
"""

from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from db.errors import OtherModelError
from db.records import Performer, Vectors
from db.snapshots import Snapshot
from db.templates import Templates, weigh_qualities
from db.vectors import square_distances
from function.matching.densities import (
    Densities,
    densities_of,
    own_density,
    shipped_densities,
    stranger_density,
)

CELLS_PER_BLOCK = 2**22
"""Distances held at a time: 16 MiB of them, however large the gallery."""

Kind: TypeAlias = Literal[
    "photo_nearer_to_another",
    "photo_unlike_the_rest",
    "duplicate_photos",
    "performers_too_alike",
    "no_photos",
]


@dataclass(frozen=True)
class PhotoNumber:
    """A photo of a performer, by its place in the list that `show` prints."""

    performer: str
    performer_id: int
    number: int


@dataclass(frozen=True)
class Finding:
    """One thing to check: which performers and photos, how far apart, and what to do."""

    kind: Kind
    performers: tuple[str, ...]
    performer_ids: tuple[int, ...]
    photos: tuple[PhotoNumber, ...]
    distance: float | None
    advice: str


@dataclass(frozen=True)
class Audit:
    """What was found in a gallery, worst first; `total` also counts what is not listed."""

    performers: int
    photos: int
    total: int
    findings: tuple[Finding, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the findings as plain dictionaries, lists and numbers."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Pairs that are `distances` apart, each member given by its place in the snapshot."""

    first: NDArray[np.intp]
    second: NDArray[np.intp]
    distances: NDArray[np.float32]

    def take(self, chosen: NDArray[np.intp]) -> "_Pairs":
        return _Pairs(self.first[chosen], self.second[chosen], self.distances[chosen])

    def __iter__(self) -> Iterator[tuple[int, int, float]]:
        return zip(self.first.tolist(), self.second.tolist(), self.distances.tolist(), strict=True)


_NO_PAIRS = _Pairs(np.empty(0, np.intp), np.empty(0, np.intp), np.empty(0, np.float32))


def audit_gallery(
    gallery: Snapshot, densities: Densities | None = None, *, most: int | None = None
) -> Audit:
    """Find photos under a wrong name, photos enrolled twice, and performers who look alike.

    Lists the nearest `most` of each kind, or all. Compares every photo with every other: 20,000
    photos take seconds, 200,000 minutes.
    """
    alike, alike_total = _nearest(_find_alike(gallery, densities or shipped_densities()), most)
    strays, stray_total = _nearest(_find_strays(gallery), most)
    unlike = _find_unlike(gallery)
    duplicates, duplicate_total = _nearest(_find_duplicates(gallery), most)
    empty = np.flatnonzero(gallery.templates.evidence == 0).tolist()
    findings = (
        *(_describe_alike(gallery, *pair) for pair in alike),
        *(_describe_stray(gallery, *pair) for pair in strays),
        *(_describe_unlike(gallery, *one) for one in unlike[:most]),
        *(_describe_duplicate(gallery, *pair) for pair in duplicates),
        *(_describe_empty(gallery, position) for position in empty[:most]),
    )
    total = alike_total + stray_total + len(unlike) + duplicate_total + len(empty)
    return Audit(len(gallery.performers), len(gallery.vectors), total, findings)


def compare_with(
    gallery: Snapshot, performer: int, others: Collection[int], densities: Densities | None = None
) -> dict[int, bool]:
    """Say which others are as near to a performer as one person's photos would be.

    All are given by id; the nearest comes first. Anybody without a photo to compare is left out.
    """
    chosen, templates = densities or shipped_densities(), gallery.templates
    places = {
        one.id: place
        for place, one in enumerate(gallery.performers)
        if templates.evidence[place] and (one.id == performer or one.id in others)
    }
    own = places.pop(performer, None)
    if own is None or not places:
        return {}
    rows = list(places.values())
    distances = _distances(templates.means[[own]], templates.means[rows])[0].astype(np.float64)
    noise = _noise(templates.evidence[rows], chosen) + _noise(templates.evidence[[own]], chosen)
    alike = own_density(distances, noise, chosen) > stranger_density(distances, noise, chosen)
    numbers = list(places)
    return {numbers[at]: bool(alike[at]) for at in np.argsort(distances, kind="stable").tolist()}


def _noise(evidence: NDArray[np.float32], densities: Densities) -> NDArray[np.float64]:
    """Return how far a mean of this much evidence may lie from the person, squared."""
    return densities.own_variance / np.maximum(evidence.astype(np.float64), 1e-9)


def _find_alike(gallery: Snapshot, densities: Densities) -> Iterator[_Pairs]:
    """Find performers as near to each other as one person's photos would be, by all that is known.

    By dlib's net alone 57 of the 2,775 pairs of 75 people, each with one photo, are as near; by
    both nets 7 are (with SFace 24); with three photos each 24 and none (with SFace 1).
    """
    spaces = [*_spaces_of_both(gallery), (gallery.templates, densities)]
    for place, (templates, own) in enumerate(spaces):
        known = [earlier.evidence > 0 for earlier, _ in spaces[:place]]
        for pairs in _find_alike_in(templates, own):
            is_compared = np.zeros(len(pairs.distances), bool)
            for has in known:
                is_compared |= has[pairs.first] & has[pairs.second]
            yield pairs.take(np.flatnonzero(~is_compared))


def _spaces_of_both(gallery: Snapshot) -> Iterator[tuple[Templates, Densities]]:
    """Yield the templates by both nets, with the densities, where these are known."""
    for one in gallery.fused:
        with suppress(OtherModelError):  # a net of the user's own has its densities elsewhere
            yield one.templates, densities_of(one.fusion.space.id)


def _find_alike_in(templates: Templates, densities: Densities) -> Iterator[_Pairs]:
    enrolled = np.flatnonzero(templates.evidence)
    if len(enrolled) == 0:
        return
    noise = _noise(templates.evidence[enrolled], densities)
    limit = _farthest_alike(2 * noise.max(), densities)
    for near in _near_pairs(templates.means[enrolled], limit):
        distances, residuals = near.distances.astype(np.float64), noise[near.first]
        residuals = residuals + noise[near.second]
        own = own_density(distances, residuals, densities)
        alike = near.take(np.flatnonzero(own > stranger_density(distances, residuals, densities)))
        yield _Pairs(enrolled[alike.first], enrolled[alike.second], alike.distances)


def _farthest_alike(residual: float, densities: Densities) -> float:
    """Return the distance beyond which two templates this uncertain are certainly strangers.

    Nearer or more uncertain templates are more alike, so one check of the worst case is enough.
    """
    distances = np.linspace(0, 4, 4001)
    residuals = np.full(len(distances), residual)
    alike = own_density(distances, residuals, densities) > stranger_density(
        distances, residuals, densities
    )
    return float(distances[min(np.flatnonzero(alike).max(initial=0) + 1, len(distances) - 1)])


def _find_strays(gallery: Snapshot) -> Iterator[_Pairs]:
    """Find photos that are nearer to another performer than to the rest of their own."""
    rest, has_rest = _means_of_the_rest(gallery)
    own = np.linalg.norm(gallery.vectors - rest, axis=1)
    means = gallery.templates.means
    for block in _blocks(len(gallery.vectors), len(means)):
        distances = _distances(gallery.vectors[block], means)
        distances[:, gallery.templates.evidence == 0] = np.inf
        rows = np.arange(len(distances))
        distances[rows, gallery.owners[block]] = np.inf
        nearest = distances.argmin(axis=1)
        least = distances[rows, nearest]
        stray = np.flatnonzero(has_rest[block] & (least < own[block]))
        yield _Pairs(block.start + stray, nearest[stray], least[stray])


def _find_unlike(gallery: Snapshot) -> list[tuple[int, float]]:
    """Find photos that pull their performer's mean away, the farthest first, with the distance.

    They are unlike the performer's other photos, but no nearer to anybody else, like something that
    is hardly a face: earlier versions enrolled such photos.
    """
    rest, has_rest = _means_of_the_rest(gallery)
    own = np.linalg.norm(gallery.vectors - rest, axis=1)
    strays = {photo for pairs in _find_strays(gallery) for photo, _, _ in pairs}
    unlike = np.flatnonzero(has_rest & (own > gallery.model.unlike_from)).tolist()
    found = [(photo, float(own[photo])) for photo in unlike if photo not in strays]
    return sorted(found, key=lambda one: -one[1])


def _find_duplicates(gallery: Snapshot) -> Iterator[_Pairs]:
    return _near_pairs(gallery.vectors, gallery.model.duplicate_within)


def _describe_alike(gallery: Snapshot, first: int, second: int, distance: float) -> Finding:
    return _finding(
        "performers_too_alike",
        (gallery.performers[first], gallery.performers[second]),
        distance=distance,
        advice="If they are one person, merge them; if not, add photos of both.",
    )


def _describe_stray(gallery: Snapshot, photo: int, other: int, distance: float) -> Finding:
    owner = gallery.performers[gallery.owners[photo]]
    return _finding(
        "photo_nearer_to_another",
        (owner, gallery.performers[other]),
        photos=(_number(gallery, photo),),
        distance=distance,
        advice=f"Check whether it shows {owner.name}; if not, remove it.",
    )


def _describe_unlike(gallery: Snapshot, photo: int, distance: float) -> Finding:
    owner = gallery.performers[gallery.owners[photo]]
    return _finding(
        "photo_unlike_the_rest",
        (owner,),
        photos=(_number(gallery, photo),),
        distance=distance,
        advice=f"If it hardly shows {owner.name}'s face, or shows somebody else, remove it.",
    )


def _describe_duplicate(gallery: Snapshot, first: int, second: int, distance: float) -> Finding:
    owners = dict.fromkeys(gallery.owners[[first, second]].tolist())
    return _finding(
        "duplicate_photos",
        tuple(gallery.performers[owner] for owner in owners),
        photos=(_number(gallery, first), _number(gallery, second)),
        distance=distance,
        advice="One of them adds nothing; photos from other days would."
        if len(owners) == 1
        else "The same photo has two names; remove it from the wrong one.",
    )


def _describe_empty(gallery: Snapshot, position: int) -> Finding:
    advice = "They cannot be recognised; add a photo."
    return _finding("no_photos", (gallery.performers[position],), advice=advice)


def _finding(
    kind: Kind,
    performers: tuple[Performer, ...],
    *,
    photos: tuple[PhotoNumber, ...] = (),
    distance: float | None = None,
    advice: str,
) -> Finding:
    names = tuple(performer.name for performer in performers)
    numbers = tuple(performer.id for performer in performers)
    rounded = None if distance is None else round(distance, 3)
    return Finding(kind, names, numbers, photos, rounded, advice)


def _number(gallery: Snapshot, row: int) -> PhotoNumber:
    owner = gallery.owners[row]
    performer = gallery.performers[owner]
    number = int(np.count_nonzero(gallery.owners[: row + 1] == owner))
    return PhotoNumber(performer.name, performer.id, number)


def _means_of_the_rest(gallery: Snapshot) -> tuple[Vectors, NDArray[np.bool_]]:
    """Subtract each photo from its performer's mean; also say where anything is left."""
    weights = weigh_qualities(gallery.qualities).astype(np.float64)
    totals = np.bincount(gallery.owners, weights, len(gallery.performers))[gallery.owners]
    left = totals - weights
    has_rest = left > 1e-6  # noqa: PLR2004  # rounding error alone is less
    sums = gallery.templates.means[gallery.owners] * totals[:, None]
    rest = (sums - gallery.vectors * weights[:, None]) / np.maximum(left, 1e-6)[:, None]
    return rest.astype(np.float32), has_rest


def _nearest(found: Iterator[_Pairs], most: int | None) -> tuple[_Pairs, int]:
    """Keep the nearest `most` of all pairs, in order; also say how many there were."""
    kept, total = _NO_PAIRS, 0
    for pairs in found:
        total += len(pairs.distances)
        both = _Pairs(
            np.concatenate([kept.first, pairs.first]),
            np.concatenate([kept.second, pairs.second]),
            np.concatenate([kept.distances, pairs.distances]),
        )
        kept = both.take(np.argsort(both.distances, kind="stable")[:most])
    return kept, total


def _near_pairs(rows: Vectors, limit: float) -> Iterator[_Pairs]:
    """Yield the pairs of rows that are nearer than `limit`, the earlier row first."""
    for block in _blocks(len(rows), len(rows)):
        # Rows before the block were paired with it already.
        distances = _distances(rows[block], rows[block.start :])
        first, second = np.nonzero(distances < limit)
        first, second = first[second > first], second[second > first]
        yield _Pairs(block.start + first, block.start + second, distances[first, second])


def _blocks(rows: int, columns: int) -> Iterator[slice]:
    """Cut rows into blocks whose distances to all columns fit into CELLS_PER_BLOCK."""
    step = max(1, CELLS_PER_BLOCK // max(columns, 1))
    return (slice(start, min(start + step, rows)) for start in range(0, rows, step))


def _distances(rows: Vectors, columns: Vectors) -> NDArray[np.float32]:
    squared = square_distances(rows, columns)
    return np.sqrt(squared, out=squared)
