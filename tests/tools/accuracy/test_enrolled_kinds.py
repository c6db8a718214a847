"""What spoilt photographs are worth when they are enrolled."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from function.engines.protocol import Engine
from tools.accuracy import enrolled_kinds
from tools.accuracy.enrolled_kinds import (
    EnrolledFigures,
    measure_enrolled_kinds,
    render_enrolled_kinds,
)
from tools.accuracy.spoiling import SPOILS
from tools.footage.videos import read_portrait


def test_a_good_photo_names_and_one_that_shows_nobody_is_not_enrolled(
    photos: Path, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("obama1.jpg", "biden.jpg"):
        (tmp_path / name).with_suffix("").mkdir()
        portrait = cv2.cvtColor(read_portrait(photos / name), cv2.COLOR_RGB2BGR)
        for number in range(4):
            lighter = np.clip(portrait * (1 + number / 10), 0, 255).astype(np.uint8)
            cv2.imwrite(str((tmp_path / name).with_suffix("") / f"{number}.png"), lighter)
    fog = {"fog": lambda image, _: cv2.GaussianBlur(image, (0, 0), 30).astype(np.uint8)}
    monkeypatch.setattr(enrolled_kinds, "SPOILS", {"as it is": SPOILS["as it is"], **fog})
    as_it_is, spoilt = measure_enrolled_kinds(tmp_path, engine, lambda _: None)
    assert as_it_is == EnrolledFigures("as it is", 1.0, 1.0, 0.0, 1.0, 0.0)
    assert spoilt == EnrolledFigures("fog", 0.0, 0.0, 0.0, 1.0, 0.0)


def test_the_table_has_a_row_for_each_kind() -> None:
    table = render_enrolled_kinds([EnrolledFigures("grey", 1.0, 0.5, 0.0, 0.75, 0.01)])
    assert table.splitlines()[-1] == "| grey | 100 % | 50 % | 0.0 % | 75 % | 1.0 % |"
