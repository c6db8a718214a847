"""`evaluate`, `calibrate`, `audit`: how far to trust the answers, measured on your own files."""

import os
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click

from db.galleries import Store
from db.names import escape_unprintable, show_text
from function.engines.models import BOTH, BOTH_BEFORE, PRIMARY
from function.engines.own.description import read_description
from function.engines.protocol import Engine
from function.matching.audits import audit_gallery
from function.matching.densities import Densities, file_of, write_densities
from function.matching.second_models import known_fusions, open_second, write_fit
from function.settings import Settings
from function.sources.records import UnusableSourceError
from tools.accuracy.calibrate import calibrate as fit_and_compare
from tools.accuracy.calibrate import render_calibration
from tools.accuracy.casts import read_cast
from tools.accuracy.chances import fit_chances, render_chances, try_photos
from tools.accuracy.enrolled_kinds import measure_enrolled_kinds, render_enrolled_kinds
from tools.accuracy.evaluate import SETTINGS, Evaluation, Setting
from tools.accuracy.evaluate import evaluate as measure
from tools.accuracy.film_figures import (
    EVERY_SECONDS,
    check_folder,
    held,
    measure_films,
    render_films,
)
from tools.accuracy.fusions import SFACE_NET, SHIPPED_NET, SecondNet
from tools.accuracy.hinted import measure_hints, render_hints
from tools.accuracy.kinds import measure_kinds, render_kinds
from tools.accuracy.pages import check_page, write_page
from tools.accuracy.sets import add_mixed, read_sets
from tools.accuracy.stranger_films import measure_stranger_films, render_stranger_films
from tools.accuracy.tables import render_evaluation
from tools.accuracy.weak import measure_weak, render_weak
from tools.replacing import refuse_others, replaced
from tools.verbs.audit_lines import render_audit
from tools.verbs.shared import (
    PathType,
    Verb,
    gallery_option,
    load_chosen_engine,
    parse_every,
    print_json,
    table_option,
)
from tools.verbs.stash_measuring import or_from_stash

FOLDER = PathType(file_okay=False, exists=True)
AT_LEAST_ONE = click.IntRange(min=1)

ROUNDS_HELP = "How often they are shuffled."
FOLDS_HELP = (
    "Fit scores on all others before searching for each fold of people; 0: those that ship."
)
CROWD_HELP = "Add this many made-up performers to each gallery, and measure everyone in one set."
MODEL_HELP = "Your own second net, as docs/own-encoder.md describes it."
INTO_HELP = (
    "Write what was fitted into this folder, one file for each net; with --model into this folder "
    "or file.  [default with --model: beside it]"
)
PAGE_HELP = "Also put the table on this Markdown page, between its markers, and drawings beside it."

OF_FITS = b'"fitted_on"'
"""Stands near the beginning of each file that `calibrate` writes."""

FILMS_HELP = "How many films are made."
WEAK_HELP = "Measure the scores of people seen only weakly, instead; takes several folders."
WORTH_HELP = "Measure what spoilt photos are worth to enrol, instead; takes several folders."
EVERY_HELP = "Seconds between samples, or auto; may be repeated.  [default: auto, 1, 2 and 5]"
SEED_HELP = "Another number makes other films."
KEEP_HELP = "Leave the films here, each with a list of who is seen when."


def model_option(told: str) -> Callable[[Verb], Verb]:
    """Add --model: a TOML file that describes a net of the user's own."""
    file = PathType(dir_okay=False, exists=True)
    return click.option("--model", type=file, metavar="FILE.toml", help=told)


@click.command(epilog="Example: python -m tools evaluate friends/ family/ --folds 5 --table")
@click.argument("folders", metavar="FOLDER...", type=FOLDER, nargs=-1)
@click.option("--enrol", type=AT_LEAST_ONE, help="Photos or clips enrolled per person.")
@click.option("--probe", type=AT_LEAST_ONE, help="How many are searched for at a time.")
@click.option("--rounds", type=AT_LEAST_ONE, default=5, show_default=True, help=ROUNDS_HELP)
@click.option("--folds", type=click.IntRange(min=0), default=0, show_default=True, help=FOLDS_HELP)
@click.option("--crowd", type=click.IntRange(min=0), default=0, help=CROWD_HELP)
@click.option("--page", type=PathType(), help=PAGE_HELP)
@model_option(f"{MODEL_HELP} It is measured after the one that ships.")
@table_option
@or_from_stash
def evaluate(
    *,
    folders: tuple[Path, ...],
    model: Path | None,
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
    loaded = [_load(one, needs_fit=not folds) for one in _nets_of(Settings.from_env(), model)]
    if any(net.own for _, net in loaded) and (crowd or page):
        raise click.UsageError("--crowd and --page are for nets that ship, not for your own.")
    run = partial(
        measure,
        on=datetime.now(tz=UTC).date(),
        settings=[Setting(enrol or 3, probe or 3)] if enrol or probe else SETTINGS,
        rounds=rounds,
        folds=folds,
        crowd=crowd,
        report=_report,
    )
    evaluations = {
        net.name: run(read_sets(folders, engine, _report), engine.encoder.model, net=net)
        for engine, net in loaded
    }
    if page is not None:
        write_page(page, *evaluations.values(), nets=_other_nets(loaded[0][1]))
    _print_evaluations(evaluations, table=table)


def _nets_of(settings: Settings, model: Path | None) -> list[Settings]:
    """Return the settings to measure with: those there are, or the usual, then a file's net."""
    if model is None:
        return [settings]
    return [replace(settings, second_encoder="on"), replace(settings, second_encoder=model)]


def _load(settings: Settings, *, needs_fit: bool) -> tuple[Engine, SecondNet]:
    """Load an engine; say which second net it has, with its fit if that will be needed."""
    engine, options = load_chosen_engine(settings), settings.engine_options
    if engine.second is None:
        if isinstance(settings.second_encoder, Path):
            raise UnusableSourceError(
                "A net of your own needs the points that only yunet finds. Set DETECTOR=yunet."
            )
        return engine, SecondNet(name="one net", model=None)
    if not isinstance(options.second_encoder, Path):
        return engine, SFACE_NET if options.second_encoder == "sface" else SHIPPED_NET
    name = engine.second.model.id
    fitted = open_second(options) if needs_fit else None
    return engine, SecondNet(name=name, own=engine.second.model, model=fitted)


def _other_nets(net: SecondNet) -> str:
    """Name the nets that were measured, if they are others than those in use unless asked for."""
    if net == SHIPPED_NET:
        return ""
    return f"dlib's net and {net.name}" if net.model else "dlib's net alone"


def _refuse_own_net(settings: Settings, verb: str) -> None:
    """Refuse to score an own net's encodings by what was fitted for those that ship."""
    if isinstance(settings.second_encoder, Path):
        raise click.UsageError(
            f"{verb} measures nets that ship. Set SECOND_ENCODER=on; `evaluate --model FILE` "
            "compares your own net with it."
        )


def _print_evaluations(evaluations: Mapping[str, Evaluation], *, table: bool) -> None:
    """Print what was measured with one second net, or with several one after the other."""
    if not table:
        told = {name: one.to_json() for name, one in evaluations.items()}
        print_json(told if len(told) > 1 else next(iter(told.values())))
        return
    blocks = [render_evaluation(one) for one in evaluations.values()]
    if len(blocks) > 1:
        names = [f"## dlib's net and {name}" for name in evaluations]
        blocks = [f"{name}\n\n{block}\n" for name, block in zip(names, blocks, strict=True)]
    click.echo("\n".join(blocks))


def _report(line: str) -> None:
    click.echo(escape_unprintable(show_text(line)), err=True)


@click.command(epilog="Example: python -m tools evaluate-kinds friends/")
@click.argument("folder", type=FOLDER)
@click.argument("more", metavar="[FOLDER...]", type=FOLDER, nargs=-1)
@click.option("--enrolled", is_flag=True, help="Spoil enrolled photos, not those searched for.")
@click.option("--weak", is_flag=True, help=WEAK_HELP)
@click.option("--worth", is_flag=True, help=WORTH_HELP)
def evaluate_kinds(
    folder: Path, more: tuple[Path, ...], *, enrolled: bool, weak: bool, worth: bool
) -> None:
    """Measure on FOLDER how many people are named in photos that are spoilt in fourteen ways.

    FOLDER holds photos by name, NAME/*.jpg. Three of each person are enrolled as they are, and four
    others searched for: grey, dark, blurred, far away, leaning, turned, in glasses, or covered.
    With --enrolled one spoilt photo is enrolled instead, alone and next to a good one, and four are
    searched for as they are. With --weak the faces that such photos show only weakly are searched
    for in galleries of several sizes, all FOLDERs together, and the scores of such people are
    fitted again; it writes nothing. With --worth spoilt photos are enrolled, and the chance that
    one names its person, by which photos are weighed and refused, is fitted again, all FOLDERs
    together; it writes nothing. Prints a Markdown table.
    """
    if more and not (weak or worth):
        raise click.UsageError(
            "Only --weak and --worth take several folders; measure them one by one."
        )
    if enrolled + weak + worth > 1:
        raise click.UsageError("Give one of --enrolled, --weak and --worth.")
    settings = Settings.from_env()
    if worth:
        _refuse_own_net(settings, "evaluate-kinds --worth")  # nothing uses numbers fitted for it
    engine, second = load_chosen_engine(settings), open_second(settings.engine_options)
    if weak:
        found = measure_weak([folder, *more], engine, _report, second)
        click.echo(render_weak(*found), nl=False)
        return
    if worth:
        tried = try_photos([folder, *more], engine, _report, second)
        click.echo(render_chances(tried, fit_chances(tried)), nl=False)
        return
    if enrolled:
        spoilt = measure_enrolled_kinds(folder, engine, _report, second)
        click.echo(render_enrolled_kinds(spoilt), nl=False)
        return
    click.echo(render_kinds(measure_kinds(folder, engine, _report, second)), nl=False)


@click.command(epilog="Example: python -m tools evaluate-hints friends/ family/ --folds 5")
@click.argument("folders", metavar="FOLDER...", type=FOLDER, nargs=-1, required=True)
@click.option("--rounds", type=AT_LEAST_ONE, default=5, show_default=True, help=ROUNDS_HELP)
@click.option("--folds", type=click.IntRange(min=0), default=0, show_default=True, help=FOLDS_HELP)
@click.option("--crowd", type=click.IntRange(min=0), default=0, help=CROWD_HELP)
def evaluate_hints(*, folders: tuple[Path, ...], rounds: int, folds: int, crowd: int) -> None:
    """Measure on all FOLDERs together what names in paths do, right ones and wrong ones.

    A FOLDER is laid out as for `evaluate`; the hints are made up. Prints a Markdown table.
    """
    settings = Settings.from_env()
    _refuse_own_net(settings, "evaluate-hints")
    engine, net = _load(settings, needs_fit=True)
    figures = measure_hints(
        read_sets(folders, engine, _report),
        engine.encoder.model,
        on=datetime.now(tz=UTC).date(),
        rounds=rounds,
        folds=folds,
        crowd=crowd,
        net=net,
        report=_report,
    )
    click.echo(render_hints(figures), nl=False)


@click.command(
    epilog="Example: python -m tools evaluate-films clips/ --every auto --every 2 --table"
)
@click.argument("folder", type=FOLDER)
@click.option("--films", type=AT_LEAST_ONE, default=8, show_default=True, help=FILMS_HELP)
@click.option("--every", multiple=True, help=EVERY_HELP)
@click.option("--seed", type=int, default=1, show_default=True, help=SEED_HELP)
@click.option("--keep", type=PathType(file_okay=False), help=KEEP_HELP)
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
    open_second(settings.engine_options)  # an own net without a fit is refused before all else
    intervals = [parse_every(text) for text in every] or EVERY_SECONDS
    if keep is not None:
        check_folder(keep, films)
    with held(keep):
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


@click.command(epilog="Example: python -m tools evaluate-strangers friends/ family/")
@click.argument("folders", metavar="FOLDER...", type=FOLDER, nargs=-1, required=True)
@click.option("--rounds", type=AT_LEAST_ONE, default=5, show_default=True, help=ROUNDS_HELP)
def evaluate_strangers(*, folders: tuple[Path, ...], rounds: int) -> None:
    """Measure on all FOLDERs together how well unknown people are grouped across videos.

    A FOLDER is laid out as for `evaluate`; photos are made into films. Prints a Markdown table.
    """
    settings = Settings.from_env()
    engine, second = load_chosen_engine(settings), open_second(settings.engine_options)
    sets = read_sets(folders, engine, _report)
    sources = [source for one in sets for source in one.dataset.sources]
    click.echo(
        render_stranger_films(measure_stranger_films(sources, second, rounds=rounds)), nl=False
    )


@click.command(epilog="Example: python -m tools calibrate friends/ family/ > densities.json")
@click.argument("folders", metavar="FOLDER...", type=FOLDER, nargs=-1, required=True)
@click.option("--description", help="Describes the folders to readers of the fit.")
@click.option("--into", type=PathType(), help=INTO_HELP)
@model_option(f"{MODEL_HELP} Fits it, and writes the fit.")
@table_option
def calibrate(
    *,
    folders: tuple[Path, ...],
    description: str | None,
    into: Path | None,
    model: Path | None,
    table: bool,
) -> None:
    """Fit how far apart faces of one person and of strangers are, on all FOLDERs together; test it.

    A FOLDER is laid out as for `evaluate`. To be useful they need at least ten people, each with
    several photos from different days; people with one photo count as strangers. With --model it
    also fits how your own net is put beside dlib's, and the net can be used from then on.
    """
    settings = _nets_of(Settings.from_env(), model)[-1]
    own = settings.second_encoder if isinstance(settings.second_encoder, Path) else None
    if into is not None and not own and not into.is_dir():
        raise click.UsageError(f"--into names {into}, which is no folder.")
    fit_file = _fit_file(own, into) if own and (model or into) else None
    _refuse_other_fits(fit_file, into)
    engine, net = _load(settings, needs_fit=False)
    everyone = add_mixed(read_sets(folders, engine, _report))[-1].dataset
    fitted = fit_and_compare(
        everyone,
        engine.encoder.model,
        fitted_on=description or ", ".join(folder.resolve().name for folder in folders),
        on=datetime.now(tz=UTC).date(),
        net=net,
    )
    if fit_file and fitted.fit:
        with replaced(fit_file.resolve()) as new:
            write_fit(fitted.fit, new)
        _report(f"wrote {fit_file}")
    elif into is not None:
        _write_densities(fitted.densities, into)
    if table:
        click.echo(render_calibration(fitted))
    else:
        print_json(fitted.to_json())


def _write_densities(fitted: Sequence[Densities], into: Path) -> None:
    for densities in fitted:
        with replaced((into / file_of(densities.model)).resolve()) as new:
            write_densities(densities, new)


def _fit_file(model: Path, into: Path | None) -> Path:
    """Return where to write the fit of an own net, before minutes are spent on it.

    Raises:
        UnusableSourceError: nothing can be written there.
    """
    usual = read_description(model).fit
    file = usual if into is None else into / usual.name if into.is_dir() else into
    if not os.access(file.parent, os.W_OK):
        raise UnusableSourceError(
            f"{file} cannot be written. Name another folder or file with --into."
        )
    return file


def _refuse_other_fits(fit: Path | None, into: Path | None) -> None:
    """Check that no file of the user's is where something fitted will be written."""
    files = (
        [fit]
        if fit
        else [into / file_of(one) for one in (PRIMARY.id, BOTH.space.id, BOTH_BEFORE.space.id)]
        if into
        else []
    )
    refuse_others(files, OF_FITS)


@click.command(epilog="Example: python -m tools audit --table")
@gallery_option
@table_option
def audit(store: Store, table: bool) -> None:  # noqa: FBT001  # as above
    """Find photos under a wrong name, unlike the rest or enrolled twice, and performers alike."""
    with store.gallery() as gallery:
        snapshot = gallery.snapshot(PRIMARY, known_fusions(None))
    found = audit_gallery(snapshot)
    if table:
        click.echo(render_audit(found))
    else:
        print_json(found.to_json())
