"""Fits densities to a labelled library: how far apart faces of one person and of strangers are.

Sources are shuffled repeatedly. Each person's are made into templates of one, two, three and more,
and the templates are compared. The variances and scales of the model in
function/matching/densities.py are then fitted to these distances (maximum likelihood).
"""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np
from scipy.optimize import minimize

from db.models import EncodingModel
from db.templates import Templates, average_encodings
from function.matching.densities import (
    OWN_FREEDOM,
    STRANGER_FREEDOM,
    Densities,
    Numbers,
    shipped_densities,
    student,
)
from function.people.views import VIDEO_SHARE
from tools.accuracy.labelled import Dataset, Source
from tools.accuracy.outcomes import TrialOutcome
from tools.accuracy.reliabilities import Reliability, measure_scores
from tools.accuracy.trials import join_sources, make_trials, run_trial
from tools.sources import UnusableSourceError

TEMPLATE_SIZES = (1, 2, 3, 5)
"""Sources in a template: the fit must hold for one photo and for several."""

ROUNDS = 20
FEWEST_PEOPLE, FEWEST_SOURCES = 4, 2
FOLDS = 2


@dataclass(frozen=True, eq=False)
class Sample:
    """Distances of one kind, and for each the sum of 1 / evidence of its two templates."""

    distances: Numbers
    shares: Numbers


@dataclass(frozen=True)
class Calibration:
    """The densities, and how well densities fitted on half of the people fit the others."""

    densities: Densities
    held_out: Reliability
    held_out_shipped: Reliability

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain dictionaries, lists and numbers."""
        return asdict(self)


def calibrate(
    dataset: Dataset, model: EncodingModel, *, fitted_on: str, on: date, seed: int = 1
) -> Calibration:
    """Fit densities on a labelled library, and measure how well such a fit works for other people.

    `fitted_on` is a description for people; `on` the day. The reliability is that of densities
    fitted on one half of the people and tested on the other, and the other way round.

    Raises:
        UnusableSourceError: fewer than four people have two usable sources.
    """
    usable = usable_sources(dataset.sources)
    whole = fit_densities(usable, model, fitted_on=fitted_on, on=on, seed=seed)
    names = sorted({source.name for source in usable})
    outcomes: list[TrialOutcome] = []
    shipped: list[TrialOutcome] = []
    for fold in range(FOLDS):
        inside = set(names[fold::FOLDS])
        others = [source for source in usable if source.name not in inside]
        half = fit_densities(others, model, fitted_on=fitted_on, on=on, seed=seed)
        own = [source for source in usable if source.name in inside]
        trials = list(make_trials(own, model, enrol=1, probe=1, rounds=ROUNDS, seed=seed))
        outcomes.extend(run_trial(trial, half) for trial in trials)
        shipped.extend(run_trial(trial, shipped_densities()) for trial in trials)
    return Calibration(whole, measure_scores(outcomes), measure_scores(shipped))


def usable_sources(sources: Sequence[Source]) -> list[Source]:
    """Return the sources of those who have at least two: one alone has no distance to its person.

    Raises:
        UnusableSourceError: fewer than four people have two.
    """
    counts = Counter(source.name for source in sources)
    people = sum(count >= FEWEST_SOURCES for count in counts.values())
    if people < FEWEST_PEOPLE:
        raise UnusableSourceError(
            f"{people} people have {FEWEST_SOURCES} usable photos or clips; calibrating needs at "
            f"least {FEWEST_PEOPLE}, and ten or more to be useful."
        )
    return [source for source in sources if counts[source.name] >= FEWEST_SOURCES]


def fit_densities(
    sources: Sequence[Source], model: EncodingModel, *, fitted_on: str, on: date, seed: int
) -> Densities:
    """Find the likeliest densities for labelled sources, each from another day or scene."""
    own, strangers = _sample_distances(sources, model, random.Random(seed))  # noqa: S311  # no secret
    own_variance, own_scale = _fit_own(own, model.face_variance)
    between_variance, stranger_scale = _fit_strangers(strangers, own_variance)
    return Densities(
        model=model.id,
        fitted_on=fitted_on,
        date=on.isoformat(),
        people=len({source.name for source in sources}),
        faces=sum(len(source.faces) for source in sources),
        own_distances=len(own.distances),
        stranger_distances=len(strangers.distances),
        own_variance=round(own_variance, 4),
        between_variance=round(between_variance, 4),
        own_scale=round(own_scale, 4),
        stranger_scale=round(stranger_scale, 4),
        alike_variance=shipped_densities().alike_variance,
        nearest_distance=shipped_densities().nearest_distance,
    )


def render_calibration(calibration: Calibration) -> str:
    """Format the fit and its reliability as a table for people."""
    densities = calibration.densities
    lines = [
        f"Fitted on {densities.fitted_on}: {densities.people} people, {densities.faces} faces,",
        f"{densities.own_distances} own and {densities.stranger_distances} stranger distances.",
        f"one person: variance {densities.own_variance}, scale {densities.own_scale}",
        f"strangers:  variance {densities.between_variance}, scale {densities.stranger_scale}",
        "",
        "Single photos, fitted on half of the people and tested on the other half:",
        f"{'score':>10}{'count':>8}{'came true':>12}",
    ]
    lines += [
        f"{100 * one.promised:>10.1f}{one.count:>8}{100 * one.true:>10.1f} %"
        for one in calibration.held_out.bins
    ]
    for label, reliability in (
        ("this fit", calibration.held_out),
        ("shipped", calibration.held_out_shipped),
    ):
        lines.append(
            f"{label}: calibration error {100 * reliability.calibration_error:.1f} %, "
            f"log loss {reliability.log_loss:.3f}"
        )
    return "\n".join(lines)


def _sample_distances(
    sources: Sequence[Source], model: EncodingModel, shuffler: random.Random
) -> tuple[Sample, Sample]:
    by_name: dict[str, list[Source]] = {}
    for source in sources:
        by_name.setdefault(source.name, []).append(source)
    own: list[tuple[float, float]] = []
    strangers: list[tuple[float, float]] = []
    for _ in range(ROUNDS):
        shuffled = {name: shuffler.sample(kept, len(kept)) for name, kept in by_name.items()}
        for probe_size in TEMPLATE_SIZES:
            for enrolled_size in TEMPLATE_SIZES:
                _compare(shuffled, model, (probe_size, enrolled_size), own, strangers)
    return _sample(own), _sample(strangers)


def _compare(
    shuffled: dict[str, list[Source]],
    model: EncodingModel,
    sizes: tuple[int, int],
    own: list[tuple[float, float]],
    strangers: list[tuple[float, float]],
) -> None:
    """Compare everyone's first sources with everyone's next ones, if there are enough."""
    probe_size, enrolled_size = sizes
    people = {
        name: (
            _template(kept[:probe_size], model),
            _template(kept[probe_size : probe_size + enrolled_size], model),
        )
        for name, kept in shuffled.items()
        if len(kept) >= probe_size + enrolled_size
    }
    for name, (probe, _) in people.items():
        for other, (_, enrolled) in people.items():
            (own if name == other else strangers).append(_distance(probe, enrolled))


def _template(sources: Sequence[Source], model: EncodingModel) -> Templates:
    faces = join_sources(sources)
    share = VIDEO_SHARE if len(sources) == 1 and sources[0].is_video else 1.0
    return average_encodings(
        np.stack([face.encoding for face in faces]),
        np.array([face.quality for face in faces], np.float32),
        np.zeros(len(faces), np.intp),
        people=1,
        face_variance=model.face_variance,
        largest_share=share,
    )


def _distance(probe: Templates, enrolled: Templates) -> tuple[float, float]:
    distance = float(np.linalg.norm(probe.means - enrolled.means))
    return distance, float(1 / probe.evidence[0] + 1 / enrolled.evidence[0])


def _sample(pairs: Sequence[tuple[float, float]]) -> Sample:
    table = np.array(pairs, np.float64).reshape(-1, 2)
    return Sample(np.maximum(table[:, 0], 1e-3), table[:, 1])


def _fit_own(own: Sample, face_variance: float) -> tuple[float, float]:
    def surprise(logs: Numbers) -> float:
        variance, scale = np.exp(logs)
        offsets = np.log(own.distances) - np.log(variance * own.shares) / 2
        return -float(np.log(student(offsets, scale, OWN_FREEDOM)).mean())

    return _minimum(surprise, (face_variance, 0.15))


def _fit_strangers(strangers: Sample, own_variance: float) -> tuple[float, float]:
    noise = own_variance * strangers.shares

    def surprise(logs: Numbers) -> float:
        variance, scale = np.exp(logs)
        offsets = np.log(strangers.distances) - np.log(variance + noise) / 2
        return -float(np.log(student(offsets, scale, STRANGER_FREEDOM)).mean())

    return _minimum(surprise, (0.4, 0.1))


def _minimum(
    surprise: Callable[[Numbers], float], start: tuple[float, float]
) -> tuple[float, float]:
    # Logarithms keep variance and scale positive.
    found = minimize(surprise, np.log(start), method="Nelder-Mead")
    variance, scale = np.exp(found.x)
    return float(variance), float(scale)
