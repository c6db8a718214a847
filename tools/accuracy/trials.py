"""Turns labelled sources into trials: some are enrolled, others searched for, with an outcome.

In each round every person's sources are shuffled and split into those to enrol and those to
search for. Each probe is searched for twice: with its person enrolled, and, as a stranger, with
everyone except that person enrolled.
"""

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from db.models import EncodingModel
from db.records import Performer
from db.snapshots import Snapshot, no_rejections
from function.faces.face import Face
from function.matching.densities import Densities, shipped_densities
from function.matching.matches import Identification, identify_people
from function.people.people import person_of
from tools.accuracy import reference
from tools.accuracy.figures import Outcome
from tools.accuracy.labelled import Source

LEAST_PROBABILITY = 1e-4
"""Scores are shown to a tenth of a percent; log loss takes anything smaller as this."""


@dataclass(frozen=True, eq=False)
class Trial:
    """A probe's faces, whose they are, and the gallery they are searched for in."""

    name: str
    faces: tuple[Face, ...]
    gallery: Snapshot
    enrolled: bool


@dataclass(frozen=True)
class TrialOutcome:
    """The outcome of a trial, our way and the reference's, and how good our probabilities were."""

    ours: Outcome
    reference: Outcome
    verdict: str
    log_loss: float


def make_trials(
    sources: Sequence[Source],
    model: EncodingModel,
    *,
    enrol: int,
    probe: int,
    rounds: int,
    seed: int,
) -> Iterator[Trial]:
    """Yield trials that enrol `enrol` sources of each person and search for `probe` at a time.

    People with fewer than `enrol` + 1 sources are left out.
    """
    shuffler = random.Random(seed)  # noqa: S311  # trials are drawn, not secrets
    by_name = _by_name(sources, enrol + 1)
    for _ in range(rounds):
        enrolled: dict[str, list[Source]] = {}
        probes: list[tuple[str, list[Source]]] = []
        for name, own in by_name.items():
            shuffled = shuffler.sample(own, len(own))
            enrolled[name] = shuffled[:enrol]
            rest = shuffled[enrol:]
            chunk = min(probe, len(rest))
            starts = range(0, len(rest) - chunk + 1, chunk)
            probes.extend((name, rest[start : start + chunk]) for start in starts)
        everyone = make_gallery(enrolled, model)
        for name, chosen in probes:
            faces = join_sources(chosen)
            others = {other: own for other, own in enrolled.items() if other != name}
            yield Trial(name, faces, everyone, enrolled=True)
            yield Trial(name, faces, make_gallery(others, model), enrolled=False)


def run_trial(trial: Trial, densities: Densities | None) -> TrialOutcome:
    """Search for the probe in its gallery, our way and the reference's way."""
    person = person_of(trial.faces, trial.gallery.model)
    found = identify_people([person], trial.gallery, densities or shipped_densities())[0]
    scores = {match.performer.name: match.score for match in found.matches}
    right = scores.get(trial.name, 0.0)
    truth = right / 100 if trial.enrolled else 1 - min(sum(scores.values()) / 100, 1)
    return TrialOutcome(
        ours=_our_outcome(trial, found, right),
        reference=_reference_outcome(trial),
        verdict=found.verdict,
        log_loss=-math.log(max(truth, LEAST_PROBABILITY)),
    )


def make_gallery(enrolled: dict[str, list[Source]], model: EncodingModel) -> Snapshot:
    """Enrol the good faces of sources, or all of them if none is good."""
    rows = [
        (position, face)
        for position, sources in enumerate(enrolled.values())
        for face in _enrolled_faces(sources)
    ]
    performers = tuple(Performer(index + 1, name) for index, name in enumerate(enrolled))
    return Snapshot(
        generation=(0, 0),
        model=model,
        performers=performers,
        vectors=np.array([face.encoding for _, face in rows], np.float32).reshape(
            -1, model.dimensions
        ),
        owners=np.array([position for position, _ in rows], np.intp),
        qualities=np.array([face.quality for _, face in rows], np.float32),
        rejections=no_rejections(model),
    )


def _enrolled_faces(sources: Sequence[Source]) -> list[Face]:
    faces = [face for source in sources for face in source.faces]
    return [face for face in faces if not face.is_weak] or faces


def _by_name(sources: Sequence[Source], fewest: int) -> dict[str, list[Source]]:
    by_name: dict[str, list[Source]] = {}
    for source in sources:
        by_name.setdefault(source.name, []).append(source)
    return {name: own for name, own in sorted(by_name.items()) if len(own) >= fewest}


def join_sources(sources: Sequence[Source]) -> tuple[Face, ...]:
    """Give the faces of different sources different frames, as if they followed each other."""
    faces: list[Face] = []
    first = 0
    for source in sources:
        faces.extend(replace(face, frame=first + face.frame) for face in source.faces)
        first = faces[-1].frame + 1
    return tuple(faces)


def _our_outcome(trial: Trial, found: Identification, right: float) -> Outcome:
    first = found.matches[0] if found.matches else None
    return Outcome(
        enrolled=trial.enrolled,
        first_is_right=first is not None and first.performer.name == trial.name,
        score=first.score if first else 0.0,
        right_score=right,
        named=found.verdict == "match",
    )


def _reference_outcome(trial: Trial) -> Outcome:
    position, distance = reference.nearest_face(trial.faces, trial.gallery)
    names = [performer.name for performer in trial.gallery.performers]
    own = names.index(trial.name) if trial.enrolled else None
    right = reference.distance_to(trial.faces, trial.gallery, own) if own is not None else math.inf
    return Outcome(
        enrolled=trial.enrolled,
        first_is_right=position == own,
        score=-distance,
        right_score=-right,
        named=distance <= reference.TOLERANCE,
    )
