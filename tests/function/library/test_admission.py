"""What no face can give never gets from a video into a gallery."""

from dataclasses import replace

import numpy as np
import pytest

from db.people import View
from function.engines.models import PRIMARY, SECOND, SECOND_BEFORE
from function.library.admission import admit_picture, is_admissible
from tests.support.stranger_libraries import jpeg

MODELS = (PRIMARY.id, SECOND.id)


def vector(length: float, dimensions: int = 128) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.full(dimensions, length / dimensions**0.5, np.float32)


VIEW = View(1.0, 0.8, 3, (), (vector(1.4), vector(1.0, SECOND.dimensions)))


def test_a_view_as_the_nets_give_it_is_admitted() -> None:
    assert is_admissible(VIEW, MODELS)
    assert is_admissible(replace(VIEW, encodings=VIEW.encodings[:1]), MODELS)


@pytest.mark.parametrize(
    "wrong",
    [
        {"encodings": (vector(90.0), vector(1.0, 256))},
        {"encodings": (vector(0.1), vector(1.0, 256))},
        {"encodings": (vector(1.4), vector(2.0, 256))},
        {"encodings": (vector(1.4), vector(0.3, 256))},
        {"encodings": (vector(1.4), np.full(256, np.nan, np.float32))},
        {"encodings": (vector(1.4), vector(1.0, 128))},
        {"encodings": (vector(1.4, 64), vector(1.0, 256))},
        {"encodings": ()},
        {"seconds": float("inf")},
        {"seconds": -1.0},
        {"quality": 1.5},
        {"quality": float("nan")},
        {"faces": 0},
        {"weaknesses": ("doubtful",)},
    ],
)
def test_a_view_that_no_net_can_give_is_left_out(wrong: dict[str, object]) -> None:
    assert not is_admissible(replace(VIEW, **wrong), MODELS)  # type: ignore[arg-type]


def test_what_the_second_net_of_earlier_versions_gives_is_known_too() -> None:
    models = (PRIMARY.id, SECOND_BEFORE.id)
    assert is_admissible(replace(VIEW, encodings=(vector(1.4), vector(1.0, 128))), models)
    for wrong in (vector(2.0, 128), vector(1.0, 256)):
        assert not is_admissible(replace(VIEW, encodings=(vector(1.4), wrong)), models)


def test_the_length_of_an_own_nets_encodings_is_not_known_but_their_numbers_have_a_limit() -> None:
    models = (PRIMARY.id, "own")
    assert is_admissible(replace(VIEW, encodings=(vector(1.4), vector(300.0))), models)
    assert not is_admissible(replace(VIEW, encodings=(vector(1.4), vector(3e4))), models)


def test_pictures_of_faces_are_admitted_and_no_others() -> None:
    good = jpeg(1, 256)
    assert admit_picture(good) == good
    assert admit_picture(jpeg(1, 600)) is None
    assert admit_picture(good[:-2]) is None
    assert admit_picture(b"") is None
    assert admit_picture(b"\x89PNG\r\n" + good) is None
    assert admit_picture(good[:4] + b"\0" * 100_000 + good[4:]) is None
    assert admit_picture(b"\xff\xd8\xff\xd9") is None
    assert admit_picture(b"\xff\xd8\xff" + b"\0" * 90 + b"\xff\xd9") is None
