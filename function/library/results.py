"""Says who is in which video, from what scans found and matching said."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from db.ledgers import Ledger
from db.people import Seen
from db.records import Performer
from db.videos import (
    AlbumPicture,
    Area,
    Kind,
    Outcome,
    Shown,
    Sighting,
    Verdict,
    VideoRecord,
)
from function.people.appearances import Span, find_appearances

VIDEOS_AT_ONCE = 200


@dataclass(frozen=True)
class PersonResult:
    """A person in a video: who it is, how certain, when they are seen, and how often.

    `performer` is None for somebody unknown. `position` tells the people of a video apart.
    `decided` is what the user said, see `db.videos.Outcome`.
    `picture` is a JPEG of the best face, empty unless it was asked for. In an album nobody has
    appearances, but `pictures`: the numbers, from 1, of those that show the person.
    """

    position: int
    performer: Performer | None
    score: float
    verdict: Verdict
    appearances: tuple[Span, ...]
    faces: int
    best_seconds: float
    decided: str = ""
    picture: bytes = b""
    pictures: tuple[int, ...] = ()


@dataclass(frozen=True)
class FaceShown:
    """A person's face in a picture, by the person's position, and where it is."""

    person: int
    area: Area


@dataclass(frozen=True)
class PictureResult:
    """A picture of an album, by its number from 1, and who is on it.

    A file that was left out has a `reason`, and so has a picture that could not be used.
    """

    number: int
    name: str
    reason: str
    faces: tuple[FaceShown, ...]


@dataclass(frozen=True)
class VideoResult:
    """A video, and the people in it, the most certain first.

    `pictures` are those of an album, if they were asked for.
    """

    video: VideoRecord
    people: tuple[PersonResult, ...]
    pictures: tuple[PictureResult, ...] = ()


def results_of(
    ledger: Ledger,
    videos: Iterator[VideoRecord],
    performers: Mapping[int, Performer],
    verdicts: Collection[Verdict] = (),
    *,
    pictures: bool = False,
    each_picture: bool = False,
) -> Iterator[VideoResult]:
    """Yield who is in each video; with `verdicts`, only the people with one of these.

    With `pictures`, each with the picture of the best face. With `each_picture`, albums come with
    what is on each of their pictures.
    """
    while batch := list(islice(videos, VIDEOS_AT_ONCE)):
        numbers = [one.id for one in batch]
        sightings = ledger.sightings(numbers, pictures=pictures)
        outcomes = ledger.outcomes(numbers)
        albums = [one.id for one in batch if one.kind == "album"] if each_picture else []
        listed, shown = ledger.pictures(albums), ledger.shown(albums)
        for one in batch:
            people = _people(one, sightings[one.id], outcomes[one.id], performers)
            wanted = [person for person in people if not verdicts or person.verdict in verdicts]
            leads = {each.position: each.lead for each in outcomes[one.id]}
            seen = _pictures(listed.get(one.id, []), shown.get(one.id, []), leads)
            yield VideoResult(one, tuple(wanted), seen)


def _pictures(
    listed: Sequence[AlbumPicture], shown: Sequence[Shown], leads: Mapping[int, int]
) -> tuple[PictureResult, ...]:
    faces: dict[int, list[FaceShown]] = defaultdict(list)
    for one in shown:
        faces[one.picture].append(FaceShown(leads.get(one.person, one.person), one.area))
    return tuple(
        PictureResult(number + 1, one.name, one.reason, tuple(faces[number]))
        for number, one in enumerate(listed)
    )


def _people(
    video: VideoRecord,
    sightings: Sequence[Sighting],
    outcomes: Sequence[Outcome],
    performers: Mapping[int, Performer],
) -> list[PersonResult]:
    members: dict[int, list[Sighting]] = defaultdict(list)
    leads = {outcome.position: outcome.lead for outcome in outcomes}
    for sighting in sightings:
        members[leads.get(sighting.position, sighting.position)].append(sighting)
    said = {outcome.position: outcome for outcome in outcomes}
    people = [
        _person(said.get(lead, Outcome(lead, lead)), parts, performers, video.kind)
        for lead, parts in members.items()
    ]
    return sorted(people, key=lambda one: (one.decided != "confirmed", -one.score, -one.faces))


def _person(
    outcome: Outcome, parts: Sequence[Sighting], performers: Mapping[int, Performer], kind: Kind
) -> PersonResult:
    seen: set[Seen] = {one for part in parts for one in part.person.seen}
    lead = next((part for part in parts if part.position == outcome.position), parts[0])
    performer = performers.get(outcome.performer) if outcome.performer else None
    return PersonResult(
        position=outcome.position,
        performer=performer,
        score=outcome.score if performer else 0.0,
        verdict=outcome.verdict if performer else "unknown",
        appearances=() if kind == "album" else tuple(find_appearances(seen)),
        faces=sum(part.person.faces for part in parts),
        best_seconds=0.0 if kind == "album" else lead.person.best_seconds,
        decided=outcome.decided,
        picture=lead.person.picture,
        pictures=tuple(sorted({one.frame + 1 for one in seen})) if kind == "album" else (),
    )
