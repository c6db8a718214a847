"""Measures the scores of people who are seen only weakly, and fits what they are worth.

Photographs are spoilt as in `kinds`. Those in which the face is weak are searched for in galleries
of several sizes, with their person enrolled by one photograph or by three, and as a stranger.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from function.engines.protocol import Engine
from function.faces.face import Face
from function.matching.densities import (
    Densities,
    Numbers,
    calibrated,
    densities_of,
    size_terms,
    weaken,
)
from function.matching.second_models import SHIPPED_MODEL, SecondModel
from function.sources.records import UnusableSourceError
from tools.accuracy.kinds import ENROLLED, Portrait, read_portraits, spoil
from tools.accuracy.labelled import Source
from tools.accuracy.ratios import Table, log_losses, probabilities, tabulate
from tools.accuracy.reliabilities import measure_reliability
from tools.accuracy.spaces import Compared, space_of
from tools.accuracy.spoiling import SPOILS
from tools.accuracy.trials import Trial, make_gallery

SIZES = (2, 5, 20)
"""Performers in a gallery; the largest holds everyone but the person searched for."""

DRAWN = 75
"""This many people are searched for in galleries of each size, at least."""

FOLDS = 5
SURE_FROM = 0.8

HEADINGS = (
    "| performers | searches | scored | calibration error | right, from 80 on "
    "| strangers, from 80 on |"
)

USUAL, SPREAD = np.array([0.0, 1.0]), 3.0
"""Where offset and slope are expected before anything is tried: as for somebody seen well. It
weighs as much as one person."""


@dataclass(frozen=True, eq=False)
class Shown:
    """Somebody's unspoilt photographs to enrol, and the weak faces to search for."""

    enrolled: tuple[Face, ...]
    weak: tuple[Face, ...]


@dataclass(frozen=True)
class Scores:
    """How scores fared: the calibration error, and the shares that have 80 or more."""

    calibration_error: float
    sure_right: float
    sure_strangers: float


@dataclass(frozen=True)
class WeakFigures:
    """Searches in galleries of one size, scored as if seen well, and as weak people are."""

    performers: int
    searches: int
    as_if_well: Scores
    as_weak: Scores


@dataclass(frozen=True)
class WeakFit:
    """The likeliest numbers, and log losses: as if seen well, people held apart, as it ships."""

    faces: int
    people: int
    offset: float
    slope: float
    as_if_well: float
    held_apart: float
    shipped: float


def measure_weak(
    folders: Sequence[Path],
    engine: Engine,
    report: Callable[[str], None],
    second: SecondModel | None = SHIPPED_MODEL,
) -> tuple[list[WeakFigures], WeakFit]:
    """Measure and fit on folders of photos by name, all people together.

    Raises:
        UnusableSourceError: fewer than two people of a folder have enough photos with a face, or
            nobody's face is weak in any of them.
    """
    people = _read(folders, engine, report)
    if not any(one.weak for one in people.values()):
        raise UnusableSourceError(
            "No face is weak in any of these photos, however they are spoilt."
        )
    model = engine.encoder.model
    compared: Compared = second.fusion if second else model
    own = second.all_densities() if second else None
    densities = own[-1] if own else densities_of(space_of(compared).id)
    figures, tables = [], []
    trials: list[Trial] = []
    for size in sorted({*(one for one in SIZES if one < len(people) - 1), len(people) - 1}):
        report(f"searching among {size}")
        drawn = list(_make_trials(people, size, engine, second))
        tables.append(tabulate(drawn, model, compared, densities))
        figures.append(_measure(size, tables[-1], densities))
        trials += drawn
    return figures, _fit(tables, [trial.name for trial in trials], people, densities)


def _read(
    folders: Sequence[Path], engine: Engine, report: Callable[[str], None]
) -> dict[str, Shown]:
    people = {}
    for folder in folders:
        report(f"reading and spoiling {folder.name}")
        for name, own in read_portraits(folder, engine).items():
            people[f"{folder.name}/{name}"] = _spoil_all(own, engine)
    return people


def _spoil_all(own: Sequence[Portrait], engine: Engine) -> Shown:
    spoilt = [
        face
        for kind in SPOILS
        for portrait in own[ENROLLED:]
        for face in spoil(portrait, kind, engine)
    ]
    return Shown(
        tuple(portrait.face for portrait in own[:ENROLLED]),
        tuple(face for face in spoilt if face.is_weak),
    )


def _make_trials(
    people: Mapping[str, Shown], size: int, engine: Engine, second: SecondModel | None
) -> Iterator[Trial]:
    """Search for everyone drawn among `size` others, and among as many with the person."""
    model, fusion = engine.encoder.model, second.fusion if second else None
    shuffler = random.Random(size)  # noqa: S311  # the same galleries each time
    for photos in (1, ENROLLED):
        for _ in range(-(-DRAWN // (size + 1))):
            names = shuffler.sample(sorted(people), size + 1)
            sources = {
                name: [Source(name, "", people[name].enrolled[:photos], is_video=False)]
                for name in names
            }
            for place, name in enumerate(names):
                for left_out in (names[place - 1], name):
                    others = {key: one for key, one in sources.items() if key != left_out}
                    gallery = make_gallery(others, model, fusion)
                    for face in people[name].weak:
                        yield Trial(name, (face,), gallery, left_out != name, (face,), gallery)


def _measure(size: int, table: Table, densities: Densities) -> WeakFigures:
    logs = _as_if_well(table, densities)
    scores = [_score(table, one) for one in (logs, weaken(logs))]
    return WeakFigures(size, len(table.right), *scores)


def _as_if_well(table: Table, densities: Densities) -> Numbers:
    terms = size_terms(table.performers, densities)[:, None]
    return calibrated(table.logs, 1.0, densities, terms)


def _score(table: Table, logs: Numbers) -> Scores:
    likely = probabilities(table, logs)
    first = likely.max(axis=1, initial=0.0)
    is_right = likely.argmax(axis=1) == table.right
    is_sure = first >= SURE_FROM
    return Scores(
        measure_reliability(first, is_right.astype(np.float64), []).calibration_error,
        float((is_sure & is_right)[table.enrolled].mean()),
        float(is_sure[~table.enrolled].mean()),
    )


def _fit(
    tables: Sequence[Table],
    names: Sequence[str],
    people: Mapping[str, Shown],
    densities: Densities,
) -> WeakFit:
    """Fit on everyone, and, to see how well that holds for others, on all folds but one."""
    well = [_as_if_well(table, densities) for table in tables]
    fold = np.array([sorted(people).index(name) % FOLDS for name in names])

    def losses(*numbers: float) -> Numbers:
        weak = [weaken(logs, *numbers) for logs in well]
        return np.concatenate(list(map(log_losses, tables, weak)))

    def fit(chosen: NDArray[np.bool_]) -> Numbers:
        def surprise(numbers: Numbers) -> float:
            unexpected = np.square((numbers - USUAL) / SPREAD).sum() / 2
            return float(losses(*numbers)[chosen].mean() + unexpected / len(people))

        found: Numbers = minimize(surprise, USUAL, method="BFGS").x
        return found

    apart = np.concatenate([losses(*fit(fold != one))[fold == one] for one in range(FOLDS)])
    offset, slope = fit(np.ones(len(fold), np.bool_)).tolist()
    return WeakFit(
        faces=sum(len(one.weak) for one in people.values()),
        people=len(people),
        offset=round(offset, 2),
        slope=round(slope, 2),
        as_if_well=float(np.concatenate(list(map(log_losses, tables, well))).mean()),
        held_apart=float(apart.mean()),
        shipped=float(losses().mean()),
    )


def render_weak(figures: Sequence[WeakFigures], fit: WeakFit) -> str:
    """Format the figures as a Markdown table, and the fit as two lines, ending in a newline."""
    lines = [HEADINGS, "| --- | --- | --- | --- | --- | --- |"]
    for one in figures:
        for label, scores in (("as if seen well", one.as_if_well), ("as weak", one.as_weak)):
            lines.append(
                f"| {one.performers} | {one.searches} | {label} "
                f"| {100 * scores.calibration_error:.1f} % | {100 * scores.sure_right:.0f} % "
                f"| {100 * scores.sure_strangers:.1f} % |"
            )
    told = (
        f"{fit.faces} weak faces of {fit.people} people: offset {fit.offset}, slope {fit.slope}",
        f"log loss as if seen well {fit.as_if_well:.3f}, people held apart {fit.held_apart:.3f}",
        f"with the numbers that ship {fit.shipped:.3f}",
    )
    return "".join(f"{line}\n" for line in (*lines, "", *told))
