"""Decides what a scan keeps of a video: whom, how much of them, and what matching said."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import attrgetter

from db.decisions import Decision
from db.people import PersonFound, View
from db.records import Identity
from db.videos import Interval, Kind, Outcome, VideoFound
from function.library.decisions import Decided, apply_decisions, settle, share_within
from function.library.naming import Naming
from function.people.gathering import PeopleFound
from function.recognition import Unnamed

MOST_VIEWS_KEPT = 16
"""At most this many views of a person are kept, 0.5 to 1.5 KB each: one video is worth four photos
of different days at most, however many views there are."""

MOSTLY = 0.5
"""Somebody may be a forgotten person if this share of them is seen when that person was."""


@dataclass(frozen=True, eq=False)
class Kept:
    """What the ledger is given of one video."""

    found: VideoFound
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True)
class Watched:
    """The video, or album, that people were found in: its path as text, and its length."""

    path: str
    seconds: float
    kind: Kind = "video"


def keep_people(
    found: PeopleFound,
    watched: Watched,
    naming: Naming,
    *,
    strangers: bool,
    forgotten: Sequence[Interval] = (),
    decisions: Sequence[Decision] = (),
    tagged: Sequence[Identity] = (),
) -> Kept:
    """Name the people of a video, and choose what to keep of them.

    They are named by what is kept, so that a rematch says the same. Without `strangers`, nothing is
    kept of people who may be nobody in the gallery; they are counted. Nor is a stranger kept who is
    seen at the times of somebody who has been `forgotten` since: it may be the same person.
    Performers whom the user `tagged` on it are likelier.
    """
    trimmed = replace(found, people=tuple(trim(person) for person in found.people))
    hints = naming.hints_of(tagged)
    (named,) = naming.name([Unnamed(trimmed, watched.path, hints)])
    decided = apply_decisions(named, decisions, naming.gallery)
    kept = [
        one
        for one in settle(decided, watched.kind)
        if one.person.verdict != "unknown"
        or (strangers and share_within(one.person.seen, forgotten) < MOSTLY)
    ]
    positions = sorted(member for one in kept for member in one.person.members)
    people = tuple((position, trimmed.people[position]) for position in positions)
    links = tuple(one for one in found.links if {one.first, one.second} <= set(positions))
    left_out = len(named) - len(kept)
    video = VideoFound(
        *(watched.seconds, found.frames, found.faces),
        *(people, links),
        left_out=left_out,
        strangers=strangers,
        unreadable_seconds=found.unreadable_seconds,
    )
    return Kept(video, outcomes_of(kept))


def outcomes_of(decided: Sequence[Decided]) -> tuple[Outcome, ...]:
    """Return what matching said of everyone, by position; one who was joined has only a lead."""
    outcomes = []
    for one in decided:
        lead, *others = one.person.members
        outcomes.append(_lead(one, lead))
        outcomes += [Outcome(member, lead) for member in others]
    return tuple(sorted(outcomes, key=attrgetter("position")))


def _lead(decided: Decided, position: int) -> Outcome:
    one, kind = decided.person, decided.kind or ""
    if not one.matches or one.verdict == "unknown":
        return Outcome(position, position, decided=kind)
    first = one.matches[0]
    return Outcome(position, position, first.performer.id, first.score, one.verdict, kind)


def trim(person: PersonFound) -> PersonFound:
    """Keep a person's best views: those that both nets encoded, then the best, strong ones first.

    Their order stays, and the count of faces: the last one counts those of views left out.
    """
    if len(person.views) <= MOST_VIEWS_KEPT:
        return person
    ranked = sorted(person.views, key=_rank)
    chosen = {id(view) for view in ranked[:MOST_VIEWS_KEPT]}
    views = [view for view in person.views if id(view) in chosen]
    faces = person.faces - sum(view.faces for view in views)
    views[-1] = replace(views[-1], faces=views[-1].faces + faces)
    return replace(person, views=tuple(views))


def _rank(view: View) -> tuple[bool, int, float, float]:
    return view.is_weak, -len(view.encodings), -view.quality, view.seconds
