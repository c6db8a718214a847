"""Answers who is uncertain in the library, to be decided one by one."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TypedDict, cast

from flask import Request, Response

from db.records import Performer
from db.strangers import Place
from db.videos import Kind, VideoRecord
from function.library.results import PersonResult, results_of
from function.web.library.shelf import Library, Shelf
from function.web.library.sightings import label_of, picture_of, read_sighting, sighting_of
from function.web.page_requests import read_number
from function.web.responses import json_response

PAGE_SIZE = 50
LARGEST_PAGE = 200

READ_AT_ONCE = 100


class ReviewedReply(TypedDict):
    """Somebody uncertain, and the performer it may be, with the probability in percent.

    `person` is the number in the video. `picture` and `poster` are URLs on this server: the face
    found, and the enrolled one. `appearances` are in seconds; in an album there are `pictures`.
    """

    sighting: str
    oshash: str
    path: str
    kind: Kind
    duration_seconds: float
    scanned_at: str
    person: int
    performer: int
    name: str
    score: float
    picture: str
    poster: str
    appearances: list[tuple[float, float]]
    best_seconds: float
    pictures: list[int]


class ReviewReply(TypedDict):
    """Some of those who are uncertain, and how many there are.

    `next` is the `after` of those that follow; `stale` as in a list of videos.
    """

    people: list[ReviewedReply]
    total: int
    next: str | None
    stale: bool


def answer_review(shelf: Shelf, request: Request) -> Response:
    """Answer `GET /library/review?after=&limit=` with those uncertain, in order of sighting."""
    limit = min(read_number(request, "limit", PAGE_SIZE, least=1), LARGEST_PAGE)
    text = request.args.get("after")
    after = read_sighting("after", text) if text else Place(0, 0)
    with shelf.library() as library:
        places = [Place(*one) for one in library.ledger.uncertain()]
        following = [one for one in places if not text or one > after]
        found = list(islice(_describe(library, following), limit + 1))
        people = [_to_reply(video, person) for video, person in found[:limit]]
        reply = ReviewReply(
            people=people,
            total=len(places),
            next=people[-1]["sighting"] if len(found) > limit else None,
            stale=library.is_stale,
        )
    return json_response(reply)


def _describe(
    library: Library, places: Sequence[Place]
) -> Iterator[tuple[VideoRecord, PersonResult]]:
    """Yield those at some places whom callers may see, each with the video."""
    wanted = set(places)
    videos = list(dict.fromkeys(place.video for place in places))
    for start in range(0, len(videos), READ_AT_ONCE):
        records = library.ledger.records(videos[start : start + READ_AT_ONCE])
        shown = (video for one in records if (video := library.shown(one)))
        for result in results_of(library.ledger, shown, library.performers, ["uncertain"]):
            people = sorted(result.people, key=lambda one: one.position)
            for person in people:
                if person.performer and Place(result.video.id, person.position) in wanted:
                    yield result.video, person


def _to_reply(video: VideoRecord, person: PersonResult) -> ReviewedReply:
    place = Place(video.id, person.position)
    performer = cast("Performer", person.performer)
    return {
        "sighting": sighting_of(place),
        "oshash": video.oshash,
        "path": label_of(video),
        "kind": video.kind,
        "duration_seconds": round(video.seconds, 3),
        "scanned_at": video.scanned_at,
        "person": person.position,
        "performer": performer.id,
        "name": performer.name,
        "score": person.score,
        "picture": picture_of(place),
        "poster": f"/gallery/thumbnail?id={performer.id}",
        "appearances": [(round(start, 3), round(end, 3)) for start, end in person.appearances],
        "best_seconds": round(person.best_seconds, 3),
        "pictures": list(person.pictures),
    }
