"""The gallery for the page: lists, one performer, thumbnails, findings."""

import re
from dataclasses import asdict
from typing import TypedDict
from urllib.parse import quote

from flask import Request, Response

from db.errors import GalleryError
from db.names import is_web_address
from db.records import Encoding, Listed
from db.vectors import distances_to_others
from function.engines.models import MODELS, PRIMARY
from function.errors import GalleryUnavailableError, UnknownPerformerError
from function.library.enrolment import SOURCE
from function.web.page.open_gallery import opened_gallery
from function.web.page_requests import read_number
from function.web.responses import face_response, json_response
from function.web.results import CONFIRMED
from function.web.service import Service

PAGE_SIZE = 60
LARGEST_PAGE = 200

WEAK_BELOW = 0.4
"""A photo of lower quality adds little."""


OTHER_MOMENT = "shown by the best face from there"
"""Several views from a video are enrolled, but only of the best face a picture is kept."""

_VIEW = re.compile(rf"((?:{SOURCE}: |{CONFIRMED} ).*) at (?:[0-9.]+ s|picture [0-9]+)$")


class ListedReply(TypedDict):
    """A performer in a list; `thumbnail` is a URL on this server, or empty."""

    id: int
    name: str
    disambiguation: str
    photos: int
    thumbnail: str


class PhotoReply(TypedDict):
    """An enrolled photo: where it came from, its quality (0 to 1), and what is weak about it.

    `face` is the URL of the face in it on this server, or of one in the same video, or empty.
    """

    hash: str
    origin: str
    quality: float
    remark: str
    face: str


def answer_list(service: Service, request: Request) -> Response:
    """Answer `GET /gallery?search=&from=&limit=` with a slice of the performers."""
    start = read_number(request, "from", 0, least=0)
    limit = min(read_number(request, "limit", PAGE_SIZE, least=1), LARGEST_PAGE)
    with opened_gallery(service) as gallery:
        listing = gallery.search(request.args.get("search", "").strip(), start, limit)
    performers = [_listed(one) for one in listing.performers]
    return json_response({"performers": performers, "total": listing.total})


def answer_performer(service: Service, request: Request) -> Response:
    """Answer `GET /gallery/performer?id=` with one performer and the photos."""
    with opened_gallery(service) as gallery:
        performer = gallery.performer(read_number(request, "id", 0, least=1))
        photos = _photos(performer.id, gallery.encodings(performer.id))
        has_thumbnail = gallery.thumbnail(performer.id) is not None
    return json_response(
        {
            "id": performer.id,
            "name": performer.name,
            "disambiguation": performer.disambiguation,
            "aliases": performer.aliases,
            "urls": [url for url in performer.urls if is_web_address(url)],
            "source": performer.source,
            "thumbnail": _thumbnail(performer.id) if has_thumbnail else "",
            "photos": photos,
        }
    )


def answer_thumbnail(service: Service, request: Request) -> Response:
    """Answer `GET /gallery/thumbnail?id=` with a JPEG."""
    number = read_number(request, "id", 0, least=1)
    with opened_gallery(service) as gallery:
        thumbnail = gallery.thumbnail(number)
    if thumbnail is None:
        raise UnknownPerformerError(f"Performer {number} has no picture, or does not exist.")
    return face_response(thumbnail)


def answer_face(service: Service, request: Request) -> Response:
    """Answer `GET /gallery/face?id=&hash=` with the face in one of a performer's photos, a JPEG.

    Raises:
        UnknownPerformerError: no face is stored of this photo, or there is none.
    """
    number = read_number(request, "id", 0, least=1)
    with opened_gallery(service) as gallery:
        face = gallery.photo_face(number, request.args.get("hash", ""))
    if face is None:
        raise UnknownPerformerError(f"Performer {number} has no picture of this photo.")
    return face_response(face)


def answer_check(service: Service, _: Request) -> Response:
    """Answer `GET /gallery/check` with the findings about the gallery's file, good and bad."""
    try:
        second = service.reader.second
        models = [second.kind.id] if second else []
        # The file may be outside the media root, so its folder is not shown.
        findings = [asdict(one) for one in service.store.check(models, tell_folder=False)]
    except GalleryError as error:
        raise GalleryUnavailableError(str(error)) from error
    return json_response({"findings": findings})


def _photos(performer: int, encodings: list[Encoding]) -> list[PhotoReply]:
    pictured = {one.photo_hash: one.photo_hash for one in encodings if one.face}
    of_video = {_video_of(one): one.photo_hash for one in encodings if one.face} | {"": ""}
    encodings = [one for one in encodings if one.model == encodings[0].model]
    distances = distances_to_others(encodings)
    replies = []
    for one, distance in zip(encodings, distances, strict=True):
        shown = pictured.get(one.photo_hash) or of_video.get(_video_of(one), "")
        is_other = shown not in ("", one.photo_hash)
        remarks = [*_remarks(one, distance), *([OTHER_MOMENT] if is_other else [])]
        replies.append(
            PhotoReply(
                hash=one.photo_hash,
                origin=one.origin,
                quality=round(max(0.0, one.quality), 3),
                remark="; ".join(remarks),
                face=_face(performer, shown) if shown else "",
            )
        )
    return replies


def _video_of(one: Encoding) -> str:
    """Return the origin of a view in a video or an album without the moment; "" of others."""
    match = _VIEW.match(one.origin)
    return match[1] if match else ""


def _face(performer: int, photo_hash: str) -> str:
    return f"/gallery/face?id={performer}&hash={quote(photo_hash)}"


def _remarks(encoding: Encoding, distance: float | None) -> list[str]:
    remarks = []
    if encoding.weaknesses:
        remarks.append(f"weak: {encoding.weaknesses}")
    elif encoding.quality < WEAK_BELOW:
        remarks.append("weak: soft or turned away")
    if distance is not None and distance > MODELS.get(encoding.model, PRIMARY).unlike_from:
        remarks.append("unlike the other photos: is this somebody else?")
    return remarks


def _listed(one: Listed) -> ListedReply:
    return ListedReply(
        id=one.id,
        name=one.name,
        disambiguation=one.disambiguation,
        photos=one.photos,
        thumbnail=_thumbnail(one.id) if one.has_thumbnail else "",
    )


def _thumbnail(performer_id: int) -> str:
    return f"/gallery/thumbnail?id={performer_id}"
