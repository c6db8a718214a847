"""Answers who is unknown in the videos of the library, across all of them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypedDict

from flask import Request, Response

from db.errors import StrangerNotFoundError
from db.strangers import Glimpse, Place, Stranger
from db.videos import Kind, VideoRecord
from function.errors import BadParameterError, MissingParameterError, UnknownStrangerError
from function.library.jobs import chosen_strangers
from function.library.results import results_of
from function.library.strangers import by_videos
from function.web.library.shelf import Library, Shelf
from function.web.library.sightings import label_of, picture_of, read_sighting, sighting_of
from function.web.page_requests import read_number
from function.web.responses import json_response

PAGE_SIZE = 60
LARGEST_PAGE = 500

MOST_PICTURES = 4

_DAY_CHARACTERS = 10
"""Of a time like 2026-11-26T17:18:52Z."""

_AFTER = re.compile(r"([0-9]{1,18})\.([0-9]{1,18})")


class StrangerReply(TypedDict):
    """Somebody unknown: in which videos, how many of them are albums, and the faces counted.

    `days` are the first and the last day (UTC) on which these were scanned. `pictures` are URLs on
    this server, of the best face of up to four videos, the best first.
    """

    id: int
    ignored: bool
    videos: list[str]
    albums: int
    faces: int
    days: list[str]
    pictures: list[str]


class StrangersReply(TypedDict):
    """Some strangers, those seen in most videos first; `next` is the `after` of those that follow.

    `total` counts all. `ungrouped` people belong to no stranger yet: ask again. `kept` is the
    setting STRANGERS, or what was chosen. `stale` as in a list of videos.
    """

    strangers: list[StrangerReply]
    next: str | None
    total: int
    ungrouped: int
    kept: str
    stale: bool


class SeenReply(TypedDict):
    """A sighting of a stranger: in which video, and when, in seconds; or on which `pictures`."""

    sighting: str
    oshash: str
    path: str
    kind: Kind
    duration_seconds: float
    appearances: list[tuple[float, float]]
    best_seconds: float
    pictures: list[int]
    picture: str


class OneStrangerReply(TypedDict):
    """One stranger, and where they are seen, a video each, in order of path."""

    stranger: StrangerReply
    seen: list[SeenReply]


@dataclass(frozen=True, eq=False)
class _Known:
    """What is read of the strangers of one reply: videos that callers may see, and sightings."""

    videos: dict[int, VideoRecord]
    glimpses: dict[Place, Glimpse]


def answer_strangers(shelf: Shelf, request: Request) -> Response:
    """Answer `GET /library/strangers?after=&limit=&ignored=on` with a part of them."""
    after = _read_after(request.args.get("after"))
    limit = min(read_number(request, "limit", PAGE_SIZE, least=1), LARGEST_PAGE)
    is_ignored = _read_ignored(request.args.get("ignored", "off"))
    with shelf.grouped_library() as library:
        everyone = library.ledger.strangers.everyone()
        wanted = by_videos([one for one in everyone if one.ignored == is_ignored])
        following = [one for one in wanted if after is None or _order(one) > after]
        shown = following[:limit]
        last = shown[-1] if len(shown) < len(following) else None
        reply = StrangersReply(
            strangers=list(_describe(library, shown)),
            next=f"{_count_videos(last)}.{last.id}" if last else None,
            total=len(wanted),
            ungrouped=library.ungrouped,
            kept=library.settings.strangers or chosen_strangers(library.ledger),
            stale=library.is_stale,
        )
    return json_response(reply)


def answer_stranger(shelf: Shelf, request: Request) -> Response:
    """Answer `GET /library/stranger?id=` or `?sighting=` with one, and when they are seen where.

    Raises:
        MissingParameterError: neither says who is meant.
        UnknownStrangerError: there is none, or no longer.
    """
    if "id" not in request.args and "sighting" not in request.args:
        raise MissingParameterError("The parameters id and sighting are missing. Give one.")
    number = read_number(request, "id", 0, least=0)
    with shelf.grouped_library() as library:
        if "sighting" in request.args:
            number = _find_by_sighting(library, request.args["sighting"])
        stranger = find_stranger(library, number)
        (told,) = _describe(library, [stranger])
        seen = sorted(_seen(library, stranger), key=lambda one: one["path"])
    return json_response(OneStrangerReply(stranger=told, seen=seen))


def find_stranger(library: Library, number: int) -> Stranger:
    """Find a stranger who is seen in a video that callers may see.

    Raises:
        UnknownStrangerError: there is none of that id, or no longer.
    """
    try:
        found = library.ledger.strangers.find(number)
    except StrangerNotFoundError as error:
        raise UnknownStrangerError(str(error)) from error
    if not _know(library, [found]).videos:
        raise UnknownStrangerError(f"Stranger {number} is seen only outside the media root.")
    return found


def _find_by_sighting(library: Library, text: str) -> int:
    """Return the stranger whom a sighting belongs to; 0, who is nobody, if there is none."""
    place = read_sighting("sighting", text)
    everyone = library.ledger.strangers.everyone()
    return next((one.id for one in everyone if place in one.places), 0)


def _describe(library: Library, strangers: Sequence[Stranger]) -> Iterator[StrangerReply]:
    """Describe strangers, without those who are seen only where callers may not look."""
    known = _know(library, strangers)
    for one in strangers:
        places = [place for place in one.places if place.video in known.videos]
        if places:
            yield _to_reply(one, places, known)


def _know(library: Library, strangers: Sequence[Stranger]) -> _Known:
    places = [place for one in strangers for place in one.places]
    records = library.ledger.records(sorted({place.video for place in places}))
    videos = {one.id: shown for one in records if (shown := library.shown(one))}
    glimpses = library.ledger.strangers.glimpses(places)
    return _Known(videos, {one.place: one for one in glimpses})


def _to_reply(stranger: Stranger, places: Sequence[Place], known: _Known) -> StrangerReply:
    videos = [known.videos[number] for number in dict.fromkeys(place.video for place in places)]
    glimpses = [known.glimpses[place] for place in places if place in known.glimpses]
    days = sorted(video.scanned_at[:_DAY_CHARACTERS] for video in videos)
    return {
        "id": stranger.id,
        "ignored": stranger.ignored,
        "videos": [label_of(video) for video in videos],
        "albums": sum(video.kind == "album" for video in videos),
        "faces": sum(one.faces for one in glimpses),
        "days": [days[0], days[-1]],
        "pictures": [picture_of(place) for place in islice(_clearest(glimpses), MOST_PICTURES)],
    }


def _clearest(glimpses: Sequence[Glimpse]) -> Iterator[Place]:
    """Yield the clearest sighting of each video, the best first."""
    met = set()
    for one in sorted(glimpses, key=lambda one: -one.clearness):
        if one.place.video not in met:
            met.add(one.place.video)
            yield one.place


def _seen(library: Library, stranger: Stranger) -> Iterator[SeenReply]:
    """Say of every video when the stranger is seen; who is there twice has two entries."""
    videos = _know(library, [stranger]).videos
    results = results_of(library.ledger, iter(videos.values()), library.performers)
    for result in results:
        for person in result.people:
            place = Place(result.video.id, person.position)
            if place in stranger.places:
                yield {
                    "sighting": sighting_of(place),
                    "oshash": result.video.oshash,
                    "path": label_of(result.video),
                    "kind": result.video.kind,
                    "duration_seconds": round(result.video.seconds, 3),
                    "appearances": [
                        (round(start, 3), round(end, 3)) for start, end in person.appearances
                    ],
                    "best_seconds": round(person.best_seconds, 3),
                    "pictures": list(person.pictures),
                    "picture": picture_of(place),
                }


def _count_videos(stranger: Stranger) -> int:
    return len({place.video for place in stranger.places})


def _order(stranger: Stranger) -> tuple[int, int]:
    """Return what `by_videos` sorts by."""
    return -_count_videos(stranger), stranger.id


def _read_after(text: str | None) -> tuple[int, int] | None:
    found = _AFTER.fullmatch(text) if text else None
    if text and not found:
        raise BadParameterError(f"after is {text[:40]!r}; give the `next` of an earlier answer.")
    return (-int(found[1]), int(found[2])) if found else None


def _read_ignored(text: str) -> bool:
    if text not in ("on", "off"):
        raise BadParameterError(f"ignored is {text[:40]!r}; it must be on or off.")
    return text == "on"
