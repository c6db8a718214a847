"""`stash scan`, `stash apply`, `stash undo`: what is found is written into Stash, and taken back.

The server does it, if it runs; else this process, until it is done.
"""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import click

from db.addresses import StoreAddress
from db.counted import counted
from db.galleries import Store
from db.tasks import Task
from db.writes import ItemKind
from function.library.forgetting import open_library
from function.settings import Settings
from function.stash.last_runs import ASKS
from function.stash.options import Options
from function.stash.planning import SURE_SCORE, Gain, id_in_stash
from function.stash.tasks import Workplace, places_of, plan
from tools.verbs.scanning import scan as scan_places
from tools.verbs.shared import (
    EXIT_PARTLY,
    Verb,
    gallery_option,
    library_option,
    print_json,
    way_back,
)
from tools.verbs.stash_verbs import connected_options, settings_for, stash, stash_options
from tools.verbs.stash_work import do_now, queue_only, workplace_of

PICTURES_QUEUED = (
    "The server looks at them, as soon as it runs; without one: python -m tools scan --pictures."
)

NAMES_SHOWN = 20

LARGEST_NUMBER = 2**31 - 1
"""No run and no task has a larger one."""

no_wait = click.option("--no-wait", is_flag=True, help="Only queue it, for the server.")


def _refuse_empty(_: click.Context, parameter: click.Parameter, value: Any) -> Any:
    """Refuse what an unset variable of a shell leaves: without the option, all of Stash is meant.

    Raises:
        BadParameter: it is empty.
    """
    for one in value if isinstance(value, tuple) else (value,):
        if one is not None and not one.strip().strip('"'):
            raise click.BadParameter("it is empty; leave it out for all.", param=parameter)
    return value


def scene_options(verb: Verb) -> Verb:
    """Give a verb the options that say which scenes of Stash are meant; all, without any."""
    options = [
        click.option("--without-performers", is_flag=True, help="Scenes nobody is tagged in."),
        click.option("--tag", callback=_refuse_empty, help="Scenes with this tag, by name or id."),
        click.option(
            "--studio", callback=_refuse_empty, help="Scenes of this studio, by name or id."
        ),
        click.option("--path", callback=_refuse_empty, help="Scenes with this in their path."),
        click.option(
            *("--scene", "scenes"),
            multiple=True,
            callback=_refuse_empty,
            help="One scene, by id; give several.",
        ),
    ]
    for option in reversed(options):
        verb = option(verb)
    return verb


@stash.command("scan", epilog="Example: python -m tools stash scan --without-performers")
@click.option(
    "--pictures", is_flag=True, help="Queue all images and galleries instead, for the server."
)
@click.option(
    *("--image", "images"),
    multiple=True,
    callback=_refuse_empty,
    help="Queue one image, by id; give several.",
)
@click.option(
    *("--gallery", "galleries"),
    multiple=True,
    callback=_refuse_empty,
    help="The same for a gallery.",
)
@scene_options
@no_wait
@stash_options
@click.pass_context
def scan_(
    context: click.Context,
    /,
    *,
    url: str,
    api_key: str,
    library: StoreAddress,
    store: Store,
    no_wait: bool,
    pictures: bool,
    images: tuple[str, ...],
    galleries: tuple[str, ...],
    **scenes: Any,
) -> None:
    """Find who is in the scenes of your Stash, and remember it; nothing is written there."""
    few = {name: ids for name, ids in (("images", images), ("galleries", galleries)) if ids}
    if no_wait or pictures or few:
        _refuse_another(url)
    if pictures or few:
        _refuse_scenes(_chosen(scenes))
        settings = settings_for(library, api_key=api_key)
        _scan_pictures(settings, library, store, few, is_queued=no_wait)
        return
    settings, options = settings_for(library, url, api_key), Options(filter=_chosen(scenes))
    with store.gallery():
        pass  # a missing gallery is told before anything is looked for
    with open_library(library, store) as ledger:
        if no_wait:
            queue_only(ledger, Task("scan", options.to_json()))
            return
        files, missing = _find_files(workplace_of(settings, store, ledger), options)
    if not files:
        print_json({"files": 0, "missing": missing})
        sys.exit(EXIT_PARTLY if missing else 0)
    usual = {"depth": "normal", "workers": None, "limit": None, "strangers": None}
    switches = {"retry": False, "dry_run": False}
    context.invoke(scan_places, places=files, store=store, library=library, **usual, **switches)


def _scan_pictures(
    settings: Settings,
    library: StoreAddress,
    store: Store,
    few: Mapping[str, Any],
    *,
    is_queued: bool,
) -> None:
    """Queue images and galleries of Stash: all, or a few by their ids."""
    task = Task("scan", Options(filter=few, pictures=True).to_json())
    with open_library(library, store) as ledger:
        if is_queued:
            queue_only(ledger, task)
            return
        done = do_now(ledger, settings, store, task)
    print_json(json.loads(done.result))
    click.echo(f"{done.text} {PICTURES_QUEUED}", err=True)
    sys.exit(EXIT_PARTLY if json.loads(done.result)["missing"] else 0)


@stash.command("apply", epilog="Example: python -m tools stash apply --min-score 99 --dry-run")
@click.option(
    "--min-score",
    type=click.FloatRange(0, 100),
    default=SURE_SCORE,
    show_default=True,
    help="Write matches from this score on, and those you confirmed.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be written.")
@click.option("--mark", default="", metavar="TAG", help="Also add this tag, to find them again.")
@click.option(
    "--yes", is_flag=True, help="Also performers who would gain suspiciously many scenes."
)
@scene_options
@no_wait
@connected_options
def apply_(*, url: str, api_key: str, library: StoreAddress, store: Store, **options: Any) -> None:
    """Add to the scenes of your Stash who was surely found in them.

    It first says how many scenes each performer would gain. Whoever would gain suspiciously many is
    left out, unless --yes. Nothing else is changed, and `stash undo` takes it back.
    """
    _refuse_another(url)
    settings = settings_for(library, api_key=api_key)
    asked = Options(
        filter=_chosen(options),
        min_score=options["min_score"],
        tag=options["mark"],
        confirmed=options["yes"],
    )
    with open_library(library, store, create=False) as ledger:
        place = workplace_of(settings, store, ledger)
        planned = plan(place, place.open_stash(), asked)
        names = {id_in_stash(one): one.name for one in place.performers().values()}
        _preview(planned.gains, names)
        if options["dry_run"]:
            print_json(
                {
                    "scenes": planned.scenes,
                    "additions": len(planned.additions),
                    "gains": [_named(vars(one), names) for one in planned.gains],
                    "unlinked": planned.unlinked,
                }
            )
            return
        task = Task("apply", asked.to_json())
        if options["no_wait"]:
            queue_only(ledger, task)
            return
        done = do_now(ledger, settings, store, task)
    told = json.loads(done.result)
    told["gains"] = [_named(one, names) for one in told["gains"]]
    print_json({"run": done.run, **told})
    back = f" To take it back: {way_back('stash', 'undo', '--run', done.run)}"
    click.echo(done.text + (back if told["written"] else ""), err=True)
    sys.exit(EXIT_PARTLY if told["held"] or told["refused"] else 0)


@stash.command("undo", epilog="Example: python -m tools stash undo --run 3")
@click.option(
    "--run",
    type=click.IntRange(1, LARGEST_NUMBER),
    help="What this run wrote; `stash status` lists.",
)
@click.option("--scene", callback=_refuse_empty, help="What was written on this scene, by id.")
@click.option("--image", callback=_refuse_empty, help="The same for an image.")
@click.option("--gallery", callback=_refuse_empty, help="The same for a gallery.")
@click.option("--edited", is_flag=True, help="Even where somebody has edited the scene since.")
@no_wait
@connected_options
def undo_(
    *,
    url: str,
    api_key: str,
    library: StoreAddress,
    store: Store,
    no_wait: bool,
    **options: Any,
) -> None:
    """Take back what was written into your Stash: the last `apply`, unless you say which.

    Scenes that somebody edited since are left as they are, and listed. Where the last one was
    undone before, it says which one is next, and takes that back only if you ask once more.
    """
    _refuse_another(url)
    settings = settings_for(library, api_key=api_key)
    item, number = _item(options)
    asked = Options(run=options["run"] or 0, scene=number, item=item, edited=options["edited"])
    task = Task("undo", asked.to_json())
    with open_library(library, store, create=False) as ledger:
        if no_wait:
            queue_only(ledger, task)
            return
        done = do_now(ledger, settings, store, task)
    told = json.loads(done.result)
    told.pop("decisions", None)
    print_json({"run": done.run, **told})
    click.echo(done.text, err=True)
    sys.exit(EXIT_PARTLY if told["left"] or ASKS in told else 0)


@stash.command("cancel", epilog="Example: python -m tools stash cancel 12")
@click.argument("task", type=click.IntRange(1, LARGEST_NUMBER))
@library_option
@gallery_option
def cancel_(*, task: int, library: StoreAddress, store: Store) -> None:
    """Give up a task that is queued or waits for Stash; `stash status` lists them.

    What it has written stays, and can be undone.
    """
    with open_library(library, store, create=False) as ledger:
        if not ledger.tasks.cancel(task):
            raise click.ClickException(
                f"Task {task} is neither queued nor waiting. See: python -m tools stash status"
            )
    print_json({"cancelled": task})


def _item(options: Mapping[str, Any]) -> tuple[ItemKind, str]:
    """Return the one scene, image or gallery that is meant; a scene without an id if none is."""
    named: list[tuple[ItemKind, str]] = [
        (kind, options[kind]) for kind in get_args(ItemKind) if options[kind]
    ]
    if len(named) + bool(options["run"]) > 1:
        raise click.UsageError("Name one of --run, --scene, --image and --gallery.")
    return named[0] if named else ("scene", "")


def _find_files(place: Workplace, options: Options) -> tuple[tuple[Path, ...], int]:
    """Return the files of the scenes that are meant, and how many of them are not here."""
    asked = place.open_stash().scenes(options.scenes)
    found = [path and Path(os.fsdecode(path)) for path in places_of(place, asked)]
    missing = sum(path is None for path in found)
    if missing:
        click.echo(
            f"Not in the media root here: {counted(missing, 'file')} of Stash. To see which folder "
            "is missing: python -m tools stash connect.",
            err=True,
        )
    return tuple(dict.fromkeys(path for path in found if path)), missing


def _refuse_another(url: str) -> None:
    """Refuse another Stash than the connected one, which is where queued work is done."""
    if url:
        raise click.UsageError(
            "This works on the connected Stash only, not on --url. To work on another one, connect "
            f"it first: python -m tools stash connect --url {url}"
        )


def _refuse_scenes(scenes: Mapping[str, Any]) -> None:
    if scenes:
        raise click.UsageError(
            f"Images and galleries are scanned without scenes; leave out {', '.join(scenes)}."
        )


def _chosen(options: Mapping[str, Any]) -> dict[str, Any]:
    names = ("without_performers", "tag", "studio", "path", "scenes")
    return {name: options[name] for name in names if options[name]}


def _preview(gains: tuple[Gain, ...], names: Mapping[str, str]) -> None:
    """Say how many scenes each performer would gain, the most first."""
    for one in sorted(gains, key=lambda it: not it.is_suspicious)[:NAMES_SHOWN]:
        warning = "   suspiciously many: look at some of them first" if one.is_suspicious else ""
        name = names.get(one.performer, one.performer)
        click.echo(f"{one.gains:>7} more for {name}, who has {one.has}{warning}", err=True)
    if len(gains) > NAMES_SHOWN:
        click.echo(f"... and {len(gains) - NAMES_SHOWN} more performers", err=True)


def _named(gain: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {"name": names.get(gain["performer"], ""), **gain}
