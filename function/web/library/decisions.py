"""What the user says of people in videos: stores it, lists it, and takes it back."""

from collections.abc import Iterator
from itertools import islice
from typing import TypedDict, cast

from flask import Request, Response

from db.decisions import Decision, DecisionKind
from db.identities import identities_of
from db.ledgers import Ledger
from db.records import Performer
from db.strangers import Place
from db.videos import VideoRecord
from function.errors import BadParameterError, ResultGoneError
from function.library.decisions import decide
from function.library.rematching import rematch_videos
from function.library.said import Said, said_of
from function.library.taking_back import drop_damaged, take_back
from function.web.library.shelf import Library, Shelf, shown_within
from function.web.library.sightings import find_video, label_of, picture_of, refuse_rescanned
from function.web.page.open_gallery import explained_change, opened_gallery
from function.web.page_requests import read_fields, read_number, read_optional
from function.web.responses import json_response
from function.web.service import Service

PAGE_SIZE = 20
LARGEST_PAGE = 200

KINDS: tuple[DecisionKind, ...] = ("confirmed", "rejected", "ignored")
"""What can be said without enrolling anybody; POST /library/name stores the kind that does."""


class DecisionListed(TypedDict):
    """What the user said of a person in a video, and when; `id` is for POST /library/undecide.

    `performer` is None for somebody ignored, or no longer enrolled. `person` is the number in the
    video of whom it is about now, and `picture` the URL of their face on this server; None and
    empty if nobody there fits any more. `appearances` are in seconds; in an album there are
    `pictures`. Both are as when it was said. `damaged` names the parts that a bad disk left
    unreadable; such a decision no longer counts.
    """

    id: int
    kind: DecisionKind
    at: str
    performer: str | None
    performer_id: str | None
    oshash: str
    path: str
    person: int | None
    picture: str
    appearances: list[tuple[float, float]]
    pictures: list[int]
    damaged: list[str]


class DecisionsReply(TypedDict):
    """Some decisions, the newest first; `next` is the `before` of those that follow, or null."""

    decisions: list[DecisionListed]
    next: int | None


class DecidedReply(TypedDict):
    """The number of a decision: POST /library/undecide takes it back."""

    decision: int


class TakenBackReply(TypedDict):
    """The number of the decision that was taken back, and how many views went from the gallery."""

    taken_back: int
    views: int


def answer_decisions(service: Service, shelf: Shelf, request: Request) -> Response:
    """Answer `GET /library/decisions?performer=&oshash=&before=&limit=`, the newest first.

    Raises:
        UnknownPerformerError: there is no such performer.
    """
    before = read_number(request, "before", 0, least=0)
    limit = min(read_number(request, "limit", PAGE_SIZE, least=1), LARGEST_PAGE)
    performer = _read_filter(service, read_number(request, "performer", 0, least=0))
    oshash = request.args.get("oshash", "").strip().lower()
    with shelf.library() as library:
        found = list(islice(_choose(library, before, performer, oshash, limit + 1), limit + 1))
    reply = DecisionsReply(
        decisions=found[:limit],
        next=found[limit - 1]["id"] if len(found) > limit else None,
    )
    return json_response(reply)


def list_decisions(library: Library, made: list[tuple[int, Decision]]) -> Iterator[DecisionListed]:
    """Yield decisions, each given with its video's id, that are about what callers may see."""
    gallery = library.naming.gallery
    for said in said_of(library.ledger, made, gallery.performers, gallery.model):
        listed = _to_listed(said, library)
        if listed:
            yield listed


def answer_decide(service: Service, shelf: Shelf, request: Request) -> Response:
    """Answer `POST /library/decide` with the number of the decision, once it is stored.

    Raises:
        VideoNotFoundError, UnknownPersonError, UnknownPerformerError: it is about nobody known.
        CorrectionRefusedError: the video was scanned again since `scanned_at`.
    """
    oshash, person, kind = read_fields(request, oshash=str, person=int, kind=str)
    number, scanned_at = read_optional(request, performer=int, scanned_at=str)
    performer = _read_performer(service, kind, number)
    with shelf.library() as library:
        video = find_video(library, oshash)
        refuse_rescanned(video, scanned_at)
        gallery = library.naming.gallery
        place = (video.id, person)
        made = decide(library.ledger, gallery, place, cast("DecisionKind", kind), performer)
        rematch_videos(library.ledger, library.naming, [video.id])
    return json_response(DecidedReply(decision=made))


def answer_undecide(service: Service, shelf: Shelf, request: Request) -> Response:
    """Answer `POST /library/undecide` once a decision is taken back, and what it enrolled.

    With `drop`, one that is damaged goes without what it enrolled.

    Raises:
        ResultGoneError: there is no such decision, or no longer, or callers may not see its video.
        CorrectionRefusedError: it is too damaged to say what it enrolled; or `drop`, and it is not
            damaged.
        GalleryUnavailableError: somebody was named, and the gallery cannot be changed.
    """
    (number,) = read_fields(request, decision=int)
    (drop,) = read_optional(request, drop=bool)
    roots = [root.resolve() for root in service.settings.media_root]
    with shelf.ledger() as ledger, explained_change():
        if not any(shown_within(one, roots) for one in _videos_of(ledger, number)):
            views = None
        elif drop:
            views = 0 if drop_damaged(ledger, number) else None
        else:
            views = take_back(ledger, service.store, number)
    if views is None:
        raise ResultGoneError(f"There is no decision {number}, or no longer.")
    return json_response(TakenBackReply(taken_back=number, views=views))


def _videos_of(ledger: Ledger, number: int) -> list[VideoRecord]:
    """Return the video that a decision is about; none if there is no such decision."""
    return [
        record
        for video, one in islice(ledger.latest_decisions(number + 1), 1)
        if one.id == number
        for record in ledger.records([video])
    ]


def _choose(
    library: Library, before: int, performer: Performer | None, oshash: str, at_once: int
) -> Iterator[DecisionListed]:
    """Yield the decisions that a request wants; the people of so many videos are read at a time."""
    wanted = set(identities_of(performer)) if performer else None
    videos = library.ledger.ids_of_content(oshash) if oshash else None
    fitting = (
        (video, decision)
        for video, decision in library.ledger.latest_decisions(before or None)
        if (wanted is None or wanted.intersection(decision.identities))
        and (videos is None or video in videos)
    )
    while batch := list(islice(fitting, at_once)):
        yield from list_decisions(library, batch)


def _to_listed(said: Said, library: Library) -> DecisionListed | None:
    video = library.shown(said.video)
    if video is None:
        return None
    performer, position = said.performer, said.position
    return {
        "id": said.decision.id,
        "kind": said.decision.kind,
        "at": said.decision.at,
        "performer": performer.name if performer else None,
        "performer_id": str(performer.id) if performer else None,
        "oshash": video.oshash,
        "path": label_of(video),
        "person": position,
        "picture": "" if position is None else picture_of(Place(video.id, position)),
        "appearances": [(round(start, 3), round(end, 3)) for start, end in said.appearances],
        "pictures": list(said.pictures),
        "damaged": list(said.decision.damaged),
    }


def _read_filter(service: Service, number: int) -> Performer | None:
    if not number:
        return None
    with opened_gallery(service) as gallery:
        return gallery.performer(number)


def _read_performer(service: Service, kind: str, number: int | None) -> Performer | None:
    """Read whom a decision is about; nobody if somebody is ignored."""
    if kind not in KINDS:
        raise BadParameterError(f"kind is {kind[:40]!r}; it must be {' or '.join(KINDS)}.")
    if (number is None) != (kind == "ignored"):
        raise BadParameterError("Give performer, an id, with confirmed and rejected only.")
    if number is None:
        return None
    with opened_gallery(service) as gallery:
        return gallery.performer(number)
