"""What the shell and the workers tell each other: records as bytes, in the sandbox's format.

Neither side builds anything else from what it receives.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from function.errors import (
    CrashedVideoError,
    EngineUnavailableError,
    RecognitionError,
    StoppingError,
    TimeLimitError,
    UnreadableVideoError,
    VideoOverLimitError,
)
from function.faces.found import Progress, Task
from function.people.gathering import PeopleFound
from function.sandbox.messages import read_message, require_few_values
from function.sandbox.portions import MOST_PEOPLE_BYTES
from function.sandbox.wire import WireError, pack


class ElsewhereError(Exception):
    """A worker does not see the file that is meant; another one may."""


@dataclass(frozen=True)
class Terms:
    """What has to be the same everywhere, or results would depend on who read a video.

    `models` are the ids of the encodings' models, the primary one first.
    """

    version: str
    detector: str
    models: tuple[str, ...]


@dataclass(frozen=True)
class WorkerReady:
    """What a worker says of itself, and how many videos it reads at once."""

    terms: Terms
    slots: int


@dataclass(frozen=True)
class ReadOrder:
    """Find the people in a video, and send progress under `topic` with this `number`.

    `path` is relative to the media root, as bytes, and `oshash` the fingerprint of the file that
    is meant. Messages call it `name`.
    """

    path: bytes
    name: str
    oshash: str
    task: Task
    topic: str
    number: int


@dataclass(frozen=True, eq=False)
class VideoRead:
    """Everyone in a video, and the last progress: it says how long the video is."""

    progress: Progress
    found: PeopleFound


@dataclass(frozen=True)
class Refused:
    """Why there is no result: the kind of the error, one of REFUSALS, and its message."""

    kind: str
    message: str


Message: TypeAlias = WorkerReady | ReadOrder | VideoRead | Refused | Progress

_LETTERS: Mapping[type[Message], bytes] = {
    WorkerReady: b"W",
    ReadOrder: b"V",
    VideoRead: b"F",
    Refused: b"E",
    Progress: b"P",
}

LARGEST_ANSWER_BYTES = 2 * MOST_PEOPLE_BYTES
LARGEST_OTHER_BYTES = 250_000
MOST_VALUES = 1_000_000
"""As many people as are believed have 600,000: in 24 MB there are 119,000 moments."""

REFUSALS: Mapping[str, type[Exception]] = {
    kind.__name__: kind
    for kind in (
        CrashedVideoError,
        ElsewhereError,
        EngineUnavailableError,
        StoppingError,
        TimeLimitError,
        UnreadableVideoError,
        VideoOverLimitError,
    )
}
"""The errors that a worker may answer with."""


def write(record: Message) -> bytes:
    """Write a record, preceded by the letter of its kind."""
    return _LETTERS[type(record)] + pack(record)


def read(kinds: tuple[type[Message], ...], message: bytes) -> Any:
    """Read a record that is one of `kinds`.

    Raises:
        WireError: it is none of them, not valid, too long, or of too many values.
    """
    is_answer = VideoRead in kinds and message[:1] == _LETTERS[VideoRead]
    if len(message) > (LARGEST_ANSWER_BYTES if is_answer else LARGEST_OTHER_BYTES):
        raise WireError(f"it has {len(message)} bytes")
    require_few_values(message, MOST_VALUES)
    return read_message({_LETTERS[kind]: kind for kind in kinds}, message)


def refuse(error: RecognitionError | ElsewhereError) -> Refused:
    """Return the refusal that stands for an error: of its own kind, or one it derives from."""
    kinds = (kind.__name__ for kind in type(error).__mro__)
    kind = next((name for name in kinds if name in REFUSALS), UnreadableVideoError.__name__)
    return Refused(kind, str(error)[:1000])
