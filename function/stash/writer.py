"""What writing into Stash takes: the journal, Stash, the run that it belongs to, and who may be."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TypeAlias

from db.galleries import Store
from db.ledgers import Ledger
from db.records import Identity
from db.writes import Writes
from function.stash.client import Stash
from function.stash.notes import leave_note
from function.stash.records import SOURCE

Gone: TypeAlias = Callable[[Collection[str]], frozenset[str]]
"""Says which of some performers, by their ids in Stash, are no longer enrolled."""


def nobody(_: Collection[str]) -> frozenset[str]:
    """Say that all are enrolled, where there is no gallery that could tell."""
    return frozenset()


@dataclass(frozen=True, eq=False)
class Writer:
    """Writes into Stash as one run of the journal, but nothing of those who are `gone` by then."""

    writes: Writes
    stash: Stash
    run: int
    gone: Gone = nobody


def begin(ledger: Ledger, stash: Stash, kind: str, gone: Gone = nobody) -> Writer:
    """Begin a run, such as "apply"; a note of it is left in Stash.

    Raises:
        UnusableSourceError: Stash does not answer.
        GalleryError: the ledger cannot be written; see `db.errors`.
    """
    leave_note(ledger, stash)
    return Writer(ledger.writes, stash, ledger.writes.begin_run(kind), gone)


def gone_from(store: Store) -> Gone:
    """Return what looks into the gallery again each time: somebody may be forgotten meanwhile."""

    def gone(performers: Collection[str]) -> frozenset[str]:
        with store.gallery() as gallery:
            return frozenset(
                one for one in performers if not gallery.find_identities([Identity(SOURCE, one)])
            )

    return gone
