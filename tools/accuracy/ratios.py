"""Calibrates ratios of densities on trials, so that what they promise comes true.

See `function.matching.densities.calibrated`: five numbers, fitted by maximum likelihood of what
was true in each trial (Brummer and du Preez 2006).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, product

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar

from db.models import EncodingModel, Fusion
from function.matching.densities import Densities, Numbers, calibrated, size_terms
from function.matching.scores import PRIOR_ENROLLED, Comparison, compare
from function.people.people import person_of
from tools.accuracy.labelled import Source
from tools.accuracy.spaces import Compared, compare_in
from tools.accuracy.trials import Trial, make_small_trials, make_trials

CASES = ((1, 1), (1, 3), (3, 1), (3, 3))
"""Photos enrolled and searched for: the calibration must hold for few and for several."""

ROUNDS = 4

SMALL_SIZES, GALLERIES = (1, 2, 3, 5, 10), 100
"""What small galleries take back is fitted on so many performers drawn at random, in so many
galleries of each size. With fewer the draw decides."""

MOST_PERFORMERS = 20
"""Chosen, not fitted: among 20 and 40 people drawn at random nothing has to be taken back."""

NUMBERS = ("offset", "slope", "bend", "evidence_slope")

USUAL, SPREADS = np.array([0.0, 1.0, 0.0, 0.0]), np.array([10.0, 1.0, 10.0, 10.0])
"""Where the numbers are expected before anything is tried, and how far from there. It weighs
as much as one person: where everybody is told apart any slope would do, however large."""

SIZE_SLOPES = (0.0, 1.0)
"""At 0 a small gallery takes nothing back; among ten people who are all told apart less than that
seems right. At 1 it takes back all that a performer's larger share of the prior gives there, so the
same ratio never has a lower score in a smaller gallery."""

LEAST_LIKELY = 1e-6
"""Keeps one wrong label from deciding the fit."""


@dataclass(frozen=True, eq=False)
class _Tried:
    """One trial: the ratios, which of them is the right one (-1 for none), and whether enrolled."""

    logs: Numbers
    evidence: float
    right: int
    enrolled: bool
    performers: int


@dataclass(frozen=True, eq=False)
class Table:
    """All trials, a row each: logs, and which are there, (trials, candidates); else (trials,).

    `right` is the column of the right performer, -1 for none.
    """

    logs: Numbers
    is_there: NDArray[np.bool_]
    evidence: Numbers
    right: NDArray[np.intp]
    enrolled: NDArray[np.bool_]
    performers: Numbers


def fit_calibration(
    sources: Sequence[Source],
    model: EncodingModel,
    compared: Compared,
    densities: Densities,
    seed: int,
) -> Densities:
    """Return densities with the likeliest calibration for labelled sources."""
    fusion = compared if isinstance(compared, Fusion) else None
    everyone, small = (
        tabulate(make(sources, model, seed, fusion), model, compared, densities)
        for make in (_make_usual_trials, _make_small_trials)
    )
    people = len({source.name for source in sources})
    # First for large galleries, where it must hold as it is; then what small ones take back.
    fitted = _fit_usual(everyone, densities, people)
    most = max(1, min(MOST_PERFORMERS, int(everyone.performers.max(initial=1)) - 1))
    return _fit_size(small, replace(fitted, most_performers=most), people)


def _fit_usual(table: Table, densities: Densities, people: int) -> Densities:
    def surprise(numbers: Numbers) -> float:
        unexpected = np.square((numbers - USUAL) / SPREADS).sum() / 2
        return _surprise(table, _with(densities, numbers)) + float(unexpected / people)

    found = minimize(surprise, USUAL, method="BFGS")
    rounded = [round(float(number), 3) for number in found.x]
    return _with(densities, np.array(rounded))


def _fit_size(table: Table, densities: Densities, people: int) -> Densities:
    """Fit what the size adds; as above, no slope is expected, and it weighs as much as one."""
    if not len(table.logs):
        return densities

    def surprise(slope: float) -> float:
        return _surprise(table, replace(densities, size_slope=slope)) + slope**2 / 2 / people

    found = minimize_scalar(surprise, bounds=SIZE_SLOPES, method="bounded")
    return replace(densities, size_slope=round(float(found.x), 3))


def _make_usual_trials(
    sources: Sequence[Source], model: EncodingModel, seed: int, fusion: Fusion | None
) -> Iterator[Trial]:
    """Make trials in galleries of everyone."""
    for enrol, probe in CASES:
        yield from make_trials(
            sources, model, enrol=enrol, probe=probe, rounds=ROUNDS, seed=seed, fusion=fusion
        )


def _make_small_trials(
    sources: Sequence[Source], model: EncodingModel, seed: int, fusion: Fusion | None
) -> Iterator[Trial]:
    """Make trials in small galleries, of other people for each size and case."""
    for place, ((enrol, probe), performers) in enumerate(product(CASES, SMALL_SIZES)):
        yield from make_small_trials(
            sources,
            model,
            enrol=enrol,
            probe=probe,
            performers=performers,
            galleries=GALLERIES,
            seed=seed + place,
            fusion=fusion,
        )


def tabulate(
    trials: Iterable[Trial], model: EncodingModel, compared: Compared, densities: Densities
) -> Table:
    """Compare the probes of all trials that have faces, before calibration."""
    return _tabulate(_try_all(trials, model, compared, densities))


def _try_all(
    trials: Iterable[Trial], model: EncodingModel, compared: Compared, densities: Densities
) -> list[_Tried]:
    """Compare the probe of each trial that has faces, a person's in one gallery together."""
    tried: list[_Tried] = []
    for _, own in groupby(trials, lambda trial: trial.name):
        by_gallery = defaultdict[int, list[Trial]](list)
        for trial in own:
            if trial.faces:
                by_gallery[id(trial.gallery)].append(trial)
        for group in by_gallery.values():
            tried.extend(_try(group, model, compared, densities))
    return tried


def _try(
    trials: Sequence[Trial], model: EncodingModel, compared: Compared, densities: Densities
) -> Iterator[_Tried]:
    gallery = trials[0].gallery
    looked = [compare_in(compared, person_of(one.faces, model), gallery) for one in trials]
    probes, templates = [probe for probe, _ in looked], looked[0][1]
    means, evidence = np.stack([one.mean for one in probes]), [one.evidence for one in probes]
    enrolled = np.flatnonzero(templates.evidence)
    found = compare(Comparison(means, np.array(evidence), enrolled, templates, densities))
    for row, trial in enumerate(trials):
        positions, logs = (part[found.rows == row] for part in (found.positions, found.logs))
        names = [gallery.performers[position].name for position in positions.tolist()]
        right = names.index(trial.name) if trial.name in names else -1
        yield _Tried(logs, probes[row].evidence, right, trial.enrolled, len(enrolled))


def _tabulate(tried: Sequence[_Tried]) -> Table:
    widest = max((len(one.logs) for one in tried), default=0)
    logs = np.zeros((len(tried), widest))
    for row, one in zip(logs, tried, strict=True):
        row[: len(one.logs)] = one.logs
    counts = np.array([len(one.logs) for one in tried])
    return Table(
        logs,
        np.arange(widest) < counts[:, None],
        np.array([one.evidence for one in tried]),
        np.array([one.right for one in tried], np.intp),
        np.array([one.enrolled for one in tried], np.bool_),
        np.array([max(one.performers, 1) for one in tried], np.float64),
    )


def _surprise(table: Table, densities: Densities) -> float:
    """Return the mean of -log(how likely the truth was held to be)."""
    terms = size_terms(table.performers, densities)[:, None]
    logs = calibrated(table.logs, table.evidence[:, None], densities, terms)
    return float(log_losses(table, logs).mean())


def log_losses(table: Table, logs: Numbers) -> Numbers:
    """Return -log(how likely the truth was held to be) of each trial, for calibrated logarithms."""
    likely = probabilities(table, logs)
    of_right = likely[np.arange(len(likely)), table.right]
    of_nobody = np.where(table.enrolled, 0.0, 1 - likely.sum(axis=1))
    truth = np.where(table.right >= 0, of_right, of_nobody)
    losses: Numbers = -np.log(np.maximum(truth, LEAST_LIKELY))
    return losses


def probabilities(table: Table, logs: Numbers) -> Numbers:
    """Return how likely each candidate of each trial is, for calibrated logarithms."""
    shares = PRIOR_ENROLLED / table.performers[:, None]
    likely = shares * np.exp(np.where(table.is_there, logs, -np.inf))
    whole: Numbers = likely / (1 - PRIOR_ENROLLED + likely.sum(axis=1, keepdims=True))
    return whole


def _with(densities: Densities, numbers: Numbers) -> Densities:
    return replace(densities, **dict(zip(NUMBERS, numbers.tolist(), strict=True)))
