"""Measures on labelled libraries how well people are named and grouped, next to the reference.

Each folder is a set, and with several there is one more, of everyone. Trials shuffle the sources
with a fixed seed, so the same library always gives the same figures.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from itertools import product
from typing import Any, TypeAlias

from db.models import EncodingModel
from function.matching.densities import Densities
from function.sources.records import UnusableSourceError
from tools.accuracy.crowds import add_crowd
from tools.accuracy.figures import (
    CurvePoint,
    SearchFigures,
    count_verdicts,
    draw_curve,
    measure_searches,
)
from tools.accuracy.folds import Folds, fit_folds
from tools.accuracy.fusions import SHIPPED_NET, SecondNet
from tools.accuracy.groups import GroupFigures, group_our_way, measure_grouping
from tools.accuracy.intervals import Estimate
from tools.accuracy.labelled import Dataset, LeftOut
from tools.accuracy.outcomes import TrialOutcome
from tools.accuracy.reference import group_greedily
from tools.accuracy.reliabilities import Reliability, estimate_calibration_error, measure_scores
from tools.accuracy.sets import LabelledSet, add_mixed
from tools.accuracy.trials import FEWEST_PEOPLE, make_trials, run_trials

Report: TypeAlias = Callable[[str], None]
"""Is told in a line what is being done."""


@dataclass(frozen=True)
class Setting:
    """How many photos or clips of each person are enrolled, and searched for at a time."""

    enrol: int
    probe: int

    def __str__(self) -> str:
        return f"{self.enrol} enrolled, {self.probe} searched for at a time"


SETTINGS = (Setting(1, 1), Setting(1, 3), Setting(3, 1), Setting(3, 3))
"""The settings that are measured unless one is asked for."""

SEED = 1


@dataclass(frozen=True)
class SetFigures:
    """What a set holds, and how its faces are grouped; `left_out` counts files without a face."""

    name: str
    people: int
    sources: int
    faces: int
    left_out: int
    groups: GroupFigures
    reference_groups: GroupFigures


@dataclass(frozen=True)
class Row:
    """What was measured on one set in one setting; `reference`: nearest face within 0.6.

    `people` counts those searched for, and `without_face` the searches without a usable face, of
    which half are for strangers.
    """

    set_name: str
    enrolled_from: int
    looked_for: int
    people: int
    without_face: int
    searches: SearchFigures
    reference_searches: SearchFigures
    verdicts: dict[str, dict[str, Estimate]]
    calibration_error: Estimate
    reliability: Reliability
    curve: tuple[CurvePoint, ...]


@dataclass(frozen=True)
class Evaluation:
    """All rows, set by set; `fitted` holds the densities of each fold, and is empty without folds.

    `crowd` is the number of made-up performers in each gallery; `skipped` says which rows are
    missing because too few people have enough photos.
    """

    rounds: int
    crowd: int
    fitted: tuple[tuple[Densities, ...], ...]
    sets: tuple[SetFigures, ...]
    rows: tuple[Row, ...]
    skipped: tuple[str, ...]
    left_out: tuple[LeftOut, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the figures as plain dictionaries, lists and numbers."""
        return asdict(self)


def evaluate(
    sets: Sequence[LabelledSet],
    model: EncodingModel,
    *,
    on: date,
    settings: Sequence[Setting] = SETTINGS,
    rounds: int = 5,
    folds: int = 0,
    crowd: int = 0,
    net: SecondNet = SHIPPED_NET,
    report: Report = lambda _: None,
) -> Evaluation:
    """Measure naming and grouping on labelled sets, in `rounds` shuffles of each.

    With `folds`, nobody is searched for with densities that were fitted on them; `on` is the day
    of these fits. A `crowd` of made-up performers is added to galleries of the set of everyone,
    which alone is measured then. `net` says which second encodings; `report` is told what happens.

    Raises:
        UnusableSourceError: there are too few people for any setting, or for the folds.
    """
    datasets = [one.dataset for one in sets]
    fitted = fit_folds(datasets, model, folds=folds, on=on, seed=SEED, report=report, net=net)
    everything = add_mixed(sets)[-1 if crowd else 0 :]
    rows, skipped = _measure_all(
        everything, model, settings, fitted, (rounds, crowd), report=report
    )
    if not rows:
        raise UnusableSourceError(too_few(settings))
    return Evaluation(
        rounds=rounds,
        crowd=crowd,
        fitted=fitted.densities,
        sets=tuple(_describe(one, model) for one in everything),
        rows=tuple(rows),
        skipped=tuple(skipped),
        left_out=everything[-1].dataset.left_out,
    )


def _measure_all(
    sets: Sequence[LabelledSet],
    model: EncodingModel,
    settings: Sequence[Setting],
    folds: Folds,
    size: tuple[int, int],
    *,
    report: Callable[[str], None],
) -> tuple[list[Row], list[str]]:
    """Measure every set in every setting; say which had too few people with enough photos."""
    rows, skipped = list[Row](), list[str]()
    for one, setting in product(sets, settings):
        report(f"measuring {one.name}, {setting}")
        outcomes = _run_trials(one.dataset, model, setting, folds, size)
        rows += [_measure(one.name, setting, outcomes)] if outcomes else []
        skipped += [] if outcomes else [f"{one.name}, {setting}"]
    return rows, skipped


def _run_trials(
    dataset: Dataset, model: EncodingModel, setting: Setting, folds: Folds, size: tuple[int, int]
) -> list[TrialOutcome]:
    """Run the trials of one set and setting; `size` is rounds, and made-up performers."""
    rounds, crowd = size
    outcomes: list[TrialOutcome] = []
    for fusion, people in folds.people_by_fusion():
        trials = make_trials(
            dataset.with_left_out(),
            model,
            enrol=setting.enrol,
            probe=setting.probe,
            rounds=rounds,
            seed=SEED,
            fusion=fusion,
            only=people,
        )
        outcomes += run_trials(add_crowd(trials, crowd), folds.densities_for)
    return outcomes


def _measure(set_name: str, setting: Setting, outcomes: Sequence[TrialOutcome]) -> Row:
    names = [outcome.name for outcome in outcomes]
    ours = [outcome.ours for outcome in outcomes]
    return Row(
        set_name=set_name,
        enrolled_from=setting.enrol,
        looked_for=setting.probe,
        people=len(set(names)),
        without_face=sum(not outcome.found_face for outcome in outcomes),
        searches=measure_searches(names, ours),
        reference_searches=measure_searches(names, [outcome.reference for outcome in outcomes]),
        verdicts=count_verdicts(outcomes),
        calibration_error=estimate_calibration_error(outcomes),
        reliability=measure_scores(outcomes),
        curve=draw_curve(ours),
    )


def _describe(one: LabelledSet, model: EncodingModel) -> SetFigures:
    sources = one.dataset.sources
    return SetFigures(
        name=one.name,
        people=len({source.name for source in one.dataset.with_left_out()}),
        sources=len(sources),
        faces=sum(len(source.faces) for source in sources),
        left_out=len(one.dataset.left_out),
        groups=measure_grouping(sources, lambda faces: group_our_way(faces, model)),
        reference_groups=measure_grouping(
            [source.for_usual_way() for source in sources], group_greedily
        ),
    )


def too_few(settings: Sequence[Setting]) -> str:
    """Say that there are too few people or photos for any of the settings."""
    fewest = min(setting.enrol for setting in settings)
    return (
        f"Measuring needs {FEWEST_PEOPLE} people with {fewest + 1} photos or clips each, {fewest} "
        "of them usable, and fewer have them here. Add some, or enrol fewer (--enrol)."
    )
