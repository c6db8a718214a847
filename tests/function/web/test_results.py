from dataclasses import replace

import numpy as np
import pytest

from db.people import PersonFound
from db.records import Vector
from function.engines.models import PRIMARY
from function.engines.protocol import Box
from function.errors import ResultGoneError
from function.faces.face import Face
from function.media.images import encode_jpeg
from function.web.results import (
    KEPT_SECONDS,
    MOST_ENCODINGS,
    MOST_RESULTS,
    MOST_VIDEOS,
    RecentResults,
    choose_views,
)
from tests.support.galleries import made_up_vector
from tests.support.people import person_of


def face(
    number: int, encoding: Vector, quality: float = 0.9, weaknesses: tuple[str, ...] = ()
) -> Face:
    box = Box(0, 0, 99, 99)
    return Face(
        frame=number,
        seconds=float(number),
        until_seconds=number + 1.0,
        box=box,
        detection_score=1.0,
        encoding=encoding,
        quality=quality,
        weaknesses=weaknesses,
        crop=b"\xff\xd8",
    )


def person(*faces: Face) -> PersonFound:
    return person_of(faces)


PICTURE = encode_jpeg(np.zeros((64, 64, 3), np.uint8))


def test_a_result_is_found_by_its_id_and_by_no_other() -> None:
    results = RecentResults()
    someone = person(face(0, made_up_vector(1)), face(3, made_up_vector(2)))
    result_id = results.keep("sub/a.mp4", [someone], PRIMARY)
    (sighting,) = results.find(result_id).people
    assert [one.origin for one in sighting.encodings] == [
        "confirmed from a.mp4 at 0.0 s",
        "confirmed from a.mp4 at 3.0 s",
    ]
    with pytest.raises(ResultGoneError, match="Identify the video again"):
        results.find(result_id[:-1])


def test_views_are_kept_with_the_encodings_of_the_second_model_there_is() -> None:
    results = RecentResults()
    again = replace(face(0, made_up_vector(1)), second=np.ones(64, np.float32))
    someone = person(again, face(3, made_up_vector(2)))
    for second, models in (("own/1", [PRIMARY.id, "own/1", PRIMARY.id]), (None, [PRIMARY.id] * 2)):
        kept = results.find(results.keep("a.mp4", [someone], PRIMARY, second))
        assert [one.model for one in kept.people[0].encodings] == models


def test_results_are_kept_for_a_bounded_time_and_number() -> None:
    now = [0.0]
    results = RecentResults(clock=lambda: now[0])
    ids = [results.keep("a.mp4", [], PRIMARY) for _ in range(MOST_RESULTS + 1)]
    with pytest.raises(ResultGoneError):
        results.find(ids[0])
    assert results.find(ids[1]).video == "a.mp4"
    now[0] = KEPT_SECONDS + 1
    with pytest.raises(ResultGoneError):
        results.find(ids[1])


def test_the_best_views_are_worth_enrolling_and_a_held_shot_counts_once() -> None:
    held = made_up_vector(1)
    close = (held + np.float32(0.005)).astype(np.float32)
    faces = [face(0, held, 0.5), face(1, close, 0.8), face(2, made_up_vector(2), 0.6)]
    views = choose_views(person(*faces))
    assert [(view.seconds, view.quality, view.faces) for view in views] == [
        (1, 0.8, 2),
        (2, 0.6, 1),
    ]


def test_the_view_of_the_best_face_is_kept_with_the_picture() -> None:
    faces = [face(at, made_up_vector(at), quality) for at, quality in ((0, 0.5), (1, 0.8))]
    someone = replace(person(*faces), picture=PICTURE)
    results = RecentResults()
    (kept,) = results.find(results.keep("a.mp4", [someone], PRIMARY)).people
    assert [(one.origin[-5:], one.face) for one in kept.encodings] == [
        ("1.0 s", PICTURE),
        ("0.0 s", b""),
    ]


def test_weak_faces_are_enrolled_only_where_there_is_no_other_and_never_many() -> None:
    weak = [face(number, made_up_vector(number), 0.9, ("blurred",)) for number in range(30, 33)]
    good = [face(number, made_up_vector(number)) for number in range(2, 20)]
    (only,) = choose_views(person(*weak))
    assert only.weaknesses == ("blurred",)
    chosen = choose_views(person(*weak, *good))
    assert not any(view.is_weak for view in chosen)
    assert len(chosen) == MOST_ENCODINGS


def test_videos_to_play_push_each_other_out_but_no_result() -> None:
    results = RecentResults()
    result = results.keep("a.mp4", [], PRIMARY)
    played = [results.keep_video(f"{number}.mp4") for number in range(MOST_VIDEOS + 1)]
    assert results.find(result).video == "a.mp4"
    assert results.find(played[-1]).video == f"{MOST_VIDEOS}.mp4"
    with pytest.raises(ResultGoneError):
        results.find(played[0])


def test_a_video_can_be_played_for_as_long_as_a_result_is_kept() -> None:
    now = [0.0]
    results = RecentResults(clock=lambda: now[0])
    played = results.keep_video("a.mp4")
    now[0] = KEPT_SECONDS + 1
    with pytest.raises(ResultGoneError):
        results.find(played)
