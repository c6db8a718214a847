"""Photos to upload: good ones in every format, and ones made by hand to use all memory or time."""

import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from function.media.photo_decoder import HAS_JXL, JXL
from tools.footage.heif import heic

SEED_SIDE_PIXELS = 320

SEEDS: dict[str, tuple[str, dict[str, object]]] = {
    "baseline.jpg": ("JPEG", {"quality": 85}),
    "progressive.jpg": ("JPEG", {"quality": 85, "progressive": True}),
    "plain.png": ("PNG", {}),
    "lossy.webp": ("WEBP", {"quality": 80}),
    "lossless.webp": ("WEBP", {"lossless": True}),
    "still.gif": ("GIF", {}),
    "packed.tif": ("TIFF", {"compression": "tiff_lzw"}),
    "plain.bmp": ("BMP", {}),
    "new.avif": ("AVIF", {"quality": 60, "speed": 10}),
    "two.mpo": ("MPO", {"save_all": True}),
    "phone.heic": ("HEIF", {}),
    **({"new.jxl": (JXL, {})} if HAS_JXL else {}),
}
"""File name -> format and how it is written."""

SIDE_PIXELS = 14_000
"""196 million pixels, just within the limit."""

LARGE_SIDE_PIXELS = 7_000
"""49 million pixels, of a camera."""

SCANS = 3_000
SCAN_BEGINS, IMAGE_ENDS = b"\xff\xda", b"\xff\xd9"
ZEROS = bytes(1_000_000)


def write_seeds(portrait: Path) -> dict[str, bytes]:
    """Make a small photo in every format."""
    with Image.open(portrait) as image:
        image.thumbnail((SEED_SIDE_PIXELS, SEED_SIDE_PIXELS))
        small = image.convert("RGB")
    return {name: _seed(small, kind, how) for name, (kind, how) in SEEDS.items()}


def _seed(small: Image.Image, kind: str, how: dict[str, object]) -> bytes:
    if kind != "HEIF":
        return _save(small, kind, **how)
    even = small.crop((0, 0, small.width // 2 * 2, small.height // 2 * 2))
    return heic(np.asarray(even))


def fresh_photo(photo: bytes, number: int) -> bytes:
    """Make a JPEG a different file with the same picture: what follows its end is ignored."""
    return photo + number.to_bytes(4, "big")


def photo_bombs() -> Iterator[tuple[str, bytes]]:
    """Make every bomb, one at a time: some are large."""
    yield from _png_bombs()
    yield from _jpeg_bombs()
    yield from _other_bombs()
    yield from _impostors()


def endless_scans(scans: int = SCANS, side: int = LARGE_SIDE_PIXELS) -> bytes:
    """Make a progressive JPEG that repeats its last scan; each repeat must be decoded."""
    grey = Image.new("L", (side, side), 128)
    photo = _save(grey, "JPEG", progressive=True, quality=50)
    last = photo.rindex(SCAN_BEGINS)
    scan = photo[last : -len(IMAGE_ENDS)]
    return photo[: -len(IMAGE_ENDS)] + scan * scans + IMAGE_ENDS


def _save(image: Image.Image, kind: str, **how: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **how)
    return buffer.getvalue()


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def _png(width: int, height: int, *chunks: bytes, bits: int = 8, colours: int = 0) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, bits, colours, 0, 0, 0)
    end = _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + b"".join(chunks) + end


def _deflated_zeros(megabytes: int) -> bytes:
    packer = zlib.compressobj(1)
    return b"".join(packer.compress(ZEROS) for _ in range(megabytes)) + packer.flush()


def _png_bombs() -> Iterator[tuple[str, bytes]]:
    zeros = _deflated_zeros(200)
    pixels = _chunk(b"IDAT", zeros)
    side = SIDE_PIXELS
    yield "largest-allowed.png", _png(side, side, _chunk(b"IDAT", _deflated_zeros(800)), colours=6)
    yield "900-million-pixels.png", _png(30_000, 30_000, pixels)
    yield "2-milliard-wide.png", _png(2**31 - 1, 2**31 - 1, pixels)
    yield "one-row.png", _png(50_000_000, 1, pixels)
    yield "no-size.png", _png(0, 0, pixels)
    yield "more-than-it-says.png", _png(64, 64, pixels)
    yield "text.png", _png(64, 64, _chunk(b"zTXt", b"Comment\0\0" + zeros), pixels)
    yield "profile.png", _png(64, 64, _chunk(b"iCCP", b"profile\0\0" + zeros), pixels)
    text = b"".join(_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(ZEROS)) for _ in range(500))
    yield "many-texts.png", _png(64, 64, text, pixels)
    animation = _chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0))
    yield "endless-animation.png", _png(64, 64, animation, pixels)


def _jpeg_bombs() -> Iterator[tuple[str, bytes]]:
    grey = _save(Image.new("L", (64, 64), 128), "JPEG")
    size = grey.index(b"\xff\xc0") + 5
    for name, claim in (("largest", 0xFFFF), ("most-allowed", SIDE_PIXELS)):
        claimed = struct.pack(">HH", claim, claim)
        yield f"claims-{name}.jpg", grey[:size] + claimed + grey[size + 4 :]
    yield "endless-scans.jpg", endless_scans()
    comments = b"\xff\xfe\xff\xff" + bytes(0xFFFD)
    yield "comments.jpg", grey[:2] + comments * 400 + grey[2:]
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = _save(Image.new("RGB", (64, 64)), "JPEG", exif=exif.tobytes())
    count = turned.index(b"Exif\0\0") + 6 + 8
    yield "exif-counts.jpg", turned[:count] + b"\xff\xff" + turned[count + 2 :]
    yield "exif-itself.jpg", turned[: count - 4] + b"\0\0\0\x08" + turned[count:]


def _other_bombs() -> Iterator[tuple[str, bytes]]:
    noise = np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8)
    picture = Image.fromarray(noise)
    for kind, pattern in (("WEBP", b"VP8X"), ("AVIF", b"ispe"), ("BMP", b"BM")):
        good = bytearray(_save(picture, kind, **({"exif": b"Exif\0\0"} if kind == "WEBP" else {})))
        place = {"WEBP": 12, "AVIF": 8, "BMP": 18}[kind] + good.find(pattern)
        good[place : place + 6] = b"\xff" * 6
        yield f"claims-most.{kind.lower()}", bytes(good)
    screen = _save(picture, "GIF")
    yield "screen.gif", screen[:6] + b"\xff\xff\xff\xff" + screen[10:]
    frames = [Image.fromarray(np.roll(noise, step)) for step in range(100)]
    for kind in ("GIF", "WEBP"):
        film = _save(picture, kind, save_all=True, append_images=frames)
        yield f"film.{kind.lower()}", film
    entry = struct.pack("<HHII", 256, 4, 2**32 - 1, 8)
    yield "tags.tif", b"II*\0\x08\0\0\0" + struct.pack("<H", 0xFFFF) + entry * 5_000
    yield "circle.tif", b"II*\0\x08\0\0\0" + struct.pack("<H", 0) + struct.pack("<I", 8)
    large = Image.new("L", (SIDE_PIXELS, SIDE_PIXELS))
    yield "largest-allowed.tif", _save(large, "TIFF", compression="tiff_deflate")
    side = LARGE_SIDE_PIXELS
    yield "large.webp", _save(Image.new("L", (side, side)), "WEBP", quality=1, method=0)


def _impostors() -> Iterator[tuple[str, bytes]]:
    yield "empty.jpg", b""
    yield "one-byte.jpg", b"\xff"
    yield "page.jpg", b"<html><script>alert(1)</script></html>"
    yield "script.jpg", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n(/etc/passwd) run\n"
    yield (
        "drawing.jpg",
        b'<svg xmlns="http://www.w3.org/2000/svg"><image href="/etc/hosts"/></svg>',
    )
    yield "document.jpg", b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\n"
    yield "film.jpg", b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(10_000)
    yield "zeros.jpg", ZEROS
    yield "most-bytes.jpg", b"\xff\xd8\xff" + bytes(63_000_000)
