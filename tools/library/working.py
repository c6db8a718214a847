"""Has videos scanned and shows how far that is, or watches the process that does it."""

import os
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager

import click

from db.ledgers import Ledger
from db.names import escape_unprintable
from function.errors import StoppingError
from function.library.finding import text_of
from function.library.jobs import is_paused
from function.library.scanning import NICENESS, Scanner
from tools.library.hands import Hands
from tools.library.progress import Totals, follow
from tools.library.signals import ended_by_signals
from tools.library.watching import is_open, watch

STOPPED = "Stopped. Run it again to go on."

STOPPED_AGAIN = "Stopped. Run it again without --again to go on."

UNWATCHED = "Stopped watching. The other process goes on with the scan."

EXIT_STOPPED = 1
"""As click ends a program on Ctrl-C."""

WATCHING = (
    "Another process scans for this library; this is its progress. When it ends, this one scans "
    "what is left. Ctrl-C stops watching, not the scan."
)


def work(scanner: Scanner, hands: Hands, videos: frozenset[int], totals: Totals) -> None:
    """Scan; or watch the process that does, and scan what it leaves when it ends."""
    if is_paused(scanner.ledger):
        click.echo("Scanning is paused. To go on: python -m tools jobs resume.", err=True)
    with closing(scanner.reader):
        while True:
            with scanner.ledger.working() as is_ours:
                if is_ours:
                    _tell_set_aside(scanner.ledger, videos, totals)
                    _scan_all(scanner, hands, videos, totals)
                    return
            click.echo(WATCHING, err=True)
            try:
                if watch(scanner.ledger, videos, totals):
                    _tell_set_aside(scanner.ledger, videos, totals)
                    return
            except KeyboardInterrupt:
                click.echo(UNWATCHED, err=True)
                sys.exit(EXIT_STOPPED)


def _tell_set_aside(ledger: Ledger, videos: frozenset[int], totals: Totals) -> None:
    """Name the videos that failed with the process that scanned before us, or scans for us."""
    failed = [one for one in ledger.iterate("failed") if one.id in videos]
    for one in failed:
        path = text_of(one.known_paths[0]) if one.known_paths else f"oshash:{one.oshash}"
        click.echo(escape_unprintable(f"failed: {path}: {one.reason}"), err=True)
    totals.failed = sum(one.kind == "video" for one in failed)
    totals.albums_failed = len(failed) - totals.failed


class _ScanStopped(Exception):  # noqa: N818  # nothing went wrong
    """A signal ended the scan, cleanly."""


@contextmanager
def stopped_with(words: str) -> Iterator[None]:
    """End the program with these words if a signal ends the scan in the block."""
    try:
        yield
    except _ScanStopped:
        click.echo(words, err=True)
        sys.exit(EXIT_STOPPED)


def _scan_all(scanner: Scanner, hands: Hands, videos: frozenset[int], totals: Totals) -> None:
    os.nice(NICENESS)
    records = scanner.ledger.records(sorted(videos))
    albums = sum(one.kind == "album" for one in records)
    sizes = {path: one.size_bytes for one in records if is_open(one) for path in one.paths}
    with ended_by_signals(scanner) as ended:
        try:
            with closing(hands.run(scanner)) as events:
                follow(events, len(videos) - albums, totals, albums, sizes)
        except StoppingError:
            if not ended.is_set():
                raise
    if ended.is_set():
        raise _ScanStopped
