"""Long results come in portions, and are whole again at the other end."""

import time
from dataclasses import replace

import numpy as np
import pytest

from function.engines.models import PRIMARY
from function.engines.protocol import Box
from function.enrolling.choosing import PhotoFound
from function.errors import VideoOverLimitError
from function.faces.face import Face
from function.faces.found import Details, FacesFound, Progress, StageSeconds, Task
from function.media.pictures import (
    MOST_LEFT_OUT,
    MOST_PICTURES,
    Contents,
    Entry,
    Moment,
)
from function.sandbox import child, portions
from function.sandbox.messages import largest_answer, read_answer, write_message
from function.sandbox.orders import (
    ContentsOrder,
    DetailsOrder,
    MomentOrder,
    Order,
    PhotoOrder,
    Result,
    VideoOrder,
)
from function.sandbox.portions import Collected, Portion, split
from function.sandbox.wire import WireError, pack

FACE = Face(
    frame=123_456,
    seconds=1234.5678901234567,
    until_seconds=1234.5678901234567,
    box=Box(1234, 1234, 1834, 1834),
    detection_score=0.12345678901234567,
    encoding=np.full(PRIMARY.dimensions, 0.1, np.float32),
    quality=0.12345678901234567,
    weaknesses=("blurred", "too dark", "doubtful"),
    crop=b"",
)
PICTURE = b"\xff\xd8\xff" + bytes(60_000)
VIDEO = VideoOrder("video", Task(None, 640))
DETAILS = DetailsOrder("video", tuple(range(40)), ())


def sent(order: Order, result: Result) -> tuple[list[int], Result]:
    """Send a result as a child does; return how long its messages were, and what arrives."""
    collected, sizes = Collected(order), []
    for one in split(result):
        message = write_message(one)
        assert len(message) <= largest_answer(message[:1])
        sizes.append(len(message))
        read = read_answer(message)
        if isinstance(read, Portion):
            collected.add(read)
        else:
            return sizes, collected.complete(read)  # type: ignore[arg-type]
    raise AssertionError("no result came")


@pytest.mark.parametrize(
    ("order", "result", "portions"),
    [
        (VIDEO, FacesFound((), 9, StageSeconds(0.1, 0.2), 3.0), 0),
        (VIDEO, FacesFound((FACE,) * 1_200, 9, StageSeconds(0.1, 0.2), 3.0), 3),
        (VIDEO, Progress(1.0, 2.0, 3), 0),
        (PhotoOrder(), PhotoFound((replace(FACE, crop=PICTURE, chip=PICTURE),) * 9), 3),
        (DETAILS, Details((PICTURE,) * 40, None), 5),
        (DETAILS, Details((PICTURE,), np.full(300_000, 0.1, np.float32)), 4),
        (DETAILS, Details((), None), 0),
        (MomentOrder("video", 1.0), Moment(1.0, PICTURE * 30), 0),
    ],
)
def test_a_result_arrives_whole_in_messages_of_a_megabyte(
    order: Order, result: Result, portions: int
) -> None:
    sizes, arrived = sent(order, result)
    assert pack(arrived) == pack(result)
    assert len(sizes) == portions + 1
    assert max(sizes[:-1], default=0) < 1_000_000


@pytest.mark.parametrize("name", ["Ann, Bea, Cleo, Dana and Eve [HQ] {2}", '",[{\\"' * 60, "\\"])
def test_the_names_in_an_archive_arrive_whatever_is_in_them(name: str) -> None:
    pictures = tuple(Entry(place, f"[Site] {name}/{place}.jpg") for place in range(MOST_PICTURES))
    left_out = tuple(Entry(place, name, "not a picture") for place in range(MOST_LEFT_OUT))
    contents = Contents(pictures, left_out, 9)
    assert sent(ContentsOrder("set.zip"), contents)[1] == contents


@pytest.mark.parametrize(
    "message",
    [
        b'Z{"pictures":[' + b"[]," * 60_000,
        b'Z{"pictures":["\\"' + b'","' * 60_000,
        b'Z["' + b"[" * 60_000 + b'",' + b"[" * 60_000,
        b'Z"' + b'\\"' * 2_000_000 + b"," * 60_000,
        b"Z" + ('["\u2241",' + "[]," * 60_000 + '"\u2241"]').encode("utf-16-le"),
    ],
)
def test_a_message_of_too_many_values_is_not_read(message: bytes) -> None:
    before = time.process_time()
    with pytest.raises(WireError):
        read_answer(message)
    assert time.process_time() - before < 1


@pytest.mark.parametrize(
    ("order", "portion"),
    [
        (VIDEO, Portion(pictures=(PICTURE,))),
        (VIDEO, Portion(faces=(replace(FACE, crop=PICTURE),))),
        (VIDEO, Portion(faces=(replace(FACE, chip=PICTURE),))),
        (VIDEO, Portion(second=np.ones(128, np.float32))),
        (PhotoOrder(), Portion(pictures=(PICTURE,))),
        (DETAILS, Portion(faces=(FACE,))),
        (MomentOrder("video", 1.0), Portion()),
        (None, Portion()),
    ],
)
def test_what_nobody_asked_for_is_not_kept(order: Order | None, portion: Portion) -> None:
    with pytest.raises(WireError, match="not asked for"):
        Collected(order).add(portion)


def test_more_faces_than_a_video_can_show_are_neither_sent_nor_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in (portions, child):
        monkeypatch.setattr(module, "MOST_FACES", 3)
    most, too_many = (FacesFound((FACE,) * count, 1, StageSeconds(0.1, 0.2)) for count in (3, 4))
    assert pack(sent(VIDEO, most)[1]) == pack(most)
    with pytest.raises(WireError, match="4 faces"):
        sent(VIDEO, too_many)
    worker = child._Worker(None, None, None, "cpu", None)  # type: ignore[arg-type]
    assert worker._keep(most, "film.mp4").frames == 1
    with pytest.raises(VideoOverLimitError, match=r"film\.mp4 shows 4 faces, more than 3"):
        worker._keep(too_many, "film.mp4")
