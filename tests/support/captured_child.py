"""Plays a child that a file has captured: how it treats an order, the name of the video says.

`python -m tests.support.captured_child DESCRIPTOR`, in place of `function.sandbox.child`.
"""

import json
import logging
import os
import socket
import struct
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from function.engines.models import PRIMARY, SECOND
from function.engines.protocol import Box
from function.faces.face import Face
from function.faces.found import FacesFound, Progress, StageSeconds
from function.sandbox.channel import Channel
from function.sandbox.messages import (
    ORDERS_BY_LETTER,
    SETUP,
    LogLine,
    Ready,
    read_message,
    write_message,
)
from function.sandbox.orders import DetailsOrder, PhotoOrder
from function.sandbox.portions import Portion

MODELS = (PRIMARY.id, SECOND.id)
NOTHING = FacesFound((), 1, StageSeconds(0.1, 0.2))
FACE = Face(
    frame=0,
    seconds=1.0,
    until_seconds=1.0,
    box=Box(1, 2, 3, 4),
    detection_score=1.0,
    encoding=np.ones(PRIMARY.dimensions, np.float32),
    quality=0.5,
    weaknesses=(),
    crop=b"",
)
Say = Callable[[bytes], None]


def claim(length: int, letter: bytes) -> Callable[[Channel], None]:
    """Claim a message of that length, and send as much as anyone will take."""

    def act(channel: Channel) -> None:
        os.write(channel.fileno(), struct.pack(">I", length) + letter)
        while True:
            os.write(channel.fileno(), b"[" * 65_536)

    return act


def send(content: bytes) -> Callable[[Channel], None]:
    """Send one message."""
    return lambda channel: channel.send(content)


def repeat(content: bytes) -> Callable[[Channel], None]:
    """Send one message again and again."""

    def act(channel: Channel) -> None:
        while True:
            channel.send(content)

    return act


def drip(channel: Channel) -> None:
    """Send a message one byte at a time, too slowly for it ever to be whole."""
    for byte in struct.pack(">I", 900) + b"P" + b" " * 800:
        os.write(channel.fileno(), bytes([byte]))
        time.sleep(0.2)
    time.sleep(600)


NUMBER = "1" * 5_000
WAYS: Mapping[str, Callable[[Channel], None]] = {
    "honest": send(write_message(NOTHING)),
    "giant answer": claim(2**31, b"F"),
    "giant portion": claim(200_000_000, b"+"),
    "giant line": claim(50_000_000, b"L"),
    "giant nobody": claim(1_000_000_000, b"?"),
    "empty": send(b""),
    "endless lines": repeat(write_message(LogLine(logging.ERROR, "x" * 5_000 + "\x1b"))),
    "endless progress": repeat(write_message(Progress(0.0, 1.0, 0))),
    "endless portions": repeat(write_message(Portion())),
    "endless pictures": repeat(write_message(Portion(pictures=(b"\xff\xd8\xff" * 600_000,)))),
    "wrong portion": lambda channel: [
        channel.send(write_message(Portion(pictures=(b"\xff\xd8\xff",)))),
        channel.send(write_message(NOTHING)),
    ][0],
    "wrong types": send(b'F{"faces": 3, "frames": [], "seconds": 1, "unreadable_seconds": null}'),
    "deep": send(b"+" + b"[" * 2_000_000),
    "wide": send(b"+" + json.dumps({"faces": [[]] * 500_000}).encode()),
    "many digits": send(b'P{"done_seconds":%s,"of_seconds":1,"faces":1}' % NUMBER.encode()),
    "ready again": send(write_message(Ready("onnx", "CPU", MODELS, ()))),
    "drip": drip,
    "speak on": send(write_message(NOTHING)),
    "face nowhere": lambda channel: [
        channel.send(write_message(Portion(faces=(replace(FACE, frame=5),)))),
        channel.send(write_message(NOTHING)),
    ][0],
}


def main(descriptor: int) -> None:
    """Start as a good child does, then treat each order as its name says."""
    channel = Channel(socket.socket(fileno=descriptor))
    read_message(SETUP, channel.receive())
    channel.send(write_message(Ready("onnx", "CPU", MODELS, ("memory", "files", "calls"))))
    while True:
        order = read_message(ORDERS_BY_LETTER, channel.receive())
        if isinstance(order, DetailsOrder):
            channel.send(b'J{"pictures":[],"second":null}')
            if order.name == "speak on":
                channel.send(write_message(replace(NOTHING, frames=7)))
            continue
        if isinstance(order, PhotoOrder):  # it never takes the photo
            time.sleep(600)
        os.close(channel.receive_descriptor())
        WAYS[order.name](channel)


if __name__ == "__main__":
    main(int(sys.argv[1]))
