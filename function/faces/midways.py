"""How long each sampled frame stands for what a video shows: from midway to midway."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from function.faces.face import Face
from function.media.frames import Frame

Shown = tuple[float, float]
"""When a frame was sampled, and until when the video showed the same, in seconds."""


def note_moments(frames: Iterable[Frame], moments: list[Shown]) -> Iterator[Frame]:
    """Yield frames, and add the moment of each to a list."""
    for frame in frames:
        moments.append((frame.seconds, frame.until_seconds))
        yield frame


def stretch_to_midway(
    faces: Sequence[Face], moments: Sequence[Shown], video_seconds: float
) -> tuple[Face, ...]:
    """Let each face be seen from midway since the frame before until midway to the next.

    A sample says nothing of the time to the next one; halfway is right on average. The first frame
    reaches back, and the last one on, as far as the other way, but not beyond the video. Whatever
    the timestamps do, a face is seen at least when it was sampled.
    """
    since, until = _midways(moments, video_seconds)
    return tuple(
        replace(
            face,
            since_seconds=min(since[face.frame], face.seconds),
            until_seconds=max(until[face.frame], face.until_seconds),
        )
        for face in faces
    )


def _midways(moments: Sequence[Shown], video_seconds: float) -> tuple[list[float], list[float]]:
    cuts = [(until + following) / 2 for (_, until), (following, _) in pairwise(moments)]
    if not moments:
        return [], []
    first, last = moments[0][0], moments[-1][1]
    reach_back = cuts[0] - moments[0][1] if cuts else 0.0
    reach_on = moments[-1][0] - cuts[-1] if cuts else 0.0
    start = max(0.0, first - reach_back)
    end = max(last, min(video_seconds, last + reach_on))
    return [start, *cuts], [*cuts, end]
