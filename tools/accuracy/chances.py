"""Measures which enrolled photographs name their person, and fits how their signs tell it.

One photograph of each person is enrolled as it is. Two others are spoilt as in `kinds`, and each
takes its place in turn; four more are searched for as they are.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from function.engines.protocol import Engine
from function.enrolling.search import DETECTION_PIXELS
from function.enrolling.worth import LEAST_CHANCE, Odds, estimate_chance, signs_of
from function.faces.face import Face
from function.faces.faces import encode_blank, faces_of_image
from function.faces.second_encodings import encode_with_likeness
from function.matching.densities import Numbers
from function.matching.second_models import SHIPPED_MODEL, SecondModel
from tools.accuracy.kinds import ENROLLED, Portrait, read_portraits
from tools.accuracy.labelled import Source
from tools.accuracy.spoiling import SPOILS, leave
from tools.accuracy.trials import Trial, make_gallery, run_trials

FOLDS = 5

LEAST_SPREAD = 1e-9
"""A sign that spreads less is the same for all photographs."""

HEADINGS = "| photographs | enrolled | of those named | refused | of those named |"


@dataclass(frozen=True, eq=False)
class TriedPhoto:
    """A photograph that was enrolled alone, of one of the people.

    `signs` are those of `signs_of`, `chance` what enrolling makes of them, and `named` the share of
    the searches for the person that named them.
    """

    person: str
    is_spoilt: bool
    signs: tuple[float, float, float]
    chance: float
    named: float


@dataclass(frozen=True)
class ChanceFit:
    """The likeliest odds, and log losses: people held apart, as it ships, and knowing no sign."""

    photos: int
    people: int
    odds: Odds
    held_apart: float
    shipped: float
    without_signs: float


def try_photos(
    folders: Sequence[Path],
    engine: Engine,
    report: Callable[[str], None],
    second: SecondModel | None = SHIPPED_MODEL,
) -> list[TriedPhoto]:
    """Enrol spoilt photographs of folders of photos by name, all people together.

    Raises:
        UnusableSourceError: fewer than two people of a folder have enough photos with a face.
    """
    people: dict[str, list[Portrait]] = {}
    for folder in folders:
        report(f"reading {folder.name}")
        own = read_portraits(folder, engine)
        people |= {f"{folder.name}/{name}": portraits for name, portraits in own.items()}
    tried: list[TriedPhoto] = []
    for kind in SPOILS:
        report(f"enrolling faces: {kind}")
        tried.extend(_try_all(kind, people, engine, second))
    return tried


def _try_all(
    kind: str,
    people: Mapping[str, Sequence[Portrait]],
    engine: Engine,
    second: SecondModel | None,
) -> Iterator[TriedPhoto]:
    good = {name: own[0].face for name, own in people.items()}
    blank = encode_blank(engine.encoder)
    for name, own in people.items():
        for portrait in own[1:ENROLLED]:
            face = _widest(SPOILS[kind](portrait.picture, portrait.face.box), engine)
            if face is None:
                continue
            again, likeness = encode_with_likeness(face, engine.second)
            probes = [one.face for one in own[ENROLLED:]]
            yield TriedPhoto(
                name,
                SPOILS[kind] is not leave,
                signs_of(again, blank, likeness),
                estimate_chance(again, blank, likeness),
                _search(name, {**good, name: again}, probes, engine, second),
            )


def _widest(picture: NDArray[np.uint8], engine: Engine) -> Face | None:
    """Return the face that enrolling would take."""
    faces = faces_of_image(picture, engine, DETECTION_PIXELS)
    certain = [face for face in faces if not face.is_doubtful]
    return max(certain, key=lambda face: face.box.width, default=None)


def _search(
    name: str,
    enrolled: Mapping[str, Face],
    probes: Sequence[Face],
    engine: Engine,
    second: SecondModel | None,
) -> float:
    """Return the share of the probes that are named right."""
    fusion, densities = (second.fusion, second.all_densities()) if second else (None, None)
    sources = {key: [Source(key, "", (face,), is_video=False)] for key, face in enrolled.items()}
    gallery = make_gallery(sources, engine.encoder.model, fusion)
    trials = [
        Trial(name, (face,), gallery, enrolled=True, usual_faces=(face,), usual_gallery=gallery)
        for face in probes
    ]
    found = [one.ours for one in run_trials(trials, lambda _: densities)]
    return float(np.mean([one.named and one.first_is_right for one in found]))


def fit_chances(tried: Sequence[TriedPhoto]) -> ChanceFit:
    """Fit on everyone, and, to see how well that holds for others, on all folds but one."""
    people = sorted({one.person for one in tried})
    fold = np.array([people.index(one.person) % FOLDS for one in tried])
    signs, named = np.array([one.signs for one in tried]), np.array([one.named for one in tried])
    apart = np.empty(len(tried))
    for number in range(FOLDS):
        inside = fold == number
        apart[inside] = _chances(_fit(signs[~inside], named[~inside]), signs[inside])
    return ChanceFit(
        photos=len(tried),
        people=len(people),
        odds=Odds(*np.round(_fit(signs, named), 2).tolist()),
        held_apart=_loss(apart, named),
        shipped=_loss(np.array([one.chance for one in tried]), named),
        without_signs=_loss(np.full(len(named), named.mean()), named),
    )


def _fit(signs: Numbers, named: Numbers) -> Numbers:
    """Return the offset, and what each sign is worth: 0 for one that is the same for all."""
    middle, spread = signs.mean(axis=0), signs.std(axis=0)
    tells = spread > LEAST_SPREAD
    even = (signs[:, tells] - middle[tells]) / spread[tells]

    def surprise(numbers: Numbers) -> float:
        return _loss(_chances(numbers, even), named)

    found: Numbers = minimize(surprise, np.zeros(1 + even.shape[1]), method="BFGS").x
    worth = np.zeros(signs.shape[1])
    worth[tells] = found[1:] / spread[tells]
    return np.concatenate([[found[0] - worth @ middle], worth])


def _chances(numbers: Numbers, signs: Numbers) -> Numbers:
    chances: Numbers = 1 / (1 + np.exp(-(numbers[0] + signs @ numbers[1:])))
    return chances


def _loss(chances: Numbers, named: Numbers) -> float:
    sure = np.clip(chances, 1e-9, 1 - 1e-9)
    return float(-(named * np.log(sure) + (1 - named) * np.log(1 - sure)).mean())


def render_chances(tried: Sequence[TriedPhoto], fit: ChanceFit) -> str:
    """Format what enrolling does with the photographs, and the fit, ending in a newline."""
    lines = [HEADINGS, "| --- | --- | --- | --- | --- |"]
    for label, is_spoilt in (("as they are", False), ("spoilt", True)):
        own = [one for one in tried if one.is_spoilt is is_spoilt]
        taken = [one.named for one in own if one.chance >= LEAST_CHANCE]
        refused = [one.named for one in own if one.chance < LEAST_CHANCE]
        lines.append(
            f"| {label} | {len(taken)} | {_share(taken)} | {len(refused)} | {_share(refused)} |"
        )
    odds = fit.odds
    told = (
        f"{fit.photos} photographs of {fit.people} people: offset {odds.offset:.2f}",
        f"likeness {odds.per_likeness:.2f}",
        f"distance {odds.per_distance:.2f}, sharpness {odds.per_sharpness:.2f}",
        f"log loss without signs {fit.without_signs:.3f}, people held apart {fit.held_apart:.3f}",
        f"with the numbers that ship {fit.shipped:.3f}",
    )
    return "".join(f"{line}\n" for line in (*lines, "", *told))


def _share(named: Sequence[float]) -> str:
    """Say how many of the searches named, over photographs; a dash for none."""
    return f"{100 * float(np.mean(named)):.0f} %" if named else "-"
