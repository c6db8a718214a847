"""Changes a scene as the user of the plugin says: who is in it, who is not, who is new.

Each is noted in the journal before it is written into Stash.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from flask import Request, Response

from db.records import Performer
from function.errors import BadParameterError, CorrectionRefusedError
from function.library.decisions import decide
from function.sources.records import RefusedError
from function.stash.applying import Added, Addition, add_performers
from function.stash.markers import Marked, add_markers, ensure_tag
from function.stash.planning import SURE_SCORE, id_in_stash
from function.stash.records import SOURCE
from function.stash.writer import Writer
from function.web.page_requests import read_name
from function.web.responses import json_response
from function.web.stash.asked import (
    Asked,
    need,
    optional,
    read_body,
    read_id,
    read_percent,
    read_scene,
    read_stash_ids,
)
from function.web.stash.desk import Desk
from function.web.stash.new_performers import enrol_person, find_seen, link_performer
from function.web.stash.open_scenes import Open, open_scene
from function.web.stash.people import Seen
from function.web.stash.views import view_scene
from function.web.stash.work import Work

CREATED_OF = (
    *("scene", "person", "name", "disambiguation", "as_performer", "stash_id", "stash_ids"),
    "tag",
)
"""What a performer is created of."""

FORGOTTEN = "they were forgotten meanwhile. Look again."


def answer_add(desk: Desk, request: Request) -> Response:
    """Answer `POST /stash/add`: the user says who people are; they are added to the scene."""
    body = read_body(request, "scene", "people", "tag")
    asked, tag = read_scene(body), optional(body, "tag", "")
    pairs = [_read_pair(one) for one in need(body, "people", list)]
    with desk.changing() as work:
        scene = open_scene(work, asked)
        chosen = [(scene.person(number), work.performer(id_)) for number, id_ in pairs]
        for _, performer in chosen:
            _require_in_stash(performer)
        add_decided(scene, scene.writer("add"), chosen, tag)
        return _view(work, scene.asked)


def answer_add_sure(desk: Desk, request: Request) -> Response:
    """Answer `POST /stash/add-sure`: everyone is added who was surely recognised."""
    body = read_body(request, "scene", "min_score", "tag")
    asked, tag = read_scene(body), optional(body, "tag", "")
    min_score = read_percent(body, "min_score", SURE_SCORE)
    with desk.changing() as work:
        scene = open_scene(work, asked)
        sure = [
            one.first.performer
            for one in scene.people.values()
            if one.first and one.is_sure(min_score)
        ]
        known = dict.fromkeys(id_ for one in sure if (id_ := id_in_stash(one)))
        additions = [Addition(asked.scene.id, one, scene.oshash, item=asked.kind) for one in known]
        if additions:
            added = _add(scene.writer("add"), additions, tag)
            _require_all(added, {id_in_stash(one): one.name for one in sure})
        return _view(work, scene.asked)


def answer_reject(desk: Desk, request: Request) -> Response:
    """Answer `POST /stash/reject`: a person is not this performer, who is not offered again."""
    body = read_body(request, "scene", "person", "performer")
    asked, number = read_scene(body), need(body, "person", int)
    id_ = read_id(need(body, "performer", str))
    with desk.changing() as work:
        scene = open_scene(work, asked)
        person, performer = scene.person(number), work.performer(id_)
        for one in (person, *person.also):
            decide(work.ledger, work.naming.gallery, one.place, "rejected", performer)
        return _view(work, scene.asked)


def answer_create(desk: Desk, request: Request) -> Response:
    """Answer `POST /stash/create`: a person is somebody whom Stash or the gallery has not yet.

    `as_performer` is somebody of the gallery whom Stash does not know, `stash_id` the other way
    round; without either it is somebody new to both, told apart by a disambiguation if need be.
    """
    body = read_body(request, *CREATED_OF)
    asked, number = read_scene(body), need(body, "person", int)
    with desk.changing() as work:
        scene = open_scene(work, asked)
        person = scene.person(number)
        writer = scene.writer("create")
        if optional(body, "as_performer", ""):
            known = work.performer(read_id(body["as_performer"]))
            performer = link_performer(desk, scene, writer, known)
        else:
            performer = enrol_person(
                desk, scene, writer, find_seen(work, scene, person), _read_who(body)
            )
        # The gallery has changed: whoever decides must know the performer.
        with desk.reading() as today:
            fresh = replace(scene, work=today)
            add_decided(fresh, writer, [(person, performer)], optional(body, "tag", ""))
            return _view(fresh.work, scene.asked)


def _read_who(body: Mapping[str, Any]) -> Performer:
    """Read who somebody is whom the gallery does not have yet."""
    stash_id, disambiguation = optional(body, "stash_id", ""), optional(body, "disambiguation", "")
    return Performer(
        0,
        read_name(need(body, "name", str)),
        disambiguation=read_name(disambiguation) if disambiguation.strip() else "",
        source=SOURCE,
        source_id=stash_id and read_id(stash_id),
        identities=read_stash_ids(body),
    )


def answer_markers(desk: Desk, request: Request) -> Response:
    """Answer `POST /stash/markers`: marks when people are seen, by the names they have."""
    body = read_body(request, "scene", "people")
    asked, numbers = read_scene(body), need(body, "people", list)
    if asked.kind != "scene":
        raise BadParameterError(f"In Stash only a scene has markers; this is of kind {asked.kind}.")
    with desk.changing() as work:
        scene = open_scene(work, asked)
        marked = []
        for number in numbers:
            one = scene.person(number if type(number) is int else -1)
            if one.first is None:
                raise CorrectionRefusedError(f"Person {number} has no name yet. Add them first.")
            performer = one.first.performer
            marked.append(Marked(id_in_stash(performer), performer.name, one.spans))
        add_markers(scene.writer("markers"), asked.scene.id, marked, scene.oshash)
        return _view(work, scene.asked)


def add_decided(
    scene: Open, writer: Writer, chosen: Sequence[tuple[Seen, Performer]], tag: str
) -> None:
    """Store who people are, and add them to the scene: of each person both, or neither.

    Raises:
        CorrectionRefusedError: Stash refuses somebody, or somebody was forgotten meanwhile; the
            others were added.
        UnusableSourceError: Stash does not answer.
    """
    ledger, gallery = scene.work.ledger, scene.work.naming.gallery
    additions, decisions = [], []
    for person, performer in chosen:
        decisions.append(decide(ledger, gallery, person.place, "confirmed", performer))
        detail = json.dumps({"decision": decisions[-1]})
        known = id_in_stash(performer)
        id_, kind = scene.asked.scene.id, scene.asked.kind
        additions.append(Addition(id_, known, scene.oshash, detail, kind))
    try:
        added = _add(writer, additions, tag)
    except RefusedError:
        for decision in decisions:
            ledger.take_back(decision)
        raise
    left_out = _left_out(added)
    for addition, decision in zip(additions, decisions, strict=True):
        if addition in left_out:
            ledger.take_back(decision)
    _require_all(added, {id_in_stash(one): one.name for _, one in chosen})


def _read_pair(value: object) -> tuple[int, str]:
    """Read a person's number, and the performer of the gallery whom the user says it is."""
    if not isinstance(value, dict):
        raise BadParameterError('people is a list of {"person": 0, "performer": "12"}.')
    return need(value, "person", int), read_id(need(value, "performer", str))


def _add(writer: Writer, additions: Sequence[Addition], tag: str) -> Added:
    tag_id = ensure_tag(writer, tag) if tag else ""
    return sum(add_performers(writer, additions, tag_id), Added())


def _left_out(added: Added) -> dict[Addition, str]:
    """Return what was not added, and why."""
    return dict(added.refused) | dict.fromkeys(added.forgotten, FORGOTTEN)


def _require_all(added: Added, names: Mapping[str, str]) -> None:
    """Refuse what was asked for if somebody was left out; `names` are by ids in Stash.

    Raises:
        CorrectionRefusedError: somebody was; it says who, and why.
    """
    left_out = _left_out(added)
    if left_out:
        said = [f"{names[one.performer]} was not added: {why}" for one, why in left_out.items()]
        if added.written or added.there:
            said.append("The others were added.")
        raise CorrectionRefusedError(" ".join(dict.fromkeys(said)))


def _view(work: Work, asked: Asked) -> Response:
    return json_response(view_scene(work, replace(asked, tagged=None)))


def _require_in_stash(performer: Performer) -> None:
    if not id_in_stash(performer):
        raise CorrectionRefusedError(
            f"{performer.name} is enrolled, but not linked with a performer of your Stash. Create "
            "the performer there, or enrol your performers again."
        )
