"""`list`, `show`, `journal`: what is in a gallery, and what was done to it."""

from dataclasses import asdict
from pathlib import Path

import click

from db.sqlite import notes
from db.sqlite.edits import photos_of
from db.sqlite.gallery import SqliteGallery
from tools.verbs.shared import gallery_option, print_json


@click.command("list", epilog="Example: python -m tools list --db performers.db")
@gallery_option
def list_performers(db_path: Path) -> None:
    """List everyone in the gallery."""
    with SqliteGallery(db_path) as gallery:
        print_json([asdict(performer) for performer in gallery.performers()])


@click.command(epilog='Example: python -m tools show "Grace Hopper"')
@click.argument("performer")
@gallery_option
def show(performer: str, db_path: Path) -> None:
    """Show one PERFORMER, by name or id, and where each encoding came from."""
    with SqliteGallery(db_path) as gallery:
        found = gallery.find_performer(performer)
        photos = [asdict(photo) for photo in photos_of(gallery, found)]
        print_json({**asdict(found), "photos": photos})


@click.command(epilog="Example: python -m tools journal")
@gallery_option
def journal(db_path: Path) -> None:
    """List what was imported, exported, changed and forgotten, and when (UTC); without names."""
    with SqliteGallery(db_path) as gallery:
        print_json(
            [{"at": at, "verb": verb, **counts} for at, verb, counts in notes.journal(gallery)]
        )
