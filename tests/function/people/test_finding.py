"""The people in a video are found up to a limit, whoever asks."""

from pathlib import Path

import pytest

from function.engines.protocol import Engine
from function.errors import VideoOverLimitError
from function.faces.found import Task
from function.faces.search import Hands
from function.people import finding
from function.people.finding import find_people
from function.people.gathering import PeopleFound
from tools.footage.videos import moving_picture, read_portrait, write_video


def test_a_video_that_shows_more_faces_than_the_limit_is_refused(
    engine: Engine, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    portrait = read_portrait(photos / "obama1.jpg")
    film = write_video(tmp_path / "film.mp4", moving_picture(portrait, 2, fps=10), fps=10)
    *_, found = find_people(film, "film.mp4", engine, Task(0.5, 640), Hands())
    assert isinstance(found, PeopleFound)
    assert found.people[0].picture.startswith(b"\xff\xd8\xff")
    monkeypatch.setattr(finding, "MOST_FACES", found.faces - 1)
    with pytest.raises(VideoOverLimitError, match=rf"film\.mp4 shows {found.faces} faces"):
        list(find_people(film, "film.mp4", engine, Task(0.5, 640), Hands()))


@pytest.mark.parametrize("every_seconds", [0.04, 0.2, None])
@pytest.mark.parametrize(
    "encoded",
    [("mjpeg", "yuvj420p", "2"), ("mjpeg", "yuvj420p", "24"), ("mpeg4", "yuv420p", "24")],
)
def test_a_short_clip_of_one_man_shows_one_man(
    encoded: tuple[str, str, str],
    every_seconds: float | None,
    engine: Engine,
    photos: Path,
    tmp_path: Path,
) -> None:
    moving = moving_picture(read_portrait(photos / "obama3.jpg"), 2)
    film = tmp_path / "film.avi"
    codec, pixel_format, quality = encoded
    options = {"qmin": quality, "qmax": quality}
    write_video(film, moving, codec=codec, pixel_format=pixel_format, b_frames=0, options=options)
    *_, found = find_people(film, film.name, engine, Task(every_seconds, 960), Hands())
    assert isinstance(found, PeopleFound)
    assert len(found.people) == 1
    assert found.faces >= 3
