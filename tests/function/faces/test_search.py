"""People are found however a film was shot, turned or put together."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from db.records import Vector
from function.engines.protocol import Engine
from function.faces.crews import Alone
from function.faces.faces import faces_of_image
from function.faces.found import FacesFound, Task
from function.faces.search import Hands, search_video
from function.media.pictures import RgbImage
from tests.support.videos import numbered_pictures
from tools.footage.videos import moving_picture, read_portrait, write_video

PORTRAITS = ("obama1.jpg", "hopper.jpg", "astronaut.png")
ONE_PERSON = 0.45  # closer than any two of these are


def film(photos: Path, name: str, size: tuple[int, int] = (480, 360)) -> Iterator[RgbImage]:
    return moving_picture(read_portrait(photos / name), 2, size=size)


def faces_in(path: Path, engine: Engine) -> FacesFound:
    *_, found = search_video(path, path.name, engine, Task(0.5, 640))
    assert isinstance(found, FacesFound)
    return found


def times_seen(found: FacesFound, person: Vector) -> int:
    return sum(float(np.linalg.norm(face.encoding - person)) < ONE_PERSON for face in found.faces)


@pytest.fixture(scope="module")
def people(photos: Path, engine: Engine) -> dict[str, Vector]:
    portraits = {name: read_portrait(photos / name) for name in PORTRAITS}
    return {
        name: faces_of_image(portrait, engine, 640)[0].encoding
        for name, portrait in portraits.items()
    }


@pytest.mark.parametrize("shot", list(product(PORTRAITS, (1, 2, 3))))
def test_a_film_shot_sideways_or_upside_down_without_a_tag_shows_the_same_person(
    shot: tuple[str, int],
    people: dict[str, Vector],
    photos: Path,
    engine: Engine,
    tmp_path: Path,
) -> None:
    name, quarter_turns = shot
    turned = (np.ascontiguousarray(np.rot90(one, quarter_turns)) for one in film(photos, name))
    found = faces_in(write_video(tmp_path / "v.mp4", turned, keyframe_every=12), engine)
    assert found.frames >= 4
    assert times_seen(found, people[name]) == found.frames


def test_what_must_be_read_to_its_end_leaves_the_crew_nothing_to_do(
    engine: Engine, tmp_path: Path
) -> None:
    leap = [index * 10 + (7200 if index >= 15 else 0) for index in range(160)]
    path = tmp_path / "leap.mkv"
    write_video(path, numbered_pictures(160), keyframe_every=5, seconds=leap)
    crew = Alone()
    *_, found = search_video(path, path.name, engine, Task(20, 640), Hands(crew=crew))
    assert isinstance(found, FacesFound)
    assert found.frames
    assert crew.take() is None


def test_everybody_in_a_split_screen_is_found(
    people: dict[str, Vector], photos: Path, engine: Engine, tmp_path: Path
) -> None:
    quarters = [film(photos, name) for name in (*PORTRAITS, PORTRAITS[0])]
    pictures = (
        np.vstack([np.hstack([a, b]), np.hstack([c, d])])
        for a, b, c, d in zip(*quarters, strict=True)
    )
    found = faces_in(write_video(tmp_path / "v.mp4", pictures, keyframe_every=12), engine)
    assert times_seen(found, people[PORTRAITS[0]]) == 2 * found.frames
    assert times_seen(found, people[PORTRAITS[1]]) == found.frames
    assert times_seen(found, people[PORTRAITS[2]]) == found.frames


def test_somebody_in_a_small_picture_within_the_picture_is_found(
    people: dict[str, Vector], photos: Path, engine: Engine, tmp_path: Path
) -> None:
    def pictures() -> Iterator[RgbImage]:
        small = film(photos, PORTRAITS[2], size=(240, 180))
        for large, inset in zip(film(photos, PORTRAITS[0], size=(960, 540)), small, strict=True):
            shown = large.copy()
            shown[-200:-20, -260:-20] = inset
            yield shown

    found = faces_in(write_video(tmp_path / "v.mp4", pictures(), keyframe_every=12), engine)
    assert times_seen(found, people[PORTRAITS[0]]) == found.frames
    assert times_seen(found, people[PORTRAITS[2]]) == found.frames
