"""A cast read from labelled clips: what films may show, and what is enrolled."""

import random
from pathlib import Path

import pytest

from function.engines.protocol import Engine
from function.sources.records import UnusableSourceError
from tools.accuracy.casts import ENROLLED_SECONDS, make_cast, read_cast
from tools.accuracy.labelled import LABELS_FILE, Dataset


def relabel(folder: Path, *rows: str) -> None:
    """Label the clips otherwise than they were when they were read."""
    (folder / LABELS_FILE).write_text("\n".join(["clip,name,start,end", *rows]))


@pytest.fixture
def folder(clip_folder: Path, tmp_path: Path) -> Path:
    for clip in clip_folder.glob("*.mp4"):
        (tmp_path / clip.name).symlink_to(clip)
    return tmp_path


def test_who_has_two_clips_is_enrolled_by_the_one_that_no_film_shows(
    clip_folder: Path, clips: Dataset
) -> None:
    cast = make_cast(clip_folder, clips, random.Random(1))
    assert sorted(cast.footage) == ["Barack Obama", "Eileen Collins", "Grace Hopper"]
    (filmed,) = cast.footage["Barack Obama"]
    assert (filmed.clip.name, filmed.start_seconds) == ("obama1.mp4", 0.0)
    assert filmed.end_seconds == pytest.approx(3.0, abs=0.1)
    (face,) = cast.enrolled["Barack Obama"][0].faces
    (last,) = [one for one in clips.sources if one.origin == "obama3.mp4"]
    assert any(face is one for one in last.faces)


def test_who_has_one_clip_is_enrolled_by_its_first_second_and_filmed_later(
    folder: Path, clips: Dataset
) -> None:
    for start in (0.0, 0.5, 0.9):  # no face is in the first second of all three
        relabel(folder, f"hopper.mp4,Grace Hopper,{start},2.95", "astronaut.mp4,Eileen Collins")
        cast = make_cast(folder, clips, random.Random(1))
        (hopper,) = cast.footage["Grace Hopper"]
        assert (hopper.start_seconds, hopper.end_seconds) == (start + ENROLLED_SECONDS, 2.95)
        drawn = [make_cast(folder, clips, random.Random(seed)).enrolled for seed in range(5)]
        ((source,), *_) = [one["Grace Hopper"] for one in drawn if "Grace Hopper" in one]
        assert start <= source.faces[0].seconds < start + ENROLLED_SECONDS


def test_a_clip_too_short_for_both_is_filmed_whole_and_nobody_enrolled_by_it(
    folder: Path, clips: Dataset
) -> None:
    relabel(folder, "obama1.mp4,Barack Obama", "hopper.mp4,Grace Hopper,0.2,2.1")
    cast = make_cast(folder, clips, random.Random(1))
    (hopper,) = cast.footage["Grace Hopper"]
    assert (hopper.start_seconds, hopper.end_seconds) == (0.2, 2.1)
    assert list(cast.enrolled) == ["Barack Obama"]


def test_a_stretch_that_somebody_else_claims_too_is_not_filmed(
    folder: Path, clips: Dataset
) -> None:
    relabel(
        folder,
        "obama1.mp4,Barack Obama",
        "hopper.mp4,Grace Hopper,0,1.2",
        "hopper.mp4,Somebody,1,2",
        "astronaut.mp4,Grace Hopper,9,12",
        "astronaut.mp4,Eileen Collins,0,0.8",
    )
    with pytest.raises(UnusableSourceError, match=r"1 people .* have footage; 2 are needed"):
        make_cast(folder, clips, random.Random(1))


def test_half_of_those_who_can_be_are_enrolled_the_same_from_the_same_seed(
    clip_folder: Path, clips: Dataset
) -> None:
    drawn = [
        tuple(make_cast(clip_folder, clips, random.Random(seed)).enrolled) for seed in range(8)
    ]
    assert {len(names) for names in drawn} == {2}
    assert len(set(drawn)) > 1
    assert drawn[3] == tuple(make_cast(clip_folder, clips, random.Random(3)).enrolled)


def test_the_area_holds_the_face_wherever_it_moves(clip_folder: Path, clips: Dataset) -> None:
    area = make_cast(clip_folder, clips, random.Random(1)).footage["Grace Hopper"][0].area
    width, height = area.right - area.left, area.bottom - area.top
    assert width > 1.3 * height, "it sways by a fifth of the picture's width"


def test_photos_are_no_clips(people_folder: Path, engine: Engine) -> None:
    with pytest.raises(UnusableSourceError, match=r"has no labels.csv\. Films are cut from clips"):
        read_cast(people_folder, engine, random.Random(1))
