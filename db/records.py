"""What the gallery stores and returns, as plain frozen records."""

from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Vector: TypeAlias = NDArray[np.float32]
"""One face's encoding, or a template: float32, (dimensions,). dlib's are not unit length."""

Vectors: TypeAlias = NDArray[np.float32]
"""Several encodings, one per row: float32, (count, dimensions)."""


class Identity(NamedTuple):
    """How one source identifies a performer: the source's own name, and its id for the performer.

    A stash id is an identity too; its source is the URL of the stash-box.
    """

    source: str
    source_id: str


@dataclass(frozen=True)
class Performer:
    """Someone the user enrolled; names are for reading, ids tell performers apart.

    `source` and `source_id` say where the record first came from; `identities` are all their ids.
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

    @property
    def other_ids(self) -> tuple[Identity, ...]:
        """The identities that other sources gave, such as a Stash, a folder or a list."""
        return tuple(one for one in self.identities if not one.source.startswith("http"))


@dataclass(frozen=True, eq=False)
class Encoding:
    """One enrolled face as numbers, and where it came from; the photo itself is not kept.

    `weaknesses` says in words why the face is weak, and is empty for a good one. `face` is a small
    JPEG of it, kept with one encoding of each photo; empty where the source gave none.
    """

    vector: Vector
    model: str
    quality: float
    photo_hash: str
    origin: str
    weaknesses: str = ""
    face: bytes = field(default=b"", repr=False)


Change: TypeAlias = Literal["added", "updated", "unchanged"]
"""What enrolling did to a performer's record."""

Generation: TypeAlias = tuple[int, int]
"""A gallery's identity, and a number that increases with every change to it."""


@dataclass(frozen=True)
class EnrolledPhoto:
    """A photo whose encoding is stored; its origin or its hash names it."""

    origin: str
    quality: float
    model: str
    hash: str


@dataclass(frozen=True)
class Listed:
    """One performer in a list: just enough to show."""

    id: int
    name: str
    disambiguation: str
    photos: int
    has_thumbnail: bool


@dataclass(frozen=True)
class Listing:
    """A slice of the performers that a search found, and how many it found in all."""

    performers: tuple[Listed, ...]
    total: int


@dataclass(frozen=True)
class Finding:
    """The result of one check of a gallery; `remedy` is empty if there is nothing to do."""

    level: Literal["ok", "mended", "warning", "error"]
    found: str
    remedy: str = ""
