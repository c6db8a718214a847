"""`scan`: finds who is in many videos, and remembers it in the ledger."""

import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn, cast, get_type_hints

import click
from tqdm import tqdm

from db.addresses import StoreAddress
from db.counted import counted
from db.galleries import Store
from db.ledgers import Ledger
from db.names import escape_unprintable
from db.stores import empty_ledger
from db.videos import DEPTHS, Depth, VideoRecord
from function.errors import StoppingError
from function.library.albums import kind_at
from function.library.finding import Found, find_videos, text_of
from function.library.forgetting import UNKEPT, finish_strangers, open_library
from function.library.jobs import STRANGERS, chosen_strangers, is_paused
from function.library.offering import (
    find_at,
    is_nowhere,
    lost_below,
    note_missing,
    offer_files,
    with_known_albums,
)
from function.library.scanning import NICENESS, OUTSIDE, Scanner
from function.media.spellings import as_written
from function.setting_kinds import STRANGERS as STRANGERS_KIND
from function.settings import Settings, parse_value
from tools.cluster.connecting import Certificates
from tools.cluster.hands import cluster_hands, require_shared, require_unclaimed
from tools.library.hands import Hands, own_hands
from tools.library.progress import Totals, follow
from tools.library.signals import ended_by_signals
from tools.library.watching import is_open, places_to_scan, watch
from tools.verbs.results import grouping_bar, open_today, tell_erased
from tools.verbs.shared import EXIT_PARTLY, PathType, gallery_option, library_option, print_json

ABOUT_STRANGERS = """\
Keep the faces of people you did not enrol?
  keep  Name them later, in all videos at once, without another scan. They take up to 28 KB for
        each person in a video, in the library's file, which only you can read.
  90d   Keep them for 90 days, or another number: each scan erases those of videos scanned
        longer ago.
  off   Do not keep them: to name one later, the videos have to be scanned again.
This is asked once. --strangers or the setting STRANGERS changes it later."""

LEFT_OUT = (
    "Found people you did not enrol, and kept nothing of them: {count}. To name them later, scan "
    "again and keep them: --strangers keep --again."
)

STOPPED = "Stopped. Run it again to go on."

STOPPED_AGAIN = "Stopped. Run it again without --again to go on."

UNWATCHED = "Stopped watching. The other process goes on with the scan."

NOTHING_THERE = "No video was found there; docs/formats.md says which files are looked for."

AS_ALBUMS = " Pictures and zip archives are found with --pictures."

UNKNOWN_PLACE = "The library knows no file there, or only as gone. Check the path."

LOST_PLACE = (
    "The library knows {known} there. If a disk is missing, connect it. If you moved them, scan "
    "where they are now. If you deleted them, say so: --gone"
)

NOTED = (
    "{known} noted as gone: {place} is not there. What was found in them stays; if it comes back, "
    "scan it, which reads no video again."
)

EXIT_STOPPED = 1
"""As click ends a program on Ctrl-C."""

WATCHING = (
    "Another process scans for this library; this is its progress. When it ends, this one scans "
    "what is left. Ctrl-C stops watching, not the scan."
)


def _read_strangers(_: click.Context, __: click.Parameter, text: str | None) -> str | None:
    hint = get_type_hints(Settings, include_extras=True)["strangers"]
    return None if text is None else str(parse_value("--strangers", text, hint))


def _read_answer(text: str) -> str:
    """Read the answer to the question about strangers; one that is none is asked again."""
    try:
        return str(STRANGERS_KIND.parse(text.strip().lower()))
    except ValueError:
        raise click.UsageError(f"Answer {STRANGERS_KIND.form}.") from None


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
    callback=_read_strangers,
    help="What to do with people not enrolled: keep, off, or keep for days, as in 90d.",
)
@click.option("--retry", is_flag=True, help="Try videos again that failed.")
@click.option("--again", is_flag=True, help="Scan videos again that were scanned before.")
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
        looked_at = _choose_places(ledger, places, lost, settings, gone=options["gone"])
        hands = stack.enter_context(_hands(ledger, looked_at, settings, options))
        if is_empty and not options["dry_run"]:  # now that a cluster could be reached
            ledger = stack.enter_context(open_library(library, store))
            require_unclaimed(ledger)
        pictures = _finds_pictures(settings, options)
        found = _look(ledger, looked_at, pictures=pictures, is_dry=options["dry_run"])
        if options["again"] and options["pictures"] is None:
            found = with_known_albums(ledger, found, looked_at)
        totals = Totals()
        if options["dry_run"]:
            _report_dry(ledger, found, options)
            return
        _note_lost(ledger, lost)
        found = _note_missing(ledger, found, looked_at, gone=options["gone"])
        # Before anything is queued, as a server may begin with it at once.
        keep = bool(found.paths) and _choose_strangers(ledger, settings, options["strangers"])
        videos = _enqueue(ledger, found, options)
        if videos:
            scanner = _scanner(ledger, store, settings, hands, videos, strangers=keep)
            scanner = replace(scanner, places=looked_at)
            with _stopped_with(STOPPED_AGAIN if options["again"] else STOPPED):
                _work(scanner, hands, videos, totals)
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


def _choose_places(
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
            told = LOST_PLACE.format(known=counted(known, "file")) if known else UNKNOWN_PLACE
            raise click.UsageError(escape_unprintable(f"There is no {place}. {told}"))
    there = [place for place in places if place not in lost]
    if lost and not there:  # a server need not look at them, wherever they were
        return []
    return places_to_scan(ledger, there, settings.media_root)


def _note_lost(ledger: Ledger, lost: Sequence[Path]) -> None:
    """Note as gone what was in places that are not there any more, and say how it comes back."""
    for place in lost:
        known = ledger.note_gone(lost_below(ledger, [place.resolve()]))
        told = NOTED.format(known=counted(known, "file"), place=place)
        click.echo(escape_unprintable(told), err=True)


def _counts(ledger: Ledger) -> dict[str, Any]:
    """Count what the library holds, videos and albums apart."""
    return {
        "library": ledger.counts(kind="video")._asdict(),
        "library_albums": ledger.counts(kind="album")._asdict(),
    }


def _finds_pictures(settings: Settings, options: dict[str, Any]) -> bool:
    asked: bool | None = options["pictures"]
    return settings.finds_pictures if asked is None else asked


def _look(ledger: Ledger, places: list[Path], *, pictures: bool, is_dry: bool) -> Found:
    """Look for videos, show how many there are so far, and note those that are gone."""
    what = "Looking for videos and albums" if pictures else "Looking for videos"
    with _counting(what) as bar:
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


def _counting(what: str, of: int | None = None) -> "tqdm[NoReturn]":
    """Show how many there are so far, once that takes longer."""
    return tqdm(desc=what, total=of, unit="", file=sys.stderr, leave=False, delay=0.5)


def _note_missing(ledger: Ledger, found: Found, places: list[Path], *, gone: bool) -> Found:
    noted = note_missing(ledger, found, places, gone=gone)
    _tell_unreadable(noted.unreadable[len(found.unreadable) :])
    return noted


def _tell_unreadable(unreadable: Sequence[tuple[bytes, str]]) -> None:
    for path, reason in unreadable:
        click.echo(escape_unprintable(f"cannot be read: {text_of(path)}: {reason}"), err=True)


def _enqueue(ledger: Ledger, found: Found, options: dict[str, Any]) -> frozenset[int]:
    """Add what is new, and return the ids of the queued videos at the places."""
    depth = cast("Depth", options["depth"])
    with _counting("Noting them", of=len(found.files)) as bar:
        offer_files(ledger, found.files, depth, bar.update)
    videos = ledger.ids(found.paths)
    due = []
    with _counting("Choosing what is to be scanned", of=len(videos)) as bar:
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


def _report_dry(ledger: Ledger, found: Found, options: dict[str, Any]) -> None:
    """Say what would be scanned, and change nothing."""
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


def _is_due(video: VideoRecord, depth: Depth, options: dict[str, Any]) -> bool:
    """Say whether a video is to be scanned: new, to be tried again, or done at a lesser depth."""
    if video.state == "done" and video.scanned:
        return options["again"] or DEPTHS.index(video.scanned.depth) < DEPTHS.index(depth)
    # What only the server would not read, a shell may.
    return is_open(video) or options["retry"] or video.reason == OUTSIDE


def _choose_strangers(ledger: Ledger, settings: Settings, asked: str | None) -> bool:
    """Say whether strangers are kept: as asked now, set, or chosen before; else ask once."""
    chosen = asked or settings.strangers or chosen_strangers(ledger)
    if not chosen and _can_ask():
        click.echo(ABOUT_STRANGERS, err=True)
        chosen = click.prompt("keep, 90d or off", "off", value_proc=_read_answer, err=True)
        ledger.choose(STRANGERS, chosen)
    if asked:
        ledger.choose(STRANGERS, asked)
    return chosen not in UNKEPT


def _finish_strangers(ledger: Ledger, store: Store, settings: Settings, asked: str | None) -> None:
    """Erase strangers who were kept for as many days as they may be, and group the others."""
    chosen = asked or settings.strangers or chosen_strangers(ledger)
    with grouping_bar() as bar:
        erased = finish_strangers(ledger, open_today(store), chosen, bar.update)
    tell_erased(erased, chosen)


def _can_ask() -> bool:
    """Say whether somebody sits at a terminal; a service may have closed all its streams."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))


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


def _work(scanner: Scanner, hands: Hands, videos: frozenset[int], totals: Totals) -> None:
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
def _stopped_with(words: str) -> Iterator[None]:
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
