import subprocess
import sys
import time

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from db.vectors import square_distances
from function.engines.models import PRIMARY
from function.people.linkage import group_views, link_views
from function.people.views import Views
from tests.support.crowds import Crowd


def make_looks(people: int, each: int, spread: float, seed: int, forbidden_share: float) -> Views:
    crowd = Crowd(seed)
    encodings = np.concatenate(
        [crowd.encodings(crowd.person(), each, spread) for _ in range(people)]
    )
    count = len(encodings)
    forbidden = crowd.random.random((count, count)) < forbidden_share
    return Views(
        encodings=encodings,
        qualities=crowd.random.uniform(0.3, 1, count).astype(np.float32),
        of_face=np.arange(count),
        forbidden=np.triu(forbidden, 1) | np.triu(forbidden, 1).T,
    )


def as_sets(groups: np.ndarray) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(groups == group).tolist()) for group in set(groups.tolist())}


@pytest.mark.parametrize("forbidden_share", [0.0, 0.02, 0.3])
@pytest.mark.parametrize(("people", "each", "spread"), [(1, 1, 0.2), (6, 9, 0.29), (3, 60, 0.36)])
def test_looks_are_linked_as_scipy_links_them(
    people: int, each: int, spread: float, forbidden_share: float
) -> None:
    for seed in range(5):
        views = make_looks(people, each, spread, seed, forbidden_share)
        distances = np.sqrt(square_distances(views.encodings, views.encodings)).astype(np.float64)
        distances[views.forbidden] = 1e9
        groups = link_views(views, PRIMARY)
        if len(distances) == 1:
            assert groups.tolist() == [0]
            continue
        tree = linkage(squareform(distances, checks=False), "average")
        assert as_sets(groups) == as_sets(fcluster(tree, PRIMARY.linked_below, "distance"))
        assert sorted(set(groups.tolist())) == list(range(groups.max() + 1))


def test_looks_that_a_frame_shows_at_once_are_in_no_group_together() -> None:
    views = make_looks(4, 30, 0.25, 3, 0.05)
    groups = group_views(views, PRIMARY)
    rows, columns = np.nonzero(views.forbidden)
    assert len(rows)
    assert (groups[rows] != groups[columns]).all()


def test_three_thousand_looks_are_grouped_in_seconds() -> None:
    views = make_looks(30, 100, 0.25, 5, 0.0)
    started = time.process_time()
    groups = group_views(views, PRIMARY)
    assert time.process_time() - started < 10
    assert len(set(groups.tolist())) == 30


def test_grouping_does_without_what_is_slow_to_import() -> None:
    code = "import sys, function.recognition; print([n for n in sys.modules if 'scipy' in n])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
