"""`make bench-gpu` measures each way that this machine has, and says why it leaves one out."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from tools.bench.gpu import Way, main, ways_here
from tools.footage.videos import moving_picture, read_portrait, write_video


@pytest.fixture(scope="module")
def clip(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    return write_video(path, moving_picture(read_portrait(photos / "obama1.jpg"), 2))


def test_each_way_is_a_row_with_what_it_found(clip: Path) -> None:
    ways = ["--way", "cpu:cpu:1:1", "--way", "cpu:cpu:2:1", "--way", "cpu:openvino:1:1"]
    output = CliRunner().invoke(main, [str(clip), "--every", "1", *ways]).output
    _, _, one, two, refused = output.strip().splitlines()
    for row, videos in ((one, "1"), (two, "2")):
        every, decoder, nets, at_once, processes, *figures = row.strip("| ").split(" | ")
        assert (every, decoder, nets, at_once, processes) == ("1 s", "cpu", "cpu", videos, "1")
        assert figures[-3:] == ["2", "1", "0.0000"]
        assert float(figures[0]) > 0
    assert refused.startswith("(cpu, openvino: ")


def test_a_machine_is_tried_with_one_core_and_all() -> None:
    ways = ways_here(6)
    assert [way.processes for way in ways if way.decode == way.device == "cpu"][:4] == [1, 2, 4, 6]
    assert Way("cuda", "cuda", 1, 6) in ways
    assert Way("cuda", "cuda", 3, 2) in ways
