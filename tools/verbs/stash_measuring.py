"""`evaluate --from-stash`: how right the answers are on the scenes that the user tagged."""

from collections.abc import Iterator

import click

from db.addresses import StoreAddress
from db.galleries import Store
from function.library.forgetting import open_library
from function.library.naming import open_naming
from function.matching.second_models import open_second
from function.stash.connection import require_connection
from function.stash.notes import may_be_unknown, unknown_since
from function.stash.paths import locator
from function.stash.planning import SURE_SCORE
from function.stash.records import Scene, SceneFilter
from function.stash.tagged import said_of_unknown
from tools.accuracy.tagged_scenes import Judge, render, scenes_that_enrolled, to_json
from tools.verbs.shared import Verb, gallery_option, library_option, print_json
from tools.verbs.stash_verbs import settings_for


def or_from_stash(verb: Verb) -> Verb:
    """Let a verb that measures on folders measure on the user's tagged scenes instead."""

    def measured(*, from_stash: bool, library: StoreAddress, store: Store, **rest: object) -> None:
        if from_stash:
            measure_stash(store, library, table=bool(rest["table"]))
        elif rest["folders"]:
            verb(**rest)
        else:
            raise click.UsageError("Name a FOLDER, or measure on your Stash with --from-stash.")

    measured.__doc__, measured.__name__ = verb.__doc__, verb.__name__
    told = "Measure on the scenes that you tagged in your Stash, and that were scanned."
    flag = click.option("--from-stash", is_flag=True, help=told)
    wrapped: Verb = flag(library_option(gallery_option(measured)))
    return wrapped


def measure_stash(store: Store, library: StoreAddress, *, table: bool) -> None:
    """Judge what scans found by the user's tags, and print the figures."""
    settings = settings_for(library)
    connection = require_connection(settings)
    with open_library(library, store, create=False) as ledger:
        naming = open_naming(store, open_second(settings.engine_options), settings)
        with store.gallery() as gallery:
            performers = {one.id: one for one in gallery.performers()}
            enrolled_from = scenes_that_enrolled(gallery, performers.values())
        judge = Judge(ledger, naming, performers, locator(settings, connection), enrolled_from)
        stash = connection.open()
        unknown = unknown_since(ledger, stash)
        left_out = 0

        def trusted() -> Iterator[Scene]:
            nonlocal left_out
            for one in stash.scenes(SceneFilter(with_performers=True)):
                is_unknown = may_be_unknown(one.updated_at, unknown)
                left_out += is_unknown
                if not is_unknown:
                    yield one

        judged = judge.judge(trusted())
    for line in said_of_unknown(left_out, unknown):
        click.echo(line, err=True)
    figures = to_json(judged, performers, SURE_SCORE)
    if table:
        click.echo(render(figures))
    else:
        print_json(figures)
