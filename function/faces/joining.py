"""Joins what was found in the stretches of a video to what was found in the video."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from function.faces.cuts import Sample, stretch_to_cuts
from function.faces.face import Face
from function.faces.found import FacesFound, StageSeconds, StretchFound
from function.media.conversion import Thumbnail
from function.media.decoders import join_names
from function.media.shots import is_same_shot


def join_stretches(
    stretches: Sequence[StretchFound], video_seconds: float, unreadable_seconds: float
) -> FacesFound:
    """Join stretches, in order of time: count frames and shots through, and find the cuts.

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
