"""A video file becomes a stream of pictures: what to sample, and how to read just that."""

from dataclasses import dataclass

from function.engines import RgbImage


@dataclass(frozen=True, eq=False)
class Frame:
    """One sampled picture of a video, upright and in square pixels.

    `rgb` is RGB uint8, (height, width, 3); `seconds` counts from the start of the video, `index`
    from the first sample. Until `until_seconds` the video showed the same.
    """

    index: int
    seconds: float
    until_seconds: float
    rgb: RgbImage
