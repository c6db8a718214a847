"""A quick look has seen enough when everyone in it was seen several times."""

from dataclasses import replace

import pytest

from function.engines.models import PRIMARY
from function.faces.face import Face
from function.people.enough import is_enough
from tests.support.crowds import Crowd, make_faces


def seen(*times: int) -> list[Face]:
    """Faces of several people, each seen so many times, each on a picture of its own."""
    crowd = Crowd()
    faces = [
        face for count in times for face in make_faces(crowd.encodings(crowd.person(), count, 0.1))
    ]
    return [replace(face, frame=number) for number, face in enumerate(faces)]


@pytest.mark.parametrize(
    ("times", "expected"),
    [((), False), ((2,), False), ((3,), True), ((9, 3), True), ((9, 2), False)],
)
def test_everyone_has_to_be_seen_on_three_pictures(
    times: tuple[int, ...], *, expected: bool
) -> None:
    assert is_enough(seen(*times), PRIMARY, 20) == expected


def test_who_is_never_seen_well_is_not_waited_for_unless_nobody_else_is_seen() -> None:
    weak = [replace(face, weaknesses=("soft",)) for face in seen(1)]
    assert is_enough([*seen(4), *(replace(one, frame=50) for one in weak)], PRIMARY, 20)
    assert not is_enough(weak, PRIMARY, 20)
