"""Helpers: copies of a child, forked from it before the lock, that search long videos with it.

They share the memory of the nets, and stand on the child's side of the wall: whoever reads the
child's answers checks those of its helpers too. The next stretch to search is read from a pipe, how
far each process has come stands in memory that all of them see.
"""

import logging
import mmap
import os
import signal
import socket
import struct
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import NoReturn, TypeAlias

from function.engines.protocol import Engine
from function.faces.face import Face
from function.faces.found import Progress, StretchFound
from function.faces.search import Hands, Means, Part
from function.media.packets import UnsplitError
from function.media.stretches import plan_stretches
from function.media.surveys import Survey
from function.media.videos import open_video
from function.sandbox.channel import Channel
from function.sandbox.messages import (
    FROM_HELPERS,
    Helped,
    LogLine,
    Ready,
    read_message,
    write_message,
)
from function.sandbox.orders import VideoOrder
from function.sandbox.portions import Portion, split
from function.sandbox.wire import WireError

_NUMBER = struct.Struct("<H")
_DONE = struct.Struct("<dd")

_log = logging.getLogger(__name__)


class Stretches:
    """The stretches of a video that nobody has taken yet, and how far each process has come."""

    def __init__(self, processes: int) -> None:
        self._out, self._in = os.pipe()
        os.set_blocking(self._out, False)
        os.set_blocking(self._in, False)
        self._done = mmap.mmap(-1, _DONE.size * processes)

    def deal(self, count: int) -> None:
        """Share out the numbers from 0 to `count`, and nothing else."""
        self.clear()
        self._done[:] = bytes(len(self._done))
        os.write(self._in, b"".join(map(_NUMBER.pack, range(count))))

    def clear(self) -> None:
        """Leave nothing to take."""
        while self.take() is not None:
            pass

    def take(self) -> int | None:
        """Take a number; None if there is none."""
        try:
            (number,) = _NUMBER.unpack(os.read(self._out, _NUMBER.size))
        except BlockingIOError:
            return None
        return int(number)

    def note(self, process: int, seconds: float, faces: int) -> tuple[float, int]:
        """Note how far a process has come, and return how far all of them have together."""
        _DONE.pack_into(self._done, _DONE.size * process, seconds, faces)
        done = list(_DONE.iter_unpack(self._done))
        return sum(one[0] for one in done), int(sum(one[1] for one in done))


class Share:
    """What one process does of a search: the crew as a helper sees it."""

    def __init__(self, stretches: Stretches, process: int) -> None:
        self._stretches = stretches
        self._process = process

    @property
    def process(self) -> int:
        """The number of the process: 0 for the child, then its helpers."""
        return self._process

    def deal(self, count: int, survey: Survey) -> None:
        """Do nothing: the child has dealt."""

    def take(self) -> int | None:
        """Take the next stretch."""
        return self._stretches.take()

    def clear(self) -> None:
        """Leave nothing to take."""
        self._stretches.clear()

    def note(self, seconds: float, faces: int) -> tuple[float, int]:
        """Note how far this process has come."""
        return self._stretches.note(self._process, seconds, faces)

    def collect(self) -> Iterator[StretchFound]:
        """Yield nothing: the child collects."""
        return iter(())


Work: TypeAlias = Callable[[socket.socket, Channel, Share], NoReturn]
"""What a helper does, given its line to the parent, its link to the child, and its share."""


class Team(Share):
    """A child's helpers, as the crew that searches a video with it."""

    def __init__(self, stretches: Stretches, links: Sequence[Channel]) -> None:
        super().__init__(stretches, 0)
        self._alive = dict(enumerate(links))
        self._order: VideoOrder | None = None
        self._is_dealt = False

    def ready(self) -> list[Ready]:
        """Wait until all helpers are locked, and return what each reports that did not end.

        What they log until then is passed on, but once: most of it holds for all of them.
        """
        reports, logged = [], set[LogLine]()
        for number, link in [*self._alive.items()]:
            try:
                reports.append(_hear_of_start(link, logged))
            except (EOFError, OSError, WireError):
                _log.warning("A helper did not start; long videos are searched without it.")
                del self._alive[number]
        return reports

    def count(self) -> int:
        """Count the helpers from the first to the last that is alive."""
        return max(self._alive, default=-1) + 1

    @contextmanager
    def on(self, order: VideoOrder) -> Iterator["Team | None"]:
        """Have the helpers that were given the video for as long as this lasts; None if none were.

        In the end all of them wait for the next video.
        """
        self._order, self._is_dealt = order, False
        try:
            yield self if order.helpers else None
        finally:
            self._stretches.clear()
            if not self._is_dealt:
                self._send(replace(order, helpers=0))
            for _ in self.collect():
                pass

    def deal(self, count: int, survey: Survey) -> None:
        """Deal the stretches of a video, and have the helpers begin."""
        self._stretches.deal(count)
        self._is_dealt = True
        if self._order:
            self._send(replace(self._order, survey=survey))

    def collect(self) -> Iterator[StretchFound]:
        """Wait for the helpers, and yield what they found."""
        busy, self._order = self._busy(), None
        for number, link in busy.items():
            try:
                yield from _receive(link)
            except (EOFError, OSError, WireError):
                _log.warning("A helper ended; the rest of the work is done without it.")
                del self._alive[number]

    def _send(self, order: VideoOrder) -> None:
        for link in self._busy().values():
            with suppress(OSError):  # it has ended, as `collect` will notice
                link.send(write_message(order))

    def _busy(self) -> dict[int, Channel]:
        """Return the helpers that were given the video and have not answered yet."""
        helpers = self._order.helpers if self._order else 0
        return {number: link for number, link in self._alive.items() if number < helpers}


class Helper:
    """A helper at work: it waits for a video, takes stretches of it, and sends what it found."""

    def __init__(
        self, line: socket.socket, link: Channel, share: Share, engine: Engine, hands: Hands
    ) -> None:
        self._line = Channel(line)
        self._link = link
        self._share = share
        self._engine = engine
        self._hands = hands

    def serve(self) -> NoReturn:
        """Help with one video after another.

        Raises:
            EOFError: the child, or its parent, has ended.
        """
        while True:
            # An idle helper waits for the child, as it must end with it; the line outlives both.
            order = read_message({b"V": VideoOrder}, self._link.receive())
            descriptor = self._line.receive_descriptor()
            try:
                if order.helpers:
                    self._help(order, descriptor)
            finally:
                os.close(descriptor)
            self._link.send(write_message(Helped()))

    def _help(self, order: VideoOrder, descriptor: int) -> None:
        found: list[StretchFound] = []
        try:
            found.extend(self._search(order, descriptor))
        except Exception as error:  # noqa: BLE001  # the child does it again, and says what is wrong
            if isinstance(error, UnsplitError):
                self._share.clear()  # so that the child does this stretch next
            _log.info("A helper leaves its stretch to others (%s).", type(error).__name__)
        for one in found:  # only now: while the child searches, it reads nothing
            for portion in split(one):
                self._link.send(write_message(portion))

    def _search(self, order: VideoOrder, descriptor: int) -> Iterator[StretchFound]:
        """Yield what was found in one stretch after another, up to the first that is not whole.

        FFmpeg calls pictures damaged for which it found no memory, and a helper may have less of it
        than the child, which judges such a stretch itself.
        """
        task = order.task
        means = Means(self._engine, task.detection_pixels, self._hands.thread)
        opened = open_video(
            descriptor,
            task.every_seconds,
            name=order.name,
            decoder=self._hands.decoder,
            survey=order.survey,
        )
        with opened as video:
            part = Part(video, plan_stretches(video), means, self._share)
            while (number := self._share.take()) is not None:
                found = _finish(part.search(number))
                if found.missing or not found.samples:
                    _log.info("A helper leaves its stretch to others (it is not whole).")
                    return
                yield found


def fork_helpers(lines: Sequence[socket.socket], work: Work) -> Team:
    """Fork a helper for each line, over which it is given descriptors; `work` is what it does.

    Returns when all of them are at work, or as many as the system allows.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries those that end
    stretches = Stretches(1 + len(lines))
    links: list[Channel] = []
    for number, line in enumerate(lines, 1):
        try:
            ours, theirs = socket.socketpair()
            is_helper = os.fork() == 0
        except OSError as error:
            _log.warning("Of %d helpers %d can be started (%s).", len(lines), number - 1, error)
            break
        if is_helper:
            ours.close()
            for link in links:
                link.close()
            for other in lines:
                if other is not line:
                    other.close()
            work(line, Channel(theirs), Share(stretches, number))
        theirs.close()
        links.append(Channel(ours))
    for line in lines:
        line.close()
    return Team(stretches, links)


def _hear_of_start(link: Channel, logged: set[LogLine]) -> Ready:
    """Wait until a helper is locked; pass on what it logs, unless it is in `logged`, and add it."""
    while not isinstance(said := read_message(FROM_HELPERS, link.receive()), Ready):
        if isinstance(said, LogLine) and said not in logged:
            logged.add(said)
            _log.log(said.level, "%s", said.message)
    return said


def _receive(link: Channel) -> Iterator[StretchFound]:
    """Yield what a helper found in a video, until it says that this is all."""
    faces: list[Face] = []
    while True:
        said = read_message(FROM_HELPERS, link.receive())
        if isinstance(said, LogLine):
            _log.log(said.level, "%s", said.message)
        elif isinstance(said, Portion):
            faces += said.faces
        elif isinstance(said, StretchFound):
            yield replace(said, faces=tuple(faces))
            faces = []
        elif isinstance(said, Helped):
            return


def _finish(search: Generator[Progress, None, StretchFound]) -> StretchFound:
    """Run a search to its end, and return what was found."""
    while True:
        try:
            next(search)
        except StopIteration as end:
            found: StretchFound = end.value
            return found
