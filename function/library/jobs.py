"""The state of a library's scans, kept in its ledger: what is paused, and what is to be looked at.

Everyone who works on the ledger, a server or a shell, obeys it.
"""

import json
import logging
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, cast

from db.cells import read_list, read_texts
from db.ledgers import Ledger
from db.videos import DEPTHS, Depth
from function.setting_kinds import STRANGERS as STRANGERS_CHOICE

STRANGERS = "strangers"
"""The choice whether strangers are kept."""

_ROOTS = "worker roots"
_PAUSED = "paused"
_WANTED = "wanted scans"

DAMAGED = (
    "A queued scan was damaged in the library, and was dropped. If something is missing, scan "
    "again: python -m tools scan FOLDER"
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class WantedScan:
    """Folders or files whose videos are to be found and queued, at a depth.

    With `retry`, those that failed are tried again; with `again`, those that were scanned are
    scanned again; with `gone`, what is missing was deleted; with `pictures`, albums are found, too.
    `turn` tells a scan from an equal one that is already being looked at.
    """

    places: tuple[str, ...]
    depth: Depth = "normal"
    retry: bool = False
    gone: bool = False
    pictures: bool = False
    again: bool = False
    turn: int = 0


def chosen_strangers(ledger: Ledger) -> str:
    """Return what the user chose to do with strangers: as the setting; "" if nothing yet.

    A choice that a bad disk damaged counts as none: nobody is kept without being asked for.
    """
    try:
        return str(STRANGERS_CHOICE.parse(ledger.choice(STRANGERS)))
    except ValueError:
        return ""


def note_worker_roots(ledger: Ledger, roots: Iterable[Path]) -> None:
    """Note the folders outside which today's scanner reads nothing; none for a shell."""
    told = json.dumps([str(root.resolve()) for root in roots])
    if told != ledger.choice(_ROOTS):
        ledger.choose(_ROOTS, told)


def worker_roots(ledger: Ledger) -> list[Path] | None:
    """Return the folders outside which the scanner reads nothing; None if it has not said yet."""
    listed = read_texts(ledger.choice(_ROOTS))
    return None if listed is None else [Path(one) for one in listed]


def is_paused(ledger: Ledger) -> bool:
    """Say whether all scanning is paused."""
    return bool(ledger.choice(_PAUSED))


def pause(ledger: Ledger) -> None:
    """Pause all scanning, including the videos in work, until `resume`."""
    ledger.choose(_PAUSED, "yes")


def resume(ledger: Ledger) -> None:
    """Go on with what was paused."""
    ledger.choose(_PAUSED, "")


def cancel(ledger: Ledger) -> int:
    """End all scanning, and forget what was still to be done; return how many videos."""
    put_wanted(ledger, ())
    resume(ledger)
    return ledger.empty_queue()


def wanted_scans(ledger: Ledger) -> tuple[WantedScan, ...]:
    """Return what is still to be looked at, in the order in which it was asked for."""
    wanted, is_sound = _read_all(ledger.choice(_WANTED))
    if not is_sound:
        change_wanted(ledger, lambda sound: sound)
    return wanted


def _read_all(stored: str) -> tuple[tuple[WantedScan, ...], bool]:
    """Read what was put there, and say whether none of it is damaged."""
    listed = read_list(stored or "[]")
    wanted = tuple(scan for one in listed or () if (scan := _read_wanted(one)))
    return wanted, listed is not None and len(wanted) == len(listed)


def _read_wanted(one: object) -> WantedScan | None:
    """Read what was stored; None if it is damaged."""
    try:
        scan = WantedScan(**cast("dict[str, Any]", one))
        scan = replace(scan, places=tuple(scan.places))
    except TypeError:
        return None
    is_sound = scan.depth in DEPTHS and all(isinstance(place, str) for place in scan.places)
    sound_kinds = [type(value) for value in vars(WantedScan(())).values()]
    is_sound &= [type(value) for value in vars(scan).values()] == sound_kinds
    return scan if is_sound else None


def put_wanted(ledger: Ledger, wanted: Iterable[WantedScan]) -> None:
    """Remember what is to be looked at, in place of what was."""
    ledger.choose(_WANTED, _write_all(wanted))


def change_wanted(
    ledger: Ledger, change: Callable[[tuple[WantedScan, ...]], Iterable[WantedScan]]
) -> None:
    """Remember what `change` makes of what is to be looked at; nobody else comes between."""

    def write(stored: str) -> str:
        wanted, is_sound = _read_all(stored)
        if not is_sound:
            _log.warning(DAMAGED)
        return _write_all(change(wanted))

    ledger.choose_by(_WANTED, write)


def add_wanted(ledger: Ledger, scan: WantedScan) -> None:
    """Remember a scan behind the others, unless an equal one waits."""
    change_wanted(ledger, lambda known: dict.fromkeys((*known, scan)))


def _write_all(wanted: Iterable[WantedScan]) -> str:
    return json.dumps([asdict(one) for one in wanted])
