"""People as found in one video, before they are named: what a scan keeps of them."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from db.records import Vector, Vectors


@dataclass(frozen=True, eq=False, slots=True)
class View:
    """Faces of one person that are nearly the same, counted once as evidence.

    `faces` is their number; `seconds`, `quality` (0 to 1) and `weaknesses` are those of the best.
    `encodings` holds their mean for each model, float32 (dimensions,), the primary model first;
    only the best views have one of the second model.
    """

    seconds: float
    quality: float
    faces: int
    weaknesses: tuple[str, ...]
    encodings: tuple[Vector, ...]

    @property
    def is_weak(self) -> bool:
        """Whether its faces are weak: they may join a person but not start one."""
        return bool(self.weaknesses)


@dataclass(frozen=True, eq=False, slots=True)
class Evidence:
    """The views by which a person is compared: the strong ones, or all if none is strong.

    Row i of `first`, float32 (views, dimensions), is a view's encoding by the primary model;
    `qualities` is float32 (views,). `second` has a row for each view with an encoding of the second
    model, too, and `has_second`, (views,), says which these are.
    """

    is_strong: bool
    qualities: NDArray[np.float32]
    first: Vectors
    second: Vectors
    has_second: NDArray[np.bool_]

    def only(self, strong: NDArray[np.bool_]) -> "Evidence":
        """Return the strong ones of these; all of them, if none is."""
        if not strong.any():
            return replace(self, is_strong=False)
        return Evidence(
            is_strong=True,
            qualities=self.qualities[strong],
            first=self.first[strong],
            second=self.second[strong[self.has_second]],
            has_second=self.has_second[strong],
        )


@dataclass(frozen=True, order=True)
class Seen:
    """A frame that shows a person, sampled at `seconds`.

    Between the frames of two shots numbers are left out, so that they are never taken for
    neighbours. It stands for the video from `since_seconds` until `until_seconds`.
    """

    frame: int
    seconds: float
    until_seconds: float
    since_seconds: float


@dataclass(frozen=True, eq=False)
class PersonFound:
    """A person in a video, not named yet: views, strong ones first, and frames in order of time.

    `picture` is a JPEG of the best face, which the video shows at `best_seconds`.
    """

    views: tuple[View, ...]
    seen: tuple[Seen, ...]
    best_seconds: float
    picture: bytes

    @property
    def faces(self) -> int:
        """How many faces were counted."""
        return sum(view.faces for view in self.views)

    @cached_property
    def evidence(self) -> Evidence:
        """The views by which the person is compared, in arrays."""
        views = self.strong_views or self.views
        second = [view.encodings[1] for view in views if len(view.encodings) > 1]
        return Evidence(
            is_strong=bool(self.strong_views),
            qualities=np.array([view.quality for view in views], np.float32),
            first=np.stack([view.encodings[0] for view in views]),
            second=np.stack(second) if second else np.empty((0, 0), np.float32),
            has_second=np.array([len(view.encodings) > 1 for view in views], bool),
        )

    @cached_property
    def strong_views(self) -> tuple[View, ...]:
        """The views that are not weak."""
        return tuple(view for view in self.views if not view.is_weak)

    @cached_property
    def weak_views(self) -> tuple[View, ...]:
        """The views that are weak."""
        return tuple(view for view in self.views if view.is_weak)


@dataclass(frozen=True, order=True)
class Link:
    """Two people of a video who followed each other in one place, and never share a frame.

    `first` and `second` are their positions, `distance` the least between two such faces.
    """

    distance: float
    first: int
    second: int
