"""Which enrolled photographs name their person, and what their signs are fitted to be worth."""

from pathlib import Path

import numpy as np
import pytest

from function.engines.protocol import Engine
from function.enrolling.worth import Odds
from tests.tools.accuracy.test_kinds import folder  # noqa: F401  # two people, four photos each
from tools.accuracy import chances
from tools.accuracy.chances import ChanceFit, TriedPhoto, fit_chances, render_chances, try_photos
from tools.accuracy.spoiling import SPOILS

TRUTH = Odds(-20.0, 18.0, 6.0, 1.5)


def tried(count: int, seed: int = 1, *, has_likeness: bool = True) -> list[TriedPhoto]:
    """Made-up photographs of twenty people, of whom as many name as their signs say."""
    drawn = np.random.default_rng(seed)
    found = []
    for number in range(count):
        likeness = float(drawn.uniform(0.5, 1.0)) if has_likeness else 0.0
        signs = (likeness, float(drawn.uniform(0.2, 0.9)), float(drawn.uniform(-4, -2)))
        weights = (TRUTH.per_likeness, TRUTH.per_distance, TRUTH.per_sharpness)
        odds = TRUTH.offset + 5 + sum(w * sign for w, sign in zip(weights, signs, strict=True))
        chance = float(1 / (1 + np.exp(-odds)))
        named = float(drawn.binomial(4, chance)) / 4
        found.append(TriedPhoto(f"P{number % 20}", number % 15 > 0, signs, 0.5, named))
    return found


def test_what_the_signs_are_worth_is_found_again() -> None:
    fit = fit_chances(tried(4000))
    found = np.array([fit.odds.per_likeness, fit.odds.per_distance, fit.odds.per_sharpness])
    assert found == pytest.approx([18.0, 6.0, 1.5], rel=0.15)
    assert fit.odds.offset == pytest.approx(TRUTH.offset + 5, rel=0.15)
    assert (fit.photos, fit.people) == (4000, 20)
    assert fit.held_apart < fit.without_signs < fit.shipped + 0.01
    assert fit.shipped == pytest.approx(np.log(2))


def test_without_a_second_net_its_likeness_is_worth_nothing() -> None:
    fit = fit_chances(tried(400, has_likeness=False))
    assert fit.odds.per_likeness == 0
    assert np.isfinite([fit.odds.offset, fit.held_apart]).all()


def test_each_photo_is_enrolled_alone_and_the_others_of_the_person_searched_for(
    folder: Path,  # noqa: F811  # the fixture
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = {kind: SPOILS[kind] for kind in ("as it is", "blurred by 3 % of its width")}
    monkeypatch.setattr(chances, "SPOILS", kept)
    told: list[str] = []
    found = try_photos([folder], engine, told.append)
    assert told == [f"reading {folder.name}", *(f"enrolling faces: {kind}" for kind in kept)]
    assert [one.is_spoilt for one in found] == [False] * 4 + [True] * 4
    assert {one.person for one in found} == {
        f"{folder.name}/{name}" for name in ("obama1", "biden")
    }
    whole, blurred = found[:4], found[4:]
    assert all(one.named == 1 for one in whole)
    pairs = zip(whole, blurred, strict=True)
    assert all(one.chance > other.chance for one, other in pairs)


def test_the_report_says_what_enrolling_does_with_them_and_what_was_fitted() -> None:
    photos = [
        TriedPhoto("P0", is_spoilt, (0.9, 0.6, -2.0), chance, named)
        for is_spoilt, chance, named in (
            (False, 0.9, 1.0),
            (True, 0.9, 0.5),
            (True, 0.2, 0.25),
            (True, 0.1, 0.0),
        )
    ]
    fit = ChanceFit(4, 1, Odds(-45.36, 47.45, 5.29, 1.5), 0.45, 0.46, 0.69)
    assert render_chances(photos, fit).splitlines() == [
        "| photographs | enrolled | of those named | refused | of those named |",
        "| --- | --- | --- | --- | --- |",
        "| as they are | 1 | 100 % | 0 | - |",
        "| spoilt | 2 | 38 % | 1 | 0 % |",
        "",
        "4 photographs of 1 people: offset -45.36",
        "likeness 47.45",
        "distance 5.29, sharpness 1.50",
        "log loss without signs 0.690, people held apart 0.450",
        "with the numbers that ship 0.460",
    ]
