"""People become matches: distances to the gallery become scores, and scores a verdict."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from db.records import Performer
from function.people import Person

Verdict: TypeAlias = Literal["match", "uncertain", "unknown"]


@dataclass(frozen=True)
class Match:
    """A performer a person may be, with the probability of that in percent."""

    performer: Performer
    distance: float
    score: float


@dataclass(frozen=True, eq=False)
class Identification:
    """What is known of one person: the matches, best first, and how far to trust the first."""

    person: Person
    matches: tuple[Match, ...]
    verdict: Verdict
