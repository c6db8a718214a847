"""What the gallery stores and returns, as plain frozen records."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from db.templates import Templates, average_encodings

Vector: TypeAlias = NDArray[np.float32]
"""One face's encoding, or a template: float32, (128,). dlib's are not unit length."""

Vectors: TypeAlias = NDArray[np.float32]
"""Several encodings, one a row: float32, (count, 128)."""


class Identity(NamedTuple):
    """How one source identifies a performer: the source's own name, and its id for the performer.

    A stash id is an identity too; its source is the URL of the stash-box.
    """

    source: str
    source_id: str


@dataclass(frozen=True)
class Performer:
    """Someone the user enrolled; names are for reading, ids tell performers apart.

    `source` and `source_id` are where they first came from, `identities` all their ids.
    """

    id: int
    name: str
    disambiguation: str = ""
    aliases: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    source: str = "folder"
    source_id: str = ""
    encodings: int = 0
    identities: tuple[Identity, ...] = ()
    poster_url: str = ""

    @property
    def stash_ids(self) -> tuple[Identity, ...]:
        """The identities that stash-boxes gave, as (endpoint, stash id)."""
        return tuple(one for one in self.identities if one.source.startswith("http"))


@dataclass(frozen=True, eq=False)
class Encoding:
    """One enrolled face as numbers, and where it came from; the photo itself is not kept.

    `weaknesses` says in words why it counts little, and is empty for a good one.
    """

    vector: Vector
    model: str
    quality: float
    photo_hash: str
    origin: str
    weaknesses: str = ""


@dataclass(frozen=True)
class Candidate:
    """A performer, and how far they are from a probe (lower is nearer)."""

    performer: Performer
    distance: float


@dataclass(frozen=True, eq=False)
class Rejections:
    """Templates of people whom a user said are not a performer: row i is not `owners[i]`.

    `vectors` is float32 (count, 128), `owners` the positions of the performers in the snapshot.
    """

    vectors: Vectors
    owners: NDArray[np.intp]


def no_rejections() -> Rejections:
    """Return the rejections of a new gallery: none."""
    return Rejections(np.empty((0, 128), np.float32), np.empty(0, np.intp))


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The whole gallery in memory at one `generation`: what a request is compared with.

    Row i of `vectors` (encodings, 128) belongs to `performers[owners[i]]` and has `qualities[i]`
    (0 to 1).
    """

    generation: tuple[int, int]
    model: str
    performers: tuple[Performer, ...]
    vectors: Vectors
    owners: NDArray[np.intp]
    qualities: NDArray[np.float32]
    rejections: Rejections = field(default_factory=no_rejections)

    @cached_property
    def templates(self) -> Templates:
        """The template of every performer, in the same order; computed once per generation."""
        return average_encodings(
            self.vectors, self.qualities, self.owners, people=len(self.performers)
        )
