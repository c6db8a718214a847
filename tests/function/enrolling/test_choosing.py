"""Which face of a photo is enrolled, and what is said where there is none."""

from dataclasses import replace

import numpy as np
import pytest

from function.engines.protocol import Box
from function.enrolling.choosing import PhotoFound, choose_face
from function.faces.face import DOUBTFUL, Face
from function.media.photos import PhotoRefusedError
from tests.support.crowds import make_face


def face(pixels: int, weakness: str = "") -> Face:
    made = make_face(np.zeros(128), weakness=weakness)
    return replace(made, box=Box(0, 0, pixels - 1, pixels - 1))


def refusal(*faces: Face) -> str:
    with pytest.raises(PhotoRefusedError) as refused:
        choose_face(PhotoFound(faces))
    return str(refused.value)


def test_of_a_face_too_small_to_be_sure_of_it_is_said_how_large_it_is() -> None:
    assert refusal(face(19, DOUBTFUL)) == (
        "no face found; what may be one is 19 px wide, 24 are needed"
    )


@pytest.mark.parametrize("faces", [(), (face(90, DOUBTFUL),), (face(5, DOUBTFUL),)])
def test_of_what_is_hardly_a_face_nothing_is_said(faces: tuple[Face, ...]) -> None:
    assert refusal(*faces) == "no face found"


def test_people_in_the_background_do_not_count() -> None:
    assert choose_face(PhotoFound((face(40), face(100)))).box.width == 100
    assert refusal(face(60), face(100)) == "several faces: 2; crop it to one"
