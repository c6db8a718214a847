"""Files made by hand to use all memory or time, or to read a file that is not theirs."""

import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.stream import Disposition
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from tools.footage.videos import write_video

Patch = tuple[bytes, int, int]
"""An MP4 box, an offset in it, and the 32-bit number to write there."""

FALSE_CLAIMS: dict[str, Patch] = {
    "endless-movie.mp4": (b"mvhd", 20, 2**32 - 1),
    "endless-track.mp4": (b"mdhd", 20, 2**32 - 1),
    "million-frames-a-second.mp4": (b"mdhd", 16, 512_000_000),
    "timescale-0.mp4": (b"mdhd", 16, 0),
    "many-samples.mp4": (b"stsz", 12, 2**31 - 1),
    "huge-samples.mp4": (b"stsz", 8, 2**31 - 1),
    "many-times.mp4": (b"stts", 8, 2**31 - 1),
    "many-chunks.mp4": (b"stco", 8, 2**31 - 1),
    "far-chunks.mp4": (b"stco", 12, 2**31 - 1),
    "many-places.mp4": (b"stsc", 8, 2**31 - 1),
    "many-descriptions.mp4": (b"stsd", 8, 2**31 - 1),
    "large-box.mp4": (b"moov", -4, 2**31 - 1),
    "small-box.mp4": (b"moov", -4, 9),
    "box-without-end.mp4": (b"trak", -4, 0),
    "claims-65535-pixels.mp4": (b"avc1", 28, 0xFFFFFFFF),
}


def write_bombs(folder: Path, seed: Path, canary: Path, port: int) -> list[Path]:
    """Write every bomb; some try to read `canary`, or to reach `port` on this machine."""
    written = [_patch(seed, folder / name, *patch) for name, patch in FALSE_CLAIMS.items()]
    for name, text in scripts(canary, port).items():
        written += [_write(folder / f"{name}.{suffix}", text) for suffix in ("mp4", "m3u8", "txt")]
    written += [_write(folder / name, content) for name, content in odd_files(seed).items()]
    made: dict[str, Callable[[Path], Path]] = {
        "huge-pixels.mov": _huge_pixels,
        "huge-pixels.mp4": _huge_pixels_h264,
        "rotating-sizes.ts": _rotating_sizes,
        "many-streams.mkv": _many_streams,
        "cover-art.mp4": _cover_art,
        "sparse-16-gigabytes.mp4": lambda path: _sparse(path, seed),
        "sparse-stream.ts": lambda path: _sparse(path, seed.with_suffix(".ts")),
        "thousand-sizes.avi": _wide_then_tall,
    }
    return written + [make(folder / name) for name, make in made.items()]


def scripts(canary: Path, port: int) -> dict[str, str]:
    """Playlists and scripts that name a file outside, and an address that notices connections."""
    address = f"http://127.0.0.1:{port}/canary.ts"
    begin = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:9\n#EXT-X-MEDIA-SEQUENCE:0\n"
    found = {}
    for kind, target in (("file", str(canary)), ("web", address), ("scheme", f"file://{canary}")):
        found[f"hls-{kind}"] = f"{begin}#EXTINF:9,\n{target}\n#EXT-X-ENDLIST\n"
        found[f"hls-key-{kind}"] = (
            f'{begin}#EXT-X-KEY:METHOD=AES-128,URI="{target}"\n#EXTINF:9,\nfilm.ts\n'
        )
        found[f"hls-map-{kind}"] = f'{begin}#EXT-X-MAP:URI="{target}"\n#EXTINF:9,\n{target}\n'
        found[f"concat-{kind}"] = f"ffconcat version 1.0\nfile '{target}'\nduration 9\n"
        found[f"dash-{kind}"] = (
            '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static">'
            '<Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1">'
            f"<BaseURL>{target}</BaseURL></Representation></AdaptationSet></Period></MPD>"
        )
        found[f"asx-{kind}"] = f'<asx version="3.0"><entry><ref href="{target}"/></entry></asx>'
        found[f"smil-{kind}"] = f'<smil><body><video src="{target}"/></body></smil>'
    found["hls-endless"] = f"{begin}#EXTINF:9,\nhls-endless.m3u8\n"
    found["sdp"] = (
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
        f"m=video {port} RTP/AVP 96\na=rtpmap:96 H264/90000\n"
    )
    found["svg"] = f'<svg xmlns="http://www.w3.org/2000/svg"><image href="{address}"/></svg>'
    return found


def odd_files(seed: Path) -> dict[str, bytes]:
    """Files that are empty, nearly empty, or something else altogether."""
    good = seed.read_bytes()
    return {
        "empty.mp4": b"",
        "one-byte.mp4": b"\0",
        "zeros.mp4": bytes(1_000_000),
        "ones.ts": b"\x47" * 1_000_000,
        "half.mp4": good[: len(good) // 2],
        "head-only.mp4": good[:64],
        "twice.mp4": good + good,
        "deep-boxes.mp4": b"".join(
            struct.pack(">I4s", 8 * (20_000 - depth), b"moov") for depth in range(20_000)
        ),
        "deep-ebml.mkv": b"\x1a\x45\xdf\xa3\x80" + b"\x18\x53\x80\x67\x01" * 50_000,
        "riff-nested.avi": b"RIFF\xff\xff\xff\xffAVI " + b"LIST\xff\xff\xff\xffhdrl" * 50_000,
        "script.mp4": b"#!/bin/sh\ntouch owned\n",
        "archive.mp4": b"PK\x03\x04" + bytes(1_000),
        "database.mp4": b"SQLite format 3\0" + bytes(4_000),
    }


def _write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def _patch(seed: Path, path: Path, box: bytes, offset: int, number: int) -> Path:
    content = bytearray(seed.read_bytes())
    place = content.find(box)
    content[place + offset : place + offset + 4] = struct.pack(">I", number)
    return _write(path, bytes(content))


def _sparse(path: Path, seed: Path) -> Path:
    path.write_bytes(seed.read_bytes())
    with path.open("r+b") as file:
        file.truncate(16 * 2**30)
    return path


def _encode(path: Path, codec: str, pixel_format: str, sizes: list[tuple[int, int]]) -> Path:
    """Write one picture of each size; the header states the first."""
    with av.open(str(path), "w") as output:
        stream = cast("VideoStream", output.add_stream(codec, rate=25))
        stream.width, stream.height = sizes[0]
        stream.pix_fmt = pixel_format
        for number, (width, height) in enumerate(sizes):
            encoder = cast("VideoCodecContext", av.CodecContext.create(codec, "w"))
            encoder.width, encoder.height, encoder.pix_fmt = width, height, pixel_format
            encoder.time_base = Fraction(1, 25)
            frame = av.VideoFrame(width, height, pixel_format)
            for packet in [*encoder.encode(frame), *encoder.encode()]:
                packet.stream, packet.pts, packet.dts = stream, number, number
                output.mux(packet)
    return path


def _huge_pixels(path: Path) -> Path:
    return _encode(path, "mjpeg", "yuvj420p", [(8_192, 6_144)])


def _huge_pixels_h264(path: Path) -> Path:
    black = np.zeros((8_192, 8_192, 3), np.uint8)
    return write_video(path, [black], options={"preset": "ultrafast", "crf": "51"})


def _rotating_sizes(path: Path) -> Path:
    sizes = [(16 * (1 + number % 40), 16 * (1 + number * 7 % 40)) for number in range(100)]
    return _encode(path, "mpeg2video", "yuv420p", sizes)


def _wide_then_tall(path: Path) -> Path:
    return _encode(path, "mjpeg", "yuvj420p", [(64, 64), (16_384, 16), (16, 16_384)] * 10)


def _many_streams(path: Path) -> Path:
    with av.open(str(path), "w") as output:
        streams = [output.add_stream("mjpeg", rate=25) for _ in range(150)]
        for stream in streams:
            stream.width = stream.height = 16
            stream.pix_fmt = "yuvj420p"
        for stream in streams:
            output.mux(stream.encode(av.VideoFrame(16, 16, "yuvj420p")))
            output.mux(stream.encode())
    return path


def _cover_art(path: Path) -> Path:
    with av.open(str(path), "w") as output:
        stream = output.add_stream("mjpeg", rate=1)
        stream.width = stream.height = 64
        stream.pix_fmt, stream.disposition = "yuvj420p", Disposition.attached_pic
        output.mux(stream.encode(av.VideoFrame(64, 64, "yuvj420p")))
        output.mux(stream.encode())
    return path
