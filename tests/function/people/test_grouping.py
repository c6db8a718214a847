"""Grouping the faces of one video into people."""

import time

import numpy as np
import pytest

from function.engines.models import PRIMARY
from function.faces.face import Face
from tests.support.crowds import Crowd, make_face, make_faces
from tests.support.people import group_faces, template_of
from tools.accuracy.groups import group_our_way, measure_grouping
from tools.accuracy.labelled import Dataset

SCENE_SPREAD = 0.22
"""Distance of a face from its person within one video."""


def test_no_faces_are_no_people() -> None:
    assert group_faces([]) == []


def test_people_who_take_turns_are_told_apart_the_longest_seen_first() -> None:
    crowd = Crowd()
    first = make_faces(crowd.encodings(crowd.person(), 5, SCENE_SPREAD), 0)
    second = make_faces(crowd.encodings(crowd.person(), 9, SCENE_SPREAD), 5)
    third = make_faces(crowd.encodings(crowd.person(), 4, SCENE_SPREAD), 14)
    people = group_faces([*third, *first, *second])
    assert [{face.frame for face in person} for person in people] == [
        set(range(5, 14)),
        set(range(5)),
        set(range(14, 18)),
    ]
    assert [face.frame for face in people[0]] == list(range(5, 14))


def test_two_faces_of_one_frame_are_two_people_however_alike() -> None:
    crowd = Crowd()
    sister = crowd.person()
    other = sister + crowd.direction(0.32)
    faces = [
        make_face(person + crowd.direction(0.03), frame)
        for frame in range(8)
        for person in (sister, other)
    ]
    assert [len(person) for person in group_faces(faces)] == [8, 8]
    apart = [make_face(face.encoding, number) for number, face in enumerate(faces)]
    assert len(group_faces(apart)) == 1


def test_a_split_screen_shows_one_person_and_not_many_fragments() -> None:
    crowd = Crowd()
    left = crowd.encodings(crowd.person(), 30, SCENE_SPREAD)
    faces = [
        make_face(encoding + crowd.direction(offset), frame)
        for frame, encoding in enumerate(left)
        for offset in (0.001, 0.2)
    ]
    (person,) = group_faces(faces)
    assert len(person) == 60


def test_a_person_who_moves_much_is_not_broken_up() -> None:
    crowd = Crowd()
    faces = make_faces(crowd.encodings(crowd.person(), 60, 0.33))
    assert [len(person) for person in group_faces(faces)] == [60]


def test_people_alike_under_one_lamp_stay_apart() -> None:
    crowd = Crowd(person_spread=0.31)
    people = [crowd.person() for _ in range(5)]
    faces = [
        face
        for number, person in enumerate(people)
        for face in make_faces(crowd.encodings(person, 6, 0.2), 6 * number)
    ]
    groups = [{face.frame // 6 for face in person} for person in group_faces(faces)]
    assert sorted(groups, key=min) == [{0}, {1}, {2}, {3}, {4}]


def test_weak_faces_join_a_person_but_leave_the_template_alone() -> None:
    crowd = Crowd()
    centre = crowd.person()
    strong = make_faces(crowd.encodings(centre, 6, 0.1))
    weak = make_face(centre + crowd.direction(0.4), 7, weakness="blurred")
    (person,) = group_faces([*strong, weak])
    assert len(person) == 7
    np.testing.assert_array_equal(template_of(person).mean, template_of(strong).mean)


def test_weak_faces_do_not_bridge_two_people() -> None:
    crowd = Crowd()
    first, second = crowd.person(), crowd.person()
    between = [
        make_face(first + share * (second - first), 20 + number, weakness="blurred")
        for number, share in enumerate(np.linspace(0, 1, 12))
    ]
    strong = [
        *make_faces(crowd.encodings(first, 4, 0.1)),
        *make_faces(crowd.encodings(second, 4, 0.1), 4),
    ]
    people = group_faces([*strong, *between])
    assert sum(not all(face.is_weak for face in person) for person in people) == 2


def test_weak_faces_alone_make_a_doubtful_person_when_three_frames_agree() -> None:
    crowd = Crowd()
    strong = make_faces(crowd.encodings(crowd.person(), 4, 0.1))
    profile = crowd.encodings(crowd.person(), 3, 0.1)
    weak = [make_face(one, 10 + number, 0.1, "turned away") for number, one in enumerate(profile)]
    assert len(group_faces(strong + weak[:2])) == 1
    seen, doubtful = group_faces(strong + weak)
    assert template_of(seen).evidence >= 1
    assert template_of(doubtful).evidence < 1


def test_what_may_be_no_face_joins_a_person_and_never_makes_one() -> None:
    crowd = Crowd()
    person = crowd.person()
    strong = make_faces(crowd.encodings(person, 4, 0.1))
    near = make_face(person + crowd.direction(0.2), 9, weakness="doubtful")
    folds = [make_face(one, 10, weakness="doubtful") for one in crowd.encodings(crowd.person(), 9)]
    (found,) = group_faces([*strong, near, *folds])
    assert len(found) == 5
    assert group_faces(folds) == []


def test_the_only_face_of_a_video_is_reported_even_if_weak() -> None:
    face = make_face(Crowd().person(), weakness="small (30 px)")
    assert len(group_faces([face])) == 1


def test_a_held_shot_does_not_outvote_the_others() -> None:
    crowd = Crowd()
    several = crowd.encodings(crowd.person(), 6, SCENE_SPREAD)
    held = [make_face(several[0] + crowd.direction(0.01), 10 + number) for number in range(100)]
    (person,) = group_faces([*make_faces(several), *held])
    fair, unfair = several.mean(axis=0), several[0]
    assert np.linalg.norm(template_of(person).mean - fair) < 0.05
    assert np.linalg.norm(template_of(person).mean - unfair) > 0.15
    assert template_of(person).evidence < 4


def test_a_good_face_weighs_more_than_a_poor_one() -> None:
    crowd = Crowd()
    good, poor = crowd.encodings(crowd.person(), 2, SCENE_SPREAD)
    person = [make_face(good, 0, 1.0), make_face(poor, 1, 0.1)]
    assert np.linalg.norm(template_of(person).mean - good) < np.linalg.norm(
        template_of(person).mean - poor
    )


def test_a_hundred_frames_of_one_scene_are_not_a_hundred_views() -> None:
    crowd = Crowd()
    (person,) = group_faces(make_faces(crowd.encodings(crowd.person(), 100, 0.32)))
    assert 1 < template_of(person).evidence <= 4


def test_a_face_that_is_no_number_is_left_out_and_reported(
    caplog: pytest.LogCaptureFixture,
) -> None:
    crowd = Crowd()
    faces = make_faces(crowd.encodings(crowd.person(), 3, 0.1))
    broken = make_face(np.full(128, np.nan), 5)
    (person,) = group_faces([*faces, broken])
    assert len(person) == 3
    assert np.isfinite(template_of(person).mean).all()
    assert "Left out 1 faces" in caplog.text


def test_a_film_of_two_thousand_faces_groups_in_seconds() -> None:
    crowd = Crowd()
    faces = [
        face
        for number in range(8)
        for face in make_faces(crowd.encodings(crowd.person(), 250, SCENE_SPREAD), 250 * number)
    ]
    start = time.perf_counter()
    assert len(group_faces(faces)) == 8
    assert time.perf_counter() - start < 8


def test_more_faces_than_can_be_compared_are_grouped_all_the_same() -> None:
    crowd = Crowd()
    faces = [
        face
        for number in range(2)
        for face in make_faces(crowd.encodings(crowd.person(), 1800, SCENE_SPREAD), 1800 * number)
    ]
    assert [len(person) for person in group_faces(faces)] == [1800, 1800]


def test_in_a_short_video_fewer_weak_faces_make_a_person() -> None:
    crowd = Crowd()
    strong = make_faces(crowd.encodings(crowd.person(), 4, 0.1))
    profile = make_face(crowd.person(), 9, 0.1, "turned away")
    for frames, people in ((20, [4, 1]), (59, [4]), (7200, [4])):
        found = group_faces([*strong, profile], frames)
        assert [len(person) for person in found] == people


def test_the_faces_of_a_real_clip_are_at_most_twice_as_many_people(clip_faces: list[Face]) -> None:
    people = group_faces(clip_faces)
    # Two singers, and four people in the audience.
    assert 2 <= len(people) <= 12
    # He stands on the stage, first far away, then near; the pianist is seen in between.
    singer = people[0]
    assert all(face.seconds < 1.5 or 3.5 < face.seconds < 7.8 for face in singer)
    assert len(singer) >= 14


def test_photographs_of_ten_people_over_years_are_never_mixed(lfw: Dataset) -> None:
    figures = measure_grouping(lfw.sources, lambda faces: group_our_way(faces, PRIMARY))
    assert figures.b_cubed_precision > 0.99
    assert figures.b_cubed_recall > 0.8
    assert figures.people_found <= 20


def test_many_weak_faces_in_one_frame_group_in_seconds_and_little_memory() -> None:
    crowd = Crowd()
    strong = [make_face(one, 0) for one in crowd.encodings(crowd.person(), 1500, 0.4)]
    weak = [
        make_face(one, frame % 7, weakness="blurred")
        for frame, one in enumerate(crowd.encodings(crowd.person(), 8000, 0.4))
    ]
    begun = time.process_time()
    assert group_faces([*strong, *weak])
    assert time.process_time() - begun < 20
