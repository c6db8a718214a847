"""Matches everyone a ledger remembers with today's gallery, without opening a video."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from db.ledgers import Ledger
from db.people import Link, PersonFound
from db.videos import Outcome, Sighting
from function.faces.found import StageSeconds
from function.library.decisions import Decided, apply_decisions, settle
from function.library.finding import text_of
from function.library.keeping import outcomes_of
from function.library.naming import Naming
from function.matching.matches import Identification
from function.people.gathering import PeopleFound
from function.recognition import Unnamed

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


def rematch(ledger: Ledger, naming: Naming) -> Iterator[Changed]:
    """Match again every video whose outcomes are not of this gallery; yields what each part did."""
    generation, after_id = naming.gallery.generation, 0
    # By id: another process may match them with another state of the gallery at the same time.
    while videos := ledger.not_matched_at(generation, VIDEOS_AT_ONCE, after_id):
        after_id = videos[-1]
        yield rematch_videos(ledger, naming, videos)


def rematch_videos(ledger: Ledger, naming: Naming, videos: Sequence[int]) -> Changed:
    """Match some videos again, a few hundred at most, as they are read at once."""
    before = ledger.outcomes(videos)
    # Before the decisions are read: one that is taken meanwhile must not be overlooked.
    decided = {one.id: one.decided for one in ledger.records(videos)}
    after, people = _match_again(ledger, videos, naming)
    ledger.put_outcomes(after, naming.gallery.generation, decided)
    changed = sum(_count_changes(before[video], after[video]) for video in videos)
    return Changed(len(videos), people, changed)


def _match_again(
    ledger: Ledger, videos: Sequence[int], naming: Naming
) -> tuple[dict[int, tuple[Outcome, ...]], int]:
    """Match the people of some videos, as a scan of today would; also say how many there are."""
    named = name_again(ledger, videos, naming)
    outcomes = {video: outcomes_of(people) for video, people in named.items()}
    return outcomes, sum(len(one) for one in outcomes.values())


def name_again(
    ledger: Ledger, videos: Sequence[int], naming: Naming, *, pictures: bool = False
) -> dict[int, list[Decided]]:
    """Name the people of some videos as a scan of today would, with all that they may be.

    Their members are positions in the ledger. Without `pictures` these are empty.
    """
    sightings, links = ledger.sightings(videos, pictures=pictures), ledger.links(videos)
    records = {one.id: one for one in ledger.records(videos)}
    unnamed = []
    for video in videos:
        record = records[video]
        models = record.scanned.models if record.scanned else ()
        people = tuple(naming.fitting(one.person, models) for one in sightings[video])
        found = _as_found(people, sightings[video], links[video])
        unnamed.append(Unnamed(found, text_of(record.paths[0]) if record.paths else ""))
    decisions = ledger.decisions(videos)
    return {
        video: settle(
            apply_decisions(
                [_renumber(one, sightings[video]) for one in people],
                decisions[video],
                naming.gallery,
            ),
            records[video].kind,
        )
        for video, people in zip(videos, naming.name(unnamed), strict=True)
    }


def _as_found(
    people: tuple[PersonFound, ...], sightings: Sequence[Sighting], links: Sequence[Link]
) -> PeopleFound:
    places = {one.position: place for place, one in enumerate(sightings)}
    renumbered = tuple(
        replace(link, first=places[link.first], second=places[link.second]) for link in links
    )
    return PeopleFound(people, (), 0, 0, StageSeconds(0.0, 0.0), renumbered)


def _renumber(one: Identification, sightings: Sequence[Sighting]) -> Identification:
    return replace(one, members=tuple(sightings[place].position for place in one.members))


def _count_changes(before: Sequence[Outcome], after: Sequence[Outcome]) -> int:
    """Count the people whose name or verdict is another one."""
    old = {one.position: (one.performer, one.verdict) for one in before if one.lead == one.position}
    new = {one.position: (one.performer, one.verdict) for one in after if one.lead == one.position}
    return sum(old.get(position) != said for position, said in new.items())
