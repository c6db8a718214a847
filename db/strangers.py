"""Strangers: unknown people of many videos, grouped; what the ledger keeps of each group."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from db.records import Generation, Vector


class Place(NamedTuple):
    """Where a sighting is: its video, and its position among the people there."""

    video: int
    position: int


@dataclass(frozen=True, eq=False)
class StrangerTemplate:
    """What somebody is compared by across videos: the mean of their views, by both nets.

    `second` is None, and `model` empty, if the second net, the one `model` names, encoded no view.
    `evidence` says how much `first` is worth, `both_evidence` how much both are together.
    """

    first: Vector
    evidence: float
    second: Vector | None = None
    both_evidence: float = 0.0
    model: str = ""


@dataclass(frozen=True, eq=False)
class Placement:
    """That a sighting belongs to a stranger, and what it is compared by.

    `sighting` is None if the video was scanned again since: then it only says where the same
    person belongs.
    """

    sighting: int | None
    place: Place
    stranger: int
    template: StrangerTemplate


@dataclass(frozen=True, eq=False)
class Newcomer:
    """A sighting to place: its row, where it is, and what it is compared by."""

    sighting: int
    place: Place
    template: StrangerTemplate


@dataclass(frozen=True, eq=False)
class Joined:
    """One stranger as grouping leaves them: newcomers, and strangers who turned out to be one.

    `kept` is None for somebody new; `absorbed` are the others' ids.
    """

    kept: int | None
    absorbed: tuple[int, ...]
    newcomers: tuple[Newcomer, ...]


@dataclass(frozen=True)
class Glimpse:
    """What a list shows of a sighting: its best moment, how many faces, and how clear they are.

    `clearness` is the best view's quality (0 to 1), and 1 more if the view is a strong one.
    """

    place: Place
    best_seconds: float
    faces: int
    clearness: float


@dataclass(frozen=True)
class Stranger:
    """Somebody unknown, and where they were seen; the id stays while anything is known."""

    id: int
    ignored: bool
    places: tuple[Place, ...]


class Strangers(Protocol):
    """The strangers of a ledger. Every method but `erase` is one short transaction."""

    def tidy(self) -> None:
        """Drop the placements of people who are named by now, and strangers without any.

        Only the number of the stranger they were is kept, see `once`.
        """

    def once(self) -> Mapping[int, int]:
        """Return which stranger somebody was before they were named, by the row of the sighting."""

    def unplaced(self) -> list[tuple[int, Place]]:
        """Return the unknown people who belong to no stranger yet: row and place, in order."""

    def placements(self) -> list[Placement]:
        """Return every placement, in order of stranger."""

    def apart(self) -> list[tuple[int, int]]:
        """Return the pairs of strangers who are never joined, because the user split them."""

    def join(self, groups: Iterable[Joined]) -> None:
        """Store what grouping found; newcomers whose sightings are gone by now are left out."""

    def settle(self) -> None:
        """Drop the placements of earlier scans, once all of later ones are placed."""

    def everyone(self) -> list[Stranger]:
        """Return the strangers who are seen anywhere, by id."""

    def glimpses(self, places: Sequence[Place]) -> list[Glimpse]:
        """Return what a list shows of some sightings, in no order; no encoding is read."""

    def find(self, stranger: int) -> Stranger:
        """Return one stranger.

        Raises:
            StrangerNotFoundError: there is none of that id, or no longer.
        """

    def ignore(self, stranger: int, *, ignored: bool) -> None:
        """Hide a stranger from lists, or show them again."""

    def split(self, stranger: int, places: Sequence[Place]) -> int:
        """Take sightings out of a stranger, never to be joined again; return their new id."""

    def erase(
        self, scanned_before: str | None = None, *, unkept_at: Generation | None = None
    ) -> int:
        """Erase every unknown person, or those of videos scanned before a time (UTC, ISO 8601).

        With `unkept_at` it is those of videos of which no strangers were kept, and who are unknown
        in that generation of the gallery; nobody about whom something was decided. It goes in
        parts, each a short transaction. Returns how many sightings there were. `end_erasing` is to
        follow.
        """

    def go_on_erasing(self) -> None:
        """Finish an `erase` that was interrupted."""

    def end_erasing(self) -> bool:
        """Empty the file's log too; False if another reader of the file still prevents that."""

    def is_erasing(self) -> bool:
        """Say whether `end_erasing` has not succeeded yet."""
