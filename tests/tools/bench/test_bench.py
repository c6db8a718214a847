from dataclasses import replace
from pathlib import Path

import av
import pytest

from tools.bench import faces
from tools.bench.__main__ import render_table, run_contender
from tools.bench.faces import WAYS, Condition, measure, read_portraits, render
from tools.bench.reference import load_library, run_reference
from tools.footage import bench_footage as footage
from tools.footage.bench_footage import loop_footage, make_footage, true_faces
from tools.footage.videos import moving_picture, read_portrait, write_video


@pytest.fixture(scope="module")
def clip(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of one man, large enough for the CNN."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    return write_video(path, moving_picture(read_portrait(photos / "obama1.jpg"), 2))


def test_footage_is_what_it_says_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(footage, "HEIGHT", 270)
    monkeypatch.setattr(footage, "WIDTH", 480)
    path = make_footage(1, 0.5, tmp_path)
    made = path.stat().st_mtime_ns
    assert make_footage(1, 0.5, tmp_path).stat().st_mtime_ns == made
    far = make_footage(1, 0.5, tmp_path, is_far=True)
    assert far != path
    with av.open(str(far)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 25
    assert [true_faces(seconds) for seconds in (0, 4.9, 5, 15, 40)] == [1, 1, 2, 0, 1]


def test_the_reference_finds_one_person_once_a_second(clip: Path) -> None:
    found = run_reference(clip, 1.0, load_library())
    assert (found.frames, len(found.faces), len(found.groups)) == (2, 2, 1)


def test_a_contender_is_measured_as_a_process_and_set_beside_the_last(clip: Path) -> None:
    run = run_contender("onnx", clip, 1.0)
    assert run.found.faces == run.found.frames == 2
    assert run.found.people == 1
    assert 0 < run.found.work_seconds < run.cpu_seconds
    assert 50 < run.peak_megabytes < 1000
    usual = replace(run, contender="reference")
    assert "onnx takes 1.0 times less CPU than reference" in render_table([run, usual])
    assert "times less" not in render_table([run, run])


def test_footage_is_looped_and_cut_at_keyframes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(footage, "HEIGHT", 270)
    monkeypatch.setattr(footage, "WIDTH", 480)
    source = make_footage(2, 1, tmp_path)
    for seconds in (5, 1):
        floor = run_contender("keyframes", loop_footage(source, seconds), None)
        assert floor.found.frames == seconds
        with av.open(str(loop_footage(source, seconds))) as video:
            pictures = [frame.time for frame in video.decode(video=0)]
        assert len(pictures) == 25 * seconds
        assert pictures == sorted(pictures)


def test_faces_are_drawn_where_they_are_looked_for_and_counted_when_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(faces, "CONDITIONS", (Condition(60), Condition(100, 90), Condition(4)))
    portraits = read_portraits([], 2)
    columns = [list(measure(way, portraits)) for way in WAYS[:2]]
    assert [[cell.found for cell in column] for column in columns] == [[2, 2, 0], [0, 0, 0]]

    table = render(WAYS[:2], columns, 2).splitlines()
    assert table[0] == "| of 2 faces, found by | yunet | cnn |"
    assert table[3] == "| 100 px, turned by 90 | 2 | 0 |"
    assert table[-1].startswith("| ms a picture | ")


def test_a_condition_says_what_is_unusual_about_it() -> None:
    assert str(Condition(72)) == "72 px"
    assert str(Condition(72, 30, 0.06, 0.1)) == (
        "72 px, turned by 30, blurred by 6% of its width, 10% of the light"
    )
