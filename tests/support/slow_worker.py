"""Makes a Dask worker read squares instead of faces, and wait where the test says (`--preload`).

Each video that is begun or ended is noted in the file REPORT, as `begun NAME PROCESS`; while the
file HOLD exists, every reading waits after its first picture.
"""

import os
import time
from collections.abc import Generator
from pathlib import Path

from function.faces.found import Progress, Task
from function.media.files import MediaFile
from function.people.gathering import PeopleFound
from function.sandbox.messages import Ready
from tests.support.scans import SquaresReader
from tools.cluster import work


def note(word: str, name: str) -> None:
    with Path(os.environ["REPORT"]).open("a") as report:
        report.write(f"{word} {name} {os.getpid()}\n")


class HeldReader(SquaresReader):
    def ready(self) -> Ready:
        while Path(os.environ.get("LATE", "never")).exists():
            time.sleep(0.02)
        return super().ready()

    def find_people(self, media: MediaFile, task: Task) -> Generator[Progress | PeopleFound]:
        note("begun", media.name)
        try:
            for event in super().find_people(media, task):
                while Path(os.environ["HOLD"]).exists():
                    time.sleep(0.02)
                    yield Progress(0.0, 0.0, 0)
                yield event
        finally:
            note("ended", media.name)


def dask_setup(_: object) -> None:
    work._readers[:] = [HeldReader()]
