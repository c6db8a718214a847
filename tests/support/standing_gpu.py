"""Stands in for a GPU's decoder where there is no GPU.

FFmpeg's own decoder decodes, and its pictures get the formats that GPUs use; it can fail after some
packets. What fetches the pictures and what goes on after a failure are the real parts.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import pytest
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from function.media import gpu
from function.media.gpu import Gpu, Skipped
from function.media.videos import Video, open_video

HELD = {"yuv420p": "nv12", "yuvj420p": "nv12", "yuv420p10le": "p010le", "yuv422p": "nv16"}


class StandingDecoder:
    """Decodes on the processor, and gives pictures as a GPU holds them.

    After `fails_after` packets it raises an error; pictures whose numbers are in `lost`, from 1, do
    not come.
    """

    def __init__(self, decoder: Any, fails_after: int | None, lost: frozenset[int]) -> None:
        self._decoder = decoder
        self._reformatter = VideoReformatter()
        self._fails_after = fails_after
        self._lost = lost
        self.packets = self.pictures = 0

    @property
    def width(self) -> int:
        return int(self._decoder.width)

    @property
    def height(self) -> int:
        return int(self._decoder.height)

    @property
    def skip_frame(self) -> Skipped:
        skipped: Skipped = self._decoder.skip_frame
        return skipped

    @skip_frame.setter
    def skip_frame(self, skipped: Skipped) -> None:
        self._decoder.skip_frame = skipped

    def decode(self, packet: "Packet[VideoStream] | None") -> list[VideoFrame]:
        if self.packets == self._fails_after:
            raise av.error.ExternalError(1, "the GPU fell off the bus")
        self.packets += packet is not None
        given = []
        for picture in self._decoder.decode(packet):
            self.pictures += 1
            if self.pictures not in self._lost:
                given.append(self._hold(picture))
        return given

    def flush_buffers(self) -> None:
        self._decoder.flush_buffers()

    def _hold(self, picture: VideoFrame) -> VideoFrame:
        held = HELD[picture.format.name]
        return self._reformatter.reformat(picture, format=held, threads=1)


@contextmanager
def open_on_gpu(
    path: Path,
    every_seconds: float | None,
    monkeypatch: pytest.MonkeyPatch,
    *,
    fails_after: int | None = None,
    lost: frozenset[int] = frozenset(),
) -> Iterator[tuple[Video, StandingDecoder]]:
    """Open a video that such a decoder decodes."""
    monkeypatch.setattr(gpu, "format_on_gpu", _format_of)
    with open_video(path, every_seconds) as video:
        container, stream = video.reopen()
        with container:
            inner = stream.codec_context
        decoder = StandingDecoder(inner, fails_after, lost)
        video.gpu = Gpu("cuda", decoder)
        yield video, decoder


def _format_of(picture: VideoFrame) -> str | None:
    return picture.format.name if picture.format.name in HELD.values() else None
