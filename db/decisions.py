"""What the user said of a person in a video; it outlasts scans, matching and merging."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from db.records import Identity, Vector
from db.videos import Interval

DecisionKind: TypeAlias = Literal["confirmed", "rejected", "ignored", "named", "unreadable"]
"""The person is this performer, is not this performer, does not matter, or is this performer and
was enrolled from what the video shows of them. In a damaged decision, which of these may be
unreadable."""


@dataclass(frozen=True, eq=False)
class Decision:
    """A decision about a person, found again by when they were seen and by how they look.

    `template` is the mean of the primary model's encodings. `identities` are all ids of the
    performer, empty for somebody ignored; one of them is still there after a merge. `photo_hashes`
    are the views that a name enrolled, by which they are found when it is taken back: a later scan
    sees others. `id` is 0 before it is stored. `damaged` names the parts that a bad disk left
    unreadable, such as "spans"; these are empty. A damaged decision no longer counts.
    """

    kind: DecisionKind
    spans: tuple[Interval, ...]
    template: Vector
    identities: tuple[Identity, ...]
    photo_hashes: tuple[str, ...] = ()
    id: int = 0
    at: str = ""
    damaged: tuple[str, ...] = ()
