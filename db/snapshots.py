"""A snapshot of a whole gallery in memory, with which people are compared."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from db.models import EncodingModel
from db.records import Performer, Vectors
from db.templates import Templates, average_encodings


@dataclass(frozen=True, eq=False)
class Rejections:
    """Templates of people whom a user said are not a performer: row i is not `owners[i]`.

    `vectors` is float32 (count, dimensions), `owners` the positions of the performers in the
    snapshot.
    """

    vectors: Vectors
    owners: NDArray[np.intp]


def no_rejections(model: EncodingModel) -> Rejections:
    """Return the rejections of a new gallery: none."""
    return Rejections(np.empty((0, model.dimensions), np.float32), np.empty(0, np.intp))


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The whole gallery in memory at one `generation`: what a request is compared with.

    Row i of `vectors` (encodings, dimensions) belongs to `performers[owners[i]]` and has
    `qualities[i]` (0 to 1).
    """

    generation: tuple[int, int]
    model: EncodingModel
    performers: tuple[Performer, ...]
    vectors: Vectors
    owners: NDArray[np.intp]
    qualities: NDArray[np.float32]
    rejections: Rejections

    @cached_property
    def templates(self) -> Templates:
        """The template of every performer, in the same order; computed once per generation."""
        return average_encodings(
            self.vectors,
            self.qualities,
            self.owners,
            people=len(self.performers),
            face_variance=self.model.face_variance,
        )
