"""`rename`, `merge`, `add-photo`, `remove-photo`, `forget`, `unforget`: changes by hand."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import click

from db.errors import GalleryMissingError
from db.names import find_complaint
from db.sqlite import edits, forgetting
from db.sqlite.gallery import SqliteGallery
from db.sqlite.writers import only_writer
from function.settings import Settings
from tools.imports.enrol import enrol_all
from tools.imports.imports import follow
from tools.imports.portraits import Demands
from tools.sources import SourceRecord
from tools.sources.folder import photo_at
from tools.verbs.shared import finish, gallery_option, load_chosen_engine, print_json

YES = click.option("--yes", is_flag=True, help="Do not ask first.")


@contextmanager
def gallery_to_change(path: Path) -> Iterator[SqliteGallery]:
    """Open a gallery that exists, with no other writer beside us."""
    if not path.exists():
        # Before the lock leaves its file beside nothing.
        raise GalleryMissingError(f"There is no gallery {path.name}.")
    with only_writer(path), SqliteGallery(path) as gallery:
        yield gallery


@click.command(epilog='Example: python -m tools rename 7 "Grace Hopper" --disambiguation admiral')
@click.argument("performer")
@click.argument("name")
@click.option("--disambiguation", help="What tells them from others of that name.")
@gallery_option
def rename(performer: str, name: str, disambiguation: str | None, db_path: Path) -> None:
    """Call a PERFORMER by another NAME; later imports keep it, the old one is an alias."""
    with gallery_to_change(db_path) as gallery:
        found = gallery.find_performer(performer)
        renamed = edits.renamed(found, name.strip(), disambiguation)
        complaint = find_complaint(renamed)
        if complaint:
            raise click.UsageError(f"That cannot be: {complaint}.")
        edits.rename(gallery, found, renamed.name, disambiguation)
        print_json(asdict(gallery.find_performer(str(found.id))))


@click.command(epilog="Example: python -m tools merge 7 12")
@click.argument("kept")
@click.argument("absorbed")
@YES
@gallery_option
def merge(kept: str, absorbed: str, db_path: Path, *, yes: bool) -> None:
    """Make one performer of two: KEPT takes over the ids, aliases and photos of ABSORBED."""
    with gallery_to_change(db_path) as gallery:
        one, other = gallery.find_performer(kept), gallery.find_performer(absorbed)
        if not yes:
            click.confirm(
                f"Make {other.name} ({other.id}) a part of {one.name} ({one.id})?",
                abort=True,
                err=True,
            )
        print_json(asdict(edits.merge(gallery, one, other)))


@click.command(epilog='Example: python -m tools add-photo "Grace Hopper" portrait.jpg')
@click.argument("performer")
@click.argument("photos", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--largest-face", is_flag=True, help="Of several faces take the largest.")
@gallery_option
def add_photo(
    performer: str, photos: tuple[Path, ...], db_path: Path, *, largest_face: bool
) -> None:
    """Enrol more PHOTOS of a PERFORMER, also ones that were removed before."""
    with gallery_to_change(db_path) as gallery:
        found = gallery.find_performer(performer)
        engine = load_chosen_engine(Settings.from_env())
        edits.allow_photos(gallery, found)
        record = SourceRecord(found, tuple(photo_at(photo) for photo in photos))
        enrolments = enrol_all([record], gallery, engine, Demands(largest_face=largest_face))
        report = follow(enrolments, gallery, kind="photos", total=1)
    finish(report)


@click.command(epilog='Example: python -m tools remove-photo "Grace Hopper" photos/wrong.jpg')
@click.argument("performer")
@click.argument("photo")
@gallery_option
def remove_photo(performer: str, photo: str, db_path: Path) -> None:
    """Take a PHOTO of a PERFORMER out, named by its origin or hash; no import brings it back."""
    with gallery_to_change(db_path) as gallery:
        found = gallery.find_performer(performer)
        removed = edits.remove_photo(gallery, found, photo)
        print_json({"performer": found.name, "removed": removed})


@click.command(epilog='Example: python -m tools forget "Grace Hopper" --yes')
@click.argument("performer")
@YES
@gallery_option
def forget(performer: str, db_path: Path, *, yes: bool) -> None:
    """Erase a PERFORMER, by name or id, with every encoding and picture.

    The file itself is rewritten, so nothing can be read back from it, and no import enrols them
    again until `unforget`. Copies of the file that you made remain, and the photos you enrolled
    from are not touched.
    """
    with gallery_to_change(db_path) as gallery:
        found = gallery.find_performer(performer)
        if not yes:
            click.confirm(
                f"Erase {found.name} and {found.encodings} encodings for good?",
                abort=True,
                err=True,
            )
        forgetting.forget(gallery, found)
    backups = sorted(path.name for path in db_path.parent.glob(f"{db_path.name}.before-*"))
    if backups:
        click.echo(f"Backups still hold them: {', '.join(backups)}. Delete those too.", err=True)
    print_json({"forgotten": found.name, "encodings": found.encodings, "backups": backups})


@click.command(epilog='Example: python -m tools unforget "Grace Hopper"')
@click.argument("name")
@click.option("--disambiguation", default="", help="The one they had, if any.")
@gallery_option
def unforget(name: str, disambiguation: str, db_path: Path) -> None:
    """Allow imports to enrol a performer of this NAME, or with this id at a source, again."""
    with gallery_to_change(db_path) as gallery:
        forgetting.unforget(gallery, name, disambiguation)
    print_json({"unforgotten": name})
