"""`evaluate`, `calibrate`, `audit`: how far to trust the answers, measured on your own files."""

from datetime import UTC, datetime
from pathlib import Path

import click

from db.galleries import Store
from function.engines.models import PRIMARY
from function.matching.audits import audit_gallery
from function.settings import Settings
from tools.accuracy.calibrate import calibrate as fit_and_compare
from tools.accuracy.calibrate import render_calibration
from tools.accuracy.evaluate import evaluate as measure
from tools.accuracy.evaluate import render_evaluation
from tools.accuracy.labelled import read_dataset
from tools.verbs.audit_lines import render_audit
from tools.verbs.shared import Verb, gallery_option, load_chosen_engine, print_json

FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)


def table_option(verb: Verb) -> Verb:
    """Add --table: lines for people instead of JSON."""
    return click.option("--table", is_flag=True, help="Print a table instead of JSON.")(verb)


@click.command(epilog="Example: python -m tools evaluate labelled/ --enrol 3 --probe 3 --table")
@click.argument("dataset", type=FOLDER)
@click.option("--enrol", default=3, show_default=True, help="Photos or clips enrolled per person.")
@click.option("--probe", default=3, show_default=True, help="How many are searched for at a time.")
@click.option("--rounds", default=5, show_default=True, help="How often they are shuffled.")
@table_option
def evaluate(dataset: Path, enrol: int, probe: int, rounds: int, table: bool) -> None:  # noqa: FBT001  # click passes flags
    """Measure on DATASET how often names are right, wrong or missing, compared with the usual way.

    DATASET holds photos by name, NAME/*.jpg, or clips and a table labels.csv with the columns clip,
    name, start and end (seconds). No gallery is changed.
    """
    engine = load_chosen_engine(Settings.from_env())
    read = read_dataset(dataset, engine)
    figures = measure(read, engine.encoder.model, enrol=enrol, probe=probe, rounds=rounds)
    if table:
        click.echo(render_evaluation(figures))
    else:
        print_json(figures.to_json())


@click.command(epilog="Example: python -m tools calibrate labelled/ > densities.json")
@click.argument("dataset", type=FOLDER)
@click.option("--description", help="Describes DATASET to readers of the fit.")
@table_option
def calibrate(dataset: Path, description: str | None, table: bool) -> None:  # noqa: FBT001  # as above
    """Fit on DATASET how far apart faces of one person and of strangers are, and test the fit.

    DATASET is laid out as for `evaluate`. To be useful it needs at least ten people, each with
    several photos from different days.
    """
    engine = load_chosen_engine(Settings.from_env())
    read = read_dataset(dataset, engine)
    fitted = fit_and_compare(
        read,
        engine.encoder.model,
        fitted_on=description or dataset.name,
        on=datetime.now(tz=UTC).date(),
    )
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
