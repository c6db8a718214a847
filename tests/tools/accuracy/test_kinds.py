"""Photographs spoilt in ways that videos are, and how many people are still named in them."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from function.engines.protocol import Box, Engine
from function.sources.records import UnusableSourceError
from tools.accuracy.kinds import KindFigures, measure_kinds, render_kinds
from tools.accuracy.spoiling import SKIN, SPOILS
from tools.footage.videos import read_portrait

BOX = Box(20, 20, 79, 79)


@pytest.fixture(scope="module")
def folder(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two people with four photos each, a little lighter from one to the next."""
    made = tmp_path_factory.mktemp("kinds")
    for name in ("obama1.jpg", "biden.jpg"):
        (made / name).with_suffix("").mkdir()
        portrait = cv2.cvtColor(read_portrait(photos / name), cv2.COLOR_RGB2BGR)
        for number in range(4):
            lighter = np.clip(portrait * (1 + number / 10), 0, 255).astype(np.uint8)
            cv2.imwrite(str((made / name).with_suffix("") / f"{number}.png"), lighter)
    return made


def test_each_kind_is_measured_and_the_harmless_ones_cost_nothing(
    folder: Path, engine: Engine
) -> None:
    told: list[str] = []
    figures = {one.kind: one for one in measure_kinds(folder, engine, told.append)}
    assert list(figures) == list(SPOILS)
    assert told[1:] == [f"measuring faces: {kind}" for kind in SPOILS]
    for kind in ("as it is", "grey", "leaning by 45 degrees"):
        assert figures[kind] == KindFigures(kind, 2, 1.0, 1.0, 0.0, 0.0)
    assert all(one.strangers_named == 0 for one in figures.values())


@pytest.mark.parametrize("kind", [kind for kind in SPOILS if kind != "as it is"])
def test_each_way_of_spoiling_changes_the_picture(kind: str) -> None:
    picture = np.random.default_rng(1).integers(0, 256, (100, 120, 3), dtype=np.uint8)
    before = picture.copy()
    spoilt = SPOILS[kind](picture, BOX)
    assert spoilt.dtype == np.uint8
    assert spoilt.shape != picture.shape or (spoilt != picture).any()
    np.testing.assert_array_equal(picture, before)


@pytest.mark.parametrize(("kind", "least"), [("turned by 30", 1.5), ("turned by 50", 3.0)])
def test_a_head_that_turns_shows_more_of_one_half_and_leaves_the_rest_alone(
    kind: str, least: float
) -> None:
    picture = np.zeros((100, 120, 3), np.uint8)
    picture[:, 50:] = 200
    turned = SPOILS[f"{kind} degrees"](picture, BOX)
    dark = (turned[50, BOX.left : BOX.right + 1] < 100).all(axis=1)
    assert dark.sum() > least * (~dark).sum()
    np.testing.assert_array_equal(turned[:, :10], picture[:, :10])
    np.testing.assert_array_equal(turned[:, 110:], picture[:, 110:])


def test_glasses_hide_the_eyes_only_if_they_are_dark_and_a_hand_hides_one_side() -> None:
    picture = np.full((100, 120, 3), 200, np.uint8)
    eye, cheek, other_cheek = (40, 37), (65, 35), (65, 65)
    framed, dark, hidden = (
        SPOILS[kind](picture, BOX)
        for kind in ("glasses with thick frames", "dark glasses", "one side covered")
    )
    assert framed[eye].tolist() == [200, 200, 200]
    assert framed.min() < 50 < dark.max()
    assert dark[eye].max() < 50
    assert dark[cheek].tolist() == [200, 200, 200]
    assert hidden[cheek].tolist() == list(SKIN)
    assert hidden[other_cheek].tolist() == [200, 200, 200]


def test_the_table_has_a_row_for_each_kind() -> None:
    table = render_kinds([KindFigures("grey", 8, 1.0, 0.875, 0.125, 0.0)])
    assert table.splitlines()[-1] == "| grey | 100 % | 88 % | 12 % | 0.0 % |"


def test_too_few_photos_are_an_error(people_folder: Path, engine: Engine) -> None:
    with pytest.raises(UnusableSourceError, match=r"0 people .* have 4 photos"):
        measure_kinds(people_folder, engine, lambda _: None)
