"""A child that a file has captured costs that file's request, and its parent little memory."""

import logging
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from multiprocessing.connection import wait
from pathlib import Path
from types import SimpleNamespace

import pytest

from function.errors import (
    PhotoUnusableError,
    RecognitionError,
    TimeLimitError,
    UnreadableVideoError,
)
from function.faces.found import MOST_IN_PICTURE, Task
from function.media.files import MediaFile, open_any
from function.media.pictures import MOST_PICTURES
from function.people.gathering import PeopleFound
from function.sandbox import handle, starting
from function.sandbox.portions import MOST_PEOPLE_BYTES, weigh_people
from function.sandbox.readers import Sandboxed
from function.sandbox.wire import WireError
from function.settings import Settings
from tests.support import captured_child

MOST_BYTES = 32 * 1024 * 1024
TAKEN = ("honest", "drip", "speak on", *captured_child.MOST)
ABOUT_A_PICTURE = ("most faces", "endless crops")
ABOUT_AN_ARCHIVE = ("most files", "endless files", "long files", "giant contents")
REFUSED = sorted({*captured_child.WAYS} - {*TAKEN, *ABOUT_A_PICTURE, *ABOUT_AN_ARCHIVE})
OF_PEOPLE = [way for way in captured_child.MOST if way not in ("most faces", "most files")]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandboxed]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(starting, "CHILD_MODULE", captured_child.__name__)
        patched.setattr(handle, "MOST_MESSAGES", 3_000)  # or the endless ones take half a minute
        sandbox = Sandboxed(Settings(time_limit_seconds=300.0, slots=1))
        yield sandbox
        sandbox.close()


def look(sandbox: Sandboxed, way: str) -> PeopleFound:
    with open_any(Path(__file__)) as media:
        *_, found = sandbox.find_people(MediaFile(media.descriptor, way), Task(0.5, 640))
    assert isinstance(found, PeopleFound)
    return found


@contextmanager
def little_memory() -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < MOST_BYTES
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("way", REFUSED)
def test_it_costs_its_own_request_and_little_memory(
    way: str, sandbox: Sandboxed, caplog: pytest.LogCaptureFixture
) -> None:
    assert look(sandbox, "honest").frames == 1
    caplog.clear()
    refused = pytest.raises(
        UnreadableVideoError, match=r"not valid|unexpected message|other models"
    )
    with little_memory(), refused:
        look(sandbox, way)
    assert look(sandbox, "honest").frames == 1
    assert len(caplog.records) <= handle.MOST_LOG_LINES + 1
    assert max(len(one.getMessage()) for one in caplog.records) <= 1_200


@pytest.mark.parametrize("way", OF_PEOPLE)
def test_as_many_people_as_are_believed_take_little_memory(way: str, sandbox: Sandboxed) -> None:
    with little_memory():
        found = look(sandbox, way)
    taken = weigh_people(found.people)
    assert 0.85 * MOST_PEOPLE_BYTES < taken <= MOST_PEOPLE_BYTES


@pytest.mark.parametrize("way", ABOUT_A_PICTURE)
def test_the_faces_of_a_picture_take_little_memory(way: str, sandbox: Sandboxed) -> None:
    expected = nullcontext() if way in captured_child.MOST else pytest.raises(PhotoUnusableError)
    with little_memory(), open_any(Path(__file__)) as media, expected:
        found = sandbox.find_in_picture(MediaFile(media.descriptor, way))
        assert len(found.faces) == MOST_IN_PICTURE


@pytest.mark.parametrize("way", ABOUT_AN_ARCHIVE)
def test_the_files_of_an_archive_take_little_memory(way: str, sandbox: Sandboxed) -> None:
    expected = nullcontext() if way in captured_child.MOST else pytest.raises(UnreadableVideoError)
    with little_memory(), open_any(Path(__file__)) as media, expected:
        contents = sandbox.list_archive(MediaFile(media.descriptor, way))
        assert len(contents.pictures) == MOST_PICTURES


def test_who_drips_is_ended_in_time_and_holds_up_nobody_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(starting, "CHILD_MODULE", captured_child.__name__)
    sandbox = Sandboxed(Settings(time_limit_seconds=4.0))
    try:
        sandbox.ready()
        with open_any(Path(__file__)) as media:
            dripping = sandbox.find_people(MediaFile(media.descriptor, "drip"), Task(0.5, 640))
            assert next(dripping)
            assert next(dripping), "a sign of life while a message is on its way"
            assert look(sandbox, "honest").frames == 1
            with pytest.raises(TimeLimitError):
                list(dripping)
    finally:
        sandbox.close()


def test_who_takes_no_photo_is_ended_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "CHILD_MODULE", captured_child.__name__)
    sandbox = Sandboxed(Settings(time_limit_seconds=2.0))
    try:
        sandbox.ready()
        with pytest.raises(TimeLimitError):
            sandbox.find_faces(bytes(10_000_000))
        assert look(sandbox, "honest").frames == 1
    finally:
        sandbox.close()


def test_what_was_answered_unasked_is_never_taken_for_the_next_answer(sandbox: Sandboxed) -> None:
    assert look(sandbox, "speak on").frames == 1
    (child,) = sandbox.pool._idle
    wait([child._channel], 20)
    assert look(sandbox, "honest").frames == 1
    assert child not in sandbox.pool._idle


def test_long_lines_of_the_log_are_cut(
    sandbox: Sandboxed, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handle, "MOST_LOG_LINES", 3)
    with caplog.at_level(logging.INFO), pytest.raises(RecognitionError, match="logs without end"):
        look(sandbox, "endless lines")
    assert sum("\x1b" in one.getMessage() for one in caplog.records) == 3


def test_messages_and_lines_are_counted_by_time_and_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(handle, "time", SimpleNamespace(monotonic=lambda: now[0]))

    def speak(allowance: handle.Allowance, times: int) -> None:
        for _ in range(times):
            allowance.take(b"P")

    allowance = handle.Allowance(10)
    speak(allowance, handle.MESSAGES_AT_ONCE)
    now[0] += 1.0
    speak(allowance, handle.MESSAGES_PER_SECOND)
    with pytest.raises(WireError, match="without end"):
        speak(allowance, 1)
    now[0] += 3_600.0
    patient = handle.Allowance(10)
    now[0] += 3_600.0
    speak(patient, handle.MOST_MESSAGES)
    with pytest.raises(WireError, match="without end"):
        speak(patient, 1)
    short = handle.Allowance(10)
    short.take(b"F123456789")
    with pytest.raises(WireError, match="without end"):
        short.take(b"F")
    for _ in range(handle.MOST_LOG_LINES):
        short.take_line()
    with pytest.raises(WireError, match="logs without end"):
        short.take_line()
