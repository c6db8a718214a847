"""The URLs of the library, each with its handler, its methods, and what is to be said of it."""

from collections.abc import Mapping
from functools import partial

from db.videos import DEPTHS
from function.library.jobs import cancel, pause
from function.web.identify import NDJSON
from function.web.library.exports import FORMS, answer_export
from function.web.library.jobs import (
    JobReply,
    Watchers,
    answer_change,
    answer_progress,
    answer_resume,
    answer_scan,
    answer_status,
)
from function.web.library.overview import MOST_ROWS, OverviewReply, answer_overview
from function.web.library.shelf import Shelf
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
from function.web.openapi import Operation
from function.web.page_requests import only_parameters
from function.web.parameters import PARAMETERS, Parameter
from function.web.routing import READ, WRITE, Handler, Routes
from function.web.service import Service

_PATH = Parameter("a folder or video in the media root", {"type": "string"})
_PAGED = {
    "after": Parameter("only videos with a higher id", {"type": "integer", "minimum": 0}),
    "limit": Parameter("how many", {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE}),
    "state": Parameter("only videos in this state, or several", {"enum": list(STATES)}),
    "verdict": Parameter("only people with this verdict, or several", {"enum": list(VERDICTS)}),
    "path": _PATH,
}
_PERFORMER = Parameter("a performer, by name or id", {"type": "string"})

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
            "limit": Parameter("how many", {"type": "integer", "minimum": 1, "maximum": MOST_ROWS}),
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
    ),
    "/library/status": Operation("Say what the scans are doing.", reply=JobReply),
    "/library/progress": Operation("Say so in lines, until nothing is left to do.", kind=NDJSON),
    "/library/scan": Operation(
        "Find the videos in the media root, or at some paths in it, and scan what is new.",
        {
            "paths": Parameter("folders or videos", {"type": "array", "items": {"type": "string"}}),
            "depth": Parameter(
                "quick: only where that leaves a question, more; deep: every half second",
                {"enum": list(DEPTHS)},
            ),
            "retry": Parameter("try videos again that failed", {"type": "boolean"}),
            "gone": Parameter("missing files were deleted", {"type": "boolean"}),
        },
        JobReply,
    ),
    "/library/pause": Operation("Hold all scanning.", reply=JobReply),
    "/library/resume": Operation("Go on.", reply=JobReply),
    "/library/cancel": Operation("Forget what is still to be scanned.", reply=JobReply),
}


def library_routes(service: Service) -> Routes:
    """Return the route table of the library, to be combined with the API's."""
    shelf = Shelf(service)
    readers: dict[str, Handler] = {
        "/library/videos": partial(answer_videos, service, shelf),
        "/library/overview": partial(answer_overview, shelf),
        "/library/video": partial(answer_video, service, shelf),
        "/library/people": partial(answer_people, service, shelf),
        "/library/export": partial(answer_export, shelf),
        "/library/status": partial(answer_status, service, shelf),
        "/library/progress": partial(answer_progress, service, shelf, Watchers()),
    }
    writers: dict[str, Handler] = {
        "/library/scan": partial(answer_scan, service, shelf),
        "/library/pause": partial(answer_change, pause, service, shelf),
        "/library/resume": partial(answer_resume, service, shelf),
        "/library/cancel": partial(answer_change, cancel, service, shelf),
    }
    return {
        **{
            route: (only_parameters(OPERATIONS[route].takes, handler), READ)
            for route, handler in readers.items()
        },
        **{route: (only_parameters((), handler), WRITE) for route, handler in writers.items()},
    }
