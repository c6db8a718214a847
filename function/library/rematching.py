"""Matches everyone a ledger remembers with today's gallery, without opening a video."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from db.ledgers import Ledger
from db.people import Link, PersonFound
from db.snapshots import Snapshot
from db.videos import Outcome, Sighting
from function.faces.found import StageSeconds
from function.library.keeping import outcomes_of
from function.matching.matches import Identification
from function.people.gathering import PeopleFound
from function.recognition import name_people
from function.settings import Settings

VIDEOS_AT_ONCE = 200
"""Videos read, matched and stored in one transaction: some 20 MB."""


@dataclass(frozen=True)
class Changed:
    """What a rematch did to some videos: people named now, and before, and changed verdicts."""

    videos: int = 0
    people: int = 0
    changed: int = 0

    def __add__(self, other: "Changed") -> "Changed":
        return Changed(
            self.videos + other.videos, self.people + other.people, self.changed + other.changed
        )


def rematch(ledger: Ledger, gallery: Snapshot, settings: Settings) -> Iterator[Changed]:
    """Match again every video whose outcomes are not of this gallery; yields what each part did."""
    while videos := ledger.not_matched_at(gallery.generation, VIDEOS_AT_ONCE):
        sightings, links = ledger.sightings(videos), ledger.links(videos)
        before = ledger.outcomes(videos)
        after = {
            video: match_again(sightings[video], links[video], gallery, settings)
            for video in videos
        }
        ledger.put_outcomes(after, gallery.generation)
        yield Changed(
            videos=len(videos),
            people=sum(len(one) for one in sightings.values()),
            changed=sum(_count_changes(before[video], after[video]) for video in videos),
        )


def match_again(
    sightings: Sequence[Sighting], links: Sequence[Link], gallery: Snapshot, settings: Settings
) -> tuple[Outcome, ...]:
    """Match the people of one video, as a scan of today would."""
    places = {one.position: place for place, one in enumerate(sightings)}
    renumbered = tuple(
        replace(link, first=places[link.first], second=places[link.second]) for link in links
    )
    found = _as_found([one.person for one in sightings], renumbered)
    named = name_people(found, gallery, settings).identifications
    return outcomes_of([_renumber(one, sightings) for one in named])


def _as_found(people: Sequence[PersonFound], links: tuple[Link, ...]) -> PeopleFound:
    return PeopleFound(tuple(people), (), 0, 0, StageSeconds(0.0, 0.0), links)


def _renumber(one: Identification, sightings: Sequence[Sighting]) -> Identification:
    return replace(one, members=tuple(sightings[place].position for place in one.members))


def _count_changes(before: Sequence[Outcome], after: Sequence[Outcome]) -> int:
    """Count the people whose name or verdict is another one."""
    old = {one.position: (one.performer, one.verdict) for one in before if one.lead == one.position}
    new = {one.position: (one.performer, one.verdict) for one in after if one.lead == one.position}
    return sum(old.get(position) != said for position, said in new.items())
