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

from db.people import Link, PersonFound, Seen, View
from function.engines.models import PRIMARY, SECOND
from function.engines.protocol import Box
from function.faces.face import Face
from function.faces.found import MOST_IN_PICTURE, PictureFound, Progress, StageSeconds
from function.media.pictures import LONGEST_NAME, MOST_PICTURES, Contents, Entry
from function.people.gathering import PeopleFound
from function.sandbox.channel import Channel
from function.sandbox.messages import (
    ORDERS_BY_LETTER,
    SETUP,
    LogLine,
    Ready,
    read_message,
    write_message,
)
from function.sandbox.orders import PhotoOrder
from function.sandbox.portions import MOST_PEOPLE, Portion, split

MODELS = (PRIMARY.id, SECOND.id)
NOTHING = PeopleFound((), MODELS, 1, 0, StageSeconds(0.1, 0.2))
FACE = Face(
    frame=0,
    seconds=1.0,
    until_seconds=1.0,
    box=Box(1, 2, 3, 4),
    detection_score=1.0,
    encoding=np.ones(PRIMARY.dimensions, np.float32),
    quality=0.5,
    weaknesses=(),
    crop=b"\xff\xd8\xff",
)
VIEW = View(1.0, 0.5, 1, (), (FACE.encoding, np.ones(SECOND.dimensions, np.float32)))
ONCE = replace(VIEW, encodings=VIEW.encodings[:1])
MOMENTS = tuple(Seen(frame, frame + 0.25, frame + 0.5, frame + 0.125) for frame in range(200_000))
PERSON = PersonFound((VIEW,), MOMENTS[:1], 1.0, FACE.crop)
GOING_ON = replace(PERSON, views=(), seen=(), picture=b"")
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


def people(*pieces: PersonFound) -> bytes:
    """Return a portion of people, or of pieces of them."""
    return write_message(Portion(people=pieces))


def say(*everyone: PersonFound) -> Callable[[Channel], None]:
    """Find these people."""

    def act(channel: Channel) -> None:
        frames = MOMENTS[-1].frame if len(everyone[0].seen) > 2 else 1
        for one in split(replace(NOTHING, people=everyone, frames=frames)):
            channel.send(write_message(one))

    return act


def picture(crop: bytes) -> Callable[[Channel], None]:
    """Find as many faces in a picture as may be, each with this picture of its own."""

    def act(channel: Channel) -> None:
        still = replace(FACE, seconds=0.0, until_seconds=0.0, crop=crop, second=VIEW.encodings[1])
        for one in split(PictureFound(10, 10, (still,) * MOST_IN_PICTURE)):
            channel.send(write_message(one))

    return act


def archive(count: int) -> Callable[[Channel], None]:
    """List so many files, of the longest names."""

    def act(channel: Channel) -> None:
        for start in range(0, count, 100):
            files = tuple(Entry(start + one, "\U0001f600" * LONGEST_NAME) for one in range(100))
            channel.send(write_message(Portion(files=files)))
        channel.send(write_message(Contents((), ())))

    return act


NUMBER = "1" * 5_000
WAYS: Mapping[str, Callable[[Channel], None]] = {
    "honest": send(write_message(NOTHING)),
    "giant answer": claim(2**31, b"F"),
    "giant nobody": claim(1_000_000_000, b"?"),
    **{f"giant {letter}": claim(40_000_000, letter.encode()) for letter in "+LEFMPR"},
    "empty": send(b""),
    "endless lines": repeat(write_message(LogLine(logging.ERROR, "x" * 5_000 + "\x1b"))),
    "endless progress": repeat(write_message(Progress(0.0, 1.0, 0))),
    "endless portions": repeat(write_message(Portion())),
    "endless pictures": repeat(people(replace(PERSON, picture=FACE.crop * 300_000))),
    "endless people": repeat(people(*[PERSON] * 500)),
    "endless views": lambda channel: [
        channel.send(people(PERSON)),
        repeat(people(*[replace(GOING_ON, views=(VIEW,) * 10)] * 50))(channel),
    ][0],
    "endless moments": lambda channel: [
        channel.send(people(PERSON)),
        repeat(people(*[replace(GOING_ON, seen=MOMENTS[:100])] * 30))(channel),
    ][0],
    "endless words": lambda channel: [
        channel.send(people(PERSON)),
        repeat(people(replace(GOING_ON, views=(replace(VIEW, weaknesses=("x",) * 16),) * 500)))(
            channel
        ),
    ][0],
    "endless faces": repeat(write_message(Portion(faces=(FACE,) * 100))),
    "no beginning": send(people(GOING_ON)),
    "no portion": send(write_message(replace(NOTHING, people=(PERSON,)))),
    "other models": send(write_message(replace(NOTHING, models=MODELS[:1]))),
    "links without end": send(write_message(replace(NOTHING, links=(Link(0.1, 0, 1),) * 6_000))),
    "wrong types": send(b'F{"faces": 3, "frames": [], "seconds": 1, "unreadable_seconds": null}'),
    "deep": send(b"+" + b"[" * 2_000_000),
    "wide": send(b"+" + json.dumps({"faces": [[]] * 500_000}).encode()),
    "many digits": send(b'P{"done_seconds":%s,"of_seconds":1,"faces":1}' % NUMBER.encode()),
    "ready again": send(write_message(Ready("onnx", "CPU", MODELS, ()))),
    "drip": drip,
    "speak on": lambda channel: [
        channel.send(write_message(NOTHING)),
        channel.send(write_message(replace(NOTHING, frames=7))),
    ][0],
    "person nowhere": say(replace(PERSON, seen=MOMENTS[5:6])),
    "person in no order": say(replace(PERSON, seen=MOMENTS[1::-1])),
    "most pictures": say(*[replace(PERSON, picture=FACE.crop * 40_000)] * 200),
    "most people": say(
        *[replace(PERSON, views=(VIEW, one)) for one in (VIEW, ONCE)] * (MOST_PEOPLE // 2)
    ),
    "most views": say(replace(PERSON, views=(VIEW,) * 12_300)),
    "most moments": say(replace(PERSON, seen=MOMENTS[:118_000])),
    "most words": say(replace(PERSON, views=(replace(VIEW, weaknesses=("x" * 9,) * 16),) * 7_500)),
    "most files": archive(MOST_PICTURES),
    "endless files": archive(10**6),
    "long files": send(write_message(Portion(files=(Entry(0, "\U0001f600" * 301),)))),
    "giant contents": claim(16_000_000, b"Z"),
    "most faces": picture(FACE.crop * 20_000),
    "endless crops": repeat(
        write_message(Portion(faces=(replace(FACE, crop=FACE.crop * 300_000),)))
    ),
}
MOST = tuple(name for name in WAYS if name.startswith("most "))
"""As much as a parent believes."""


def main(descriptor: int) -> None:
    """Start as a good child does, then treat each order as its name says."""
    channel = Channel(socket.socket(fileno=descriptor))
    read_message(SETUP, channel.receive())
    channel.send(write_message(Ready("onnx", "CPU", MODELS, ("memory", "files", "calls"))))
    while True:
        order = read_message(ORDERS_BY_LETTER, channel.receive())
        if isinstance(order, PhotoOrder):  # it never takes the photo
            time.sleep(600)
        os.close(channel.receive_descriptor())
        WAYS[order.name](channel)


if __name__ == "__main__":
    main(int(sys.argv[1]))
