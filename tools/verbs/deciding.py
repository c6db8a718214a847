"""`decide`, `decisions`: what the user says of people in videos."""

from pathlib import Path

import click

from db.addresses import StoreAddress
from db.decisions import Decision, DecisionKind
from db.galleries import Store
from db.ledgers import Ledger
from db.names import escape_unprintable
from db.records import Performer
from function.library.decisions import decide as store_decision
from function.library.finding import find_ids, text_of
from function.library.forgetting import open_library
from function.library.lists import name_of
from function.library.naming import open_naming
from function.matching.second_models import open_second
from function.settings import Settings
from tools.verbs.results import match_again, open_today
from tools.verbs.shared import NUMBER, gallery_option, library_option, print_json


@click.command(epilog='Example: python -m tools decide film.mp4 3 --confirm "Grace Hopper"')
@click.argument("video", type=click.Path(path_type=Path))
@click.argument("person", type=int)
@click.option("--confirm", "confirmed", metavar="PERFORMER", help="It is this performer.")
@click.option("--reject", "rejected", metavar="PERFORMER", help="It is not this performer.")
@click.option("--ignore", "ignored", is_flag=True, help="It is of no interest who it is.")
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
    kind: DecisionKind = "confirmed" if confirmed else "rejected" if rejected else "ignored"
    settings = Settings.from_env()
    with open_library(library, store, create=False) as ledger:
        match_again(ledger, open_today(store))  # or the numbers would be those of another day
        named = _find_performer(store, confirmed or rejected)
        naming = open_naming(store, open_second(settings.engine_options), settings)
        found = _find_video(ledger, video)
        number = store_decision(ledger, naming.gallery, (found, person), kind, named)
        match_again(ledger, open_today(store))
    print_json({"decision": number, "undo": f"python -m tools decisions --undo {number}"})


def _find_performer(store: Store, name: str | None) -> Performer | None:
    if name is None:
        return None
    with store.gallery() as gallery:
        return gallery.find_performer(name)


def _find_video(ledger: Ledger, path: Path) -> int:
    found = find_ids(ledger, path)
    if not found:
        name = escape_unprintable(text_of(bytes(path)))
        raise click.ClickException(f"{name} was not scanned. `results` lists what was.")
    return next(iter(found))


@click.command(epilog="Example: python -m tools decisions --undo 12")
@click.option("--undo", type=NUMBER, metavar="ID", help="Take this one back.")
@library_option
@gallery_option
def decisions(store: Store, library: StoreAddress, *, undo: int | None) -> None:
    """List what you decided about people in videos, or take a decision back."""
    with open_library(library, store, create=False) as ledger:
        if undo is not None:
            if not ledger.take_back(undo):
                raise click.ClickException(f"There is no decision {undo}. `decisions` lists them.")
            match_again(ledger, open_today(store))
            print_json({"taken_back": undo})
            return
        with store.gallery() as gallery:
            names = {
                identity: performer.name
                for performer in gallery.performers()
                for identity in performer.identities
            }
        records = list(ledger.iterate())
        made = ledger.decisions([one.id for one in records])
        print_json(
            [
                {
                    **_describe(decision),
                    "path": name_of(one),
                    "performer": next(
                        (names[it] for it in decision.identities if it in names), None
                    ),
                }
                for one in records
                for decision in made[one.id]
            ]
        )


def _describe(decision: Decision) -> dict[str, object]:
    spans = [[round(start, 3), round(end, 3)] for start, end in decision.spans]
    return {"id": decision.id, "kind": decision.kind, "at": decision.at, "spans": spans}
