"""The URLs for Stash's plugin, each with its handler, and what is to be said of it."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, get_args

from flask import Request, Response

from db.tasks import TaskKind
from function.web.openapi import Operation
from function.web.page_requests import only_parameters
from function.web.parameters import Parameter
from function.web.routing import READ, WRITE, Routes
from function.web.service import Service
from function.web.stash.asked import KINDS
from function.web.stash.changes import (
    answer_add,
    answer_add_sure,
    answer_create,
    answer_markers,
    answer_reject,
)
from function.web.stash.connecting import CheckReply, ConnectedReply, answer_check, answer_connect
from function.web.stash.desk import Desk
from function.web.stash.looks import (
    NamesReply,
    ScenesReply,
    ScrapeReply,
    answer_look,
    answer_names,
    answer_performer,
    answer_scrape,
    answer_view,
)
from function.web.stash.undos import (
    PICTURE_FILTERS,
    SCENE_FILTERS,
    StatusReply,
    TaskReply,
    UndoReply,
    answer_status,
    answer_task,
    answer_undo,
)
from function.web.stash.views import SceneView

_TEXT: dict[str, Any] = {"type": "string"}
_YES: dict[str, Any] = {"type": "boolean"}
_NUMBER: dict[str, Any] = {"type": "integer", "minimum": 0}
_FILES = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {"path": _TEXT, "oshash": _TEXT, "size": _NUMBER},
    },
}
_SCENE = Parameter(
    "a scene as Stash knows it; performers are those on it, if known",
    {
        "type": "object",
        "required": ["id"],
        "properties": {
            "kind": {"enum": list(KINDS)},
            "id": _TEXT,
            "files": _FILES,
            "performers": {"type": "array", "items": _TEXT},
        },
    },
    is_required=True,
)
_PERSON = Parameter("the number of a person in it", _NUMBER, is_required=True)
_PERFORMER = Parameter("a performer of the gallery, by id", _TEXT, is_required=True)
_MIN_SCORE = Parameter(
    "what is sure, in percent; 99 if not given", {"type": "number", "minimum": 0, "maximum": 100}
)
_TAG = Parameter("the name of a tag for scenes that are written on", _TEXT)
_EDITED = Parameter("even where somebody has edited the scene since", _YES)
_RUN = Parameter("a run, by its number", _NUMBER)

OPERATIONS: Mapping[str, Operation] = {
    "/stash/connect": Operation(
        "Keep where Stash is, and its key.",
        {
            "url": Parameter("as this server reaches it", _TEXT, is_required=True),
            "api_key": Parameter("from Stash's settings, if it has a password", _TEXT),
        },
        ConnectedReply,
    ),
    "/stash/check": Operation(
        "Say what each side sees of a real file.", {"scene": _SCENE}, CheckReply
    ),
    "/stash/status": Operation("Say how tasks for Stash stand.", reply=StatusReply),
    "/stash/view": Operation(
        "Say who is in a scene.",
        {"scene": _SCENE, "pictures": Parameter("false: without pictures", _YES)},
        SceneView,
    ),
    "/stash/look": Operation(
        "Find who is in a scene, ahead of everything else.",
        {"scene": _SCENE, "retry": Parameter("also if it failed", _YES)},
        SceneView,
    ),
    "/stash/add": Operation(
        "Add people to a scene.",
        {
            "scene": _SCENE,
            "people": Parameter(
                "who is who",
                {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["person", "performer"],
                        "properties": {"person": _NUMBER, "performer": _TEXT},
                    },
                },
                is_required=True,
            ),
            "tag": _TAG,
        },
        SceneView,
    ),
    "/stash/add-sure": Operation(
        "Add everyone who is sure.",
        {"scene": _SCENE, "min_score": _MIN_SCORE, "tag": _TAG},
        SceneView,
    ),
    "/stash/reject": Operation(
        "Say that a person is not a performer.",
        {"scene": _SCENE, "person": _PERSON, "performer": _PERFORMER},
        SceneView,
    ),
    "/stash/create": Operation(
        "Make a performer of a person, and add them.",
        {
            "scene": _SCENE,
            "person": _PERSON,
            "name": Parameter("of somebody new to the gallery", _TEXT),
            "disambiguation": Parameter("tells them apart from another of that name", _TEXT),
            "as_performer": Parameter("a performer of the gallery whom Stash lacks", _TEXT),
            "stash_id": Parameter("a performer of Stash whom the gallery lacks", _TEXT),
            "stash_ids": Parameter(
                "who somebody new is on stash-boxes",
                {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {"endpoint": _TEXT, "stash_id": _TEXT},
                    },
                },
            ),
            "tag": _TAG,
        },
        SceneView,
    ),
    "/stash/names": Operation(
        "Suggest performers by name.",
        {"text": Parameter("part of a name", _TEXT, is_required=True)},
        NamesReply,
    ),
    "/stash/markers": Operation(
        "Mark when people are seen.",
        {
            "scene": _SCENE,
            "people": Parameter(
                "their numbers", {"type": "array", "items": _NUMBER}, is_required=True
            ),
        },
        SceneView,
    ),
    "/stash/undo": Operation(
        "Undo what was written on a scene or in a run, the last one if neither is given.",
        {"scene": Parameter(_SCENE.meaning, {}), "run": _RUN, "edited": _EDITED},
        UndoReply,
    ),
    "/stash/performer": Operation(
        "List scenes in which a performer was found, but is not tagged.",
        {"id": Parameter("a performer of Stash", _TEXT, is_required=True)},
        ScenesReply,
    ),
    "/stash/task": Operation(
        "Queue something to do.",
        {
            "kind": Parameter("what", {"enum": list(get_args(TaskKind))}, is_required=True),
            "filter": Parameter(
                "of which scenes",
                {
                    "type": "object",
                    "properties": {name: {} for name in (*SCENE_FILTERS, *PICTURE_FILTERS)},
                },
            ),
            "pictures": Parameter("scan images and galleries instead of scenes", _YES),
            "min_score": _MIN_SCORE,
            "dry_run": Parameter("only say what would be written", _YES),
            "from_scenes": Parameter("enrol from this many scenes of each performer", _NUMBER),
            "tag": _TAG,
            "markers": Parameter("also mark when the performers who are added are seen", _YES),
            "confirmed": Parameter("also performers who would gain suspiciously many scenes", _YES),
            "run": _RUN,
            "scene": Parameter("a scene, to be undone", {}),
            "edited": _EDITED,
        },
        TaskReply,
    ),
    "/stash/scrape": Operation(
        "Say who is surely in a scene, for a scraper.",
        {
            "kind": Parameter("of what", {"enum": list(KINDS)}),
            "id": Parameter("its id", _TEXT, is_required=True),
            "files": Parameter("its files", _FILES),
            "min_score": _MIN_SCORE,
        },
        ScrapeReply,
    ),
}

_WRITERS: Mapping[str, Callable[[Desk, Request], Response]] = {
    "/stash/connect": answer_connect,
    "/stash/check": answer_check,
    "/stash/view": answer_view,
    "/stash/look": answer_look,
    "/stash/add": answer_add,
    "/stash/add-sure": answer_add_sure,
    "/stash/reject": answer_reject,
    "/stash/create": answer_create,
    "/stash/names": answer_names,
    "/stash/markers": answer_markers,
    "/stash/undo": answer_undo,
    "/stash/performer": answer_performer,
    "/stash/task": answer_task,
    "/stash/scrape": answer_scrape,
}


def stash_routes(service: Service) -> Routes:
    """Return the route table for Stash's plugin, to be combined with the API's."""
    desk = Desk(service)
    return {
        "/stash/status": (only_parameters((), partial(answer_status, desk)), READ),
        **{
            route: (only_parameters((), partial(answer, desk)), WRITE)
            for route, answer in _WRITERS.items()
        },
    }
