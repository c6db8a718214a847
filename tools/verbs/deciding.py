"""`decide`, `decisions`: what the user says of people in videos."""

from itertools import islice
from pathlib import Path

import click

from db.addresses import StoreAddress
from db.decisions import DecisionKind
from db.galleries import Store
from db.ledgers import Ledger
from db.names import escape_unprintable
from db.records import Performer
from function.library.decisions import decide as store_decision
from function.library.finding import find_ids, text_of
from function.library.forgetting import open_library
from function.library.lists import name_of
from function.library.naming import open_naming
from function.library.said import Said, said_of
from function.library.taking_back import drop_damaged, take_back
from function.matching.second_models import open_second
from function.settings import Settings
from tools.verbs.results import match_again, open_today
from tools.verbs.shared import (
    NUMBER,
    PathType,
    gallery_option,
    library_option,
    print_json,
    way_back,
)

LISTED_AT_ONCE = 500
"""The people of so many videos are in memory at a time."""


@click.command(epilog='Example: python -m tools decide film.mp4 3 --confirm "Grace Hopper"')
@click.argument("video", type=PathType())
@click.argument("person", type=int)
@click.option("--confirm", "confirmed", metavar="PERFORMER", help="It is this performer.")
@click.option("--reject", "rejected", metavar="PERFORMER", help="It is not this performer.")
@click.option("--ignore", "ignored", is_flag=True, help="It does not matter who it is.")
@library_option
@gallery_option
def decide(  # each is an option
    video: Path,
    person: int,
    store: Store,
    library: StoreAddress,
    *,
    confirmed: str | None,
    rejected: str | None,
    ignored: bool,
) -> None:
    """Say who PERSON in VIDEO is or is not; PERSON is the number that `results` prints.

    It stays so whatever is scanned or matched later; `decisions --undo` takes it back.
    """
    if sum((confirmed is not None, rejected is not None, ignored)) != 1:
        raise click.UsageError("Give one of --confirm PERFORMER, --reject PERFORMER, --ignore.")
    kind: DecisionKind = "ignored" if ignored else "rejected" if confirmed is None else "confirmed"
    settings = Settings.from_env()
    with open_library(library, store, create=False) as ledger:
        match_again(ledger, open_today(store))  # or the numbers would be those of another day
        named = _find_performer(store, rejected if confirmed is None else confirmed)
        naming = open_naming(store, open_second(settings.engine_options), settings)
        found = _find_video(ledger, video)
        number = store_decision(ledger, naming.gallery, (found, person), kind, named)
        match_again(ledger, open_today(store))
    print_json({"decision": number, "undo": way_back("decisions", "--undo", number)})


def _find_performer(store: Store, name: str | None) -> Performer | None:
    if name is None:
        return None
    with store.gallery() as gallery:
        return gallery.find_performer(name)


def _find_video(ledger: Ledger, path: Path) -> int:
    found = find_ids(ledger, path)
    if not found:
        name = escape_unprintable(text_of(bytes(path)))
        trouble = "was not scanned, or was changed since" if path.exists() else "is not there"
        raise click.ClickException(f"{name} {trouble}. `results` lists what was scanned.")
    return next(iter(found))


@click.command(epilog="Example: python -m tools decisions --undo 12")
@click.option("--undo", type=NUMBER, metavar="ID", help="Take this one back.")
@click.option("--drop", type=NUMBER, metavar="ID", help="Drop this one, which is damaged.")
@library_option
@gallery_option
def decisions(store: Store, library: StoreAddress, *, undo: int | None, drop: int | None) -> None:
    """List what you decided about people in videos, or take a decision back.

    One that a bad disk damaged no longer counts. Take it back and decide again; if it is so damaged
    that what it enrolled cannot be taken back with it, drop it.
    """
    if undo is not None and drop is not None:
        raise click.UsageError("Give one of --undo ID, --drop ID.")
    with open_library(library, store, create=False) as ledger:
        number = undo if drop is None else drop
        if number is not None:
            changed = _drop(ledger, number) if undo is None else _undo(ledger, store, number)
            if changed is None:
                raise click.ClickException(
                    f"There is no decision {number}. `decisions` lists them."
                )
            match_again(ledger, open_today(store))
            print_json(changed)
            return
        match_again(ledger, open_today(store))  # or the numbers would be those of another day
        gallery = open_today(store).gallery
        latest = ledger.latest_decisions()
        listed = []
        while batch := list(islice(latest, LISTED_AT_ONCE)):
            listed += [
                _describe(one) for one in said_of(ledger, batch, gallery.performers, gallery.model)
            ]
        print_json(listed[::-1])


def _undo(ledger: Ledger, store: Store, number: int) -> dict[str, int] | None:
    views = take_back(ledger, store, number)
    return None if views is None else {"taken_back": number, "views": views}


def _drop(ledger: Ledger, number: int) -> dict[str, int] | None:
    return {"dropped": number} if drop_damaged(ledger, number) else None


def _describe(said: Said) -> dict[str, object]:
    decision = said.decision
    return {
        "id": decision.id,
        "kind": decision.kind,
        "at": decision.at,
        "path": name_of(said.video),
        "person": said.position,
        "performer": said.performer.name if said.performer else None,
        "appearances": [[round(start, 3), round(end, 3)] for start, end in said.appearances],
        "pictures": list(said.pictures),
        "damaged": list(decision.damaged),
    }
