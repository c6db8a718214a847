"""A sampled frame stands for the video from cut to cut, or else from midway to midway."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from db.people import PersonFound
from function.faces.cuts import Sample, stretch_to_cuts
from function.people.appearances import Span, find_appearances
from tests.support.crowds import make_face
from tests.support.people import person_of

ENCODING = np.ones(128, np.float32)


def sample(seconds: float, until_seconds: float | None = None, shot: int = 0) -> Sample:
    return Sample(seconds, seconds if until_seconds is None else until_seconds, shot)


def stretch(
    samples: Sequence[Sample],
    seconds: float,
    shown_in: Sequence[int],
    keyframes: Sequence[float] = (),
) -> PersonFound:
    faces = [
        replace(
            make_face(ENCODING, frame),
            seconds=samples[frame].seconds,
            until_seconds=samples[frame].until_seconds,
            shot=samples[frame].shot,
        )
        for frame in shown_in
    ]
    return person_of(stretch_to_cuts(faces, samples, keyframes, seconds))


EVEN = [sample(second) for second in (0.0, 2.0, 4.0, 6.0, 8.0)]


@pytest.mark.parametrize(
    ("samples", "shown_in", "span"),
    [
        (EVEN, [1], (1.0, 3.0)),
        (EVEN, [1, 2], (1.0, 5.0)),
        (EVEN, [0], (0.0, 1.0)),
        (EVEN, [4], (7.0, 9.0)),
        ([sample(1.0), sample(3.0)], [0], (0.0, 2.0)),
        ([sample(0.0, 3.0), sample(5.0)], [0], (0.0, 4.0)),  # three seconds of the same picture
        ([sample(0.0, 3.0), sample(5.0)], [1], (4.0, 6.0)),
        ([sample(2.0)], [0], (2.0, 2.0)),
    ],
)
def test_an_appearance_runs_from_midway_to_midway(
    samples: list[Sample], shown_in: list[int], span: Span
) -> None:
    person = stretch(samples, 10.0, shown_in)
    assert find_appearances(person.seen) == [span]
    assert [one.seconds for one in person.seen] == [samples[frame].seconds for frame in shown_in]


def test_nobody_is_seen_after_the_end_of_the_video() -> None:
    assert find_appearances(stretch(EVEN, 8.4, [4]).seen) == [(7.0, 8.4)]
    assert find_appearances(stretch(EVEN, 7.0, [4]).seen) == [(7.0, 8.0)]


def test_two_people_around_a_cut_share_no_time() -> None:
    first, second = (stretch(EVEN, 10.0, shown) for shown in ([0, 1], [2, 3]))
    ((_, end),) = find_appearances(first.seen)
    ((start, _),) = find_appearances(second.seen)
    assert end == start == 3.0


CUT = [sample(0.0), sample(2.0), sample(4.0, shot=1), sample(6.0, shot=1)]


@pytest.mark.parametrize(
    ("keyframes", "end", "start"),
    [
        ((0.0, 2.0, 3.7, 5.7), 3.7, 3.7),  # a shot begins at 3.7
        ((0.0, 2.0, 4.0, 6.0), 3.0, 3.0),  # keyframes at a fixed interval say nothing
        ((0.0, 2.0, 2.6, 3.5, 5.5), 2.6, 3.5),  # a short shot lies between the samples
        ((0.0, 2.0, 4.0, 4.8, 6.8), 3.0, 3.0),  # the early one is within the later shot
        ((), 3.0, 3.0),
    ],
)
def test_an_appearance_ends_where_the_shot_does(
    keyframes: Sequence[float], end: float, start: float
) -> None:
    assert find_appearances(stretch(CUT, 8.0, [0, 1], keyframes).seen) == [(0.0, end)]
    assert find_appearances(stretch(CUT, 8.0, [2], keyframes).seen) == [(start, 5.0)]


def test_a_shot_of_somebody_else_ends_an_appearance() -> None:
    there_and_back = [sample(0.0), sample(5.0, shot=1), sample(10.0, shot=2)]
    person = stretch(there_and_back, 12.0, [0, 2], (0.0, 3.0, 7.0))
    assert find_appearances(person.seen) == [(0.0, 3.0), (7.0, 12.0)]


def test_a_shot_between_two_samples_that_nobody_saw_ends_an_appearance() -> None:
    person = stretch(CUT, 8.0, [0, 1, 2, 3], (0.0, 2.0, 2.6, 3.5, 5.5))
    assert find_appearances(person.seen) == [(0.0, 2.6), (3.5, 8.0)]


def test_a_head_that_turns_away_within_a_shot_ends_nothing() -> None:
    for shots in ((0, 0, 0, 1, 1), (0, 1, 1, 1, 1)):
        samples = [sample(2.0 * number, shot=shot) for number, shot in enumerate(shots)]
        missed = 1 if shots[2] == 0 else 3
        shown = sorted({*range(5)} - {missed})
        assert len(find_appearances(stretch(samples, 10.0, shown).seen)) == 1


LONGEST = (0.0, 2.0, 6.0, 9.0, 13.0)
"""Two shots of four seconds, the longest ones: what comes after them is not early."""


@pytest.mark.parametrize(
    ("shots", "spans"),
    [
        ((0, 1, 2, 3, 4), [(2.0, 6.0), (9.0, 13.0)]),
        ((0, 1, 1, 2, 2), [(2.0, 4.0), (9.0, 11.0)]),
    ],
)
def test_a_late_keyframe_begins_a_shot_if_such_ones_mostly_do(
    shots: Sequence[int], spans: list[Span]
) -> None:
    samples = [sample(at, shot=shot) for at, shot in zip(LONGEST, shots, strict=True)]
    assert find_appearances(stretch(samples, 14.0, [1, 3], LONGEST).seen) == spans


ANYWHERE = (0.0, 2.5, 6.5, 8.5, 11.0, 15.0, 17.0)
"""Four come early: after the samples 1, 4, 5 and 8 of one each two seconds."""


@pytest.mark.parametrize(
    ("changes_after", "end"),
    [
        ((1, 4, 5, 8), 2.5),
        ((0, 1, 4), 2.5),  # at two of the four, and at one of five elsewhere
        ((0, 1, 2, 3, 4), 3.0),  # elsewhere at three: what is early says nothing
        ((0, 1, 2, 3, 4, 6, 7), 3.0),
        ((0, 1, 2, 3, 4, 5, 6, 7), 2.5),  # at three of four, as most
    ],
)
def test_keyframes_end_nothing_if_shots_change_more_often_where_there_is_none(
    changes_after: Sequence[int], end: float
) -> None:
    shots = [sum(change < number for change in changes_after) for number in range(10)]
    samples = [sample(2.0 * number, shot=shot) for number, shot in enumerate(shots)]
    ((_, until),) = find_appearances(stretch(samples, 20.0, [1], ANYWHERE).seen)
    assert until == end
    ((_, until),) = find_appearances(stretch(samples, 20.0, [9], (*ANYWHERE, 18.25)).seen)
    assert until == (18.25 if end == 2.5 else 19.0)


def test_where_each_picture_is_a_keyframe_and_one_is_missing_nobody_is_cut_short() -> None:
    samples = [sample(2.0 * number, shot=number // 2) for number in range(5)]
    pictures = [0.04 * number for number in range(250) if number != 120]
    spans = find_appearances(stretch(samples, 10.0, [2, 3], pictures).seen)
    assert spans == [(3.0, 7.0)]
    assert find_appearances(stretch(samples, 10.0, [4], pictures).seen) == [(7.0, 9.0)]


def test_whoever_is_in_the_last_shot_is_in_it_until_its_end() -> None:
    samples = [sample(0.0), sample(4.0, shot=1)]
    keyframes = (0.0, 2.0, 4.0, 5.0)  # another shot begins at five
    for marks, seconds, end in (
        (keyframes, 9.0, 5.0),
        ((0.0, 3.0, 4.0), 5.5, 5.5),
        ((0.0, 3.0, 4.0), 90.0, 8.0),  # what comes after it cannot be read
        ((0.0, 4.0), 5.5, 5.5),
        ((0.0, 4.0), 90.0, 6.0),
    ):
        ((_, until),) = find_appearances(stretch(samples, seconds, [1], marks).seen)
        assert until == end


def test_whoever_is_last_in_a_broken_download_does_not_stay_as_long_as_its_hole_is() -> None:
    samples = [*EVEN, sample(108.0, shot=1), sample(110.0, shot=1)]
    person = stretch(samples, 300.0, [6], (0.0, 100.0, 101.0))
    assert find_appearances(person.seen) == [(109.0, 118.0)]


def test_an_early_keyframe_within_a_shot_ends_nothing() -> None:
    person = stretch(EVEN, 10.0, [1], (0.0, 2.4, 2.6, 5.0))
    assert find_appearances(person.seen) == [(1.0, 3.0)]


def test_timestamps_that_jump_back_leave_a_face_where_it_was_sampled() -> None:
    jumping = [sample(0.0), sample(9.0, 9.5, shot=1), sample(3.0, shot=2)]
    for keyframes in ((), (0.0, 9.0, 3.0, 4.0)):
        for frame in range(3):
            (seen,) = stretch(jumping, 10.0, [frame], keyframes).seen
            assert 0 <= seen.since_seconds <= seen.seconds <= seen.until_seconds


def test_no_frames_are_no_faces() -> None:
    assert stretch_to_cuts([], [], [], 0.0) == ()
