"""Reads a video's pictures, only where they are needed, and converts them to RGB in one place."""

import logging
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor, wait
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial, wraps
from typing import Concatenate, ParamSpec, TypeAlias

import numpy as np
from av.video.frame import VideoFrame

from function.media.conversion import DecodedPicture, PictureConverter, Thumbnail
from function.media.decoding import FalseKeyframeError, decode_group, shown_at
from function.media.packets import (
    FIELD_SECONDS,
    Group,
    UnsplitError,
    read_groups,
    read_keyframes_at,
)
from function.media.pictures import Picture
from function.media.schedule import Schedule, length_of
from function.media.shots import is_same_shot
from function.media.stretches import Stretch, read_stretch
from function.media.videos import Video

log = logging.getLogger(__name__)

Asked = ParamSpec("Asked")

STILL_DIFFERENCE = 4
"""Grey levels of 255: two samples show the same if no cell of their thumbnails differs by more.

The largest difference counts, because a mean misses a small face in a still room (a face of 50
pixels in 640x360 that turns by 10 degrees: largest 37, mean 0.08). Measured: a still picture with
camera noise, encoded well, stays within 4; people singing, 0.1 s apart, are never below 6.
"""

ENOUGH_PIXELS = 1920
"""A quick look halves a picture whose longest side is twice as much or more: 4K becomes 1080p."""

BLOCKY_CODECS = ("hevc",)
"""Of these a halved picture may be decoded without smoothing the edges of blocks, which saves a
sixth of the work. At 34 KB a picture in 4K that moves encodings by 0.02 on average, and by 0.06
those of faces of 100 pixels, which are cut from the whole picture; in H.264 by 0.1, and it saves
less."""

ALMOST_ALL = 0.9  # of the expected length; a video that ends sooner causes a warning


@dataclass(frozen=True, eq=False)
class Frame:
    """One sampled picture of a video, upright and in square pixels.

    `seconds` counts from the start of the video, `index` from the first sample, `shot` from the
    first shot. Until `until_seconds` the video showed the same. `thumbnail` is what two samples are
    compared by. `whole` is the picture as it was before it was halved, if it was.
    """

    index: int
    seconds: float
    until_seconds: float
    picture: Picture
    shot: int = 0
    thumbnail: Thumbnail | None = None
    whole: Picture | None = None


@dataclass(frozen=True, eq=False)
class _Sample:
    """A decoded picture, not yet RGB: most samples that are compared are never converted."""

    seconds: float
    until_seconds: float
    picture: DecodedPicture
    thumbnail: Thumbnail
    whole: DecodedPicture | None = None


_Take: TypeAlias = Callable[[VideoFrame, float], _Sample]
"""Makes a sample of a decoded picture and the seconds at which it is shown."""


def _keeping_open(
    sample: Callable[Concatenate[Video, Asked], Iterator[Frame]],
) -> Callable[Concatenate[Video, Asked], Iterator[Frame]]:
    """Let nobody close a video while a thread looks for the next frame in it."""

    @wraps(sample)
    def held(video: Video, /, *args: Asked.args, **kwargs: Asked.kwargs) -> Iterator[Frame]:
        frames = sample(video, *args, **kwargs)
        while True:
            with video.reading():
                frame = next(frames, None)
            if frame is None:
                return
            yield frame

    return held


@_keeping_open
def sample_frames(video: Video, spread: int | None = None) -> Iterator[Frame]:
    """Yield what a video shows, in order of time, leaving out repeats of the sample before.

    Keyframes are sampled where they are, at least the video's interval apart, and longer gaps are
    filled; with `spread`, so that there are some so many samples, evenly. Damaged places are
    skipped.

    Raises:
        UnreadableVideoError: not one picture can be decoded.
        VideoOverLimitError: the video goes on for longer than its limits allow.
    """
    take = _open_taker(video, halves=bool(spread))
    until_seconds: float | None = None
    if spread:
        video.every_seconds = max(video.every_seconds, video.seconds / spread)
    for frame in _make_frames(_decode_samples(video, take, spread)):
        until_seconds = frame.until_seconds
        yield frame
    if until_seconds is None:
        raise video.refusal()
    note_unreadable(video, until_seconds)


@_keeping_open
def sample_stretch(video: Video, stretch: Stretch) -> Iterator[Frame]:
    """Yield what a stretch of a video shows, as `sample_frames` does for a whole one.

    Frames and shots are counted from 0 in each. There may be none.

    Raises:
        UnsplitError: the video must be read from beginning to end.
        VideoOverLimitError: the video goes on for longer than its limits allow.
    """
    take = _open_taker(video)
    schedule = Schedule()
    groups = read_stretch(video, stretch)
    try:
        yield from _make_frames(_sample_groups(video, take, groups, schedule))
    except FalseKeyframeError:
        raise UnsplitError from None
    finally:
        video.missing += schedule.missed()


@_keeping_open
def sample_keyframes(
    video: Video, moments: Sequence[float], taken: set[float], schedule: Schedule
) -> Iterator[Frame]:
    """Yield the keyframes at some moments of a video, in seconds, and read nothing in between.

    Those in `taken` came before, and do not come again. The `schedule` is that of this call only.

    Raises:
        UnsplitError: the file must be read from beginning to end.
        VideoOverLimitError: the video goes on for longer than its limits allow.
    """
    take = _open_taker(video, halves=True)
    is_halved = max(video.width, video.height) >= 2 * ENOUGH_PIXELS
    if is_halved and video.stream.codec_context.name in BLOCKY_CODECS:
        video.leave_blocky()
    groups = read_keyframes_at(video, moments, taken)
    try:
        yield from _make_frames(_sample_groups(video, take, groups, schedule))
    except FalseKeyframeError:
        raise UnsplitError from None


def _open_taker(video: Video, *, halves: bool = False) -> _Take:
    aspect, most_pixels = video.stream.sample_aspect_ratio, video.limits.max_pixels
    converter = PictureConverter(aspect, most_pixels, video.recycler)
    if not halves:
        return partial(_take_as_decoded, converter)
    # Each keeps what one size of picture takes.
    return partial(_take_halved, converter, PictureConverter(aspect, most_pixels))


def _make_frames(samples: Iterator[_Sample]) -> Iterator[Frame]:
    for index, (sample, shot) in enumerate(_count_shots(_merge_still(samples))):
        seen = sample.seconds, sample.until_seconds, sample.picture
        yield Frame(index, *seen, shot, thumbnail=sample.thumbnail, whole=sample.whole)


def note_unreadable(video: Video, until_seconds: float) -> None:
    """Add up what could not be decoded or is not stored, and say so in the log.

    The last picture is shown until `until_seconds`. No more is missing than the video is long: the
    times of what is missing may be mistaken, as those of pictures.
    """
    if until_seconds < ALMOST_ALL * video.seconds - 2 * video.every_seconds:
        video.missing.append((until_seconds, video.seconds))
        log.warning(
            "%s ends after %.0f of %.0f s; it may be damaged, or only partly copied.",
            video.name,
            until_seconds,
            video.seconds,
        )
    longest = max(video.seconds, until_seconds)
    video.unreadable_seconds = min(length_of(video.missing), longest)
    if video.unreadable_seconds:
        log.warning(
            "%s is damaged: %.1f of %.0f s cannot be read.",
            video.name,
            video.unreadable_seconds,
            video.seconds,
        )


def _merge_still(samples: Iterator[_Sample]) -> Iterator[_Sample]:
    """Let the first of several samples that show the same represent all of them."""
    shown: _Sample | None = None
    for sample in samples:
        if shown and _shows_same(shown, sample):
            shown = replace(shown, until_seconds=sample.seconds)
            continue
        if shown:
            yield shown
        shown = sample
    if shown:
        yield shown


def _shows_same(one: _Sample, other: _Sample) -> bool:
    difference = np.abs(one.thumbnail - other.thumbnail).max()
    return bool(difference <= STILL_DIFFERENCE)


def _count_shots(samples: Iterator[_Sample]) -> Iterator[tuple[_Sample, int]]:
    """Yield each sample with the number of its shot."""
    shot, before = 0, None
    for sample in samples:
        if before is not None and not is_same_shot(before, sample.thumbnail):
            shot += 1
        yield sample, shot
        before = sample.thumbnail


def _decode_samples(video: Video, take: _Take, spread: int | None = None) -> Iterator[_Sample]:
    schedule = Schedule()
    try:
        try:
            groups = _trusting_groups(video, beginnings=not spread)
            yield from _sample_groups(video, take, groups, schedule)
        except FalseKeyframeError:
            log.info("%s marks pictures as keyframes that are not; all are decoded.", video.name)
            video.begin_again()
            schedule.begin_again()
            groups = read_groups(video, beginnings=False)
            yield from _sample_groups(video, take, groups, schedule)
    finally:
        video.missing += schedule.missed()


def _trusting_groups(video: Video, *, beginnings: bool) -> Iterator[Group]:
    if not video.trusts_keyframes:
        raise FalseKeyframeError
    return read_groups(video, beginnings=beginnings)


def _sample_groups(
    video: Video, take: _Take, groups: Iterator[Group], schedule: Schedule
) -> Iterator[_Sample]:
    for group in groups:
        schedule.expect(group.wanted_seconds, begins=group.begins)
        for picture in decode_group(video, group):
            early = FIELD_SECONDS if video.has_fields_apart else 0.0
            seconds = schedule.take(shown_at(picture), early)
            if seconds is not None:
                yield take(picture, seconds)
        if schedule.end_group() and video.trusts_keyframes:
            raise FalseKeyframeError


def _take_as_decoded(converter: PictureConverter, picture: VideoFrame, seconds: float) -> _Sample:
    thumbnail = converter.to_thumbnail(picture)
    return _Sample(seconds, seconds, DecodedPicture(picture, converter), thumbnail)


def _take_halved(
    converter: PictureConverter, of_whole: PictureConverter, picture: VideoFrame, seconds: float
) -> _Sample:
    half, matrix = converter.halve(picture, ENOUGH_PIXELS)
    whole = None if half is picture else DecodedPicture(picture, of_whole, matrix)
    thumbnail = converter.to_thumbnail(half)
    return _Sample(seconds, seconds, DecodedPicture(half, converter, matrix), thumbnail, whole)


def read_ahead(frames: Iterator[Frame], decoder: Executor | None = None) -> Generator[Frame]:
    """Yield the same frames, each decoded in a thread while the one before is processed.

    Decoding and detection both release the interpreter's lock. On two cores two minutes sampled
    once a second took 6.6 s instead of 11.4 s, for the same CPU time and one more frame in memory.
    A frame's pixels are there until the next frame is asked for: one more in RGB, and one more that
    the decoder cannot use again, would take 11 MB.
    The thread is that of `decoder`, or one of its own. Closing waits until no
    frame is being decoded, and so does the video.
    """
    with nullcontext(decoder) if decoder else one_thread() as thread:
        upcoming = thread.submit(next, frames, None)
        try:
            while frame := upcoming.result():
                frame.picture.rgb()  # now, so that the decoder can use its memory for the next
                upcoming = thread.submit(next, frames, None)
                yield frame
                for picture in (frame.picture, frame.whole):
                    if isinstance(picture, DecodedPicture):
                        picture.release()
        finally:
            wait([upcoming])


def one_thread() -> ThreadPoolExecutor:
    """Make the thread that decodes videos; it starts with the first work it is given."""
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="decode")
