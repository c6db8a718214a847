"""A person's best faces are chosen to be looked at once more."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from db.people import PersonFound
from function.engines.models import BOTH, PRIMARY, SECOND
from function.faces.face import Face
from function.faces.found import Details, FacesFound, StageSeconds
from function.people import gathering
from function.people.gathering import (
    MOST_AGAIN,
    choose_again,
    choose_all_again,
    gather_people,
)
from function.people.people import fused_template_of, join_people
from tests.support.crowds import Crowd, make_face, make_faces
from tests.support.people import person_of

MODELS = (PRIMARY.id, SECOND.id)


def test_more_faces_of_a_person_are_worth_more_second_looks_up_to_ten() -> None:
    crowd = Crowd()
    someone = crowd.person()
    for faces, most in ((1, 1), (11, 1), (12, 2), (48, 5), (108, 10), (200, MOST_AGAIN)):
        views = make_faces(crowd.encodings(someone, faces))
        assert len(choose_again(views, PRIMARY)) == most


def test_the_best_are_chosen_no_two_alike_and_weak_ones_last() -> None:
    crowd = Crowd()
    first, second, third = crowd.encodings(crowd.person(), 3)
    still = [make_face(first, frame, quality=0.9) for frame in range(22)]
    turned = make_face(second, 22, quality=0.5)
    blurred = make_face(third, 23, quality=0.95, weakness="blurred")
    assert choose_again([*still, turned, blurred], PRIMARY) == [still[0], turned, blurred]


def test_the_best_of_each_shot_come_first() -> None:
    crowd = Crowd()
    encodings = crowd.encodings(crowd.person(), 36)
    qualities = [0.9 - 0.01 * number for number in range(36)]
    good = [
        replace(make_face(encoding, number, quality), shot=number // 12)
        for number, (encoding, quality) in enumerate(zip(encodings, qualities, strict=True))
    ]
    chosen = choose_again([*good[::-1]], PRIMARY)
    assert [face.frame for face in chosen] == [0, 12, 24, 1]


def test_a_crowd_is_not_looked_at_again_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    crowd = Crowd()
    groups = [make_faces(crowd.encodings(crowd.person(), 24)) for _ in range(6)]
    assert len(choose_all_again(groups, PRIMARY)) == 6 * 3
    monkeypatch.setattr(gathering, "MOST_IN_VIDEO", 8)
    chosen = choose_all_again(groups, PRIMARY)
    best = [choose_again(group, PRIMARY) for group in groups]
    assert chosen == [*(ranked[0] for ranked in best), best[0][1], best[1][1]]


def gather(faces: Sequence[Face], models: Sequence[str]) -> tuple[list[int], list[PersonFound]]:
    """Gather people; the second encoding of face number n is n at its first place."""
    asked: list[int] = []

    def fetch(pictures: Sequence[int], encode: Sequence[int]) -> Details:
        asked.extend(encode)
        second = np.zeros((len(encode), SECOND.dimensions), np.float32)
        second[:, 0] = encode
        pictures_of = tuple(b"%d" % number for number in pictures)
        return Details(pictures_of, second.ravel() if encode else None)

    found = FacesFound(tuple(faces), len(faces), StageSeconds(0.1, 0.2))
    return asked, list(gather_people(found, models, fetch).people)


def test_each_view_gets_the_second_encoding_of_its_own_face() -> None:
    crowd = Crowd()
    people = [crowd.encodings(crowd.person(), 12, spread=0.15) for _ in range(2)]
    faces = make_faces(np.concatenate(people))
    asked, found = gather(faces, MODELS)
    assert len(found) == 2
    assert len(asked) == 4
    for person in found:
        for view in person.views:
            for encoding in view.encodings[1:]:
                number = int(encoding[0])
                assert faces[number].seconds == view.seconds
    assert sum(len(view.encodings) > 1 for person in found for view in person.views) == 4


def test_without_a_second_net_nothing_is_asked_for() -> None:
    crowd = Crowd()
    asked, (person,) = gather(make_faces(crowd.encodings(crowd.person(), 5)), (PRIMARY.id,))
    assert asked == []
    assert fused_template_of(person, BOTH) is None


def test_people_who_are_joined_keep_both_nets_encodings() -> None:
    crowd = Crowd()
    someone = crowd.person()
    faces = make_faces(crowd.encodings(someone, 2, spread=0.3))
    twice = replace(faces[0], second=np.full(SECOND.dimensions, 0.1, np.float32))
    joined = join_people(person_of([twice]), person_of([faces[1]]), PRIMARY)
    assert sorted(len(view.encodings) for view in joined.views) == [1, 2]
    nearly = replace(twice, encoding=twice.encoding + np.float32(0.001), frame=5, seconds=5.0)
    other = replace(nearly, second=np.full(SECOND.dimensions, 0.3, np.float32))
    (view,) = join_people(person_of([twice]), person_of([other]), PRIMARY).views
    np.testing.assert_allclose(view.encodings[1], 0.2, atol=1e-6)
    template = fused_template_of(joined, BOTH)
    assert template is not None
    assert template.mean.shape == (BOTH.space.dimensions,)
