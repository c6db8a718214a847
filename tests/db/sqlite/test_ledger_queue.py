"""The queue: one video is one worker's, and none is lost or tried without end."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from db.sqlite import ledger_connections
from db.sqlite.ledger import SqliteLedger
from db.sqlite.ledger_queue import SET_ASIDE
from db.videos import MOST_TRIES, Depth, Lease, State, VideoRecord
from tests.support.ledgers import (
    AT,
    SCANNED,
    Clock,
    alone,
    made_up_person,
    made_up_video,
    open_with,
    scan_one,
    take,
    video_file,
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(clock: Clock) -> Iterator[SqliteLedger]:
    with open_with(clock) as opened:
        yield opened


def record(ledger: SqliteLedger, video: int = 1) -> VideoRecord:
    (found,) = ledger.videos(after=video - 1, limit=1)
    return found


def finish(ledger: SqliteLedger, lease: Lease) -> bool:
    return ledger.finish(lease, made_up_video(made_up_person(1)), SCANNED, alone(1), AT)


def test_a_video_is_leased_to_one_at_a_time_in_the_order_of_finding(ledger: SqliteLedger) -> None:
    ledger.offer([video_file(1), video_file(2)], "normal")
    first, second = take(ledger), take(ledger)
    assert (first.video, second.video) == (1, 2)
    assert first.token != second.token
    assert (first.tries, first.depth, first.oshash) == (1, "normal", video_file(1).oshash)
    assert ledger.lease("test", 60) is None
    assert ledger.counts() == (0, 2, 0, 0, 0)


def test_a_lease_that_ran_out_can_do_nothing_more_and_its_video_is_taken_again(
    ledger: SqliteLedger, clock: Clock
) -> None:
    ledger.offer([video_file(1)], "normal")
    paused = take(ledger, 60)
    clock.seconds += 61
    other = take(ledger, 60)
    assert (other.video, other.tries) == (1, 2)
    assert not finish(ledger, paused)
    assert not ledger.fail(paused, "broken", for_good=True)
    assert not ledger.renew(paused, 60)
    ledger.release(paused)
    assert (record(ledger).state, record(ledger).tries) == ("working", 2)
    assert ledger.sightings([1]) == {1: []}
    assert finish(ledger, other)
    assert record(ledger).state == "done"
    assert not finish(ledger, other), "it has ended"
    assert not ledger.fail(other, "broken", for_good=True)


def test_a_lease_outlasts_a_rewriting_of_the_file_in_which_nobody_can_renew_it(
    ledger: SqliteLedger, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def held_for_long(*_: object) -> bool:
        clock.seconds += 700
        return False

    monkeypatch.setattr(ledger_connections, "_not_before", {})
    ledger.offer([video_file(1)], "normal")
    lease = take(ledger, 600)
    with monkeypatch.context() as patched:
        patched.setattr(SqliteLedger, "_is_log_held", held_for_long)
        assert ledger.scrub()
    assert ledger.lease("another", 60) is None
    assert ledger.renew(lease, 600)
    clock.seconds += 601
    assert ledger.lease("another", 60), "from then on it runs out as usual"


def test_a_lease_that_is_renewed_does_not_run_out(ledger: SqliteLedger, clock: Clock) -> None:
    ledger.offer([video_file(1)], "normal")
    lease = take(ledger, 60)
    for _ in range(3):
        clock.seconds += 50
        assert ledger.renew(lease, 60)
        assert ledger.lease("other", 60) is None
    assert finish(ledger, lease)


def test_a_date_that_is_set_takes_no_video_from_who_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with SqliteLedger() as ledger:
        ledger.offer([video_file(1)], "normal")
        lease = take(ledger)
        today = time.time()
        for date in (today + 86_400, today - 86_400):
            monkeypatch.setattr(time, "time", lambda date=date: date)
            assert ledger.lease("test", 60) is None
            assert ledger.renew(lease, 60)


def test_a_video_whose_tries_end_without_an_answer_is_set_aside_with_the_reason(
    ledger: SqliteLedger, clock: Clock
) -> None:
    ledger.offer([video_file(1), video_file(2)], "normal")
    for tries in range(1, MOST_TRIES + 1):
        assert (take(ledger, 60).video, record(ledger).tries) == (1, tries)
        clock.seconds += 61
    assert take(ledger).video == 2, "the rest goes on"
    assert (record(ledger).state, record(ledger).reason) == ("failed", SET_ASIDE)
    assert "--retry" in SET_ASIDE


def test_a_video_that_fails_is_tried_again_unless_it_is_for_good(ledger: SqliteLedger) -> None:
    ledger.offer([video_file(1), video_file(2)], "normal")
    for state in ("queued", "queued", "failed"):
        lease = take(ledger)
        assert lease.video == 1
        assert ledger.fail(lease, "crashed", for_good=False)
        assert (record(ledger).state, record(ledger).reason) == (state, "crashed")
    assert ledger.fail(take(ledger), "no video", for_good=True)
    assert (record(ledger, 2).state, record(ledger, 2).reason) == ("failed", "no video")
    assert ledger.lease("test", 60) is None


def test_a_failure_is_forgotten_once_the_video_is_scanned(ledger: SqliteLedger) -> None:
    ledger.offer([video_file(1)], "normal")
    ledger.fail(take(ledger), "crashed", for_good=False)
    assert finish(ledger, take(ledger))
    assert (record(ledger).reason, record(ledger).tries) == ("", 0)


def test_giving_a_video_back_counts_as_no_try(ledger: SqliteLedger) -> None:
    ledger.offer([video_file(1)], "normal")
    for _ in range(MOST_TRIES + 2):
        lease = take(ledger)
        assert lease.tries == 1
        ledger.release(lease)
        ledger.release(lease)
    assert (record(ledger).state, record(ledger).tries) == ("queued", 0)


def test_only_some_videos_are_taken_on_request(ledger: SqliteLedger) -> None:
    ledger.offer([video_file(number) for number in range(4)], "normal")
    some = frozenset([2, 4])
    assert [lease.video for _ in range(2) if (lease := ledger.lease("test", 60, some))] == [2, 4]
    assert ledger.lease("test", 60, some) is None
    assert ledger.lease("test", 60, frozenset()) is None
    assert take(ledger).video == 1


def test_a_moved_or_renamed_file_is_known(ledger: SqliteLedger) -> None:
    video = scan_one(ledger, 1, made_up_person(1))
    ledger.note_gone([video_file(1).path])
    assert ledger.counts() == (0, 0, 0, 0, 1)
    assert ledger.offer([video_file(1, "/other/new.mp4")], "normal") == (0, 0, 1, 0)
    assert record(ledger).paths == (b"/other/new.mp4",)
    assert ledger.counts() == (0, 0, 1, 0, 0)
    assert len(ledger.sightings([video])[video]) == 1


def test_a_library_that_was_moved_is_noted_in_no_time(ledger: SqliteLedger) -> None:
    files = [video_file(number) for number in range(10_000)]
    ledger.offer([*files, video_file(0, "/copy.mp4")], "normal")
    before = time.process_time()
    assert ledger.note_gone([b"/copy.mp4", *(one.path for one in files)]) == 10_001
    assert time.process_time() - before < 1, "to look through all files for each took three"
    assert ledger.counts().gone == 10_000
    assert ledger.videos(limit=1)[0].known_paths == (files[0].path,), "the one that went last"


def test_files_of_one_content_are_one_video(ledger: SqliteLedger) -> None:
    copies = [video_file(1, "/b.mp4"), video_file(1, "/a.mp4"), video_file(2, "/c.mp4")]
    assert ledger.offer(copies, "normal") == (2, 0, 1, 0)
    assert take(ledger).paths == (b"/a.mp4", b"/b.mp4")
    ledger.note_gone([b"/a.mp4"])
    assert record(ledger).paths == (b"/b.mp4",)


def test_the_same_fingerprint_with_another_size_is_another_video(ledger: SqliteLedger) -> None:
    one = video_file(1)
    other = type(one)(b"/b.mp4", type(one.stamp)(5, 1), one.oshash)
    assert ledger.offer([one, other], "normal").new == 2


def test_a_file_that_holds_something_else_is_a_new_video(ledger: SqliteLedger) -> None:
    scan_one(ledger, 1, made_up_person(1))
    assert ledger.offer([video_file(2, "/videos/1.mp4")], "normal") == (0, 0, 0, 1)
    assert ledger.counts() == (1, 0, 0, 0, 1)
    assert take(ledger).paths == (b"/videos/1.mp4",)
    assert record(ledger).paths == ()


def test_a_file_that_comes_back_is_the_video_it_was(ledger: SqliteLedger) -> None:
    scan_one(ledger, 1, made_up_person(1))
    assert ledger.note_gone([video_file(1).path, b"/never.mp4"]) == 1
    assert ledger.note_gone([video_file(1).path]) == 0
    assert ledger.stamps() == {}
    assert ledger.offer([video_file(1)], "normal") == (0, 1, 0, 0)
    assert ledger.counts() == (0, 0, 1, 0, 0)
    assert list(ledger.stamps()) == [video_file(1).path]
    assert list(ledger.stamps([video_file(1).path, b"/elsewhere"])) == [video_file(1).path]
    assert ledger.stamps([]) == {}


def test_a_video_without_a_file_is_not_scanned_until_one_is_there(ledger: SqliteLedger) -> None:
    ledger.offer([video_file(1)], "normal")
    ledger.note_gone([video_file(1).path])
    assert ledger.lease("test", 60) is None
    ledger.offer([video_file(1)], "normal")
    assert take(ledger).video == 1


def test_a_video_that_is_to_be_looked_at_again_is_queued_as_it_is_stored(
    ledger: SqliteLedger,
) -> None:
    ledger.offer([video_file(1)], "quick")
    found = made_up_video(made_up_person(1))
    assert ledger.finish(take(ledger), found, SCANNED, alone(1), AT, again="normal")
    assert ledger.counts() == (1, 0, 0, 0, 0)
    assert len(ledger.sightings([1])[1]) == 1, "what the quick look found is shown meanwhile"
    lease = take(ledger)
    assert (lease.depth, lease.tries) == ("normal", 1)


@pytest.mark.parametrize(
    ("wanted", "state"), [("quick", "done"), ("normal", "done"), ("deep", "queued")]
)
def test_only_a_deeper_look_queues_a_video_again(
    ledger: SqliteLedger, wanted: Depth, state: State
) -> None:
    video = scan_one(ledger, 1, made_up_person(1))
    assert ledger.want([video], wanted) == (state == "queued")
    assert record(ledger).state == state
    assert len(ledger.sightings([video])[video]) == 1, "what is known stays until then"
    if state == "queued":
        assert take(ledger).depth == wanted


def test_a_video_that_still_waits_is_scanned_as_deep_as_was_asked_last(
    ledger: SqliteLedger,
) -> None:
    ledger.offer([video_file(1), video_file(2)], "normal")
    ledger.fail(take(ledger), "broken", for_good=True)
    assert ledger.want([1, 2], "deep") == 0, "it is queued, or failed, already"
    assert take(ledger).depth == "deep"
    assert ledger.want([1, 2], "quick") == 0
    assert ledger.retry([1]) == 1
    assert take(ledger).depth == "deep"


def test_failed_videos_are_tried_again_on_request_with_no_tries_counted(
    ledger: SqliteLedger,
) -> None:
    ledger.offer([video_file(1), video_file(2)], "normal")
    ledger.fail(take(ledger), "broken", for_good=True)
    assert ledger.retry([1, 2]) == 1
    assert (record(ledger).state, record(ledger).tries) == ("queued", 0)


def test_a_failed_video_is_tried_again_when_its_file_was_written_since(
    ledger: SqliteLedger,
) -> None:
    ledger.offer([video_file(1)], "normal")
    ledger.fail(take(ledger), "broken", for_good=True)
    ledger.offer([video_file(1), video_file(1, "/copy.mp4")], "normal")
    assert record(ledger).state == "failed"
    ledger.offer([video_file(1, mtime=2)], "normal")
    assert (record(ledger).state, record(ledger).tries) == ("queued", 0)


def test_who_becomes_the_worker_need_not_wait_for_the_leases_of_one_that_ended(
    tmp_path: Path, clock: Clock
) -> None:
    with open_with(clock, tmp_path / "l.db") as ledger:
        ledger.offer([video_file(1), video_file(2)], "normal")
        for tries in range(1, MOST_TRIES + 1):
            with ledger.working() as is_ours:
                assert is_ours
                lease = take(ledger)
                assert (lease.video, lease.tries) == (1, tries)
        with ledger.working():
            assert (record(ledger).state, record(ledger).reason) == ("failed", SET_ASIDE)
            assert take(ledger).video == 2


def test_a_second_worker_leaves_the_leases_of_the_first_alone(tmp_path: Path) -> None:
    with SqliteLedger(tmp_path / "l.db") as one, SqliteLedger(tmp_path / "l.db") as other:
        one.offer([video_file(1)], "normal")
        with one.working():
            lease = take(one)
            with other.working() as is_theirs:
                assert not is_theirs
            assert finish(one, lease)


@pytest.mark.skipif(sys.platform == "win32", reason="there nobody knows who has ended")
def test_what_was_looked_at_before_the_machine_started_anew_is_spared_by_nobody(
    tmp_path: Path, clock: Clock
) -> None:
    clock.seconds = 400_000  # since the machine started
    with SqliteLedger(tmp_path / "l.db", clock) as ledger:
        ledger.offer([video_file(1), video_file(2)], "normal")
        with ledger.beside() as owner:
            assert ledger.lease(owner, 600)
        clock.seconds = 5
        with ledger.beside() as owner:
            assert ledger.lease(owner, 600)
            ledger.take_over()
            assert [record(ledger, one).state for one in (1, 2)] == ["queued", "working"]
