"""Exact search over the templates of the gallery."""

import numpy as np

from db.records import Performer, Vectors
from db.snapshots import Snapshot, no_rejections
from db.vectors import distances_to_performers, nearest_columns
from tests.support.galleries import TEST_MODEL


def _gallery(vectors: Vectors, owners: list[int], performers: int) -> Snapshot:
    named = tuple(Performer(index + 1, f"P{index}") for index in range(performers))
    qualities = np.ones(len(vectors), np.float32)
    owners_of = np.array(owners, np.intp)
    nobody = no_rejections(TEST_MODEL)
    return Snapshot((1, 1), TEST_MODEL, named, vectors, owners_of, qualities, nobody)


def test_distances_are_those_of_a_loop_over_every_performer() -> None:
    random = np.random.default_rng(1)
    vectors = random.normal(size=(60_000, 128)).astype(np.float32)
    owners = random.integers(0, 20_000, len(vectors))
    owners[:20_000] = np.arange(20_000)
    gallery = _gallery(vectors, owners.tolist(), 20_000)
    probes = random.normal(size=(3, 128)).astype(np.float32)
    found = distances_to_performers(probes, gallery.templates)
    for performer in range(0, 20_000, 371):
        mean = vectors[owners == performer].mean(axis=0)
        expected = np.linalg.norm(probes - mean, axis=1)
        np.testing.assert_allclose(found[:, performer], expected, rtol=1e-4)


def test_equal_vectors_are_at_no_distance() -> None:
    vector = np.full((1, 128), 0.1234567, np.float32)
    assert distances_to_performers(vector, _gallery(vector, [0], 1).templates)[0, 0] < 2e-3


def test_good_photos_weigh_more_in_a_template() -> None:
    vectors = np.stack([np.zeros(128), np.ones(128)]).astype(np.float32)
    good_and_poor = Snapshot(
        (1, 1),
        TEST_MODEL,
        (Performer(1, "P"),),
        vectors,
        np.zeros(2, np.intp),
        np.array([0.1, 1.0], np.float32),
        no_rejections(TEST_MODEL),
    )
    assert 0.5 < good_and_poor.templates.means[0, 0] < 0.7


def test_a_performer_without_encodings_is_infinitely_far() -> None:
    gallery = _gallery(np.eye(2, 128, dtype=np.float32), [0, 2], 3)
    (distances,) = distances_to_performers(gallery.vectors[:1], gallery.templates)
    assert nearest_columns(distances, 5).tolist() == [0, 2]
    assert np.isinf(distances[1])


def test_the_nearest_columns_come_nearest_first() -> None:
    distances = np.array([0.9, 0.2, np.inf, 0.1, 0.5, 0.2], np.float32)
    assert nearest_columns(distances, 3).tolist() == [3, 1, 5]
    assert nearest_columns(distances, 9).tolist() == [3, 1, 5, 4, 0]
    assert nearest_columns(np.empty(0, np.float32), 5).tolist() == []


def test_an_empty_gallery_is_at_no_distance_from_anyone() -> None:
    gallery = _gallery(np.empty((0, 128), np.float32), [], 0)
    assert distances_to_performers(np.zeros((2, 128), np.float32), gallery.templates).shape == (
        2,
        0,
    )


def test_near_duplicate_photos_are_hardly_more_than_one_look() -> None:
    random = np.random.default_rng(2)
    direction = random.normal(size=128).astype(np.float32)
    held = direction + 0.001 * random.normal(size=(6, 128)).astype(np.float32)
    # Six photographs that vary as those of different days do.
    varied = direction + 0.0272 * random.normal(size=(6, 128)).astype(np.float32)
    gallery = _gallery(np.concatenate([held, varied]), [0] * 6 + [1] * 6, 2)
    evidence_of_held, evidence_of_varied = gallery.templates.evidence
    assert evidence_of_held < 2
    assert evidence_of_varied > 4
