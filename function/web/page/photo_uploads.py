"""Enrols a photo that was dropped on the page."""

import hashlib
from collections.abc import Sequence

from flask import Request, Response

from db.corrections import new_performer
from db.galleries import Gallery
from db.records import Encoding, Identity, Performer
from function.enrolling.encodings import encodings_of
from function.errors import (
    BadParameterError,
    MissingParameterError,
    NameTakenError,
    PhotoUnusableError,
)
from function.faces.face import Face
from function.imports.owners import PhotoOwners
from function.library.admission import admit_picture, is_encoding
from function.web.page.open_gallery import (
    changed_gallery,
    opened_gallery,
    refuse_forgotten,
    refuse_taken,
)
from function.web.page_requests import read_name, read_number, require_page
from function.web.queries import read_path, read_text
from function.web.responses import json_response
from function.web.service import Service

_TAKEN = ("same", "ask", "new")


def answer_photo(service: Service, request: Request) -> Response:
    """Answer `POST /gallery/photos?id=`, or `?name=` for somebody new; the body is the photo.

    Where somebody enrolled has the name, `taken` says what is meant: `same`, the default, is that
    performer; `new` is somebody else of that name; `ask` is refused, with the ids of those who
    have it.

    `remark` says whose face of several was taken, why it counts less than a good one, and as whom
    else the photo is enrolled; of a good photo of one person it is empty.
    """
    require_page(request)
    content = _read_photo(request)
    photo_hash = hashlib.sha256(content).hexdigest()
    with opened_gallery(service) as gallery:
        performer = _find_performer(gallery, request)
        known = gallery.photo_hashes(performer.id, service.model().id)
    if photo_hash in known:
        return json_response({"added": False, "id": performer.id, "remark": ""})
    chosen = service.find_face(content)
    face = chosen.face
    encodings = _encode(service, request, face, photo_hash)
    owners = PhotoOwners()
    with changed_gallery(service) as gallery:
        owners.read(gallery, only=[photo_hash])
        gallery.enrol(performer, encodings, face.crop)
        own = Identity(performer.source, performer.source_id)
        (stored,) = gallery.find_identities([own])
        shared = owners.shared(gallery, stored.id, encodings).values()
    remark = "; ".join(filter(None, (chosen.remark, *shared)))
    return json_response({"added": True, "id": stored.id, "remark": remark})


def _find_performer(gallery: Gallery, request: Request) -> Performer:
    if "id" in request.args:
        return gallery.performer(read_number(request, "id", 0, least=1))
    asked = read_text(request, "name")
    if asked is None:
        raise MissingParameterError("Say whose photo it is: ?id=NUMBER, or ?name=NAME.")
    name = read_name(asked)
    taken = _read_taken(request)
    performer = new_performer(name)
    if taken == "ask":
        refuse_taken(gallery, performer)
    if taken == "new":
        return refuse_forgotten(gallery, performer)
    found = gallery.find_named(name)  # a number is a name here, not an id
    if len(found) > 1:
        ids = tuple(one.id for one in found)
        raise NameTakenError(f"{len(found)} performers are called {name}. Say which: ?id=.", ids)
    return found[0] if found else refuse_forgotten(gallery, performer)


def _read_taken(request: Request) -> str:
    taken = request.args.get("taken", "same")
    if taken not in _TAKEN:
        raise BadParameterError(f"taken is {taken[:40]!r}; it must be one of {', '.join(_TAKEN)}.")
    return taken


def _read_photo(request: Request) -> bytes:
    if request.content_length is None:
        raise MissingParameterError("The request has no Content-Length. Send it in one piece.")
    return request.get_data(cache=False)


def _encode(service: Service, request: Request, face: Face, photo_hash: str) -> Sequence[Encoding]:
    origin = " ".join((read_path(request, "file") or "").split())[:200] or "added on the page"
    encodings = encodings_of(face, service.reader.ready().models, photo_hash, origin)
    is_face = all(is_encoding(one.vector, one.model) for one in encodings)
    if not is_face or admit_picture(face.crop) is None:
        raise PhotoUnusableError("What was found in the photo cannot be a face. Choose another.")
    return encodings
