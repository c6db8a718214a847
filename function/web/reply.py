"""Writes people and their matches as the JSON of the API."""

import base64
from collections.abc import Callable, Sequence
from typing import TypedDict

from db.names import is_web_address
from db.records import Performer
from function.faces.found import Progress
from function.matching.hints import HintKind
from function.matching.matches import Identification, Match, Verdict
from function.people.appearances import Span, find_appearances

DURATION_HEADER = "Video-Duration"
"""The length of the video in seconds: the answer is an array, and has no room for it."""

UNREADABLE_HEADER = "Video-Unreadable-Seconds"
"""How many seconds of the video are damaged and were not seen; 0 for a whole file."""


class StashIdReply(TypedDict):
    """How a stash-box knows a performer: the URL of its GraphQL endpoint, and its id there."""

    endpoint: str
    stash_id: str


class SourceReply(TypedDict):
    """How another source knows a performer, such as `stash http://localhost:9999`."""

    source: str
    id: str


class MatchReply(TypedDict):
    """A performer that a person may be; `score` is a probability in percent.

    `poster` is a data: URI of the stored picture, else the URL of one, else empty. `hints` lists
    what besides the face raised the score: the name in the path, or a tag; empty if nothing did.
    `stash_ids` and `sources` say who the performer is elsewhere.
    """

    name: str
    poster: str
    score: float
    urls: list[str]
    id: str
    hints: list[HintKind]
    stash_ids: list[StashIdReply]
    sources: list[SourceReply]


class PersonReply(TypedDict):
    """One person found in the video; `image` is a base64 JPEG of the best face, or empty.

    In a picture nobody has `appearances`.
    """

    image: str
    matches: list[MatchReply]
    verdict: Verdict
    appearances: list[Span]
    faces: int
    best_seconds: float


Thumbnails = Callable[[int], bytes | None]
"""Returns a performer's stored poster by id."""


def to_reply(
    identifications: Sequence[Identification],
    thumbnails: Thumbnails,
    *,
    with_pictures: bool = True,
    with_times: bool = True,
) -> list[PersonReply]:
    """Write out every person, in the order of `rank`; on request without any picture.

    Those in a picture have no times.
    """
    people = [_person_reply(one, thumbnails) for one in rank(identifications)]
    if not with_times:
        people = [{**one, "appearances": []} for one in people]
    return people if with_pictures else [_without_pictures(one) for one in people]


def rank(identifications: Sequence[Identification]) -> list[Identification]:
    """Put the most certain first; if equal, the one seen most."""
    return sorted(
        identifications,
        key=lambda one: (-(one.matches[0].score if one.matches else 0.0), -one.faces),
    )


class VideoReply(TypedDict):
    """The video itself: its length, and the fingerprint by which Stash knows it.

    `unreadable_seconds` is how much of it is damaged and was not seen.
    """

    duration_seconds: float
    oshash: str
    unreadable_seconds: float


def to_video(video_seconds: float, oshash: str, unreadable_seconds: float) -> VideoReply:
    """Write out what is known of the video."""
    return VideoReply(
        duration_seconds=round(video_seconds, 3),
        oshash=oshash,
        unreadable_seconds=round(unreadable_seconds, 3),
    )


class ProgressReply(TypedDict):
    """Seconds of video done, of the total, and the faces found so far."""

    done: float
    of: float
    faces: int


class WaitingReply(TypedDict):
    """How many requests stand before this one in the line for a slot."""

    ahead: int


def to_progress(progress: Progress) -> ProgressReply:
    """Write out how far a recognition has come."""
    return ProgressReply(
        done=round(progress.done_seconds, 3),
        of=round(progress.of_seconds, 3),
        faces=progress.faces,
    )


def stash_ids_of(performer: Performer) -> list[StashIdReply]:
    """Write out how stash-boxes know a performer."""
    return [
        StashIdReply(endpoint=one.source, stash_id=one.source_id) for one in performer.stash_ids
    ]


def _person_reply(identification: Identification, thumbnails: Thumbnails) -> PersonReply:
    person = identification.person
    spans = find_appearances(identification.seen)
    return PersonReply(
        image=base64.b64encode(person.picture).decode("ascii"),
        matches=[_match_reply(match, thumbnails) for match in identification.matches],
        verdict=identification.verdict,
        appearances=[(round(start, 3), round(end, 3)) for start, end in spans],
        faces=identification.faces,
        best_seconds=round(person.best_seconds, 3),
    )


def _without_pictures(person: PersonReply) -> PersonReply:
    matches: list[MatchReply] = [{**match, "poster": ""} for match in person["matches"]]
    return {**person, "image": "", "matches": matches}


def _match_reply(match: Match, thumbnails: Thumbnails) -> MatchReply:
    return MatchReply(
        name=match.performer.name,
        poster=_poster(match.performer, thumbnails),
        score=round(match.score, 1),
        urls=[url for url in match.performer.urls if is_web_address(url)],
        id=str(match.performer.id),
        hints=list(match.hints),
        stash_ids=stash_ids_of(match.performer),
        sources=[
            SourceReply(source=one.source, id=one.source_id) for one in match.performer.other_ids
        ],
    )


def _poster(performer: Performer, thumbnails: Thumbnails) -> str:
    jpeg = thumbnails(performer.id)
    if jpeg is None:
        return performer.poster_url if is_web_address(performer.poster_url) else ""
    if not jpeg.startswith(b"\xff\xd8"):
        return ""  # such as an SVG, which can hold a script
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")
