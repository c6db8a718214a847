"""Whoever takes no progress holds up the work on a video, and loses nothing."""

import sys
from contextlib import closing
from itertools import islice
from pathlib import Path

import pytest

from function.faces.found import Task
from function.media.files import open_any
from function.people.gathering import PeopleFound
from function.sandbox.readers import Sandboxed
from function.settings import Settings
from tests.support.waiting import seconds_of, wait_until_idle

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def test_a_child_whose_progress_is_not_taken_stops_after_a_few_frames(page_media: Path) -> None:
    reader = Sandboxed(Settings(second_encoder="off", threads=1))
    with closing(reader), open_any(page_media / "long.mp4") as media:
        events = reader.find_people(media, Task(0.5, 640))
        reader.ready()
        (child,) = reader.pool.processes()
        loaded = seconds_of(child)
        assert len(list(islice(events, 5))) == 5
        wait_until_idle(child, 2)
        held = seconds_of(child) - loaded
        *progress, found = events
        assert held < 0.25 * (seconds_of(child) - loaded)
        assert len(progress) > 80
        assert isinstance(found, PeopleFound)
