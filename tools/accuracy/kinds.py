"""Measures by kind of photograph how many people are named: spoilt in ways that videos are.

Three photographs of each person are enrolled as they are. Four others are spoilt in each way and
searched for one at a time, with the person enrolled and as a stranger.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from db.snapshots import Snapshot
from function.engines.protocol import Engine
from function.enrolling.search import DETECTION_PIXELS
from function.faces.face import Face
from function.faces.faces import faces_of_image
from function.faces.second_encodings import encode_again, encode_with_likeness
from function.matching.second_models import SHIPPED_MODEL, SecondModel
from function.media.photo_decoder import decode_photo
from function.media.photos import PhotoRefusedError
from function.media.pictures import RgbImage
from function.sources.records import UnusableSourceError
from tools.accuracy.labelled import Source, labelled_face
from tools.accuracy.outcomes import TrialOutcome
from tools.accuracy.spoiling import SPOILS
from tools.accuracy.trials import Trial, make_gallery, run_trial
from tools.sources.folder import read_performers

ENROLLED, LOOKED_FOR = 3, 4


@dataclass(frozen=True)
class KindFigures:
    """How photographs spoilt in one way fared; all are shares of the `searched_for`."""

    kind: str
    searched_for: int
    found: float
    named_right: float
    uncertain: float
    strangers_named: float


@dataclass(frozen=True, eq=False)
class Portrait:
    """A photograph with one labelled face."""

    picture: RgbImage
    face: Face


def measure_kinds(
    folder: Path,
    engine: Engine,
    report: Callable[[str], None],
    second: SecondModel | None = SHIPPED_MODEL,
) -> list[KindFigures]:
    """Measure every way of spoiling on a folder of photos by name; `report` is told which.

    `second` is the model of the engine's second encoder.

    Raises:
        UnusableSourceError: fewer than two people have enough photos with a face.
    """
    report(f"reading {folder.name}")
    people = read_portraits(folder, engine)
    enrolled = {name: [_source(name, one.face) for one in own] for name, own in people.items()}
    enrolled = {name: own[:ENROLLED] for name, own in enrolled.items()}
    figures = []
    for kind in SPOILS:
        report(f"measuring faces: {kind}")
        figures.append(_measure(kind, _outcomes(kind, people, enrolled, engine, second)))
    return figures


def render_kinds(figures: Sequence[KindFigures]) -> str:
    """Format the figures as a Markdown table, ending in a newline."""
    lines = ["| faces | found | named right | uncertain | strangers named |"]
    lines.append("| --- | --- | --- | --- | --- |")
    lines += [
        f"| {one.kind} | {100 * one.found:.0f} % | {100 * one.named_right:.0f} % "
        f"| {100 * one.uncertain:.0f} % | {100 * one.strangers_named:.1f} % |"
        for one in figures
    ]
    return "".join(f"{line}\n" for line in lines)


def read_portraits(folder: Path, engine: Engine) -> dict[str, list[Portrait]]:
    """Read up to ENROLLED + LOOKED_FOR photos of each person who has more than ENROLLED.

    Raises:
        UnusableSourceError: fewer than two people have.
    """
    people = {name: own for name, own in _read(folder, engine) if len(own) > ENROLLED}
    if len(people) < 2:  # noqa: PLR2004  # a stranger needs others to be searched for among
        raise UnusableSourceError(
            f"{len(people)} people in {folder} have {ENROLLED + 1} photos with a face; two are "
            "needed."
        )
    return people


def _read(folder: Path, engine: Engine) -> Iterator[tuple[str, list[Portrait]]]:
    for record in read_performers(folder):
        own: list[Portrait] = []
        for photo in record.photos:
            if len(own) < ENROLLED + LOOKED_FOR:
                try:
                    picture = decode_photo(photo.read())
                    face = labelled_face(faces_of_image(picture, engine, DETECTION_PIXELS))
                except (OSError, PhotoRefusedError):
                    continue
                own.append(Portrait(picture, _encode(face, engine, len(own))))
        yield record.performer.name, own


def _encode(face: Face, engine: Engine, number: int) -> Face:
    """Encode again as enrolling does, or, what is searched for, as in a video."""
    if number < ENROLLED:
        return encode_with_likeness(face, engine.second)[0]
    return encode_again(face, engine.second)


def _outcomes(
    kind: str,
    people: dict[str, list[Portrait]],
    enrolled: dict[str, list[Source]],
    engine: Engine,
    second: SecondModel | None,
) -> list[TrialOutcome]:
    model = engine.encoder.model
    fusion, densities = (second.fusion, second.all_densities()) if second else (None, None)
    everyone = make_gallery(enrolled, model, fusion)
    outcomes: list[TrialOutcome] = []
    for name, own in people.items():
        rest = {key: one for key, one in enrolled.items() if key != name}
        others = make_gallery(rest, model, fusion)
        for portrait in own[ENROLLED:]:
            faces = spoil(portrait, kind, engine)
            trials = [_trial(name, faces, gallery, everyone) for gallery in (everyone, others)]
            outcomes.extend(run_trial(trial, densities) for trial in trials)
    return outcomes


def spoil(portrait: Portrait, kind: str, engine: Engine) -> tuple[Face, ...]:
    """Spoil a photograph, and return its widest face as the only one there, encoded again."""
    spoilt = SPOILS[kind](portrait.picture, portrait.face.box)
    found = faces_of_image(spoilt, engine, DETECTION_PIXELS)
    widest = max(found, key=lambda face: face.box.width, default=None)
    return (encode_again(widest, engine.second),) if widest else ()


def _trial(name: str, faces: tuple[Face, ...], gallery: Snapshot, everyone: Snapshot) -> Trial:
    return Trial(name, faces, gallery, gallery is everyone, faces, gallery)


def _source(name: str, face: Face) -> Source:
    return Source(name, "", (face,), is_video=False)


def _measure(kind: str, outcomes: Sequence[TrialOutcome]) -> KindFigures:
    known = [one for one in outcomes if one.ours.enrolled]
    strangers = [one for one in outcomes if not one.ours.enrolled]
    count = len(known)
    return KindFigures(
        kind=kind,
        searched_for=count,
        found=sum(one.found_face for one in known) / count,
        named_right=sum(one.ours.named and one.ours.first_is_right for one in known) / count,
        uncertain=sum(one.verdict == "uncertain" for one in known) / count,
        strangers_named=sum(one.ours.named for one in strangers) / count,
    )
