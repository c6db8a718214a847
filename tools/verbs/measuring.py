"""`evaluate`, `calibrate`, `audit`: how far to trust the answers, measured on your own files."""

import random
from datetime import UTC, datetime
from pathlib import Path

import click

from db.galleries import Store
from function.engines.models import PRIMARY
from function.matching.audits import audit_gallery
from function.matching.densities import file_of, write_densities
from function.settings import Settings
from tools.accuracy.calibrate import calibrate as fit_and_compare
from tools.accuracy.calibrate import render_calibration
from tools.accuracy.casts import read_cast
from tools.accuracy.evaluate import SETTINGS, Setting
from tools.accuracy.evaluate import evaluate as measure
from tools.accuracy.film_figures import EVERY_SECONDS, measure_films, render_films
from tools.accuracy.kinds import measure_kinds, render_kinds
from tools.accuracy.pages import check_page, write_page
from tools.accuracy.sets import add_mixed, read_sets
from tools.accuracy.tables import render_evaluation
from tools.verbs.audit_lines import render_audit
from tools.verbs.shared import (
    Verb,
    gallery_option,
    load_chosen_engine,
    parse_every,
    print_json,
)

FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)
AT_LEAST_ONE = click.IntRange(min=1)

ROUNDS_HELP = "How often they are shuffled."
FOLDS_HELP = (
    "Fit scores on all others before searching for each fold of people; 0: those that ship."
)
CROWD_HELP = "Add this many made-up performers to each gallery, and measure everyone in one set."
PAGE_HELP = "Also put the table on this Markdown page, between its markers, and drawings beside it."

FILMS_HELP = "How many films are made."
EVERY_HELP = "Seconds between samples, or auto; may be repeated.  [default: auto, 1, 2 and 5]"
SEED_HELP = "Another one makes other films."
KEEP_HELP = "Leave the films here, each with a list of who is seen when."


def table_option(verb: Verb) -> Verb:
    """Add --table: lines for people instead of JSON."""
    return click.option("--table", is_flag=True, help="Print a table instead of JSON.")(verb)


@click.command(epilog="Example: python -m tools evaluate friends/ family/ --folds 5 --table")
@click.argument("folders", metavar="FOLDER...", type=FOLDER, nargs=-1, required=True)
@click.option("--enrol", type=AT_LEAST_ONE, help="Photos or clips enrolled per person.")
@click.option("--probe", type=AT_LEAST_ONE, help="How many are searched for at a time.")
@click.option("--rounds", type=AT_LEAST_ONE, default=5, show_default=True, help=ROUNDS_HELP)
@click.option("--folds", type=click.IntRange(min=0), default=0, show_default=True, help=FOLDS_HELP)
@click.option("--crowd", type=click.IntRange(min=0), default=0, help=CROWD_HELP)
@click.option("--page", type=click.Path(path_type=Path), help=PAGE_HELP)
@table_option
def evaluate(
    *,
    folders: tuple[Path, ...],
    enrol: int | None,
    probe: int | None,
    rounds: int,
    folds: int,
    crowd: int,
    page: Path | None,
    table: bool,
) -> None:
    """Measure on each FOLDER how often names are right, wrong or missing, next to the usual way.

    A FOLDER holds photos by name, NAME/*.jpg, or clips and a table labels.csv with the columns
    clip, name, start and end (seconds). Several are measured one by one, and as one gallery of
    everyone. 1 and 3 are enrolled, and 1 and 3 searched for; --enrol or --probe ask for one
    setting (the other is 3 then). No gallery is changed.
    """
    if page is not None:
        check_page(page)
    engine = load_chosen_engine(Settings.from_env())
    evaluation = measure(
        read_sets(folders, engine, _report),
        engine.encoder.model,
        on=datetime.now(tz=UTC).date(),
        settings=[Setting(enrol or 3, probe or 3)] if enrol or probe else SETTINGS,
        rounds=rounds,
        folds=folds,
        crowd=crowd,
        report=_report,
    )
    if page is not None:
        write_page(page, evaluation)
    if table:
        click.echo(render_evaluation(evaluation))
    else:
        print_json(evaluation.to_json())


def _report(line: str) -> None:
    click.echo(line, err=True)


@click.command(epilog="Example: python -m tools evaluate-kinds friends/")
@click.argument("folder", type=FOLDER)
def evaluate_kinds(folder: Path) -> None:
    """Measure on FOLDER how many people are named in photos that are spoilt in ten ways.

    FOLDER holds photos by name, NAME/*.jpg. Three of each person are enrolled as they are, and four
    others searched for: grey, dark, blurred, far away, leaning, with the mouth or eyes covered.
    Prints a Markdown table.
    """
    engine = load_chosen_engine(Settings.from_env())
    click.echo(render_kinds(measure_kinds(folder, engine, _report)), nl=False)


@click.command(
    epilog="Example: python -m tools evaluate-films clips/ --every auto --every 2 --table"
)
@click.argument("folder", type=FOLDER)
@click.option("--films", type=AT_LEAST_ONE, default=8, show_default=True, help=FILMS_HELP)
@click.option("--every", multiple=True, help=EVERY_HELP)
@click.option("--seed", type=int, default=1, show_default=True, help=SEED_HELP)
@click.option("--keep", type=click.Path(path_type=Path, file_okay=False), help=KEEP_HELP)
@table_option
def evaluate_films(
    folder: Path, *, films: int, every: tuple[str, ...], seed: int, keep: Path | None, table: bool
) -> None:
    """Measure on films cut from the clips of FOLDER who is found, who is named, and when.

    FOLDER holds clips and a table labels.csv with the columns clip, name, start and end (seconds).
    A film has 3 to 12 people in 2 to 4 shots each; half of all people are enrolled, by one face
    that no film shows. Each film is recognised with fragments of people joined, as the function
    does it, and without.
    """
    settings = Settings.from_env()
    intervals = [parse_every(text) for text in every] or EVERY_SECONDS
    engine = load_chosen_engine(settings)
    _report(f"reading {folder.resolve().name}")
    evaluation = measure_films(
        read_cast(folder, engine, random.Random(seed)),  # noqa: S311  # drawn, not secret
        engine,
        settings,
        films=films,
        every=intervals,
        seed=seed,
        keep=keep,
        report=_report,
    )
    if table:
        click.echo(render_films(evaluation), nl=False)
    else:
        print_json(evaluation.to_json())


@click.command(epilog="Example: python -m tools calibrate friends/ family/ > densities.json")
@click.argument("folders", metavar="FOLDER...", type=FOLDER, nargs=-1, required=True)
@click.option("--description", help="Describes the folders to readers of the fit.")
@click.option("--into", type=FOLDER, help="Also write what was fitted here, one file for each net.")
@table_option
def calibrate(
    *, folders: tuple[Path, ...], description: str | None, into: Path | None, table: bool
) -> None:
    """Fit how far apart faces of one person and of strangers are, on all FOLDERs together; test it.

    A FOLDER is laid out as for `evaluate`. To be useful they need at least ten people, each with
    several photos from different days; people with one photo count as strangers.
    """
    engine = load_chosen_engine(Settings.from_env())
    everyone = add_mixed(read_sets(folders, engine, _report))[-1].dataset
    fitted = fit_and_compare(
        everyone,
        engine.encoder.model,
        fitted_on=description or ", ".join(folder.resolve().name for folder in folders),
        on=datetime.now(tz=UTC).date(),
    )
    if into is not None:
        for densities in fitted.densities:
            write_densities(densities, into / file_of(densities.model))
    if table:
        click.echo(render_calibration(fitted))
    else:
        print_json(fitted.to_json())


@click.command(epilog="Example: python -m tools audit --table")
@gallery_option
@table_option
def audit(store: Store, table: bool) -> None:  # noqa: FBT001  # as above
    """Find photos under a wrong name or enrolled twice, and performers too alike to tell apart."""
    with store.gallery() as gallery:
        snapshot = gallery.snapshot(PRIMARY)
    found = audit_gallery(snapshot)
    if table:
        click.echo(render_audit(found))
    else:
        print_json(found.to_json())
