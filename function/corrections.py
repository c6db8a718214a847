"""Changes the gallery by what the user says about a person in a result."""

from collections.abc import Callable

from flask import Request, Response

from db.corrections import Correction, Look, assign, new_performer, reject, undo
from db.gallery import Gallery
from db.records import Performer
from function.editing import changed_gallery, refuse_forgotten
from function.errors import BadParameterError
from function.page_requests import read_fields, read_name
from function.responses import json_response
from function.results import RecentResults
from function.service import Service


def answer_assign(service: Service, results: RecentResults, request: Request) -> Response:
    """Enrol a person of a result as a performer in the gallery, confirmed or chosen."""
    result, person, number, instead = read_fields(
        request, result=str, person=int, performer=int, instead_of=int
    )
    look = _find_look(results, result, person)

    def change(gallery: Gallery) -> Correction:
        return assign(gallery, gallery.performer(number), look, _other(gallery, instead, number))

    return _answer(service, results, change, "Saved as {name}: {count} added to the gallery.")


def answer_name(service: Service, results: RecentResults, request: Request) -> Response:
    """Enrol a person of a result as somebody new."""
    result, person, name, instead = read_fields(
        request, result=str, person=int, name=str, instead_of=int
    )
    look = _find_look(results, result, person)
    performer = new_performer(read_name(name))

    def change(gallery: Gallery) -> Correction:
        refuse_forgotten(gallery, performer)
        return assign(gallery, performer, look, _other(gallery, instead, 0))

    return _answer(service, results, change, "{name} is now in the gallery, with {count}.")


def answer_reject(service: Service, results: RecentResults, request: Request) -> Response:
    """Record that a person of a result is not this performer."""
    result, person, number = read_fields(request, result=str, person=int, performer=int)
    look = _find_look(results, result, person)
    said = "Saved: this is not {name}, who will not be offered for this face again."
    return _answer(
        service, results, lambda gallery: reject(gallery, gallery.performer(number), look), said
    )


def answer_undo(service: Service, results: RecentResults, request: Request) -> Response:
    """Take a correction back."""
    (correction_id,) = read_fields(request, correction=str)
    correction = results.find_correction(correction_id)
    with changed_gallery(service) as gallery:
        undo(gallery, correction)
    results.drop_correction(correction_id)
    return json_response({"undone": True})


def _find_look(results: RecentResults, result_id: str, person: int) -> Look:
    people = results.find(result_id).people
    if not 0 <= person < len(people):
        raise BadParameterError(f"person is {person}; the result has {len(people)}, from 0 on.")
    return people[person]


def _other(gallery: Gallery, instead_of: int, chosen: int) -> Performer | None:
    return gallery.performer(instead_of) if instead_of not in (0, chosen) else None


def _answer(
    service: Service, results: RecentResults, change: Callable[[Gallery], Correction], said: str
) -> Response:
    with changed_gallery(service) as gallery:
        correction = change(gallery)
    count = len(correction.photo_hashes)
    faces = "1 face" if count == 1 else f"{count} faces"
    words = said.format(name=correction.performer.name, count=faces if count else "nothing new")
    return json_response({"correction": results.keep_correction(correction), "said": words})
