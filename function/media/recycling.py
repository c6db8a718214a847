"""Converts pictures to RGB in memory that serves again, one picture after another.

PyAV takes new memory for each picture that it converts, which the kernel clears first: for 1080p
that takes six times as long as the conversion. FFmpeg's filters keep theirs.
"""

from fractions import Fraction
from typing import TypeAlias

from av.filter import Graph
from av.video.frame import VideoFrame

FORMATS = ("yuv420p", "yuvj420p")
"""What nearly all videos are in. FFmpeg's filter and PyAV convert them alike, to the bit; with
others, like yuv444p, the filter may take other colours."""

_Kind: TypeAlias = tuple[int, int, str, int, int]

_ANY_UNIT = Fraction(1, 1000)


class Recycler:
    """Converts pictures of one kind after another to 8-bit RGB of the same size.

    A picture's memory serves again when nobody holds the picture any more, so no more is taken than
    all of those that are held at one time.
    """

    def __init__(self) -> None:
        self._kind: _Kind | None = None
        self._graph: Graph | None = None

    def to_rgb(self, picture: VideoFrame) -> VideoFrame | None:
        """Convert a picture; None if it is the first of its kind, or not of a kind that is known.

        For a single picture, setting up the filter would take longer than it saves.
        """
        kind = _kind_of(picture)
        if kind is None or kind != self._kind:
            self._kind, self._graph = kind, None
            return None
        if self._graph is None:
            self._graph = _open(picture)
        self._graph.vpush(picture)
        return self._graph.vpull()


def _kind_of(picture: VideoFrame) -> _Kind | None:
    """Return what a filter must be set up for: it would keep a range of colours that was named."""
    name = picture.format.name
    if name not in FORMATS or picture.interlaced_frame:
        return None
    colours = int(picture.colorspace), int(picture.color_range)
    return picture.width, picture.height, name, *colours


def _open(picture: VideoFrame) -> Graph:
    graph = Graph()
    graph.threads = 1
    chain = (
        graph.add_buffer(
            width=picture.width,
            height=picture.height,
            format=picture.format,
            time_base=_ANY_UNIT,
        ),
        graph.add("scale", "flags=bilinear"),
        graph.add("format", "pix_fmts=rgb24"),
        graph.add("buffersink"),
    )
    graph.link_nodes(*chain).configure()
    return graph
