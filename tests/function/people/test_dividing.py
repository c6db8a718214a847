"""Two people whom the first net takes for one are two where both nets tell them apart."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np
import pytest

from db.records import Vector
from function.engines.models import (
    BOTH,
    BOTH_BEFORE,
    PRIMARY,
    SECOND,
    SECOND_BEFORE,
    models_of,
)
from function.engines.protocol import Engine
from function.faces.face import Face
from function.faces.faces import faces_of_image
from function.faces.found import Details, FacesFound, PictureFound, StageSeconds
from function.faces.second_encodings import encode_again
from function.media.photo_decoder import decode_photo
from function.people import dividing, gathering
from function.people.dividing import (
    DIVISIONS,
    Division,
    choose_doubted,
    choose_unlike,
    divide_groups,
    find_division,
)
from function.people.gathering import gather_groups
from function.people.pictures import gather_pictures
from tests.support.crowds import Crowd, make_face

IN_SHOT = 4
BY_BOTH = DIVISIONS[0]


class Scene:
    """Shows people who look the same to the first net, shot by shot."""

    def __init__(self) -> None:
        self.first = Crowd()
        self.second = Crowd(2)
        self.look = self.first.person()
        self.faces: list[Face] = []

    def person(self) -> Vector:
        return self.second.direction(1.0)

    def shoot(self, person: Vector, faces: int = IN_SHOT, spread: float = 0.4) -> list[Face]:
        """Shoot a shot; the faces have their second encodings, as photos of one day.

        Without a spread they are all just as given.
        """
        shot = 1 + max((face.shot for face in self.faces), default=0)
        taken: list[Face] = []
        for encoding in self.first.encodings(self.look, faces, spread=0.15):
            again = person + self.second.direction(spread)
            again = (again / (np.linalg.norm(again) if spread else 1)).astype(np.float32)
            face = make_face(encoding, len(self.faces) + len(taken))
            taken.append(replace(face, shot=shot, second=again))
        self.faces += taken
        return taken


def divide(
    group: Sequence[Face], unknown: Sequence[Face] = (), division: Division = BY_BOTH
) -> list[list[Face]]:
    """Divide a group, of which `unknown` have no second encodings."""
    left_out = {id(face) for face in unknown}
    second = {
        id(face): face.second
        for face in group
        if face.second is not None and id(face) not in left_out
    }
    return divide_groups([list(group)], second, division)


def doubt(group: Sequence[Face], known: Sequence[Face]) -> list[int]:
    """Choose more of a group to be encoded a second time, of which `known` are already."""
    second = {id(face): face.second for face in known if face.second is not None}
    return [face.frame for face in choose_doubted([group], second, BY_BOTH)]


def ids(groups: Sequence[Sequence[Face]]) -> list[list[int]]:
    return [[face.frame for face in group] for group in groups]


def test_a_group_of_two_people_is_divided_and_one_of_one_is_not() -> None:
    scene = Scene()
    one, other = scene.person(), scene.person()
    alone = [face for _ in range(5) for face in scene.shoot(one)]
    assert ids(divide(alone)) == ids([alone])
    both = [*alone, *scene.shoot(other), *scene.shoot(other)]
    assert ids(divide(both)) == ids([alone, both[20:]])


def test_of_several_people_each_is_found_the_one_seen_most_first() -> None:
    scene = Scene()
    shots = [scene.shoot(scene.person(), faces) for faces in (3, 5, 4)]
    group = [face for shot in shots for face in shot]
    assert ids(divide(group)) == ids([shots[1], shots[2], shots[0]])


def test_more_of_each_shot_is_looked_at_if_two_shots_are_far_apart_the_best_first() -> None:
    scene = Scene()
    one, other = scene.person(), scene.person()
    shots = [scene.shoot(one) for _ in range(3)]
    alike = [face for shot in shots for face in shot]
    assert doubt(alike, [shot[0] for shot in shots]) == []
    assert doubt(alike, [shots[0][0], shots[1][0]]) == []
    best = [replace(face, quality=0.9 - 0.01 * face.frame) for face in scene.shoot(other)]
    both = [*alike, *best[::-1]]
    known = [shots[0][0], best[0]]
    assert doubt(both, [shots[0][0]]) == [], "one shot alone says nothing"
    assert doubt(both, known) == [4, 8, 13, 1]
    weak = [replace(face, weaknesses=("blurred",)) for face in shots[1]]
    assert doubt([*shots[0], *weak, *best], known) == [4, 13, 1]


def test_a_second_face_is_looked_at_of_a_shot_that_is_like_no_other() -> None:
    scene = Scene()
    one, other = scene.person(), scene.person()
    shots = [scene.shoot(person) for person in (one, one, other, other)]
    known = [shot[0] for shot in shots]
    assert doubt(scene.faces, known) == [], "each is like another"
    alone = [face for face in scene.faces if face.shot != shots[3][0].shot]
    assert doubt(alone, known[:3]) == [9]
    assert doubt(alone, [*known[:3], shots[2][2]]) == [], "any two of it"


def test_of_several_groups_in_doubt_no_shot_is_looked_at_twice_before_each_is_once() -> None:
    scene = Scene()
    groups = []
    for _ in range(2):
        shots = [scene.shoot(scene.person(), 2) for _ in range(3)]
        groups.append([face for shot in shots for face in shot])
    known = {id(face): face.second for group in groups for face in (group[0], group[2])}
    second = {number: one for number, one in known.items() if one is not None}
    chosen = [face.frame for face in choose_doubted(groups, second, BY_BOTH)]
    assert chosen == [4, 10, 1, 3, 7, 9]


def test_a_group_in_doubt_is_not_looked_at_for_ever() -> None:
    scene = Scene()
    one, other = scene.person(), scene.person()
    shots = [scene.shoot(person) for person in [one, other] * 40]
    known = [shot[0] for shot in shots[:6]]
    chosen = doubt(scene.faces, known)
    assert len(chosen) == dividing.MOST_IN_DOUBT - 6
    assert len({scene.faces[number].shot for number in chosen}) == len(chosen)
    assert doubt(scene.faces, [shot[0] for shot in shots]) == []


def test_a_shot_goes_to_the_person_it_is_nearest_to_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene = Scene()
    unit = scene.second.direction(BY_BOTH.two_from**0.5 / BOTH.scales[1])
    shots = [scene.shoot(place * unit, spread=0) for place in (0.1, 0.25, 0.75, 1.0, 1.5, 2.2)]
    first, nearer, last = [*chain(*shots[:4])], shots[4], shots[5]
    assert ids(divide(scene.faces)) == ids([first, [*nearer, *last]])
    monkeypatch.setattr(dividing, "MOST_ROUNDS", 0)
    assert ids(divide(scene.faces)) == ids([[*first, *nearer], last])


@pytest.mark.parametrize("division", DIVISIONS)
def test_each_fusion_divides_from_where_it_was_measured(division: Division) -> None:
    for times, people in ((0.97, 1), (1.03, 2)):
        scene = Scene()
        apart = times * division.two_from**0.5 / division.fusion.scales[1]
        for person in (scene.second.direction(0), scene.second.direction(apart)):
            scene.shoot(person, spread=0)
        assert len(divide(scene.faces, division=division)) == people


def test_what_was_measured_for_one_fusion_divides_in_no_other() -> None:
    for net, fusion in ((SECOND, BOTH), (SECOND_BEFORE, BOTH_BEFORE)):
        division = find_division((PRIMARY.id, net.id))
        assert division is not None
        assert division.fusion is fusion
    assert find_division((PRIMARY.id,)) is None
    assert find_division((PRIMARY.id, "another/1")) is None
    scales = [one.fusion.scales for one in DIVISIONS]
    measured = [(0.447, 0.553), (0.447, 0.488)]
    for found, then in zip(scales, measured, strict=True):
        assert found == pytest.approx(then, rel=0.02), "measure two_from again for other scales"


def test_one_face_alone_and_one_shot_alone_make_nobody() -> None:
    scene = Scene()
    shot, once = scene.shoot(scene.person()), scene.shoot(scene.person(), 1)
    assert len(divide([*shot, *once])) == 1
    one, other = (replace(shot[0], second=scene.person()) for _ in range(2))
    assert len(divide([one, one, other, other])) == 1


def test_strangers_of_one_shot_each_are_put_together_until_none_is_alone() -> None:
    scene = Scene()
    for _ in range(60):
        scene.shoot(scene.person(), 1)
    divided = divide(scene.faces)
    assert min(map(len, divided)) >= dividing.FEWEST_IN_PART
    assert sorted(chain(*ids(divided))) == list(range(60))
    assert len(divided) > 20, "and not all with the first"


def test_the_faces_of_a_shot_stay_together_and_others_go_with_the_nearest() -> None:
    scene = Scene()
    first, second = scene.shoot(scene.person()), scene.shoot(scene.person())
    turned = replace(second[3], encoding=first[0].encoding, second=None)
    elsewhere = [replace(make_face(face.encoding, 9), shot=9) for face in (first[1], second[1])]
    group = [*first, *second[:3], turned, *elsewhere]
    divided = divide(group)
    assert ids(divided) == [[0, 1, 2, 3, 9], [4, 5, 6, 7, 9]]


def test_faces_without_a_second_encoding_divide_nobody() -> None:
    scene = Scene()
    group = [*scene.shoot(scene.person()), *scene.shoot(scene.person())]
    assert len(divide(group)) == 2
    assert ids(divide(group, unknown=group)) == ids([group])
    assert ids(divide(group, unknown=group[1:4])) == ids([group])


def gather(
    scene: Scene, models: Sequence[str], samples: int | None = None
) -> tuple[list[list[int]], list[bytes], list[int]]:
    """Gather the people of a scene: their frames, their pictures, and the size of each look."""
    looks: list[int] = []

    def fetch(pictures: Sequence[int], again: Sequence[int]) -> Details:
        second = [one for number in again if (one := scene.faces[number].second) is not None]
        looks.append(len(again))
        shown = tuple(b"%d" % number for number in pictures)
        return Details(shown, np.concatenate(second) if second else None)

    bare = tuple(replace(face, second=None) for face in scene.faces)
    found = FacesFound(bare, samples or len(bare), StageSeconds(0.0, 0.0))
    people, groups = gather_groups(found, models, fetch)
    return ids(groups), [one.picture for one in people.people], looks


def test_people_who_are_divided_have_pictures_and_second_looks_of_their_own() -> None:
    scene = Scene()
    one, other = scene.person(), scene.person()
    for person in (one, one, one, other, other):
        scene.shoot(person, 12)
    frames, pictures, looks = gather(scene, (PRIMARY.id, SECOND.id))
    assert frames == [list(range(36)), list(range(36, 60))]
    assert [int(picture) in own for picture, own in zip(pictures, frames, strict=True)] == [
        True
    ] * 2
    assert looks[0] == 6
    assert sum(looks) >= 4 + 3, "each is looked at as often as anybody seen so often"
    assert len(gather(scene, (PRIMARY.id,))[0]) == 1
    assert len(gather(scene, (PRIMARY.id, "another/1"))[0]) == 1, "measured for others"


def test_a_group_in_doubt_is_looked_at_again_before_it_is_divided() -> None:
    scene = Scene()
    shots = [scene.shoot(scene.person(), 6) for _ in range(2)]
    frames, _, looks = gather(scene, (PRIMARY.id, SECOND.id))
    assert frames == ids(shots)
    assert looks[:2] == [2, 2], "one of each shot, which may be spoilt, and one more"


def test_a_film_is_not_divided_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()
    for person in (scene.person(), scene.person(), scene.person()):
        for _ in range(4):
            scene.shoot(person, 12)
    models = (PRIMARY.id, SECOND.id)
    frames, _, looks = gather(scene, models)
    assert len([size for size in looks if size]) == 3
    monkeypatch.setattr(gathering, "MOST_LOOKS", 1)
    shorter, _, looks = gather(scene, models)
    assert shorter == frames
    assert len([size for size in looks if size]) == 2


def test_of_a_film_no_more_is_looked_at_twice_than_its_samples_and_faces_allow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene = Scene()
    people = [scene.person() for _ in range(6)]
    for _ in range(9):
        for person in people:
            scene.shoot(person)
    models = (PRIMARY.id, SECOND.id)
    frames, _, looks = gather(scene, models, samples=84)
    assert len(frames) == 6
    assert len(scene.faces) == 216
    assert gathering.MOST_IN_SHORT < sum(looks) == 10 + 300 * gathering.MOST_SHARE
    assert sum(gather(scene, models, samples=60)[2]) == sum(looks) - 2
    monkeypatch.setattr(gathering, "MOST_SHARE", 0.0)
    assert sum(gather(scene, models)[2]) == gathering.MOST_IN_SHORT
    monkeypatch.setattr(gathering, "MOST_BESIDES", 0)
    monkeypatch.setattr(gathering, "MOST_IN_SHORT", 0)
    assert sum(gather(scene, models)[2]) == 1, "one of each person whom the first net sees"


def test_half_of_what_is_left_is_encoded_before_what_it_shows_chooses_the_rest() -> None:
    scene = Scene()
    people = [scene.person() for _ in range(6)]
    for _ in range(9):
        for person in people:
            scene.shoot(person)
    looks = gather(scene, (PRIMARY.id, SECOND.id), samples=84)[2]
    first, *middle = looks
    left = 10 + 15 - first
    assert middle[:2] == [left // 2, max(4, (left - left // 2) // 2)]
    assert sum(looks) == 10 + 15, "in the end nothing is left"


def test_a_shot_of_which_nothing_is_known_is_looked_at_if_it_is_unlike_the_others() -> None:
    scene = Scene()
    shots = []
    for apart in (0.0, 0.3, 0.5, 0.6):
        turned = scene.look + scene.first.direction(apart)
        shots.append([replace(face, encoding=turned) for face in scene.shoot(scene.person(), 3)])
    best = replace(shots[2][2], quality=0.95)
    group = [*shots[0], *shots[1], *shots[2][:2], best, *shots[3]]

    def unlike(*known: Face) -> list[int]:
        second = {id(face): face.second for face in known if face.second is not None}
        return [face.frame for face in choose_unlike([group], second, PRIMARY)]

    assert unlike(shots[0][0]) == [9, 8], "the farthest first, of each shot the best"
    assert unlike(shots[0][0], shots[2][1]) == [9]
    assert unlike(shots[0][0], shots[3][1]) == [8]
    assert unlike() == []


def test_somebody_seen_in_a_shot_unlike_the_others_is_found() -> None:
    scene = Scene()
    one, other = scene.person(), scene.person()
    turn, middle = scene.first.direction(1.0), scene.look
    shots = []
    for who, place, quality in ((one, 0.2, 0.9), (one, 0.0, 0.8), (other, -0.22, 0.7)):
        scene.look = middle + np.float32(place) * turn
        first = len(scene.faces)
        shots.append(scene.shoot(who, 3))
        scene.faces[first:] = [replace(face, quality=quality) for face in scene.faces[first:]]
    frames, _, looks = gather(scene, (PRIMARY.id, SECOND.id))
    assert frames == ids([[*shots[0], *shots[1]], shots[2]])
    assert looks[:2] == [1, 1], "the best, and one of the last shot"


def test_in_an_album_whose_faces_are_encoded_already_there_is_no_bound() -> None:
    scene = Scene()
    for _ in range(2):
        scene.look = scene.first.person()
        people = [scene.person() for _ in range(3)]
        for _ in range(8):
            for person in people:
                scene.shoot(person, 1)
    pictures = [PictureFound(640, 360, (face,)) for face in scene.faces]
    found = gather_pictures(pictures, (PRIMARY.id, SECOND.id)).found
    twice = [view for one in found.people for view in one.views if len(view.encodings) > 1]
    assert len(found.people) == 6
    assert len(twice) > gathering.MOST_IN_SHORT


def test_people_who_look_very_alike_are_told_apart_in_an_album(
    development_data: Path, engine: Engine
) -> None:
    pictures, names = [], []
    for path in sorted((development_data / "people" / "photos" / "kpop").glob("*/[1-6].jpg")):
        photo = decode_photo(path.read_bytes())
        high, wide = photo.shape[0] // 2, photo.shape[1] // 2  # the faces fill the pictures
        padded = np.pad(photo, ((high, high), (wide, wide), (0, 0)), "edge")
        (face, *_) = faces_of_image(padded, engine, 640)
        pictures.append(PictureFound(wide * 4, high * 4, (encode_again(face, engine.second),)))
        names.append(path.parent.name)
    assert len(set(names)) == 7
    shown = gather_pictures(pictures, models_of(engine)).shown
    people = defaultdict[int, Counter[str]](Counter)
    for one in shown:
        people[one.person][names[one.picture]] += 1
    # The first net alone makes one person of all.
    assert all(len(one) == 1 for one in people.values())
    assert {name for one in people.values() for name in one} == set(names)
    assert len(people) <= 8
