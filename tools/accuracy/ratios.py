"""Calibrates ratios of densities on trials, so that what they promise comes true.

See `function.matching.densities.calibrated`: four numbers, fitted by maximum likelihood of what
was true in each trial (Brummer and du Preez 2006).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from db.models import EncodingModel, Fusion
from function.matching.densities import Densities, Numbers, calibrated
from function.matching.scores import PRIOR_ENROLLED, Comparison, Ratios, compare
from function.people.people import person_of
from tools.accuracy.labelled import Source
from tools.accuracy.spaces import Compared, compare_in
from tools.accuracy.trials import Trial, make_trials

CASES = ((1, 1), (1, 3), (3, 1), (3, 3))
"""Photos enrolled and searched for: the calibration must hold for few and for several."""

ROUNDS = 4

NUMBERS = ("offset", "slope", "bend", "evidence_slope")

USUAL, SPREADS = np.array([0.0, 1.0, 0.0, 0.0]), np.array([10.0, 1.0, 10.0, 10.0])
"""Where the numbers are expected before anything is tried, and how far from there. It weighs
as much as one person: where everybody is told apart any slope would do, however large."""

LEAST_LIKELY = 1e-6
"""Keeps one wrong label from deciding the fit."""


@dataclass(frozen=True, eq=False)
class _Tried:
    """One trial: the ratios, which of them is the right one (-1 for none), and whether enrolled."""

    ratios: Ratios
    evidence: float
    right: int
    enrolled: bool
    performers: int


@dataclass(frozen=True, eq=False)
class _Table:
    """All trials, a row each: logs, and which are there, (trials, candidates); else (trials,)."""

    logs: Numbers
    is_there: NDArray[np.bool_]
    evidence: Numbers
    right: NDArray[np.intp]
    enrolled: NDArray[np.bool_]
    shares: Numbers


def fit_calibration(
    sources: Sequence[Source],
    model: EncodingModel,
    compared: Compared,
    densities: Densities,
    seed: int,
) -> Densities:
    """Return densities with the likeliest calibration for labelled sources."""
    fusion = compared if isinstance(compared, Fusion) else None
    tried = [
        _try(trial, model, compared, densities)
        for enrol, probe in CASES
        for trial in make_trials(
            sources, model, enrol=enrol, probe=probe, rounds=ROUNDS, seed=seed, fusion=fusion
        )
        if trial.faces
    ]

    table = _tabulate(tried)
    people = len({source.name for source in sources})

    def surprise(numbers: Numbers) -> float:
        unexpected = np.square((numbers - USUAL) / SPREADS).sum() / 2
        return _surprise(table, _with(densities, numbers)) + float(unexpected / people)

    found = minimize(surprise, USUAL, method="BFGS")
    rounded = [round(float(number), 3) for number in found.x]
    return _with(densities, np.array(rounded))


def _try(trial: Trial, model: EncodingModel, compared: Compared, densities: Densities) -> _Tried:
    template, templates = compare_in(compared, person_of(trial.faces, model), trial.gallery)
    evidence, enrolled = np.array([template.evidence]), np.flatnonzero(templates.evidence)
    ratios = compare(Comparison(template.mean[None], evidence, enrolled, templates, densities))
    names = [trial.gallery.performers[position].name for position in ratios.positions.tolist()]
    right = names.index(trial.name) if trial.name in names else -1
    performers = int(np.count_nonzero(templates.evidence))
    return _Tried(ratios, template.evidence, right, trial.enrolled, performers)


def _tabulate(tried: Sequence[_Tried]) -> _Table:
    widest = max((len(one.ratios.logs) for one in tried), default=0)
    logs = np.zeros((len(tried), widest))
    for row, one in zip(logs, tried, strict=True):
        row[: len(one.ratios.logs)] = one.ratios.logs
    counts = np.array([len(one.ratios.logs) for one in tried])
    return _Table(
        logs,
        np.arange(widest) < counts[:, None],
        np.array([one.evidence for one in tried]),
        np.array([one.right for one in tried], np.intp),
        np.array([one.enrolled for one in tried], np.bool_),
        np.array([PRIOR_ENROLLED / max(one.performers, 1) for one in tried]),
    )


def _surprise(table: _Table, densities: Densities) -> float:
    """Return the mean of -log(how likely the truth was held to be)."""
    logs = calibrated(table.logs, table.evidence[:, None], densities)
    likely = table.shares[:, None] * np.exp(np.where(table.is_there, logs, -np.inf))
    whole = 1 - PRIOR_ENROLLED + likely.sum(axis=1)
    of_right = likely[np.arange(len(likely)), table.right]
    of_nobody = np.where(table.enrolled, 0.0, 1 - PRIOR_ENROLLED)
    truth = np.where(table.right >= 0, of_right, of_nobody) / whole
    return float(-np.log(np.maximum(truth, LEAST_LIKELY)).mean())


def _with(densities: Densities, numbers: Numbers) -> Densities:
    return replace(densities, **dict(zip(NUMBERS, numbers.tolist(), strict=True)))
