"""A gallery becomes findings: what in it will cost right names, and what to do about each.

Photos are numbered as `show` lists them, from 1.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from db.records import Performer, Snapshot, Vectors
from db.templates import weigh_qualities
from function.densities import Densities, own_density, shipped_densities, stranger_density

DUPLICATE_WITHIN = 0.1
"""Two photos nearer than this are one photo, cropped or compressed anew: a crop of the same face
moves its encoding by less, another photo of the same day by more."""

ROWS_PER_BLOCK = 2048

Kind: TypeAlias = Literal[
    "photo_nearer_to_another", "duplicate_photos", "performers_too_alike", "no_photos"
]


@dataclass(frozen=True)
class PhotoNumber:
    """A photo of a performer, by its place in the list that `show` prints."""

    performer: str
    performer_id: int
    number: int


@dataclass(frozen=True)
class Finding:
    """One thing to look at: which performers and photos, how far apart, and what to do."""

    kind: Kind
    performers: tuple[str, ...]
    performer_ids: tuple[int, ...]
    photos: tuple[PhotoNumber, ...]
    distance: float | None
    advice: str


@dataclass(frozen=True)
class Audit:
    """Everything found in a gallery, the worst first."""

    performers: int
    photos: int
    findings: tuple[Finding, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the findings as plain dictionaries, lists and numbers."""
        return asdict(self)


def audit_gallery(gallery: Snapshot, densities: Densities | None = None) -> Audit:
    """Find photos under a wrong name, photos enrolled twice, and performers who look alike.

    Compares every photo with every other: 20,000 photos take seconds, 200,000 minutes.
    """
    findings = [
        *_find_alike(gallery, densities or shipped_densities()),
        *_find_strays(gallery),
        *_find_duplicates(gallery),
        *_find_empty(gallery),
    ]
    return Audit(len(gallery.performers), len(gallery.vectors), tuple(findings))


def render_audit(audit: Audit) -> str:
    """Lay the findings out as lines for people."""
    head = f"{audit.performers} performers, {audit.photos} photos, {len(audit.findings)} findings"
    lines = []
    for finding in audit.findings:
        where = ", ".join(f"{photo.performer} photo {photo.number}" for photo in finding.photos)
        distance = "" if finding.distance is None else f" at {finding.distance:.2f}"
        subject = where or " and ".join(finding.performers)
        lines.append(f"{finding.kind}: {subject}{distance}. {finding.advice}")
    return "\n".join([head, *lines])


def _find_alike(gallery: Snapshot, densities: Densities) -> Iterator[Finding]:
    """Find performers as near to each other as one person's photos would be."""
    templates = gallery.templates
    enrolled = np.flatnonzero(templates.looks)
    noise = densities.own_variance / np.maximum(templates.looks[enrolled].astype(np.float64), 1e-9)
    for start, distances in _blocks(templates.means[enrolled], templates.means[enrolled]):
        rows = noise[start : start + len(distances), None] + noise[None, :]
        own = own_density(distances, rows, densities)
        alike = own > stranger_density(distances, rows, densities)
        for row, column in np.argwhere(alike).tolist():
            if start + row < column:
                pair = (
                    gallery.performers[enrolled[start + row]],
                    gallery.performers[enrolled[column]],
                )
                yield _finding(
                    "performers_too_alike",
                    pair,
                    distance=float(distances[row, column]),
                    advice="If they are one person, forget one; if not, add photos of both.",
                )


def _find_strays(gallery: Snapshot) -> Iterator[Finding]:
    """Find photos that are nearer to another performer than to the rest of their own."""
    rest, has_rest = _means_of_the_rest(gallery)
    own = np.linalg.norm(gallery.vectors - rest, axis=1)
    for start, distances in _blocks(gallery.vectors, gallery.templates.means):
        distances[:, gallery.templates.looks == 0] = np.inf
        rows = np.arange(len(distances))
        distances[rows, gallery.owners[start + rows]] = np.inf
        nearest = distances.argmin(axis=1)
        stray = has_rest[start + rows] & (distances[rows, nearest] < own[start + rows])
        for row in np.flatnonzero(stray).tolist():
            owner = gallery.performers[gallery.owners[start + row]]
            yield _finding(
                "photo_nearer_to_another",
                (owner, gallery.performers[nearest[row]]),
                photos=(_number(gallery, start + row),),
                distance=float(distances[row, nearest[row]]),
                advice=f"Look whether it shows {owner.name}; if not, take it out.",
            )


def _find_duplicates(gallery: Snapshot) -> Iterator[Finding]:
    for start, distances in _blocks(gallery.vectors, gallery.vectors):
        for row, column in np.argwhere(distances < DUPLICATE_WITHIN).tolist():
            if start + row < column:
                photos = (_number(gallery, start + row), _number(gallery, column))
                owners = gallery.owners[[start + row, column]].tolist()
                same = owners[0] == owners[1]
                yield _finding(
                    "duplicate_photos",
                    tuple(gallery.performers[owner] for owner in dict.fromkeys(owners)),
                    photos=photos,
                    distance=float(distances[row, column]),
                    advice="One of them adds nothing; photos of other days would."
                    if same
                    else "The same photo has two names; take it from the wrong one.",
                )


def _find_empty(gallery: Snapshot) -> Iterator[Finding]:
    for position in np.flatnonzero(gallery.templates.looks == 0).tolist():
        performer = gallery.performers[position]
        yield _finding(
            "no_photos", (performer,), advice="Nobody can be recognised as them; add a photo."
        )


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
    """Take each photo out of its performer's mean; says also where anything is left."""
    weights = weigh_qualities(gallery.qualities).astype(np.float64)
    totals = np.bincount(gallery.owners, weights, len(gallery.performers))[gallery.owners]
    left = totals - weights
    has_rest = left > 1e-6  # noqa: PLR2004  # what rounding leaves of nothing
    sums = gallery.templates.means[gallery.owners] * totals[:, None]
    rest = (sums - gallery.vectors * weights[:, None]) / np.maximum(left, 1e-6)[:, None]
    return rest.astype(np.float32), has_rest


def _blocks(rows: Vectors, columns: Vectors) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """Yield distances from blocks of rows to all columns, with the number of the first row."""
    column_norms = np.einsum("ij,ij->i", columns, columns)
    for start in range(0, len(rows), ROWS_PER_BLOCK):
        block = rows[start : start + ROWS_PER_BLOCK]
        norms = np.einsum("ij,ij->i", block, block)[:, None]
        squared = norms + column_norms - 2 * block @ columns.T
        yield start, np.sqrt(np.maximum(squared, 0)).astype(np.float64)
