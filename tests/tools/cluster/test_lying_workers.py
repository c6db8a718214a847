"""Workers that lie, under a real scheduler: each lie costs its own video, and little memory."""

import threading
import tracemalloc
from pathlib import Path
from typing import Any, cast

import pytest

from db.sqlite.ledger import SqliteLedger
from function.faces.found import Progress
from tests.support.clusters import DaskCluster, wait_until
from tests.support.lying_worker import WAYS
from tests.support.scans import make_gallery, offer_all, write_many
from tests.tools.cluster.test_cluster_scans import scanning
from tools.cluster.clusters import Cluster
from tools.cluster.messages import LARGEST_ANSWER_BYTES, write

LIES = ("--preload", "tests.support.lying_worker")
TRUE = 2
"""So many videos, the last ones, are answered well."""


@pytest.fixture
def ledger(tmp_path: Path) -> SqliteLedger:
    write_many(tmp_path / "media", len(WAYS) + TRUE)
    make_gallery(tmp_path / "g.db")
    ledger = SqliteLedger(tmp_path / "l.db")
    offer_all(ledger, tmp_path / "media")
    return ledger


def test_each_lie_of_a_worker_costs_its_own_video_and_little_memory(
    ledger: SqliteLedger, tmp_path: Path
) -> None:
    media = tmp_path / "media"
    with DaskCluster(tmp_path) as cluster, ledger:
        cluster.worker(media, LIES)
        tracemalloc.start()
        try:
            with scanning(cluster, ledger, media) as scan:
                scan.end()
            taken = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert scan.error is None
        failed = {one.path.decode().rpartition("/")[2]: one.reason for one in scan.failed()}
        for number, way in enumerate(WAYS):
            assert f"{number:02}.mp4" in failed, way
        assert scan.done() == [f"{len(WAYS) + one:02}.mp4" for one in range(TRUE)]
        assert ledger.counts().failed == len(WAYS)
        assert not [one for one in failed.values() if "unexpected" in one or len(one) > 40_000]
        stored = [one for found in ledger.sightings(range(1, 99)).values() for one in found]
        assert len(stored) == TRUE
    assert taken < 4 * LARGEST_ANSWER_BYTES, f"{taken / 1e6:.0f} MB"


@pytest.mark.parametrize("claimed", ["1001", "-3", "0"])
def test_a_worker_that_claims_to_read_very_many_at_once_is_not_used(
    claimed: str, ledger: SqliteLedger, tmp_path: Path
) -> None:
    media = tmp_path / "media"
    with DaskCluster(tmp_path) as cluster, ledger:
        cluster.worker(media, LIES, SLOTS_CLAIMED=claimed)
        with scanning(cluster, ledger, media) as scan:
            before = threading.active_count()
            wait_until(lambda: any("cannot be used" in line for line in scan.said))
            assert threading.active_count() < before + 50
            scan.stop()
        assert any(f"{claimed} at once" in line for line in scan.said)
        assert ledger.counts().queued == len(WAYS) + TRUE


class _Client:
    def subscribe_topic(self, *_: object) -> None:
        pass


@pytest.mark.parametrize(
    "said",
    [
        None,
        [],
        {},
        {"number": [], "progress": write(Progress(9.0, 9.0, 9))},
        {"number": float("inf"), "progress": write(Progress(9.0, 9.0, 9))},
        {"number": 7, "progress": write(Progress(9.0, 9.0, 9))},
        {"number": 0, "progress": "P"},
        {"number": 0, "progress": b"P" + b"[" * 100_000},
        {"number": 0, "progress": write(Progress(-9.0, 9.0, 9))},
        {"number": 0, "progress": write(Progress(9.0, 9.0, 9)) + b" " * 1_000_000},
    ],
)
def test_progress_that_is_none_is_left_out(said: Any) -> None:
    cluster = Cluster(cast("Any", _Client()))
    number = cluster.next_number()
    cluster._note((0.0, said))
    assert cluster.progress(number) == Progress(0.0, 0.0, 0)
    cluster._note((0.0, {"number": number, "progress": write(Progress(1.0, 2.0, 3))}))
    assert cluster.progress(number) == Progress(1.0, 2.0, 3)
