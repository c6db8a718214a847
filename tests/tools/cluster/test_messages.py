"""Workers are believed no more than a child: what they send is bounded and checked."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from db.people import Link, PersonFound, Seen, View
from function.errors import CrashedVideoError, OutsideMediaRootError, UnreadableVideoError
from function.faces.found import Progress, StageSeconds, Task
from function.people.gathering import PeopleFound
from function.sandbox.checks import check_people
from function.sandbox.wire import WireError
from tools.cluster.messages import (
    ElsewhereError,
    ReadOrder,
    Refused,
    VideoRead,
    read,
    refuse,
    write,
)

DIMENSIONS = (128, 4)


def encoding(numbers: int) -> Any:
    return np.linspace(-0.2, 0.2, numbers, dtype=np.float32)


VIEW = View(1.0, 0.9, 3, ("blurred",), (encoding(128), encoding(4)))
PERSON = PersonFound((VIEW,), (Seen(0, 1.0, 1.5, 0.5),), 1.0, b"\xff\xd8\xff jpeg")
PEOPLE = PeopleFound(
    (PERSON, PERSON), ("first", "second"), 4, 9, StageSeconds(0.1, 0.2, 0.3), (Link(0.4, 0, 1),)
)


def test_people_arrive_as_they_were_sent() -> None:
    sent = VideoRead(Progress(1.0, 2.0, 3), PEOPLE)
    received = read((VideoRead, Refused), write(sent))
    check_people(received.found, DIMENSIONS)
    assert write(received) == write(sent)
    assert isinstance(received.found.people[0].views[0].encodings[1], np.ndarray)


def test_the_longest_film_arrives() -> None:
    moments = tuple(Seen(one, one + 0.3, one + 0.6, one + 0.1) for one in range(118_000))
    found = replace(PEOPLE, people=(replace(PERSON, seen=moments),), frames=118_000, links=())
    received = read((VideoRead, Refused), write(VideoRead(Progress(1.0, 2.0, 3), found)))
    check_people(received.found, DIMENSIONS)
    assert len(received.found.people[0].seen) == 118_000


def test_an_order_keeps_a_name_that_is_no_text() -> None:
    order = ReadOrder(b"a/\xff.mp4", "?.mp4", "0" * 16, Task(None, 960, 44), "topic", 3)
    assert read((ReadOrder,), write(order)) == order


@pytest.mark.parametrize(
    "message", [b"", b"F{}", b"E[]", b"\x80\x04.", b'E{"kind":"a","message":"b","more":1}']
)
def test_nothing_else_is_built(message: bytes) -> None:
    with pytest.raises(WireError):
        read((VideoRead, Refused), message)


def with_view(**changes: Any) -> PeopleFound:
    return with_person(views=(replace(VIEW, **changes),))


def with_person(**changes: Any) -> PeopleFound:
    return replace(PEOPLE, people=(PERSON, replace(PERSON, **changes)))


@pytest.mark.parametrize(
    "found",
    [
        with_view(encodings=()),
        with_view(encodings=(encoding(127),)),
        with_view(encodings=(encoding(128), encoding(5))),
        with_view(encodings=(encoding(128) * 1000,)),
        with_view(quality=1.1),
        with_view(faces=0),
        with_view(seconds=-1.0),
        with_view(weaknesses=("x",) * 99),
        with_person(views=()),
        with_person(seen=()),
        with_person(seen=(Seen(10, 1.0, 1.5, 0.5),)),  # four frames, with gaps between shots
        with_person(seen=tuple(Seen(frame, 1.0, 1.5, 0.5) for frame in range(5))),
        with_person(seen=(Seen(0, 1.0, 0.5, 0.5),)),
        with_person(picture=b"GIF89a"),
        with_person(best_seconds=-1.0),
        replace(PEOPLE, links=(Link(0.4, 0, 2),)),
        replace(PEOPLE, links=(Link(0.4, 1, 1),)),
        replace(PEOPLE, links=(Link(-0.4, 0, 1),)),
        replace(PEOPLE, faces=-1),
    ],
)
def test_people_who_cannot_be_are_refused(found: PeopleFound) -> None:
    check_people(PEOPLE, DIMENSIONS)
    with pytest.raises(WireError):
        check_people(found, DIMENSIONS)


def test_an_error_keeps_its_kind_or_becomes_one_that_ends_only_this_video() -> None:
    kinds = [
        refuse(error).kind
        for error in (CrashedVideoError("a"), ElsewhereError("b"), OutsideMediaRootError("c"))
    ]
    assert kinds == [CrashedVideoError.__name__, "ElsewhereError", UnreadableVideoError.__name__]
