"""Watches a scan that another process does, and shows how far it is."""

import time
from collections import Counter
from collections.abc import Sequence

from db.ledgers import Ledger
from db.videos import VideoRecord
from tools.library.progress import ScanBar, Totals

WATCHED_EVERY_SECONDS = 0.5


def watch(ledger: Ledger, videos: frozenset[int], totals: Totals) -> bool:
    """Show how many of some videos and albums another process has done; False if it ended."""
    albums = sum(one.kind == "album" for one in ledger.records(sorted(videos)))
    with ScanBar(len(videos) - albums, albums) as bar:
        while True:
            with ledger.working() as has_ended:
                records = ledger.records(sorted(videos))
            _count(records, totals)
            bar.show(totals.ended, totals)
            if not any(is_open(one) and one.paths for one in records):
                _count_found(ledger, records, totals)
                return True
            if has_ended:
                return False
            time.sleep(WATCHED_EVERY_SECONDS)


def _count(records: Sequence[VideoRecord], totals: Totals) -> None:
    """Count what is done and what failed, videos and albums apart."""
    counts = Counter((one.kind, one.state) for one in records)
    totals.scanned, totals.failed = counts["video", "done"], counts["video", "failed"]
    totals.albums_scanned, totals.albums_failed = counts["album", "done"], counts["album", "failed"]


def is_open(video: VideoRecord) -> bool:
    """Say whether a video is still to be scanned, or in work."""
    return video.state in ("queued", "working")


def _count_found(ledger: Ledger, records: Sequence[VideoRecord], totals: Totals) -> None:
    """Add up what another process found in some videos."""
    done = [one for one in records if one.state == "done"]
    totals.faces = sum(one.faces for one in done)
    totals.strangers_left_out = sum(one.left_out for one in done)
    said = [
        one
        for outcomes in ledger.outcomes([one.id for one in done]).values()
        for one in outcomes
        if one.lead == one.position
    ]
    totals.people = len(said) + totals.strangers_left_out
    totals.named = sum(one.verdict == "match" for one in said)
