"""Answers what is to be undone, and the tasks for Stash: how they stand, and new ones."""

from collections.abc import Mapping
from typing import Any, TypedDict

from flask import Request, Response

from db.cells import read_object
from db.counted import counted
from db.tasks import Task, TaskKind, TaskState
from db.writes import Place
from function.errors import BadParameterError
from function.sources.records import UnusableSourceError
from function.stash.connection import find_connection
from function.stash.last_runs import older_run, undoable
from function.stash.options import Options
from function.stash.planning import SURE_SCORE
from function.stash.queueing import UNDER_WAY, is_undo_of_run, open_undo
from function.stash.settling import settle
from function.stash.syncing import keep_up
from function.stash.tasks import take_back_decisions
from function.stash.undoing import Undone, undo
from function.version import VERSION
from function.web.responses import json_response
from function.web.service import explained
from function.web.stash.asked import (
    need,
    optional,
    read_body,
    read_count,
    read_id,
    read_percent,
    read_scene,
)
from function.web.stash.desk import Desk, explained_stash

MOST_AT_ONCE = 50
"""More writes are undone by a task, so that nobody waits for an answer."""

LARGEST_RUN = 2**31 - 1

MOST_FROM_SCENES = 20
"""As for `tools stash sync`."""

SCENE_FILTERS = ("without_performers", "tag", "studio", "path", "scenes")
PICTURE_FILTERS = ("images", "galleries")

FIELDS: Mapping[TaskKind, tuple[str, ...]] = {
    "scan": ("filter", "pictures"),
    "apply": ("filter", "min_score", "dry_run", "tag", "markers", "confirmed"),
    "undo": ("run", "scene", "edited"),
    "sync": ("from_scenes",),
}
"""What each kind of task is told. Another field would be dropped, and more done than was asked."""


class LeftView(TypedDict):
    """A scene that was not undone, and why; the scene is empty if there is none."""

    scene: str
    why: str


class UndoneCounts(TypedDict):
    """What was undone: performers and tags on scenes, markers, performers who were made.

    `gone` counts what somebody had taken away before.
    """

    performers: int
    tags: int
    markers: int
    deleted: int
    gone: int


class UndoReply(TypedDict):
    """What was undone, and what is left to be looked at."""

    undone: UndoneCounts
    left: list[LeftView]


class TaskReply(TypedDict):
    """A task that was queued, or does it already: its id, and words."""

    task: int
    text: str


class TaskView(TypedDict):
    """A task, and how it stands in words, which name nobody."""

    id: int
    kind: TaskKind
    state: TaskState
    text: str
    done: int
    of: int


class RunView(TypedDict):
    """What was written at once, when, on how many scenes; `undone` counts what was undone of it."""

    id: int
    kind: str
    at: str
    scenes: int
    tags: int
    markers: int
    undone: int


class WithoutPhotoView(TypedDict):
    """A performer of Stash, by id, who cannot be recognised, and why."""

    stash_id: str
    reason: str


class StatusReply(TypedDict):
    """Whether Stash is connected and answers, what is to be scanned, tasks, and what was written.

    `version` is ours; `stash_version` is empty if it does not answer. `without_photo` is as the
    last sync found it.
    """

    version: str
    connected: bool
    stash_version: str
    queued: int
    working: int
    tasks: list[TaskView]
    runs: list[RunView]
    without_photo: list[WithoutPhotoView]


def answer_undo(desk: Desk, request: Request) -> Response:
    """Answer `POST /stash/undo` with what was undone of a scene or a run, or with a task."""
    body = read_body(request, "scene", "run", "edited")
    item, scene = _read_place(body)
    options = Options(
        scene=scene,
        item=item,
        run=read_count(body, "run", LARGEST_RUN),
        edited=optional(body, "edited", default=False),
    )
    with desk.changing() as work:
        if not scene and (under_way := open_undo(work.ledger)):
            return json_response(TaskReply(task=under_way.id, text=UNDER_WAY))
        if older := older_run(work.ledger, options):
            return _queue(desk, Task("undo", options.to_json()), older.question)
        wanted = undoable(work.ledger, options)
        if len(wanted) > MOST_AT_ONCE:
            run = options.run or wanted[0].run
            chosen = options if options.scene else Options(run=run, edited=options.edited)
            return _queue(
                desk,
                Task("undo", chosen.to_json()),
                f"{counted(len(wanted), 'write')} to be undone.",
            )
        settle(work.ledger.writes, work.stash)
        keep_up(work.stash, desk.service.store, work.ledger, wanted)
        wanted = undoable(work.ledger, options)
        total = Undone()
        for undone in undo(work.ledger.writes, work.stash, wanted, edited=options.edited):
            take_back_decisions(work.ledger, undone)
            total += undone
    return json_response(_to_undo(total))


def answer_task(desk: Desk, request: Request) -> Response:
    """Answer `POST /stash/task` at once; the server does it afterwards."""
    known = dict.fromkeys(name for names in FIELDS.values() for name in names)
    body = read_body(request, "kind", *known)
    kind = _read_kind(body)
    item, scene = _read_place(body)
    chosen = _read_filter(optional(body, "filter", dict[str, Any]()))
    of_pictures = _is_of_pictures(kind, chosen, is_asked=optional(body, "pictures", default=False))
    options = Options(
        filter=chosen,
        min_score=read_percent(body, "min_score", SURE_SCORE),
        dry_run=optional(body, "dry_run", default=False),
        from_scenes=read_count(body, "from_scenes", MOST_FROM_SCENES),
        tag=optional(body, "tag", "").strip(),
        markers=optional(body, "markers", default=False),
        confirmed=optional(body, "confirmed", default=False),
        run=read_count(body, "run", LARGEST_RUN),
        scene=scene,
        item=item,
        pictures=of_pictures,
        edited=optional(body, "edited", default=False),
    )
    return _queue(desk, Task(kind, options.to_json()), "Queued.")


def answer_status(desk: Desk, _: Request) -> Response:
    """Answer `GET /stash/status` with how things are."""
    with desk.reading() as work:
        counts, tasks = work.ledger.counts(), work.ledger.tasks.latest()
        try:
            is_connected = find_connection(desk.service.settings) is not None
        except UnusableSourceError:
            is_connected = False
        reply = StatusReply(
            version=VERSION,
            connected=is_connected,
            stash_version=desk.version(),
            queued=counts.queued,
            working=counts.working,
            tasks=[_to_task(one) for one in tasks],
            runs=[
                RunView(
                    id=one.id,
                    kind=one.kind,
                    at=one.at,
                    scenes=one.scenes,
                    tags=one.tags,
                    markers=one.markers,
                    undone=one.undone,
                )
                for one in work.ledger.writes.runs()
            ],
            without_photo=_without_photo(tasks),
        )
    return json_response(reply)


def _without_photo(tasks: list[Task]) -> list[WithoutPhotoView]:
    """Return whom the last sync found without a usable photo."""
    synced = (one for one in tasks if one.kind == "sync" and one.state == "done")
    result = read_object(next((one.result for one in synced), "{}")) or {}
    return [
        WithoutPhotoView(stash_id=number, reason=reason)
        for number, reason in result.get("without_photo", ())
    ]


def _queue(desk: Desk, task: Task, text: str) -> Response:
    with explained_stash(), explained():
        queued = desk.service.tasks.add(task)
    if not queued.is_new and is_undo_of_run(task):
        text = UNDER_WAY
    return json_response(TaskReply(task=queued.id, text=text))


def _to_undo(total: Undone) -> UndoReply:
    return UndoReply(
        undone=UndoneCounts(
            performers=total.performers,
            tags=total.tags,
            markers=total.markers,
            deleted=total.deleted,
            gone=total.gone,
        ),
        left=[LeftView(scene=scene, why=why) for scene, why in total.left],
    )


def _to_task(task: Task) -> TaskView:
    return TaskView(
        id=task.id,
        kind=task.kind,
        state=task.state,
        text=task.text,
        done=task.done,
        of=task.of,
    )


def _read_place(body: Mapping[str, Any]) -> Place:
    """Read a scene or another item that is given whole, or a scene by its id; "" if none is."""
    value = body.get("scene", "")
    if isinstance(value, dict):
        asked = read_scene(body)
        return asked.kind, asked.scene.id
    return "scene", read_id(value) if "scene" in body else ""


def _read_kind(body: Mapping[str, Any]) -> TaskKind:
    """Read what kind of task is asked for.

    Raises:
        MissingParameterError, BadParameterError: none that there is, or with a field of another's.
    """
    asked = need(body, "kind", str)
    kind = next((one for one in FIELDS if one == asked), None)
    if kind is None:
        raise BadParameterError(f"kind is {asked[:40]!r}; it must be one of {', '.join(FIELDS)}.")
    for name in body.keys() - {"kind", *FIELDS[kind]}:
        raise BadParameterError(
            f"A task of kind {kind} has no field {name[:40]!r}; it has {', '.join(FIELDS[kind])}."
        )
    return kind


def _is_of_pictures(kind: TaskKind, chosen: Mapping[str, Any], *, is_asked: bool) -> bool:
    """Say whether images or galleries are meant, which nothing else goes with.

    Raises:
        BadParameterError: something else does, or the task is not one that finds people.
    """
    of_pictures = is_asked or not chosen.keys().isdisjoint(PICTURE_FILTERS)
    if of_pictures and kind != "scan":
        raise BadParameterError(
            f"images and galleries are for tasks of kind scan; {kind} is for scenes. Choose by "
            f"{SCENE_FILTERS}."
        )
    if of_pictures and chosen.keys() - set(PICTURE_FILTERS):
        raise BadParameterError("images and galleries go with no other filter. Ask twice.")
    return of_pictures


def _read_filter(given: dict[str, Any]) -> dict[str, Any]:
    """Read which items are meant; a condition that is empty would mean all of Stash.

    Raises:
        BadParameterError: there is no such condition, or it is empty or of another type.
    """
    known = (*SCENE_FILTERS, *PICTURE_FILTERS)
    for name in given:
        if name not in known:
            raise BadParameterError(f"There is no filter {name[:40]!r}; there are {known}.")
    chosen: dict[str, Any] = {
        name: need(given, name, str).strip() for name in ("tag", "studio", "path") if name in given
    }
    for name in ("scenes", *PICTURE_FILTERS):
        if name in given:
            chosen[name] = [read_id(one) for one in need(given, name, list)]
    for name, value in chosen.items():
        # Quotes hold a path together in Stash, and are no part of it.
        if not (value.strip('"') if name == "path" else value):
            raise BadParameterError(
                f"{name} is empty. Name some, or leave it out for all of Stash."
            )
    if optional(given, "without_performers", default=False):
        chosen["without_performers"] = True
    return chosen
