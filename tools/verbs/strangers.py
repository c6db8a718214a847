"""`strangers`: unknown people of all videos, to be named once for all of them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from db.addresses import StoreAddress
from db.counted import counted
from db.errors import AmbiguousNameError, PerformerNotFoundError
from db.galleries import Gallery, Store
from db.ledgers import Ledger
from db.names import find_name_complaint, read_id, tidy_name
from db.records import Performer
from db.strangers import Joined, Place, Stranger
from function.library.admission import admit_picture
from function.library.enrolment import (
    enrol_stranger,
    filled_in,
    find_enrolled,
    new_from_library,
    pictures_of,
)
from function.library.finding import find_ids
from function.library.forgetting import UNKEPT, open_library
from function.library.jobs import chosen_strangers
from function.library.lists import name_of
from function.library.naming import Naming
from function.library.strangers import StrangerResult, by_videos, describe
from function.settings import Settings
from tools.replacing import refuse_others, write_whole
from tools.verbs.results import group_strangers, match_again, open_today
from tools.verbs.shared import (
    NUMBER,
    PathType,
    gallery_option,
    library_option,
    print_json,
    way_back,
)

USUAL_LIMIT = 50

NOT_KEPT = (
    "People you did not enrol are not kept. To list them here, scan again and keep them: "
    "python -m tools scan --strangers keep --again."
)

OWNER_ONLY = 0o600
"""Nobody else may see the faces, as in the ledger."""

_SAID = b"A stranger's face, by performer-video-recognition"
COMMENT = b"\xff\xfe" + (len(_SAID) + 2).to_bytes(2) + _SAID
"""A JPEG's comment: by it the next run tells its own pictures from the user's."""


@click.group(invoke_without_command=True, epilog="Example: python -m tools strangers --limit 10")
@click.option(
    "--limit", type=click.IntRange(1), default=USUAL_LIMIT, show_default=True, help="List so many."
)
@click.option("--ignored", is_flag=True, help="List those who are hidden.")
@click.option("--pictures", type=PathType(file_okay=False), help="Write faces here.")
@library_option
@gallery_option
@click.pass_context
def strangers(
    context: click.Context, /, store: Store, library: StoreAddress, **options: Any
) -> None:
    """List the unknown people of all videos, those seen in most videos first.

    With --pictures DIR the best face of each is written there, as ID.jpg.
    """
    if context.invoked_subcommand:
        return
    with _opened(library, store) as (ledger, _):
        chosen = Settings.from_env().strangers or chosen_strangers(ledger)
        known = ledger.strangers.everyone()
        wanted = [one for one in known if one.ignored == options["ignored"]]
        shown = list(describe(ledger, by_videos(wanted)[: options["limit"]]))
    if options["pictures"]:
        _write_pictures(shown, options["pictures"])
    if len(wanted) > len(shown):
        click.echo(f"{len(shown)} of {len(wanted)} are listed; --limit lists more.", err=True)
    if not known and chosen in UNKEPT:
        click.echo(NOT_KEPT, err=True)
    print_json([_to_json(one) for one in shown])


@strangers.command(epilog='Example: python -m tools strangers name 7 "Grace Hopper"')
@click.argument("stranger", type=NUMBER)
@click.argument("name")
@click.option("--yes", is_flag=True, help="If the name is enrolled, it is the same person.")
@click.option("--new", is_flag=True, help="If the name is enrolled, it is somebody else.")
@library_option
@gallery_option
def name(stranger: int, name: str, store: Store, library: StoreAddress, **options: bool) -> None:
    """Enrol a STRANGER's best views as NAME, and fill the name in wherever they are seen."""
    with _opened(library, store) as (ledger, naming):
        (found,) = describe(ledger, [ledger.strangers.find(stranger)])
        with store.gallery() as gallery:
            performer = _choose_performer(gallery, name, **options)
            # `unname` would take those back, too.
            had_views = bool(find_enrolled(gallery, performer).photo_hashes)
        with store.changing() as gallery:
            done = enrol_stranger(gallery, performer, found)
        match_again(ledger, open_today(store))
        filled = filled_in(ledger, found.stranger.places, done.performer.id)
        own = {place.video for place in found.stranger.places}
        number = f"id:{done.performer.id}"
        everywhere = ledger.ids_of_performer(naming.gallery.generation[0], done.performer.id)
        print_json(
            {
                "named": done.performer.name,
                "performer_id": str(done.performer.id),
                "views": len(done.photo_hashes),
                "videos": filled.videos,
                "filled_in": filled.named,
                "uncertain": filled.uncertain,
                "still_unknown": filled.unknown,
                "in_other_videos": len(everywhere - own),
                "undo": "" if had_views else way_back("strangers", "unname", number),
            }
        )


@strangers.command(epilog='Example: python -m tools strangers unname "Grace Hopper"')
@click.argument("performer")
@library_option
@gallery_option
def unname(performer: str, store: Store, library: StoreAddress) -> None:
    """Take back what was enrolled of a PERFORMER from the library: they are unknown again there."""
    with open_library(library, store, create=False) as ledger:
        match_again(ledger, open_today(store))
        with store.changing() as gallery:
            found = gallery.find_performer(performer)
            pictures = pictures_of(ledger, gallery.generation()[0], found)
            done = find_enrolled(gallery, found, pictures)
            gallery.undo(done)
        naming = open_today(store)
        match_again(ledger, naming)
        group_strangers(ledger, naming)  # so that the id is there at once
        print_json({"unnamed": done.performer.name, "views": len(done.photo_hashes)})


@strangers.command(epilog="Example: python -m tools strangers ignore 7")
@click.argument("stranger", type=NUMBER)
@click.option("--undo", is_flag=True, help="List them again.")
@library_option
@gallery_option
def ignore(stranger: int, store: Store, library: StoreAddress, *, undo: bool) -> None:
    """Hide a STRANGER from the list, wherever they are seen from now on."""
    with open_library(library, store, create=False) as ledger:
        ledger.strangers.find(stranger)
        ledger.strangers.ignore(stranger, ignored=not undo)
        back = way_back("strangers", "ignore", stranger, *([] if undo else ["--undo"]))
        print_json({"id": stranger, "ignored": not undo, "undo": back})


@strangers.command(epilog="Example: python -m tools strangers split 7 /videos/film.mp4")
@click.argument("stranger", type=NUMBER)
@click.argument("what", nargs=-1, required=True)
@library_option
@gallery_option
def split(stranger: int, what: tuple[str, ...], store: Store, library: StoreAddress) -> None:
    """Take a sighting, or all of a video, out of a STRANGER; they are never joined again.

    WHAT is the path of a video, or a sighting such as 12.0, as the list has it. Several become one
    new stranger.
    """
    with open_library(library, store, create=False) as ledger:
        found = ledger.strangers.find(stranger)
        chosen = _choose_places(ledger, found, what)
        new = ledger.strangers.split(stranger, chosen)
        back = way_back("strangers", "join", stranger, new)
        print_json({"id": stranger, "new_id": new, "sightings": len(chosen), "undo": back})


@strangers.command(epilog="Example: python -m tools strangers join 7 12")
@click.argument("kept", type=NUMBER)
@click.argument("other", type=NUMBER)
@library_option
@gallery_option
def join(kept: int, other: int, store: Store, library: StoreAddress) -> None:
    """Make two strangers one: KEPT takes over where OTHER was seen, also after a split.

    `split` takes it back.
    """
    if kept == other:
        raise click.UsageError("A stranger cannot be joined with itself. Name another.")
    with open_library(library, store, create=False) as ledger:
        found = [ledger.strangers.find(one) for one in (kept, other)]
        ledger.strangers.join([Joined(kept, (other,), ())])
        moved = map(sighting_of, found[1].places)
        back = way_back("strangers", "split", kept, *moved)
        sightings = sum(len(one.places) for one in found)
        print_json({"id": kept, "sightings": sightings, "undo": back})


@contextmanager
def _opened(library: StoreAddress, store: Store) -> Iterator[tuple[Ledger, Naming]]:
    """Open the library, matched with today's gallery, and everyone unknown grouped."""
    with open_library(library, store, create=False) as ledger:
        naming = open_today(store)
        match_again(ledger, naming)
        group_strangers(ledger, naming)
        yield ledger, naming


def _choose_performer(gallery: Gallery, name: str, *, yes: bool, new: bool) -> Performer:
    """Return whom a name stands for; if somebody has it, that is asked."""
    found: Performer | None = None
    try:
        found = gallery.find_performer(name)
    except AmbiguousNameError:
        if not new:
            raise
    except PerformerNotFoundError:
        if read_id(name):
            raise
    if found is None or new:
        complaint = find_name_complaint(name)
        if complaint:
            raise click.UsageError(f"This name cannot be used: {complaint}.")
        return new_from_library(tidy_name(name))
    if not yes:
        click.confirm(
            f"{found.name} (id:{found.id}) is enrolled, with "
            f"{counted(found.encodings, 'photo')}. Is this the same person? (If not, use --new.)",
            abort=True,
            err=True,
        )
    return found


def _choose_places(ledger: Ledger, stranger: Stranger, asked: Sequence[str]) -> list[Place]:
    chosen: set[Place] = set()
    for what in asked:
        videos = find_ids(ledger, Path(what))
        found = [one for one in stranger.places if one.video in videos or sighting_of(one) == what]
        if not found:
            raise click.UsageError(
                f"Stranger {stranger.id} has no video and no sighting {what}. "
                "`python -m tools strangers` lists them."
            )
        chosen.update(found)
    if len(chosen) == len(stranger.places):
        raise click.UsageError(f"That is all that stranger {stranger.id} is made of.")
    return sorted(chosen)


def sighting_of(place: Place) -> str:
    """Name a sighting, by its video's number and its own in there."""
    return f"{place.video}.{place.position}"


def _to_json(found: StrangerResult) -> dict[str, Any]:
    paths = {video.id: name_of(video) for video in found.videos}
    return {
        "id": found.stranger.id,
        "videos": list(paths.values()),
        "faces": found.faces,
        "ignored": found.stranger.ignored,
        "sightings": [
            {
                "sighting": sighting_of(Place(one.video, one.position)),
                "path": paths[one.video],
                "seconds": round(one.person.best_seconds, 3),
                "faces": one.person.faces,
            }
            for one in found.sightings
        ],
    }


def _write_pictures(shown: list[StrangerResult], folder: Path) -> None:
    files: dict[Path, bytes] = {}
    known: set[bytes] = set()  # which earlier versions wrote as they were
    for one in shown:
        admitted = (admit_picture(sighting.person.picture) for sighting in one.sightings)
        pictures = [picture for picture in admitted if picture]
        known.update(pictures)
        for picture in pictures[:1]:
            files[folder / f"{one.stranger.id}.jpg"] = picture[:2] + COMMENT + picture[2:]
    refuse_others(files, COMMENT, known)
    folder.mkdir(parents=True, exist_ok=True)
    for file, content in files.items():
        write_whole(file, content, OWNER_ONLY)
