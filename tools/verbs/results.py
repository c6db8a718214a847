"""`results`, `rematch`: who is in the videos that were scanned, by today's gallery."""

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, cast

import click
from tqdm import tqdm

from db.addresses import StoreAddress
from db.counted import agree
from db.galleries import Store
from db.ledgers import Ledger
from db.records import Performer
from db.videos import Verdict, VideoRecord
from function.library.finding import is_at
from function.library.forgetting import UNKEPT, forget_unkept, open_library
from function.library.jobs import chosen_strangers
from function.library.lists import in_natural_order, shown_where, to_csv, to_full_json, to_table
from function.library.naming import Naming, open_naming
from function.library.rematching import Changed
from function.library.rematching import rematch as match_all_again
from function.library.results import VideoResult, results_of
from function.library.strangers import place_strangers
from function.matching.second_models import open_second
from function.media.spellings import as_written
from function.settings import Settings
from tools.verbs.shared import PathType, gallery_option, library_option, print_json


@click.command(epilog='Example: python -m tools results --performer "Grace Hopper" --table')
@click.argument("places", nargs=-1, type=PathType())
@click.option("--performer", help="Only videos with this performer, by name or id.")
@click.option(
    "--verdict",
    type=click.Choice(["match", "uncertain", "unknown"]),
    multiple=True,
    help="Only people with this verdict. May be repeated.",
)
@click.option(
    "--state",
    type=click.Choice(["queued", "working", "done", "failed", "gone"]),
    multiple=True,
    help="Only videos in this state. May be repeated.",
)
@click.option("--table", is_flag=True, help="Lines to read.")
@click.option("--csv", is_flag=True, help="A line for each person in a video.")
@click.option("--json", is_flag=True, help="JSON; this is the default.")
@library_option
@gallery_option
def results(places: tuple[Path, ...], store: Store, library: StoreAddress, **options: Any) -> None:
    """List who is in the videos that were scanned, or in those at PLACES.

    Names are those of today's gallery: what changed since the last list is matched again first.
    """
    forms = [form for form in ("table", "csv", "json") if options[form]]
    if len(forms) > 1:
        raise click.UsageError("Give one of --table, --csv, --json.")
    with open_library(library, store, create=False) as ledger, store.gallery() as gallery:
        match_again(ledger, open_today(store))
        performers = {one.id: one for one in gallery.performers()}
        wanted = options["performer"]
        performer = None if wanted is None else gallery.find_performer(wanted).id
        asked = [as_written(place).resolve() for place in places]
        is_wanted = _filter(asked, options["state"])
        wanted_ones = filter(is_wanted, ledger.iterate())
        records = [shown_where(one, lambda path: is_at(path, asked)) for one in wanted_ones]
        found = results_of(
            ledger,
            iter(in_natural_order(records)),
            performers,
            cast("tuple[Verdict, ...]", options["verdict"]),
            each_picture=True,
        )
        chosen = (
            one
            for one in found
            if (performer is None or performer in _performers(one))
            and (one.people or not options["verdict"])
        )
        _print_results(chosen, performers.values(), *forms)
        if places and not records:
            click.echo("Nothing there was scanned. Scan it: python -m tools scan.", err=True)


def _filter(places: list[Path], states: tuple[str, ...]) -> Callable[[VideoRecord], bool]:
    def is_wanted(video: VideoRecord) -> bool:
        state = video.state if video.paths else "gone"
        is_placed = not places or any(is_at(path, places) for path in video.known_paths)
        return is_placed and (not states or state in states)

    return is_wanted


def _performers(result: VideoResult) -> set[int]:
    return {person.performer.id for person in result.people if person.performer}


def _print_results(
    found: Iterator[VideoResult], performers: Iterable[Performer], form: str = "json"
) -> None:
    if form == "json":
        print_json([to_full_json(one) for one in found])
        return
    for line in to_csv(found) if form == "csv" else to_table(found, performers):
        click.echo(line)


@click.command(epilog="Example: python -m tools rematch")
@library_option
@gallery_option
def rematch(store: Store, library: StoreAddress) -> None:
    """Match everyone who was seen with today's gallery; no video is opened."""
    with open_library(library, store, create=False) as ledger:
        if not ledger.counts().done:
            raise click.ClickException(
                f"Nothing was scanned into {library} yet. Scan first: python -m tools scan FOLDER."
            )
        naming = open_today(store)
        done = match_again(ledger, naming)
        chosen = Settings.from_env().strangers or chosen_strangers(ledger)
        tell_erased(forget_unkept(ledger, naming, chosen), chosen)
        print_json({"videos": done.videos, "people": done.people, "changed": done.changed})


def match_again(ledger: Ledger, naming: Naming) -> Changed:
    """Match again what was matched with another state of the gallery, and show how far it is."""
    generation = naming.generation
    waiting = sum(
        one.matched_at != generation for one in ledger.iterate() if one.scanned is not None
    )
    total = Changed()
    with tqdm(total=waiting, unit=" videos", desc="Matching", file=sys.stderr, delay=0.5) as bar:
        for part in match_all_again(ledger, naming):
            total += part
            bar.update(part.videos)
    return total


def group_strangers(ledger: Ledger, naming: Naming) -> None:
    """Say of everyone unknown which stranger they are, and show how far it is."""
    with grouping_bar() as bar:
        place_strangers(ledger, naming, bar.update)


def grouping_bar() -> "tqdm[Any]":
    """Return a bar that shows how many people are grouped, if that takes long."""
    return tqdm(unit=" people", desc="Grouping", file=sys.stderr, delay=0.5)


def open_today(store: Store) -> Naming:
    """Read the gallery as it is now, to name people by it."""
    settings = Settings.from_env()
    return open_naming(store, open_second(settings.engine_options), settings)


def tell_erased(erased: int, chosen: str) -> None:
    """Say how many unknown people were erased, and that it was chosen so."""
    if erased:
        why = f"as {chosen} says" if chosen not in UNKEPT else "as strangers are not kept"
        who = agree(erased, "1 unknown person was", f"{erased} unknown people were")
        click.echo(f"{who} erased, {why}.", err=True)
