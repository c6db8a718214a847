"""`import`: performers from sources the user already has."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import TypeVar

import click
import httpx

from db.galleries import Store
from db.names import show_text
from db.stores import open_bundle
from function.enrolling.choosing import SMALLEST_PIXELS
from function.imports.photos import Demands
from function.settings import Settings
from function.sources.downloads import Downloads, OwnServer
from tools.ending import tidied_up
from tools.imports.imports import enrol_bundle, follow, gallery_to_fill, import_records
from tools.sources.folder import read_folder
from tools.sources.stash_export import read_export
from tools.sources.table import TableOptions, read_table
from tools.verbs.shared import PathType, Verb, finish, gallery_option, load_chosen_engine

Record = TypeVar("Record")

BLURRED_ANYWAY = "--allow-blurred is no longer needed: blurred photos are enrolled, and count less."
DRY_RUN = click.option("--dry-run", is_flag=True, help="Show what would happen, change nothing.")


def enrolling(verb: Verb) -> Verb:
    """Give a verb the options that decide which photos are usable, passed as `demands`."""

    def with_demands(
        *,
        largest_face: bool,
        min_face: int,
        allow_blurred: bool,
        full: bool,
        **rest: object,
    ) -> None:
        if allow_blurred:
            click.echo(BLURRED_ANYWAY, err=True)
        verb(demands=Demands(largest_face, min_face, look_again=full), **rest)

    with_demands.__doc__ = verb.__doc__
    options = [
        click.option(
            "--largest-face", is_flag=True, help="If a photo has several faces, use the largest."
        ),
        click.option(
            "--min-face",
            type=click.IntRange(min=1),
            default=SMALLEST_PIXELS,
            show_default=True,
            help="Narrowest face to accept, in pixels.",
        ),
        click.option("--allow-blurred", is_flag=True, hidden=True),
        click.option("--full", is_flag=True, help="Check everything again, changed or not."),
        DRY_RUN,
        gallery_option,
    ]
    wrapped: Verb = with_demands
    for option in reversed(options):
        wrapped = option(wrapped)
    return wrapped


@click.group("import", epilog="Example: python -m tools import folder photos/ --dry-run")
def import_() -> None:
    """Enrol performers, with the encodings of the faces in their photos.

    Records are linked by ids, never by name alone. Running an import again adds only what is new.
    The report is JSON; exit status 3 means that something in it was refused.
    """


@import_.command("folder", epilog="Example: python -m tools import folder photos/")
@click.argument("folder", type=PathType())
@enrolling
def import_folder(folder: Path, store: Store, *, demands: Demands, dry_run: bool) -> None:
    """Enrol FOLDER/<Performer Name>/*.jpg, or FOLDER/<Performer Name>.jpg.

    A performer.json next to the photos may hold name, disambiguation, aliases and urls. Each photo
    must show one face; a refused photo is reported with the reason.
    """
    records = list(read_folder(folder))
    engine = load_chosen_engine(Settings.from_env())
    with gallery_to_fill(store, dry_run=dry_run) as gallery:
        total = len(records)
        report = import_records(records, gallery, engine, demands, kind="folder", total=total)
    finish(report)


@import_.command("file", epilog="Example: python -m tools import file performers.csv")
@click.argument("file", type=PathType(allow_dash=True))
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="OURS=THEIRS",
    help="Maps a column, such as name=Performer. May be repeated.",
)
@click.option(
    "--own-server",
    "own_servers",
    multiple=True,
    metavar="URL",
    help="Your own server on a private address that may supply photos. May be repeated.",
)
@click.option("--source", help="A name for the source of its ids.  [default: the file's name]")
@enrolling
def import_file(
    file: Path,
    *,
    columns: tuple[str, ...],
    own_servers: tuple[str, ...],
    source: str | None,
    store: Store,
    demands: Demands,
    dry_run: bool,
) -> None:
    """Enrol the performers listed in FILE: JSON, NDJSON, CSV or TSV; - is stdin.

    Columns: name, disambiguation, aliases, urls, id, stash_ids, photos. Photos are paths relative
    to the file, URLs or data: URIs. In CSV, separate several values in one cell with |.
    """
    is_stdin = str(file) == "-"
    options = TableOptions(
        source=f"file {show_text(source or ('stdin' if is_stdin else file.name))}",
        folder=Path.cwd() if is_stdin else file.parent,
        fetch=Downloads(OwnServer(httpx.URL(url)) for url in own_servers).fetch,
        columns=_column_map(columns),
    )
    with _on_disk(file) as path:
        records = begun(read_table(path, options))
        engine = load_chosen_engine(Settings.from_env())
        with gallery_to_fill(store, dry_run=dry_run) as gallery:
            report = import_records(records, gallery, engine, demands, kind="file")
    finish(report)


@import_.command("stash-export", epilog="Example: python -m tools import stash-export export.zip")
@click.argument("export", type=PathType())
@enrolling
def import_stash_export(export: Path, store: Store, *, demands: Demands, dry_run: bool) -> None:
    """Enrol the performers in EXPORT, the folder or zip that Stash exports."""
    records = begun(read_export(export))
    engine = load_chosen_engine(Settings.from_env())
    with gallery_to_fill(store, dry_run=dry_run) as gallery:
        report = import_records(records, gallery, engine, demands, kind="stash-export")
    finish(report)


@import_.command("bundle", epilog="Example: python -m tools import bundle performers.bundle")
@click.argument("bundle", type=PathType())
@DRY_RUN
@gallery_option
def import_bundle(bundle: Path, store: Store, *, dry_run: bool) -> None:
    """Check BUNDLE, made by `export --bundle`, and merge it into the gallery."""
    with (
        tidied_up(),
        open_bundle(bundle) as opened,
        gallery_to_fill(store, dry_run=dry_run) as gallery,
    ):
        total = len(opened.performers())
        report = follow(enrol_bundle(opened, gallery), gallery, kind="bundle", total=total)
    finish(report)


def begun(records: Iterator[Record]) -> Iterator[Record]:
    """Read the first record now: of a source that cannot be read no gallery is made.

    Raises:
        UnusableSourceError: it is none.
    """
    return chain([*islice(records, 1)], records)


def _column_map(columns: tuple[str, ...]) -> dict[str, str]:
    pairs = dict(column.partition("=")[::2] for column in columns)
    if not all(pairs.values()):
        raise click.UsageError("Write --column like this: --column name=Performer.")
    return pairs


@contextmanager
def _on_disk(file: Path) -> Iterator[Path]:
    if str(file) != "-":
        yield file
        return
    with tidied_up(), tempfile.TemporaryDirectory(prefix="import-") as folder:
        path = Path(folder) / "stdin"
        with path.open("wb") as copy:
            while part := sys.stdin.buffer.read(1 << 20):
                copy.write(part)
        yield path
