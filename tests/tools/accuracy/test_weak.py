"""The scores of people seen only weakly, measured and fitted."""

from dataclasses import replace
from pathlib import Path

import pytest

from function.engines.protocol import Engine
from function.sources.records import UnusableSourceError
from tests.support.crowds import Crowd, make_face
from tests.tools.accuracy.test_kinds import folder  # noqa: F401  # two people, four photos each
from tools.accuracy import weak
from tools.accuracy.spoiling import SPOILS
from tools.accuracy.weak import Scores, Shown, WeakFigures, WeakFit, measure_weak, render_weak


def test_weak_faces_of_spoilt_photos_are_searched_for_with_their_person_enrolled_and_without(
    folder: Path,  # noqa: F811  # the fixture
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(weak, "DRAWN", 2)
    kept = {kind: SPOILS[kind] for kind in ("as it is", "blurred by 3 % of its width")}
    monkeypatch.setattr(weak, "SPOILS", kept)
    told: list[str] = []
    (figures,), fit = measure_weak([folder], engine, told.append)
    assert told == [f"reading and spoiling {folder.name}", "searching among 1"]
    assert (figures.performers, fit.people, fit.faces) == (1, 2, 2)
    # Either of one photo and of three enrolled; with the person, and with the other instead.
    assert figures.searches == 2 * 2 * fit.faces


def test_where_no_face_is_weak_there_is_nothing_to_measure(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    faces = tuple(map(make_face, Crowd().encodings(Crowd().person(), 3)))
    people = {name: Shown(faces, ()) for name in ("P0", "P1")}
    monkeypatch.setattr(weak, "_read", lambda *_: people)
    with pytest.raises(UnusableSourceError, match="No face is weak"):
        measure_weak([], engine, lambda _: None, None)


def _people(crowd: Crowd, *, alike: float) -> dict[str, Shown]:
    """Made-up people whose weak faces have come so much of the way to one and the same face."""
    anybody = crowd.middle + crowd.direction(0.1)
    people = {}
    for number in range(16):
        person = crowd.person()
        photos = crowd.encodings(person, 6)
        blurred = [
            make_face(one + alike * (anybody - one), weakness="blurred") for one in photos[3:]
        ]
        people[f"P{number}"] = Shown(tuple(map(make_face, photos[:3])), tuple(blurred))
    return people


def test_weak_faces_that_look_like_anybody_are_worth_little_and_others_more(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    fits = []
    for alike in (0.0, 0.5):
        people = _people(Crowd(2), alike=alike)
        monkeypatch.setattr(weak, "_read", lambda *_, people=people: people)
        figures, fit = measure_weak([], engine, lambda _: None, None)
        fits.append(fit)
    for one in figures:
        assert one.as_weak.calibration_error < one.as_if_well.calibration_error
        assert one.as_weak.sure_right > 0.9
        assert one.as_weak.sure_strangers < 0.05
    assert fits[1].held_apart < fits[1].shipped < fits[1].as_if_well
    assert fits[1].offset < fits[0].offset - 0.3


def test_the_report_is_a_table_and_what_was_fitted() -> None:
    scores = Scores(0.15, 0.74, 0.107)
    figures = WeakFigures(5, 2892, scores, replace(scores, calibration_error=0.017))
    lines = render_weak([figures], WeakFit(679, 75, -2.02, 0.97, 0.95, 0.722, 0.721)).splitlines()
    assert lines[2] == "| 5 | 2892 | as if seen well | 15.0 % | 74 % | 10.7 % |"
    assert lines[3] == "| 5 | 2892 | as weak | 1.7 % | 74 % | 10.7 % |"
    assert lines[5:] == [
        "679 weak faces of 75 people: offset -2.02, slope 0.97",
        "log loss as if seen well 0.950, people held apart 0.722",
        "with the numbers that ship 0.721",
    ]
