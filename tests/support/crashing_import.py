"""An import in a process of its own, for tests that kill it, fill its disk or take its rights."""

import os
import resource
import signal
import time
from pathlib import Path

from db.errors import GalleryError
from db.records import Identity, Performer
from db.stores import open_store
from function.sources.records import Photo, SourceRecord
from tests.support.engines import QuickEngine, made_up_photo
from tools.imports.enrol import enrol_all

PHOTOS_EACH = 3


def record(number: int) -> SourceRecord:
    """The same performer with the same photos every time."""
    performer = Performer(
        id=0,
        name=f"Performer {number}",
        source="test",
        source_id=str(number),
        identities=(Identity("https://stashdb.org/graphql", f"uuid-{number}"),),
    )
    photos = tuple(
        Photo(f"{number}-{index}.png", lambda seed=number * 10 + index: made_up_photo(seed))
        for index in range(PHOTOS_EACH)
    )
    return SourceRecord(performer, photos)


def import_some(path: Path, report: Path, count: int, user: int | None = None) -> None:
    """Import `count` performers, writing each one's name to `report` once it is done."""
    if user is not None:
        os.setgid(user)
        os.setuid(user)
    done = os.open(report, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        with open_store(path).changing(create=True) as gallery:
            for enrolment in enrol_all(map(record, range(count)), gallery, QuickEngine()):
                if enrolment.change:
                    os.write(done, f"{enrolment.performer}\n".encode())
    except GalleryError as error:
        os.write(done, f"{type(error).__name__}: {error}\n".encode())


def import_on_a_full_disk(path: Path, report: Path, count: int, limit_bytes: int) -> None:
    """The same, while no file may grow beyond `limit_bytes`."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))
    import_some(path, report, count)


def hold(path: Path, ready: Path, seconds: float) -> None:
    """Be another import that takes its time."""
    with open_store(path).changing(create=True):
        ready.touch()
        time.sleep(seconds)
