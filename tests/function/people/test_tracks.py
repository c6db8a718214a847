"""Weak faces go with the faces that are in their place just before or after."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from db.records import Vector
from function.engines.models import PRIMARY
from function.engines.protocol import Box
from function.faces.face import Face
from function.people.tracks import MOST_IN_FRAME, find_steps, follow_steps
from tests.support.crowds import make_face
from tests.support.people import group_faces


def encoding(across: float, up: float = 0.0) -> Vector:
    vector = np.zeros(128, np.float32)
    vector[:2] = across, up
    return vector


def face(
    frame: int, across: float, weakness: str = "", *, up: float = 0, left: int = 0, shot: int = 0
) -> Face:
    box = Box(left, 0, left + 99, 99)
    made = make_face(encoding(across, up), frame, 0.3 if weakness else 0.7, weakness)
    return replace(made, box=box, shot=shot)


def followed(groups: Sequence[list[Face]], alone: Sequence[Face]) -> list[list[int]]:
    """Follow, and list the frames of each group."""
    faces = [*(one for group in groups for one in group), *alone]
    seen_in = {id(one): one.frame for one in faces}
    follow_steps(groups, alone, seen_in, find_steps(faces, PRIMARY))
    return [[one.frame for one in group] for group in groups]


def test_a_head_is_followed_step_by_step_while_it_turns_away() -> None:
    turned = [face(frame, 0.5 + 0.1 * frame, "turned away") for frame in (1, 2, 3)]
    assert followed([[face(0, 0)]], turned) == [[0, 1, 2, 3]]


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (face(1, 0.8, "turned away"), "too unlike for anybody"),
        (face(1, 0.3, "turned away", shot=1), "another shot"),
        (face(1, 0.3, "turned away", left=60), "another place"),
        (face(2, 0.3, "turned away"), "not the next sample"),
        (face(0, 0.3, "turned away"), "the same frame"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_may_be_somebody_else_is_not_followed(other: Face, why: str) -> None:
    assert followed([[face(0, 0)]], [other]) == [[0]], why


def test_nothing_doubtful_is_followed_from_what_is_doubtful() -> None:
    doubtful = [face(1, 0.3, "doubtful"), face(2, 0.3, "doubtful")]
    assert followed([[face(0, 0)]], doubtful) == [[0, 1]]
    assert followed([[face(0, 0)]], [doubtful[0], face(2, 0.3, "blurred")]) == [[0, 1, 2]]


def test_a_face_goes_with_the_nearest_of_those_it_follows_and_each_has_one_in_a_frame() -> None:
    near, far = [face(0, 0.5)], [face(0, 0.0)]
    assert followed([far, near], [face(1, 0.4, "blurred")]) == [[0], [0, 1]]
    both = [face(1, 0.4, "blurred"), face(1, 0.3, "blurred")]
    assert followed([[face(0, 0.5), face(1, 0.5)], [face(0, 0.0)]], both) == [[0, 1], [0, 1]]


def test_of_a_crowd_only_so_many_are_followed() -> None:
    crowd = [face(frame, 0.001 * n, "blurred") for frame in (0, 1) for n in range(200)]
    assert len(find_steps(crowd, PRIMARY)) == 2 * MOST_IN_FRAME


def test_a_weak_face_in_nobodys_reach_is_the_persons_before_it() -> None:
    still = [face(frame, 0) for frame in range(4)]
    (person,) = group_faces([*still, face(4, 0.7, "turned away")])
    assert len(person) == 5
    (person,) = group_faces([*still, face(9, 0.7, "turned away")])
    assert len(person) == 4


def test_who_is_seen_only_in_the_dark_keeps_a_face_that_is_like_somebody_elsewhere() -> None:
    lit = [face(frame, 0, left=0) for frame in range(4)]
    dark = [face(frame, 0.7, "too dark", shot=1) for frame in (10, 11, 13, 14)]
    stray = face(12, 0.4, "too dark", up=0.1, shot=1)  # within reach of the one who is lit
    people = group_faces([*lit, *dark, stray])
    assert sorted([one.frame for one in person] for person in people) == [
        [0, 1, 2, 3],
        [10, 11, 12, 13, 14],
    ]


def test_a_weak_face_next_to_a_good_one_of_its_own_stays() -> None:
    lit = [face(frame, 0) for frame in (0, 1, 2, 11, 13)]
    dark = [face(frame, 0.5, "too dark", up=0.2) for frame in (9, 10, 14, 15)]
    people = group_faces([*lit, *dark, face(12, 0.3, "too dark", up=0.1)])
    assert [one.frame for one in people[0]] == [0, 1, 2, 11, 12, 13]
