"""`import stash` and `import stash-box`: performers from servers a user has a key for."""

from collections.abc import Callable
from dataclasses import replace
from itertools import chain

import click

from db.galleries import Gallery, GalleryChange, Store
from db.records import Identity
from function.imports.photos import Demands
from function.library.forgetting import open_library
from function.settings import Settings
from function.sources.downloads import Downloads
from function.sources.records import UnusableSourceError
from function.sources.stash_box import StashBox
from function.stash.client import Stash
from function.stash.following import has_former_ids, take_over
from function.stash.forgotten import known_as_forgotten, note_former_names
from function.stash.performers import Wanted, read_performers, stash_ids_in
from function.stash.records import SOURCE
from tools.imports.imports import gallery_to_fill, import_records
from tools.verbs.importing import enrolling, import_
from tools.verbs.shared import finish, load_chosen_engine

STASHDB = "https://stashdb.org/graphql"
KEY_HELP = "The API key; safer in the environment, where no process list shows it."


@import_.command(
    "stash", epilog="Example: python -m tools import stash --url http://localhost:9999 --favorites"
)
@click.option(
    "--url",
    help="The address of your Stash, as shown in the browser.",
    envvar="STASH_URL",
    default="http://localhost:9999",
    show_default=True,
    show_envvar=True,
)
@click.option("--api-key", envvar="STASH_API_KEY", default="", show_envvar=True, help=KEY_HELP)
@click.option("--favorites", is_flag=True, help="Only favourites.")
@click.option("--tag", default="", help="Only performers with this tag.")
@click.option(
    "--images",
    type=click.IntRange(min=0, max=100),
    default=5,
    show_default=True,
    help="Pictures of each performer alone, besides the cover.",
)
@enrolling
def import_stash(
    url: str,
    api_key: str,
    *,
    tag: str,
    images: int,
    store: Store,
    favorites: bool,
    demands: Demands,
    dry_run: bool,
) -> None:
    """Enrol the performers of your Stash, with their covers and pictures of them alone.

    The next run asks only for performers that changed since; --full asks for all.
    """
    stash = Stash(url, api_key)
    # Read first: what changes while we read is then newer than the checkpoint.
    newest = stash.newest_performer_change()
    downloads = Downloads([stash.own_server])
    engine = load_chosen_engine(Settings.from_env())
    is_whole = not favorites and not tag
    with gallery_to_fill(store, dry_run=dry_run) as gallery:
        _take_over(gallery, stash, None if dry_run else store)
        since = gallery.checkpoint(SOURCE) if is_whole and not demands.look_again else ""
        wanted = Wanted(since, favorites, tag, images)
        if not demands.look_again:
            wanted = replace(wanted, done=_is_done(gallery))
        records = known_as_forgotten(read_performers(stash, wanted, downloads), gallery)
        report = import_records(records, gallery, engine, demands, kind="stash")
        if is_whole and newest and not report.stopped and not report.is_incomplete:
            gallery.note_checkpoint(SOURCE, newest)
    finish(report)


@import_.command(
    "stash-box", epilog='Example: python -m tools import stash-box --name "Grace Hopper"'
)
@click.option("--endpoint", default=STASHDB, show_default=True, help="The stash-box, as in Stash.")
@click.option("--api-key", envvar="STASH_BOX_API_KEY", default="", show_envvar=True, help=KEY_HELP)
@click.option("--name", "names", multiple=True, help="A performer by exact name. May be repeated.")
@click.option("--id", "ids", multiple=True, help="A performer by stash id. May be repeated.")
@click.option("--known", is_flag=True, help="All in the gallery that have an id of this stash-box.")
@click.option("--stash", "stash_url", default="", help="All in this Stash (URL) with such an id.")
@click.option("--stash-api-key", envvar="STASH_API_KEY", default="", show_envvar=True)
@click.option(
    "--images", type=click.IntRange(min=1, max=50), default=5, show_default=True, help="For each."
)
@enrolling
def import_stash_box(
    *,
    endpoint: str,
    api_key: str,
    names: tuple[str, ...],
    ids: tuple[str, ...],
    stash_url: str,
    stash_api_key: str,
    images: int,
    store: Store,
    known: bool,
    demands: Demands,
    dry_run: bool,
) -> None:
    """Enrol performers from a stash-box: only those you name or already have.

    With --stash, your Stash's key for the stash-box is used if none is given.
    """
    if not (names or ids or known or stash_url):
        raise click.UsageError("Choose performers with --name, --id, --known or --stash URL.")
    stash = Stash(stash_url, stash_api_key) if stash_url else None
    if stash and not api_key:
        api_key = stash.stash_box_keys().get(endpoint, "")
    if not api_key:
        raise UnusableSourceError(
            f"{endpoint} needs your API key: set STASH_BOX_API_KEY. It is on your user page there."
        )
    box = StashBox(endpoint, api_key, images)
    downloads = Downloads([box.own_server])
    engine = load_chosen_engine(Settings.from_env())
    with gallery_to_fill(store, dry_run=dry_run) as gallery:
        from_gallery = _known_ids(gallery, endpoint) if known else []
        from_stash = stash_ids_in(stash, endpoint) if stash else iter(())
        records = chain(
            box.read_ids(chain(ids, from_gallery, from_stash), downloads),
            box.read_names(names, downloads),
        )
        report = import_records(records, gallery, engine, demands, kind="stash-box")
    finish(report)


def _take_over(gallery: GalleryChange, stash: Stash, store: Store | None) -> None:
    """Give ids the common name of Stash that were imported under its address; not in a dry run."""
    note_former_names(gallery, stash)
    if not has_former_ids(gallery):
        return
    present = {one.id: one for one in stash.performers()}
    address = Settings.from_env().library_db
    if store is None or not address.path.exists():
        followed = take_over(gallery, None, present)
    else:
        with open_library(address, store, create=False) as ledger:
            followed = take_over(gallery, ledger, present)
    for note in followed.notes:
        click.echo(note, err=True)


def _is_done(gallery: Gallery) -> Callable[[Identity, str], bool]:
    return lambda identity, updated_at: gallery.updated_at(identity) == updated_at


def _known_ids(gallery: Gallery, endpoint: str) -> list[str]:
    return [
        identity.source_id
        for performer in gallery.performers()
        for identity in performer.stash_ids
        if identity.source == endpoint
    ]
