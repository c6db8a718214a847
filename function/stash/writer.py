"""What writing into Stash takes: the journal, Stash, and the run that it belongs to."""

from dataclasses import dataclass

from db.writes import Writes
from function.stash.client import Stash


@dataclass(frozen=True, eq=False)
class Writer:
    """Writes into Stash as one run of the journal."""

    writes: Writes
    stash: Stash
    run: int


def begin(writes: Writes, stash: Stash, kind: str) -> Writer:
    """Begin a run, such as "apply"."""
    return Writer(writes, stash, writes.begin_run(kind))
