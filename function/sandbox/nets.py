"""Nets in a process of their own, which alone uses the GPU, for a child and its helpers.

Processes that each run nets on one GPU hold each other up, as it turns from one to the next; one
that runs the nets for all of them puts what they ask for at one time into one batch. It is forked
from the child before anything is loaded. Pictures and numbers lie in memory that both sides see,
and a few bytes over a socket say that they do. Whoever reads videos needs no driver this way.
"""

import logging
import math
import mmap
import os
import select
import socket
import struct
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NoReturn, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from function.errors import EngineUnavailableError
from function.media.pictures import RgbImage
from function.sandbox.messages import NETS_ENDED

NAMES = ("encoder", "yunet", "lightcnn", "sface")

ROOM_BYTES = 128 * 1024 * 1024
"""Room for the pictures of one run, and as much for what the net says of them. What is never
written to takes no memory."""

MOST_LAST_BYTES = 1_000
"""What the process with the nets may say of its end."""

LAST_SECONDS = 5.0
"""It has so long to say it, where it no longer answers."""

_REQUEST = struct.Struct("<B3H")
_SHAPE = struct.Struct("<B4I")

_log = logging.getLogger(__name__)

Numbers: TypeAlias = list[NDArray[np.float32]]


class RunsAll(Protocol):
    """A net that runs on several stacks of pictures at once."""

    def size_for(self, height: int, width: int) -> tuple[int, int] | None:
        """Return the height and width of what pictures of a size run in; None if in nothing."""

    def run_all(self, stacks: Sequence[RgbImage]) -> list[Numbers]:
        """Return the outputs for each stack, uint8 (n, height, width, 3)."""


class LostError(Exception):
    """The process with the nets has ended."""


@dataclass(eq=False)
class Desk:
    """Where one process asks for runs: two ends of a socket, and memory that both sides see."""

    asking: socket.socket
    answering: socket.socket
    pictures: mmap.mmap = field(default_factory=lambda: mmap.mmap(-1, ROOM_BYTES))
    numbers: mmap.mmap = field(default_factory=lambda: mmap.mmap(-1, ROOM_BYTES))


def make_desks(count: int) -> list[Desk]:
    """Make desks for so many processes."""
    return [Desk(*socket.socketpair()) for _ in range(count)]


class RemoteNets:
    """The nets as those see them who ask at a desk: first at desk 0, the child's own.

    `link` is a socket whose other end only the process with the nets has.
    """

    def __init__(self, desks: Sequence[Desk], provider: str, link: socket.socket) -> None:
        for desk in desks:
            desk.answering.close()
        _limit_reading(link, LAST_SECONDS)
        self.provider = provider
        self._link = link
        self._desks = desks
        self._desk = desks[0]
        self._lock = threading.Lock()
        self._ending = threading.Lock()

    def sit_at(self, number: int) -> None:
        """Ask at another desk from now on, as a helper does, and leave the others."""
        self._desk = self._desks[number]
        if number:  # the child hears how the nets ended, and says so
            self._link.close()
        for desk in self._desks:
            if desk is not self._desk:
                desk.asking.close()
                desk.pictures.close()
                desk.numbers.close()

    def end(self, within_seconds: float | None = None) -> NoReturn:
        """Wait until the process with the nets has ended, log why, and end this one as well.

        Without the nets nothing more can be found: so this process is to be replaced. If they have
        not ended within so long, they only left this desk, which comes to the same.
        """
        # Another thread may be here already, and ends this one too.
        is_first = self._ending.acquire(timeout=-1 if within_seconds is None else within_seconds)
        if self._desk is self._desks[0]:
            last = _read_last(self._link, within_seconds) if is_first else b""
            words = last.decode(errors="replace")
            why = f": {words}" if words else "."
            _log.error("The process that runs the nets has ended%s", why)
        os._exit(NETS_ENDED)

    def net(self, name: str) -> "RemoteNet":
        """Return a net."""
        return RemoteNet(self, NAMES.index(name))

    def ask(self, net: int, pictures: RgbImage) -> Numbers:
        """Have a net run on pictures.

        Raises:
            MemoryError: they are too large, or too many.
            LostError: the process with the nets has ended.
        """
        if pictures.nbytes > ROOM_BYTES:
            raise MemoryError
        with self._lock:
            room = np.frombuffer(self._desk.pictures, np.uint8, pictures.nbytes)
            room[:] = pictures.reshape(-1)
            try:
                os.write(self._desk.asking.fileno(), _REQUEST.pack(net, *pictures.shape[:3]))
            except OSError as error:
                raise LostError from error
            return self._read_answer()

    def _read_answer(self) -> Numbers:
        outputs = _read(self._desk.asking, 1)[0]
        if not outputs:
            raise MemoryError
        found, start = [], 0
        for _ in range(outputs):
            dimensions, *sizes = _SHAPE.unpack(_read(self._desk.asking, _SHAPE.size))
            shape = sizes[:dimensions]
            count = math.prod(shape)
            held = np.frombuffer(self._desk.numbers, np.float32, count, start)
            found.append(held.reshape(shape).copy())
            start += 4 * count
        return found


class RemoteNet:
    """One of the nets, which runs as a session does."""

    def __init__(self, nets: RemoteNets, number: int) -> None:
        self._nets = nets
        self._number = number

    def run(self, _: object, feeds: Mapping[str, RgbImage]) -> Numbers:
        """Run the net on its one input, pictures of one size, and return all outputs.

        Large ones, which fit by themselves only, run one after the other. Where the nets have ended
        this process ends, see `RemoteNets.end`.
        """
        (pictures,) = feeds.values()
        try:
            return self._nets.ask(self._number, np.ascontiguousarray(pictures))
        except MemoryError:
            if len(pictures) <= 1:
                raise
            each = [self.run(None, {"": pictures[n : n + 1]}) for n in range(len(pictures))]
            return [np.concatenate(outputs) for outputs in zip(*each, strict=True)]
        except LostError:
            self._nets.end(LAST_SECONDS)


def serve(nets: Mapping[str, RunsAll], desks: Sequence[Desk]) -> NoReturn:
    """Run nets for those who ask at desks, what is asked at one time together.

    Raises:
        LostError: nobody is left who could ask.
    """
    waiting = select.poll()
    by_line = {desk.answering.fileno(): desk for desk in desks}
    for line in by_line:
        waiting.register(line, select.POLLIN)
    while by_line:
        asked: dict[str, list[tuple[Desk, RgbImage]]] = {}
        for line, _ in waiting.poll():
            try:
                request = _read_request(by_line[line])
            except LostError:
                waiting.unregister(line)
                by_line.pop(line).answering.close()
                continue
            if request and _can_run(nets, *request):
                asked.setdefault(request[0], []).append((by_line[line], request[1]))
            else:
                _write_answer(by_line[line], [])
        for name, requests in asked.items():
            answers = nets[name].run_all([pictures for _, pictures in requests])
            for (desk, _), outputs in zip(requests, answers, strict=True):
                _write_answer(desk, outputs)
    raise LostError


def _read_request(desk: Desk) -> tuple[str, RgbImage] | None:
    """Read which net is to run, and on what: those who ask may have been captured by a file.

    None stands for what cannot be. A request is written at once, so part of one is none, and
    nobody waits for the rest.

    Raises:
        LostError: whoever asks has ended, or asks in another way.
    """
    try:
        content = os.read(desk.answering.fileno(), _REQUEST.size)
    except OSError as error:
        raise LostError from error
    if len(content) < _REQUEST.size:
        raise LostError
    net, *sizes = _REQUEST.unpack(content)
    count = math.prod(sizes) * 3
    if net >= len(NAMES) or not 0 < count <= ROOM_BYTES:
        return None
    pixels = np.frombuffer(desk.pictures, np.uint8, count)
    return NAMES[net], pixels.reshape(*sizes, 3)


def _can_run(nets: Mapping[str, RunsAll], name: str, pictures: RgbImage) -> bool:
    """Say whether a net is here, of which there may be more elsewhere, and has room for these."""
    return name in nets and _fits(nets[name], *pictures.shape[:3])


def require_room(net: RunsAll, pixels: int) -> None:
    """Check that pictures with sides of up to so many pixels fit.

    Raises:
        EngineUnavailableError: they do not.
    """
    if not _fits(net, 1, pixels, pixels):
        most = next(one for one in range(pixels, 0, -1) if _fits(net, 1, one, one))
        raise EngineUnavailableError(
            f"DETECTION_PIXELS is {pixels}; on CUDA it may be {most} at most. Lower it, or set "
            "DEVICE=cpu."
        )


def _fits(net: RunsAll, count: int, height: int, width: int) -> bool:
    """Say whether pictures take no more memory in the shapes in which they run than they may."""
    size = net.size_for(height, width)
    return size is not None and count * math.prod(size) * 3 <= ROOM_BYTES


def _write_answer(desk: Desk, outputs: Numbers) -> None:
    """Write what a net said, or nothing if there is too much of it."""
    if sum(output.nbytes for output in outputs) > ROOM_BYTES:
        outputs = []
    message, start = bytes([len(outputs)]), 0
    for output in outputs:
        room = np.frombuffer(desk.numbers, np.float32, output.size, start)
        room[:] = output.reshape(-1)
        start += output.nbytes
        sizes = (*output.shape, 0, 0, 0, 0)[:4]
        message += _SHAPE.pack(output.ndim, *sizes)
    with suppress(OSError):  # whoever asked has ended, as the next poll says
        os.write(desk.answering.fileno(), message)


def _read(line: socket.socket, count: int) -> bytes:
    content = b""
    while len(content) < count:
        try:
            piece = os.read(line.fileno(), count - len(content))
        except OSError:
            piece = b""
        if not piece:
            raise LostError
        content += piece
    return content


def _limit_reading(line: socket.socket, seconds: float) -> None:
    """Have the kernel end each wait after so long: a locked process may read, but not `select`."""
    whole, part = divmod(round(seconds * 1_000_000), 1_000_000)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("@ll", whole, part))


def _read_last(line: socket.socket, within_seconds: float | None) -> bytes:
    """Read the first MOST_LAST_BYTES of what comes until the other end is closed.

    The time is looked at when something comes, or when a wait ends, see `_limit_reading`.
    """
    content, begun = b"", time.monotonic()
    while within_seconds is None or time.monotonic() - begun < within_seconds:
        try:
            piece = os.read(line.fileno(), MOST_LAST_BYTES)
        except BlockingIOError:
            continue
        except ConnectionError:
            break
        if not piece:
            break
        content = (content + piece)[:MOST_LAST_BYTES]
    return content
