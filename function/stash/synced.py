"""What a sync with Stash is asked for, and what it did."""

from dataclasses import dataclass, field
from typing import Any

from db.counted import counted
from function.imports.photos import Demands
from function.imports.reports import Report
from function.stash.following import Followed
from function.stash.scene_faces import Learned

MOST_KEPT = 200
"""This many performers without a usable photo are remembered with a task."""


@dataclass(frozen=True)
class SyncOptions:
    """How much to read: pictures of each performer besides the cover; all of it again with `full`.

    `accept_missing` lets performers go who are no longer in Stash, however many they are. With
    `from_scenes`, up to so many scenes enrol each performer, too.
    """

    images: int = 5
    full: bool = False
    accept_missing: bool = False
    from_scenes: int = 0
    demands: Demands = field(default_factory=Demands)


@dataclass(frozen=True)
class WithoutPhoto:
    """A performer of Stash who cannot be found by their face: why, and their page in Stash."""

    id: str
    name: str
    reason: str
    page: str


@dataclass(frozen=True)
class Synced:
    """What a sync did: how ids changed, what was enrolled, and who has no usable photo."""

    followed: Followed
    report: Report
    without_photo: tuple[WithoutPhoto, ...]
    learned: Learned | None = None

    def to_json(self) -> dict[str, Any]:
        """Return everything for people and programs."""
        return {
            "taken_over": self.followed.taken_over,
            "merged": self.followed.merged,
            "detached": self.followed.detached,
            "returned": self.followed.returned,
            **self.report.to_json(),
            "without_photo": [vars(one) for one in self.without_photo],
            **({"from_scenes": self.learned.to_json()} if self.learned else {}),
            "notes": list(self.followed.notes),
        }

    def to_keep(self) -> dict[str, Any]:
        """Return who has no usable photo as a task may keep it: by Stash's numbers, not names."""
        return {"without_photo": [[one.id, one.reason] for one in self.without_photo[:MOST_KEPT]]}

    def summary(self) -> str:
        """Say in one line, without names, what was done."""
        counts = self.report.counts()
        done = (
            f"{counted(counts['added'], 'performer')} added, {counts['updated']} updated, "
            f"{counted(counts['photos'], 'photo')}; {self.followed.merged} merged, "
            f"{self.followed.detached} detached; {len(self.without_photo)} without a usable photo."
        )
        words = [done]
        if self.learned:
            words.append(f"{counted(self.learned.scenes, 'scene')} enrolled somebody.")
        if self.report.stopped:
            words.append(f"Stopped: {self.report.stopped}")
        return " ".join((*words, *self.followed.notes))
