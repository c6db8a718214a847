"""Films measured from end to end, and how the figures are counted."""

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from db.models import Fusion
from db.snapshots import Snapshot
from function.engines.loading import load_engine
from function.engines.models import BOTH_BEFORE
from function.engines.protocol import Engine
from function.faces.found import StageSeconds
from function.people.gathering import PeopleFound
from function.people.links import Link
from function.recognition import Recognition, name_people
from function.settings import Settings
from tests.support.crowds import Crowd, make_face, make_gallery
from tests.support.people import person_of
from tools.accuracy import film_figures
from tools.accuracy.casts import make_cast, read_cast
from tools.accuracy.film_figures import (
    FilmEvaluation,
    FilmFigures,
    _compare,
    _Film,
    _name,
    _Person,
    _sum_up,
    measure_films,
    render_films,
)
from tools.accuracy.films import Shown
from tools.accuracy.labelled import Dataset

SHOWN = (
    Shown("A", 0.0, 4.0),
    Shown("B", 4.0, 6.0),
    Shown("A", 6.0, 8.0),
    Shown("C", 8.0, 10.0),
    Shown("D", 10.0, 11.0),
)


def test_a_film_of_three_people_is_measured_with_and_without_joining(
    clip_folder: Path, clips: Dataset, engine: Engine, tmp_path: Path
) -> None:
    cast = make_cast(clip_folder, clips, random.Random(1))
    told: list[str] = []
    evaluation = measure_films(
        cast,
        engine,
        Settings(),
        films=1,
        every=(1.0,),
        keep=tmp_path / "kept",
        report=told.append,
    )
    joined, apart = evaluation.rows
    assert (joined.is_joined, apart.is_joined) == (True, False)
    assert joined.found <= apart.found
    for row in (joined, apart):
        assert (row.every_seconds, row.there, row.performers, row.strangers) == (1.0, 3, 2, 1)
        assert (row.missed, row.mixed, row.unlabelled) == (0, 0, 0)
        assert row.named_once + row.named_twice == 2
        assert (row.named_wrong, row.strangers_named) == (0, 0)
    assert joined.ratio == 1.0
    assert 0.7 < joined.overlap <= 1.0
    assert joined.overlap_named is not None
    assert told == [f"film 1 of 1: {evaluation.film_seconds:.0f} s"]
    truth = json.loads((tmp_path / "kept" / "film-1.json").read_text())
    assert truth[-1]["end_seconds"] == evaluation.film_seconds
    assert (tmp_path / "kept" / "film-1.mp4").exists()


def test_films_are_measured_with_the_second_net_that_is_asked_for(
    clip_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(second_encoder="sface")
    engine = load_engine("auto", settings.engine_options)
    cast = read_cast(clip_folder, engine, random.Random(1))
    compared: set[Fusion] = set()

    def watch(found: PeopleFound, gallery: Snapshot, *asked: Any) -> Recognition:
        compared.update(one.fusion for one in gallery.fused)
        return name_people(found, gallery, *asked)

    monkeypatch.setattr(film_figures, "name_people", watch)
    joined, _ = measure_films(cast, engine, settings, films=1, every=(1.0,)).rows
    assert compared == {BOTH_BEFORE}
    assert (joined.named_once, joined.not_named, joined.strangers_named) == (2, 0, 0)


def test_fragments_are_joined_or_left_apart() -> None:
    crowd = Crowd()
    turned, other = (person_of([make_face(crowd.person(), frame)]) for frame in (1, 4))
    seen = person_of([make_face(crowd.person(), frame) for frame in (0, 2)])
    links = (Link(0.5, 0, 1),)
    found = PeopleFound((seen, turned, other), ("model",), 5, 4, StageSeconds(0, 0), links)
    film = _Film(found, (("A", "A"), ("A",), ("B",)))
    gallery = make_gallery([crowd.encodings(crowd.person(), 3)])
    joined, apart = (_name(film, gallery, Settings(), is_joined=joined) for joined in (True, False))
    assert [one.true_name for one in joined] == ["A", "B"]
    assert [one.true_name for one in apart] == ["A", "A", "B"]
    wrong = replace(film, true_names=(("A", "A"), ("B",), ("B",)))
    mixed = _name(wrong, gallery, Settings(), is_joined=True)
    assert [(one.true_name, one.is_mixed) for one in mixed] == [("A", True), ("B", False)]


def test_names_are_counted_once_twice_not_and_wrong() -> None:
    people = [
        _Person("A", "A", is_mixed=False, spans=((0.0, 4.0),)),
        _Person("A", "A", is_mixed=True, spans=((6.0, 8.0),)),
        _Person("B", "A", is_mixed=False, spans=((4.0, 6.0),)),
        _Person("D", "A", is_mixed=False, spans=((10.0, 11.0),)),
        _Person(None, None, is_mixed=False, spans=((3.0, 4.0),)),
    ]
    outcome = _compare(people, SHOWN, {"A", "B", "C"})
    assert (outcome.there, outcome.found, outcome.missed) == (4, 5, 1)
    assert (outcome.mixed, outcome.unlabelled) == (1, 1)
    assert outcome.named == (2, 0, 0)
    assert (outcome.named_wrong, outcome.strangers, outcome.strangers_named) == (1, 1, 1)
    figures = _sum_up(None, [outcome, outcome], is_joined=True)
    assert (figures.named_once, figures.named_twice, figures.not_named) == (0, 2, 4)
    assert (figures.there, figures.found, figures.ratio) == (8, 10, 1.25)


@pytest.mark.parametrize(
    ("spans", "overlap"),
    [
        (((0.0, 4.0), (6.0, 8.0)), 1.0),
        (((0.0, 3.0),), 3 / 6),
        (((0.0, 8.0),), 6 / 8),  # the other's shot between counts against it
        (((0.0, 2.0), (1.0, 4.0)), 4 / 6),  # two fragments count once where they overlap
        (((8.0, 10.0),), 0.0),
    ],
)
def test_an_overlap_is_shared_time_over_time_of_either(
    spans: tuple[tuple[float, float], ...], overlap: float
) -> None:
    outcome = _compare([_Person("A", "A", is_mixed=False, spans=spans)], SHOWN, {"A"})
    assert outcome.overlaps[0] == pytest.approx(overlap)
    assert outcome.overlaps_named == pytest.approx((overlap,))
    assert outcome.overlaps[1:] == (0.0, 0.0, 0.0), "nobody found overlaps with nothing"


def test_the_table_has_a_row_for_each_interval_and_way() -> None:
    figures = FilmFigures(
        every_seconds=None,
        is_joined=True,
        there=62,
        found=64,
        ratio=64 / 62,
        missed=1,
        mixed=0,
        unlabelled=2,
        performers=30,
        named_once=29,
        named_twice=0,
        not_named=1,
        named_wrong=0,
        strangers=32,
        strangers_named=0,
        overlap=0.912,
        overlap_named=None,
    )
    table = render_films(FilmEvaluation(8, 1, 640.0, 27, 13, (figures,), ()))
    assert table.splitlines()[-1] == (
        "| auto | joined | 64 / 62 = 1.03 | 1 | 0 | 29, 0, 1 | 0 | 0 of 32 | 0.91 | - |"
    )
