"""What a captured child may send: lies, nonsense, and more than there can be."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from db.people import Link, Seen, View
from function.engines.models import PRIMARY, SECOND
from function.engines.protocol import Box
from function.enrolling.choosing import PhotoFound
from function.faces.face import Face
from function.faces.found import (
    MOST_IN_PICTURE,
    Details,
    FacesFound,
    PictureFound,
    Progress,
    StageSeconds,
    Task,
)
from function.media.pictures import MOST_LEFT_OUT, MOST_PICTURES, Contents, Entry, Moment
from function.people.gathering import PeopleFound, gather_people
from function.sandbox import checks
from function.sandbox.checks import check_answer, check_portion
from function.sandbox.handle import Allowance, Child
from function.sandbox.messages import Answer, Ready, Refusal, write_message
from function.sandbox.orders import VideoOrder
from function.sandbox.portions import Collected, Portion, weigh_people
from function.sandbox.wire import LONGEST_TEXT, WireError, pack, unpack

TASK = Task(every_seconds=0.5, detection_pixels=640)


FACE = Face(
    frame=0,
    seconds=1.0,
    until_seconds=1.0,
    box=Box(1, 2, 3, 4),
    detection_score=1.0,
    encoding=np.ones(128, np.float32),
    quality=0.5,
    weaknesses=("small",),
    crop=b"\xff\xd8\xff jpeg",
)


SIZES = (PRIMARY.dimensions, SECOND.dimensions)


MODELS = (PRIMARY.id, SECOND.id)


STILL = replace(FACE, seconds=0.0, until_seconds=0.0, second=np.ones(SECOND.dimensions, np.float32))
"""A face in a picture, which has no time."""


FOUND = gather_people(
    FacesFound((FACE,), 1, StageSeconds(0.1, 0.2)),
    MODELS,
    lambda *_: Details((FACE.crop,), np.full(SECOND.dimensions, 0.1, np.float32)),
)


def test_what_is_found_survives_the_way_to_the_parent() -> None:
    message = pack(FOUND)
    read = unpack(PeopleFound, message)
    check_answer(read, SIZES)
    assert pack(read) == message
    assert [len(one) for one in read.people[0].views[0].encodings] == list(SIZES)
    assert read.people[0].views[0].encodings[0].dtype == np.float32
    assert read.people[0].seen[0].until_seconds == 1.0


def lie(**changes: Any) -> PeopleFound:
    return replace(FOUND, people=(replace(FOUND.people[0], **changes),))


def view(**changes: Any) -> PeopleFound:
    return lie(views=(replace(FOUND.people[0].views[0], **changes),))


@pytest.mark.parametrize(
    "lied",
    [
        view(encodings=(np.ones(127, np.float32),)),
        view(encodings=(np.full(128, np.nan, np.float32),)),
        view(encodings=(np.full(128, 1e30, np.float32),)),
        view(encodings=(FACE.encoding, np.ones(127, np.float32))),
        view(encodings=(FACE.encoding, np.full(SECOND.dimensions, 1e30, np.float32))),
        view(encodings=()),
        view(seconds=-1.0),
        view(quality=7.0),
        view(quality=1e300),
        view(faces=True),
        view(faces=1.5),
        view(faces=0),
        view(weaknesses=("x" * 5_000,)),
        view(weaknesses=("x",) * 17),
        view(weaknesses=("\x1b[2J",)),
        view(weaknesses=("\ud800",)),
        view(weaknesses=("a\nb",)),
        view(weaknesses=("fa\xedl",)),
        lie(picture=b"<script>"),
        lie(picture=b"\xff\xd8\xff" + bytes(2_000_000)),
        lie(views=()),
        lie(seen=()),
        lie(seen=(Seen(-1, 1.0, 1.0, 1.0),)),
        lie(seen=(Seen(1, 1.0, 1.0, 1.0),)),
        replace(lie(seen=(Seen(4, 1.0, 1.0, 1.0),)), frames=2),
        replace(lie(seen=tuple(Seen(one, 1.0, 1.0, 1.0) for one in range(3))), frames=2),
        lie(seen=(Seen(0, 1.0, 0.5, 0.0),)),
        lie(seen=FOUND.people[0].seen * 2),
        replace(lie(seen=FOUND.people[0].seen * 2), frames=2),
        lie(best_seconds="always"),
        replace(FOUND, frames=-1, people=()),
        replace(FOUND, seconds=StageSeconds(-0.1, 0.2)),
        replace(FOUND, unreadable_seconds=-0.1),
        replace(FOUND, decoder="a GPU"),
        replace(FOUND, links=(Link(0.1, 0, 1),)),
    ],
)
def test_a_lie_is_not_believed(lied: PeopleFound) -> None:
    with pytest.raises(WireError):
        check_answer(unpack(PeopleFound, pack(lied)), SIZES)


def test_a_decoder_that_does_not_exist_is_not_believed() -> None:
    ready = Ready("onnx", "CPU", MODELS, (), "cuda")
    check_answer(unpack(Ready, pack(ready)), SIZES)
    with pytest.raises(WireError, match="decoder"):
        check_answer(unpack(Ready, pack(replace(ready, decoder="a GPU"))), SIZES)


def test_progress_that_is_negative_is_not_believed() -> None:
    check_answer(Progress(1.0, 2.0, 3), SIZES)
    with pytest.raises(WireError, match="progress"):
        check_answer(unpack(Progress, pack(Progress(1.0, 2.0, -3))), SIZES)


LINKED = replace(FOUND, people=FOUND.people * 2, links=(Link(0.1, 0, 1),))


@pytest.mark.parametrize(
    ("limit", "most", "believed", "lied"),
    [
        ("MOST_PEOPLE_BYTES", weigh_people(FOUND.people), FOUND, LINKED),
        ("MOST_PEOPLE", 1, FOUND, LINKED),
        ("MOST_LINKS", 1, LINKED, replace(LINKED, links=LINKED.links * 2)),
        ("MOST_FACES", 1, PhotoFound((FACE,)), PhotoFound((FACE,) * 2)),
    ],
)
def test_more_than_there_can_be_is_not_believed(
    limit: str, most: int, believed: Answer, lied: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, limit, most)
    check_answer(unpack(type(believed), pack(believed)), SIZES)
    with pytest.raises(WireError, match="too many"):
        check_answer(unpack(type(lied), pack(lied)), SIZES)


@pytest.mark.parametrize(
    "lied",
    [
        Portion(faces=(replace(FACE, encoding=np.ones(127, np.float32)),)),
        Portion(people=(replace(FOUND.people[0], picture=b"<script>"),)),
        Portion(people=view(quality=7.0).people),
        Portion(files=(Entry(0, "a" * 301),)),
    ],
)
def test_a_lie_in_a_portion_is_not_believed(lied: Portion) -> None:
    check_portion(Portion((FACE,), FOUND.people, (Entry(0, "a"),)), SIZES)
    with pytest.raises(WireError):
        check_portion(unpack(Portion, pack(lied)), SIZES)


@pytest.mark.parametrize(
    "lied", [Portion(people=lie(picture=b"<script>").people), replace(FOUND, people=(), frames=0)]
)
def test_whatever_comes_from_a_child_is_checked_at_once(
    lied: Portion | PeopleFound, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Child, "_dimensions", lambda _: SIZES)
    child = object.__new__(Child)
    child._allowance, child._collected = Allowance(1_000_000), Collected(VideoOrder("", TASK))
    assert child._read(write_message(Portion(people=FOUND.people))) is None
    with pytest.raises(WireError, match=r"not a JPEG|more frames"):
        child._read(write_message(lied))


@pytest.mark.parametrize(
    "changes",
    [
        {"encoding": np.ones(127, np.float32)},
        {"encoding": np.full(128, np.inf, np.float32)},
        {"crop": b""},
        {"crop": b"<script>"},
        {"chip": b"<script>"},
        {"frame": -1},
        {"seconds": FACE.until_seconds + 1.0},
        {"since_seconds": -1.0},
        {"quality": -10.1},
        {"second": np.ones(64, np.float32)},
        {"second": np.empty(0, np.float32)},
    ],
)
def test_a_lie_about_a_photo_is_not_believed(changes: dict[str, Any]) -> None:
    check_answer(unpack(PhotoFound, pack(PhotoFound((FACE,)))), SIZES)
    lied = PhotoFound((FACE, replace(FACE, **changes)))
    with pytest.raises(WireError):
        check_answer(unpack(PhotoFound, pack(lied)), SIZES)


@pytest.mark.parametrize(
    "lied",
    [
        Moment(1.0, b"<svg>"),
        Moment(1.0, b""),
        Moment(-1.0, b"\xff\xd8\xff jpeg"),
        Moment(1.0, b"\xff\xd8\xff" + bytes(3_000_000)),
    ],
)
def test_a_lie_about_a_moment_is_not_believed(lied: Moment) -> None:
    check_answer(Moment(1.0, b"\xff\xd8\xff jpeg"), SIZES)
    with pytest.raises(WireError):
        check_answer(unpack(Moment, pack(lied)), SIZES)


@pytest.mark.parametrize(
    "lied",
    [
        PictureFound(0, 10, ()),
        PictureFound(10, 10, (replace(STILL, encoding=np.ones(127, np.float32)),)),
        PictureFound(10, 10, (replace(STILL, frame=1),)),
        PictureFound(10, 10, (replace(STILL, seconds=3.0, until_seconds=3.0),)),
        PictureFound(10, 10, (STILL,) * (MOST_IN_PICTURE + 1)),
        PictureFound(10, 10, (replace(STILL, crop=b""),)),
        PictureFound(10, 10, (STILL, replace(STILL, second=None))),
        Contents((Entry(-1, "a.jpg"),), ()),
        Contents((Entry(0, "a" * 301),), ()),
        Contents((), (Entry(0, "a", "b" * 301),)),
        Contents((Entry(0, "a", content="c" * 301),), ()),
        Contents((), (), -1),
        Contents((Entry(0, "a"),) * (MOST_PICTURES + 1), ()),
        Contents((), (Entry(0, "a", "b"),) * (MOST_LEFT_OUT + 1)),
    ],
)
def test_a_lie_about_a_picture_or_an_archive_is_not_believed(lied: PictureFound | Contents) -> None:
    check_answer(PictureFound(10, 10, (STILL,) * MOST_IN_PICTURE), SIZES)
    check_answer(Contents((Entry(0, "a" * 300),) * MOST_PICTURES, ()), SIZES)
    with pytest.raises(WireError):
        check_answer(unpack(type(lied), pack(lied)), SIZES)


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\x80\x04\x95",
        b"[" * 100_000,
        b'{"done_seconds": 1, "of_seconds": NaN, "faces": 1}',
        b'{"done_seconds": 1, "of_seconds": 1e999, "faces": 1}',
        b'{"done_seconds": 1, "of_seconds": 1, "faces": 1, "__class__": "os.system"}',
        b'{"done_seconds": "1", "of_seconds": 1, "faces": 1}',
        b'{"done_seconds": 1e300, "of_seconds": 1, "faces": 1}',
        b'{"done_seconds": 1, "of_seconds": 1, "faces": 9007199254740993}',
        '{"done_seconds": 1, "of_seconds": 1, "faces": 1}'.encode("utf-16"),
    ],
)
def test_bytes_that_are_no_record_are_refused(message: bytes) -> None:
    with pytest.raises(WireError):
        unpack(Progress, message)


@pytest.mark.parametrize("text", ["half \ud800 a pair", "name\udcff.png", "both\udc00\ud800"])
def test_a_text_that_could_be_stored_nowhere_is_refused(text: str) -> None:
    for said in (Refusal("unreadable_video", text), Entry(0, text), Entry(0, "a", content=text)):
        with pytest.raises(WireError, match="not Unicode"):
            unpack(type(said), pack(said))


def test_a_text_or_a_vector_that_nothing_of_ours_holds_is_refused() -> None:
    assert unpack(Refusal, pack(Refusal("a", "b" * LONGEST_TEXT)))
    with pytest.raises(WireError):
        unpack(Refusal, pack(Refusal("a", "b" * (LONGEST_TEXT + 1))))
    seen = FOUND.people[0].views[0]
    for numbers, complaint in (((), "is empty"), ((0.1, np.nan), "NaN"), ((np.inf,), "NaN")):
        odd = replace(seen, encodings=(np.array(numbers, np.float32),))
        with pytest.raises(WireError, match=complaint):
            unpack(View, pack(odd))


def test_a_number_too_long_for_a_float_is_refused() -> None:
    long = b"1" + b"0" * 400
    with pytest.raises(WireError):
        unpack(Progress, b'{"done_seconds": %s, "of_seconds": 1, "faces": 1}' % long)
    with pytest.raises(WireError):
        check_answer(Progress(-1.0, 1.0, 0), SIZES)
