"""What is kept of a person, and of two who turned out to be one."""

import time

import numpy as np

from db.people import PersonFound
from db.records import Vector
from function.engines.models import PRIMARY
from function.people import people
from function.people.people import join_people, share_a_frame
from tests.support.crowds import Crowd, make_face, make_faces
from tests.support.people import person_of, template_of


def test_a_person_is_counted_by_views_and_shows_the_best_face() -> None:
    crowd = Crowd()
    first, second = crowd.encodings(crowd.person(), 2, 0.22)
    held = [make_face(first + crowd.direction(0.01), number, 0.5) for number in range(4)]
    best = make_face(second, 7, 0.9)
    weak = make_face(first, 9, 0.99, "blurred")
    person = person_of([weak, best, *held])
    assert [(view.faces, view.is_weak) for view in person.views] == [
        (4, False),
        (1, False),
        (1, True),
    ]
    assert (person.faces, person.best_seconds) == (6, 9.0)
    assert [one.frame for one in person.seen] == [0, 1, 2, 3, 7, 9]


def test_two_who_are_one_keep_their_views_and_those_that_are_the_same_count_once() -> None:
    crowd = Crowd()
    encodings = crowd.encodings(crowd.person(), 8, 0.22)
    first, second = make_faces(encodings[:5]), make_faces(encodings[3:], 10)
    joined = join_people(person_of(first), person_of(second), PRIMARY)
    assert joined.faces == 10
    assert len(joined.views) == 8
    assert len(joined.seen) == 10
    whole = template_of([*first, *second])
    again = joined_template(joined)
    assert np.linalg.norm(again[0] - whole.mean) < 0.02
    assert abs(again[1] - whole.evidence) < 0.1


def test_two_people_with_thousands_of_views_are_joined_at_once() -> None:
    crowd = Crowd()
    first, second = (
        person_of(make_faces([crowd.person() for _ in range(1500)], start)) for start in (0, 1500)
    )
    started = time.perf_counter()
    joined = join_people(first, second, PRIMARY)
    assert time.perf_counter() - started < 2
    assert joined.faces == 3000


def joined_template(person: PersonFound) -> tuple[Vector, float]:
    template = people.template_of(person, PRIMARY)
    return template.mean, template.evidence


def test_two_people_share_a_frame_or_not() -> None:
    crowd = Crowd()
    one, other = (person_of(make_faces(crowd.encodings(crowd.person(), 3), n)) for n in (0, 2))
    later = person_of(make_faces(crowd.encodings(crowd.person(), 3), 3))
    assert share_a_frame(one, other)
    assert not share_a_frame(one, later)
