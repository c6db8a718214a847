"""Performers, encodings and corrections for tests of a gallery."""

from dataclasses import replace

import numpy as np

from db.corrections import Subject
from db.galleries import GalleryChange
from db.records import Encoding, Identity, Performer, Vector
from db.rejections import find_rejected
from tests.support.galleries import TEST_MODEL, encoding, made_up_vector, performer

BOX = "https://stashdb.org/graphql"


X = Identity(BOX, "uuid-x")


Y = Identity(BOX, "uuid-y")


OTHER_MODEL = replace(TEST_MODEL, id="other-model", dimensions=4)


def from_stash(name: str, number: str, *stash_ids: Identity) -> Performer:
    return performer(name, number, source="stash http://localhost:9999", identities=stash_ids)


def from_box(name: str, stash_id: str, **fields: object) -> Performer:
    return performer(name, stash_id, source=BOX, **fields)


def enrolled(gallery: GalleryChange, name: str, *seeds: int, **fields: object) -> Performer:
    """Somebody of this name with a photo for each seed, as the gallery has them."""
    record = performer(name, **fields)  # type: ignore[arg-type]
    gallery.enrol(record, [encoding(seed) for seed in seeds], None)
    (stored,) = gallery.find_identities([Identity(record.source, record.source_id)])
    return stored


def short_encoding(photo: int, *numbers: float, model: str = OTHER_MODEL.id) -> Encoding:
    """An encoding of a photo by the other model, which has four numbers."""
    vector = np.array(numbers or (photo, 0, 0, 0), np.float32)
    return Encoding(vector, model, 0.5, f"hash{photo}", f"photo{photo}.jpg")


def damaged_encoding(seed: int) -> Encoding:
    damaged = encoding(seed)
    damaged.vector[0] = np.nan
    return damaged


def subject(seed: int, *photos: int, picture: bytes = b"\xff\xd8") -> Subject:
    encodings = tuple(encoding(photo) for photo in photos or (seed,))
    return Subject(made_up_vector(seed), encodings, picture, TEST_MODEL, "confirmed from a.mp4")


def nudged(vector: Vector, distance: float) -> Vector:
    sideways = made_up_vector(99)
    return (vector + sideways * distance / np.linalg.norm(sideways)).astype(np.float32)


def offered(gallery: GalleryChange, probe: Vector) -> set[str]:
    """The names of those who are not rejected for this look."""
    snapshot = gallery.snapshot(TEST_MODEL)
    rejected = set(find_rejected(probe[None], snapshot).columns.tolist())
    return {one.name for place, one in enumerate(snapshot.performers) if place not in rejected}


def hashes(gallery: GalleryChange, who: Performer) -> set[str]:
    return {one.hash for one in gallery.photos(who.id)}


def names(performers: list[Performer]) -> list[str]:
    return [one.name for one in performers]


# A store, before anything is in it
