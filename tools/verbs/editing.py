"""`rename`, `merge`, `add-photo`, `remove-photo`, `forget`, `unforget`: changes by hand."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import click

from db.addresses import StoreAddress
from db.counted import counted
from db.errors import ErasureUnfinishedError
from db.galleries import Store
from db.identities import renamed
from db.names import ID_PREFIX, find_complaint, quote, tidy_name
from db.records import EnrolledPhoto, Performer
from function.imports.photos import Demands
from function.library.forgetting import HELD, forget_everywhere, forget_strangers, open_library
from function.library.jobs import chosen_strangers
from function.settings import Settings
from function.sources.records import SourceRecord
from tools.imports.enrol import enrol_all
from tools.imports.imports import follow
from tools.sources.folder import photo_at
from tools.verbs.shared import (
    PathType,
    finish,
    gallery_option,
    library_option,
    load_chosen_engine,
    print_json,
    way_back,
)

LEAST_OF_HASH = 6

YES = click.option("--yes", is_flag=True, help="Do not ask first.")


@click.command(epilog='Example: python -m tools rename 7 "Grace Hopper" --disambiguation admiral')
@click.argument("performer")
@click.argument("name")
@click.option("--disambiguation", help="Tells the performer apart from others with this name.")
@gallery_option
def rename(performer: str, name: str, disambiguation: str | None, store: Store) -> None:
    """Rename a PERFORMER to NAME; later imports keep it, and the old name becomes an alias."""
    with store.changing() as gallery:
        found = gallery.find_performer(performer)
        wanted = renamed(found, tidy_name(name), disambiguation)
        # What else an earlier version enrolled of them stays, and is no fault of this name.
        complaint = find_complaint(Performer(0, wanted.name, wanted.disambiguation))
        if complaint:
            raise click.UsageError(f"This name cannot be used: {complaint}.")
        gallery.rename(found, wanted.name, disambiguation)
        print_json(asdict(gallery.performer(found.id)))
        _tell_namesakes(found.id, gallery.namesakes(wanted))


def _tell_namesakes(performer: int, namesakes: Sequence[Performer]) -> None:
    """Name who else has the name now; whether they are the same person only the user knows."""
    if namesakes:
        others = ", ".join(f"{ID_PREFIX}{one.id}" for one in namesakes)
        command = way_back("merge", f"{ID_PREFIX}{namesakes[0].id}", f"{ID_PREFIX}{performer}")
        click.echo(
            f"{others} had this name already. If that is the same person: {command}", err=True
        )


@click.command(epilog="Example: python -m tools merge 7 12")
@click.argument("kept")
@click.argument("absorbed")
@YES
@gallery_option
def merge(kept: str, absorbed: str, store: Store, *, yes: bool) -> None:
    """Merge two performers: KEPT takes over the ids, aliases and photos of ABSORBED.

    This cannot be undone; `export --bundle FILE` makes a copy of the gallery before.
    """
    with store.changing() as gallery:
        one, other = gallery.find_performer(kept), gallery.find_performer(absorbed)
        if not yes and one.id != other.id:  # which is refused below
            photos = counted(other.encodings, "photo")
            click.confirm(
                f"Merge {other.name} ({other.id}, {photos}) into {one.name} ({one.id}, "
                f"{counted(one.encodings, 'photo')})? This cannot be undone.",
                abort=True,
                err=True,
            )
        print_json(asdict(gallery.merge(one, other)))


@click.command(epilog='Example: python -m tools add-photo "Grace Hopper" portrait.jpg')
@click.argument("performer")
@click.argument("photos", nargs=-1, required=True, type=PathType())
@click.option("--largest-face", is_flag=True, help="If there are several faces, use the largest.")
@gallery_option
def add_photo(
    performer: str, photos: tuple[Path, ...], store: Store, *, largest_face: bool
) -> None:
    """Enrol more PHOTOS of a PERFORMER, including ones that were removed before."""
    with store.changing() as gallery:
        found = gallery.find_performer(performer)
        engine = load_chosen_engine(Settings.from_env())
        gallery.allow_photos(found)
        # Its aliases and addresses stay as they are; an earlier version may have more than we take.
        asked = replace(found, aliases=(), urls=())
        record = SourceRecord(asked, tuple(photo_at(photo) for photo in photos))
        enrolments = enrol_all([record], gallery, engine, Demands(largest_face=largest_face))
        report = follow(enrolments, gallery, kind="photos", total=1)
    finish(report)


@click.command(epilog='Example: python -m tools remove-photo "Grace Hopper" photos/wrong.jpg')
@click.argument("performer")
@click.argument("photo")
@gallery_option
def remove_photo(performer: str, photo: str, store: Store) -> None:
    """Remove a PHOTO of a PERFORMER; no import brings it back, only `add-photo` does.

    PHOTO is its number in the list that `show` prints, its origin, or the beginning of its hash.
    """
    with store.changing() as gallery:
        found = gallery.find_performer(performer)
        before = gallery.photos(found.id)
        gallery.remove_photo(found, _name_photo(before, photo))
        left = {one.hash for one in gallery.photos(found.id)}
        undo = _way_back(found, next(one for one in before if one.hash not in left))
        print_json({"performer": found.name, "photo": photo, "removed": 1, "undo": undo})
        if not left:
            click.echo(f"{found.name} has no photo left, and cannot be recognised.", err=True)


def _way_back(performer: Performer, photo: EnrolledPhoto) -> str:
    """Return the command that adds a removed photo again; "" if its file is not here."""
    try:
        is_here = Path(photo.origin).is_file()
    except (OSError, ValueError):  # an origin may be any text, also one that no file can have
        is_here = False
    return way_back("add-photo", f"id:{performer.id}", photo.origin) if is_here else ""


def _name_photo(photos: Sequence[EnrolledPhoto], asked: str) -> str:
    """Return the origin or the hash of a photo that may be asked for by its number.

    A few digits alone are no beginning of a hash: they would name one by chance.
    """
    if any(one.origin == asked for one in photos):
        return asked
    numbered = {str(number): one.hash for number, one in enumerate(photos, 1)}
    if asked not in numbered and len(asked) < LEAST_OF_HASH:
        raise click.UsageError(
            f"There is no photo {quote(asked)}. `show` lists {len(photos)} with their numbers; "
            f"of a hash at least {LEAST_OF_HASH} digits are needed."
        )
    return numbered.get(asked, asked)


@click.command(epilog='Example: python -m tools forget "Grace Hopper" --yes')
@click.argument("performer", required=False)
@click.option("--strangers", is_flag=True, help="Erase everyone unknown from the library instead.")
@YES
@gallery_option
@library_option
def forget(
    performer: str | None, store: Store, library: StoreAddress, *, strangers: bool, yes: bool
) -> None:
    """Erase a PERFORMER, by name or id, with every encoding and picture.

    The files themselves are overwritten, so nothing can be recovered from them, and no import
    enrols them again until `unforget`. What scans found of them is erased from the library too.
    Copies of the files that you made, and the photos you enrolled from, are not touched.
    """
    if (performer is None) != strangers:
        raise click.UsageError("Say whom: a PERFORMER, or --strangers for everyone unknown.")
    if performer is None:
        _forget_strangers(store, library, yes=yes)
        return
    with store.gallery() as gallery:
        found = gallery.find_performer(performer)
    if not yes:
        photos = counted(found.encodings, "photo")
        click.confirm(
            f"Erase {found.name}, with {photos} and all that scans found of them, for good?",
            abort=True,
            err=True,
        )
    settings = replace(Settings.from_env(), library_db=library)
    sightings = forget_everywhere(store, settings, found.id)
    print_json(
        {
            "forgotten": found.name,
            "encodings": found.encodings,
            "sightings": sightings,
            "backups": store.backups(),
        }
    )


def _forget_strangers(store: Store, library: StoreAddress, *, yes: bool) -> None:
    """Erase everyone unknown from the library."""
    with open_library(library, store, create=False) as ledger:
        if not yes:
            found = len(ledger.strangers.everyone())
            known = f" ({counted(found, 'stranger')} so far)" if found else ""
            click.confirm(
                f"Erase everyone unknown from the library{known} for good? To name them later, the "
                "videos have to be scanned again.",
                abort=True,
                err=True,
            )
        sightings = forget_strangers(ledger)
        chosen = chosen_strangers(ledger)
        if ledger.strangers.is_erasing():
            raise ErasureUnfinishedError(HELD)
    if chosen not in ("", "off"):
        click.echo("Scans still keep them; to stop that: scan --strangers off.", err=True)
    print_json({"forgotten": "strangers", "sightings": sightings})


@click.command(epilog='Example: python -m tools unforget "Grace Hopper"')
@click.argument("name")
@click.option("--disambiguation", default="", help="Their disambiguation, if they had one.")
@gallery_option
def unforget(name: str, disambiguation: str, store: Store) -> None:
    """Allow a performer with this NAME, or this id at a source, to be enrolled again."""
    with store.changing() as gallery:
        gallery.unforget(name, disambiguation)
    print_json({"unforgotten": name})
