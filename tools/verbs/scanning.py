"""`scan`: finds who is in many videos, and remembers it in the ledger."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import click
from tqdm import tqdm

from db.addresses import StoreAddress
from db.galleries import Store
from db.ledgers import Ledger
from db.names import escape_unprintable
from db.stores import empty_ledger
from db.videos import DEPTHS, Depth, VideoRecord
from function.library.albums import kind_at
from function.library.finding import Found
from function.library.forgetting import finish_strangers, open_library
from function.library.jobs import chosen_strangers
from function.library.offering import is_nowhere, offer_files, with_known_albums
from function.library.scanning import OUTSIDE, Scanner
from function.media.spellings import as_written
from function.settings import Settings
from tools.cluster.connecting import Certificates
from tools.cluster.hands import cluster_hands, require_shared, require_unclaimed
from tools.library.hands import Hands, own_hands
from tools.library.keeping import choose_strangers, read_strangers
from tools.library.looking import (
    NO_LIBRARY,
    choose_places,
    counting,
    look,
    note_lost,
    note_what_is_missing,
)
from tools.library.progress import Totals
from tools.library.watching import is_open
from tools.library.working import STOPPED, STOPPED_AGAIN, stopped_with, work
from tools.verbs.results import grouping_bar, open_today, tell_erased
from tools.verbs.shared import EXIT_PARTLY, PathType, gallery_option, library_option, print_json

LEFT_OUT = (
    "Found people you did not enrol, and kept nothing of them: {count}. To name them later, scan "
    "again and keep them: --strangers keep --again."
)

FILE = PathType(exists=True, dir_okay=False)


@click.command(epilog="Example: python -m tools scan /videos --workers 2")
@click.argument("places", nargs=-1, type=PathType())
@click.option(
    "--depth",
    type=click.Choice(DEPTHS),
    default="normal",
    show_default=True,
    help="quick: a few pictures a video first, and normal only where those leave a question.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    help="Videos at once; else as many as keep the cores busy.",
)
@click.option("--dask", help="Have Dask workers do it: the scheduler's address, tls://HOST:8786.")
@click.option("--tls-ca", type=FILE, help="With --dask: the authority's certificate; else Dask's.")
@click.option("--tls-cert", type=FILE, help="With --dask: our certificate.")
@click.option("--tls-key", type=FILE, help="With --dask: the key of our certificate.")
@click.option("--limit", type=click.IntRange(1), help="Scan at most this many videos.")
@click.option(
    "--strangers",
    callback=read_strangers,
    help="What to do with people not enrolled: keep, off, or keep for days, as in 90d.",
)
@click.option("--retry", is_flag=True, help="Try failed videos again.")
@click.option("--again", is_flag=True, help="Scan again what was scanned before.")
@click.option("--gone", is_flag=True, help="Believe that missing files were deleted, however many.")
@click.option(
    "--pictures/--no-pictures",
    default=None,
    help="Also look for albums: folders of pictures, and zip archives.  [env var: SCAN_PICTURES]",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be scanned.")
@library_option
@gallery_option
def scan(places: tuple[Path, ...], store: Store, library: StoreAddress, **options: Any) -> None:
    """Find who is in the videos at PLACES (files, or folders and all below), and remember it.

    Run it again to go on, or for what is new. Without PLACES, the media root is scanned.
    """
    settings = Settings.from_env()
    with store.gallery():
        pass  # a missing gallery is told before anything is looked for
    with ExitStack() as stack:
        places = tuple(map(as_written, places))
        lost = [place for place in places if is_nowhere(place)]
        makes_it = not (lost or options["dry_run"] or options["dask"])
        ledger, is_empty = stack.enter_context(_opened(library, store, makes_it=makes_it))
        looked_at = choose_places(ledger, places, lost, settings, gone=options["gone"])
        hands = stack.enter_context(_hands(ledger, looked_at, settings, options))
        if is_empty and not options["dry_run"]:  # now that a cluster could be reached
            ledger = stack.enter_context(open_library(library, store))
            require_unclaimed(ledger)
        pictures = _finds_pictures(settings, options)
        found = look(ledger, looked_at, pictures=pictures, is_dry=options["dry_run"])
        if options["again"] and options["pictures"] is None:
            found = with_known_albums(ledger, found, looked_at)
        totals = Totals()
        if options["dry_run"]:
            _report_dry(ledger, found, options, missing=library if is_empty else None)
            return
        note_lost(ledger, lost)
        found = note_what_is_missing(ledger, found, looked_at, gone=options["gone"])
        # Before anything is queued, as a server may begin with it at once.
        keep = bool(found.paths) and choose_strangers(ledger, settings, options["strangers"])
        videos = _enqueue(ledger, found, options)
        if videos:
            scanner = _scanner(ledger, store, settings, hands, videos, strangers=keep)
            scanner = replace(scanner, places=looked_at)
            with stopped_with(STOPPED_AGAIN if options["again"] else STOPPED):
                work(scanner, hands, videos, totals)
        _finish_strangers(ledger, store, settings, options["strangers"])
        _report(ledger, found, totals)
    if totals.any_failed or found.unreadable:
        sys.exit(EXIT_PARTLY)


@contextmanager
def _opened(
    library: StoreAddress, store: Store, *, makes_it: bool
) -> Iterator[tuple[Ledger, bool]]:
    """Open the library; where there is none, and it is not to be made, an empty one in memory.

    Also says if it is that one.
    """
    if makes_it or library.path.exists():
        with open_library(library, store) as ledger:
            yield ledger, False
    else:
        with closing(empty_ledger()) as ledger:
            yield ledger, True


def _counts(ledger: Ledger) -> dict[str, Any]:
    """Count what the library holds, videos and albums apart."""
    return {
        "library": ledger.counts(kind="video")._asdict(),
        "library_albums": ledger.counts(kind="album")._asdict(),
    }


def _finds_pictures(settings: Settings, options: dict[str, Any]) -> bool:
    asked: bool | None = options["pictures"]
    return settings.finds_pictures if asked is None else asked


def _enqueue(ledger: Ledger, found: Found, options: dict[str, Any]) -> frozenset[int]:
    """Add what is new, and return the ids of the queued videos at the places."""
    depth = cast("Depth", options["depth"])
    with counting("Noting them", of=len(found.files)) as bar:
        offer_files(ledger, found.files, depth, bar.update)
    videos = ledger.ids(found.paths)
    due = []
    with counting("Choosing what is to be scanned", of=len(videos)) as bar:
        for one in ledger.iterate():
            if one.id in videos:
                bar.update()
                due += [one.id] if _is_due(one, depth, options) else []
    chosen = frozenset(due[: options["limit"]])
    ledger.want(chosen, depth)
    ledger.retry(chosen)
    if options["again"]:
        ledger.want_again(chosen, depth)
    return chosen


def _report(ledger: Ledger, found: Found, totals: Totals) -> None:
    """Say what was scanned, and what the library holds now."""
    unreadable = len(found.unreadable)
    print_json({**totals.to_json(), "unreadable": unreadable, **_counts(ledger)})
    if totals.strangers_left_out:
        click.echo(LEFT_OUT.format(count=totals.strangers_left_out), err=True)


def _report_dry(
    ledger: Ledger, found: Found, options: dict[str, Any], *, missing: StoreAddress | None
) -> None:
    """Say what would be scanned, and change nothing; also if the library is `missing`.

    The exit status is that of a scan.
    """
    if missing:
        _tell_of_no_library(missing)
    depth = cast("Depth", options["depth"])
    same = {file.path: ledger.ids_of_content(file.oshash, file.content) for file in found.files}
    known = ledger.ids(found.paths).union(*same.values())
    due = [one.kind for one in ledger.iterate() if one.id in known and _is_due(one, depth, options)]
    new = {file.oshash: file.kind for file in found.files if not same[file.path]}
    to_scan = [*due, *new.values()][: options["limit"]]
    albums, albums_found = to_scan.count("album"), sum(kind_at(p) == "album" for p in found.paths)
    print_json(
        {
            "to_scan": len(to_scan) - albums,
            "albums_to_scan": albums,
            "found": len(found.paths) - albums_found,
            "albums_found": albums_found,
            **_counts(ledger),
        }
    )
    if found.unreadable:
        sys.exit(EXIT_PARTLY)


def _tell_of_no_library(library: StoreAddress) -> None:
    """Say that there is none yet, or why no scan could make one."""
    if not os.access(library.path.absolute().parent, os.W_OK):
        raise click.ClickException(
            f"There is no library {library}, and none can be made there. Check that the folder "
            "exists and belongs to you, or name another file with --library."
        )
    click.echo(escape_unprintable(NO_LIBRARY.format(path=library)), err=True)


def _is_due(video: VideoRecord, depth: Depth, options: dict[str, Any]) -> bool:
    """Say whether a video is to be scanned: new, to be tried again, or done at a lesser depth."""
    if video.state == "done" and video.scanned:
        return options["again"] or DEPTHS.index(video.scanned.depth) < DEPTHS.index(depth)
    # What only the server would not read, a shell may.
    return is_open(video) or options["retry"] or video.reason == OUTSIDE


def _finish_strangers(ledger: Ledger, store: Store, settings: Settings, asked: str | None) -> None:
    """Erase strangers who were kept for as many days as they may be, and group the others."""
    chosen = asked or settings.strangers or chosen_strangers(ledger)
    with grouping_bar() as bar:
        erased = finish_strangers(ledger, open_today(store), chosen, bar.update)
    tell_erased(erased, chosen)


@contextmanager
def _hands(
    ledger: Ledger, places: list[Path], settings: Settings, options: dict[str, Any]
) -> Iterator[Hands]:
    """Return what reads the videos: this machine, or the workers of a cluster."""
    address, workers = options["dask"], options["workers"]
    if not address or options["dry_run"]:
        yield own_hands(settings, workers)
        return
    require_shared(places, settings)
    require_unclaimed(ledger)
    certificates = Certificates(options["tls_ca"], options["tls_cert"], options["tls_key"])
    with cluster_hands(address, certificates, settings, _say, workers) as hands:
        yield hands


def _say(line: str) -> None:
    """Say something while a bar is shown."""
    tqdm.write(escape_unprintable(line), file=sys.stderr)


def _scanner(
    ledger: Ledger,
    store: Store,
    settings: Settings,
    hands: Hands,
    videos: frozenset[int],
    *,
    strangers: bool,
) -> Scanner:
    return Scanner(
        ledger,
        hands.reader,
        store,
        settings,
        strangers=strangers,
        stopping=threading.Event(),
        only=videos,
        pictures=hands.pictures,
    )
