"""The gallery changes that the page offers: names, merges, removed photos, forgetting."""

from dataclasses import replace

from flask import Request, Response

from db.errors import GalleryError
from function.errors import CorrectionRefusedError, GalleryUnavailableError
from function.library.forgetting import forget_everywhere
from function.web.page.open_gallery import changed_gallery, explained_change, refuse_taken
from function.web.page_requests import read_fields, read_name, read_optional
from function.web.responses import json_response
from function.web.service import Service


def answer_create(service: Service, request: Request) -> Response:
    """Make an empty gallery if there is none, so that a new user can begin in the browser."""
    read_fields(request)
    name = service.store.address.name
    if service.store.exists():
        raise CorrectionRefusedError(f"{name} is there already, and was left as it is.")
    try:
        service.store.create()
    except GalleryError as error:
        raise GalleryUnavailableError(str(error)) from error
    return json_response({"created": name})


def answer_rename(service: Service, request: Request) -> Response:
    """Rename a performer; the old name becomes an alias.

    Raises:
        NameTakenError: somebody else has the name, and `new` does not say that they are two.
    """
    number, name = read_fields(request, id=int, name=str)
    (is_new,) = read_optional(request, new=bool)
    with changed_gallery(service) as gallery:
        performer = replace(gallery.performer(number), name=read_name(name))
        if not is_new:
            refuse_taken(gallery, performer)
        gallery.rename(performer, performer.name, None)
    return json_response({"renamed": number})


def answer_remove_alias(service: Service, request: Request) -> Response:
    """Remove a performer's alias, until an import brings it again."""
    number, alias = read_fields(request, id=int, alias=str)
    with changed_gallery(service) as gallery:
        gallery.remove_alias(gallery.performer(number), alias)
    return json_response({"removed": 1})


def answer_merge(service: Service, request: Request) -> Response:
    """Merge two performers; the first keeps the name."""
    kept, absorbed = read_fields(request, kept=int, absorbed=int)
    if kept == absorbed:
        raise CorrectionRefusedError("A performer cannot be merged with itself. Choose another.")
    with changed_gallery(service) as gallery:
        gallery.merge(gallery.performer(kept), gallery.performer(absorbed))
    return json_response({"merged": kept})


def answer_remove_photo(service: Service, request: Request) -> Response:
    """Remove what one photo added."""
    number, photo = read_fields(request, id=int, photo=str)
    with changed_gallery(service) as gallery:
        gallery.remove_photo(gallery.performer(number), photo)
    return json_response({"removed": 1})


def answer_forget(service: Service, request: Request) -> Response:
    """Erase a performer for good."""
    (number,) = read_fields(request, id=int)
    with explained_change():
        sightings = forget_everywhere(service.store, service.settings, number)
    return json_response({"forgotten": number, "sightings": sightings})
