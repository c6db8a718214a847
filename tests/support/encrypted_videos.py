"""Videos with copy protection, as shops, discs and pay TV have it, and as it is half taken off."""

from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

from tests.support.timed_videos import TS_BYTES
from tests.support.videos import numbered_pictures
from tools.footage.videos import write_video

COUNT = 100
KEY = "0123456789abcdef" * 2

PICTURES_PIDS = (0x100, 0x1011)
"""The numbers that FFmpeg gives the pictures in a broadcast, and in what is made for discs."""


def cenc(path: Path, flags: str = "", **renamed: str) -> Path:
    """Write an encrypted MP4, cut into fragments by `flags`; then give boxes other names."""
    options = {
        "encryption_scheme": "cenc-aes-ctr",
        "encryption_key": KEY,
        "encryption_kid": KEY,
    } | ({"movflags": flags} if flags else {})
    write_video(path, numbered_pictures(COUNT), container_options=options)
    content = path.read_bytes()
    for old, new in renamed.items():
        assert old.encode() in content
        content = content.replace(old.encode(), new.encode())
    path.write_bytes(content)
    return path


def protected_asf(path: Path, padding: int = 0) -> Path:
    """Write an ASF file whose header says, after so many bytes, that its content is encrypted."""
    content = bytearray(write_video(path, numbered_pictures(50), codec="wmv2").read_bytes())
    first = bytes.fromhex("74d40618dfca0945a4ba9aabcb96aae8")  # an object of padding
    notes = first + (24 + padding).to_bytes(8, "little") + bytes(padding)
    notes += bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e")
    notes += (40).to_bytes(8, "little") + bytes(16)
    length, count = (int.from_bytes(content[a:b], "little") for a, b in ((16, 24), (24, 28)))
    content[16:24] = (length + len(notes)).to_bytes(8, "little")
    content[24:28] = (count + 2).to_bytes(4, "little")
    content[length:length] = notes
    path.write_bytes(content)
    return path


def scramble(
    path: Path, start: float = 0.0, *, stray_bytes: int = 0, in_stream: bool = False
) -> Path:
    """Scramble the pictures of a broadcast from a share of it on, and say so in each packet.

    Or in the header of each picture (`in_stream`), which then is not scrambled.
    """
    content, noise = bytearray(path.read_bytes()), Random(1)
    size = 192 if path.suffix == ".m2ts" else TS_BYTES
    for place in range(size - TS_BYTES, len(content), size):
        is_video = ((content[place + 1] & 0x1F) << 8 | content[place + 2]) in PICTURES_PIDS
        if not is_video or place < start * len(content):
            continue
        header = place + 4 + (1 + content[place + 4] if content[place + 3] & 0x20 else 0)
        if not in_stream:
            content[place + 3] |= 0x80
        elif content[place + 1] & 0x40:
            content[header + 6] |= 0x20
            header += 9 + content[header + 8]
        end = place + TS_BYTES
        content[header:end] = noise.randbytes(max(end - header, 0))
    path.write_bytes(content[stray_bytes:])
    return path


def scramble_disc(path: Path) -> Path:
    """Scramble the pictures of an MPEG-PS as discs do, past the head of each sector."""
    content, noise = bytearray(path.read_bytes()), Random(1)
    place = content.find(b"\0\0\1\xe0")
    while place >= 0:
        end = place + 6 + int.from_bytes(content[place + 4 : place + 6], "big")
        content[place + 6] |= 0x10
        start = max(place + 9 + content[place + 8], place // 2048 * 2048 + 128)
        content[start:end] = noise.randbytes(max(end - start, 0))
        place = content.find(b"\0\0\1\xe0", end)
    path.write_bytes(content)
    return path


def lock_matroska(path: Path, note: bytes, kind: int = 1) -> Path:
    """Encrypt the pictures of a Matroska file, and put a note into the track of this kind."""
    content = path.read_bytes()
    _, head = _read_element(content, 0)
    _, segment = _read_element(content, head.stop)
    changed = b""
    for name, place in _elements(content, segment):
        inner = content[place.start : place.stop]
        if name == TRACKS:
            inner = _noted(inner, note, kind)
        if name == CLUSTER:
            inner = _noise(inner)
        if name not in POINTERS:
            changed += element(name, inner)
    path.write_bytes(content[: head.stop] + element("18538067", changed))
    return path


TRACKS, CLUSTER = "1654ae6b", "1f43b675"
POINTERS = ("114d9b74", "1c53bb6b")
"""Elements that say where others are; they do so no longer."""


def content_encryption(key: bytes = b"") -> bytes:
    """Say of a track that its content is encrypted by AES, and by which key."""
    about = element("47e1", b"\5") + (element("47e2", key) if key else b"")
    return element("6d80", element("6240", element("5033", b"\1") + element("5035", about)))


def element(name: str, content: bytes) -> bytes:
    """Make an element of Matroska."""
    return bytes.fromhex(name) + (1 << 56 | len(content)).to_bytes(8, "big") + content


def _read_element(content: bytes, place: int) -> tuple[str, range]:
    """Return an element's id, and where its content is."""
    names = 9 - content[place].bit_length()
    lengths = 9 - content[place + names].bit_length()
    start = place + names + lengths
    length = int.from_bytes(content[place + names : start], "big") & (1 << 7 * lengths) - 1
    return content[place : place + names].hex(), range(start, min(start + length, len(content)))


def _elements(content: bytes, within: range) -> Iterator[tuple[str, range]]:
    place = within.start
    while place < within.stop:
        name, inner = _read_element(content, place)
        yield name, inner
        place = inner.stop


def _map(content: bytes, change: Callable[[str, bytes], bytes]) -> bytes:
    return b"".join(
        element(name, change(name, content[inner.start : inner.stop]))
        for name, inner in _elements(content, range(len(content)))
    )


def _noted(tracks: bytes, note: bytes, kind: int) -> bytes:
    is_it = element("83", bytes([kind]))
    return _map(
        tracks, lambda _, track: track + note if b"\x83\x81" + is_it[-1:] in track else track
    )


def _noise(cluster: bytes) -> bytes:
    noise = Random(1)
    return _map(
        cluster,
        lambda name, block: block[:4] + noise.randbytes(len(block) - 4) if name == "a3" else block,
    )
