"""Makes photos as phones take them: HEIF, still pictures of HEVC in the boxes around them.

The boxes are those of ISO/IEC 23008-12; what encodes the picture is PyAV's x265.
"""

import io
import struct
from collections.abc import Sequence

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from function.media.pictures import RgbImage


def heic(picture: RgbImage, columns: int = 1) -> bytes:
    """Encode a picture as HEIC: whole, or as phones do, cut into as many tiles across and down.

    Its width and height are even multiples of `columns`.
    """
    films = [_film_of_one(tile) for tile in _tiles(picture, columns)]
    images = [_box_in(film, b"mdat")[8:] for film in films]
    if columns > 1:
        images.append(_grid(picture, columns))
    properties = [_box_in(films[0], b"hvcC"), *_sizes(picture, columns)]
    meta = _meta([0] * len(images), images, properties, columns)
    head = _box(b"ftyp", b"heic", bytes(4), b"mif1heic")
    start = len(head) + len(meta) + 8
    places = [start + sum(map(len, images[:number])) for number in range(len(images))]
    return head + _meta(places, images, properties, columns) + _box(b"mdat", *images)


def _tiles(picture: RgbImage, columns: int) -> list[RgbImage]:
    rows = np.vsplit(picture, columns)
    return [np.ascontiguousarray(tile) for row in rows for tile in np.hsplit(row, columns)]


def _grid(picture: RgbImage, columns: int) -> bytes:
    """Say how tiles make up a picture (6.6.2.3)."""
    height, width = picture.shape[:2]
    return struct.pack(">BBBBHH", 0, 0, columns - 1, columns - 1, width, height)


def _sizes(picture: RgbImage, columns: int) -> list[bytes]:
    """State the size of each tile, and of the whole."""
    height, width = picture.shape[:2]
    sizes = [(width // columns, height // columns), *([(width, height)] if columns > 1 else [])]
    return [_full(b"ispe", struct.pack(">II", *size)) for size in sizes]


def _meta(
    places: Sequence[int], images: Sequence[bytes], properties: Sequence[bytes], columns: int
) -> bytes:
    """List the items, numbered from 1: pictures, and last the grid that is made of them, if any."""
    tiles, count = columns**2, len(images)
    kinds = [b"hvc1"] * tiles + [b"grid"] * (count - tiles)
    entries = [
        _full(b"infe", struct.pack(">HH", number, 0), kind, b"\0", version=2)
        for number, kind in enumerate(kinds, 1)
    ]
    extents = b"".join(
        struct.pack(">HHHII", number, 0, 1, place, len(image))
        for number, (place, image) in enumerate(zip(places, images, strict=True), 1)
    )
    has = [b"\2\x81\2"] * tiles + [b"\1\3"] * (count - tiles)  # how many properties, and which
    links = b"".join(struct.pack(">H", number) + one for number, one in enumerate(has, 1))
    made_of = struct.pack(f">HH{tiles}H", count, tiles, *range(1, tiles + 1))
    return _full(
        b"meta",
        _full(b"hdlr", bytes(4), b"pict", bytes(13)),
        _full(b"pitm", struct.pack(">H", count)),
        _full(b"iloc", struct.pack(">BBH", 0x44, 0x00, count), extents),
        _full(b"iinf", struct.pack(">H", count), *entries),
        *([_full(b"iref", _box(b"dimg", made_of))] if count > tiles else []),
        _box(b"iprp", _box(b"ipco", *properties), _full(b"ipma", struct.pack(">I", count), links)),
    )


def _film_of_one(picture: RgbImage) -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as film:
        # With B-frames, x265 reads a time that it never set where a film has one picture.
        options = {"x265-params": "log-level=none:bframes=0"}
        stream = film.add_stream("libx265", rate=1, options=options)
        assert isinstance(stream, VideoStream)
        stream.height, stream.width = picture.shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.codec_tag = "hvc1"
        frame = VideoFrame.from_ndarray(picture)
        frame.pts = 0
        for packet in (*stream.encode(frame), *stream.encode(None)):
            film.mux(packet)
    return buffer.getvalue()


def _box_in(film: bytes, kind: bytes) -> bytes:
    at = film.index(kind) - 4
    return film[at : at + int.from_bytes(film[at : at + 4], "big")]


def _box(kind: bytes, *contents: bytes) -> bytes:
    content = b"".join(contents)
    return struct.pack(">I", 8 + len(content)) + kind + content


def _full(kind: bytes, *contents: bytes, version: int = 0) -> bytes:
    return _box(kind, struct.pack(">I", version << 24), *contents)
