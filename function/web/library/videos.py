"""Answers who is in the videos that were scanned: a list, one video, or one performer's."""

import base64
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypedDict, cast, get_args

from flask import Request, Response

from db.errors import PerformerNotFoundError
from db.videos import Kind, Verdict, VideoRecord
from function.errors import (
    BadParameterError,
    MissingParameterError,
    UnknownPerformerError,
    UnreadableVideoError,
    VideoNotFoundError,
)
from function.library.albums import fingerprint_of
from function.library.finding import find_ids, is_below
from function.library.lists import (
    PersonListed,
    PictureListed,
    ShownState,
    VideoListed,
    person_to_json,
    pictures_to_json,
    shown_where,
    state_of,
    to_json,
)
from function.library.oshash import fingerprints_of
from function.library.results import PersonResult, VideoResult, results_of
from function.media.files import find_place, open_media, possible_places
from function.settings import Settings
from function.web.library.decisions import DecisionListed, list_decisions
from function.web.library.shelf import Library, Shelf
from function.web.library.sightings import find_video
from function.web.page_requests import read_number
from function.web.parameters import read_pictures
from function.web.queries import read_path
from function.web.responses import json_response
from function.web.service import Service

PAGE_SIZE = 50
LARGEST_PAGE = 200

READ_AT_ONCE = 500

STATES = get_args(ShownState)
VERDICTS = get_args(Verdict)
KINDS = get_args(Kind)


class NumberedVideo(VideoListed):
    """A video in a list; `id` is for the parameter `after`."""

    id: int


class PicturedPerson(PersonListed):
    """A person in a video; `image` is a base64 JPEG of the best face, or empty."""

    image: str


class VideosReply(TypedDict):
    """Some videos, by id; `next` is the `after` of those that follow, or null.

    `stale` says that some names are not yet those of today's gallery: ask again.
    """

    videos: list[NumberedVideo]
    next: int | None
    stale: bool


class VideoReply(TypedDict):
    """One video, and everyone in it, the most certain first; `stale` as in a list.

    `pictures` are those of an album; `/library/picture` sends them. `decisions` are all about it,
    the newest first.
    """

    video: NumberedVideo
    people: list[PicturedPerson]
    pictures: list[PictureListed]
    decisions: list[DecisionListed]
    stale: bool


@dataclass(frozen=True)
class _Wanted:
    """Which videos a request wants; an empty field wants any."""

    kinds: Collection[str]
    states: Collection[str]
    verdicts: Collection[str]
    performer: int | None
    places: Sequence[Path] | None
    after: int
    limit: int


def answer_videos(service: Service, shelf: Shelf, request: Request) -> Response:
    """Answer `GET /library/videos` with those that were asked for, and everyone in them."""
    wanted = _read_wanted(request, service)
    with shelf.library() as library:
        return json_response(_list(library, wanted))


def answer_people(service: Service, shelf: Shelf, request: Request) -> Response:
    """Answer `GET /library/people?performer=` with every video of one performer, without others.

    Raises:
        MissingParameterError: no performer is named.
        UnknownPerformerError: there is no such performer.
    """
    if not request.args.get("performer"):
        raise MissingParameterError("The parameter performer is missing. Give a name or an id.")
    wanted = _read_wanted(request, service)
    with shelf.library() as library:
        reply = _list(library, wanted)
        for video in reply["videos"]:
            video["people"] = [
                one for one in video["people"] if one["performer_id"] == str(wanted.performer)
            ]
        return json_response(reply)


def answer_video(service: Service, shelf: Shelf, request: Request) -> Response:
    """Answer `GET /library/video?path=` or `?oshash=` with one video, and pictures of people.

    Raises:
        VideoNotFoundError: it was never scanned or queued here.
    """
    with_pictures = read_pictures(request.args.get("pictures", "on"))
    with shelf.library() as library:
        found = _find_asked(library, request, service)
        (result,) = results_of(
            library.ledger,
            iter([found]),
            library.performers,
            pictures=with_pictures,
            each_picture=True,
        )
        made = [(found.id, one) for one in library.ledger.decisions([found.id])[found.id]]
        reply = VideoReply(
            video=_number(result),
            people=[_picture(person, with_pictures=with_pictures) for person in result.people],
            pictures=pictures_to_json(result.pictures),
            decisions=list(list_decisions(library, made[::-1])),
            stale=library.is_stale,
        )
    return json_response(reply)


def _list(library: Library, wanted: _Wanted) -> VideosReply:
    verdicts = cast("Collection[Verdict]", wanted.verdicts)
    chosen = list(islice(_choose(library, wanted), wanted.limit))
    results = results_of(library.ledger, iter(chosen), library.performers, verdicts)
    return VideosReply(
        videos=[_number(one) for one in results],
        next=chosen[-1].id if len(chosen) == wanted.limit else None,
        stale=library.is_stale,
    )


def _choose(library: Library, wanted: _Wanted) -> Iterator[VideoRecord]:
    """Yield the videos that are wanted, by id."""
    ledger, gallery = library.ledger, library.naming.gallery.generation[0]
    among = ledger.ids_of_performer(gallery, wanted.performer) if wanted.performer else None
    after, places = wanted.after, wanted.places or ()

    def is_there(path: bytes) -> bool:
        return is_below(path, places)

    while batch := ledger.videos(after, READ_AT_ONCE):
        after = batch[-1].id
        near = [
            one
            for one in batch
            if (among is None or one.id in among)
            and (not wanted.kinds or one.kind in wanted.kinds)
            and (not wanted.states or state_of(one) in wanted.states)
            and (wanted.places is None or any(map(is_there, one.known_paths)))
        ]
        fitting = _with_verdict(library, near, wanted.verdicts)
        placed = (shown_where(one, is_there) for one in near if one.id in fitting)
        yield from (shown for one in placed if (shown := library.shown(one)))


def _with_verdict(
    library: Library, videos: list[VideoRecord], verdicts: Collection[str]
) -> set[int]:
    """Return the ids of those videos in which somebody has one of these verdicts."""
    numbers = [one.id for one in videos]
    if not verdicts:
        return set(numbers)
    return {
        video
        for video, outcomes in library.ledger.outcomes(numbers).items()
        if any(one.verdict in verdicts for one in outcomes if one.lead == one.position)
    }


def _read_wanted(request: Request, service: Service) -> _Wanted:
    settings = service.settings
    place, name = read_path(request), request.args.get("performer")
    return _Wanted(
        kinds=_read_words(request, "kind", KINDS),
        states=_read_words(request, "state", STATES),
        verdicts=_read_words(request, "verdict", VERDICTS),
        performer=_find_performer(service, name) if name else None,
        places=_find_places(place, settings) if place else None,
        after=read_number(request, "after", 0, least=0),
        limit=min(read_number(request, "limit", PAGE_SIZE, least=1), LARGEST_PAGE),
    )


def _find_places(path: str, settings: Settings) -> list[Path]:
    """Return where a folder or file is; if nothing is there any more, where it may have been."""
    asked = (path, settings.media_root, settings.path_map)
    try:
        return [find_place(*asked)]
    except VideoNotFoundError:
        return possible_places(*asked)


def _read_words(request: Request, name: str, allowed: Collection[str]) -> list[str]:
    """Read a parameter that may be given several times."""
    words = request.args.getlist(name)
    for word in words:
        if word not in allowed:
            raise BadParameterError(f"{name} is {word[:40]!r}; it must be {' or '.join(allowed)}.")
    return words


def _find_performer(service: Service, name_or_id: str) -> int:
    with service.gallery() as gallery:
        try:
            return gallery.find_performer(name_or_id).id
        except PerformerNotFoundError as error:
            raise UnknownPerformerError(str(error)) from error


def _find_asked(library: Library, request: Request, service: Service) -> VideoRecord:
    """Find the video that is meant: by its fingerprint, or by the path of a file that holds it.

    Where nothing is any more, the video that was there last is found.

    Raises:
        MissingParameterError: neither is given.
        VideoNotFoundError: it was never scanned or queued here, also if what was there before was.
    """
    path = read_path(request)
    if "oshash" in request.args:
        return find_video(library, request.args["oshash"])
    if path is None:
        raise MissingParameterError("The parameters path and oshash are missing. Give one.")
    settings = service.settings
    asked = (path, settings.media_root, settings.path_map)
    try:
        place = find_place(*asked)
    except VideoNotFoundError:
        gone = _find_gone(library, possible_places(*asked))
        if gone is None:
            raise
        return gone
    # Not by its place: a file that replaced another shows nobody of the one that was there.
    fingerprints = _read_fingerprints(place, asked)
    content = fingerprints[0] if len(fingerprints) > 1 else ""
    return find_video(library, *fingerprints, content=content)


def _find_gone(library: Library, places: Sequence[Path]) -> VideoRecord | None:
    """Find a video that was last at one of some places, where nothing is now."""
    ids = {one for place in places for one in find_ids(library.ledger, place)}
    shown = (library.shown(one) for one in library.ledger.records(sorted(ids)))
    return next((one for one in shown if one), None)


def _read_fingerprints(
    place: Path, asked: tuple[str, Sequence[Path], Sequence[tuple[str, str]]]
) -> list[str]:
    """Read what the video at a place, for which was asked, may be known by, the surest first."""
    if place.is_dir():
        return [_fingerprint(place)]
    with open_media(*asked) as media:
        return fingerprints_of(media.descriptor, bytes(place))


def _fingerprint(folder: Path) -> str:
    try:
        return fingerprint_of(bytes(folder))
    except OSError as error:
        raise UnreadableVideoError(f"{folder.name} cannot be read ({error.strerror}).") from error


def _number(result: VideoResult) -> NumberedVideo:
    return {**to_json(result), "id": result.video.id}


def _picture(person: PersonResult, *, with_pictures: bool) -> PicturedPerson:
    image = base64.b64encode(person.picture).decode("ascii") if with_pictures else ""
    return {**person_to_json(person), "image": image}
