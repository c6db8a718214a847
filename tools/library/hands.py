"""Who reads the videos of a scan: this machine, or others."""

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace

from function.library.crew import run_scanners
from function.library.scan_events import Event
from function.library.scanning import LONGEST_SECONDS, Scanner
from function.sandbox.readers import PeopleReader, PictureReader, open_reader
from function.settings import Settings


@dataclass(frozen=True)
class Hands:
    """What reads videos, and how the videos of a scanner are handed to it.

    `run` yields what happens until the queue is empty; closing it ends the work cleanly. Without
    what reads `pictures`, albums stay queued.
    """

    reader: PeopleReader
    run: Callable[[Scanner], Generator[Event]]
    pictures: PictureReader | None = None


def own_hands(settings: Settings, workers: int | None) -> Hands:
    """Read on this machine, `workers` videos at once; if None, as many as keep its cores busy."""
    own = settings.for_scanning(workers)
    reader = open_reader(replace(own, time_limit_seconds=LONGEST_SECONDS))
    return Hands(reader, lambda scanner: run_scanners(scanner, own.slots), reader)
