"""Says what one video may cost."""

from dataclasses import dataclass


@dataclass(frozen=True)
class VideoLimits:
    """What one video may cost; a file that needs more is refused or, for frames, sampled less.

    `max_pixels` is width times height of a picture, as stored or with its pixels made square;
    `max_seconds` is the length; `max_frames` counts sampled frames: the interval grows so that
    they are enough; `max_streams` counts video, audio and subtitle streams in the file.
    """

    max_pixels: int = 8192 * 4352
    max_seconds: float = 24 * 3600.0
    max_frames: int = 10_000
    max_streams: int = 100
