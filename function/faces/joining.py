"""Joins what was found in the stretches of a video into one result."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from function.faces.cuts import Sample, stretch_to_cuts
from function.faces.face import Face
from function.faces.found import FacesFound, StageSeconds, StretchFound
from function.media.conversion import Thumbnail
from function.media.decoders import join_names
from function.media.shots import is_same_shot


@dataclass(eq=False)
class Looked:
    """What was found in some frames of a video, and the grey cells of each frame, if it has any.

    Frames are counted from 0 in it.
    """

    faces: list[Face] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    grey: list[Thumbnail] = field(default_factory=list)


def join_rounds(rounds: Sequence[Looked], video_seconds: float) -> tuple[tuple[Face, ...], int]:
    """Join rounds, each of which lies between those before; return all faces, and count the frames.

    Frames and shots are renumbered, in order of time.
    """
    order = sorted(
        (sample.seconds, number, frame)
        for number, one in enumerate(rounds)
        for frame, sample in enumerate(one.samples)
    )
    places = {(number, frame): place for place, (_, number, frame) in enumerate(order)}
    samples: list[Sample] = []
    before: Thumbnail | None = None
    for _, number, frame in order:
        grey = rounds[number].grey[frame]
        shot = samples[-1].shot + (not is_same_shot(before, grey)) if before is not None else 0
        samples.append(rounds[number].samples[frame]._replace(shot=shot))
        before = grey
    faces = []
    for number, one in enumerate(rounds):
        for face in one.faces:
            place = places[number, face.frame]
            faces.append(replace(face, frame=place, shot=samples[place].shot))
    faces.sort(key=lambda face: face.frame)
    return stretch_to_cuts(faces, samples, (), video_seconds), len(samples)


def join_stretches(
    stretches: Sequence[StretchFound], video_seconds: float, unreadable_seconds: float
) -> FacesFound:
    """Join stretches, in order of time: number frames and shots throughout, and find the cuts.

    A shot goes on from one stretch to the next if their neighbouring frames look like one.
    """
    samples: list[Sample] = []
    faces: list[Face] = []
    before: Thumbnail | None = None
    for one in (one for one in stretches if one.samples):
        first, last = (np.frombuffer(edge, np.int16) for edge in one.edges)
        shots = samples[-1].shot if samples else 0
        shots += before is not None and not is_same_shot(before, first)
        faces += (_shift(face, len(samples), shots) for face in one.faces)
        samples += (Sample(seconds, until, shots + shot) for seconds, until, shot in one.samples)
        before = last
    keyframes = sorted({seconds for one in stretches for seconds in one.keyframes_seconds})
    seen = stretch_to_cuts(faces, samples, keyframes, video_seconds)
    decoder = join_names([one.decoder for one in stretches])
    return FacesFound(seen, len(samples), _add_up(stretches), unreadable_seconds, decoder)


def _shift(face: Face, frames: int, shots: int) -> Face:
    return replace(face, frame=face.frame + frames, shot=face.shot + shots)


def _add_up(stretches: Sequence[StretchFound]) -> StageSeconds:
    return StageSeconds(
        frames=sum(one.seconds.frames for one in stretches),
        faces=sum(one.seconds.faces for one in stretches),
    )
