"""Snapshots: a whole gallery in memory, to compare people with."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from db.models import EncodingModel, Fusion
from db.records import Performer, Vectors
from db.templates import Templates, average_encodings


@dataclass(frozen=True, eq=False)
class Rejections:
    """Templates of people for whom a user rejected a performer: row i is not `owners[i]`.

    `vectors` is float32 (count, dimensions); `owners` are the performers' positions in the
    snapshot.
    """

    vectors: Vectors
    owners: NDArray[np.intp]


def no_rejections(model: EncodingModel) -> Rejections:
    """Return the rejections of a new gallery: none."""
    return Rejections(np.empty((0, model.dimensions), np.float32), np.empty(0, np.intp))


@dataclass(frozen=True, eq=False)
class Fused:
    """Every performer's template in the space of a fusion, in the order of the snapshot.

    Performers none of whose photos have encodings of both nets have no evidence there.
    """

    fusion: Fusion
    templates: Templates


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The whole gallery in memory at one `generation`: what a request is compared with.

    Row i of `vectors` (encodings, dimensions) belongs to `performers[owners[i]]` and has
    `qualities[i]` (0 to 1). `fused` has one for each second net that encoded photos, too, as far as
    its encodings can be compared; people found are compared by the one that encoded them.
    """

    generation: tuple[int, int]
    model: EncodingModel
    performers: tuple[Performer, ...]
    vectors: Vectors
    owners: NDArray[np.intp]
    qualities: NDArray[np.float32]
    rejections: Rejections
    fused: tuple[Fused, ...] = ()

    @cached_property
    def templates(self) -> Templates:
        """Every performer's template, in the order of `performers`; computed once per snapshot."""
        return average_encodings(
            self.vectors,
            self.qualities,
            self.owners,
            people=len(self.performers),
            face_variance=self.model.face_variance,
        )

    def fused_by(self, models: Sequence[str]) -> Fused | None:
        """Return the templates by the nets with these models; None if no photo has encodings."""
        return next((one for one in self.fused if one.fusion.models == tuple(models)), None)


def fuse(
    fusion: Fusion,
    vectors: tuple[Vectors, Vectors],
    qualities: NDArray[np.float32],
    owners: NDArray[np.intp],
    *,
    people: int,
) -> Fused | None:
    """Average the photos of each performer in the space of a fusion; None if there are no photos.

    Row i of both `vectors`, one array for each net, belongs to performer `owners[i]`, below
    `people`, and has `qualities[i]`.
    """
    if not len(owners):
        return None
    joined = fusion.join(*vectors)
    variance = fusion.space.face_variance
    return Fused(
        fusion,
        average_encodings(joined, qualities, owners, people=people, face_variance=variance),
    )
