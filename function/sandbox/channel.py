"""The two ends of the socket between the server and a child.

A message is its length, four bytes, and its content, which begins with the letter of its kind.
"""

import os
import select
import socket
import struct
import threading
import time
from collections.abc import Callable
from math import ceil

from function.sandbox.wire import WireError

LARGEST_MESSAGE_BYTES = 64 * 1024 * 1024
"""The most that a child takes from its parent: a photo, which it limits further."""

_LENGTH = struct.Struct(">I")
_PIECE_BYTES = 65_536

Limit = Callable[[bytes], int]
"""Returns how many bytes a message may have that begins with this letter."""


class Channel:
    """Sends and receives whole messages, and waits as long as that takes.

    It makes only the calls read, write, sendmsg and recvmsg. Threads may send at the same time.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._sending = threading.Lock()

    def fileno(self) -> int:
        """Return the descriptor of the socket."""
        return self._socket.fileno()

    def send(self, message: bytes) -> None:
        """Send a message."""
        with self._sending:
            left = memoryview(_LENGTH.pack(len(message)) + message)
            while left:
                left = left[os.write(self.fileno(), left) :]

    def receive(self, most_bytes: int = LARGEST_MESSAGE_BYTES) -> bytes:
        """Receive a message.

        Raises:
            EOFError: the other end is closed.
            WireError: it is longer than `most_bytes`.
        """
        (length,) = _LENGTH.unpack(self._read(_LENGTH.size))
        if length > most_bytes:
            raise WireError(f"{length} bytes are too many")
        return self._read(length)

    def send_descriptor(self, descriptor: int) -> None:
        """Hand over an open file."""
        socket.send_fds(self._socket, [b"D"], [descriptor])

    def receive_descriptor(self) -> int:
        """Take over an open file.

        Raises:
            EOFError: the other end is closed, or handed over none.
        """
        _, descriptors, _, _ = socket.recv_fds(self._socket, 1, 1)
        if not descriptors:
            raise EOFError
        return descriptors[0]

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _read(self, count: int) -> bytes:
        content = bytearray()
        while len(content) < count:
            piece = os.read(self.fileno(), min(count - len(content), _PIECE_BYTES))
            if not piece:
                raise EOFError
            content += piece
        return bytes(content)


class Inbox:
    """Receives messages from an end that is not trusted: in time, and none longer than its limit.

    A message that comes in drops is kept until it is whole; no call waits for the rest of it.
    """

    def __init__(self, connection: socket.socket, limit: Limit) -> None:
        self._socket = connection
        self._limit = limit
        self._content = bytearray()

    def is_empty(self) -> bool:
        """Whether nothing has come that was not received, not even the end."""
        return not self._content and not _has_come(self._socket, 0.0)

    def receive(self, within_seconds: float) -> bytes | None:
        """Return the next message; None if it is not whole in that time.

        Raises:
            EOFError: the other end is closed.
            WireError: a message of its kind may not be that long.
        """
        until = time.monotonic() + within_seconds
        while (missing := self._missing()) > 0:
            if not _has_come(self._socket, max(until - time.monotonic(), 0.0)):
                return None
            piece = self._socket.recv(min(missing, _PIECE_BYTES))
            if not piece:
                raise EOFError
            self._content += piece
        message = bytes(self._content[_LENGTH.size :])
        self._content = bytearray()
        return message

    def _missing(self) -> int:
        """Return how many bytes are missing from the message; its beginning counts first."""
        beginning = _LENGTH.size + 1
        if len(self._content) < _LENGTH.size:
            return _LENGTH.size - len(self._content)
        (length,) = _LENGTH.unpack_from(self._content)
        letter = bytes(self._content[_LENGTH.size : beginning])
        if not 1 <= length <= (self._limit(letter) if letter else length):
            raise WireError(f"a message {letter!r} has {length} bytes")
        whole = _LENGTH.size + int(length)
        return (whole if letter else beginning) - len(self._content)


def _has_come(connection: socket.socket, within_seconds: float) -> bool:
    """Wait until something has come, if only the end of it, and say whether it has in that time."""
    waiting = select.poll()
    waiting.register(connection, select.POLLIN)
    return bool(waiting.poll(ceil(1000 * within_seconds)))
