"""Fits densities to a labelled library: how far apart faces of one person and of strangers are.

Sources are shuffled repeatedly. Each person's are made into templates of one, two, three and more,
and the templates are compared. The variances and scales of the model in
function/matching/densities.py are then fitted to these distances (maximum likelihood).
"""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from db.models import EncodingKind, EncodingModel, Fusion
from db.templates import Templates, average_encodings
from db.vectors import square_distances
from function.engines.dlib_nets.model import LENGTH as DLIB_LENGTH
from function.engines.models import BOTH
from function.matching.densities import (
    OWN_FREEDOM,
    STRANGER_FREEDOM,
    Densities,
    Numbers,
    student,
)
from function.matching.second_models import Fit
from function.people.views import VIDEO_SHARE
from function.sources.records import UnusableSourceError
from tools.accuracy.fusions import SHIPPED_NET, SecondNet, fit_weighing
from tools.accuracy.labelled import Dataset, Source
from tools.accuracy.outcomes import TrialOutcome
from tools.accuracy.ratios import NUMBERS, fit_calibration
from tools.accuracy.reliabilities import Reliability, measure_scores
from tools.accuracy.spaces import (
    Compared,
    encodings_in,
    faces_in,
    sources_in,
    space_of,
    spaces_of,
)
from tools.accuracy.trials import Trial, join_sources, make_trials, run_trial

TEMPLATE_SIZES = (1, 2, 3, 5)
"""Sources in a template: the fit must hold for one photo and for several."""

ROUNDS = 20

ALIKE_VARIANCE, NEAREST_DISTANCE = 0.12, 0.12
"""See Densities: chosen, not fitted."""

FEWEST_PEOPLE, FEWEST_SOURCES = 4, 2
FOLDS = 2


@dataclass(frozen=True, eq=False)
class Sample:
    """Distances of one kind, and for each the sum of 1 / evidence of its two templates."""

    distances: Numbers
    shares: Numbers


@dataclass(frozen=True)
class Calibration:
    """The densities, and how well densities fitted on half of the people fit the others.

    `held_out_shipped` is what ships, for the same faces: for an own net, dlib's alone. `fit` is
    that of an own net, and None for one that ships.
    """

    densities: tuple[Densities, ...]
    held_out: Reliability
    held_out_shipped: Reliability
    fit: Fit | None = None

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain dictionaries, lists and numbers."""
        return asdict(self)


def calibrate(
    dataset: Dataset,
    model: EncodingModel,
    *,
    fitted_on: str,
    on: date,
    seed: int = 1,
    net: SecondNet = SHIPPED_NET,
) -> Calibration:
    """Fit densities on a labelled library, and measure how well such a fit works for other people.

    `fitted_on` is a description for people; `on` the day. People with one source count as strangers
    to the others. The reliability is that of densities fitted on one half of the people and tested
    on the other, and the other way round.

    Raises:
        UnusableSourceError: fewer than four people have two usable sources.
    """
    usable = usable_sources(dataset.sources)
    names = sorted({source.name for source in usable})
    outcomes: list[TrialOutcome] = []
    shipped: list[TrialOutcome] = []
    for fold in range(FOLDS):
        inside = set(names[fold::FOLDS])
        others = [source for source in usable if source.name not in inside]
        fusion = net.fuse(others)
        half = fit_all(others, model, fusion, fitted_on=fitted_on, on=on, seed=seed)
        own = [source for source in usable if source.name in inside]
        trials = list(
            make_trials(own, model, enrol=1, probe=1, rounds=ROUNDS, seed=seed, fusion=fusion)
        )
        outcomes.extend(run_trial(trial, half) for trial in trials)
        shipped.extend(run_trial(_as_shipped(trial, net), None) for trial in trials)
    fusion = net.fuse(dataset.sources)
    whole = fit_all(dataset.sources, model, fusion, fitted_on=fitted_on, on=on, seed=seed)
    fit = fit_of(net.own, dataset.sources, whole) if net.own else None
    return Calibration(whole, measure_scores(outcomes), measure_scores(shipped), fit)


def fit_of(own: EncodingKind, sources: Sequence[Source], densities: Sequence[Densities]) -> Fit:
    """Return what is stored for an own net, whose fusion has the last of the densities."""
    return Fit(own.id, own.dimensions, fit_weighing(sources), densities[-1])


def _as_shipped(trial: Trial, net: SecondNet) -> Trial:
    """Return a trial as what ships can run it: an own net's encodings mean nothing to that."""
    return replace(trial, gallery=replace(trial.gallery, fused=())) if net.own else trial


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


def fit_all(
    sources: Sequence[Source],
    model: EncodingModel,
    fusion: Fusion = BOTH,
    *,
    fitted_on: str,
    on: date,
    seed: int,
) -> tuple[Densities, ...]:
    """Fit densities for each space that the sources can be compared in, the first net's first."""
    return tuple(
        fit_densities(
            sources_in(compared, sources), model, compared, fitted_on=fitted_on, on=on, seed=seed
        )
        for compared in spaces_of(sources, model, fusion)
    )


def fit_densities(
    sources: Sequence[Source],
    model: EncodingModel,
    compared: Compared,
    *,
    fitted_on: str,
    on: date,
    seed: int,
) -> Densities:
    """Find the likeliest densities of a space for labelled sources, each from another day or scene.

    `model` is that of the first net, by which faces are grouped.
    """
    space = space_of(compared)
    own, strangers = _sample_distances(sources, compared, random.Random(seed))  # noqa: S311  # no secret
    own_variance, own_scale = _fit_own(own, space.face_variance)
    between_variance, stranger_scale = _fit_strangers(strangers, own_variance)
    fitted = Densities(
        model=space.id,
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
        alike_variance=ALIKE_VARIANCE,
        nearest_distance=NEAREST_DISTANCE,
        offset=0.0,
        slope=1.0,
        bend=0.0,
        evidence_slope=0.0,
    )
    return fit_calibration(sources, model, compared, fitted, seed)


def render_calibration(calibration: Calibration) -> str:
    """Format the fit and its reliability as a table for people."""
    lines = [line for densities in calibration.densities for line in _describe(densities)]
    if calibration.fit:
        weighing = calibration.fit.weighing
        lines.append(
            f"your net has {100 * weighing.share:.0f} % of a squared distance; {weighing.length} "
            f"by it is {DLIB_LENGTH} by dlib's"
        )
    lines += [
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
        ("dlib's net alone" if calibration.fit else "shipped", calibration.held_out_shipped),
    ):
        lines.append(
            f"{label}: calibration error {100 * reliability.calibration_error:.1f} %, "
            f"log loss {reliability.log_loss:.3f}"
        )
    return "\n".join(lines)


def _describe(densities: Densities) -> list[str]:
    numbers = [getattr(densities, name) for name in (*NUMBERS, "size_slope")]
    return [
        f"Fitted on {densities.fitted_on}: {densities.people} people, {densities.faces} faces,",
        f"{densities.own_distances} own and {densities.stranger_distances} stranger distances,",
        f"by {densities.model}.",
        f"one person:  variance {densities.own_variance}, scale {densities.own_scale}",
        f"strangers:   variance {densities.between_variance}, scale {densities.stranger_scale}",
        f"calibration: {', '.join(map(str, numbers))}",
    ]


def _sample_distances(
    sources: Sequence[Source], compared: Compared, shuffler: random.Random
) -> tuple[Sample, Sample]:
    by_name: dict[str, list[Source]] = {}
    for source in sources:
        by_name.setdefault(source.name, []).append(source)
    own: list[Numbers] = []
    strangers: list[Numbers] = []
    for _ in range(ROUNDS):
        shuffled = {name: shuffler.sample(kept, len(kept)) for name, kept in by_name.items()}
        for probe_size in TEMPLATE_SIZES:
            for enrolled_size in TEMPLATE_SIZES:
                pairs, is_own = _compare(shuffled, compared, probe_size, enrolled_size)
                own.append(pairs[is_own])
                strangers.append(pairs[~is_own])
    return _sample(np.concatenate(own)), _sample(np.concatenate(strangers))


def _compare(
    shuffled: dict[str, list[Source]], compared: Compared, probe_size: int, enrolled_size: int
) -> tuple[Numbers, NDArray[np.bool_]]:
    """Compare everyone's first sources with everyone's next ones, if there are enough.

    People with few sources are strangers to the others. Returns the distance and the sum of
    1 / evidence of each pair, (pairs, 2), and which pairs are one person's.
    """
    last = probe_size + enrolled_size
    searched = {name: kept for name, kept in shuffled.items() if len(kept) >= probe_size}
    known = {name: kept for name, kept in shuffled.items() if len(kept) >= last}
    is_own = np.array([[name == other for other in known] for name in searched], np.bool_)
    if not known:
        return np.empty((0, 2)), np.empty(0, np.bool_)
    probes = [_template(kept[:probe_size], compared) for kept in searched.values()]
    enrolled = [
        _template([one.for_enrolling() for one in kept[probe_size:last]], compared)
        for kept in known.values()
    ]
    means, others = (np.concatenate([one.means for one in row]) for row in (probes, enrolled))
    shares, their_shares = (
        np.array([1 / float(one.evidence[0]) for one in row]) for row in (probes, enrolled)
    )
    distances = np.sqrt(square_distances(means, others)).astype(np.float64)
    pairs = np.stack([distances, shares[:, None] + their_shares], axis=2)
    return pairs.reshape(-1, 2), is_own.reshape(-1)


def _template(sources: Sequence[Source], compared: Compared) -> Templates:
    faces = faces_in(compared, join_sources(sources))
    share = VIDEO_SHARE if len(sources) == 1 and sources[0].is_video else 1.0
    return average_encodings(
        encodings_in(compared, faces),
        np.array([face.quality for face in faces], np.float32),
        np.zeros(len(faces), np.intp),
        people=1,
        face_variance=space_of(compared).face_variance,
        largest_share=share,
    )


def _sample(pairs: Numbers) -> Sample:
    return Sample(np.maximum(pairs[:, 0], 1e-3), pairs[:, 1])


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
