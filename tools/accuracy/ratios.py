"""Calibrates ratios of densities on trials, so that what they promise comes true.

See `function.matching.densities.calibrated`: three numbers, fitted by maximum likelihood of what
was true in each trial (Brummer and du Preez 2006).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
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

ROUNDS = 2

USUAL, SPREADS = np.array([0.0, 1.0, 0.0]), np.array([4.0, 1.0, 4.0])
"""Where the three numbers are expected before anything is tried, and how far from there. It weighs
as much as one person: where everybody is told apart any slope would do, however large."""

LEAST_LIKELY = 1e-6
"""Keeps one wrong label from deciding the fit."""

STEPS = ((0.0, 1.0, 0.0), (1.5, 1.0, 0.0), (0.0, 1.4, 0.0), (0.0, 1.0, 0.8))
"""The first simplex of the search."""


@dataclass(frozen=True, eq=False)
class _Tried:
    """One trial: the ratios, which of them is the right one (-1 for none), and whether enrolled."""

    ratios: Ratios
    right: int
    enrolled: bool
    performers: int


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

    people = len({source.name for source in sources})

    def surprise(numbers: Numbers) -> float:
        changed = _with(densities, numbers)
        unexpected = np.square((numbers - USUAL) / SPREADS).sum() / 2
        return float(np.mean([_surprise(one, changed) for one in tried]) + unexpected / people)

    found = minimize(
        surprise,
        STEPS[0],
        method="Nelder-Mead",
        options={"initial_simplex": STEPS, "xatol": 0.01, "fatol": 1e-5, "maxiter": 300},
    )
    return _with(densities, found.x)


def _try(trial: Trial, model: EncodingModel, compared: Compared, densities: Densities) -> _Tried:
    template, templates = compare_in(compared, person_of(trial.faces, model), trial.gallery)
    distances = np.linalg.norm(templates.means - template.mean, axis=1).astype(np.float32)
    distances[templates.evidence == 0] = np.inf
    ratios = compare(Comparison(distances, template.evidence, templates, densities))
    names = [trial.gallery.performers[position].name for position in ratios.positions.tolist()]
    right = names.index(trial.name) if trial.name in names else -1
    return _Tried(ratios, right, trial.enrolled, int(np.count_nonzero(templates.evidence)))


def _surprise(tried: _Tried, densities: Densities) -> float:
    share = PRIOR_ENROLLED / max(tried.performers, 1)
    logs = calibrated(tried.ratios.logs, tried.ratios.residuals, densities)
    likely = share * np.exp(logs)
    whole = 1 - PRIOR_ENROLLED + likely.sum()
    if tried.right >= 0:
        truth = likely[tried.right] / whole
    else:
        truth = 0.0 if tried.enrolled else (1 - PRIOR_ENROLLED) / whole
    return float(-np.log(max(truth, LEAST_LIKELY)))


def _with(densities: Densities, numbers: Numbers) -> Densities:
    offset, slope, residual_slope = (round(float(number), 3) for number in numbers)
    return replace(densities, offset=offset, slope=slope, residual_slope=residual_slope)
