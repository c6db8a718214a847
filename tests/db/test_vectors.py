"""Exact search over the templates of the gallery."""

import numpy as np
import pytest
from numpy.typing import NDArray

from db import vectors as searching
from db.records import Performer, Vectors
from db.snapshots import Snapshot, no_rejections
from db.vectors import SPARE, Pairs, find_near, measure_pairs
from tests.support.galleries import TEST_MODEL


def _gallery(vectors: Vectors, owners: list[int], performers: int) -> Snapshot:
    named = tuple(Performer(index + 1, f"P{index}") for index in range(performers))
    qualities = np.ones(len(vectors), np.float32)
    owners_of = np.array(owners, np.intp)
    nobody = no_rejections(TEST_MODEL)
    return Snapshot((1, 1), TEST_MODEL, named, vectors, owners_of, qualities, nobody)


def anywhere(probes: Vectors) -> NDArray[np.float64]:
    return np.full(len(probes), np.inf)


def by_hand(probes: Vectors, others: Vectors, reach: NDArray[np.float64], most: int) -> Pairs:
    """Measure every distance in double precision, and sort."""
    rows, columns, distances = list[int](), list[int](), list[float]()
    for row, probe in enumerate(probes):
        apart = np.linalg.norm(others.astype(np.float64) - probe, axis=1)
        nearest = [one for one in np.argsort(apart, kind="stable") if apart[one] <= reach[row]]
        rows += [row] * len(nearest[:most])
        columns += nearest[:most]
        distances += apart[nearest[:most]].tolist()
    return Pairs(np.array(rows, np.intp), np.array(columns, np.intp), np.array(distances))


@pytest.mark.parametrize("numbers_at_once", [1, 5_000, 10**7])
def test_the_nearest_are_those_of_a_loop_in_double_precision(
    numbers_at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "NUMBERS_AT_ONCE", numbers_at_once)
    random = np.random.default_rng(1)
    others = random.normal(size=(700, 128)).astype(np.float32)
    probes = (others[:40] + 0.5 * random.normal(size=(40, 128))).astype(np.float32)
    # From where nobody is near to where more are than asked for.
    for reach in (anywhere(probes), random.uniform(4, 17, len(probes))):
        for most in (1, 20, 3 * SPARE, 800):
            found, expected = (
                find_near(probes, others, reach, most),
                by_hand(probes, others, reach, most),
            )
            assert found.rows.tolist() == expected.rows.tolist()
            assert found.columns.tolist() == expected.columns.tolist()
            np.testing.assert_allclose(found.distances, expected.distances, rtol=1e-12)


def test_what_is_compared_at_once_changes_no_distance() -> None:
    random = np.random.default_rng(2)
    others = random.normal(size=(3_000, 256)).astype(np.float32)
    probes = random.normal(size=(64, 256)).astype(np.float32)
    together = find_near(probes, others, anywhere(probes), 64)
    for row, probe in enumerate(probes):
        alone = find_near(probe[None], others, anywhere(probe[None]), 64)
        assert alone.columns.tolist() == together.columns[together.rows == row].tolist()
        assert alone.distances.tolist() == together.distances[together.rows == row].tolist()


def test_equal_vectors_are_at_no_distance_and_come_in_order() -> None:
    vectors = np.full((3, 128), 0.1234567, np.float32)
    found = find_near(vectors[:1], vectors, np.zeros(1), 2)
    assert found.columns.tolist() == [0, 1]
    assert found.distances.tolist() == [0.0, 0.0]


def test_pairs_are_measured_one_by_one_however_many() -> None:
    vectors = np.eye(3, 128, dtype=np.float32)
    rows = np.resize(np.arange(2), 10_001).astype(np.intp)
    columns = np.full(len(rows), 1, np.intp)
    assert measure_pairs(vectors, vectors, rows, columns).tolist()[-3:] == [2**0.5, 0.0, 2**0.5]


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


def test_nobody_is_near_if_there_is_nobody_or_no_probe() -> None:
    nobody, probes = np.empty((0, 128), np.float32), np.zeros((2, 128), np.float32)
    assert len(find_near(probes, nobody, anywhere(probes), 5)) == 0
    assert len(find_near(nobody, probes, anywhere(nobody), 5)) == 0


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
