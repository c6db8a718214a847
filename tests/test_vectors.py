"""Exact search over encodings."""

import numpy as np

from db.records import Performer, Snapshot, Vectors
from db.vectors import distances_to_performers, nearest


def _gallery(vectors: Vectors, owners: list[int], performers: int) -> Snapshot:
    named = tuple(Performer(index + 1, f"P{index}") for index in range(performers))
    qualities = np.ones(len(vectors), np.float32)
    return Snapshot(1, "m", named, vectors, np.array(owners, np.intp), qualities)


def test_distances_are_those_of_a_loop_over_every_encoding() -> None:
    random = np.random.default_rng(1)
    vectors = random.normal(size=(40_000, 128)).astype(np.float32)
    owners = random.integers(0, 900, len(vectors))
    gallery = _gallery(vectors, owners.tolist(), 900)
    probes = random.normal(size=(2, 128)).astype(np.float32)
    found = distances_to_performers(probes, gallery)
    for probe, row in zip(probes, found, strict=True):
        naive = np.linalg.norm(vectors - probe, axis=1)
        expected = np.array([naive[owners == index].min() for index in range(900)])
        np.testing.assert_allclose(row, expected, atol=1e-3)


def test_a_performer_without_encodings_is_never_a_candidate() -> None:
    gallery = _gallery(np.eye(2, 128, dtype=np.float32), [0, 2], 3)
    ranked = nearest([gallery.vectors[0]], gallery, 5)
    assert [candidate.performer.name for candidate in ranked[0]] == ["P0", "P2"]


def test_an_empty_gallery_has_no_candidates() -> None:
    gallery = _gallery(np.empty((0, 128), np.float32), [], 0)
    assert nearest([np.zeros(128, np.float32)], gallery, 5) == [[]]
