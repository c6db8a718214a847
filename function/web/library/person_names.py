"""Names one person in a video who is nobody enrolled yet: enrols their views, and confirms it."""

from typing import TypedDict

from flask import Request, Response

from db.records import Performer
from db.strangers import Place, Stranger
from db.videos import VideoRecord
from function.errors import CorrectionRefusedError, UnknownPersonError
from function.library.decisions import decide
from function.library.enrolment import choose_views, enrol_stranger, new_from_library
from function.library.rematching import rematch_videos
from function.library.strangers import StrangerResult
from function.web.library.shelf import Library, Shelf
from function.web.library.sightings import find_video, refuse_rescanned
from function.web.page.open_gallery import (
    changed_gallery,
    opened_gallery,
    refuse_forgotten,
    refuse_taken,
)
from function.web.page_requests import read_fields, read_name, read_optional
from function.web.responses import json_response
from function.web.service import Service


class NamedHereReply(TypedDict):
    """Who was enrolled, from how many views of one person, and the number of a decision.

    POST /library/undecide takes both back.
    """

    performer: int
    views: int
    decision: int


def answer_name_person(service: Service, shelf: Shelf, request: Request) -> Response:
    """Answer `POST /library/name` once somebody in a video is enrolled as somebody new.

    Raises:
        VideoNotFoundError, UnknownPersonError: it is about nobody known.
        NameTakenError: somebody has the name, and `new` does not say that they are two.
        CorrectionRefusedError: the name was forgotten, no view is good enough, or the video was
            scanned again since `scanned_at`.
    """
    oshash, position, name = read_fields(request, oshash=str, person=int, name=str)
    is_new, scanned_at = read_optional(request, new=bool, scanned_at=str)
    with shelf.library() as library:
        video = find_video(library, oshash)
        refuse_rescanned(video, scanned_at)
        performer = _read_new(service, name, is_new=bool(is_new))
        found = _seen(library, video, position)
        with changed_gallery(service) as gallery:
            done = enrol_stranger(gallery, performer, found)
    with shelf.library(0) as library:
        place = (video.id, position)
        made = decide(
            library.ledger,
            library.naming.gallery,
            place,
            "named",
            done.performer,
            photo_hashes=done.photo_hashes,
        )
        rematch_videos(library.ledger, library.naming, [video.id])
    reply = NamedHereReply(
        performer=done.performer.id,
        views=len(done.photo_hashes),
        decision=made,
    )
    return json_response(reply)


def _read_new(service: Service, name: str, *, is_new: bool) -> Performer:
    performer = new_from_library(read_name(name))
    with opened_gallery(service) as gallery:
        refuse_forgotten(gallery, performer)
        if not is_new:
            refuse_taken(gallery, performer)
    return performer


def _seen(library: Library, video: VideoRecord, position: int) -> StrangerResult:
    """Return a person, with whoever was joined to them, as a stranger seen in one video only."""
    leads = {one.position: one.lead for one in library.ledger.outcomes([video.id])[video.id]}
    lead = leads.get(position, position)
    sightings = tuple(
        one
        for one in library.ledger.sightings([video.id])[video.id]
        if leads.get(one.position, one.position) == lead
    )
    if not sightings:
        raise UnknownPersonError(f"There is no person {position} in this video. Look at it again.")
    places = tuple(Place(video.id, one.position) for one in sightings)
    found = StrangerResult(Stranger(0, ignored=False, places=places), (video,), sightings)
    if not choose_views(found):
        raise CorrectionRefusedError(
            "This person was never seen well enough to be enrolled. Add a photo instead."
        )
    return found
