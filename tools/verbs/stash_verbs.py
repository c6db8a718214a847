"""`stash`: the user's own Stash, connected once, and kept in step with the gallery."""

import sys
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any

import click
from click.core import ParameterSource
from tqdm import tqdm

from db.addresses import StoreAddress
from db.galleries import Store
from db.ledgers import Ledger
from function.library.forgetting import open_library
from function.sandbox.readers import open_reader
from function.settings import Settings
from function.stash.checking import check
from function.stash.connection import Connection, connect, find_connection, require_connection
from function.stash.following import known_in_stash
from function.stash.scene_faces import Step
from function.stash.synced import Synced, SyncOptions
from function.stash.syncing import run, sync_with
from tools.verbs.shared import (
    EXIT_PARTLY,
    Verb,
    gallery_option,
    library_option,
    print_json,
)

KEY_HELP = "Its API key; safer in the environment, where no process list shows it."


@click.group(epilog="Example: python -m tools stash connect --url http://localhost:9999")
def stash() -> None:
    """Work with your Stash: connect it once, and keep the gallery in step with it."""


def stash_options(verb: Verb) -> Verb:
    """Give a verb the options that name a Stash; without them, the connected one is used."""
    return _with_options(verb, hides_url=False)


def connected_options(verb: Verb) -> Verb:
    """Give a verb that works on the connected Stash only the same; it says why it takes no URL."""
    return _with_options(verb, hides_url=True)


def _with_options(verb: Verb, *, hides_url: bool) -> Verb:
    url_help = "Another Stash than the connected one."
    options = [
        click.option("--url", default="", hidden=hides_url, help=url_help),
        click.option(
            "--api-key", envvar="STASH_API_KEY", default="", show_envvar=True, help=KEY_HELP
        ),
        library_option,
        gallery_option,
    ]
    for option in reversed(options):
        verb = option(verb)
    return verb


def settings_for(library: StoreAddress, url: str = "", api_key: str = "") -> Settings:
    """Return the settings of the environment, with a Stash and a ledger that were named.

    Raises:
        UsageError: a key is typed, but not for which Stash.
    """
    settings = replace(Settings.from_env(), library_db=library)
    if url:
        return replace(settings, stash_url=url, stash_api_key=api_key)
    typed = click.get_current_context().get_parameter_source("api_key")
    if api_key and not settings.stash_url and typed is ParameterSource.COMMANDLINE:
        raise click.UsageError(
            "--api-key is for the Stash of --url or STASH_URL. To change the key that is kept, "
            "connect again: python -m tools stash connect --url URL --api-key KEY"
        )
    return replace(settings, stash_api_key=api_key or settings.stash_api_key)


@stash.command(
    "connect", epilog="Example: python -m tools stash connect --url http://localhost:9999"
)
@stash_options
def connect_(*, url: str, api_key: str, library: StoreAddress, store: Store) -> None:
    """Remember where your Stash is, and its key; check that its files are found here.

    They are kept in a file beside the library that only you can read.
    """
    settings = settings_for(library)
    settings = replace(settings, stash_api_key=api_key or settings.stash_api_key)
    named = url or settings.stash_url
    if not named:
        raise click.UsageError("Say where Stash is: --url http://localhost:9999, or STASH_URL.")
    if url:
        settings = replace(settings, stash_url="")  # what is typed counts, and is kept
    connect(settings, named, api_key)
    with library_if_any(library, store) as ledger:
        lines = check(settings, require_connection(settings), ledger)
    for line in lines:
        click.echo(f"{'ok ' if line.ok else '-- '} {line.text}", err=True)
    print_json({"lines": [vars(line) for line in lines]})
    if not all(line.ok for line in lines):
        sys.exit(EXIT_PARTLY)


@stash.command("sync", epilog="Example: python -m tools stash sync")
@click.option(
    "--images",
    type=click.IntRange(min=0, max=100),
    default=5,
    show_default=True,
    help="Pictures of each performer alone, besides the cover.",
)
@click.option(
    "--from-scenes",
    type=click.IntRange(min=0, max=20),
    default=0,
    help="Also enrol from up to this many scenes of each performer that show nobody else.",
)
@click.option("--full", is_flag=True, help="Read everything again, changed or not.")
@click.option(
    "--accept-missing",
    is_flag=True,
    help="Accept that many are no longer in Stash, or have another name there.",
)
@stash_options
def sync_(*, url: str, api_key: str, library: StoreAddress, store: Store, **options: Any) -> None:
    """Enrol the performers of your Stash, and follow who was renamed, merged or deleted there.

    A performer deleted in Stash stays in the gallery. The report is JSON; it lists who has no
    usable photo, with a link to their page.
    """
    settings = settings_for(library, url, api_key)
    connection = require_connection(settings)
    with closing(open_reader(settings)) as reader, library_if_any(library, store) as ledger:
        steps = sync_with(
            connection, store, ledger, reader, settings=settings, options=SyncOptions(**options)
        )
        done = _with_bar(steps)
    print_json(done.to_json())
    for note in done.followed.notes:
        click.echo(note, err=True)
    if done.report.stopped:
        click.echo(f"Stopped: {done.report.stopped} Run it again to continue.", err=True)
    if done.report.is_partial or done.followed.notes:
        sys.exit(EXIT_PARTLY)


def _with_bar(steps: Generator[Step, None, Synced]) -> Synced:
    """Do a sync to its end, with a bar on stderr."""
    with tqdm(unit=" performers", file=sys.stderr) as bar:

        def tell(step: Step) -> None:
            bar.total = step.of
            bar.update(step.done - bar.n)

        return run(steps, tell)


@stash.command("status", epilog="Example: python -m tools stash status")
@stash_options
def status_(*, url: str, api_key: str, library: StoreAddress, store: Store) -> None:
    """Say which Stash is connected, whether it answers, and what was done and is to be done."""
    settings = settings_for(library, url, api_key)
    connection = find_connection(settings)
    print_json(
        {
            "connected": connection is not None,
            **(_answer_of(connection) if connection else {}),
            "performers_known": _count_known(store),
            **_in_ledger(library, store),
        }
    )


def _answer_of(connection: Connection) -> dict[str, Any]:
    asked = connection.open()
    totals = asked.totals()
    return {
        "url": asked.shown_url,
        "version": asked.version(),
        "scenes": totals.scenes,
        "performers": totals.performers,
        "path_map": [f"{theirs}={ours}" for theirs, ours in connection.path_map],
    }


def _count_known(store: Store) -> int:
    if not store.exists():
        return 0
    with store.gallery() as gallery:
        return len(known_in_stash(gallery))


def _in_ledger(library: StoreAddress, store: Store) -> dict[str, Any]:
    with library_if_any(library, store) as ledger:
        if ledger is None:
            return {"tasks": [], "runs": []}
        return {
            "tasks": [_plain(one, ("options",)) for one in ledger.tasks.latest()],
            "runs": [_plain(one) for one in ledger.writes.runs()],
        }


def _plain(record: object, without: Iterable[str] = ()) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in without}


@contextmanager
def library_if_any(library: StoreAddress, store: Store) -> Iterator[Ledger | None]:
    """Open the ledger if there is one; else None stands for it."""
    if not library.path.exists():
        yield None
        return
    with open_library(library, store) as ledger:
        yield ledger
