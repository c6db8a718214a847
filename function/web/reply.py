"""Writes people and their matches as the JSON of the API."""

import base64
from collections.abc import Callable, Sequence
from typing import TypedDict

from db.records import Performer
from function.faces.found import Progress
from function.matching.hints import HintKind
from function.matching.matches import Identification, Match, Verdict
from function.people.appearances import Span, find_appearances


class MatchReply(TypedDict):
    """A performer that a person may be; `score` is a probability in percent.

    `poster` is a data: URI of the stored picture, else the URL of one, else empty. `hints` lists
    what besides the face raised the score: the name in the path, a tag, the folder's other scenes.
    It is empty if nothing did.
    """

    name: str
    poster: str
    score: float
    urls: list[str]
    id: str
    hints: list[HintKind]


class PersonReply(TypedDict):
    """One person found in the video; `image` is a base64 JPEG of the best face."""

    image: str
    matches: list[MatchReply]
    verdict: Verdict
    appearances: list[Span]
    faces: int
    best_seconds: float


Thumbnails = Callable[[int], bytes | None]
"""Returns a performer's stored poster by id."""


def to_reply(
    identifications: Sequence[Identification], thumbnails: Thumbnails
) -> list[PersonReply]:
    """Write out every person, in the order of `rank`."""
    return [_person_reply(one, thumbnails) for one in rank(identifications)]


def rank(identifications: Sequence[Identification]) -> list[Identification]:
    """Put the most certain first; if equal, the one seen most."""
    return sorted(
        identifications,
        key=lambda one: (-(one.matches[0].score if one.matches else 0.0), -one.faces),
    )


class ProgressReply(TypedDict):
    """Seconds of video done, of the total, and the faces found so far."""

    done: float
    of: float
    faces: int


def to_progress(progress: Progress) -> ProgressReply:
    """Write out how far a recognition has come."""
    return ProgressReply(
        done=round(progress.done_seconds, 3),
        of=round(progress.of_seconds, 3),
        faces=progress.faces,
    )


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


def _match_reply(match: Match, thumbnails: Thumbnails) -> MatchReply:
    return MatchReply(
        name=match.performer.name,
        poster=_poster(match.performer, thumbnails),
        score=round(match.score, 1),
        urls=list(match.performer.urls),
        id=str(match.performer.id),
        hints=list(match.hints),
    )


def _poster(performer: Performer, thumbnails: Thumbnails) -> str:
    jpeg = thumbnails(performer.id)
    if jpeg is None:
        return performer.poster_url
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")
