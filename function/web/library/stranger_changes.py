"""Changes of strangers that a request asks for: named, hidden, split and joined."""

from collections.abc import Generator, Iterator
from typing import Any, TypedDict

import flask
from flask import Request, Response

from db.corrections import Correction
from db.galleries import Gallery
from db.records import Performer
from db.strangers import Joined, Stranger
from function.errors import (
    BadParameterError,
    CorrectionRefusedError,
    NameTakenError,
    UnknownStrangerError,
)
from function.library.enrolment import (
    Filled,
    enrol_stranger,
    filled_in,
    find_enrolled,
    new_from_library,
)
from function.library.rematching import VIDEOS_AT_ONCE, rematch_videos
from function.library.strangers import describe
from function.web.library.shelf import Library, Shelf
from function.web.library.sightings import read_sighting, sighting_of
from function.web.library.strangers import find_stranger
from function.web.ndjson import lines_response, wants_lines
from function.web.page.open_gallery import changed_gallery, find_namesakes, opened_gallery
from function.web.page_requests import read_fields, read_name, read_optional
from function.web.responses import json_response
from function.web.results import RecentResults
from function.web.service import Service


class FillingReply(TypedDict):
    """In how many of a stranger's videos the name was looked for so far, of how many."""

    done: int
    of: int


class NamedReply(TypedDict):
    """Who was enrolled from how many views, and in how many of the stranger's videos that shows.

    `correction` takes it back: POST /corrections/undo.
    """

    performer: int
    name: str
    views: int
    videos: int
    filled_in: int
    uncertain: int
    still_unknown: int
    correction: str


class UnnamedReply(TypedDict):
    """Whose views from the library were removed, and how many."""

    performer: int
    name: str
    views: int


class IgnoredReply(TypedDict):
    """Whether a stranger is hidden."""

    id: int
    ignored: bool


class SplitReply(TypedDict):
    """The stranger, and who was taken out."""

    id: int
    new_id: int


class JoinedReply(TypedDict):
    """The stranger, and the sightings that were the other's: splitting those takes it back."""

    id: int
    joined: list[str]


def answer_name(
    service: Service, results: RecentResults, shelf: Shelf, request: Request
) -> Response:
    """Enrol a stranger's best views, and fill the name in wherever they are seen.

    Of a stranger in thousands of videos that takes seconds: a caller who asks for lines is told how
    far it is, `{"filling": ...}`, and `{"named": ...}` at last.

    Raises:
        UnknownStrangerError: there is none of that id, or no longer.
        NameTakenError: somebody has the name, and neither `same` nor `new` says who is meant.
        CorrectionRefusedError: the name was forgotten, or no view is good enough.
    """
    number, name = read_fields(request, stranger=int, name=str)
    same, is_new = read_optional(request, same=int, new=bool)
    with shelf.grouped_library() as library:
        stranger = find_stranger(library, number)
        with opened_gallery(service) as gallery:
            performer = _choose_performer(gallery, name, same, is_new=bool(is_new))
        (found,) = describe(library.ledger, [stranger])
        with changed_gallery(service) as changed:
            done = enrol_stranger(changed, performer, found)
    events = _fill_in(shelf, stranger, done, results.keep_correction(done))
    if wants_lines(request):
        return lines_response(events, flask.g.record)
    *_, last = events
    return json_response(last["named"])


def _fill_in(
    shelf: Shelf, stranger: Stranger, done: Correction, correction: str
) -> Generator[dict[str, Any]]:
    """Yield how far it is, and in how many videos the name is at last."""
    with shelf.library(0) as library:  # the other videos are matched by what is asked next
        for filling in _match_again(library, stranger):
            yield {"filling": filling}
        filled = filled_in(library.ledger, stranger.places, done.performer.id)
    yield {"named": _say_named(filled, done, correction)}


def _say_named(filled: Filled, done: Correction, correction: str) -> NamedReply:
    return NamedReply(
        performer=done.performer.id,
        name=done.performer.name,
        views=len(done.photo_hashes),
        videos=filled.videos,
        filled_in=filled.named,
        uncertain=filled.uncertain,
        still_unknown=filled.unknown,
        correction=correction,
    )


def _match_again(library: Library, stranger: Stranger) -> Iterator[FillingReply]:
    videos = sorted({place.video for place in stranger.places})
    for start in range(0, len(videos), VIDEOS_AT_ONCE):
        yield FillingReply(done=start, of=len(videos))
        rematch_videos(library.ledger, library.naming, videos[start : start + VIDEOS_AT_ONCE])


def answer_unname(service: Service, shelf: Shelf, request: Request) -> Response:
    """Remove what was enrolled of a performer from the library: they are unknown again there.

    Raises:
        UnknownPerformerError: there is no such performer.
        CorrectionRefusedError: nothing of them comes from the library.
    """
    (number,) = read_fields(request, performer=int)
    with changed_gallery(service) as gallery:
        done = find_enrolled(gallery, gallery.performer(number))
        if not done.photo_hashes:
            raise CorrectionRefusedError(
                f"Nothing of {done.performer.name} was enrolled from the library."
            )
        gallery.undo(done)
    with shelf.library():
        pass  # they are unknown from now on
    reply = UnnamedReply(performer=number, name=done.performer.name, views=len(done.photo_hashes))
    return json_response(reply)


def answer_ignore(shelf: Shelf, request: Request) -> Response:
    """Hide a stranger from the list, wherever they are seen from now on; or show them again."""
    number, is_ignored = read_fields(request, stranger=int, ignored=bool)
    with shelf.library() as library:
        find_stranger(library, number)
        library.ledger.strangers.ignore(number, ignored=is_ignored)
    return json_response(IgnoredReply(id=number, ignored=is_ignored))


def answer_split(shelf: Shelf, request: Request) -> Response:
    """Take sightings out of a stranger; they are never joined again unless the user does it.

    Raises:
        UnknownStrangerError: there is no such stranger, or it has no such sighting.
        CorrectionRefusedError: that is all that the stranger is made of.
    """
    number, names = read_fields(request, stranger=int, sightings=list)
    wanted = {read_sighting("sightings", str(name)) for name in names}
    with shelf.library() as library:
        found = find_stranger(library, number)
        if not wanted or not wanted <= set(found.places):
            raise UnknownStrangerError(
                f"Stranger {number} does not have these sightings, or no longer. "
                f"/library/stranger?id={number} lists them."
            )
        if len(wanted) == len(found.places):
            raise CorrectionRefusedError(f"That is all that stranger {number} is made of.")
        new = library.ledger.strangers.split(number, sorted(wanted))
    return json_response(SplitReply(id=number, new_id=new))


def answer_join(shelf: Shelf, request: Request) -> Response:
    """Make two strangers one; the first keeps the id.

    Raises:
        BadParameterError: both are the same.
        UnknownStrangerError: there is none of one of these ids, or no longer.
    """
    kept, other = read_fields(request, kept=int, other=int)
    if kept == other:
        raise BadParameterError("A stranger cannot be joined with itself. Name another.")
    with shelf.library() as library:
        _, absorbed = (find_stranger(library, one) for one in (kept, other))
        library.ledger.strangers.join([Joined(kept, (other,), ())])
    return json_response(JoinedReply(id=kept, joined=[sighting_of(one) for one in absorbed.places]))


def _choose_performer(gallery: Gallery, name: str, same: int | None, *, is_new: bool) -> Performer:
    """Return whom a name stands for: somebody enrolled only if the request says so."""
    if same is not None:
        return gallery.performer(same)
    wanted = read_name(name)
    namesakes = [] if is_new else find_namesakes(gallery, wanted)
    if namesakes:
        raise NameTakenError(
            f"{wanted} is enrolled. If it is the same person, send `same` with the id, one of "
            f"{', '.join(map(str, namesakes))}; if not, send `new`: true.",
            tuple(namesakes),
        )
    return new_from_library(wanted)
