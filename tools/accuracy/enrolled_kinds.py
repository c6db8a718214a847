"""Measures what spoilt photographs are worth when they are enrolled: alone, and next to a good one.

Of each person one photograph is enrolled as it is and another spoilt, or only the spoilt one; four
others are searched for as they are, with the person enrolled and as a stranger.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from db.snapshots import Snapshot
from function.engines.protocol import Engine
from function.enrolling.choosing import choose_face
from function.enrolling.search import search_picture
from function.faces.face import Face
from function.matching.second_models import SHIPPED_MODEL, SecondModel
from function.media.photos import PhotoRefusedError
from tools.accuracy.kinds import ENROLLED, Portrait, read_portraits
from tools.accuracy.labelled import Source
from tools.accuracy.outcomes import TrialOutcome
from tools.accuracy.spoiling import SPOILS
from tools.accuracy.trials import Trial, make_gallery, run_trial

HEADINGS = (
    "| enrolled photo | enrolled | alone: named right | strangers named "
    "| next to a good one: named right | strangers named |"
)


@dataclass(frozen=True)
class EnrolledFigures:
    """How searches fared with photographs enrolled that were spoilt in one way; all are shares.

    `accepted` is the share of spoilt photographs that were enrolled. Whoever's only photograph was
    refused cannot be named.
    """

    kind: str
    accepted: float
    alone_named_right: float
    alone_strangers_named: float
    beside_named_right: float
    beside_strangers_named: float


@dataclass(frozen=True, eq=False)
class _Searches:
    """Everybody's photographs, of which those after the enrolled are searched for, and the nets."""

    people: Mapping[str, Sequence[Portrait]]
    engine: Engine
    second: SecondModel | None


def measure_enrolled_kinds(
    folder: Path,
    engine: Engine,
    report: Callable[[str], None],
    second: SecondModel | None = SHIPPED_MODEL,
) -> list[EnrolledFigures]:
    """Measure every way of spoiling on a folder of photos by name; `report` is told which.

    `second` is the model of the engine's second encoder.

    Raises:
        UnusableSourceError: fewer than two people have enough photos with a face.
    """
    report(f"reading {folder.name}")
    people = read_portraits(folder, engine)
    good = {name: [own[0].face] for name, own in people.items()}
    searches = _Searches(people, engine, second)
    figures = []
    for kind in SPOILS:
        report(f"measuring enrolled faces: {kind}")
        spoilt = {name: _enrol(own[1], kind, engine) for name, own in people.items()}
        beside = {name: [*good[name], *faces] for name, faces in spoilt.items()}
        accepted = sum(map(len, spoilt.values())) / len(people)
        alone = _measure(searches, spoilt)
        figures.append(EnrolledFigures(kind, accepted, *alone, *_measure(searches, beside)))
    return figures


def render_enrolled_kinds(figures: Sequence[EnrolledFigures]) -> str:
    """Format the figures as a Markdown table, ending in a newline."""
    lines = [HEADINGS, "| --- | --- | --- | --- | --- | --- |"]
    lines += [
        f"| {one.kind} | {100 * one.accepted:.0f} % | {100 * one.alone_named_right:.0f} % "
        f"| {100 * one.alone_strangers_named:.1f} % | {100 * one.beside_named_right:.0f} % "
        f"| {100 * one.beside_strangers_named:.1f} % |"
        for one in figures
    ]
    return "".join(f"{line}\n" for line in lines)


def _enrol(portrait: Portrait, kind: str, engine: Engine) -> list[Face]:
    """Return the face that an import would enrol, or none."""
    spoilt = SPOILS[kind](portrait.picture, portrait.face.box)
    try:
        return [choose_face(search_picture(spoilt, engine))]
    except PhotoRefusedError:
        return []


def _measure(searches: _Searches, enrolled: Mapping[str, Sequence[Face]]) -> tuple[float, float]:
    """Return the share of searches that name right, and of those for strangers that name."""
    outcomes = [one for name in searches.people for one in _search(name, searches, enrolled)]
    known = [one.ours.named and one.ours.first_is_right for one in outcomes if one.ours.enrolled]
    strangers = [one.ours.named for one in outcomes if not one.ours.enrolled]
    return float(np.mean(known)), float(np.mean(strangers))


def _search(
    name: str, searches: _Searches, enrolled: Mapping[str, Sequence[Face]]
) -> list[TrialOutcome]:
    model, second = searches.engine.encoder.model, searches.second
    fusion, densities = (second.fusion, second.all_densities()) if second else (None, None)
    sources = {
        key: [Source(key, "", (face,), is_video=False) for face in faces]
        for key, faces in enrolled.items()
    }
    everyone = make_gallery(sources, model, fusion)
    rest = {key: one for key, one in sources.items() if key != name}
    others = make_gallery(rest, model, fusion)
    trials = [
        _trial(name, probe, gallery, is_enrolled=gallery is everyone)
        for probe in searches.people[name][ENROLLED:]
        for gallery in (everyone, others)
    ]
    return [run_trial(trial, densities) for trial in trials]


def _trial(name: str, probe: Portrait, gallery: Snapshot, *, is_enrolled: bool) -> Trial:
    # In an empty gallery nobody can be found: that is a search without a face.
    faces = (probe.face,) if len(gallery.vectors) else ()
    return Trial(name, faces, gallery, is_enrolled, faces, gallery)
