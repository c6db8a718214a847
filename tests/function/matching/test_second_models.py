"""The second model that settings ask for, and the fit of a net of one's own."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from db.models import EncodingKind
from function.engines.dlib_nets.model import LENGTH as DLIB_LENGTH
from function.engines.lightcnn.model import DLIB_SHARE, LENGTH
from function.engines.models import BOTH, PRIMARY, SECOND
from function.engines.own.description import read_description
from function.engines.protocol import EngineOptions
from function.engines.sface.model import FUSION as SFACE_FUSION
from function.engines.sface.model import SFACE
from function.errors import EngineUnavailableError
from function.matching.densities import shipped_densities
from function.matching.second_models import (
    SHIPPED_MODEL,
    Weighing,
    fuse_with,
    open_second,
    write_fit,
)
from tests.support.own_nets import NUMBERS, fit_of, make_net, write_net, write_toml


def open_own(path: Path) -> Any:
    return open_second(EngineOptions(second_encoder=path))


@pytest.fixture
def fitted(tmp_path: Path) -> Path:
    """A net that has been fitted."""
    path = write_net(tmp_path)
    write_fit(fit_of(path), tmp_path / "encoder.fitted.json")
    return path


def test_settings_choose_a_net_that_ships_or_nothing() -> None:
    assert open_second(EngineOptions()) is SHIPPED_MODEL
    assert (SHIPPED_MODEL.kind, SHIPPED_MODEL.fusion) == (SECOND, BOTH)
    assert SHIPPED_MODEL.all_densities() is None
    before = open_second(EngineOptions(second_encoder="sface"))
    assert before
    assert (before.kind, before.fusion) == (SFACE, SFACE_FUSION)
    assert open_second(EngineOptions(second_encoder=None)) is None
    assert open_second(EngineOptions(detector="hog")) is None


def test_a_net_of_ones_own_has_the_weighing_and_the_densities_of_its_fit(fitted: Path) -> None:
    found = open_own(fitted)
    assert found.kind == EncodingKind(id=read_description(fitted).id, dimensions=NUMBERS)
    assert found.fusion.parts == (PRIMARY, found.kind)
    assert found.fusion.space.dimensions == PRIMARY.dimensions + NUMBERS
    assert found.fusion.space.face_variance == 0.09
    assert found.licence == "ours, for tests"
    first, *_, second = found.all_densities()
    assert first == shipped_densities()
    assert second.model == found.fusion.space.id


def test_a_fusion_is_weighed_as_that_which_ships_is() -> None:
    again = fuse_with(SECOND, Weighing(1 - DLIB_SHARE, LENGTH, BOTH.space.face_variance))
    np.testing.assert_allclose(again.scales, BOTH.scales)
    assert again.space.dimensions == BOTH.space.dimensions
    far = np.zeros((2, SECOND.dimensions), np.float32)
    far[1, 0] = LENGTH
    base = np.zeros((2, PRIMARY.dimensions), np.float32)
    base[1, 0] = DLIB_LENGTH
    joined = again.join(base, far)
    assert np.linalg.norm(joined[0] - joined[1]) == pytest.approx(DLIB_LENGTH)


def test_another_weighing_is_another_space() -> None:
    usual = Weighing(0.8, 1.1, 0.09)
    others = [Weighing(0.7, 1.1, 0.09), Weighing(0.8, 1.2, 0.09), Weighing(0.8, 1.1, 0.1)]
    assert len({fuse_with(SECOND, one).space.id for one in [usual, *others]}) == 4


def test_without_a_fit_it_says_what_to_run(tmp_path: Path) -> None:
    path = write_net(tmp_path)
    with pytest.raises(
        EngineUnavailableError,
        match=r"sums has not been fitted: there is no encoder\.fitted\.json beside encoder\.toml\. "
        r"Run `python -m tools calibrate FOLDER\.\.\. --model encoder\.toml`\.$",
    ):
        open_own(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda path: write_toml(path.parent, mean=0),
        lambda path: write_toml(path.parent, name="other"),
        lambda path: write_net(path.parent, make_net(seed=2)),
    ],
)
def test_a_fit_for_another_net_or_preprocessing_is_refused(
    fitted: Path, change: Callable[[Path], Path]
) -> None:
    change(fitted)
    with pytest.raises(EngineUnavailableError, match=r"was fitted for sums/.*has changed\. Run `"):
        open_own(fitted)


@pytest.mark.parametrize(
    "changes",
    [
        {"weighing": {"share": 1.5, "length": 1.0, "face_variance": 0.1}},
        {"weighing": {"share": 0.5, "length": 0, "face_variance": 0.1}},
        {"weighing": {"share": 0.5, "length": 1.0, "face_variance": 0}},
        {"weighing": {"share": 0.5}},
        {"dimensions": 0},
        {"dimensions": "64"},
        {"densities": {}},
    ],
)
def test_a_damaged_fit_is_refused(fitted: Path, changes: dict[str, Any]) -> None:
    file = fitted.with_suffix(".fitted.json")
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))
    with pytest.raises(EngineUnavailableError, match=r"encoder\.fitted\.json does not hold a fit"):
        open_own(fitted)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("own_variance", 0),
        ("stranger_scale", float("nan")),
        ("slope", "1"),
        ("offset", None),
        ("size_slope", float("inf")),
        ("most_performers", 0),
    ],
)
def test_a_fit_that_scores_nobody_is_refused(fitted: Path, name: str, value: Any) -> None:
    file = fitted.with_suffix(".fitted.json")
    fit = json.loads(file.read_text())
    fit["densities"][name] = value
    file.write_text(json.dumps(fit))
    with pytest.raises(EngineUnavailableError, match=r"encoder\.fitted\.json does not hold a fit"):
        open_own(fitted)


def test_what_is_no_json_is_refused_and_so_are_densities_for_another_weighing(
    fitted: Path,
) -> None:
    file = fitted.with_suffix(".fitted.json")
    fit = json.loads(file.read_text())
    fit["weighing"]["share"] = 0.4
    file.write_text(json.dumps(fit))
    with pytest.raises(EngineUnavailableError, match="has changed"):
        open_own(fitted)
    file.write_text("{")
    with pytest.raises(EngineUnavailableError, match="does not hold a fit"):
        open_own(fitted)


def _nest(path: Path) -> None:
    path.write_text("[" * 100_000)


@pytest.mark.parametrize("make", [os.mkfifo, _nest])
def test_a_fit_that_would_have_us_wait_or_fall_is_refused(
    fitted: Path, make: Callable[[Path], None]
) -> None:
    fit = fitted.with_suffix(".fitted.json")
    fit.unlink()
    make(fit)
    with pytest.raises(EngineUnavailableError, match="does not hold a fit"):
        open_own(fitted)
