"""A sampled frame stands for the video from midway to midway."""

from dataclasses import replace

import numpy as np
import pytest

from function.faces.midways import Shown, stretch_to_midway
from function.people.appearances import find_appearances
from function.people.people import PersonFound
from tests.support.crowds import make_face
from tests.support.people import person_of

ENCODING = np.ones(128, np.float32)


def stretch(moments: list[Shown], seconds: float, shown_in: list[int]) -> PersonFound:
    faces = [
        replace(
            make_face(ENCODING, frame),
            seconds=moments[frame][0],
            until_seconds=moments[frame][1],
        )
        for frame in shown_in
    ]
    return person_of(stretch_to_midway(faces, moments, seconds))


EVEN: list[Shown] = [(second, second) for second in (0.0, 2.0, 4.0, 6.0, 8.0)]


@pytest.mark.parametrize(
    ("moments", "shown_in", "span"),
    [
        (EVEN, [1], (1.0, 3.0)),
        (EVEN, [1, 2], (1.0, 5.0)),
        (EVEN, [0], (0.0, 1.0)),
        (EVEN, [4], (7.0, 9.0)),
        ([(1.0, 1.0), (3.0, 3.0)], [0], (0.0, 2.0)),
        ([(0.0, 3.0), (5.0, 5.0)], [0], (0.0, 4.0)),  # three seconds of the same picture
        ([(0.0, 3.0), (5.0, 5.0)], [1], (4.0, 6.0)),
        ([(2.0, 2.0)], [0], (2.0, 2.0)),
    ],
)
def test_an_appearance_runs_from_midway_to_midway(
    moments: list[Shown], shown_in: list[int], span: tuple[float, float]
) -> None:
    person = stretch(moments, 10.0, shown_in)
    assert find_appearances(person.seen) == [span]
    assert [one.seconds for one in person.seen] == [moments[frame][0] for frame in shown_in]


def test_nobody_is_seen_after_the_end_of_the_video() -> None:
    assert find_appearances(stretch(EVEN, 8.4, [4]).seen) == [(7.0, 8.4)]
    assert find_appearances(stretch(EVEN, 7.0, [4]).seen) == [(7.0, 8.0)]


def test_two_people_around_a_cut_share_no_time() -> None:
    first, second = (stretch(EVEN, 10.0, shown) for shown in ([0, 1], [2, 3]))
    ((_, end),) = find_appearances(first.seen)
    ((start, _),) = find_appearances(second.seen)
    assert end == start == 3.0


def test_timestamps_that_jump_back_leave_a_face_where_it_was_sampled() -> None:
    jumping: list[Shown] = [(0.0, 0.0), (9.0, 9.5), (3.0, 3.0)]
    for frame in range(3):
        (seen,) = stretch(jumping, 10.0, [frame]).seen
        assert 0 <= seen.since_seconds <= seen.seconds <= seen.until_seconds


def test_no_frames_are_no_faces() -> None:
    assert stretch_to_midway([], [], 0.0) == ()
