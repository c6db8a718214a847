"""How long each sampled frame stands for what a video shows: up to the cut, or else midway."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import median
from typing import NamedTuple, TypeAlias

from function.faces.face import Face
from function.faces.found import FRAMES_BETWEEN_SHOTS
from function.media.beginnings import find_beginnings
from function.media.frames import Frame

Cut: TypeAlias = tuple[float, float]
"""Until when a frame stands for the video, and from when on the next one does, in seconds."""

HOLE_GAPS = 4
"""A gap between samples this many times as long as most is a hole in the file."""

MOSTLY = 0.75
"""Where this many of the latest keyframes begin shots, all of them may; so may the early ones, as
often as shots change elsewhere."""


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


def _find_cuts(
    samples: Sequence[Sample], keyframes: Sequence[float], begins: Sequence[float]
) -> list[Cut]:
    """Find where what a frame shows ends, and what the next one shows begins, for each pair.

    Within a shot, and where nothing says when it ended, that is midway, which is right on average.
    """
    pairs = list(pairwise(samples))
    late = _find_late_beginnings(pairs, keyframes, begins)
    cuts = []
    for before, after in pairs:
        midway = (before.until_seconds + after.seconds) / 2
        found: Sequence[float] = ()
        if before.shot != after.shot:
            found = _find_within(begins, before, after) or _find_within(late, before, after)
        cuts.append((found[0], found[-1]) if found else (midway, midway))
    return cuts


def _find_trusted(samples: Sequence[Sample], keyframes: Sequence[float]) -> Sequence[float]:
    """Find the keyframes that begin shots; none if shots change more often without one.

    In the dark, noise makes encoders place keyframes early anywhere, and hardly ever at a cut.
    """
    begins = find_beginnings(keyframes)
    changes: tuple[list[bool], list[bool]] = ([], [])
    for before, after in pairwise(samples):
        changes[bool(_find_within(begins, before, after))].append(before.shot != after.shot)
    elsewhere, at_keyframes = (sum(one) / max(1, len(one)) for one in changes)
    may_begin_shots = not changes[True] or at_keyframes >= min(elsewhere, MOSTLY)
    return begins if may_begin_shots else ()


def _find_late_beginnings(
    pairs: Sequence[tuple[Sample, Sample]], keyframes: Sequence[float], begins: Sequence[float]
) -> Sequence[float]:
    """Find keyframes that come as late as any, and still begin a shot; in order of time.

    The longest interval may be that of the longest shot, and not the encoder's own. That is so if
    most of those that come after it, alone between two samples, come with a change of shot.
    """
    early = {*begins}
    alone = [
        (keyframe, before.shot != after.shot)
        for before, after in (pairs if begins else ())
        for keyframe in _find_only(keyframes, before, after)
        if keyframe not in early
    ]
    changes = [keyframe for keyframe, is_change in alone if is_change]
    return changes if len(changes) >= MOSTLY * len(alone) else ()


def _find_only(keyframes: Sequence[float], before: Sample, after: Sample) -> Sequence[float]:
    """Find the keyframe between two samples, if there is exactly one."""
    found = _find_within(keyframes, before, after)
    return found if len(found) == 1 else ()


def _find_within(keyframes: Sequence[float], before: Sample, after: Sample) -> Sequence[float]:
    """Find the keyframes between two samples, the second included."""
    first = bisect_right(keyframes, before.until_seconds)
    return keyframes[first : bisect_right(keyframes, after.seconds)]


def stretch_to_cuts(
    faces: Sequence[Face],
    samples: Sequence[Sample],
    keyframes_seconds: Sequence[float],
    video_seconds: float,
) -> tuple[Face, ...]:
    """Let each face be seen from the cut before its frame until the cut after it.

    Whatever the timestamps do, a face is seen at least when it was sampled. From then on
    frames are counted with a gap between shots, so that none seem to follow each other across one.
    """
    if not samples:
        return ()
    keyframes = sorted(keyframes_seconds)
    begins = _find_trusted(samples, keyframes)
    cuts = _find_cuts(samples, keyframes, begins)
    start, end = _find_ends(samples, begins, video_seconds)
    since, until = [start, *(cut[1] for cut in cuts)], [*(cut[0] for cut in cuts), end]
    return tuple(
        replace(
            face,
            frame=face.frame + FRAMES_BETWEEN_SHOTS * face.shot,
            since_seconds=min(since[face.frame], face.seconds),
            until_seconds=max(until[face.frame], face.until_seconds),
        )
        for face in faces
    )


def _find_ends(
    samples: Sequence[Sample], begins: Sequence[float], video_seconds: float
) -> tuple[float, float]:
    """Find from when on the first frame stands for the video, and until when the last one does.

    Both reach as far as they would to midway, but not beyond the video; or the last one to the end
    of its shot, if the video marks shots.
    """
    first, last = samples[0], samples[-1]
    gaps = [after.seconds - before.until_seconds for before, after in pairwise(samples)]
    start = max(0.0, first.seconds - gaps[0] / 2) if gaps else first.seconds
    later = begins[bisect_right(begins, last.until_seconds) :]
    # What is shown past a hole is unknown, so the last one does not reach as far.
    longest = min(max(gaps), HOLE_GAPS * median(gaps)) if gaps else 0.0
    reach_on = longest if begins or not gaps else gaps[-1] / 2
    end = min(video_seconds, last.until_seconds + reach_on, *later)
    return start, max(last.until_seconds, end)
