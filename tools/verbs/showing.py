"""`list`, `show`, `journal`: what is in a gallery, and what was done to it."""

from dataclasses import asdict

import click

from db.galleries import Store
from tools.verbs.shared import gallery_option, print_json


@click.command("list", epilog="Example: python -m tools list --db performers.db")
@gallery_option
def list_performers(store: Store) -> None:
    """List everyone in the gallery."""
    with store.gallery() as gallery:
        print_json([asdict(performer) for performer in gallery.performers()])


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
