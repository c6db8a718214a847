"""How long each sampled frame stands for what a video shows: to the cut, or else to midway."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple, TypeAlias

from function.faces.face import Face
from function.media.frames import Frame

EARLY_SHARE = 0.9
"""Encoders place a keyframe when a shot begins, and otherwise at a fixed interval. A keyframe that
comes sooner than this share of the longest interval is taken for the first of a shot."""

Cut: TypeAlias = tuple[float, float]
"""Until when a frame stands for the video, and from when on the next one does, in seconds."""


class Sample(NamedTuple):
    """When a frame was sampled, until when the video showed the same, and in which shot."""

    seconds: float
    until_seconds: float
    shot: int


def note_samples(frames: Iterable[Frame], samples: list[Sample]) -> Iterator[Frame]:
    """Yield frames, and add each to a list of samples."""
    for frame in frames:
        samples.append(Sample(frame.seconds, frame.until_seconds, frame.shot))
        yield frame


def find_cuts(samples: Sequence[Sample], keyframes_seconds: Sequence[float]) -> list[Cut]:
    """Find where what a frame shows ends, and what the next one shows begins, for each pair.

    Within a shot, and where nothing says when it ended, that is midway: right on average.
    """
    begins = _find_beginnings(keyframes_seconds)
    cuts = []
    for before, after in pairwise(samples):
        midway = (before.until_seconds + after.seconds) / 2
        first = bisect_right(begins, before.until_seconds)
        last = bisect_right(begins, after.seconds)
        if before.shot == after.shot or first >= last:
            cuts.append((midway, midway))
        else:
            cuts.append((begins[first], begins[last - 1]))
    return cuts


def _find_beginnings(keyframes_seconds: Sequence[float]) -> list[float]:
    """Find the keyframes that come early, as they do where a shot begins."""
    ordered = sorted(keyframes_seconds)
    longest = max((after - before for before, after in pairwise(ordered)), default=0.0)
    return [after for before, after in pairwise(ordered) if after - before < EARLY_SHARE * longest]


def stretch_to_cuts(
    faces: Sequence[Face], samples: Sequence[Sample], cuts: Sequence[Cut], video_seconds: float
) -> tuple[Face, ...]:
    """Let each face be seen from the cut before its frame until the cut after it.

    The first frame reaches back, and the last one on, as far as the other way, but not beyond the
    video. Whatever the timestamps do, a face is seen at least when it was sampled.
    """
    if not samples:
        return ()
    first, last = samples[0], samples[-1]
    reach_back = cuts[0][0] - first.until_seconds if cuts else 0.0
    reach_on = last.seconds - cuts[-1][1] if cuts else 0.0
    start = max(0.0, first.seconds - reach_back)
    end = max(last.until_seconds, min(video_seconds, last.until_seconds + reach_on))
    since, until = [start, *(cut[1] for cut in cuts)], [*(cut[0] for cut in cuts), end]
    return tuple(
        replace(
            face,
            since_seconds=min(since[face.frame], face.seconds),
            until_seconds=max(until[face.frame], face.until_seconds),
        )
        for face in faces
    )
