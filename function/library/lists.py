"""Writes results as JSON, CSV or lines to read."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any, Literal, TypeAlias, TypedDict

from db.videos import Verdict, VideoRecord
from function.library.finding import on_one_line, text_of
from function.library.results import PersonResult, VideoResult

ShownState: TypeAlias = Literal["queued", "working", "done", "failed", "gone"]

COLUMNS = (
    *("path", "duration_seconds", "performer", "performer_id", "stash_ids", "score", "verdict"),
    *("appearances", "faces", "best_seconds", "depth", "scanned_at"),
    *("person", "state", "reason", "decided", "oshash"),
)

_FORMULA = re.compile(r"(^\s*|;\s*)(?=[=+\-@])")
"""Where a spreadsheet would run what follows, in a file's or performer's name: at the beginning of
a cell and, in places where a comma is part of numbers and a semicolon parts cells, after one."""

_CONTROLS = frozenset({"Cc", "Zl", "Zp"})
"""Control characters and line ends, by Unicode's categories."""


class PersonListed(TypedDict):
    """A person in a video: who it is (None: somebody unknown), how certain, and when they are seen.

    `person` is their number in the video; `score` is a probability in percent; `appearances` are in
    seconds; `decided` is what the user said, see `db.videos.Outcome`.
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


class VideoListed(TypedDict):
    """A video of the library, by the path of one of its files, and the people seen in it.

    If it is gone, that is where the last one was.

    `oshash` is Stash's fingerprint. `reason` says why it failed. `strangers_left_out` counts people
    who are nobody of the gallery and were not kept.
    """

    path: str
    other_paths: list[str]
    oshash: str
    duration_seconds: float
    state: ShownState
    reason: str
    depth: str
    scanned_at: str
    strangers_left_out: int
    people: list[PersonListed]


def to_json(result: VideoResult) -> VideoListed:
    """Return a video and its people as plain dictionaries, lists and numbers."""
    video = result.video
    return {
        "path": path_of(result),
        "other_paths": [text_of(path) for path in video.paths[1:]],
        "oshash": video.oshash,
        "duration_seconds": round(video.seconds, 3),
        "state": state_of(video),
        "reason": video.reason,
        "depth": video.scanned.depth if video.scanned else "",
        "scanned_at": video.scanned_at,
        "strangers_left_out": video.left_out,
        "people": [person_to_json(person) for person in result.people],
    }


def to_csv(results: Iterable[VideoResult]) -> Iterator[str]:
    """Yield lines of CSV, the column names first: a line a person, or one for an empty video."""
    yield _line(COLUMNS)
    for result in results:
        for person in result.people or (None,):
            yield _line([_safe(value) for value in _row(result, person)])


def to_table(results: Iterable[VideoResult]) -> Iterator[str]:
    """Yield lines to read: a video, and below it everyone in it."""
    for result in results:
        video = result.video
        reason = f": {video.reason}" if video.reason else ""
        yield on_one_line(f"{path_of(result)}  ({state_of(video)}{reason})")
        for person in result.people:
            name = person.performer.name if person.performer else "somebody unknown"
            spans = ", ".join(f"{start:.0f}-{end:.0f} s" for start, end in person.appearances[:5])
            more = " ..." if len(person.appearances) > 5 else ""  # noqa: PLR2004  # as above
            said = f"  ({person.decided})" if person.decided else ""
            yield on_one_line(
                f"  {person.position:>3} {person.verdict:9} {person.score:5.1f}  {name}  "
                f"{spans}{more}{said}"
            )
        if video.left_out:
            yield f"      and {video.left_out} more, nobody you enrolled, who were not kept"


def path_of(result: VideoResult) -> str:
    """Return the first path of a video; see `name_of`."""
    return name_of(result.video)


def name_of(video: VideoRecord) -> str:
    """Return the first path of a video; if no file is there any more, where the last one was.

    If that is not known either, it is the fingerprint.
    """
    return text_of(video.known_paths[0]) if video.known_paths else f"oshash:{video.oshash}"


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
    }


def _stash_ids(person: PersonResult) -> list[dict[str, str]]:
    ids = person.performer.stash_ids if person.performer else ()
    return [{"endpoint": endpoint, "stash_id": stash_id} for endpoint, stash_id in ids]


def _row(result: VideoResult, person: PersonResult | None) -> list[Any]:
    video = result.video
    before = [path_of(result), round(video.seconds, 3)]
    scanned = [video.scanned.depth if video.scanned else "", video.scanned_at]
    state = [state_of(video), video.reason]
    if person is None:
        return [*before, *[""] * 8, *scanned, "", *state, "", video.oshash]
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
        video.oshash,
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
    # By its terminator a writer knows which cells to quote, so it has the usual one.
    csv.writer(text).writerow(values)
    return text.getvalue().removesuffix("\r\n")
