"""Queues the videos at some places that are to be scanned."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from db.ledgers import Ledger
from db.videos import Depth
from function.library.finding import Found, find_videos, is_below


def find_within(ledger: Ledger, places: Sequence[Path], roots: Sequence[Path]) -> Found:
    """Find the videos at some places; what a link leads to outside all `roots` is unreadable."""
    found = find_videos(places, ledger.stamps())
    outside = {path for path in found.paths if not is_below(os.path.realpath(path), roots)}
    return replace(
        found,
        files=tuple(file for file in found.files if file.path not in outside),
        paths=tuple(path for path in found.paths if path not in outside),
        unreadable=(*found.unreadable, *((path, "outside the media root") for path in outside)),
    )


def queue_videos(
    ledger: Ledger, found: Found, places: Sequence[Path], depth: Depth, *, retry: bool = False
) -> None:
    """Queue what is new or changed, or was scanned at a lesser depth, of what was found at places.

    With `retry`, videos are queued again that failed. Files that are no longer there are noted.
    """
    note_missing(ledger, found, places)
    ledger.offer(found.files, depth)
    videos = ledger.ids(found.paths)
    ledger.want(videos, depth)
    if retry:
        ledger.retry(videos)


def note_missing(ledger: Ledger, found: Found, places: Sequence[Path]) -> None:
    """Note the known files at some places that are no longer there."""
    there = set(found.paths)
    # What lies in a folder that cannot be read may still be there.
    unknown = [Path(os.fsdecode(path)) for path, _ in found.unreadable]
    ledger.note_gone(
        path
        for path in ledger.stamps()
        if path not in there and is_below(path, places) and not is_below(path, unknown)
    )
