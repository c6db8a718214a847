"""The URLs of the library, each with its handler, its methods, and what is to be said of it."""

from collections.abc import Mapping
from functools import partial

from function.web.library.exports import FORMS, answer_export
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
from function.web.routing import READ, Handler, Routes
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
}


def library_routes(service: Service) -> Routes:
    """Return the route table of the library, to be combined with the API's."""
    shelf = Shelf(service)
    handlers: dict[str, Handler] = {
        "/library/videos": partial(answer_videos, service, shelf),
        "/library/video": partial(answer_video, service, shelf),
        "/library/people": partial(answer_people, service, shelf),
        "/library/export": partial(answer_export, shelf),
    }
    return {
        route: (only_parameters(OPERATIONS[route].takes, handler), READ)
        for route, handler in handlers.items()
    }
