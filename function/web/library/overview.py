"""Answers with the whole library in brief, a line a video, for a list to sort and filter."""

from collections.abc import Iterable, Mapping
from typing import TypedDict

from flask import Request, Response

from db.records import Performer
from db.videos import Kind, Outcome, Verdict, VideoRecord
from function.library.finding import text_of
from function.library.lists import ShownState, state_of
from function.web.library.shelf import Library, Shelf
from function.web.page_requests import read_number
from function.web.responses import json_response

MOST_ROWS = 5000
"""As many at once take about a third of a second, and a megabyte."""

_READ_AT_ONCE = 500


class NamedInBrief(TypedDict):
    """A performer in a video: the id, the probability in percent, and what it amounts to."""

    performer: int
    score: float
    verdict: Verdict


class VideoInBrief(TypedDict):
    """A video or album of the library: `path` is the last one if it is gone.

    `reason` says why it failed.
    `named` are the performers in it, the most certain first. `strangers` counts everybody else,
    those who were not kept too.
    """

    oshash: str
    path: str
    kind: Kind
    state: ShownState
    reason: str
    duration_seconds: float
    picture_count: int
    named: list[NamedInBrief]
    strangers: int


class PerformerInBrief(TypedDict):
    """The name of a performer."""

    id: int
    name: str


class OverviewReply(TypedDict):
    """Some videos, by id, and the performers in them; `next` and `stale` as in a list of videos."""

    videos: list[VideoInBrief]
    performers: list[PerformerInBrief]
    next: int | None
    stale: bool


def answer_overview(shelf: Shelf, request: Request) -> Response:
    """Answer `GET /library/overview` with up to `limit` videos whose id is higher than `after`."""
    after = read_number(request, "after", 0, least=0)
    limit = min(read_number(request, "limit", MOST_ROWS, least=1), MOST_ROWS)
    with shelf.library() as library:
        records = library.ledger.videos(after, limit)
        videos = _in_brief(library, records)
        met = {one["performer"] for video in videos for one in video["named"]}
        reply = OverviewReply(
            videos=videos,
            performers=[{"id": id_, "name": library.performers[id_].name} for id_ in sorted(met)],
            next=records[-1].id if len(records) == limit else None,
            stale=library.is_stale,
        )
    return json_response(reply)


def _in_brief(library: Library, records: list[VideoRecord]) -> list[VideoInBrief]:
    rows = []
    for start in range(0, len(records), _READ_AT_ONCE):
        batch = records[start : start + _READ_AT_ONCE]
        outcomes = library.ledger.outcomes([one.id for one in batch])
        rows += [
            _row(shown, outcomes[one.id], library.performers)
            for one in batch
            if (shown := library.shown(one))
        ]
    return rows


def _row(
    video: VideoRecord, outcomes: Iterable[Outcome], performers: Mapping[int, Performer]
) -> VideoInBrief:
    people = [one for one in outcomes if one.lead == one.position]
    # A performer may be in a video twice; the more certain of the two counts.
    named = {
        one.performer: one
        for one in sorted(people, key=lambda one: one.score)
        if one.performer in performers
    }
    strangers = [one for one in people if one.performer not in performers]
    return {
        "oshash": video.oshash,
        "path": text_of(video.known_paths[0]) if video.known_paths else "",
        "kind": video.kind,
        "state": state_of(video),
        "reason": video.reason,
        "duration_seconds": round(video.seconds, 3),
        "picture_count": video.pictures,
        "named": [
            {"performer": id_, "score": one.score, "verdict": one.verdict}
            for id_, one in sorted(named.items(), key=lambda item: -item[1].score)
            if id_ is not None
        ],
        "strangers": len(strangers) + video.left_out,
    }
