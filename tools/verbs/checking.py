"""`doctor`: is the gallery sound, and is the software it runs on suitable?"""

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import get_args

import click

from db.counted import counted
from db.errors import GalleryError
from db.galleries import Store
from db.ledgers import Ledger
from db.names import escape_unprintable
from db.records import Finding
from db.videos import Kind
from function.engines.weights import needed_weights
from function.errors import EngineUnavailableError
from function.library.forgetting import open_library
from function.matching.second_models import open_second
from function.settings import Settings
from tools.verbs.shared import gallery_option, print_json, table_option


@click.command(epilog="Example: python -m tools doctor --table")
@table_option
@gallery_option
def doctor(store: Store, *, table: bool) -> None:
    """Check the gallery, and say what to do about each finding.

    Checks integrity, rows that belong to no performer, encodings, models, permissions (fixed to
    600), network shares, what was erased but not overwritten yet (tried again), which photos and
    videos another second net than today's encoded, the files of the nets, your own net's fit and
    licence, and the versions of SQLite and FFmpeg.
    Exit status 1 means that something is wrong.
    """
    settings = Settings.from_env()
    models, nets = _second_net(settings)
    of_library = _library(store, models)  # before the gallery's: it may erase somebody there
    findings = [*store.check(models), *of_library, *nets, *_weights(settings), _ffmpeg()]
    if table:
        for one in findings:
            click.echo(escape_unprintable(f"{one.level}: {one.found} {one.remedy}".rstrip()))
    else:
        print_json([asdict(finding) for finding in findings])
    if any(finding.level == "error" for finding in findings):
        sys.exit(1)


def _library(store: Store, models: Sequence[str]) -> list[Finding]:
    """Finish what was to be erased from the library, if there is one, and say what remains.

    Also says how many videos other models than these looked at.
    """
    address = Settings.from_env().library_db
    if not address.path.exists():
        return []
    try:
        with open_library(address, store, create=False) as ledger:
            owed = ledger.unfinished_forgetting() or ledger.strangers.is_erasing()
            seen = [*_seen_before(ledger, models)]
    except GalleryError as error:
        return [Finding("error", str(error), "See docs/library.md.")]
    if not owed:
        return seen
    found = "What was erased may still be in the bytes of the library or of its log."
    remedy = (
        "Free twice as much space as its file takes, end other programs that use it, and run "
        "doctor again."
    )
    return [Finding("error", found, remedy), *seen]


def _seen_before(ledger: Ledger, models: Sequence[str]) -> Iterator[Finding]:
    """Count the videos and albums with faces that each of these second models has not looked at."""
    for model in models:
        done = ledger.iterate("done")
        before = Counter(one.kind for one in done if one.faces and model not in one.models)
        if before:
            kinds = " and ".join(counted(before[one], one) for one in get_args(Kind) if before[one])
            found = f"{model} has not looked at {kinds} of the library."
            remedy = (
                "Everyone there is compared by the nets that did, and by the first alone with "
                "whoever was enrolled since. To look again: python -m tools scan --again"
            )
            yield Finding("ok", found, remedy)


def _second_net(settings: Settings) -> tuple[list[str], list[Finding]]:
    """Return the id of the model that photos should have encodings of, and what is to be said."""
    try:
        second = open_second(settings.engine_options)
    except EngineUnavailableError as error:
        return [], [Finding("error", str(error), "Or set SECOND_ENCODER=on, a net that ships.")]
    if second is None:
        return [], []
    if not second.licence:
        return [second.kind.id], []
    said = f"Second net: {second.kind.id}. Its licence, as you noted it: {second.licence}"
    return [second.kind.id], [Finding("ok", said)]


def _weights(settings: Settings) -> list[Finding]:
    """Say which files of nets are missing, or are not as they were shipped.

    A server may go on with what it cached of them, until the cache is lost.
    """
    complaints = []
    for weights in needed_weights(settings.engine_options):
        try:
            weights.find()
        except EngineUnavailableError as error:
            complaints.append(str(error))
    told = (one.partition(". Run: ") for one in dict.fromkeys(complaints))
    return [Finding("error", f"{found}.", f"Run: {remedy}") for found, _, remedy in told]


def _ffmpeg() -> Finding:
    import av  # noqa: PLC0415  # other verbs leave it to the process that reads videos

    major, minor, micro = av.library_versions["libavcodec"]
    return Finding("ok", f"FFmpeg {av.ffmpeg_version_info} (libavcodec {major}.{minor}.{micro}).")
