"""Has a task for Stash done: by the server, if it runs, else by this process until it is done."""

import sys
import threading
from functools import partial
from typing import Any

import click
from tqdm import tqdm

from db.galleries import Store
from db.ledgers import Ledger
from db.tasks import Task
from function.library.jobs import add_wanted
from function.settings import Settings
from function.stash.connection import require_connection
from function.stash.queueing import UNDER_WAY, is_undo_of_run, queue_task
from function.stash.tasks import Workplace
from function.stash.worker import work_on
from tools.verbs.shared import print_json

LOOKED_AT_EVERY_SECONDS = 0.5
WATCHING = "The server does it; this is its progress. Ctrl-C stops watching, not the work."
GOES_ON = "Stopped. It goes on when the server starts, or with the next of these commands."
QUEUED = "It is queued: the server does it, as soon as it runs."


def queue_only(ledger: Ledger, task: Task) -> None:
    """Queue a task for the server, and say so."""
    queued = queue_task(ledger, task)
    print_json({"task": queued.id})
    is_under_way = not queued.is_new and is_undo_of_run(task)
    click.echo(UNDER_WAY if is_under_way else QUEUED, err=True)


def workplace_of(settings: Settings, store: Store, ledger: Ledger) -> Workplace:
    """Return where a task is done: what it reads, and what it writes into.

    Raises:
        NotConnectedError: nobody has said where Stash is.
    """
    connection = require_connection(settings)
    return Workplace(settings, store, ledger, connection, partial(add_wanted, ledger))


def do_now(ledger: Ledger, settings: Settings, store: Store, task: Task) -> Task:
    """Queue a task, and do it or watch the server doing it; return how it ended.

    Raises:
        ClickException: it failed.
    """
    place = workplace_of(settings, store, ledger)
    queued = queue_task(ledger, task)
    if not queued.is_new and is_undo_of_run(task):
        click.echo(UNDER_WAY, err=True)
    try:
        with tqdm(total=0, file=sys.stderr, delay=0.5, leave=False) as bar:
            done = _follow(ledger, place, queued.id, bar)
    except KeyboardInterrupt:
        raise click.ClickException(GOES_ON) from None
    if done.state == "failed":
        raise click.ClickException(done.text)
    return done


def _follow(ledger: Ledger, place: Workplace, number: int, bar: "tqdm[Any]") -> Task:
    is_told = False
    while True:
        with ledger.tasks.working() as is_ours:
            # What was asked for before comes first.
            while is_ours and (task := ledger.tasks.next()):
                work_on(task, ledger, lambda: place, threading.Event(), lambda it: _show(bar, it))
        task = ledger.tasks.find(number)
        if task is None:
            raise click.ClickException("Somebody removed it from the library.")
        if task.state in ("done", "failed"):
            return task
        if not is_told:
            click.echo(WATCHING, err=True)
            is_told = True
        _show(bar, task)
        threading.Event().wait(LOOKED_AT_EVERY_SECONDS)


def _show(bar: "tqdm[Any]", task: Task) -> None:
    bar.total = task.of
    bar.set_description(task.text if task.state == "waiting" else task.kind, refresh=False)
    bar.update(task.done - bar.n)
