"""Changes a scene as the user of the plugin says: who is in it, who is not, who is new.

Each is noted in the journal before it is written into Stash.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import Request, Response

from db.galleries import GalleryChange
from db.identities import identities_of
from db.records import Identity, Performer
from db.strangers import Place, Stranger
from db.writes import Write
from function.errors import BadParameterError, CorrectionRefusedError, UnknownPersonError
from function.library.admission import admit_picture
from function.library.decisions import decide
from function.library.enrolment import choose_views, enrol_stranger
from function.library.strangers import StrangerResult
from function.sources.records import RefusedError
from function.stash.applying import Added, Addition, add_performers
from function.stash.client import Stash
from function.stash.markers import Marked, add_markers, ensure_tag
from function.stash.planning import SURE_SCORE, id_in_stash
from function.stash.records import SOURCE, NewPerformer
from function.stash.settling import settle
from function.stash.writer import Writer, begin, gone_from
from function.web.page.open_gallery import changed_gallery, refuse_forgotten
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
from function.web.stash.desk import Desk, Parts, Work
from function.web.stash.people import Seen, people_in
from function.web.stash.views import view_scene

NOT_SEEN_WELL = (
    "This person was never seen well enough to be recognised again. Create the performer in Stash, "
    "and add a photo there."
)

CREATED_OF = (
    *("scene", "person", "name", "disambiguation", "as_performer", "stash_id", "stash_ids"),
    "tag",
)
"""What a performer is created of."""

FORGOTTEN = "they were forgotten meanwhile. Look again."


@dataclass(frozen=True, eq=False)
class Open:
    """A scene that is being changed: what shows it, and everyone in it."""

    work: Work
    asked: Asked
    parts: Parts
    people: dict[int, Seen]

    @property
    def oshash(self) -> str:
        """The fingerprint of its video; "" where many images show it."""
        return "" if self.parts.by_hand else self.parts.albums[0].oshash

    def person(self, number: int) -> Seen:
        """Return a person of the scene.

        Raises:
            UnknownPersonError: nobody has this number.
        """
        if number not in self.people:
            raise UnknownPersonError(f"There is no person {number} in this scene. Look again.")
        return self.people[number]

    def writer(self, kind: str) -> Writer:
        """Begin to write, after what was broken off is settled."""
        writes = self.work.ledger.writes
        settle(writes, self.work.stash)
        return begin(writes, self.work.stash, kind, gone_from(self.work.service.store))


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
    """Answer `POST /stash/add-sure`: everyone is added of whom it is sure who they are."""
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
            performer = _link(desk, scene, writer, known)
        else:
            performer = _enrol(desk, scene, writer, _found(work, scene, person), _read_who(body))
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


def open_scene(work: Work, asked: Asked) -> Open:
    """Find the video of a scene, and who is in it.

    Raises:
        UnknownPersonError: it was not looked at yet.
    """
    asked = work.whole(asked)
    parts = work.parts(asked)
    if all(one.scanned is None for one in parts.albums):
        raise UnknownPersonError(f"This {asked.kind} was not looked at yet. Look at it first.")
    people = people_in(work, parts, pictures=True)
    return Open(work, asked, parts, {one.number: one for one in people})


def add_decided(
    scene: Open, writer: Writer, chosen: Sequence[tuple[Seen, Performer]], tag: str
) -> None:
    """Store who people are, and add them to the scene; of whom it cannot be done, neither.

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


def _found(work: Work, scene: Open, person: Seen) -> StrangerResult:
    """Return what was seen of a person, to be enrolled.

    Raises:
        CorrectionRefusedError: it is not good enough.
    """
    members = set(person.decided.person.members)
    video, position = person.place
    there = work.ledger.sightings([video])[video]
    sightings = [one for one in there if one.position in members]
    places = tuple(Place(video, one.position) for one in sightings)
    # Whoever stands for the others comes first: their picture is the person's.
    sightings.sort(key=lambda one: one.position != position)
    stranger = Stranger(0, ignored=False, places=places)
    shown_by = tuple(one for one in scene.parts.albums if one.id == video)
    found = StrangerResult(stranger, shown_by, tuple(sightings))
    if not choose_views(found, work.naming):
        raise CorrectionRefusedError(NOT_SEEN_WELL)
    return found


def _enrol(
    desk: Desk, scene: Open, writer: Writer, found: StrangerResult, who: Performer
) -> Performer:
    """Make a performer in Stash unless they have an id there, and enrol the person as that one."""
    picture = next((one.person.picture for one in found.sightings), b"")
    new = NewPerformer(
        who.name, who.disambiguation, stash_ids=who.stash_ids, image=_data_uri(picture)
    )
    # The lock comes first: without it nobody can be enrolled, and none is to be left in Stash.
    with changed_gallery(desk.service) as gallery:
        refuse_forgotten(gallery, who)
        is_known = _is_called_so(gallery, who) or gallery.find_identities(who.identities)
        if not who.source_id and is_known:
            raise CorrectionRefusedError(
                f"{who.name} is enrolled already. Choose them from the suggestions, or give a name "
                "that tells both apart."
            )
        performer = who if who.source_id else _in_stash(writer.stash, who)
        if not performer.source_id:
            performer = replace(who, source_id=_make(writer, new, scene))
        enrol_stranger(gallery, performer, found, scene.work.naming)
        return _stored(gallery, performer)


def _is_called_so(gallery: GalleryChange, who: Performer) -> bool:
    """Say whether somebody enrolled has this name, and nothing tells both apart."""
    there = gallery.namesakes(who)
    return any(not who.disambiguation or one.disambiguation == who.disambiguation for one in there)


def _in_stash(stash: Stash, who: Performer) -> Performer:
    """Return somebody as Stash calls them, if it has them by a stash id; else as they are."""
    for one in stash.with_stash_ids(who.stash_ids):
        return replace(who, name=one.name, disambiguation=one.disambiguation, source_id=one.id)
    return who


def _link(desk: Desk, scene: Open, writer: Writer, known: Performer) -> Performer:
    """Make somebody of the gallery in Stash too, unless Stash knows them."""
    if id_in_stash(known):
        return known
    with desk.service.gallery() as gallery:
        picture = gallery.thumbnail(known.id) or b""
    new = NewPerformer(
        known.name,
        disambiguation=known.disambiguation,
        aliases=known.aliases,
        urls=known.urls,
        stash_ids=known.stash_ids,
        image=_data_uri(picture),
    )
    with changed_gallery(desk.service) as gallery:
        linked = Identity(SOURCE, _make(writer, new, scene))
        wider = replace(known, identities=(*identities_of(known), linked))
        gallery.enrol(wider, [], None)
        return _stored(gallery, wider)


def _stored(gallery: GalleryChange, performer: Performer) -> Performer:
    (stored,) = gallery.find_identities(identities_of(performer))
    return stored


def _make(writer: Writer, new: NewPerformer, scene: Open) -> str:
    """Make a performer in Stash, noted first; return the id."""
    with writer.writes.turn():
        # Whoever is called so already is not taken for the one we make, should no answer come.
        known = [one.id for one in writer.stash.namesakes(new.name)]
        made_as = {"name": new.name, "disambiguation": new.disambiguation, "namesakes": known}
        detail = json.dumps(made_as)
        id_, kind = scene.asked.scene.id, scene.asked.kind
        intent = Write("new performer", id_, detail=detail, oshash=scene.oshash, item=kind)
        (noted,) = writer.writes.intend(writer.run, [intent])
        try:
            made = writer.stash.create_performer(new)
        except RefusedError:
            writer.writes.drop([noted])
            raise
        done = replace(noted, thing=made.id, detail="", left_at=made.updated_at)
        writer.writes.confirm([done])
    return made.id


def _data_uri(picture: bytes) -> str:
    jpeg = admit_picture(picture)
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii") if jpeg else ""
