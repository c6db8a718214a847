"""Leaves notes in Stash of who writes there, so that a library learns of what it does not know.

What a library wrote stands in its journal. One that is newly made, another one beside it, or one
that was put back from a backup lacks that, and would take it for the user's. So each library that
writes has a number in Stash's own settings, and says there since when, and how often, it did.
"""

import json
import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta

from db.cells import read_object
from db.ledgers import Ledger
from function.sources.records import RefusedError
from function.stash.client import Stash
from function.stash.records import Note

CLOCKS_DIFFER = timedelta(days=1)
"""The times of a scene are Stash's, those of notes ours."""

TOLD_EVERY = timedelta(hours=1)
"""How often at most a note is left of what the scraper is told, scene after scene."""

EVER = datetime(2000, 1, 1, tzinfo=UTC).isoformat()

_CHOICE = "noted in stash"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Writer:
    """What a library knows of its own notes: its number, how often it wrote, first and last when.

    `lost` says of its former numbers since when it does not know what was written under them.
    """

    number: str
    since: str
    at: str
    times: int = 0
    lost: Mapping[str, str] = field(default_factory=dict)


def leave_note(ledger: Ledger, stash: Stash, every: timedelta = timedelta()) -> None:
    """Note in Stash that this library is going to write there, unless it did just now.

    Raises:
        UnusableSourceError: Stash does not answer.
    """
    known = _read(ledger.choice(_CHOICE))
    if known and datetime.now(UTC) - _moment(known.at) < every:
        return
    notes = stash.notes()

    def count(own: _Writer | None) -> _Writer:
        now = _current(ledger, own, notes) or _new(ledger)
        return replace(now, times=now.times + 1, at=_now())

    # After Stash's notes are read, and before ours is left: one that says more than we know means
    # a backup, and others may leave notes of this library at the same time.
    own = _change(ledger, count)
    try:
        stash.leave_note(own.number, Note(own.since, own.times))
    except RefusedError as error:
        _log.warning("Stash takes no note of who writes into it: %s", error)


def unknown_since(ledger: Ledger, stash: Stash) -> datetime | None:
    """Return since when somebody may have written into Stash of whom this library knows nothing.

    None if nobody has.

    Raises:
        UnusableSourceError: Stash does not answer.
    """
    notes = stash.notes()  # first, as above
    own = _read(ledger.choice(_CHOICE))
    if own and _lacks(own, notes):
        own = _change(ledger, lambda it: _current(ledger, it, notes) or _new(ledger))
    lost = own.lost if own else {}
    times = [
        _moment(lost.get(number, note.since))
        for number, note in notes.items()
        if own is None or number != own.number
    ]
    return min(times) - CLOCKS_DIFFER if times else None


def may_be_unknown(updated_at: str, since: datetime | None) -> bool:
    """Say whether somebody of whom `unknown_since` tells may have written on a scene.

    It was changed last when Stash says.
    """
    if since is None:
        return False
    try:
        return datetime.fromisoformat(updated_at) >= since
    except (ValueError, TypeError):  # it is no time, or one of nobody knows where
        return True


def _lacks(own: _Writer, notes: Mapping[str, Note]) -> bool:
    return own.number in notes and notes[own.number].times > own.times


def _current(ledger: Ledger, own: _Writer | None, notes: Mapping[str, Note]) -> _Writer | None:
    """Return the library's own number: another one if more was written under it than it knows."""
    if own and _lacks(own, notes):
        return replace(_new(ledger), since=_now(), lost={**own.lost, own.number: own.at})
    return own


def _new(ledger: Ledger) -> _Writer:
    """Return a new number; who has written before it had one did so at any time."""
    number = f"n{secrets.token_hex(8)}"  # with a letter, or a list of settings may take it for one
    return _Writer(number, EVER if ledger.writes.runs(1) else _now(), _now())


def _read(text: str) -> _Writer | None:
    found = read_object(text)
    try:
        return _Writer(**found) if found else None
    except TypeError:  # another version's
        return None


def _change(ledger: Ledger, change: Callable[[_Writer | None], _Writer]) -> _Writer:
    """Change what the library knows of its own notes, in one step."""
    told = ledger.choose_by(_CHOICE, lambda before: json.dumps(asdict(change(_read(before)))))
    return _Writer(**json.loads(told))


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _moment(text: str) -> datetime:
    """Read a time; what is none, or before there was a Stash, may have been at any."""
    ever = datetime.fromisoformat(EVER)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return ever
    return max(ever, found if found.tzinfo else found.replace(tzinfo=UTC))
