"""Made-up people whose encodings lie as far apart as real ones do."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from db.models import EncodingModel
from db.records import Performer, Vector, Vectors
from db.snapshots import Snapshot, no_rejections
from db.templates import USUAL_QUALITY
from function.engines.models import PRIMARY, SECOND
from function.engines.protocol import Box
from function.faces.face import Face
from function.matching.densities import shipped_densities
from tools.accuracy.labelled import Source

DAY_SPREAD = 0.29
"""Distance of one day's face from its person: two of one person are 0.41 apart."""


class Crowd:
    """Draws people, and faces of people; the same seed draws the same."""

    def __init__(self, seed: int = 1, person_spread: float = 0.45) -> None:
        self.random = np.random.default_rng(seed)
        self.person_spread = person_spread
        self.middle = self.direction(1.4)

    def direction(self, length: float) -> Vector:
        vector = self.random.normal(size=128)
        return (length * vector / np.linalg.norm(vector)).astype(np.float32)

    def person(self) -> Vector:
        return self.middle + self.direction(self.person_spread)

    def encodings(self, person: Vector, count: int, spread: float = DAY_SPREAD) -> Vectors:
        return np.stack([person + self.direction(spread) for _ in range(count)])


def make_face(
    encoding: Vector, frame: int = 0, quality: float = USUAL_QUALITY, weakness: str = ""
) -> Face:
    return Face(
        frame=frame,
        seconds=float(frame),
        until_seconds=float(frame),
        box=Box(0, 0, 99, 99),
        detection_score=1.0,
        encoding=encoding.astype(np.float32),
        quality=quality,
        weaknesses=(weakness,) if weakness else (),
        crop=b"",
    )


def make_faces(encodings: Vectors, first_frame: int = 0) -> list[Face]:
    """One face a frame, in frames that follow each other."""
    return [make_face(one, first_frame + number) for number, one in enumerate(encodings)]


def make_gallery(enrolled: Sequence[Vectors], model: EncodingModel = PRIMARY) -> Snapshot:
    """Performers P0, P1, ... with these encodings."""
    vectors = np.concatenate([np.empty((0, model.dimensions), np.float32), *enrolled]).astype(
        np.float32
    )
    counts = [len(encodings) for encodings in enrolled]
    return Snapshot(
        generation=(1, 1),
        model=model,
        performers=tuple(Performer(number + 1, f"P{number}") for number in range(len(enrolled))),
        vectors=vectors,
        owners=np.repeat(np.arange(len(enrolled)), counts).astype(np.intp),
        qualities=np.full(len(vectors), USUAL_QUALITY, np.float32),
        rejections=no_rejections(model),
    )


def make_sources(
    crowd: Crowd, people: int, each: int, spread: float = DAY_SPREAD, *, twice: bool = False
) -> tuple[Source, ...]:
    """Photos of made-up people, one face a photo, on request encoded twice."""
    faces = [
        (number, row, make_face(encoding))
        for number in range(people)
        for row, encoding in enumerate(crowd.encodings(crowd.person(), each, spread))
    ]
    if twice:
        faces = [
            (number, row, replace(face, second=_as_second(face))) for number, row, face in faces
        ]
    return tuple(
        Source(f"P{number}", f"P{number}/{row}.jpg", (face,), is_video=False)
        for number, row, face in faces
    )


EXPECTED_OWN = float(np.sqrt(2 * shipped_densities().own_variance))
"""Where two single photos of one person usually lie."""


def _as_second(face: Face) -> Vector:
    """The first net's encoding as one of the second's size: as far from others."""
    return np.pad(face.encoding, (0, SECOND.dimensions - len(face.encoding)))
