"""The URLs of the library, each with its handler, its methods, and what is to be said of it."""

from collections.abc import Mapping
from functools import partial

from db.videos import DEPTHS
from function.library.jobs import cancel, pause
from function.library.lists import AlbumListed, VideoListed
from function.web.library.decisions import (
    KINDS,
    DecidedReply,
    DecisionsReply,
    TakenBackReply,
    answer_decide,
    answer_decisions,
    answer_undecide,
)
from function.web.library.decisions import LARGEST_PAGE as MOST_DECISIONS
from function.web.library.exports import FORMS, answer_export, exports
from function.web.library.jobs import (
    JobReply,
    answer_change,
    answer_progress,
    answer_resume,
    answer_scan,
    answer_status,
    watchers,
)
from function.web.library.overview import MOST_ROWS, OverviewReply, answer_overview
from function.web.library.person_names import NamedHereReply, answer_name_person
from function.web.library.pictures import answer_picture
from function.web.library.review import LARGEST_PAGE as MOST_REVIEWED
from function.web.library.review import ReviewReply, answer_review
from function.web.library.shelf import Shelf
from function.web.library.sightings import answer_face
from function.web.library.stranger_changes import (
    IgnoredReply,
    JoinedReply,
    NamedReply,
    SplitReply,
    UnnamedReply,
    answer_ignore,
    answer_join,
    answer_name,
    answer_split,
    answer_unname,
)
from function.web.library.strangers import LARGEST_PAGE as MOST_STRANGERS
from function.web.library.strangers import (
    OneStrangerReply,
    StrangersReply,
    answer_stranger,
    answer_strangers,
)
from function.web.library.videos import (
    KINDS as ALBUMS_OR_VIDEOS,
)
from function.web.library.videos import (
    LARGEST_PAGE,
    STATES,
    VERDICTS,
    VideoReply,
    VideosReply,
    answer_people,
    answer_video,
    answer_videos,
)
from function.web.ndjson import NDJSON
from function.web.openapi import Operation
from function.web.page_requests import only_parameters
from function.web.parameters import PARAMETERS, Parameter
from function.web.results import RecentResults
from function.web.routing import READ, WRITE, Handler, Routes
from function.web.service import Service

_PATH = Parameter("a folder or video in the media root", {"type": "string"})
_PAGED = {
    "after": Parameter("only videos with a higher id", {"type": "integer", "minimum": 0}),
    "limit": Parameter("how many", {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE}),
    "state": Parameter("only videos in this state, or several", {"enum": list(STATES)}),
    "kind": Parameter("only videos, or albums", {"enum": list(ALBUMS_OR_VIDEOS)}),
    "verdict": Parameter("only people with this verdict, or several", {"enum": list(VERDICTS)}),
    "path": _PATH,
}
_PERFORMER = Parameter("a performer, by name or id", {"type": "string"})
_STRANGER = Parameter("a stranger's id", {"type": "integer"}, is_required=True)


def _count_up_to(most: int) -> Parameter:
    return Parameter("how many", {"type": "integer", "minimum": 1, "maximum": most})


OPERATIONS: Mapping[str, Operation] = {
    "/library/videos": Operation(
        "List videos that were scanned or queued, and who is in them.",
        {**_PAGED, "performer": _PERFORMER},
        VideosReply,
    ),
    "/library/overview": Operation(
        "List all videos in brief, a line each.",
        {
            "after": _PAGED["after"],
            "limit": _count_up_to(MOST_ROWS),
        },
        OverviewReply,
    ),
    "/library/video": Operation(
        "Say who is in one video, by its path or its fingerprint.",
        {
            "path": _PATH,
            "oshash": Parameter("Stash's fingerprint of the video", {"type": "string"}),
            "pictures": PARAMETERS["pictures"],
        },
        VideoReply,
    ),
    "/library/people": Operation(
        "List every video of one performer.",
        {
            **_PAGED,
            "performer": Parameter(_PERFORMER.meaning, _PERFORMER.schema, is_required=True),
        },
        VideosReply,
    ),
    "/library/export": Operation(
        "Send the whole library as one document.",
        {"form": Parameter("of the document", {"enum": list(FORMS)})},
        list[VideoListed | AlbumListed],
        also=(FORMS["csv"],),
    ),
    "/library/status": Operation("Say what the scans are doing.", reply=JobReply),
    "/library/progress": Operation(
        "The same as lines, until nothing is left to do.", reply=JobReply, kind=NDJSON
    ),
    "/library/scan": Operation(
        "Find the videos in the media root, or at some paths in it, and scan what is new.",
        {
            "paths": Parameter("folders or videos", {"type": "array", "items": {"type": "string"}}),
            "depth": Parameter(
                "quick: only where that leaves a question, more; deep: every half second",
                {"enum": list(DEPTHS)},
            ),
            "retry": Parameter("try failed videos again", {"type": "boolean"}),
            "again": Parameter("scan again what was scanned, albums too", {"type": "boolean"}),
            "gone": Parameter("missing files were deleted", {"type": "boolean"}),
            "pictures": Parameter(
                "also find albums: folders of pictures, and zip archives; as SCAN_PICTURES says if "
                "left out",
                {"type": "boolean"},
            ),
            "strangers": Parameter(
                "whether to keep people who are not enrolled, from now on: keep, off, or for "
                "how many days, as in 90d; not where STRANGERS says it",
                {"type": "string"},
            ),
        },
        JobReply,
    ),
    "/library/pause": Operation("Hold all scanning.", reply=JobReply),
    "/library/resume": Operation("Go on.", reply=JobReply),
    "/library/cancel": Operation("Forget what is still to be scanned.", reply=JobReply),
    "/library/strangers": Operation(
        "List unknown people across all videos, those seen in most videos first.",
        {
            "after": Parameter("the `next` of an earlier answer", {"type": "string"}),
            "limit": _count_up_to(MOST_STRANGERS),
            "ignored": Parameter("those who are hidden", {"enum": ["on", "off"]}),
        },
        StrangersReply,
    ),
    "/library/stranger": Operation(
        "Say where and when one of them is seen.",
        {
            "id": Parameter(_STRANGER.meaning, _STRANGER.schema),
            "sighting": Parameter("one of theirs, such as 12.0", {"type": "string"}),
        },
        OneStrangerReply,
    ),
    "/library/strangers/name": Operation(
        "Enrol a stranger's best views, and fill the name in wherever they are seen.",
        {
            "stranger": _STRANGER,
            "name": Parameter("of somebody new", {"type": "string"}, is_required=True),
            "same": Parameter("the id of the performer that it is", {"type": "integer"}),
            "new": Parameter("somebody other than the one with this name", {"type": "boolean"}),
        },
        NamedReply,
        also=(NDJSON,),
    ),
    "/library/strangers/unname": Operation(
        "Remove what was enrolled of a performer from the library.",
        {"performer": Parameter("an id", {"type": "integer"}, is_required=True)},
        UnnamedReply,
    ),
    "/library/strangers/ignore": Operation(
        "Hide a stranger from the list, or show them again.",
        {
            "stranger": _STRANGER,
            "ignored": Parameter("whether to hide them", {"type": "boolean"}, is_required=True),
        },
        IgnoredReply,
    ),
    "/library/strangers/split": Operation(
        "Take sightings out of a stranger.",
        {
            "stranger": _STRANGER,
            "sightings": Parameter(
                "such as 12.0, as /library/stranger lists them",
                {"type": "array", "items": {"type": "string"}},
                is_required=True,
            ),
        },
        SplitReply,
    ),
    "/library/strangers/join": Operation(
        "Make two strangers one.", {"kept": _STRANGER, "other": _STRANGER}, JoinedReply
    ),
    "/library/face": Operation(
        "Send the picture of somebody in a video.",
        {
            "sighting": Parameter(
                "the video's number and the person's in it, such as 12.0",
                {"type": "string"},
                is_required=True,
            )
        },
        kind="image/jpeg",
    ),
    "/library/picture": Operation(
        "Send a picture of an album, 1280 pixels at most.",
        {
            "oshash": Parameter("the album's fingerprint", {"type": "string"}, is_required=True),
            "number": Parameter(
                "of the picture, from 1", {"type": "integer", "minimum": 1}, is_required=True
            ),
        },
        kind="image/jpeg",
    ),
    "/library/review": Operation(
        "List people who are uncertain, each with the likeliest performer.",
        {
            "after": Parameter("the `next` of an earlier answer", {"type": "string"}),
            "limit": _count_up_to(MOST_REVIEWED),
        },
        ReviewReply,
    ),
    "/library/decisions": Operation(
        "List what was said of people in videos, the newest first.",
        {
            "before": Parameter("the `next` of an earlier answer", {"type": "integer"}),
            "limit": _count_up_to(MOST_DECISIONS),
            "performer": Parameter("only about this one, by id", {"type": "integer"}),
            "oshash": Parameter("only of one video", {"type": "string"}),
        },
        DecisionsReply,
    ),
    "/library/decide": Operation(
        "Say of somebody in a video who it is, or is not, whatever is matched later.",
        {
            "oshash": Parameter("Stash's fingerprint", {"type": "string"}, is_required=True),
            "person": Parameter("the number in it", {"type": "integer"}, is_required=True),
            "kind": Parameter("what is decided", {"enum": list(KINDS)}, is_required=True),
            "performer": Parameter("an id, unless ignored", {"type": "integer"}),
            "scanned_at": Parameter(
                "when the video was scanned that the number is of; if it was scanned again since, "
                "nothing is stored",
                {"type": "string"},
            ),
        },
        DecidedReply,
    ),
    "/library/name": Operation(
        "Enrol somebody in a video as somebody new, and confirm that it is them.",
        {
            "oshash": Parameter("Stash's fingerprint", {"type": "string"}, is_required=True),
            "person": Parameter("the number in it", {"type": "integer"}, is_required=True),
            "name": Parameter("of somebody new", {"type": "string"}, is_required=True),
            "new": Parameter("somebody other than the one with this name", {"type": "boolean"}),
            "scanned_at": Parameter("as for /library/decide", {"type": "string"}),
        },
        NamedHereReply,
    ),
    "/library/undecide": Operation(
        "Take a decision back, and what it enrolled.",
        {
            "decision": Parameter("its number", {"type": "integer"}, is_required=True),
            "drop": Parameter("drop a damaged one, and leave its photos", {"type": "boolean"}),
        },
        TakenBackReply,
    ),
}


def library_routes(service: Service, results: RecentResults) -> Routes:
    """Return the library's routes; naming is kept in `results`, so that it can be undone."""
    shelf = Shelf(service)
    readers: dict[str, Handler] = {
        "/library/videos": partial(answer_videos, service, shelf),
        "/library/overview": partial(answer_overview, shelf),
        "/library/video": partial(answer_video, service, shelf),
        "/library/people": partial(answer_people, service, shelf),
        "/library/export": partial(answer_export, shelf, exports()),
        "/library/status": partial(answer_status, service, shelf),
        "/library/progress": partial(answer_progress, service, shelf, watchers()),
        "/library/strangers": partial(answer_strangers, shelf),
        "/library/stranger": partial(answer_stranger, shelf),
        "/library/review": partial(answer_review, shelf),
        "/library/decisions": partial(answer_decisions, service, shelf),
        "/library/face": partial(answer_face, service, shelf),
        "/library/picture": partial(answer_picture, service, shelf),
    }
    writers: dict[str, Handler] = {
        "/library/scan": partial(answer_scan, service, shelf),
        "/library/pause": partial(answer_change, pause, service, shelf),
        "/library/resume": partial(answer_resume, service, shelf),
        "/library/cancel": partial(answer_change, cancel, service, shelf),
        "/library/strangers/name": partial(answer_name, service, results, shelf),
        "/library/strangers/unname": partial(answer_unname, service, shelf),
        "/library/strangers/ignore": partial(answer_ignore, shelf),
        "/library/strangers/split": partial(answer_split, shelf),
        "/library/strangers/join": partial(answer_join, shelf),
        "/library/decide": partial(answer_decide, service, shelf),
        "/library/name": partial(answer_name_person, service, shelf),
        "/library/undecide": partial(answer_undecide, service, shelf),
    }
    return {
        **{
            route: (only_parameters(OPERATIONS[route].takes, handler), READ)
            for route, handler in readers.items()
        },
        **{route: (only_parameters((), handler), WRITE) for route, handler in writers.items()},
    }
