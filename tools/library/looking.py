"""Finds the videos of a scan at its places, and says what is missing there."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click
from tqdm import tqdm

from db.counted import counted
from db.ledgers import Ledger
from db.names import escape_unprintable
from function.library.finding import Found, find_videos, text_of
from function.library.offering import find_at, lost_below, note_missing
from function.settings import Settings
from tools.library.watching import places_to_scan

NOTHING_THERE = "No video was found there; docs/formats.md says which files are looked for."

AS_ALBUMS = " Pictures and zip archives are found with --pictures."

UNKNOWN_PLACE = "The library knows no file there, or only as gone. Check the path."

NOTHING_KNOWN = "There is no library yet, or it is empty. Check the path."

NO_LIBRARY = "There is no library {path} yet: a scan makes it."

LOST_PLACE = (
    "The library knows {known} there. If a disk is missing, connect it. If you moved them, scan "
    "where they are now. If you deleted them, say so: --gone"
)

NOTED = (
    "{known} noted as gone: {place} is not there. What was found in them stays; if it comes back, "
    "scan it, which reads no video again."
)


def choose_places(
    ledger: Ledger,
    places: Sequence[Path],
    lost: Sequence[Path],
    settings: Settings,
    *,
    gone: bool,
) -> list[Path]:
    """Return the places to look at; those that are `lost` are not there.

    They are refused, unless the user says that what was there was deleted.
    """
    for place in lost:
        known = len(lost_below(ledger, [place.resolve()]))
        if not (gone and known):
            unknown = UNKNOWN_PLACE if ledger.stamps() else NOTHING_KNOWN
            told = LOST_PLACE.format(known=counted(known, "file")) if known else unknown
            raise click.UsageError(escape_unprintable(f"There is no {place}. {told}"))
    there = [place for place in places if place not in lost]
    if lost and not there:  # a server need not look at them, wherever they were
        return []
    return places_to_scan(ledger, there, settings.media_root)


def note_lost(ledger: Ledger, lost: Sequence[Path]) -> None:
    """Note as gone what was in places that are not there any more, and say how it comes back."""
    for place in lost:
        known = ledger.note_gone(lost_below(ledger, [place.resolve()]))
        told = NOTED.format(known=counted(known, "file"), place=place)
        click.echo(escape_unprintable(told), err=True)


def look(ledger: Ledger, places: list[Path], *, pictures: bool, is_dry: bool) -> Found:
    """Look for videos, show how many there are so far, and note those that are gone."""
    what = "Looking for videos and albums" if pictures else "Looking for videos"
    with counting(what) as bar:
        if is_dry:  # else what is back is noted
            known = ledger.stamps()
            found = find_videos(places, known, lambda _: bar.update(), pictures=pictures)
        else:
            found = find_at(ledger, places, lambda _: bar.update(), pictures=pictures)
    _tell_unreadable(found.unreadable)
    if found.texts:
        click.echo(escape_unprintable(found.texts_told), err=True)
    if places and not (found.paths or found.unreadable):
        click.echo(NOTHING_THERE + ("" if pictures else AS_ALBUMS), err=True)
    return found


def counting(what: str, of: int | None = None) -> "tqdm[NoReturn]":
    """Show how many there are so far, once that takes longer."""
    return tqdm(desc=what, total=of, unit="", file=sys.stderr, leave=False, delay=0.5)


def note_what_is_missing(ledger: Ledger, found: Found, places: list[Path], *, gone: bool) -> Found:
    """Note which files are gone, and name those of which that is not believed."""
    noted = note_missing(ledger, found, places, gone=gone)
    _tell_unreadable(noted.unreadable[len(found.unreadable) :])
    return noted


def _tell_unreadable(unreadable: Sequence[tuple[bytes, str]]) -> None:
    for path, reason in unreadable:
        click.echo(escape_unprintable(f"cannot be read: {text_of(path)}: {reason}"), err=True)
