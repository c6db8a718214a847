"""Says who is in what is asked about in Stash, by today's gallery, each with a number."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from db.strangers import Place
from db.videos import Interval, VideoRecord
from function.library.decisions import Decided
from function.library.rematching import name_again
from function.matching.matches import Match
from function.people.appearances import find_appearances
from function.stash.albums import InAlbum
from function.web.stash.work import Parts, Work

MOST_POSITIONS = 1 << 20
"""More people than any album has: people of several albums are told apart by it."""


@dataclass(frozen=True, eq=False)
class Seen:
    """A person in a scene: the number, whom matching and the user say it is, and when.

    `place` is theirs in the ledger. On images there are `pictures` that show them, from 1, and no
    spans. `also` are others who are taken for the same performer, in other albums.
    """

    number: int
    place: Place
    decided: Decided
    spans: tuple[Interval, ...]
    pictures: tuple[int, ...] = ()
    also: tuple["Seen", ...] = ()

    @property
    def first(self) -> Match | None:
        """The likeliest performer, if anybody is likely."""
        person = self.decided.person
        return person.matches[0] if person.matches else None

    def is_sure(self, min_score: float) -> bool:
        """Say whether it is surely the likeliest performer, or the user said so."""
        if self.first is None or self.decided.kind == "ignored":
            return False
        is_match = self.decided.person.verdict == "match" and self.first.score >= min_score
        return is_match or self.decided.kind == "confirmed"


def people_in(work: Work, parts: Parts, *, pictures: bool = False) -> list[Seen]:
    """Return everyone who is seen, the most certain first.

    Without `pictures` it is faster, and pictures are empty.

    Of a gallery that was put together by hand whoever is taken for one performer is one person:
    its images may be of different albums, whose people were never compared with each other.
    """
    if parts.by_hand:
        return sorted(_joined(_on_images(work, parts, pictures=pictures)), key=_rank)
    shown = parts.each[0].shown
    people = _people(work, parts.albums, pictures=pictures)
    if shown and shown.picture is not None:
        people = [one for one in people if shown.picture + 1 in one.pictures]
    return sorted(people, key=_rank)


def _people(work: Work, albums: Iterable[VideoRecord], *, pictures: bool) -> list[Seen]:
    scanned = {one.id: one for one in albums if one.scanned is not None}
    named = name_again(work.ledger, list(scanned), work.naming, pictures=pictures)
    return [_seen(one, scanned[video]) for video, people in named.items() for one in people]


def _seen(one: Decided, video: VideoRecord) -> Seen:
    number = one.person.members[0]
    place = Place(video.id, number)
    if video.kind == "album":
        pictures = tuple(sorted({it.frame + 1 for it in one.person.seen}))
        return Seen(number, place, one, (), pictures)
    return Seen(number, place, one, tuple(find_appearances(one.person.seen)))


def _on_images(work: Work, parts: Parts, *, pictures: bool) -> list[Seen]:
    """Return who is on the images of a gallery, with the places of these in it, from 1."""
    places: dict[int, dict[int, int]] = defaultdict(dict)
    for number, part in enumerate(parts.each, 1):
        if part.shown:
            places[part.shown.album.id][_picture(part.shown)] = number
    found = []
    for one in _people(work, parts.albums, pictures=pictures):
        of_album = places[one.place.video]
        # An image that moves is a video, and has no pictures.
        shown = [of_album[it] for it in one.pictures or (1,) if it in of_album]
        number = one.place.video * MOST_POSITIONS + one.place.position
        if shown:
            found.append(replace(one, number=number, spans=(), pictures=tuple(sorted(shown))))
    return found


def _picture(shown: InAlbum) -> int:
    return 1 if shown.picture is None else shown.picture + 1


def _joined(people: Iterable[Seen]) -> list[Seen]:
    """Join those who are taken for the same performer, the most certain first."""
    groups: dict[tuple[str, int], list[Seen]] = defaultdict(list)
    for one in sorted(people, key=_rank):
        is_named = one.first is not None and one.decided.person.verdict != "unknown"
        key = ("performer", one.first.performer.id) if is_named and one.first else ("", one.number)
        groups[key].append(one)
    return [
        replace(
            first,
            pictures=tuple(sorted({it for one in (first, *others) for it in one.pictures})),
            also=tuple(others),
        )
        for first, *others in groups.values()
    ]


def _rank(one: Seen) -> tuple[bool, float, int]:
    score = one.first.score if one.first else 0.0
    return one.decided.kind != "confirmed", -score, -one.decided.person.faces
