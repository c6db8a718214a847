"""Tells what kind of picture a file is by its first bytes, and drops odd metadata."""

import os
import struct
from pathlib import Path

HEAD_BYTES = 64
"""This many bytes tell the kind."""

PHOTO_SUFFIXES = frozenset(
    (
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".mpo", ".png", ".apng", ".webp", ".bmp"),
        *(".tif", ".tiff", ".gif", ".avif", ".avifs", ".heic", ".heif", ".hif", ".heics", ".jxl"),
    )
)
"""What the names of photos end in, in lower case. Others are told by their content."""

ARCHIVE_SUFFIXES = frozenset((".zip", ".cbz"))
"""What the names of archives end in whose pictures are read; a cbz is a zip of a comic's pages."""

_LOOKED_AT_BYTES = 4096
"""A PNG that is an animation says so here, before its first pixels."""

_FIRST_JPEG_BYTES = 8_000_000
"""A picture of a film that consists of JPEGs ends before."""

_MOST_SEGMENTS = 1_000
"""A picture has a few dozen before its scan, with a large profile and much metadata 400."""

_SCAN, JPEG_END = b"\xda", b"\xff\xd9"

_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_SEQUENCE_BRANDS = (b"avis", b"msf1", b"hevc", b"hevx")
"""How a file begins whose pictures follow each other in time (ISO/IEC 23008-12, 10)."""
_FILM_BRANDS = (b"iso", b"mp4", b"M4V", b"qt", b"avc", b"3g", b"dash", b"f4v", b"MSNV")
_BEGINNINGS = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"BM": "BMP",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"\xff\x0a": "JXL",
    b"\0\0\0\x0cJXL \r\n\x87\n": "JXL",
}
_BMP_HEADERS = (12, 40, 52, 56, 64, 108, 124)
"""How long the second header of a BMP can be: two letters alone begin many a text."""


_TIFF_TAGS = frozenset(
    (
        *(254, *range(256, 260), 262, 266, 273, *range(277, 280), 284, 317, 320),
        *(*range(322, 326), 338, 339, 347, *range(529, 533)),
    )
)
"""What the pixels of a TIFF cannot be read without (TIFF 6.0)."""

_TIFF_ORIENTATION = (274, 3, 1)
"""How it was held, as one short number: anything else under this tag is a mistake."""


def find_kind(head: bytes) -> str:
    """Name the kind of picture that begins with these bytes, as Pillow does; "" if it is none."""
    if head[4:8] == b"ftyp":
        brands = [head[at : at + 4] for at in range(8, len(head), 4)]
        if b"avif" in brands or b"avis" in brands:
            return "AVIF"
        return "HEIF" if any(brand in brands for brand in _HEIF_BRANDS) else ""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    kind = next((kind for begin, kind in _BEGINNINGS.items() if head.startswith(begin)), "")
    is_text = kind == "BMP" and int.from_bytes(head[14:18], "little") not in _BMP_HEADERS
    return "" if is_text else kind


def is_film(head: bytes) -> bool:
    """Say whether a file that begins so is an MP4, MOV, Matroska or AVI."""
    is_mp4 = head[4:8] == b"ftyp" and head.startswith(_FILM_BRANDS, 8)
    is_avi = head[:4] == b"RIFF" and head[8:12] == b"AVI "
    return is_mp4 or is_avi or head.startswith(b"\x1a\x45\xdf\xa3")


def is_sequence(head: bytes) -> bool:
    """Say whether a file that begins so is an animation in AVIF or HEIF."""
    return head[4:8] == b"ftyp" and head[8:12] in _SEQUENCE_BRANDS


def is_still(descriptor: int) -> bool:
    """Say whether an open file is one picture, by how it begins; animations are films.

    An animated WebP counts as its first picture, since no video decoder here reads it.
    """
    try:
        head = os.pread(descriptor, _LOOKED_AT_BYTES, 0)
        kind = find_kind(head[:HEAD_BYTES])
        if kind == "JPEG":
            return not _is_stream(os.pread(descriptor, _FIRST_JPEG_BYTES, 0))
    except OSError:
        return False  # whoever reads it as a video says why it cannot be read
    if kind in ("AVIF", "HEIF"):
        return not is_sequence(head)
    return bool(kind) and kind != "GIF" and not (kind == "PNG" and b"acTL" in head)


def _is_stream(content: bytes) -> bool:
    """Say whether a second JPEG follows the first at once, as in a film without a container.

    Phones put more pictures behind the first, too, and say so in it (CIPA DC-007, "MPF").
    """
    at = 2
    for _ in range(_MOST_SEGMENTS):
        if content[at : at + 1] != b"\xff" or content[at + 1 : at + 2] == _SCAN:
            break
        at += 2 + max(2, int.from_bytes(content[at + 2 : at + 4], "big"))
    else:
        return False  # whoever decodes it says what is wrong with it
    end = content.find(JPEG_END, at)  # within a scan nothing else looks like it
    follows = content[end + len(JPEG_END) : end + len(JPEG_END) + 3]
    return end >= 0 and follows == b"\xff\xd8\xff" and b"MPF\0" not in content[:at]


def is_photo(path: Path) -> bool:
    """Say whether a file is a photo, by the end of its name or else by how it begins.

    Raises:
        OSError: its name does not tell, and it cannot be read.
    """
    if path.suffix.lower() in PHOTO_SUFFIXES:
        return True
    if not path.is_file():
        return False  # to open a pipe would wait for ever
    with path.open("rb") as file:
        return bool(find_kind(file.read(HEAD_BYTES)))


def without_metadata(content: bytes) -> bytes:
    """Return a JPEG or TIFF without what it says about itself.

    Another kind of picture is returned as it is. Adobe's segment stays: it says which colours the
    numbers mean.
    """
    if content[:4] in (b"II*\0", b"MM\0*"):
        return _plain_tiff(content)
    return _plain_jpeg(content) if content.startswith(b"\xff\xd8") else content


def _plain_tiff(content: bytes) -> bytes:
    """Keep of the first directory, which is rewritten at the end, what makes up the picture."""
    order = "<" if content.startswith(b"II") else ">"
    try:
        (at,) = struct.unpack_from(order + "I", content, 4)
        (count,) = struct.unpack_from(order + "H", content, at)
        entries = [content[place : place + 12] for place in range(at + 2, at + 2 + 12 * count, 12)]
        heads = [struct.unpack_from(order + "HHI", entry) for entry in entries]
    except struct.error:
        return content
    kept = {
        head[0]: entry
        for head, entry in zip(heads, entries, strict=True)
        if head[0] in _TIFF_TAGS or head == _TIFF_ORIENTATION
    }
    body = content[8:] + bytes(len(content) % 2)
    directory = struct.pack(order + "H", len(kept)) + b"".join(kept.values()) + bytes(4)
    return content[:4] + struct.pack(order + "I", 8 + len(body)) + body + directory


def _plain_jpeg(content: bytes) -> bytes:
    kept, at = [b"\xff\xd8"], 2
    while content[at : at + 1] == b"\xff" and at + 4 <= len(content):
        marker = content[at + 1]
        length = 2 + int.from_bytes(content[at + 2 : at + 4], "big")
        if marker == 0xDA:  # noqa: PLR2004  # start of scan: from here on there are pixels
            break
        if not (0xE1 <= marker <= 0xEF or marker == 0xFE) or marker == 0xEE:  # noqa: PLR2004  # APP1 to APP15, comment; APP14
            kept.append(content[at : at + length])
        at += length
    return b"".join(kept) + content[at:]
