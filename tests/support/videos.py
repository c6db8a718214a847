"""Odd videos for the tests: numbered pictures, and files of sound."""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np

from function.media.pictures import RgbImage

NUMBER_BITS = 12
"""A numbered picture carries its number as this many black or white bars, lowest bit at left."""


def numbered_pictures(
    count: int, *, width: int = 192, height: int = 128, first: int = 0
) -> Iterator[RgbImage]:
    """Yield pictures that say which they are: `number_in` reads it back after any codec."""
    for number in range(first, first + count):
        bits = [255 * (number >> bit & 1) for bit in range(NUMBER_BITS)]
        bars = np.repeat(np.array(bits, np.uint8), width // NUMBER_BITS)
        picture = np.zeros((height, width, 3), np.uint8)
        picture[:, : bars.size] = bars[None, :, None]
        yield picture


def number_in(picture: RgbImage) -> int:
    """Read the number of a picture that `numbered_pictures` drew."""
    height, width = picture.shape[:2]
    bar = width // NUMBER_BITS
    centres = [bar * bit + bar // 2 for bit in range(NUMBER_BITS)]
    lit = picture[height // 2, centres].mean(axis=1) > 127
    return int(sum(1 << bit for bit in range(NUMBER_BITS) if lit[bit]))


def write_sound(path: Path, seconds: float = 1.0, cover: bytes | None = None) -> Path:
    """Write a file of silence; with `cover`, a JPEG, as music with a picture on its sleeve."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream("aac", rate=44100, layout="mono")
        if cover is not None:
            output.add_attachment("cover.jpg", "image/jpeg", cover)
        for start in range(0, round(seconds * 44100), 1024):
            samples = np.zeros((1, 1024), np.float32)
            frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
            frame.rate, frame.pts = 44100, start
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return path


def repeat_film(source: Path, target: Path, times: int) -> Path:
    """Write a film that shows another one again and again, without encoding it anew."""
    with av.open(str(target), "w") as output:
        stream, start = None, 0
        for _ in range(times):
            with av.open(str(source)) as film:
                (shown,) = film.streams.video
                stream = stream or output.add_stream_from_template(shown)
                end = start
                for packet in film.demux(shown):
                    if packet.dts is None or packet.pts is None:
                        continue  # the end
                    packet.dts, packet.pts = packet.dts + start, packet.pts + start
                    end = max(end, packet.pts + (packet.duration or 0))
                    packet.stream = stream
                    output.mux(packet)
                start = end
    return target
