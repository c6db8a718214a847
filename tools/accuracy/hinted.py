"""Measures what hints do: true ones, those of namesakes, and the worst, those of look-alikes.

Photographs have no scenes, so hints are made up. Every search is run four times: without hints;
with hints as a library may have them; with the name of somebody else in every path, drawn at
random; and with the name of whoever looks most like the person, which is the worst a name can do.
A tag in Stash counts like a name in a path, and is not measured apart.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias, get_args

from db.models import EncodingModel
from function.matching.hints import Hint, hint_alike
from function.matching.matches import Identification
from function.sources.records import UnusableSourceError
from tools.accuracy.crowds import add_crowd
from tools.accuracy.evaluate import SEED, SETTINGS, Report, Setting, too_few
from tools.accuracy.figures import SearchFigures, count_verdicts, measure_searches
from tools.accuracy.folds import Folds, fit_folds
from tools.accuracy.fusions import SHIPPED_NET, SecondNet
from tools.accuracy.intervals import Estimate
from tools.accuracy.outcomes import TrialOutcome
from tools.accuracy.reliabilities import estimate_calibration_error
from tools.accuracy.sets import LabelledSet, add_mixed
from tools.accuracy.tables import format_estimate
from tools.accuracy.trials import Trial, make_trials, outcome_of, search

Hinting: TypeAlias = Literal["none", "as in a library", "a namesake's", "a look-alike's"]

HINTINGS: tuple[Hinting, ...] = get_args(Hinting)

TRUE_SHARE, WRONG_SHARE, NAMESAKE_SHARE = 0.5, 0.1, 0.2
"""As in a library: half of the searches for people who are enrolled have the right name in the path
and a tenth a wrong one; a fifth of those for strangers have the name of somebody enrolled."""


@dataclass(frozen=True)
class HintFigures:
    """How searches in one setting fared with hints of one kind."""

    setting: Setting
    hinting: Hinting
    searches: SearchFigures
    uncertain: Estimate
    calibration_error: Estimate


def measure_hints(
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
) -> list[HintFigures]:
    """Measure searches in one gallery of everyone, with each kind of hints.

    The options are those of `evaluate`; `net` is one that ships.

    Raises:
        UnusableSourceError: there are too few people for any setting, or for the folds.
    """
    datasets = [one.dataset for one in sets]
    fitted = fit_folds(datasets, model, folds=folds, on=on, seed=SEED, report=report, net=net)
    fusion = net.model.fusion if net.model else None
    sources = add_mixed(sets)[-1].dataset.with_left_out()
    figures = list[HintFigures]()
    for setting in settings:
        report(f"measuring {setting}")
        drawn = make_trials(
            sources,
            model,
            enrol=setting.enrol,
            probe=setting.probe,
            rounds=rounds,
            seed=SEED,
            fusion=fusion,
        )
        outcomes = _run_trials(list(drawn), fitted, crowd)
        figures += [_measure(setting, *one) for one in outcomes.items() if one[1]]
    if not figures:
        raise UnusableSourceError(too_few(settings))
    return figures


def render_hints(figures: Sequence[HintFigures]) -> str:
    """Format the figures as a Markdown table, ending in a newline."""
    head = ["enrolled / searched for", "hints", "named right", "named wrong", "uncertain"]
    lines = [[*head, "strangers named", "calibration error"], ["---"] * 7]
    for one in figures:
        cells = (
            *(one.searches.named_right, one.searches.named_wrong, one.uncertain),
            *(one.searches.strangers_named, one.calibration_error),
        )
        setting = f"{one.setting.enrol} / {one.setting.probe}"
        lines.append([setting, one.hinting, *(format_estimate(cell) for cell in cells)])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _run_trials(
    trials: Sequence[Trial], fitted: Folds, crowd: int
) -> dict[Hinting, list[TrialOutcome]]:
    """Run each trial with each kind of hints."""
    outcomes: dict[Hinting, list[TrialOutcome]] = {hinting: [] for hinting in HINTINGS}
    for trial, other in zip(add_crowd(trials, crowd), _draw_others(trials), strict=True):
        densities = fitted.densities_for(trial.name)
        alone = search(trial, densities)
        for hinting, hints in _hint(trial, alone, other):
            found = search(trial, densities, hints) if hints else alone
            outcomes[hinting].append(outcome_of(trial, found))
    return outcomes


@dataclass(frozen=True)
class _Other:
    """Somebody else's name for a search, and a number from 0 to 1 that decides on its hint."""

    name: str
    luck: float


def _draw_others(trials: Sequence[Trial]) -> list[_Other]:
    """Draw the name of another person of the trials for each of them."""
    shuffler = random.Random(SEED)  # noqa: S311  # names are drawn, not secrets
    names = sorted({trial.name for trial in trials})
    return [
        _Other(shuffler.choice([name for name in names if name != trial.name]), shuffler.random())
        for trial in trials
    ]


def _hint(
    trial: Trial, alone: Identification | None, other: _Other
) -> Iterator[tuple[Hinting, tuple[Hint, ...]]]:
    """Yield each kind of hints for a search; `alone` is what it finds without them."""
    yield "none", ()
    yield "as in a library", _name(trial, _in_a_library(trial, other))
    yield "a namesake's", _name(trial, other.name)
    matches = alone.matches if alone else ()
    names = [match.performer.name for match in matches if match.performer.name != trial.name]
    yield "a look-alike's", _name(trial, names[0] if names else "")


def _in_a_library(trial: Trial, other: _Other) -> str:
    """Say whose name stands in the path of a search; nobody's is ""."""
    if not trial.enrolled:
        return other.name if other.luck < NAMESAKE_SHARE else ""
    if other.luck < TRUE_SHARE:
        return trial.name
    return other.name if other.luck < TRUE_SHARE + WRONG_SHARE else ""


def _name(trial: Trial, name: str) -> tuple[Hint, ...]:
    performers = trial.gallery.performers
    return hint_alike([one.id for one in performers if one.name == name], "path")


def _measure(setting: Setting, hinting: Hinting, outcomes: Sequence[TrialOutcome]) -> HintFigures:
    return HintFigures(
        setting=setting,
        hinting=hinting,
        searches=measure_searches(
            [outcome.name for outcome in outcomes], [outcome.ours for outcome in outcomes]
        ),
        uncertain=count_verdicts(outcomes)["enrolled"]["uncertain"],
        calibration_error=estimate_calibration_error(outcomes),
    )
