"""Names people seen in videos for requests, such as 12.0, and sends their pictures."""

import re

from flask import Request, Response

from db.strangers import Place
from db.videos import VideoRecord
from function.errors import (
    BadParameterError,
    CorrectionRefusedError,
    UnknownPersonError,
    VideoNotFoundError,
)
from function.library.admission import admit_picture
from function.library.finding import text_of
from function.web.library.shelf import Library, Shelf, shown_within
from function.web.responses import face_response
from function.web.service import Service

_SIGHTING = re.compile(r"([0-9]{1,18})\.([0-9]{1,18})")


def sighting_of(place: Place) -> str:
    """Name a person in a video, by the video's number and their own in there."""
    return f"{place.video}.{place.position}"


def picture_of(place: Place) -> str:
    """Return the URL of a picture of somebody, on this server."""
    return f"/library/face?sighting={sighting_of(place)}"


def read_sighting(name: str, text: str) -> Place:
    """Read which person is meant; `name` is the parameter's.

    Raises:
        BadParameterError: it is not written like a sighting.
    """
    found = _SIGHTING.fullmatch(text)
    if not found:
        raise BadParameterError(f"{name} is {text[:40]!r}; it must be a sighting such as 12.0.")
    return Place(int(found[1]), int(found[2]))


def answer_face(service: Service, shelf: Shelf, request: Request) -> Response:
    """Answer `GET /library/face?sighting=12.0` with a JPEG.

    Raises:
        UnknownPersonError: there is no such person, or no picture that can be shown.
    """
    place = read_sighting("sighting", request.args.get("sighting", ""))
    roots = [root.resolve() for root in service.settings.media_root]
    with shelf.ledger() as ledger:
        picture = admit_picture(ledger.picture(*place))
        is_shown = any(shown_within(one, roots) for one in ledger.records([place.video]))
        if picture is None or not is_shown:
            raise UnknownPersonError(f"There is no picture of {sighting_of(place)}.")
    return face_response(picture)


def find_video(library: Library, *fingerprints: str, content: str = "") -> VideoRecord:
    """Find a video by the first fingerprint that is known, with those paths that callers may see.

    `content` is that of a small file, which is no other of the same fingerprint.

    Raises:
        VideoNotFoundError: the library does not hold it, or callers may not see it.
    """
    found = [
        shown
        for each in fingerprints
        for one in library.ledger.records(
            sorted(library.ledger.ids_of_content(each.strip().lower(), content))
        )
        if (shown := library.shown(one))
    ]
    if not found:
        raise VideoNotFoundError(
            "The library does not hold this video. Scan it first: POST /library/scan, or "
            "python -m tools scan."
        )
    return found[0]


def refuse_rescanned(video: VideoRecord, scanned_at: str | None) -> None:
    """Refuse what is said of a person by their number, if the number is of an earlier scan.

    Raises:
        CorrectionRefusedError: the video was scanned again since `scanned_at`.
    """
    if scanned_at is not None and scanned_at != video.scanned_at:
        raise CorrectionRefusedError(
            "The video was scanned again since, and its people may have other numbers. Look at it "
            "again."
        )


def label_of(video: VideoRecord) -> str:
    """Return the first path of a video; its fingerprint if no file is there any more."""
    return text_of(video.paths[0]) if video.paths else f"oshash:{video.oshash}"
