"""What a photo counts, and how that is said."""

from dataclasses import replace

import numpy as np
import pytest

from db.templates import USUAL_QUALITY, weigh_qualities
from function.engines.models import SECOND, SECOND_BEFORE
from function.enrolling.worth import (
    FULL_CHANCE,
    LEAST_CHANCE,
    LOWEST_QUALITY,
    NAMELESS,
    ODDS,
    estimate_chance,
    rate_photo,
    refusal_of,
    remark_on,
)
from function.faces.face import Face, Likeness
from tests.support.crowds import make_face


def rated(chance: float, weakness: str = "", quality: float = USUAL_QUALITY) -> Face:
    return rate_photo(make_face(np.zeros(128), quality=quality, weakness=weakness), chance)


def weight(face: Face) -> float:
    return float(weigh_qualities(np.array([face.quality], np.float32))[0])


BLANK = np.zeros(128, np.float32)


def chance(likeness: Likeness | None, *, distance: float = 0.8, sharpness: float = 1.0) -> float:
    face = make_face(np.full(128, distance / 128**0.5))
    return estimate_chance(replace(face, sharpness=sharpness), BLANK, likeness)


@pytest.mark.parametrize("model", [None, *ODDS])
def test_the_more_of_a_face_is_seen_the_better_the_chance(model: str | None) -> None:
    usual = Likeness(model, 0.97) if model else None
    assert chance(usual) > 0.5
    assert chance(usual, distance=0.5) < chance(usual) - 0.05
    assert chance(usual, sharpness=0.01) < chance(usual) - 0.05
    assert model is None or chance(Likeness(model, 0.5)) < LEAST_CHANCE


def test_what_each_second_net_that_ships_says_is_weighed_by_its_own_numbers() -> None:
    assert set(ODDS) == {SECOND.id, SECOND_BEFORE.id}
    both = [chance(Likeness(one.id, 0.93)) for one in (SECOND, SECOND_BEFORE)]
    assert abs(both[0] - both[1]) > 0.01


def test_what_a_net_of_the_users_own_says_counts_for_nothing() -> None:
    assert {chance(Likeness("own/1", cosine)) for cosine in (0.1, 0.9)} == {chance(None)}


def test_a_good_photo_keeps_its_quality_and_gets_no_remark() -> None:
    face = rated(0.9)
    assert (face.quality, face.weaknesses) == (USUAL_QUALITY, ())
    assert remark_on(face) == ""


def test_the_weight_falls_with_the_chance_to_a_half_and_no_further() -> None:
    assert weight(rated(0.75 * FULL_CHANCE)) == pytest.approx(0.75, abs=0.01)
    assert weight(rated(LEAST_CHANCE)) == pytest.approx(0.5, abs=0.01)
    assert weight(rated(0.001)) == pytest.approx(0.5, abs=0.01)
    assert rated(0.001, quality=0.0).quality > LOWEST_QUALITY


def test_a_remark_says_why_how_much_it_counts_and_what_to_add() -> None:
    said = remark_on(rated(0.2, "blurred"))
    assert said == "blurred: it counts half of a good photo; add a sharper one"
    said = remark_on(rated(0.25, "small (26 px)", quality=0.0))
    assert said == "small (26 px): it counts half of a good photo; add a larger one"
    assert remark_on(rated(0.9, "turned away")) == ("turned away: add one that looks at the camera")
    assert remark_on(replace(rated(0.22), sharpness=0.1)) == (
        "soft, covered, made up or turned away: it counts half of a good photo; "
        "add a sharper one that shows the whole face"
    )


def test_a_sharp_face_is_not_said_to_be_soft() -> None:
    assert remark_on(rated(0.22)) == (
        "covered, made up or turned away: it counts half of a good photo; "
        "add one that shows the whole face"
    )
    assert refusal_of(rated(0.1)).endswith("away): choose one that shows the whole face")


def test_without_a_chance_a_face_is_marked_and_the_refusal_says_what_to_choose() -> None:
    assert NAMELESS not in rated(LEAST_CHANCE).weaknesses
    face = rated(0.1, "too dark")
    assert face.weaknesses == ("too dark", NAMELESS)
    assert refusal_of(face) == ("shows too little of who it is (too dark): choose a brighter one")
