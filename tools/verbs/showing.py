"""`list`, `show`, `journal`: what is in a gallery, and what was done to it."""

from dataclasses import asdict

import click

from db.counted import counted
from db.galleries import Store
from db.names import escape_unprintable
from db.records import Performer
from tools.verbs.shared import gallery_option, print_json, table_option


@click.command("list", epilog="Example: python -m tools list --table")
@table_option
@gallery_option
def list_performers(store: Store, *, table: bool) -> None:
    """List everyone in the gallery."""
    with store.gallery() as gallery:
        performers = gallery.performers()
    if not table:
        print_json([asdict(performer) for performer in performers])
        return
    for performer in performers:
        click.echo(escape_unprintable(_line_of(performer)))


def _line_of(performer: Performer) -> str:
    """Describe a performer in a line: the number, how many photos, and all names."""
    photos = counted(performer.encodings, "photo")
    known_as = f" ({performer.disambiguation})" if performer.disambiguation else ""
    aliases = f"; also {', '.join(performer.aliases)}" if performer.aliases else ""
    return f"id:{performer.id:<5} {photos:>10}  {performer.name}{known_as}{aliases}"


@click.command(epilog='Example: python -m tools show "Grace Hopper"')
@click.argument("performer")
@gallery_option
def show(performer: str, store: Store) -> None:
    """Show one PERFORMER, by name or id, and where each encoding came from."""
    with store.gallery() as gallery:
        found = gallery.find_performer(performer)
        listed = enumerate(gallery.photos(found.id), 1)
        photos = [{"number": number, **asdict(photo)} for number, photo in listed]
        print_json({**asdict(found), "photos": photos})


@click.command(epilog="Example: python -m tools journal")
@gallery_option
def journal(store: Store) -> None:
    """List what was imported, exported, changed and forgotten, and when (UTC); without names."""
    with store.gallery() as gallery:
        print_json([{"at": at, "verb": verb, **counts} for at, verb, counts in gallery.journal()])
