"""Serves an app over HTTP to clients that may be slow, silent or many: waitress, with deadlines.

Waitress reads a request to its end before a thread takes it, so clients that dawdle cost no thread;
what it lacks are deadlines for the whole of a request, and a choice of whom to drop.
"""

import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from flask import Flask
from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer

from function.errors import (
    BusyError,
)
from function.setting_kinds import Network
from function.web.access import LARGEST_BODY_BYTES
from function.web.callers import is_in
from function.web.guesses import home_of
from function.web.parser import LONGEST_HEAD_BYTES, Admit, Parser, Refusal
from function.web.responses import RETRY_AFTER_SECONDS
from function.web.threads import Threads

MOST_CONNECTIONS = 512
"""Each takes a file descriptor, of which a process commonly has 1,024."""

MOST_PER_ADDRESS = 128
"""More than a browser's tabs open together; those of a proxy mostly have work under way, and
stay."""

MOST_FOR_PROXIES = 384
"""For each trusted proxy: a few browsers behind it may each ask for 128 files at once. A browser
that gets no script shows no page, and does not ask for it again."""

IDLE_SECONDS = 30.0
"""Between two requests, or before the first."""

HEAD_SECONDS = 10.0
"""From the first byte of a request to the end of its headers."""

BODY_SECONDS = 120.0
"""From the first byte of a request to its last: a photo of 32 MB at 2 Mbit/s."""

UNREAD_SECONDS, LEAST_TAKEN_BYTES = 60.0, 16 * 1024
"""A client that takes less of an answer in this time is gone, or dawdles; a paused player asks
again."""

AHEAD_SECONDS = 3.0
"""A request may wait this long for the answer to the one before it. A quick client sends its next
one before the thread that answered has put the last one away; clients that send ahead wait for
longer."""

MOST_LEAVING, LEAVING_SECONDS = 128, 2.0
"""This many clients that found no room may still read why, for this long."""

BUFFERED_BYTES = 4 * 1024 * 1024
"""An answer's thread is free once less than this is unread."""

ACCEPTED_AT_ONCE = 64

TLS_GREETING = b"\x16\x03"
"""How a client begins that wants https. A browser tries that first, and would wait for long."""

TLS_REFUSAL = b"\x15\x03\x01\x00\x02\x02\x46"
"""A fatal alert of TLS: the version is not spoken here. Browsers then try http, or say so."""


def _no_room() -> bytes:
    """Write a whole answer for clients that find no room, to be sent without a thread."""
    error = BusyError("More requests came at once than can be served. Try again in a few seconds.")
    status, headers, body = Refusal(error, error.status).to_response()
    headers += [("Retry-After", f"{RETRY_AFTER_SECONDS}"), ("Content-Length", f"{len(body)}")]
    lines = [f"HTTP/1.1 {status}", *map(": ".join, [*headers, ("Connection", "close")]), "", ""]
    return "\r\n".join(lines).encode() + body


class _Channel(HTTPChannel):  # type: ignore[misc]  # waitress has no types
    """One connection."""

    was_answered = False
    leaves_by: float | None = None

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.waits_since = time.time()
        self.begun_at: float | None = None
        self.ahead_since = 0.0
        self._taken_at, self._taken_bytes = self.waits_since, 0
        super().__init__(*arguments, **options)
        self.home = home_of(self.addr[0])

    def parser_class(self, adj: Any) -> Parser:
        """Make what reads the next request; waitress calls it as if it were the class."""
        return Parser(adj, self)

    def handle_read(self) -> None:
        """Take what came; if the client found no room, drop it.

        Their connection may be gone by now: reading showed that they had asked.
        """
        if not self.leaves_by:
            super().handle_read()
            return
        try:
            is_there = self._take_some()
        except BlockingIOError:
            return
        except OSError:
            is_there = False
        if not is_there:
            self.handle_close()

    def received(self, data: bytes) -> bool:
        """Take what came, and note when a request began.

        Who greets in TLS wants https, and is told at once that nobody speaks it here. A second
        request long before the first is answered ends the connection: while that is worked on, the
        end of the connection must stay visible, and no client of ours sends ahead.
        """
        if not (self.begun_at or self.was_answered) and data.startswith(TLS_GREETING):
            self._refuse_tls()
            return False
        self.begun_at = self.begun_at or time.time()
        before = len(self.requests)
        taken: bool = super().received(data)
        if len(self.requests) > before:
            self.begun_at = None
        if len(self.requests) > 1:
            self.ahead_since = time.time()
        return taken

    def _refuse_tls(self) -> None:
        with suppress(OSError):  # nobody is there any more
            self.socket.send(TLS_REFUSAL)
        self.handle_close()

    def service(self) -> None:
        """Answer a request, in one of the threads."""
        super().service()
        self.waits_since = time.time()

    def write_soon(self, data: Any) -> int:
        """Take a piece of an answer, in one of the threads; the client has to begin with it now."""
        if not self.total_outbufs_len:
            self._taken_at, self._taken_bytes = time.time(), 0
        self.was_answered, self.waits_since = True, time.time()
        taken: int = super().write_soon(data)
        return taken

    def send(self, data: bytes, do_close: bool = True) -> int:  # noqa: FBT001, FBT002  # as waitress
        """Send some bytes of an answer, and note when the client has taken enough of it."""
        sent: int = super().send(data, do_close)
        self._taken_bytes += sent
        if self._taken_bytes >= LEAST_TAKEN_BYTES:
            self._taken_at, self._taken_bytes = time.time(), 0
        return sent

    def turn_away(self) -> None:
        """Close it for lack of room; tell a client that has asked something, or may be about to.

        What it still sends is read and dropped for a moment: if it is closed with bytes unread, a
        connection is reset, and what was said on it is lost.
        """
        asked = self.begun_at is not None
        with suppress(OSError):  # nothing is there, or nobody
            asked = asked or self._take_some()
        has_answer = self.total_outbufs_len or self.close_when_flushed
        if has_answer or (self.was_answered and not asked):
            self.handle_close()
            return
        self.leaves_by = time.time() + LEAVING_SECONDS
        with suppress(OSError):  # it has left by itself
            self.socket.send(_no_room())
            self.socket.shutdown(socket.SHUT_WR)

    def _take_some(self) -> bool:
        """Take what has come of a request; False at the end of the connection.

        Raises:
            OSError: nothing has come yet (BlockingIOError), or the connection is broken.
        """
        return bool(self.socket.recv(LARGEST_BODY_BYTES))

    @property
    def is_waiting(self) -> bool:
        """Whether no request of it is complete, and it has nothing left to read."""
        return not (self.is_at_work or self.total_outbufs_len)

    @property
    def is_at_work(self) -> bool:
        """Whether a request of it is complete, and not yet answered to the end."""
        return bool(self.requests or self.will_close)

    def is_overdue(self, now: float) -> bool:
        """Whether the client took too long to ask, or to read what it was answered."""
        if self.leaves_by:
            return now > self.leaves_by
        if len(self.requests) > 1:
            return now - self.ahead_since > AHEAD_SECONDS
        if self.total_outbufs_len:
            return now - self._taken_at > UNREAD_SECONDS
        if self.requests:
            return False
        if self.begun_at is None:
            return now - self.waits_since > IDLE_SECONDS
        limit = BODY_SECONDS if self.request and self.request.headers_finished else HEAD_SECONDS
        return now - self.begun_at > limit


class _Round(dict[int, Any]):
    """Whom one round of the loop serves, by descriptor.

    A client that connects during a round may get the number of one that was closed in it. It must
    not get what the system says of the closed one, which would close the new connection.
    """

    def __init__(self, serving: dict[int, Any]) -> None:
        super().__init__(serving)
        self._serving = serving

    def get(self, descriptor: int, default: Any = None) -> Any:
        """Return who had a descriptor when the round began, and still has it."""
        found = super().get(descriptor)
        return found if found is self._serving.get(descriptor) else default


class Front(TcpWSGIServer):  # type: ignore[misc]  # waitress has no types
    """Listens, and hands complete requests to threads."""

    channel_class = _Channel
    accepting: bool

    def __init__(self, host: str, port: int, threads: int) -> None:
        """Listen on `host` and `port`; clients that come before there is an app wait.

        Raises:
            OSError: the port is taken, or the address is not this machine's.
        """
        adjustments = Adjustments(
            host=host,
            port=port,
            threads=threads,
            ident=None,
            connection_limit=10 * MOST_CONNECTIONS,  # ours comes first
            cleanup_interval=1,
            max_request_header_size=LONGEST_HEAD_BYTES,
            channel_request_lookahead=1,  # so that a closed connection is noticed during work
            outbuf_high_watermark=BUFFERED_BYTES,
            outbuf_overflow=4 * BUFFERED_BYTES,
            asyncore_use_poll=True,
            # They say that a proxy is in front, and whom it speaks for: `callers.py` judges them.
            clear_untrusted_proxy_headers=False,
        )
        # So that each line of progress is sent at once; given above, it warns that it may go.
        adjustments.send_bytes = 1
        super().__init__(
            None,
            dispatcher=Threads(),
            adj=adjustments,
            sockinfo=adjustments.listen[0],
        )
        self._threads = threads
        self._proxies: Sequence[Network] = ()
        self._stop_by: float | None = None

    def take(
        self, app: Flask, admit: Admit = lambda _: None, proxies: Sequence[Network] = ()
    ) -> None:
        """Have an app answer; `admit` judges whose large body is kept; `proxies` are trusted."""
        self.application, self.admit, self._proxies = app, admit, proxies
        self.task_dispatcher.set_thread_count(self._threads)

    def handle_accept(self) -> None:
        """Let in those who wait; the client that has dawdled longest makes room for them."""
        for _ in range(ACCEPTED_AT_ONCE):
            known = set(self.active_channels.values())
            super().handle_accept()
            added = set(self.active_channels.values()) - known
            if not added:
                return
            self._make_room(added.pop())

    def _make_room(self, newest: _Channel) -> None:
        most = MOST_PER_ADDRESS
        if is_in(newest.addr[0], self._proxies):
            # Whoever else begins with the same half of an IPv6 address has room of their own.
            newest.home, most = f"proxy {newest.addr[0]}", MOST_FOR_PROXIES
        channels = [one for one in self.active_channels.values() if not one.leaves_by]
        neighbours = [one for one in channels if one.home == newest.home]
        if len(neighbours) > most:
            crowd = neighbours
        elif len(channels) > MOST_CONNECTIONS:
            crowd = channels
        else:
            return
        # Also those who were answered and do not read it: they are in no hurry either.
        idle = [one for one in crowd if not one.is_at_work and one is not newest]
        min(idle, key=lambda one: one.waits_since, default=newest).turn_away()
        leaving = [one for one in self.active_channels.values() if one.leaves_by]
        if len(leaving) > MOST_LEAVING:
            min(leaving, key=lambda one: one.leaves_by).handle_close()

    def maintenance(self, now: float) -> None:
        """End the connections of those who take too long."""
        for channel in list(self.active_channels.values()):
            if channel.is_overdue(now):
                # Not by `will_close`: that waits until the client takes more.
                channel.handle_close()

    def stop(self, within_seconds: float) -> None:
        """Let nobody else in, and end `run` once all are answered, or after this long.

        A signal handler may call it.
        """
        self._stop_by = self._stop_by or time.monotonic() + within_seconds
        with suppress(OSError):  # it may have ended by itself just now
            self.pull_trigger()

    def run(self) -> None:
        """Serve until told to stop."""
        while not self._is_done():
            self.serve_once()
        wasyncore.close_all(self._map, ignore_all=True)

    def serve_once(self) -> None:
        """Wait at most a second for something to come, and serve it."""
        wasyncore.loop(timeout=1.0, use_poll=True, map=_Round(self._map), count=1)

    def _is_done(self) -> bool:
        if self._stop_by is None:
            return False
        if self.accepting:
            self.accepting = False
            self.del_channel()
            self.socket.close()
        at_work = any(not one.is_waiting for one in self.active_channels.values())
        return not at_work or time.monotonic() > self._stop_by
