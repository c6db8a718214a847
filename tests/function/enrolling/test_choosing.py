"""Which face of a photo is enrolled, and what is said where there is none."""

from dataclasses import replace

import numpy as np
import pytest

from function.engines.protocol import Box
from function.enrolling.choosing import (
    USUAL_DEMANDS,
    PhotoDemands,
    PhotoFound,
    choose_among,
    choose_face,
)
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


def remark(*faces: Face, demands: PhotoDemands = USUAL_DEMANDS) -> str:
    return choose_among(PhotoFound(faces), demands).remark


def test_of_a_face_too_small_to_be_sure_of_it_is_said_how_large_it_is() -> None:
    assert refusal(face(19, DOUBTFUL)) == (
        "no face found; a possible one is 19 px wide, 24 are needed"
    )


@pytest.mark.parametrize("faces", [(), (face(90, DOUBTFUL),), (face(5, DOUBTFUL),)])
def test_of_what_is_hardly_a_face_nothing_is_said(faces: tuple[Face, ...]) -> None:
    assert refusal(*faces) == "no face found"


def test_people_in_the_background_do_not_count() -> None:
    assert choose_face(PhotoFound((face(40), face(100)))).box.width == 100
    assert refusal(face(60), face(100)) == "several faces: 2; crop it to one"


def test_of_whom_else_a_photo_shows_the_owner_is_told() -> None:
    """A poster behind somebody may be the largest face."""
    assert remark(face(100)) == ""
    assert remark(face(24), face(100)) == "", "a passer-by"
    assert remark(face(40, DOUBTFUL), face(100)) == "", "hardly a face"
    assert remark(face(25), face(100), face(24)) == (
        "of 2 faces the largest was taken, 100 px wide (the next is 25): "
        "if that is somebody else, crop the photo"
    )
    told = remark(face(49), face(30), face(100, "blurred"))
    assert told.startswith("of 3 faces the largest was taken, 100 px wide (the next is 49): ")
    assert told.endswith("crop the photo; blurred: add a sharper one")


def test_of_the_largest_of_several_it_is_said_that_there_are_others() -> None:
    largest = PhotoDemands(largest_face=True)
    assert remark(face(90), face(100), demands=largest).startswith("of 2 faces the largest was ")
    assert remark(face(100), face(100), demands=largest).startswith("of 2 faces the largest was ")
