"""Crews search the stretches of a video together; a crew of one takes them in order."""

from collections.abc import Iterable
from typing import Protocol

from function.faces.found import StretchFound
from function.media.surveys import Survey


class Crew(Protocol):
    """Shares out the stretches of one video, and brings together what was found in them.

    Stretches are called by their number, from 0.
    """

    def deal(self, count: int, survey: Survey) -> None:
        """Begin: this many stretches are to be searched, of a video that was surveyed."""

    def take(self) -> int | None:
        """Return the next stretch that nobody has taken; None if there is none."""

    def clear(self) -> None:
        """Leave nothing for anyone to take: no more stretches are wanted."""

    def note(self, seconds: float, faces: int) -> tuple[float, int]:
        """Note how many seconds of video this process has searched, and the faces in them.

        Returns the sums over all of the crew.
        """

    def collect(self) -> Iterable[StretchFound]:
        """Wait for the others, and yield what they found, which is less if one failed."""


class Alone:
    """A crew of one."""

    def __init__(self) -> None:
        self._left: list[int] = []

    def deal(self, count: int, survey: Survey) -> None:  # noqa: ARG002  # for others
        """Begin: this many stretches are to be searched."""
        self._left = list(range(count))

    def take(self) -> int | None:
        """Return the next stretch."""
        return self._left.pop(0) if self._left else None

    def clear(self) -> None:
        """Leave nothing to take."""
        self._left = []

    def note(self, seconds: float, faces: int) -> tuple[float, int]:
        """Return the same."""
        return seconds, faces

    def collect(self) -> Iterable[StretchFound]:
        """Return nothing: there is nobody else."""
        return ()
