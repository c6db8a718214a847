"""Answers who is in a scene: at once what is known, and starts a look at what is not."""

import time
from contextlib import suppress
from itertools import islice
from pathlib import PurePosixPath
from typing import TypedDict

from flask import Request, Response

from db.errors import GalleryLockedError
from db.identities import identities_of
from db.records import Identity, Performer
from db.videos import VideoRecord
from db.writes import Writes
from function.library.results import results_of
from function.sources.records import UnusableSourceError
from function.stash.albums import queue_album
from function.stash.notes import TOLD_EVERY, leave_note
from function.stash.planning import SURE_SCORE, id_in_stash
from function.stash.records import SOURCE, Scene
from function.web.responses import json_response
from function.web.service import Service, explained
from function.web.stash.asked import (
    need,
    optional,
    read_body,
    read_id,
    read_percent,
    read_scene,
)
from function.web.stash.desk import Desk
from function.web.stash.people import people_in
from function.web.stash.views import view_scene
from function.web.stash.work import Part, Parts, Work

MOST_SCENES = 50
"""This many scenes of a performer are looked up in Stash while somebody waits."""

MOST_NAMES = 8

TOLD_WITHIN_SECONDS = 15.0
"""The scraper waits at least this long for a library that is being written; it gives up after 30
s."""

LONGEST_TITLE = 300
"""More of a title than anybody reads."""


class NameView(TypedDict):
    """A performer by name: the id in Stash, and in the gallery; empty where there is none."""

    name: str
    stash_id: str
    performer: str


class NamesReply(TypedDict):
    """Performers whose name or alias resembles a text."""

    names: list[NameView]


class FoundSceneView(TypedDict):
    """A scene of Stash in which a performer was found, but is not tagged.

    `person` is their number in the scene, `performer` the id in the gallery, as /stash/add takes.
    """

    id: str
    title: str
    person: int
    performer: str
    score: float
    appearances: list[tuple[float, float]]


class ScenesReply(TypedDict):
    """Scenes in which a performer was found, the most certain first; `more` were not looked up."""

    scenes: list[FoundSceneView]
    more: int


class ScrapedView(TypedDict):
    """A performer as a scraper of Stash names them."""

    stored_id: str
    name: str


class ScrapeReply(TypedDict):
    """Those who are surely in a scene, and whom Stash has."""

    performers: list[ScrapedView]


def answer_view(desk: Desk, request: Request) -> Response:
    """Answer `POST /stash/view` with what is known of a scene."""
    body = read_body(request, "scene", "pictures")
    asked, pictures = read_scene(body), optional(body, "pictures", default=True)
    with desk.reading() as work:
        return json_response(view_scene(work, asked, pictures=pictures))


def answer_look(desk: Desk, request: Request) -> Response:
    """Answer `POST /stash/look` as `view`, and look at what was not looked at, before all else.

    What was rewritten since it was found is looked at again.
    """
    body = read_body(request, "scene", "retry")
    asked, retry = read_scene(body), optional(body, "retry", default=False)
    with desk.changing() as work:
        for part in work.parts(asked).each:
            _look(desk.service, work, part, retry=retry)
        return json_response(view_scene(work, asked))


def _look(service: Service, work: Work, part: Part, *, retry: bool) -> None:
    found = part.shown
    file = work.find_changed(part.asked, found.album) if found else work.find_file(part.asked)
    if file:
        queue_album(work.ledger, file)
        found = work.find(part.asked)
    if found:
        _hurry(service, work, found.album, retry=retry)


def answer_names(desk: Desk, request: Request) -> Response:
    """Answer `POST /stash/names` with performers of the gallery, then those of Stash alone."""
    text = need(read_body(request, "text"), "text", str).strip()
    if not text:
        return json_response(NamesReply(names=[]))
    with desk.reading() as work:
        with work.service.gallery() as gallery:
            listed = gallery.search(text, 0, MOST_NAMES).performers
            names = [_name(gallery.performer(one.id)) for one in listed]
        known = {one["stash_id"] for one in names}
        found = work.stash.suggest_performers(text, MOST_NAMES)
        names += [_of_stash(work, one.id, one.name) for one in found if one.id not in known]
    return json_response(NamesReply(names=names[: 2 * MOST_NAMES]))


def answer_performer(desk: Desk, request: Request) -> Response:
    """Answer `POST /stash/performer` with scenes in which somebody was found, but is not tagged."""
    performer = read_id(need(read_body(request, "id"), "id", str))
    with desk.up_to_date() as work:
        found = _known(work, performer)
        if found is None:
            return json_response(ScenesReply(scenes=[], more=0))
        return json_response(_scenes_of(work, found, performer))


def answer_scrape(desk: Desk, request: Request) -> Response:
    """Answer `POST /stash/scrape` with those who are surely in a scene; nothing is looked at."""
    body = read_body(request, "kind", "id", "files", "min_score")
    min_score = read_percent(body, "min_score", SURE_SCORE)
    fields = {name: body[name] for name in ("kind", "id", "files") if name in body}
    asked = read_scene({"scene": fields})
    is_scene = asked.kind == "scene"
    performers: dict[str, ScrapedView] = {}
    with desk.reading() as work:
        parts = work.parts(asked if is_scene else work.whole(asked))
        for one in people_in(work, parts):
            known = id_in_stash(one.first.performer) if one.first else ""
            if one.first and known and one.is_sure(min_score):
                name = one.first.performer.name
                performers.setdefault(known, ScrapedView(stored_id=known, name=name))
        if is_scene and performers:
            _note_told(work, asked.scene, parts, frozenset(performers))
    return json_response(ScrapeReply(performers=list(performers.values())))


def _note_told(work: Work, scene: Scene, parts: Parts, performers: frozenset[str]) -> None:
    """Note whom Stash may now add to a scene because of us: whoever is not there already.

    Somebody of whom it cannot be noted is not to be named.
    """
    writes = work.ledger.writes
    new = performers - writes.told(scene.id)
    new = new - _on_scene(work, scene.id) if new else new
    if new:
        prints = scene.oshashes | {one.oshash for one in parts.albums}
        with explained():
            _tell(writes, scene.id, prints, new)
            _leave_note(work)


def _tell(writes: Writes, scene: str, oshashes: frozenset[str], told: frozenset[str]) -> None:
    """Note whom Stash is told; wait while somebody else writes into the library."""
    until = time.monotonic() + TOLD_WITHIN_SECONDS
    while True:
        try:
            return writes.tell(scene, oshashes, told)
        except GalleryLockedError:
            if time.monotonic() > until:
                raise


def _on_scene(work: Work, scene: str) -> frozenset[str]:
    """Return who is on a scene now; nobody if Stash does not say it."""
    with suppress(UnusableSourceError):
        found = work.stash.scene(scene)
        return frozenset(found.performers if found else ())
    return frozenset()


def _leave_note(work: Work) -> None:
    with suppress(UnusableSourceError):
        leave_note(work.ledger, work.stash, TOLD_EVERY)


def _hurry(service: Service, work: Work, video: VideoRecord, *, retry: bool) -> None:
    if retry and video.state == "failed":
        work.ledger.retry([video.id])
        service.looker.look(video.id)
    elif video.state == "queued":
        service.looker.look(video.id)


def _name(performer: Performer) -> NameView:
    return NameView(
        name=performer.name, stash_id=id_in_stash(performer), performer=str(performer.id)
    )


def _of_stash(work: Work, stash_id: str, name: str) -> NameView:
    known = _known(work, stash_id)
    return NameView(name=name, stash_id=stash_id, performer=str(known.id) if known else "")


def _known(work: Work, stash_id: str) -> Performer | None:
    """Return the performer of the gallery whom Stash knows by an id."""
    identity = Identity(SOURCE, stash_id)
    return next((one for one in work.performers.values() if identity in identities_of(one)), None)


def _file_name(scene: Scene) -> str:
    """Return what Stash's own page shows of a scene without a title."""
    return PurePosixPath(scene.files[0].path).name if scene.files else ""


def _scenes_of(work: Work, performer: Performer, stash_id: str) -> ScenesReply:
    gallery = work.naming.gallery.generation[0]
    numbers = sorted(work.ledger.ids_of_performer(gallery, performer.id))
    records = [
        one
        for one in work.ledger.records(numbers)
        if one.kind == "video" and work.may_be_shown(one)
    ]
    results = results_of(work.ledger, iter(records), work.performers)
    found = [
        (person, result.video)
        for result in results
        for person in result.people
        if person.performer and person.performer.id == performer.id
    ]
    found.sort(key=lambda one: -one[0].score)
    scenes: dict[str, FoundSceneView] = {}
    for person, video in found[:MOST_SCENES]:
        for scene in islice(work.scenes_of(video), MOST_SCENES):
            if stash_id not in scene.performers:
                view = FoundSceneView(
                    id=scene.id,
                    title=(scene.title or _file_name(scene))[:LONGEST_TITLE],
                    person=person.position,
                    performer=str(performer.id),
                    score=person.score,
                    appearances=[(round(a, 3), round(b, 3)) for a, b in person.appearances],
                )
                scenes.setdefault(scene.id, view)
    return ScenesReply(scenes=list(scenes.values()), more=max(0, len(found) - MOST_SCENES))
