"""What an import reports done stays done, whatever happens to it."""

import os
import random
import shutil
import tempfile
import time
from pathlib import Path

import pytest

from db.errors import GalleryLockedError
from db.sqlite.checks import check_gallery
from db.sqlite.snapshots import SnapshotCache
from db.sqlite.store import StoredGallery
from db.stores import open_store
from tests.support.crashing_import import (
    PHOTOS_EACH,
    hold,
    import_on_a_full_disk,
    import_some,
    record,
)
from tests.support.engines import QuickEngine
from tests.support.galleries import TEST_MODEL
from tests.support.killed import Start, lines_of
from tools.imports.enrol import enrol_all

KILLS = int(os.environ.get("KILLS", "20"))
"""How often the import is killed; the project's own claim was tried with KILLS=200."""

PERFORMERS = 30
MOST_SECONDS_FOR_ONE = 0.02
"""A kill comes at any moment of the next performer's import: while reading, writing, syncing."""


def assert_whole(path: Path, reported: list[str]) -> None:
    assert [one.found for one in check_gallery(path) if one.level == "error"] == []
    with StoredGallery(path) as gallery:
        stored = {one.name: one for one in gallery.performers()}
        assert set(reported) <= set(stored)
        for one in stored.values():
            assert one.encodings == PHOTOS_EACH
            assert len(one.identities) == 2
            assert gallery.thumbnail(one.id)


def test_an_import_that_is_killed_loses_nothing_it_reported_and_leaves_nobody_half(
    start: Start, tmp_path: Path
) -> None:
    path, report = tmp_path / "g.db", tmp_path / "report"
    chance = random.Random(7)
    interrupted = 0
    for _ in range(KILLS):
        for file in tmp_path.iterdir():
            file.unlink()
        process = start(import_some, path, report, PERFORMERS)
        some = chance.randrange(PERFORMERS)
        while process.is_alive() and len(lines_of(report)) < some:
            time.sleep(0.001)
        time.sleep(chance.uniform(0.0, MOST_SECONDS_FOR_ONE))
        process.kill()
        process.join()
        reported = lines_of(report)
        interrupted += 0 < len(reported) < PERFORMERS
        if path.exists():
            assert_whole(path, reported)
    # Otherwise the moments were badly chosen, and nothing was tested.
    assert interrupted >= KILLS // 2
    start(import_some, path, report, PERFORMERS).join()
    assert_whole(path, [f"Performer {number}" for number in range(PERFORMERS)])


@pytest.mark.parametrize("limit_bytes", [90_000, 200_000])
def test_on_a_full_disk_what_was_reported_stays_and_the_message_says_what_to_do(
    start: Start, tmp_path: Path, limit_bytes: int
) -> None:
    path, report = tmp_path / "g.db", tmp_path / "report"
    start(import_some, path, report, 1).join()
    start(import_on_a_full_disk, path, report, PERFORMERS, limit_bytes).join()
    *reported, complaint = report.read_text().splitlines()
    assert "could not be written" in complaint
    assert "Free space on the disk" in complaint
    assert_whole(path, reported)
    start(import_some, path, report, PERFORMERS).join()
    assert_whole(path, [f"Performer {number}" for number in range(PERFORMERS)])


def test_a_file_that_may_only_be_read_is_refused_unharmed(start: Start) -> None:
    # Root may write everything, so the import runs as nobody in a folder nobody may enter.
    folder = Path(tempfile.mkdtemp(prefix="read-only-"))
    try:
        path, report = folder / "g.db", folder / "report"
        with StoredGallery(path, create=True) as gallery:
            list(enrol_all([record(0)], gallery, QuickEngine()))
        report.touch()
        report.chmod(0o666)
        path.chmod(0o444)
        folder.chmod(0o555)
        before = path.read_bytes()
        nobody = 65534 if os.geteuid() == 0 else None
        start(import_some, path, report, PERFORMERS, nobody).join()
        (complaint,) = report.read_text().splitlines()
        assert complaint.startswith("GalleryReadOnlyError: The gallery g.db cannot be")
        assert path.read_bytes() == before
    finally:
        folder.chmod(0o700)
        shutil.rmtree(folder)


def test_a_second_import_is_refused_while_the_first_is_at_work(
    start: Start, tmp_path: Path
) -> None:
    path, ready = tmp_path / "g.db", tmp_path / "ready"
    first = start(hold, path, ready, 30.0)
    while not ready.exists():
        time.sleep(0.01)
    with (
        pytest.raises(GalleryLockedError, match=r"Another import or edit is running on g\.db"),
        open_store(path).changing(create=True),
    ):
        pass
    with open_store(path).rehearsing() as copy:
        assert copy.performers() == []
    first.kill()
    first.join()
    with open_store(path).changing(create=True) as gallery:
        list(enrol_all([record(0)], gallery, QuickEngine()))


def test_a_reader_sees_new_performers_while_an_import_goes_on(start: Start, tmp_path: Path) -> None:
    path, report = tmp_path / "g.db", tmp_path / "report"
    StoredGallery(path, create=True).close()
    cache, seen = SnapshotCache(), set()
    process = start(import_some, path, report, 60)
    while process.is_alive():
        with StoredGallery(path) as gallery:
            snapshot = cache.newest(gallery, TEST_MODEL)
        assert len(snapshot.vectors) == PHOTOS_EACH * len(snapshot.performers)
        seen.add(len(snapshot.performers))
    with StoredGallery(path) as gallery:
        assert len(cache.newest(gallery, TEST_MODEL).performers) == 60
    assert len(seen) > 2
