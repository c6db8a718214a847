"""Malformed packets for each decoder that may be used, in a locked process as videos are read in.

`python -m tools.soak.decoders NAME FIRST END [VIDEO]` is that process: it writes a letter for each
packet, so that whoever reads them knows which one it crashed or hung at.
"""

import importlib
import os
import pkgutil
import random
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import av
from av.codec.codec import UnknownCodecError
from av.codec.context import ThreadType
from av.video.codeccontext import VideoCodecContext

from function.sandbox.lockdown import lock_down
from tools.soak.mutations import mutate
from tools.soak.trials import Figures

CHILD = (sys.executable, "-m", "tools.soak.decoders")
REFUSED = 422
PICTURES, NOTHING, ERROR = b"p", b"n", b"e"
STATUSES = {ord(PICTURES): 200, ord(NOTHING): 200, ord(ERROR): REFUSED}
CRASHES = {signal.SIGSEGV, signal.SIGABRT, signal.SIGFPE, signal.SIGBUS, signal.SIGILL}
"""What a decoder with a fault ends by: it costs a video. Any other end is a fault of ours."""

START_SECONDS = 30.0
MOST_BYTES = 2 * 1024**3
MOST_PACKETS, PACKETS_EACH = 50, 3
SIZES = (0, 1, 16, 200, 3_000, 70_000)
SHAPES = ((64, 48), (1, 1), (17, 3), (1_920, 1_080))
DEPTHS = (1, 4, 8, 16, 24, 32)


@dataclass(frozen=True)
class Example:
    """What a good video says of itself, and its first packets; of none, if there is no video."""

    shape: tuple[int, int] = (0, 0)
    tag: str = ""
    depth: int = 0
    extra: bytes = b""
    packets: tuple[bytes, ...] = ()


def decoders_of(videos: Iterable[Path]) -> dict[str, Path]:
    """Return a video for each decoder that is needed for one, by the decoder's name."""
    found = {}
    for path in videos:
        with av.open(str(path)) as opened:
            found[opened.streams.video[0].codec_context.name] = path
    return found


def try_decoders(
    names: Sequence[str],
    videos: Mapping[str, Path],
    numbers: range,
    limit_seconds: float,
    until: float,
) -> Figures:
    """Give each decoder the numbered packets, those of a video where there is one; see `Figures`.

    A fault is a decoder that hangs, or ends in another way than by a crash, which is counted.
    """
    figures = Figures("decoders")
    figures.notes |= {"decoders": 0, "crashes": 0}
    started = time.monotonic()
    for name in filter(_exists, names):
        if time.monotonic() > until:
            break
        figures.notes["decoders"] += 1
        first = numbers.start
        while first < numbers.stop and time.monotonic() < until:
            first += _give(
                figures, name, videos.get(name), range(first, numbers.stop), limit_seconds
            )
    figures.seconds = time.monotonic() - started
    return figures


def _exists(name: str) -> bool:
    try:
        av.codec.CodecContext.create(name, "r")
    except UnknownCodecError:
        return False
    return True


def _give(
    figures: Figures, name: str, video: Path | None, numbers: range, limit_seconds: float
) -> int:
    """Give a new process packets until it ends, and return how many it took."""
    arguments = [name, f"{numbers.start}", f"{numbers.stop}", *([str(video)] if video else [])]
    with subprocess.Popen(  # noqa: S603  # our own program
        [*CHILD, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        letters, is_hung = _follow(figures, process, limit_seconds)
        if is_hung:
            process.kill()
    taken = len(letters)
    for letter in letters:
        figures.statuses[STATUSES[letter]] += 1
    figures.requests += taken
    if taken == len(numbers) and process.returncode == 0:
        return taken
    _count_end(figures, f"{name}, packet {numbers.start + taken}", process.returncode, is_hung)
    return taken + 1


def _count_end(figures: Figures, place: str, code: int, is_hung: bool) -> None:  # noqa: FBT001
    """Count a packet at which a process ended; `code` is its exit code, or minus its signal."""
    figures.requests += 1
    figures.statuses[REFUSED] += 1
    if is_hung:
        figures.faults.append(f"{place}: took too long")
    elif -code in CRASHES:
        figures.notes["crashes"] += 1
    else:
        figures.faults.append(f"{place}: ended with {code}")


def _follow(
    figures: Figures, process: "subprocess.Popen[bytes]", limit_seconds: float
) -> tuple[bytes, bool]:
    """Read its letters until it ends, or writes none for too long; say whether that was it."""
    assert process.stdout  # a pipe, as asked for
    letters, seconds, output = b"", START_SECONDS, process.stdout.fileno()
    while True:
        waited = time.monotonic()
        if not select.select([output], [], [], seconds)[0]:
            return letters, True
        if not (more := os.read(output, 65_536)):
            return letters, False
        if letters:
            figures.slowest_seconds = max(figures.slowest_seconds, time.monotonic() - waited)
        letters += more
        seconds = limit_seconds


def main(name: str, numbers: range, video: str = "") -> None:
    """Decode the numbered packets of a decoder, locked, and write a letter for each."""
    example = _read_example(video) if video else Example()
    for module in pkgutil.walk_packages(av.__path__, "av."):
        if module.name != "av.__main__":
            importlib.import_module(module.name)
    av.logging.set_level(None)
    lock_down(MOST_BYTES)
    for number in numbers:
        os.write(sys.stdout.fileno(), _decode(name, number, example))


def _read_example(video: str) -> Example:
    with av.open(video) as opened:
        stream = opened.streams.video[0]
        said = stream.codec_context
        packets = tuple(bytes(one) for one in opened.demux(stream) if one.size)[:MOST_PACKETS]
        depth = said.bits_per_coded_sample
        return Example(
            (said.width, said.height), said.codec_tag, depth, said.extradata or b"", packets
        )


def _decode(name: str, number: int, example: Example) -> bytes:
    """Decode a few packets, of which at least one is broken, and return the letter for them."""
    chance = random.Random(f"{name} {number}")  # noqa: S311  # to be made again, not secret
    decoder = cast("VideoCodecContext", av.codec.CodecContext.create(name, "r"))
    decoder.thread_type, decoder.thread_count = ThreadType.NONE, 1
    found = 0
    try:
        packets = _set_up(decoder, chance, number, example)
        for packet in packets:
            found += len(decoder.decode(av.Packet(packet)))
        found += len(decoder.decode(None))
    except (av.FFmpegError, ValueError, MemoryError):
        return ERROR
    return PICTURES if found else NOTHING


def _set_up(
    decoder: VideoCodecContext, chance: random.Random, number: int, example: Example
) -> list[bytes]:
    """Tell a decoder what a container would, true or made up, and return what to decode."""
    if not example.packets:
        decoder.width, decoder.height = chance.choice(SHAPES)
        decoder.bits_per_coded_sample = chance.choice(DEPTHS)
        decoder.extradata = chance.randbytes(chance.choice(SIZES[:-1]))
        noise = [chance.randbytes(chance.choice(SIZES)) for _ in range(PACKETS_EACH)]
        return [mutate(one, number) for one in noise]
    decoder.width, decoder.height = example.shape
    decoder.codec_tag, decoder.bits_per_coded_sample = example.tag, example.depth
    is_extra_broken = bool(example.extra) and not chance.randrange(4)
    extra = mutate(example.extra, number) if is_extra_broken else example.extra
    decoder.extradata = extra
    start = chance.randrange(len(example.packets))
    first = example.packets[0]
    return [first, *(mutate(one, number) for one in example.packets[start:][:PACKETS_EACH])]


if __name__ == "__main__":
    main(sys.argv[1], range(int(sys.argv[2]), int(sys.argv[3])), *sys.argv[4:])
