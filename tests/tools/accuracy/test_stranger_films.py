"""Photos made into films, to measure how strangers are grouped."""

import random
from dataclasses import replace
from pathlib import Path

from function.engines.protocol import Engine
from function.matching.second_models import SHIPPED_MODEL
from tests.support.crowds import Crowd, make_sources
from tools.accuracy.groups import GroupFigures
from tools.accuracy.labelled import read_dataset
from tools.accuracy.stranger_films import (
    FilmFigures,
    group_films,
    make_films,
    measure_stranger_films,
    render_stranger_films,
)


def test_every_photo_is_in_one_film_and_films_show_one_person() -> None:
    sources = make_sources(Crowd(), people=3, each=7)
    films = make_films(sources, 3, random.Random(1))
    assert sorted(len(film) for film in films) == [1, 1, 1, *[3] * 6]
    assert sorted(one.origin for film in films for one in film) == sorted(
        one.origin for one in sources
    )
    assert all(len({one.name for one in film}) == 1 for film in films)


def test_clips_stay_clips_and_what_has_no_face_is_left_out() -> None:
    first, second, third = make_sources(Crowd(), people=1, each=3)
    films = make_films(
        [replace(first, is_video=True), replace(second, faces=()), third], 3, random.Random(1)
    )
    assert sorted(film[0].origin for film in films) == [first.origin, third.origin]


def test_people_who_are_alike_every_day_are_grouped_without_fault() -> None:
    sources = make_sources(Crowd(), people=8, each=9, spread=0.1)
    (_, three, _) = measure_stranger_films(sources, None, rounds=2)
    assert three.photos == 3
    assert [(one.b_cubed_f, one.people_found) for one in three.drawings] == [(1.0, 8), (1.0, 8)]


def test_names_that_are_wrong_are_found_in_the_figures() -> None:
    sources = make_sources(Crowd(), people=2, each=6, spread=0.1)
    wrong = [replace(one, name="everyone") for one in sources]
    figures = group_films(make_films(wrong, 3, random.Random(1)), None)
    assert (figures.b_cubed_precision, figures.b_cubed_recall) == (1.0, 0.5)


def test_the_table_has_the_mean_of_all_drawings() -> None:
    one, other = (
        GroupFigures(1.0, recall, 0.0, found, 7) for recall, found in ((0.5, 8), (0.7, 9))
    )
    table = render_stranger_films(iter([FilmFigures(3, (one, other))]))
    assert table.splitlines()[-1] == "| 3 | 100.00% | 60.0% | 8.5 | 7 |"


def test_people_who_look_alike_stay_two(development_data: Path, engine: Engine) -> None:
    found = read_dataset(development_data / "people" / "photos" / "kpop", engine)
    (_, three, five) = measure_stranger_films(found.sources, SHIPPED_MODEL, rounds=3)
    for one in (*three.drawings, *five.drawings):
        assert one.b_cubed_precision == 1
        assert one.b_cubed_recall > 0.95
