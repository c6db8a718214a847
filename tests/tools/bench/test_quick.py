"""Films for comparing depths are as long as asked for, and read through."""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from click.testing import CliRunner

from function.engines.protocol import Box
from function.media.pictures import RgbImage
from tools.accuracy.casts import Cast, Footage
from tools.bench import quick
from tools.bench.quick import Compared, Look, main, make_film, render
from tools.footage.videos import write_video


def fade(start: int) -> Iterator[RgbImage]:
    for number in range(50):
        yield np.full((72, 128, 3), start + number, np.uint8)


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_a_film_is_as_long_as_asked_for_and_every_picture_can_be_read(
    codec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quick, "KINDS", {"small": ((128, 72), codec)})
    clip = write_video(tmp_path / "clip.mp4", fade(60))
    footage = Footage("ada", clip, 0.0, 2.0, Box(20, 10, 60, 50))
    cast = Cast({"ada": (footage,)}, {}, ())
    path = tmp_path / "film.mp4"
    assert make_film(path, cast, 0.5, 1, "small") == {"ada"}
    with av.open(str(path)) as film:
        times = [frame.time for frame in film.decode(video=0)]
    assert times == sorted(times)
    assert 30 <= len(times) / quick.FPS < 30 + quick.SHOT_SECONDS[1]


def test_a_quick_look_that_leaves_a_question_costs_the_usual_one_too() -> None:
    normal, clear, unclear = (
        Look(20.0, 240, 4, 0, is_unclear=False),
        Look(3.0, 44, 4, 0, is_unclear=False),
        Look(3.0, 44, 2, 0, is_unclear=True),
    )
    clean, again = (Compared("10/5/1080p", 4, normal, one) for one in (clear, unclear))
    assert (clean.quick_cpu_seconds, clean.quick_named) == (3.0, 4)
    assert (again.quick_cpu_seconds, again.quick_named) == (23.0, 4)
    assert "| 15% | 23.0 | 4 |" in render([clean, again]).splitlines()[-1]


def test_without_clips_it_says_what_is_missing(tmp_path: Path) -> None:
    told = CliRunner().invoke(main, [])
    assert (told.exit_code, "Missing argument 'CLIPS'" in told.output) == (2, True)
    told = CliRunner().invoke(main, [str(tmp_path)])
    assert (told.exit_code, "has no labels.csv" in told.output) == (1, True)
