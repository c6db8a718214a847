import struct
from pathlib import Path

import pytest

from function.errors import VideoOverLimitError
from function.media import packets as groups
from function.media.frames import sample_frames
from function.media.limits import VideoLimits
from function.media.packets import read_groups
from function.media.sampling import choose_moments
from function.media.videos import open_video
from tests.support.videos import numbered_pictures
from tools.footage.videos import write_video


def test_the_first_keyframe_is_always_chosen() -> None:
    assert choose_moments([0.0], 0.0, None, 5.0) == [0.0]


def test_a_gap_between_keyframes_no_longer_than_the_interval_is_not_filled() -> None:
    assert choose_moments([0.0, 1.0, 2.0, 3.0, 4.0], 5.0, None, 5.0) == [0.0]


def test_a_gap_longer_than_the_interval_is_left_unfilled_only_within_the_slack() -> None:
    assert choose_moments([0.0, 3.0], 6.0, None, 5.0, 1.25) == [0.0]
    assert choose_moments([0.0, 3.0], 6.0, None, 5.0) == [0.0, 3.0]


def test_a_longer_gap_is_cut_into_equal_parts() -> None:
    times = [float(second) for second in range(12)]
    assert choose_moments(times, 12.0, None, 4.0) == [0.0, 4.0, 8.0]


def test_pictures_out_of_order_are_chosen_by_when_they_are_shown() -> None:
    times = [0.0, 3.0, 1.0, 2.0, 6.0, 4.0, 5.0]
    assert choose_moments(times, 7.0, None, 3.0) == [0.0, 3.0, 5.0]


def test_a_keyframe_too_soon_after_the_last_sample_is_left_out_if_the_next_will_do() -> None:
    assert choose_moments([2.0, 3.0], 4.0, 0.0, 5.0) == []


def test_a_keyframe_too_soon_is_taken_where_the_next_would_come_too_late() -> None:
    assert choose_moments([4.0], 8.0, 0.0, 5.0) == [4.0]


def test_part_of_a_group_is_sampled_at_the_interval_from_the_last_sample_on() -> None:
    times = [10.0 + tenth / 10 for tenth in range(40)]
    chosen = choose_moments(times, 13.9, 9.5, 1.0, begins=False, ends=False)
    assert chosen == pytest.approx([10.5, 11.5, 12.5, 13.5])


def test_a_claim_of_endless_time_between_two_pictures_chooses_no_more_than_there_are() -> None:
    assert len(choose_moments([0.0, 1.0], 1e12, None, 0.5)) <= 2


def test_keyframes_as_far_apart_as_the_interval_are_all_that_is_decoded(tmp_path: Path) -> None:
    path = write_video(tmp_path / "video.mp4", numbered_pictures(100), keyframe_every=25)
    with open_video(path, every_seconds=1.0) as video:
        assert [len(group.packets) for group in read_groups(video)] == [1, 1, 1, 1]


def test_a_filled_group_is_decoded_no_further_than_its_last_sample(tmp_path: Path) -> None:
    path = write_video(tmp_path / "video.mp4", numbered_pictures(100), b_frames=0)
    with open_video(path, every_seconds=1.0) as video:
        assert [len(group.packets) for group in read_groups(video)] == [26, 26]


@pytest.mark.parametrize(("limit", "size"), [("GROUP_PACKETS", 10), ("GROUP_BYTES", 500)])
def test_a_group_of_any_length_is_held_in_memory_in_parts_only(
    limit: str, size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(groups, limit, size)
    path = write_video(tmp_path / "video.mp4", numbered_pictures(100), keyframe_every=100)
    with open_video(path, every_seconds=1.0) as video:
        parts = list(read_groups(video))
    assert max(len(part.packets) for part in parts) <= 25
    assert [part.begins for part in parts] == [True] + [False] * (len(parts) - 1)
    wanted = [seconds for part in parts for seconds in part.wanted_seconds]
    assert wanted == pytest.approx([0, 1, 2, 3], abs=0.5)


def test_the_interval_widens_so_that_the_frames_allowed_reach_to_the_end(tmp_path: Path) -> None:
    path = write_video(tmp_path / "video.mp4", numbered_pictures(250), keyframe_every=25)
    with open_video(path, 0.1, VideoLimits(max_frames=12)) as video:
        assert video.every_seconds == pytest.approx(9.96 / 12)
        wanted = [seconds for group in read_groups(video) for seconds in group.wanted_seconds]
    assert len(wanted) <= 12
    assert wanted[-1] >= 8.5


def test_a_video_of_unknown_length_stays_within_the_frames_allowed(tmp_path: Path) -> None:
    path = write_video(
        tmp_path / "video.h264", numbered_pictures(500), keyframe_every=10, container="h264"
    )
    with open_video(path, 0.4, VideoLimits(max_frames=20)) as video:
        assert video.seconds == 0.0
        wanted = [seconds for group in read_groups(video) for seconds in group.wanted_seconds]
    assert len(wanted) <= 20
    assert wanted[-1] >= 15.0


def test_a_video_that_goes_on_for_longer_than_allowed_is_stopped(tmp_path: Path) -> None:
    path = write_video(tmp_path / "video.h264", numbered_pictures(100), container="h264")
    with (
        open_video(path, 0.5, VideoLimits(max_seconds=2.0)) as video,
        pytest.raises(VideoOverLimitError, match=r"video\.h264 lasts 2 s; the limit is 2 s"),
    ):
        list(read_groups(video))


def test_time_runs_on_evenly_over_a_leap_in_the_timestamps(tmp_path: Path) -> None:
    leap = [number / 25 + (9_000 if number >= 50 else 0) for number in range(100)]
    path = write_video(tmp_path / "video.mkv", numbered_pictures(100), seconds=leap)
    with open_video(path, 1.0) as video:
        wanted = [seconds for group in read_groups(video) for seconds in group.wanted_seconds]
    assert wanted == pytest.approx([0, 1, 2, 3], abs=0.1)


def test_time_counts_from_the_start_of_the_file_whatever_its_clock_shows(tmp_path: Path) -> None:
    late = [3000 + number / 25 for number in range(100)]
    path = write_video(tmp_path / "video.ts", numbered_pictures(100), seconds=late)
    with open_video(path, 1.0) as video:
        assert video.container.start_time > 2_900_000_000
        wanted = [seconds for group in read_groups(video) for seconds in group.wanted_seconds]
    assert wanted == pytest.approx([0, 1, 2, 3], abs=0.05)


@pytest.mark.parametrize("stamp", [2**63, 2**64 - 2**40])
@pytest.mark.parametrize("number", [1, 25, 49])
def test_a_stamp_beyond_all_time_leaves_a_length_that_can_be(
    number: int, stamp: int, tmp_path: Path
) -> None:
    path = write_video(tmp_path / "video.ivf", numbered_pictures(50), codec="libvpx")
    content = bytearray(path.read_bytes())
    place = 32  # the header of an IVF; each picture follows its length and its stamp
    for _ in range(number):
        place += 12 + struct.unpack_from("<I", content, place)[0]
    struct.pack_into("<Q", content, place + 4, stamp)
    path.write_bytes(content)
    with open_video(path, 0.5) as video:
        frames = list(sample_frames(video))
        assert len(frames) >= 3
        assert max(frame.until_seconds for frame in frames) < 4
        assert video.seconds <= video.limits.max_seconds
        assert video.unreadable_seconds < 4


@pytest.mark.parametrize(("name", "codec", "more"), [("v.rm", "rv20", 1), ("v.mp4", "mpeg4", 0)])
def test_a_decoder_that_waits_for_the_packet_after_a_picture_is_given_it(
    name: str, codec: str, more: int, tmp_path: Path
) -> None:
    path = write_video(
        tmp_path / name, numbered_pictures(100), codec=codec, keyframe_every=25, b_frames=0
    )
    with open_video(path, every_seconds=0.4) as video:
        for group in read_groups(video):
            seconds = [packet.seconds for packet in group.packets]
            after = seconds[seconds.index(group.wanted_seconds[-1]) + 1 :]
            assert len(after) == more
