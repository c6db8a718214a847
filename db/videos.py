"""What the ledger knows of videos: their files, the state of their scan, and who is in them."""

from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias, get_args

from db.people import Link, PersonFound
from db.records import Generation

State: TypeAlias = Literal["queued", "working", "done", "failed"]
"""Queued: to be scanned. Working: somebody scans it. Failed: with a reason; a scan skips it until
its file changes, or it is asked to try again."""

STATES: tuple[State, ...] = get_args(State)

Depth: TypeAlias = Literal["quick", "normal", "deep"]

DEPTHS: tuple[Depth, ...] = ("quick", "normal", "deep")
"""Each sees all that the one before it sees, and more."""

Kind: TypeAlias = Literal["video", "album"]
"""An album holds pictures: a folder of them, a zip archive, or one picture. It is stored as a video
is: the place of a picture, counted from 0, is the frame and the second in which it shows people."""

MOST_TRIES = 3
"""A video whose scan ends this often without an answer is set aside: it kills what reads it."""

Verdict: TypeAlias = Literal["match", "uncertain", "unknown"]


Interval: TypeAlias = tuple[float, float]
"""From and until when, in seconds of a video."""


_HALF = 2**63
"""A store keeps whole numbers from minus this to below it."""


class Content(NamedTuple):
    """What a video holds, wherever it lies: its fingerprint and its size."""

    oshash: str
    size_bytes: int


class Stamp(NamedTuple):
    """What shows, without reading it, that a file is the one that was there before."""

    size_bytes: int
    mtime_ns: int


def stamp_of(size_bytes: int, mtime_ns: int) -> Stamp:
    """Make a stamp of what a disk says. A date after 2262, too late for a store, wraps around."""
    return Stamp(size_bytes, (mtime_ns + _HALF) % (2 * _HALF) - _HALF)


@dataclass(frozen=True)
class VideoFile:
    """A file on disk: its absolute path as bytes, and the fingerprint of what it holds.

    `oshash` is Stash's fingerprint, 16 hexadecimal digits. An album may be a folder; then it is
    made of the names, sizes and contents of the pictures there. `real_path` is where the file lies
    if the path leads there by a link, else empty. `content` is a fingerprint of all that a small
    file holds, empty for others: small files of one oshash may differ, and are then known by it.
    """

    path: bytes
    stamp: Stamp
    oshash: str
    real_path: bytes = b""
    kind: Kind = "video"
    content: str = ""


@dataclass(frozen=True)
class Scanned:
    """How a video was scanned: the depth, seconds between samples (None: chosen), and the models.

    `models` are the ids of the encodings' models, the primary one first.
    """

    depth: Depth
    every_seconds: float | None
    models: tuple[str, ...]


@dataclass(frozen=True)
class Lease:
    """The right to scan one video at a depth, until it runs out; `token` is valid for nobody else.

    `paths` are its files, `tries` counts this try too. `decided` counts what was decided about the
    video before.
    """

    video: int
    token: str
    oshash: str
    paths: tuple[bytes, ...]
    tries: int
    depth: Depth
    decided: int = 0
    kind: Kind = "video"


class Area(NamedTuple):
    """A part of a picture: its edges as shares (0 to 1) of the width and of the height."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True)
class AlbumPicture:
    """A picture of an album: its name there, and how many faces it shows.

    `place` is where it is in an archive, None for a file. `reason` says why it could not be used,
    or why a file was left out; it is empty otherwise. `content` is a fingerprint, by which it is
    recognised under another name: empty if it could not be read.
    """

    name: str
    faces: int = 0
    reason: str = ""
    place: int | None = None
    content: str = ""


@dataclass(frozen=True)
class Shown:
    """A person's face in a picture of an album: the positions of both, and where it is."""

    person: int
    picture: int
    area: Area


@dataclass(frozen=True)
class Outcome:
    """What matching says of one sighting; derived, and made again by a rematch.

    `lead` is the position of the sighting whose name and picture stand for this one too: its own,
    unless both were joined. Only a lead has a performer, a score (percent) and a verdict.
    `decided` says if the user decided it: "confirmed", "rejected" (a performer, so that this is
    what remains) or "ignored"; empty if not.
    """

    position: int
    lead: int
    performer: int | None = None
    score: float = 0.0
    verdict: Verdict = "unknown"
    decided: str = ""


@dataclass(frozen=True, eq=False)
class VideoFound:
    """What a scan found in a video: people, not named yet, and who of them may be one person.

    `people` are given with their positions; positions of people who were not kept are missing.
    `strangers` says whether strangers were kept. `unreadable_seconds` is how much of the video is
    damaged and was not seen. `pictures` are those of an album, in order, and `shown` says who of
    the people is where on them.
    """

    seconds: float
    frames: int
    faces: int
    people: tuple[tuple[int, PersonFound], ...]
    links: tuple[Link, ...]
    left_out: int = 0
    strangers: bool = True
    unreadable_seconds: float = 0.0
    pictures: tuple[AlbumPicture, ...] = ()
    shown: tuple[Shown, ...] = ()


@dataclass(frozen=True, eq=False)
class Sighting:
    """A person stored: where in which video, and everything that was found of them."""

    video: int
    position: int
    person: PersonFound


@dataclass(frozen=True)
class VideoRecord:
    """A video of the library, by what it holds; `paths` are its files that are there.

    They are in order of their names, those that lead to a file by a link last.

    `reason` says why it failed. `left_out` counts people who are strangers and were not kept.
    `matched_at` is the generation of its outcomes: of the gallery, and of how it was scored.
    `last_path` is where a file of it was last, empty if one is there. `decided` counts how often
    something was decided about it, or taken back, `scans` how often it was scanned.
    `unreadable_seconds` is how much of it was damaged when it was scanned. `pictures` counts those
    of an album that were looked at. `content` is that of a VideoFile, empty also where it is not
    known yet.
    """

    id: int
    oshash: str
    size_bytes: int
    paths: tuple[bytes, ...]
    state: State
    reason: str
    tries: int
    seconds: float
    faces: int
    left_out: int
    scanned: Scanned | None
    scanned_at: str
    matched_at: Generation | None
    last_path: bytes = b""
    decided: int = 0
    unreadable_seconds: float = 0.0
    kind: Kind = "video"
    pictures: int = 0
    scans: int = 0
    content: str = ""

    @property
    def known_paths(self) -> tuple[bytes, ...]:
        """Its files that are there; without any, where the last one was, if that is known."""
        return self.paths or ((self.last_path,) if self.last_path else ())

    @property
    def models(self) -> tuple[str, ...]:
        """The ids of the models that encoded its people, the primary one first."""
        return self.scanned.models if self.scanned else ()


class Counts(NamedTuple):
    """How many videos are in each state, and how many have no file any more."""

    queued: int
    working: int
    done: int
    failed: int
    gone: int


class Offered(NamedTuple):
    """What an offer of files changed: videos to scan, and files that were known already.

    `moved` were known by their content under another path, `changed` hold something new.
    """

    new: int = 0
    known: int = 0
    moved: int = 0
    changed: int = 0
