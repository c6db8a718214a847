"""Matches everyone a ledger remembers with today's gallery, without opening a video."""

import json
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from db.decisions import Decision
from db.errors import GalleryReadOnlyError
from db.ledgers import Ledger
from db.people import Link
from db.records import Identity
from db.videos import Outcome, Sighting, VideoRecord
from function.faces.found import StageSeconds
from function.library.decisions import Decided, apply_decisions, settle
from function.library.finding import text_of
from function.library.keeping import outcomes_of
from function.library.naming import NUMBER_BITS, Naming
from function.matching.matches import Identification
from function.people.gathering import PeopleFound
from function.recognition import Unnamed

VIDEOS_AT_ONCE = 400
"""Videos read, matched and stored in one transaction: some 30 MB."""

TERMS = "named by"
"""Under this name, among the user's choices, the terms by which people are named are noted."""

_log = logging.getLogger(__name__)


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


@dataclass(frozen=True, eq=False)
class _Remembered:
    """What the ledger knows of some videos, by their ids, before they are matched again."""

    records: dict[int, VideoRecord]
    sightings: dict[int, list[Sighting]]
    links: dict[int, list[Link]]
    decisions: dict[int, list[Decision]]
    tagged: dict[int, list[Identity]]


def rematch(ledger: Ledger, naming: Naming) -> Iterator[Changed]:
    """Match again every video whose outcomes are not of this gallery; yields what each part did.

    In a library that cannot be written they stay as they are, and the log says so.
    """
    after = 0
    # By id: another process may match them with another state of the gallery at the same time.
    while videos := ledger.not_matched_at(naming.generation, VIDEOS_AT_ONCE, after):
        try:
            # To read the next ones in a thread meanwhile takes longer: both want the interpreter.
            yield _rematch(ledger, naming, _read(ledger, videos))
        except GalleryReadOnlyError as error:
            _log.warning("Names stay as they were last matched: %s", error)
            return
        after = max(videos)


def rematch_videos(ledger: Ledger, naming: Naming, videos: Sequence[int]) -> Changed:
    """Match some videos again, a few hundred at most, as they are read at once."""
    return _rematch(ledger, naming, _read(ledger, videos))


def _rematch(ledger: Ledger, naming: Naming, known: _Remembered) -> Changed:
    _note_terms(ledger, naming, known.records.values())
    named = _name(known, naming)
    after = {video: outcomes_of(people) for video, people in named.items()}
    before = ledger.put_outcomes(after, naming.generation, known.records)
    changed = sum(_count_changes(before[video], after[video]) for video in before)
    return Changed(len(after), sum(len(one) for one in after.values()), changed)


def _note_terms(ledger: Ledger, naming: Naming, records: Iterable[VideoRecord]) -> None:
    """Note the terms by which people were named so far, if others apply and none were noted.

    That is so in a library that an earlier version made: these, not its own, are the first.
    """
    terms = {one.matched_at[1] >> NUMBER_BITS for one in records if one.matched_at}
    if terms - {naming.terms} and not ledger.choice(TERMS):
        ledger.choose(TERMS, json.dumps({"terms": min(terms - {naming.terms}), "since": ""}))


def name_again(
    ledger: Ledger,
    videos: Sequence[int],
    naming: Naming,
    *,
    pictures: bool = False,
    with_tags: bool = True,
) -> dict[int, list[Decided]]:
    """Name the people of some videos as a scan of today would, with all that they may be.

    Their members are positions in the ledger. Without `pictures` these are empty, and nobody is
    likelier by what the user tagged without `with_tags`.
    """
    known = _read(ledger, videos, pictures=pictures)
    if not with_tags:
        known = replace(known, tagged={video: [] for video in known.tagged})
    return _name(known, naming)


def _read(ledger: Ledger, videos: Sequence[int], *, pictures: bool = False) -> _Remembered:
    # First, so that no scan and no decision that comes meanwhile is overlooked.
    records = {one.id: one for one in ledger.records(videos)}
    return _Remembered(
        records,
        ledger.sightings(videos, pictures=pictures),
        ledger.links(videos),
        ledger.decisions(videos),
        ledger.tagged(videos),
    )


def _name(known: _Remembered, naming: Naming) -> dict[int, list[Decided]]:
    unnamed = []
    for video, record in known.records.items():
        sightings = known.sightings[video]
        found = _as_found(record, sightings, known.links[video])
        path = text_of(record.paths[0]) if record.paths else ""
        unnamed.append(Unnamed(found, path, naming.hints_of(known.tagged[video])))
    return {
        video: settle(
            apply_decisions(
                _renumber(people, known.sightings[video]),
                known.decisions[video],
                naming.gallery,
            ),
            known.records[video].kind,
        )
        for video, people in zip(known.records, naming.name(unnamed), strict=True)
    }


def _as_found(
    record: VideoRecord, sightings: Sequence[Sighting], links: Sequence[Link]
) -> PeopleFound:
    renumbered: tuple[Link, ...] = ()
    if links:
        places = {one.position: place for place, one in enumerate(sightings)}
        renumbered = tuple(
            replace(link, first=places[link.first], second=places[link.second]) for link in links
        )
    people = tuple(one.person for one in sightings)
    return PeopleFound(people, record.models, 0, 0, StageSeconds(0.0, 0.0), renumbered)


def _renumber(
    people: Sequence[Identification], sightings: Sequence[Sighting]
) -> list[Identification]:
    """Let members be positions in the ledger, which differ where somebody was erased."""
    positions = [one.position for one in sightings]
    if positions == list(range(len(sightings))):
        return list(people)
    return [
        replace(one, members=tuple(positions[place] for place in one.members)) for one in people
    ]


def _count_changes(before: Sequence[Outcome], after: Sequence[Outcome]) -> int:
    """Count the people whose name or verdict has changed."""
    old = {one.position: (one.performer, one.verdict) for one in before if one.lead == one.position}
    new = {one.position: (one.performer, one.verdict) for one in after if one.lead == one.position}
    return sum(old.get(position) != said for position, said in new.items())
