"""Faces that follow each other in one place and one shot may be one person's."""

from dataclasses import replace

import numpy as np
import pytest

from db.people import Link
from db.records import Vector
from function.engines.models import PRIMARY
from function.engines.protocol import Box
from function.faces.face import Face
from function.people.links import find_links
from function.people.tracks import MOST_IN_FRAME
from tests.support.crowds import make_face


def encoding(distance: float) -> Vector:
    """As far as this from `encoding(0)`."""
    vector = np.zeros(128, np.float32)
    vector[0] = distance
    return vector


def face(frame: int, distance: float, left: int = 0, weakness: str = "", shot: int = 0) -> Face:
    box = Box(left, 0, left + 99, 99)
    return replace(make_face(encoding(distance), frame, weakness=weakness), box=box, shot=shot)


def test_a_head_that_turns_away_where_it_was_is_linked() -> None:
    groups = [[face(0, 0), face(3, 0)], [face(1, 0.7, 40, "turned away")], [face(1, 0.3, 400)]]
    assert find_links(groups, PRIMARY) == (Link(0.7, 0, 1),)


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (face(1, 0.7), "both are good, and too unlike"),
        (face(1, 0.8, weakness="turned away"), "too unlike for anybody"),
        (face(1, 0.3, shot=1), "another shot"),
        (face(1, 0.3, left=60), "another place"),
        (face(2, 0.3), "not the next sample"),
        (face(0, 0.3), "the same frame"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_may_be_somebody_else_is_not_linked(other: Face, why: str) -> None:
    assert find_links([[face(0, 0)], [face(1, 0.3)]], PRIMARY) == (Link(0.3, 0, 1),)
    assert find_links([[face(0, 0)], [other]], PRIMARY) == (), why


def test_two_who_share_any_frame_are_two() -> None:
    both_later = [face(0, 0), face(9, 0)], [face(1, 0.3), face(9, 0.3, 300)]
    assert find_links(both_later, PRIMARY) == ()


def test_a_head_grouped_with_somebody_of_other_shots_makes_no_link() -> None:
    one = [face(frame, 0) for frame in (0, 1, 3, 4, 5)]
    own_shot = [face(frame, 0.3, shot=7) for frame in (20, 21)]
    assert find_links([one, [face(2, 0.3)]], PRIMARY) == (Link(0.3, 0, 1),)
    assert find_links([one, [face(2, 0.3), *own_shot]], PRIMARY) == ()
    assert find_links([one, [face(2, 0.3), own_shot[0]]], PRIMARY) == (), "half is too few"
    assert find_links([one, [face(2, 0.3), face(6, 0.3), own_shot[0]]], PRIMARY), "most are there"


def test_the_most_alike_come_first_each_pair_once() -> None:
    groups = [[face(0, 0), face(2, 0)], [face(1, 0.5), face(3, 0.4)], [face(4, 0.5)]]
    assert find_links(groups, PRIMARY) == (Link(0.1, 1, 2), Link(0.4, 0, 1))


def test_a_frame_full_of_faces_takes_no_longer_than_a_crowd() -> None:
    groups = [[face(frame, 0.01 * number)] for frame in (0, 1) for number in range(300)]
    assert len(find_links(groups, PRIMARY)) <= MOST_IN_FRAME**2
