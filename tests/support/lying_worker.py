"""Makes a Dask worker lie (`--preload`): how it answers about a video, its place in WAYS says.

`SLOTS_CLAIMED` in the environment is how many videos at once it claims to read; it also sends
progress that is none.
"""

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from distributed import Worker, get_worker

from db.people import Link, Seen
from function.faces.found import Progress
from function.people.gathering import PeopleFound
from function.sandbox.portions import MOST_PEOPLE
from tests.support.captured_child import FACE, MODELS, MOMENTS, NOTHING, PERSON, VIEW
from tools.cluster import work
from tools.cluster.messages import ReadOrder, Refused, VideoRead, read, write

describe = work.describe
ONE_MODEL = MODELS[:1]
HERE = replace(PERSON, views=(replace(VIEW, encodings=VIEW.encodings[:1]),))


def answer(found: PeopleFound) -> bytes:
    """An answer in good form."""
    return write(VideoRead(Progress(1.0, 1.0, 0), found))


def people(*everyone: Any, **changes: Any) -> bytes:
    """An answer with these people."""
    return answer(replace(NOTHING, models=ONE_MODEL, people=everyone, **changes))


WAYS: dict[str, Callable[[], Any]] = {
    "giant": lambda: b"F" + b" " * 60_000_000,
    "giant text": lambda: b'E{"kind":"' + b"x" * 60_000_000 + b'","message":""}',
    "wide": lambda: b'F{"progress":[' + b"[]," * 5_000_000 + b"[]]}",
    "deep": lambda: b"F" + b"[" * 2_000_000,
    "no bytes": lambda: {"people": []},
    "nothing": lambda: None,
    "empty": lambda: b"",
    "ready": lambda: write(work.WorkerReady(work.Terms("1", "2", ONE_MODEL), 1)),
    "wrong types": lambda: b'F{"progress":{"done_seconds":"1","of_seconds":1,"faces":1},"found":7}',
    "other models": lambda: answer(replace(NOTHING, models=("other",))),
    "too many people": lambda: people(*[HERE] * (MOST_PEOPLE + 1)),
    "too much of them": lambda: people(*[replace(HERE, picture=FACE.crop * 600_000)] * 16),
    "impossible": lambda: people(replace(HERE, seen=(Seen(0, 9.0, 1.0, 1.0),))),
    "nobody's link": lambda: people(HERE, links=(Link(0.1, 0, 9),)),
    "negative": lambda: answer(replace(NOTHING, models=ONE_MODEL, faces=-1)),
    "more frames than there are": lambda: people(replace(HERE, seen=MOMENTS[:9])),
    "an unknown error": lambda: write(Refused("SystemExit", "\x1b[2J")),
    "a fault": lambda: 1 / 0,
}
"""Each costs the video that it was asked about, and nothing else."""


def read_video(message: bytes) -> Any:
    """Answer as the order's name says, as `00.mp4` is the first of WAYS."""
    order: ReadOrder = read((ReadOrder,), message)
    progress = write(Progress(9.0, 9.0, 9))
    for said in ([], {"number": [], "progress": progress}, {"number": 1e400, "progress": progress}):
        get_worker().log_event(order.topic, said)
    get_worker().log_event(order.topic, {"number": order.number, "progress": b"P" * 9})
    number = int(order.name.partition(".")[0])
    ways = list(WAYS.values())
    return ways[number]() if number < len(ways) else people(HERE)


def lying_ready() -> bytes:
    """Claim to read very many videos at once."""
    ready = read((work.WorkerReady,), describe())
    return write(replace(ready, slots=int(os.environ["SLOTS_CLAIMED"])))


def dask_setup(_: Worker) -> None:
    """Take the place of what answers orders."""
    work.read_video = read_video
    if "SLOTS_CLAIMED" in os.environ:
        work.describe = lying_ready
