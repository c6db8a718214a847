"""Turns labelled sources into trials: some are enrolled, others searched for, with an outcome.

In each round every person's sources are shuffled and split into those to enrol and those to
search for. Each probe is searched for twice: with its person enrolled, and, as a stranger, with
everyone except that person enrolled. A source without faces is never enrolled, because enrolling
refuses it, but it is searched for like any other, and names nobody.
"""

import math
import random
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby
from typing import TypeAlias

import numpy as np

from db.models import EncodingModel, Fusion
from db.records import Performer
from db.snapshots import Fused, Snapshot, fuse, no_rejections
from function.engines.models import BOTH
from function.faces.face import Face
from function.matching.comparisons import choose_densities
from function.matching.densities import Densities
from function.matching.hints import Hint
from function.matching.matches import Identification, identify_people
from function.people.people import person_of
from tools.accuracy import reference
from tools.accuracy.labelled import Source
from tools.accuracy.outcomes import Outcome, TrialOutcome

DensitiesFor: TypeAlias = Callable[[str], Sequence[Densities] | None]
"""The densities to search for a person of this name with; None for those that ship."""

LEAST_PROBABILITY = 1e-4
"""Scores are shown to a tenth of a percent; log loss takes anything smaller as this."""

FEWEST_PEOPLE = 2
"""Somebody is searched for as a stranger among the others, so there must be others."""

PROBES_PER_PERSON = 4
"""The most probes of one person in a round. More of them would meet the same enrolled photos again,
and add less than another round does; and people with many photos would outweigh the others."""


@dataclass(frozen=True, eq=False)
class Trial:
    """A probe's faces (maybe none), whose they are, and the gallery they are searched for in.

    `usual_faces` and `usual_gallery` are the same for the usual way, with its own encodings.
    """

    name: str
    faces: tuple[Face, ...]
    gallery: Snapshot
    enrolled: bool
    usual_faces: tuple[Face, ...]
    usual_gallery: Snapshot


@dataclass(frozen=True, eq=False)
class _Draw:
    """One person's sources of a round: those that are enrolled, and the probes."""

    enrolled: list[Source]
    probes: list[list[Source]]


_Galleries: TypeAlias = tuple[Snapshot, Snapshot]
"""The same people enrolled for us, and for the usual way."""


def make_trials(
    sources: Sequence[Source],
    model: EncodingModel,
    *,
    enrol: int,
    probe: int,
    rounds: int,
    seed: int,
    fusion: Fusion | None = BOTH,
    only: Container[str] | None = None,
) -> Iterator[Trial]:
    """Yield trials that enrol `enrol` sources of each person and search for `probe` at a time.

    People are left out if fewer than `enrol` of their sources have faces, or if none would be left
    to search for; with fewer than two people there are no trials. In the galleries faces that were
    encoded twice have a template in `fusion`. With `only`, the trials of these people alone are
    yielded, the same as among all.
    """
    shuffler = random.Random(seed)  # noqa: S311  # trials are drawn, not secrets
    by_name = _by_name(sources, enrol)
    if len(by_name) < FEWEST_PEOPLE:
        return
    for _ in range(rounds):
        draws = {name: _draw(own, enrol, probe, shuffler) for name, own in by_name.items()}
        without = _galleries_without(draws, model, fusion)
        everyone = without(None)
        for name, draw in draws.items():
            if only is not None and name not in only:
                continue
            yield from _search_twice(name, draw, everyone, without(name))


def make_small_trials(
    sources: Sequence[Source],
    model: EncodingModel,
    *,
    enrol: int,
    probe: int,
    performers: int,
    galleries: int,
    seed: int,
    fusion: Fusion | None = BOTH,
) -> Iterator[Trial]:
    """Yield trials like those of `make_trials`, in at least so many small galleries.

    Each gallery holds `performers` people. One more is drawn at random, and each is left out in
    turn: so everybody is searched for among as many, enrolled or not. With no more people than
    `performers` there are no trials.
    """
    shuffler = random.Random(seed)  # noqa: S311  # as above
    by_name = _by_name(sources, enrol)
    if len(by_name) <= performers:
        return
    for _ in range(-(-galleries // (performers + 1))):
        names = shuffler.sample(list(by_name), performers + 1)
        draws = {name: _draw(by_name[name], enrol, probe, shuffler) for name in names}
        without = _galleries_without(draws, model, fusion)
        for place, name in enumerate(names):
            yield from _search_twice(name, draws[name], without(names[place - 1]), without(name))


def _galleries_without(
    draws: Mapping[str, _Draw], model: EncodingModel, fusion: Fusion | None
) -> Callable[[str | None], _Galleries]:
    """Return what makes the galleries of everyone but one person, the latest two once."""

    @lru_cache(maxsize=2)
    def without(name: str | None) -> _Galleries:
        enrolled = {key: draw.enrolled for key, draw in draws.items() if key != name}
        usual = {key: [one.for_usual_way() for one in own] for key, own in enrolled.items()}
        return make_gallery(enrolled, model, fusion), make_gallery(usual, model, None)

    return without


def _search_twice(
    name: str, draw: _Draw, known: _Galleries, unknown: _Galleries
) -> Iterator[Trial]:
    """Search for each probe where its person is enrolled, and where not."""
    for chosen in draw.probes:
        faces = join_sources(chosen)
        usual = join_sources([one.for_usual_way() for one in chosen])
        for (ours, theirs), is_enrolled in ((known, True), (unknown, False)):
            yield Trial(name, faces, ours, is_enrolled, usual, theirs)


def _draw(own: Sequence[Source], enrol: int, probe: int, shuffler: random.Random) -> _Draw:
    """Enrol the first `enrol` sources with faces; what was not tried is there to search for."""
    shuffled = shuffler.sample(own, len(own))
    with_faces = [place for place, source in enumerate(shuffled) if source.faces]
    tried = with_faces[enrol - 1] + 1
    rest = shuffled[tried:]
    chunk = max(min(probe, len(rest)), 1)
    starts = range(0, len(rest) - chunk + 1, chunk)[:PROBES_PER_PERSON]
    return _Draw(
        enrolled=[source for source in shuffled[:tried] if source.faces],
        probes=[rest[start : start + chunk] for start in starts],
    )


def run_trial(trial: Trial, densities: Sequence[Densities] | None) -> TrialOutcome:
    """Search for the probe in its gallery, our way and the reference's way.

    `densities` are those that ship if it is None.
    """
    return outcome_of(trial, search(trial, densities))


def run_trials(trials: Iterable[Trial], densities_for: DensitiesFor) -> Iterator[TrialOutcome]:
    """Run trials as `run_trial` does, with the densities for each person.

    Trials of one person that follow each other are searched for together, gallery by gallery, which
    takes half of the time or less.
    """
    for name, group in groupby(trials, lambda trial: trial.name):
        own = list(group)
        yield from map(outcome_of, own, _search_together(own, densities_for(name)))


def _search_together(
    trials: Sequence[Trial], densities: Sequence[Densities] | None
) -> list[Identification | None]:
    """Search for several probes our way; None for those without faces."""
    found: list[Identification | None] = [None] * len(trials)
    by_gallery = defaultdict[int, list[int]](list)
    for place, trial in enumerate(trials):
        if trial.faces:
            by_gallery[id(trial.gallery)].append(place)
    for places in by_gallery.values():
        gallery = trials[places[0]].gallery
        people = [person_of(trials[place].faces, gallery.model) for place in places]
        identified = identify_people(people, gallery, choose_densities(gallery, densities))
        for place, one in zip(places, identified, strict=True):
            found[place] = one
    return found


def search(
    trial: Trial, densities: Sequence[Densities] | None, hints: Sequence[Hint] = ()
) -> Identification | None:
    """Search for the probe our way, with hints if some are given; None if it has no faces."""
    if not trial.faces:
        return None
    person = person_of(trial.faces, trial.gallery.model)
    chosen = choose_densities(trial.gallery, densities)
    return identify_people([person], trial.gallery, chosen, hints)[0]


def outcome_of(trial: Trial, found: Identification | None) -> TrialOutcome:
    """Compare what was found with the truth; the probe is searched for the reference's way too."""
    if found is None:
        return _outcome_without_faces(trial)
    scores = {match.performer.name: match.score for match in found.matches}
    right = scores.get(trial.name, 0.0)
    truth = right / 100 if trial.enrolled else 1 - min(sum(scores.values()) / 100, 1)
    return TrialOutcome(
        name=trial.name,
        found_face=True,
        ours=_our_outcome(trial, found, right),
        reference=_reference_outcome(trial),
        verdict=found.verdict,
        log_loss=-math.log(max(truth, LEAST_PROBABILITY)),
    )


def make_gallery(
    enrolled: dict[str, list[Source]], model: EncodingModel, fusion: Fusion | None = BOTH
) -> Snapshot:
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
        fused=_fuse(rows, len(performers), fusion) if fusion else (),
    )


def _fuse(rows: Sequence[tuple[int, Face]], people: int, fusion: Fusion) -> tuple[Fused, ...]:
    """Average the faces that have encodings of both nets, if there are any."""
    both = [(position, face, face.second) for position, face in rows if face.second is not None]
    if not both:
        return ()
    vectors = np.stack([face.encoding for _, face, _ in both])
    second = np.stack([encoding for _, _, encoding in both])
    qualities = np.array([face.quality for _, face, _ in both], np.float32)
    owners = np.array([position for position, _, _ in both], np.intp)
    fused = fuse(fusion, (vectors, second), qualities, owners, people=people)
    return (fused,) if fused else ()


def _enrolled_faces(sources: Sequence[Source]) -> list[Face]:
    faces = [face for source in sources for face in source.for_enrolling().faces]
    return [face for face in faces if not face.is_weak] or faces


def _by_name(sources: Sequence[Source], enrol: int) -> dict[str, list[Source]]:
    by_name: dict[str, list[Source]] = {}
    for source in sources:
        by_name.setdefault(source.name, []).append(source)
    return {
        name: own
        for name, own in sorted(by_name.items())
        if sum(bool(source.faces) for source in own) >= enrol and len(own) > enrol
    }


def join_sources(sources: Sequence[Source]) -> tuple[Face, ...]:
    """Give the faces of different sources different frames, as if they followed each other."""
    faces: list[Face] = []
    first = 0
    for source in sources:
        faces.extend(replace(face, frame=first + face.frame) for face in source.faces)
        first = faces[-1].frame + 1 if faces else 0
    return tuple(faces)


def _outcome_without_faces(trial: Trial) -> TrialOutcome:
    nobody = Outcome(
        enrolled=trial.enrolled,
        first_is_right=False,
        score=0.0,
        right_score=0.0,
        nameable=False,
        named=False,
    )
    # The reference's scores are distances below zero.
    nowhere = replace(nobody, score=-math.inf, right_score=-math.inf)
    return TrialOutcome(
        name=trial.name,
        found_face=False,
        ours=nobody,
        reference=nowhere,
        verdict="unknown",
        log_loss=0.0,
    )


def _our_outcome(trial: Trial, found: Identification, right: float) -> Outcome:
    first = found.matches[0] if found.matches else None
    return Outcome(
        enrolled=trial.enrolled,
        first_is_right=first is not None and first.performer.name == trial.name,
        score=first.score if first else 0.0,
        right_score=right,
        nameable=bool(found.person.strong_views) or found.verdict == "match",
        named=found.verdict == "match",
    )


def _reference_outcome(trial: Trial) -> Outcome:
    faces, gallery = trial.usual_faces, trial.usual_gallery
    position, distance = reference.nearest_face(faces, gallery)
    names = [performer.name for performer in gallery.performers]
    own = names.index(trial.name) if trial.enrolled else None
    right = reference.distance_to(faces, gallery, own) if own is not None else math.inf
    return Outcome(
        enrolled=trial.enrolled,
        first_is_right=position == own,
        score=-distance,
        right_score=-right,
        nameable=True,
        named=distance <= reference.TOLERANCE,
    )
