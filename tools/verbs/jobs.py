"""`jobs`: what the scans of a library are doing; pauses, resumes and cancels them."""

from typing import Any

import click

from db.addresses import StoreAddress
from db.galleries import Store
from db.ledgers import Ledger
from function.library.forgetting import open_library
from function.library.jobs import cancel, is_paused, pause, resume, wanted_scans
from tools.verbs.shared import gallery_option, library_option, print_json


@click.command(epilog="Example: python -m tools jobs pause")
@click.argument("action", required=False, type=click.Choice(["pause", "resume", "cancel"]))
@library_option
@gallery_option
def jobs(action: str | None, store: Store, library: StoreAddress) -> None:
    """Show how far the scans are, whoever does them; or pause, resume or cancel them.

    What is cancelled is forgotten, so that the next scan finds it as new. What was found stays.
    """
    with open_library(library, store, create=False) as ledger:
        changed = {"cancelled": cancel(ledger)} if action == "cancel" else {}
        if action == "pause":
            pause(ledger)
        if action == "resume":
            resume(ledger)
        print_json({**changed, **_state_of(ledger)})
    if action == "cancel":
        click.echo("To queue them again: python -m tools scan FOLDER.", err=True)


def _state_of(ledger: Ledger) -> dict[str, Any]:
    with ledger.working() as is_free:
        is_working = not is_free
    return {
        "paused": is_paused(ledger),
        "worker": is_working,
        "to_look_at": [place for one in wanted_scans(ledger) for place in one.places],
        "videos": ledger.counts(kind="video")._asdict(),
        "albums": ledger.counts(kind="album")._asdict(),
    }
