"""Videos whose times are set in odd ways: edit lists, trims, clocks that wrap, two programmes."""

import binascii
import struct
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

import av

TS_BYTES = 188


class Edit(NamedTuple):
    """For `seconds` a player shows the pictures from `from_seconds` on; None: nothing at all."""

    from_seconds: float | None
    seconds: float


def write_edits(path: Path, edits: Sequence[Edit]) -> Path:
    """Replace the edit list of the one track of an MP4 whose `moov` comes last."""
    content = path.read_bytes()
    place = content.rindex(b"moov") - 4
    movie = content[place:]
    units = _unit_of(movie, b"mvhd"), _unit_of(movie, b"mdhd")
    start = _media_start(movie)
    entries = [
        struct.pack(
            ">IiI",
            round(edit.seconds * units[0]),
            -1 if edit.from_seconds is None else start + round(edit.from_seconds * units[1]),
            0x10000,
        )
        for edit in edits
    ]
    elst = _box(b"elst", struct.pack(">II", 0, len(entries)) + b"".join(entries))
    movie = _with_length(movie, round(sum(edit.seconds for edit in edits) * units[0]))
    path.write_bytes(content[:place] + _with_edits(movie, _box(b"edts", elst)))
    return path


def with_durations(path: Path, place: int, units: int) -> Path:
    """Let one picture of an MP4 of even pictures, whose `moov` comes last, last so many units."""
    content = path.read_bytes()
    start = content.rindex(b"moov") - 4
    at = content.rindex(b"stts")
    count, usual = struct.unpack_from(">II", content, at + 12)
    runs = ((place, usual), (1, units), (count - place - 1, usual))
    new = struct.pack(">II", 0, len(runs)) + b"".join(struct.pack(">II", *run) for run in runs)
    (old,) = struct.unpack_from(">I", content, at - 4)
    grown = 8 + len(new) - old
    changed = bytearray(content[: at - 4] + _box(b"stts", new) + content[at - 4 + old :])
    for name in (b"moov", b"trak", b"mdia", b"minf", b"stbl"):
        place = changed.index(name, start) - 4
        struct.pack_into(">I", changed, place, struct.unpack_from(">I", changed, place)[0] + grown)
    path.write_bytes(changed)
    return path


def shown_at(edits: Sequence[Edit], seconds: float) -> Iterator[float]:
    """Yield when a player shows what the track holds at a moment."""
    start = 0.0
    for edit in edits:
        if edit.from_seconds is not None and 0 <= seconds - edit.from_seconds < edit.seconds:
            yield start + seconds - edit.from_seconds
        start += edit.seconds


def trim(source: Path, target: Path, seconds: float) -> Path:
    """Copy a video from a moment on without encoding it again, as `ffmpeg -ss -c copy` does."""
    with av.open(str(source)) as whole, av.open(str(target), "w") as output:
        stream = whole.streams.video[0]
        copy = output.add_stream_from_template(stream)
        unit = stream.time_base or Fraction(1, 1000)
        whole.seek(round(seconds / unit), stream=stream)
        for packet in whole.demux(stream):
            if packet.size and packet.pts is not None and packet.dts is not None:
                packet.pts -= round(seconds / unit)
                packet.dts -= round(seconds / unit)
                packet.stream = copy
                output.mux(packet)
    return target


def from_picture(source: Path, target: Path, number: int) -> Path:
    """Copy a video from a picture on, counted from 0, which need not be a keyframe."""
    with av.open(str(source)) as whole, av.open(str(target), "w") as output:
        stream = whole.streams.video[0]
        copy = output.add_stream_from_template(stream)
        packets = [packet for packet in whole.demux(stream) if packet.size][number:]
        start = packets[0].dts or 0
        for packet in packets:
            packet.pts = None if packet.pts is None else packet.pts - start
            packet.dts = None if packet.dts is None else packet.dts - start
            packet.stream = copy
            output.mux(packet)
    return target


def join_programmes(first: Path, second: Path, target: Path) -> Path:
    """Put two broadcasts of one video each into one file, packet by packet, under one table."""
    ours, theirs = _packets(first), [_move(one) for one in _packets(second)]
    table = _association({1: 0x1000, 2: 0x1001})
    pairs = zip_longest(ours, theirs)
    rest = [one for pair in pairs for one in pair if one is not None and _pid(one) > 0x1F]
    target.write_bytes(table + b"".join(rest))
    return target


def break_counters(path: Path) -> Path:
    """Multiply the continuity counter of every packet of a broadcast by three."""
    packets = [bytearray(one) for one in _packets(path)]
    for packet in packets:
        packet[3] = packet[3] & 0xF0 | (packet[3] & 0x0F) * 3 % 16
    path.write_bytes(b"".join(packets))
    return path


def change_packets(path: Path, change: Callable[[int, bytes], bytes]) -> Path:
    """Put other bytes in the place of each packet of a broadcast, given its stream and itself."""
    path.write_bytes(b"".join(change(_pid(one), one) for one in _packets(path)))
    return path


def with_stream_type(path: Path, kind: int, about: bytes = b"") -> Path:
    """Let a broadcast's table call its pictures a stream of another type, and say more of them."""
    return change_packets(
        path, lambda pid, packet: _with_type(packet, kind, about) if pid == 0x1000 else packet
    )


def _with_type(packet: bytes, kind: int, about: bytes) -> bytes:
    start = 5 + packet[4]
    length = (packet[start + 1] & 0x0F) << 8 | packet[start + 2]
    section = bytearray(packet[start : start + 3 + length - 4])
    stream = 12 + section[11]
    section[stream] = kind
    section[stream + 4] += len(about)
    section[2] += len(about)
    section[stream + 5 : stream + 5] = about
    return (packet[:start] + section + _checksum(section)).ljust(TS_BYTES, b"\xff")


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + kind + content


def _unit_of(movie: bytes, header: bytes) -> int:
    """Read how many units a second has, of the movie or of its track."""
    start = movie.index(header) + 4
    place = start + (20 if movie[start] else 12)
    return int(struct.unpack_from(">I", movie, place)[0])


def _media_start(movie: bytes) -> int:
    """Read where the first picture lies, in the track's units."""
    place = movie.find(b"elst")
    return int(struct.unpack_from(">i", movie, place + 16)[0]) if place > 0 else 0


def _with_length(movie: bytes, units: int) -> bytes:
    """State how long the movie and its track are, in the movie's units."""
    changed = bytearray(movie)
    for header, place in ((b"mvhd", 20), (b"tkhd", 24)):
        struct.pack_into(">I", changed, movie.index(header) + place, units)
    return bytes(changed)


def _with_edits(movie: bytes, edits: bytes) -> bytes:
    track = movie.index(b"trak") - 4
    (length,) = struct.unpack_from(">I", movie, track)
    inner = movie[track + 8 : track + length]
    place = inner.find(b"edts") - 4
    if place >= 0:
        (old,) = struct.unpack_from(">I", inner, place)
        inner = inner[:place] + inner[place + old :]
    header = struct.unpack_from(">I", inner)[0]
    inner = inner[:header] + edits + inner[header:]
    return _box(b"moov", movie[8:track] + _box(b"trak", inner) + movie[track + length :])


def _packets(path: Path) -> list[bytes]:
    content = path.read_bytes()
    return [content[i : i + TS_BYTES] for i in range(0, len(content), TS_BYTES)]


def _pid(packet: bytes) -> int:
    return (packet[1] & 0x1F) << 8 | packet[2]


def _move(packet: bytes) -> bytes:
    """Give a packet of the second broadcast a number that the first does not use."""
    moved = bytearray(packet)
    if _pid(packet) in (0x100, 0x1000):
        moved[2] += 1
    if _pid(packet) == 0x1000:  # its table names the video's number twice
        start = 5 + packet[4]
        length = (packet[start + 1] & 0x0F) << 8 | packet[start + 2]
        section = bytearray(packet[start : start + 3 + length - 4])
        section[4], section[9] = 2, section[9] + 1
        section[14 + section[11]] += 1
        moved[start : start + 3 + length] = section + _checksum(section)
    return bytes(moved)


def _association(tables: dict[int, int]) -> bytes:
    entries = b"".join(struct.pack(">HH", number, 0xE000 | pid) for number, pid in tables.items())
    section = struct.pack(">BHHBBB", 0, 0xB000 | 9 + len(entries), 1, 0xC1, 0, 0) + entries
    packet = b"\x47\x40\x00\x10\x00" + section + _checksum(section)
    return packet.ljust(TS_BYTES, b"\xff")


def _checksum(section: bytes) -> bytes:
    """Return the CRC-32 of MPEG-2, which is the usual one with all bits in the other order."""
    turned = bytes(int(f"{one:08b}"[::-1], 2) for one in section)
    value = binascii.crc32(turned) ^ 0xFFFFFFFF
    return struct.pack(">I", int(f"{value:032b}"[::-1], 2))
