"""The profile of `make bench-profile` adds up, and counts every stage where it happens."""

from pathlib import Path
from time import thread_time

import pytest
from click.testing import CliRunner

from function.engines.protocol import Engine
from tools.bench.stages import STAGES, Profile, Shares, main, profile, render
from tools.footage.videos import moving_picture, read_portrait, write_video


@pytest.fixture(scope="module")
def clip(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    return write_video(path, moving_picture(read_portrait(photos / "obama1.jpg"), 2))


def test_every_stage_of_a_film_is_counted_and_the_shares_add_up(clip: Path, engine: Engine) -> None:
    began = thread_time()
    measured = profile(clip, engine, 1.0)
    spent = thread_time() - began
    assert (measured.frames, measured.faces) == (2, 2)
    assert set(measured.calls) == {name for name, _, _ in STAGES}
    assert set(measured.seconds) == {"rest", *measured.calls}
    assert measured.calls["landmarks"] == 2
    assert 0.9 * spent < sum(measured.seconds.values()) <= spent


def test_what_is_measured_works_as_before_afterwards(clip: Path, engine: Engine) -> None:
    kept = type(engine.encoder).encode
    profile(clip, engine, 1.0)
    assert type(engine.encoder).encode is kept


def test_a_stage_inside_another_counts_alone() -> None:
    shares = Shares()
    with shares.stage("outer"), shares.stage("inner"):
        began = thread_time()
        while thread_time() - began < 0.05:
            pass
    shares.finish()
    assert shares.seconds["inner"] >= 0.05 > shares.seconds["outer"]


def test_a_table_gives_shares_and_milliseconds_a_sample() -> None:
    text = render(Profile({"decode": 3.0, "rest": 1.0}, {"decode": 20}, frames=10, faces=4))
    assert "10 samples, 4 faces, 4.0 CPU s" in text
    assert "| decode | 75 % | 300.0 | 2.0 |" in text
    assert "| rest | 25 % | 100.0 | 0.0 |" in text


def test_a_video_of_ones_own_is_profiled(clip: Path) -> None:
    printed = CliRunner().invoke(main, [str(clip), "--every", "1"], catch_exceptions=False).output
    assert "clip.mp4: 2 samples, 2 faces" in printed
