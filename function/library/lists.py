"""Writes results as JSON, CSV or lines to read."""

import csv
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any, Literal, TypeAlias, TypedDict

from db.counted import agree
from db.names import ID_PREFIX, escape_unprintable, name_key
from db.records import Performer
from db.videos import Kind, Verdict, VideoRecord
from function.library.finding import text_of
from function.library.results import PersonResult, PictureResult, VideoResult
from function.media.order import natural_key

ShownState: TypeAlias = Literal["queued", "working", "done", "failed", "gone"]

COLUMNS = (
    *("path", "duration_seconds", "performer", "performer_id", "stash_ids", "score", "verdict"),
    *("appearances", "faces", "best_seconds", "depth", "scanned_at"),
    *("person", "state", "reason", "decided", "oshash", "unreadable_seconds", "kind", "pictures"),
)

_FORMULA = re.compile(r"(^\s*|;\s*)(?=[=+\-@])")
"""Where a spreadsheet would run what follows, in a file's or performer's name: at the beginning of
a cell and, in places where a comma is part of numbers and a semicolon parts cells, after one."""

_CONTROLS = frozenset({"Cc", "Zl", "Zp"})
"""Control characters and line ends, by Unicode's categories."""


class PersonListed(TypedDict):
    """A person in a video: who it is (None: somebody unknown), how certain, and when they are seen.

    `person` is their number in the video; `score` is a probability in percent; `appearances` are in
    seconds; `decided` is what the user said, see `db.videos.Outcome`. In an album nobody has
    appearances, but `pictures`: the numbers, from 1, of those that show the person.
    """

    person: int
    performer: str | None
    performer_id: str | None
    stash_ids: list[dict[str, str]]
    score: float
    verdict: Verdict
    appearances: list[tuple[float, float]]
    faces: int
    best_seconds: float
    decided: str
    pictures: list[int]


class FaceListed(TypedDict):
    """A person's face in a picture: the person's number in the album, and where it is.

    `area` holds the left, top, right and bottom edge as shares (0 to 1) of width and height.
    """

    person: int
    area: list[float]


class PictureListed(TypedDict):
    """A picture of an album, by its number from 1, and the faces of the people listed on it.

    `reason` says why it could not be used, or why a file was left out; it is empty otherwise.
    """

    number: int
    name: str
    reason: str
    faces: list[FaceListed]


class VideoListed(TypedDict):
    """A video of the library, by the path of one of its files, and the people seen in it.

    If it is gone, the path is where the last one was.

    `kind` is video or album, which is a folder or an archive of pictures, or one picture;
    `picture_count` says how many of them were looked at.
    `oshash` is Stash's fingerprint. `reason` says why it failed. `strangers_left_out` counts people
    who are nobody of the gallery and were not kept. `unreadable_seconds` is how much of the video
    is damaged and was not seen.
    """

    path: str
    other_paths: list[str]
    kind: Kind
    picture_count: int
    oshash: str
    duration_seconds: float
    state: ShownState
    reason: str
    depth: str
    scanned_at: str
    strangers_left_out: int
    unreadable_seconds: float
    people: list[PersonListed]


class AlbumListed(VideoListed):
    """An album, with its pictures in order; after them come the files that were left out."""

    pictures: list[PictureListed]


def to_full_json(result: VideoResult) -> VideoListed | AlbumListed:
    """Return a video as `to_json` does, and an album with all its pictures."""
    listed = to_json(result)
    if result.video.kind == "video":
        return listed
    return AlbumListed(**listed, pictures=pictures_to_json(result.pictures))


def pictures_to_json(pictures: Iterable[PictureResult]) -> list[PictureListed]:
    """Return the pictures of an album as plain lists and numbers."""
    return [
        {
            "number": one.number,
            "name": one.name,
            "reason": one.reason,
            "faces": [{"person": face.person, "area": list(face.area)} for face in one.faces],
        }
        for one in pictures
    ]


def to_json(result: VideoResult) -> VideoListed:
    """Return a video and its people as plain dictionaries, lists and numbers."""
    video = result.video
    return {
        "path": path_of(result),
        "other_paths": [text_of(path) for path in video.paths[1:]],
        "kind": video.kind,
        "picture_count": video.pictures,
        "oshash": video.oshash,
        "duration_seconds": round(video.seconds, 3),
        "state": state_of(video),
        "reason": video.reason,
        "depth": depth_of(video),
        "scanned_at": video.scanned_at,
        "strangers_left_out": video.left_out,
        "unreadable_seconds": round(video.unreadable_seconds, 3),
        "people": [person_to_json(person) for person in result.people],
    }


def to_csv(results: Iterable[VideoResult]) -> Iterator[str]:
    """Yield lines of CSV, the column names first: a line a person, or one for an empty video."""
    yield _line(COLUMNS)
    for result in results:
        for person in result.people or (None,):
            yield _line([_safe(value) for value in _row(result, person)])


def to_table(results: Iterable[VideoResult], performers: Iterable[Performer] = ()) -> Iterator[str]:
    """Yield lines to read: a video, and below it everyone in it.

    Of all `performers` those who share a name are told apart by their ids.
    """
    names = Counter(name_key(one.name) for one in performers)
    for result in results:
        video = result.video
        state = state_of(video)
        is_empty = state == "done" and not result.people and not video.left_out
        reason = video.reason or ("nobody was found" if is_empty else "")
        about = f"{state}: {reason}" if reason else state
        yield escape_unprintable(f"{path_of(result)}  ({about})")
        for person in result.people:
            name = _shown_name(person.performer, names)
            said = f"  ({_SAID[person.decided]})" if person.decided else ""
            yield escape_unprintable(
                f"  {person.position:>3} {person.verdict:9} {person.score:5.1f}  {name}  "
                f"{_when(person)}{said}"
            )
        if video.unreadable_seconds:
            yield f"      {video.unreadable_seconds:.1f} s are damaged and were not seen"
        if video.left_out:
            alone = agree(video.left_out, "1 person", f"{video.left_out} people")
            who = f"and {video.left_out} more" if result.people else alone
            yield f"      {who}, not enrolled, of whom nothing was kept"


def _shown_name(performer: Performer | None, names: Mapping[str, int]) -> str:
    if performer is None:
        return "somebody unknown"
    told = [f"{ID_PREFIX}{performer.id}"] if names.get(name_key(performer.name), 0) > 1 else []
    told += [performer.disambiguation] if performer.disambiguation else []
    return f"{performer.name} ({', '.join(told)})" if told else performer.name


_MOST_SHOWN = 5

_SAID = {
    "confirmed": "you confirmed it",
    "rejected": "you rejected another name",
    "ignored": "you ignored them",
}
"""What `decided` means, beside a name that may be another than the one it is about."""


def _when(person: PersonResult) -> str:
    """Say in a few words when a person is seen, or on which pictures."""
    found = [f"{start:.0f}-{end:.0f} s" for start, end in person.appearances]
    found += [f"picture {number}" for number in person.pictures]
    return ", ".join(found[:_MOST_SHOWN]) + (" ..." if len(found) > _MOST_SHOWN else "")


def path_of(result: VideoResult) -> str:
    """Return the first path of a video; see `name_of`."""
    return name_of(result.video)


def name_of(video: VideoRecord) -> str:
    """Return the first path of a video; if no file is there any more, where the last one was.

    If that is not known either, it is the fingerprint.
    """
    return text_of(video.known_paths[0]) if video.known_paths else f"oshash:{video.oshash}"


def in_natural_order(videos: Iterable[VideoRecord]) -> list[VideoRecord]:
    """Put videos in natural order, folder by folder; those that are gone come last."""
    key_of = cache(natural_key)  # many videos share a folder

    def key(video: VideoRecord) -> tuple[Any, ...]:
        name = name_of(video)
        return not video.paths, [key_of(part) for part in name.split("/")], name

    return sorted(videos, key=key)


def shown_where(video: VideoRecord, is_there: Callable[[bytes], bool]) -> VideoRecord:
    """Let a video of which there are copies go by one that lies where it was asked for."""
    paths = sorted(video.paths, key=lambda path: not is_there(path)) if video.paths[1:] else ()
    return replace(video, paths=tuple(paths)) if paths else video


def depth_of(video: VideoRecord) -> str:
    """Return how closely a video was looked at; empty if it was not, and for an album."""
    return video.scanned.depth if video.scanned and video.kind == "video" else ""


def state_of(video: VideoRecord) -> ShownState:
    """Return the state of a video as it is shown: without a file it is gone."""
    return video.state if video.paths else "gone"


def person_to_json(person: PersonResult) -> PersonListed:
    """Return a person as plain lists and numbers."""
    performer = person.performer
    return {
        "person": person.position,
        "performer": performer.name if performer else None,
        "performer_id": str(performer.id) if performer else None,
        "stash_ids": _stash_ids(person),
        "score": person.score,
        "verdict": person.verdict,
        "appearances": [(round(start, 3), round(end, 3)) for start, end in person.appearances],
        "faces": person.faces,
        "best_seconds": round(person.best_seconds, 3),
        "decided": person.decided,
        "pictures": list(person.pictures),
    }


def _stash_ids(person: PersonResult) -> list[dict[str, str]]:
    ids = person.performer.stash_ids if person.performer else ()
    return [{"endpoint": endpoint, "stash_id": stash_id} for endpoint, stash_id in ids]


def _row(result: VideoResult, person: PersonResult | None) -> list[Any]:
    video = result.video
    before = [path_of(result), round(video.seconds, 3)]
    scanned = [depth_of(video), video.scanned_at]
    state = [state_of(video), video.reason]
    file = [video.oshash, round(video.unreadable_seconds, 3), video.kind]
    if person is None:
        return [*before, *[""] * 8, *scanned, "", *state, "", *file, ""]
    performer = person.performer
    return [
        *before,
        performer.name if performer else "",
        performer.id if performer else "",
        " ".join(f"{one['endpoint']}#{one['stash_id']}" for one in _stash_ids(person)),
        person.score,
        person.verdict,
        ";".join(f"{start:.3f}-{end:.3f}" for start, end in person.appearances),
        person.faces,
        round(person.best_seconds, 3),
        *scanned,
        person.position,
        *state,
        person.decided,
        *file,
        ";".join(map(str, person.pictures)),
    ]


def _safe(value: Any) -> Any:
    """Escape control characters, and keep a spreadsheet from taking a name for a formula."""
    if not isinstance(value, str):
        return value
    plain = "".join(
        ascii(one)[1:-1] if unicodedata.category(one) in _CONTROLS else one for one in value
    )
    return without_formulas(plain)


def without_formulas(text: str) -> str:
    """Put an apostrophe before whatever a spreadsheet would take for a formula."""
    return _FORMULA.sub(r"\1'", text)


def _line(values: Iterable[Any]) -> str:
    text = io.StringIO()
    # A writer decides by its terminator which cells to quote, so it has the usual one.
    csv.writer(text).writerow(values)
    return text.getvalue().removesuffix("\r\n")
