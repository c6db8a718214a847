"""Watches a scan that another process does, and shows how far it is."""

import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from db.ledgers import Ledger
from db.names import show_text
from db.videos import VideoRecord
from function.errors import OutsideMediaRootError
from function.library.jobs import note_worker_roots, worker_roots
from tools.library.progress import ScanBar, Totals

WATCHED_EVERY_SECONDS = 0.5

TOLD_WITHIN_SECONDS = 3.0
"""A server that runs opens a library that was just made within a second."""

TOLD_EVERY_SECONDS = 0.05

OUTSIDE = (
    "{place} is not inside the media root of the server that scans for this library ({roots}). "
    "Nothing was queued. Stop the server and scan it here, or start the server with that folder: "
    "make run MEDIA=FOLDER (MEDIA_ROOT)."
)


def places_to_scan(ledger: Ledger, named: Sequence[Path], ours: Sequence[Path]) -> list[Path]:
    """Return the places that are named, or the media root: a server's if it scans, or `ours`.

    Raises:
        OutsideMediaRootError: the server that scans would refuse every video of a place, or some.
    """
    roots = _roots_of_server(ledger)
    if not named:
        return roots or [root.resolve() for root in ours]
    places = [place.resolve() for place in named]
    outside = [one for one in places if not any(map(one.is_relative_to, roots))] if roots else []
    if outside:
        more = f" (and {len(outside) - 1} more)" if len(outside) > 1 else ""
        shown = " and ".join(show_text(str(root)) for root in roots)
        place = show_text(str(outside[0])) + more
        raise OutsideMediaRootError(OUTSIDE.format(place=place, roots=shown))
    return places


def _roots_of_server(ledger: Ledger) -> list[Path]:
    """Return the media root of the server that scans; nothing if a shell does, or nobody."""
    until = time.monotonic() + TOLD_WITHIN_SECONDS
    while True:
        with ledger.working() as is_free:
            if is_free:
                note_worker_roots(ledger, ())  # of a server that has ended
                return []
        roots = worker_roots(ledger)
        if roots is not None or time.monotonic() > until:
            return roots or []
        time.sleep(TOLD_EVERY_SECONDS)


def watch(ledger: Ledger, videos: frozenset[int], totals: Totals) -> bool:
    """Show how many of some videos and albums another process has done; False if it ended."""
    albums = sum(one.kind == "album" for one in ledger.records(sorted(videos)))
    _forget_found(totals)
    counted: set[int] = set()
    with ScanBar(len(videos) - albums, albums) as bar:
        while True:
            with ledger.working() as has_ended:
                records = ledger.records(sorted(videos))
            _count(records, totals)
            done = [one for one in records if one.state == "done"]
            _add_found(ledger, [one for one in done if one.id not in counted], totals)
            counted.update(one.id for one in done)
            bar.show(totals.ended, totals, _share_of(records))
            if not any(is_open(one) and one.paths for one in records):
                _forget_found(totals)  # names may have changed since these were counted
                _add_found(ledger, done, totals)
                return True
            if has_ended:
                return False
            time.sleep(WATCHED_EVERY_SECONDS)


def _count(records: Sequence[VideoRecord], totals: Totals) -> None:
    """Count what is done and what failed, videos and albums apart."""
    counts = Counter((one.kind, one.state) for one in records)
    totals.scanned, totals.failed = counts["video", "done"], counts["video", "failed"]
    totals.albums_scanned, totals.albums_failed = counts["album", "done"], counts["album", "failed"]


def _share_of(records: Sequence[VideoRecord]) -> float:
    """Say how much of the work is done, from 0 to 1: the time a file takes goes by its size."""
    done_bytes = sum(one.size_bytes for one in records if not is_open(one))
    return done_bytes / max(1, sum(one.size_bytes for one in records))


def is_open(video: VideoRecord) -> bool:
    """Say whether a video is still to be scanned, or in work."""
    return video.state in ("queued", "working")


def _forget_found(totals: Totals) -> None:
    totals.faces = totals.people = totals.named = totals.strangers_left_out = 0


def _add_found(ledger: Ledger, done: Sequence[VideoRecord], totals: Totals) -> None:
    """Add what another process found in some videos."""
    left_out = sum(one.left_out for one in done)
    said = [
        one
        for outcomes in ledger.outcomes([one.id for one in done]).values()
        for one in outcomes
        if one.lead == one.position
    ]
    totals.faces += sum(one.faces for one in done)
    totals.strangers_left_out += left_out
    totals.people += len(said) + left_out
    totals.named += sum(one.verdict == "match" for one in said)
