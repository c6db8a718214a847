"""Makes performers in Stash and in the gallery, of people seen in a scene."""

import base64
import json
from dataclasses import replace

from db.galleries import GalleryChange
from db.identities import identities_of
from db.records import Identity, Performer
from db.strangers import Place, Stranger
from db.writes import Write
from function.errors import CorrectionRefusedError
from function.library.admission import admit_picture
from function.library.enrolment import choose_views, enrol_stranger
from function.library.strangers import StrangerResult
from function.sources.records import RefusedError
from function.stash.client import Stash
from function.stash.planning import id_in_stash
from function.stash.records import SOURCE, NewPerformer
from function.stash.writer import Writer
from function.web.page.open_gallery import changed_gallery, refuse_forgotten
from function.web.stash.desk import Desk
from function.web.stash.open_scenes import Open
from function.web.stash.people import Seen
from function.web.stash.work import Work

NOT_SEEN_WELL = (
    "This person was never seen well enough to be recognised again. Create the performer in Stash, "
    "and add a photo there."
)


def find_seen(work: Work, scene: Open, person: Seen) -> StrangerResult:
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
    if not choose_views(found):
        raise CorrectionRefusedError(NOT_SEEN_WELL)
    return found


def enrol_person(
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
        enrol_stranger(gallery, performer, found)
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


def link_performer(desk: Desk, scene: Open, writer: Writer, known: Performer) -> Performer:
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
