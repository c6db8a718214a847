"""Whoever takes no progress holds up the work on a video, and loses nothing."""

import os
import sys
import time
from contextlib import closing
from itertools import islice
from pathlib import Path

import pytest

from function.faces.found import Task
from function.media.files import open_any
from function.people.gathering import PeopleFound
from function.sandbox.readers import Sandboxed
from function.settings import Settings

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def cpu_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_child_whose_progress_is_not_taken_stops_after_a_few_frames(page_media: Path) -> None:
    reader = Sandboxed(Settings(second_encoder="off", threads=1))
    with closing(reader), open_any(page_media / "long.mp4") as media:
        events = reader.find_people(media, Task(0.5, 640))
        assert len(list(islice(events, 5))) == 5
        (child,) = reader.pool.processes()
        time.sleep(4)
        before = cpu_seconds(child)
        time.sleep(2)
        assert cpu_seconds(child) - before < 0.1
        *progress, found = events
        assert len(progress) > 80
        assert isinstance(found, PeopleFound)
