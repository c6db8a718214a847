"""Reads labelled clips as a cast: what films are cut from, and who of it is enrolled."""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from function.engines.protocol import Box, Engine
from function.errors import RecognitionError
from function.faces.face import Face, best_face
from function.faces.second_encodings import encode_with_likeness
from function.media.videos import open_video
from function.sources.records import UnusableSourceError
from tools.accuracy.labelled import (
    LABELS_FILE,
    Dataset,
    Label,
    LeftOut,
    Source,
    read_dataset,
    read_labels,
)

ENROLLED_SECONDS = 1.0
"""Of a person's only clip this much is kept out of films, to enrol a face of it."""

SHORTEST_SECONDS = 1.0
"""A shorter stretch is no shot."""

FEWEST_PEOPLE = 2


@dataclass(frozen=True)
class Footage:
    """A stretch of a clip in which one person is seen, and the area that holds the face.

    `area` is in pixels of the clip's upright pictures.
    """

    name: str
    clip: Path
    start_seconds: float
    end_seconds: float
    area: Box


@dataclass(frozen=True, eq=False)
class Cast:
    """Everyone who may be in a film, by name: footage of each, and the faces of those enrolled.

    What is enrolled is never in a film. `left_out` are clips that show nobody.
    """

    footage: dict[str, tuple[Footage, ...]]
    enrolled: dict[str, list[Source]]
    left_out: tuple[LeftOut, ...]


def read_cast(folder: Path, engine: Engine, chance: random.Random) -> Cast:
    """Read a folder of clips, and draw who is enrolled.

    Raises:
        UnusableSourceError: there is no labels.csv, it cannot be used, or fewer than two people
            have footage.
    """
    if not (folder / LABELS_FILE).exists():
        raise UnusableSourceError(
            f"{folder} has no {LABELS_FILE}. Films are cut from clips, named in it: clip,name."
        )
    cast = make_cast(folder, read_dataset(folder, engine), chance)
    enrolled = {
        name: [_source(name, encode_with_likeness(face, engine.second)[0])]
        for name, sources in cast.enrolled.items()
        for face in sources[0].faces
    }
    return replace(cast, enrolled=enrolled)


def make_cast(folder: Path, dataset: Dataset, chance: random.Random) -> Cast:
    """Make a cast of what was read of a folder, and draw half of those who can be enrolled.

    Somebody with several clips is enrolled by a face of the last one; with one clip, by a face of
    its first second.

    Raises:
        UnusableSourceError: labels.csv cannot be used, or fewer than two people have footage.
    """
    labels = read_labels(folder / LABELS_FILE)
    footage: dict[str, tuple[Footage, ...]] = {}
    faces: dict[str, Face] = {}
    for name, sources in _by_name(dataset.sources).items():
        stretches = [
            (found, source.faces)
            for source in sources
            for found in _find_stretches(folder, source, labels.get(source.origin, []))
        ]
        if stretches:
            footage[name], face = _divide(stretches)
            faces |= {name: face} if face else {}
    if len(footage) < FEWEST_PEOPLE:
        raise UnusableSourceError(
            f"{len(footage)} people in {folder} have footage; {FEWEST_PEOPLE} are needed."
        )
    drawn = sorted(chance.sample(sorted(faces), (len(faces) + 1) // 2))
    enrolled = {name: [_source(name, faces[name])] for name in drawn}
    return Cast(footage, enrolled, dataset.left_out)


def _by_name(sources: Sequence[Source]) -> dict[str, list[Source]]:
    by_name: dict[str, list[Source]] = defaultdict(list)
    for source in sources:
        by_name[source.name].append(source)
    return dict(sorted(by_name.items()))


def _find_stretches(folder: Path, source: Source, labels: Sequence[Label]) -> Iterator[Footage]:
    """Find where a clip shows a person alone; a stretch that others claim as well is left out."""
    clip = folder / source.origin
    try:
        with open_video(clip) as video:
            seconds = video.seconds
    except (OSError, RecognitionError):
        return  # it could be read before; it is left out now
    others = [label for label in labels if label.name != source.name]
    for label in labels:
        start, end = max(0.0, label.start), min(seconds, label.end)
        alone = all(other.end <= start or other.start >= end for other in others)
        seen = [face for face in source.faces if start <= face.seconds <= end]
        is_own = label.name == source.name
        if is_own and alone and seen and end - start >= SHORTEST_SECONDS:
            yield Footage(source.name, clip, start, end, _area_of(seen))


def _area_of(faces: Sequence[Face]) -> Box:
    boxes = [face.box for face in faces]
    return Box(
        min(box.left for box in boxes),
        min(box.top for box in boxes),
        max(box.right for box in boxes),
        max(box.bottom for box in boxes),
    )


def _divide(
    stretches: Sequence[tuple[Footage, tuple[Face, ...]]],
) -> tuple[tuple[Footage, ...], Face | None]:
    """Divide what there is of a person into footage for films, and a face to enrol if there is one.

    Clips are kept apart: what is filmed comes from other files than the face, if there are two.
    """
    last, faces = stretches[-1]
    others = tuple(footage for footage, _ in stretches if footage.clip != last.clip)
    if others:
        return others, _choose(faces)
    begin = last.start_seconds + ENROLLED_SECONDS
    every = tuple(footage for footage, _ in stretches)
    early = [face for face in faces if last.start_seconds <= face.seconds < begin]
    face = _choose(early)
    if face is None or last.end_seconds - begin < SHORTEST_SECONDS:
        return every, None
    return (*every[:-1], replace(last, start_seconds=begin)), face


def _choose(faces: Sequence[Face]) -> Face | None:
    """Choose the best face, if one is good enough to be enrolled."""
    good = [face for face in faces if not face.is_weak]
    return best_face(good) if good else None


def _source(name: str, face: Face) -> Source:
    return Source(name, "", (face,), is_video=False)
