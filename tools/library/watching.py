"""Watches a scan that another process does, and shows how far it is."""

import sys
import time
from collections.abc import Sequence

from tqdm import tqdm

from db.ledgers import Ledger
from db.videos import VideoRecord
from tools.library.progress import Totals

WATCHED_EVERY_SECONDS = 0.5


def watch(ledger: Ledger, videos: frozenset[int], totals: Totals) -> bool:
    """Show how many of some videos another process has done; False if it ended before."""
    with tqdm(total=len(videos), unit="video", file=sys.stderr) as bar:
        while True:
            with ledger.working() as has_ended:
                records = [one for one in ledger.iterate() if one.id in videos]
            totals.scanned = sum(one.state == "done" for one in records)
            totals.failed = sum(one.state == "failed" for one in records)
            bar.update(totals.scanned + totals.failed - bar.n)
            if not any(is_open(one) and one.paths for one in records):
                _count_found(ledger, records, totals)
                return True
            if has_ended:
                return False
            time.sleep(WATCHED_EVERY_SECONDS)


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
