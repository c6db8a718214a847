"""Corrections: changes the gallery as the user says who a person in a result is, or is not."""

from collections.abc import Callable

from flask import Request, Response

from db.corrections import Correction, Subject, new_performer
from db.galleries import GalleryChange
from db.records import Performer
from function.errors import BadParameterError
from function.web.page.open_gallery import changed_gallery, refuse_forgotten, refuse_taken
from function.web.page_requests import read_fields, read_name, read_optional
from function.web.responses import json_response
from function.web.results import RecentResults
from function.web.service import Service


def answer_assign(service: Service, results: RecentResults, request: Request) -> Response:
    """Enrol a person of a result as a performer in the gallery, confirmed or chosen."""
    result, person, number, instead = read_fields(
        request, result=str, person=int, performer=int, instead_of=int
    )
    subject = _find_subject(results, result, person)

    def change(gallery: GalleryChange) -> Correction:
        other = _other(gallery, instead, number)
        return gallery.assign(gallery.performer(number), subject, other)

    return _answer(service, results, change, "Saved as {name}: {count} added to the gallery.")


def answer_name(service: Service, results: RecentResults, request: Request) -> Response:
    """Enrol a person of a result as somebody new.

    Raises:
        NameTakenError: somebody has the name, and `new` does not say that they are two people.
    """
    result, person, name, instead = read_fields(
        request, result=str, person=int, name=str, instead_of=int
    )
    (is_new,) = read_optional(request, new=bool)
    subject = _find_subject(results, result, person)
    performer = new_performer(read_name(name))

    def change(gallery: GalleryChange) -> Correction:
        refuse_forgotten(gallery, performer)
        if not is_new:
            refuse_taken(gallery, performer)
        return gallery.assign(performer, subject, _other(gallery, instead, 0))

    return _answer(service, results, change, "{name} is now in the gallery, with {count}.")


def answer_reject(service: Service, results: RecentResults, request: Request) -> Response:
    """Record that a person of a result is not this performer."""
    result, person, number = read_fields(request, result=str, person=int, performer=int)
    subject = _find_subject(results, result, person)
    said = "Saved: this is not {name}, who will not be offered for this face again."
    return _answer(
        service, results, lambda gallery: gallery.reject(gallery.performer(number), subject), said
    )


def answer_undo(service: Service, results: RecentResults, request: Request) -> Response:
    """Take a correction back."""
    (correction_id,) = read_fields(request, correction=str)
    correction = results.find_correction(correction_id)
    with changed_gallery(service) as gallery:
        gallery.undo(correction)
    results.drop_correction(correction_id)
    return json_response({"undone": True})


def _find_subject(results: RecentResults, result_id: str, person: int) -> Subject:
    people = results.find(result_id).people
    if not 0 <= person < len(people):
        raise BadParameterError(f"person is {person}; there are {len(people)}, counted from 0.")
    return people[person]


def _other(gallery: GalleryChange, instead_of: int, chosen: int) -> Performer | None:
    return gallery.performer(instead_of) if instead_of not in (0, chosen) else None


def _answer(
    service: Service,
    results: RecentResults,
    change: Callable[[GalleryChange], Correction],
    said: str,
) -> Response:
    with changed_gallery(service) as gallery:
        correction = change(gallery)
    count = len(correction.photo_hashes)
    faces = "1 face" if count == 1 else f"{count} faces"
    words = said.format(name=correction.performer.name, count=faces if count else "nothing new")
    return json_response(
        {
            "correction": results.keep_correction(correction),
            "said": words,
            "performer": correction.performer.id,
        }
    )
