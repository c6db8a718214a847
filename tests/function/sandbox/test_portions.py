"""Long results come in portions, and are whole again at the other end."""

import time
from dataclasses import replace

import numpy as np
import pytest

from db.people import PersonFound, Seen, View
from function.engines.models import PRIMARY, SECOND
from function.engines.protocol import Box
from function.enrolling.choosing import PhotoFound
from function.errors import VideoOverLimitError
from function.faces.face import Face
from function.faces.found import PictureFound, Progress, StageSeconds, Task
from function.media.limits import VideoLimits
from function.media.pictures import (
    MOST_LEFT_OUT,
    MOST_PICTURES,
    Contents,
    Entry,
    Moment,
)
from function.people.gathering import PeopleFound
from function.people.views import MOST_VIEWS
from function.sandbox import portions, worker
from function.sandbox.messages import (
    MOST_VALUES,
    largest_answer,
    read_answer,
    require_few_values,
    write_message,
)
from function.sandbox.orders import (
    ContentsOrder,
    MomentOrder,
    Order,
    PhotoOrder,
    PictureOrder,
    Result,
    VideoOrder,
)
from function.sandbox.portions import MOST_PEOPLE_BYTES, Collected, Portion, split, weigh_people
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
FOUND = PeopleFound((), (PRIMARY.id,), 20_000, 9, StageSeconds(0.1, 0.2, 0.3), (), 3.0)


def person(views: int, moments: int, picture: bytes = PICTURE) -> PersonFound:
    return PersonFound(
        tuple(View(0.1 * one, 0.9, 1, (), (FACE.encoding,)) for one in range(views)),
        tuple(Seen(one, one / 3, one / 3 + 0.1, one / 3) for one in range(moments)),
        1 / 3,
        picture,
    )


def found(*people: PersonFound) -> PeopleFound:
    return replace(FOUND, people=people)


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
        (VIDEO, found(), 0),
        (VIDEO, found(person(1, 1)), 1),
        (VIDEO, found(person(3_000, 10_000), person(1, 1), person(1_000, 1)), 12),
        (VIDEO, found(*[person(1, 1)] * 40), 5),
        (VIDEO, Progress(1.0, 2.0, 3), 0),
        (PhotoOrder(), PhotoFound((replace(FACE, crop=PICTURE, chip=PICTURE),) * 9), 3),
        (PictureOrder("a.jpg", 640, 0), PictureFound(9, 9, (replace(FACE, crop=PICTURE),) * 9), 2),
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


def test_values_are_counted_and_not_what_stands_in_texts() -> None:
    require_few_values(b'["' + b'[{,\\"' * 1_000 + b'"]', 1)
    four = b"[" + b"[]," * 3 + b"[]]"
    require_few_values(four, 8)
    with pytest.raises(WireError, match="too many values"):
        require_few_values(four, 7)
    with pytest.raises(WireError, match="too many values"):
        read_answer(b'+{"faces":[' + b"[]," * MOST_VALUES + b"[]]}")


@pytest.mark.parametrize(
    ("order", "portion"),
    [
        (VIDEO, Portion(faces=(FACE,))),
        (PhotoOrder(), Portion(people=(person(1, 1),))),
        (PictureOrder("a.jpg", 640, 0), Portion(people=(person(1, 1),))),
        (PictureOrder("a.jpg", 640, 0), Portion(faces=(replace(FACE, chip=PICTURE),))),
        (MomentOrder("video", 1.0), Portion()),
        (None, Portion()),
    ],
)
def test_what_nobody_asked_for_is_not_kept(order: Order | None, portion: Portion) -> None:
    with pytest.raises(WireError, match="not asked for"):
        Collected(order).add(portion)


def test_a_person_has_a_beginning() -> None:
    with pytest.raises(WireError, match="no beginning"):
        Collected(VIDEO).add(Portion(people=(person(1, 1, b""),)))
    with pytest.raises(WireError, match="in no portion"):
        Collected(VIDEO).complete(found(person(1, 1)))


def test_more_faces_than_a_picture_can_show_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portions, "MOST_FACES", 3)
    assert sent(PhotoOrder(), PhotoFound((FACE,) * 3))
    with pytest.raises(WireError, match="4 faces"):
        sent(PhotoOrder(), PhotoFound((FACE,) * 4))


def test_more_people_than_fit_are_neither_sent_nor_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    most, too_many = (found(*[person(2, 2)] * count) for count in (3, 4))
    for module in (portions, worker):
        monkeypatch.setattr(module, "MOST_PEOPLE_BYTES", weigh_people(most.people))
    assert pack(sent(VIDEO, most)[1]) == pack(most)
    with pytest.raises(WireError, match="too many"):
        sent(VIDEO, too_many)
    worker.require_few(most, "film.mp4")
    with pytest.raises(VideoOverLimitError, match=r"film\.mp4 shows 4 people"):
        worker.require_few(too_many, "film.mp4")


def test_people_in_several_pieces_weigh_the_same_at_both_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    everyone = found(*[person(3_000, 10_000)] * 2)
    assert len([*split(everyone)]) > 10
    for module in (portions, worker):
        monkeypatch.setattr(module, "MOST_PEOPLE_BYTES", weigh_people(everyone.people))
    worker.require_few(everyone, "film.mp4")
    assert pack(sent(VIDEO, everyone)[1]) == pack(everyone)


def test_five_people_who_are_in_every_picture_of_the_longest_film_fit() -> None:
    second = np.ones(SECOND.dimensions, np.float32)
    one = person(MOST_VIEWS, VideoLimits().max_frames)
    views = tuple(replace(view, encodings=(*view.encodings, second)) for view in one.views[:10])
    everyone = found(*[replace(one, views=(*views, *one.views[10:]))] * 5)
    assert 0.8 * MOST_PEOPLE_BYTES < weigh_people(everyone.people) < MOST_PEOPLE_BYTES
    assert pack(sent(VIDEO, everyone)[1]) == pack(everyone)
