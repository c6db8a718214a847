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

EXIF_BYTES = 6
"""How EXIF begins, `Exif` and two zeros, before that to which its places refer (A.2.1)."""


def heic(
    picture: RgbImage, columns: int = 1, turns: Sequence[bytes] = (), exif: bytes = b""
) -> bytes:
    """Encode a picture as HEIC: whole, or as phones do, cut into as many tiles across and down.

    Its width and height are even multiples of `columns`. A whole one may say how it is turned, in
    boxes of a name and a number such as `irot` and 1, and have EXIF, which begins with `Exif`.
    """
    films = [_film_of_one(tile) for tile in _tiles(picture, columns)]
    images = [_box_in(film, b"mdat")[8:] for film in films]
    if columns > 1:
        images.append(_grid(picture, columns))
    if exif:
        images.append(struct.pack(">I", EXIF_BYTES) + exif)
    properties = [_box_in(films[0], b"hvcC"), *_sizes(picture, columns)]
    properties += [_box(turn[:4], turn[4:]) for turn in turns]
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
    tiles, whole = columns**2, columns**2 + (columns > 1)
    kinds = [b"hvc1"] * tiles + [b"grid"] * (whole - tiles) + [b"Exif"] * (len(images) - whole)
    entries = [
        _full(b"infe", struct.pack(">HH", number, 0), kind, b"\0", version=2)
        for number, kind in enumerate(kinds, 1)
    ]
    extents = b"".join(
        struct.pack(">HHHII", number, 0, 1, place, len(image))
        for number, (place, image) in enumerate(zip(places, images, strict=True), 1)
    )
    each = bytes([0x81, *range(2, len(properties) + 1 if whole == 1 else 3)])
    has = [bytes([len(each)]) + each] * tiles + [b"\1\3"] * (whole - tiles)
    links = b"".join(struct.pack(">H", number) + one for number, one in enumerate(has, 1))
    made_of = struct.pack(f">HH{tiles}H", whole, tiles, *range(1, tiles + 1))
    refers = [_box(b"dimg", made_of)] if whole > tiles else []
    refers += [_box(b"cdsc", struct.pack(">HHH", len(images), 1, 1))] * (len(images) - whole)
    return _full(
        b"meta",
        _full(b"hdlr", bytes(4), b"pict", bytes(13)),
        _full(b"pitm", struct.pack(">H", whole)),
        _full(b"iloc", struct.pack(">BBH", 0x44, 0x00, len(images)), extents),
        _full(b"iinf", struct.pack(">H", len(images)), *entries),
        *([_full(b"iref", *refers)] if refers else []),
        _box(b"iprp", _box(b"ipco", *properties), _full(b"ipma", struct.pack(">I", whole), links)),
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
