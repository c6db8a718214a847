"""Starts, pauses and ends the server's scans, and says how far they are."""

import os
import threading
import time
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypedDict, cast

import flask
from flask import Request, Response

from db.counted import counted
from db.ledgers import Ledger
from db.videos import DEPTHS, Counts, Depth, Kind
from function.errors import BadParameterError, BusyError, VideoNotFoundError
from function.library import jobs
from function.library.albums import kind_at
from function.library.finding import is_below, text_of
from function.library.forgetting import open_library
from function.library.jobs import STRANGERS, WantedScan, chosen_strangers, is_paused, wanted_scans
from function.library.offering import is_lost, is_nowhere, lost_below
from function.media.files import find_place, possible_places
from function.setting_kinds import STRANGERS as STRANGERS_KIND
from function.settings import Settings
from function.web.library.shelf import Shelf, name_path
from function.web.ndjson import NDJSON, lines_response
from function.web.page_requests import read_object, require_owner, require_page
from function.web.places import Places
from function.web.reply import ProgressReply, to_progress
from function.web.responses import json_response
from function.web.service import Service, explained

TOLD_EVERY_SECONDS = 1.0

MOST_WATCHERS = 8
"""Each takes a thread of the server."""

MOST_PATHS = 1000
"""Of one request; looking for each takes some milliseconds of a thread."""

FOUND_WITHIN_SECONDS = 10.0
"""Finding the paths may take this long: in a folder of very many names each may take longer."""

MOST_SCANS = 50
"""This many may wait to be looked at: the list of them is read and written each time."""

FIELDS = ("paths", "depth", "retry", "again", "gone", "pictures", "strangers")

JobState: TypeAlias = Literal["idle", "looking", "scanning", "waiting", "paused"]


class CountsReply(TypedDict):
    """How many videos, or albums, are in each state; those without any file are gone."""

    queued: int
    working: int
    done: int
    failed: int
    gone: int


class AtWorkReply(TypedDict):
    """A video in work, and how far it is: in seconds, or in pictures of an album."""

    path: str
    kind: Kind
    progress: ProgressReply


class JobReply(TypedDict):
    """What the library's scans are doing.

    Looking: videos are being found, and so many files were `seen` so far. Waiting: it is not the
    hour (SCAN_HOURS). `now` lists the videos that this server has in work; another process may have
    others. `strangers` is what the setting STRANGERS says, or what was chosen; empty if nothing
    was. `pictures` is the setting SCAN_PICTURES.
    """

    state: JobState
    seen: int
    videos: CountsReply
    albums: CountsReply
    now: list[AtWorkReply]
    strangers: str
    pictures: bool


def answer_status(service: Service, shelf: Shelf, _: Request) -> Response:
    """Answer `GET /library/status` with what is done, what is queued, and what is in work."""
    with shelf.ledger() as ledger:
        return json_response(_to_job(service, ledger))


def watchers() -> Places:
    """Return the places of those who follow the progress."""
    return Places(
        MOST_WATCHERS, f"{MOST_WATCHERS} others follow the progress. Ask /library/status."
    )


def answer_progress(service: Service, shelf: Shelf, places: Places, request: Request) -> Response:
    """Answer `GET /library/progress` with a line a second until nothing is left to do."""
    if request.method == "HEAD":
        return Response(iter(()), mimetype=NDJSON)
    return lines_response(_follow(service, shelf, places), flask.g.record)


def _follow(service: Service, shelf: Shelf, places: Places) -> Generator[JobReply]:
    wait = threading.Event().wait
    with places.hold():
        while True:
            with shelf.ledger() as ledger:
                job = _to_job(service, ledger)
            yield job
            if job["state"] == "idle" or service.worker.is_closing:
                return
            wait(TOLD_EVERY_SECONDS)


def answer_scan(service: Service, shelf: Shelf, request: Request) -> Response:
    """Answer `POST /library/scan` at once; the videos are found and scanned afterwards.

    Raises:
        NotFromPageError: the request lacks the page's header.
        BadParameterError: a field cannot be used.
        BusyError: MOST_SCANS wait already.
        OutsideMediaRootError, VideoNotFoundError: of a path.
    """
    require_page(request)
    with shelf.ledger() as ledger:
        if len(wanted_scans(ledger)) >= MOST_SCANS:
            raise BusyError(
                f"{MOST_SCANS} scans are already waiting. Try again later, or cancel them."
            )
    fields = read_object(request) if request.content_length else {}  # all are optional
    with shelf.ledger() as ledger:
        wanted = _read_wanted(fields, service, ledger)
    strangers = _read_strangers(fields, service)
    if strangers or wanted.gone:
        require_owner("choose what is kept or what is gone")
    with explained():
        if strangers:
            _choose_strangers(service, strangers)  # before a video is scanned
        service.worker.want(wanted)
    with shelf.ledger() as ledger:
        return json_response(_to_job(service, ledger))


def answer_change(
    change: Callable[[Ledger], Any], service: Service, shelf: Shelf, request: Request
) -> Response:
    """Answer `POST /library/pause`, `resume` and `cancel` with how things are then."""
    require_page(request)
    with shelf.ledger() as ledger:
        change(ledger)
        return json_response(_to_job(service, ledger))


def answer_resume(service: Service, shelf: Shelf, request: Request) -> Response:
    """Answer `POST /library/resume`, and go on."""
    response = answer_change(jobs.resume, service, shelf, request)
    service.worker.start()
    return response


def _read_wanted(body: dict[str, Any], service: Service, ledger: Ledger) -> WantedScan:
    for name in body:
        if name not in FIELDS:
            raise BadParameterError(f"There is no field {name!r}; there are {', '.join(FIELDS)}.")
    paths, depth = body.get("paths"), body.get("depth", "normal")
    if paths is not None and not (isinstance(paths, list) and all(_is_text(one) for one in paths)):
        raise BadParameterError("paths is not a list of texts. Give folders or videos, or none.")
    if paths and len(paths) > MOST_PATHS:
        raise BadParameterError(
            f"There are {len(paths)} paths; {MOST_PATHS} at most. Name the folders they are in."
        )
    if depth not in DEPTHS:
        raise BadParameterError(f"depth is {depth!r}; it must be {' or '.join(DEPTHS)}.")
    settings = service.settings
    retry, again, gone = (_read_flag(body, name) for name in ("retry", "again", "gone"))
    pictures = _read_flag(body, "pictures", default=settings.finds_pictures)
    places = _find_places(paths or (), settings, ledger, gone=gone)
    if paths is None:
        places = [root.resolve() for root in settings.media_root]
    return WantedScan(
        tuple(map(str, places)),
        cast("Depth", depth),
        retry=retry,
        gone=gone,
        pictures=pictures,
        again=again,
    )


def _find_places(
    paths: Sequence[str], settings: Settings, ledger: Ledger, *, gone: bool
) -> list[Path]:
    """Find what is at some paths, or was, if the user says that it is `gone`.

    Raises:
        BadParameterError: that takes too long.
        OutsideMediaRootError, VideoNotFoundError: of a path.
    """
    places, until = list[Path](), time.monotonic() + FOUND_WITHIN_SECONDS
    for path in paths:
        if time.monotonic() > until:
            raise BadParameterError(
                f"Only {len(places)} of {len(paths)} paths were found in "
                f"{FOUND_WITHIN_SECONDS:.0f} s. Name fewer, or the folders they are in."
            )
        try:
            places.append(find_place(path, settings.media_root, settings.path_map))
        except VideoNotFoundError as error:
            places += _find_lost(path, settings, ledger, error, gone=gone)
    return places


def _find_lost(
    path: str, settings: Settings, ledger: Ledger, error: VideoNotFoundError, *, gone: bool
) -> list[Path]:
    """Find where something was that the library knows, and that is not there; or raise `error`."""
    roots = [root.resolve() for root in settings.media_root]
    there = [one.resolve() for one in possible_places(path, roots, settings.path_map)]
    inside = [one for one in there if one not in roots and is_below(os.fsencode(one), roots)]
    lost = {one: len(lost_below(ledger, [one])) for one in inside if is_nowhere(one)}
    known = sum(lost.values())
    if not known:
        raise error
    told = [one for one, count in lost.items() if count and gone and is_lost(one, roots)]
    if not told:
        how = "" if gone else ' If you deleted them, say so: {"gone": true}.'
        raise VideoNotFoundError(
            f"{error} The library knows {counted(known, 'file')} there. If a disk is missing, "
            f"connect it.{how}"
        )
    return told


def _read_flag(body: dict[str, Any], name: str, *, default: bool = False) -> bool:
    flag = body.get(name, default)
    if not isinstance(flag, bool):
        raise BadParameterError(f"{name} is {flag!r}; it must be true or false.")
    return flag


def _read_strangers(body: dict[str, Any], service: Service) -> str:
    """Read what is chosen for people who are nobody enrolled; empty if nothing is."""
    chosen, setting = body.get("strangers", ""), service.settings.strangers
    if chosen == "":
        return ""
    try:
        read = STRANGERS_KIND.parse(chosen) if isinstance(chosen, str) else ""
    except ValueError:
        read = ""
    if not read:
        raise BadParameterError(f"strangers is {chosen!r}; it must be {STRANGERS_KIND.form}.")
    if setting and setting != read:
        raise BadParameterError(f"STRANGERS is set to {setting} here. Leave strangers out.")
    return str(read)


def _choose_strangers(service: Service, chosen: str) -> None:
    with open_library(service.settings.library_db, service.store) as ledger:
        ledger.choose(STRANGERS, chosen)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _to_job(service: Service, ledger: Ledger) -> JobReply:
    roots = [root.resolve() for root in service.settings.media_root]
    all_counts = ledger.counts()
    within = [bytes(root) for root in roots]  # as the lists show them
    state = _state_of(service, ledger, is_busy=bool(all_counts.queued or all_counts.working))
    return JobReply(
        state=state,
        seen=service.worker.seen if state == "looking" else 0,
        videos=_to_counts(ledger.counts(within, "video")),
        albums=_to_counts(ledger.counts(within, "album")),
        now=[
            AtWorkReply(
                path=text_of(name_path(path, roots)),
                kind=kind_at(path),
                progress=to_progress(progress),
            )
            for path, progress in service.worker.at_work().items()
            if is_below(path, roots)
        ],
        strangers=service.settings.strangers or chosen_strangers(ledger),
        pictures=service.settings.finds_pictures,
    )


def _to_counts(counts: Counts) -> CountsReply:
    return CountsReply(
        queued=counts.queued,
        working=counts.working,
        done=counts.done,
        failed=counts.failed,
        gone=counts.gone,
    )


def _state_of(service: Service, ledger: Ledger, *, is_busy: bool) -> JobState:
    is_looking = bool(wanted_scans(ledger))
    if not is_busy and not is_looking:
        return "idle"
    if is_paused(ledger):
        return "paused"
    if not is_busy:
        return "looking"
    return "scanning" if service.worker.gate.is_within_hours() else "waiting"
