"""Makes photos as phones take them: HEIF, one still picture of HEVC in the boxes around it.

The boxes are those of ISO/IEC 23008-12; what encodes the picture is PyAV's x265.
"""

import io
import struct

import av
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from function.media.pictures import RgbImage


def heic(picture: RgbImage) -> bytes:
    """Encode a picture, of even width and height, as HEIC."""
    film = _film_of_one(picture)
    configuration = _box_in(film, b"hvcC")
    image = _box_in(film, b"mdat")[8:]
    height, width = picture.shape[:2]
    properties = _box(
        b"ipco", configuration, _full(b"ispe", struct.pack(">II", width, height))
    ) + _full(b"ipma", struct.pack(">IHBBB", 1, 1, 2, 0x81, 0x02))
    entry = _full(b"infe", struct.pack(">HH", 1, 0), b"hvc1", b"\0", version=2)

    def meta(offset: int) -> bytes:
        place = struct.pack(">BBHHHHII", 0x44, 0x00, 1, 1, 0, 1, offset, len(image))
        return _full(
            b"meta",
            _full(b"hdlr", bytes(4), b"pict", bytes(13)),
            _full(b"pitm", struct.pack(">H", 1)),
            _full(b"iloc", place),
            _full(b"iinf", struct.pack(">H", 1), entry),
            _box(b"iprp", properties),
        )

    head = _box(b"ftyp", b"heic", bytes(4), b"mif1heic")
    offset = len(head) + len(meta(0)) + 8
    return head + meta(offset) + _box(b"mdat", image)


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
