"""Measures on a labelled library how well people are named and grouped, next to the reference.

Trials shuffle the sources with a fixed seed, so the same library always gives the same figures.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from db.models import EncodingModel
from function.faces.face import Face
from function.matching.densities import Densities
from function.people.grouping import group_faces
from tools.accuracy.figures import (
    GroupFigures,
    Reliability,
    SearchFigures,
    measure_groups,
    measure_reliability,
    measure_searches,
)
from tools.accuracy.labelled import Dataset, LeftOut, Source
from tools.accuracy.reference import group_greedily
from tools.accuracy.trials import TrialOutcome, join_sources, make_trials, run_trial
from tools.sources import UnusableSourceError


@dataclass(frozen=True)
class Evaluation:
    """What was measured, on what; `reference`: nearest face within 0.6, and greedy groups."""

    people: int
    sources: int
    faces: int
    enrolled_from: int
    looked_for: int
    rounds: int
    left_out: tuple[LeftOut, ...]
    searches: SearchFigures
    reference_searches: SearchFigures
    verdicts: dict[str, dict[str, float]]
    reliability: Reliability
    groups: GroupFigures
    reference_groups: GroupFigures

    def to_json(self) -> dict[str, Any]:
        """Return the figures as plain dictionaries, lists and numbers."""
        return asdict(self)


def evaluate(
    dataset: Dataset,
    model: EncodingModel,
    *,
    enrol: int = 3,
    probe: int = 3,
    rounds: int = 10,
    seed: int = 1,
    densities: Densities | None = None,
) -> Evaluation:
    """Measure naming and grouping on a labelled library.

    `enrol` sources of each person are enrolled and the rest searched for, `probe` at a time, in
    `rounds` shuffles; with photos, several in a probe stand for one person seen several times.

    Raises:
        UnusableSourceError: fewer than two people have enough sources.
    """
    trials = make_trials(dataset.sources, model, enrol=enrol, probe=probe, rounds=rounds, seed=seed)
    outcomes = [run_trial(trial, densities) for trial in trials]
    if not outcomes:
        raise UnusableSourceError(
            f"Nobody here has {enrol + 1} usable photos or clips. Add some, or enrol fewer."
        )
    return Evaluation(
        people=len({source.name for source in dataset.sources}),
        sources=len(dataset.sources),
        faces=sum(len(source.faces) for source in dataset.sources),
        enrolled_from=enrol,
        looked_for=probe,
        rounds=rounds,
        left_out=dataset.left_out,
        searches=measure_searches([outcome.ours for outcome in outcomes]),
        reference_searches=measure_searches([outcome.reference for outcome in outcomes]),
        verdicts=_count_verdicts(outcomes),
        reliability=measure_scores(outcomes),
        groups=measure_grouping(dataset.sources, lambda faces: group_our_way(faces, model)),
        reference_groups=measure_grouping(dataset.sources, group_greedily),
    )


def render_evaluation(evaluation: Evaluation) -> str:
    """Format the figures as a table for people."""
    ours, theirs = evaluation.searches, evaluation.reference_searches
    groups, their_groups = evaluation.groups, evaluation.reference_groups
    rows = [
        ("right name first (rank-1)", _percent(ours.rank_1), _percent(theirs.rank_1)),
        ("enrolled, named right", _percent(ours.named_right), _percent(theirs.named_right)),
        ("enrolled, named wrong", _percent(ours.named_wrong), _percent(theirs.named_wrong)),
        ("strangers named", _percent(ours.strangers_named), _percent(theirs.strangers_named)),
        *_miss_rows(ours, theirs),
        ("calibration error (ECE)", _percent(evaluation.reliability.calibration_error), "-"),
        ("log loss", f"{evaluation.reliability.log_loss:.3f}", "-"),
        ("people found", f"{groups.people_found}", f"{their_groups.people_found}"),
        *(
            (
                f"B-cubed {word}",
                f"{getattr(groups, field):.3f}",
                f"{getattr(their_groups, field):.3f}",
            )
            for word, field in _B_CUBED.items()
        ),
    ]
    lines = [f"{label:<34}{own:>12}{reference:>12}" for label, own, reference in rows]
    head = (
        f"{evaluation.people} people, {evaluation.sources} photos or clips, {evaluation.faces} "
        f"faces; enrolled from {evaluation.enrolled_from}, searched for {evaluation.looked_for} at "
        f"a time, {evaluation.rounds} rounds: {ours.enrolled_searches} searches for the enrolled, "
        f"{ours.stranger_searches} for strangers"
    )
    left_out = [f"left out: {one.origin}: {one.reason}" for one in evaluation.left_out]
    return "\n".join([head, f"{'':<34}{'ours':>12}{'reference':>12}", *lines, *left_out])


_B_CUBED = {"precision": "b_cubed_precision", "recall": "b_cubed_recall", "F": "b_cubed_f"}


def _miss_rows(ours: SearchFigures, theirs: SearchFigures) -> list[tuple[str, str, str]]:
    rows = []
    for own, reference in zip(ours.misses, theirs.misses, strict=True):
        label = f"FNIR at FPIR {100 * own.fpir:g} %"
        if own.bound is not None:
            label = f"FNIR at FPIR 0 of {ours.stranger_searches}"
        rows.append((label, _percent(own.fnir), _percent(reference.fnir)))
    return list(dict.fromkeys(rows))


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _count_verdicts(outcomes: Sequence[TrialOutcome]) -> dict[str, dict[str, float]]:
    shares = {}
    for kind, enrolled in (("enrolled", True), ("strangers", False)):
        verdicts = [one.verdict for one in outcomes if one.ours.enrolled == enrolled]
        shares[kind] = {
            verdict: verdicts.count(verdict) / len(verdicts)
            for verdict in ("match", "uncertain", "unknown")
        }
    return shares


def measure_scores(outcomes: Sequence[TrialOutcome]) -> Reliability:
    """Measure how well the scores of trials came true; half of them search for strangers."""
    return measure_reliability(
        [outcome.ours.score / 100 for outcome in outcomes],
        [outcome.ours.enrolled and outcome.ours.first_is_right for outcome in outcomes],
        [outcome.log_loss for outcome in outcomes],
    )


def measure_grouping(
    sources: Sequence[Source], group: Callable[[Sequence[Face]], list[int]]
) -> GroupFigures:
    """Group the faces of all sources as if they were one film, and compare with their names."""
    faces = join_sources(sources)
    names = [source.name for source in sources for _ in source.faces]
    return measure_groups(group(faces), names)


def group_our_way(faces: Sequence[Face], model: EncodingModel) -> list[int]:
    """Number each face's person; a weak face that fits nobody gets its own number."""
    person_of_face = {
        id(face): number for number, group in enumerate(group_faces(faces, model)) for face in group
    }
    return [person_of_face.get(id(face), -1 - row) for row, face in enumerate(faces)]
