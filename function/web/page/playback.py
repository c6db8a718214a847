"""Turns the video of a result into what a browser can show: the file, or one picture of it."""

import io
import mimetypes
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import chain
from pathlib import PurePosixPath

from flask import Request, Response
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.wsgi import FileWrapper

from function.errors import BusyError, MissingParameterError, UnreadableVideoError
from function.media.files import MediaFile, open_media
from function.media.formats import SUFFIXES_BY_FORMAT
from function.web.page_requests import read_fields, read_seconds
from function.web.responses import PAGE_HEADERS, json_response
from function.web.results import RecentResults
from function.web.service import Service

PLAYABLE = {".mkv": "video/webm", ".m4v": "video/mp4", ".mov": "video/mp4", ".ts": "video/mp2t"}
"""Browsers refuse these under their own names, though they can often play the content."""

PLAYED_SUFFIXES = frozenset(chain.from_iterable(SUFFIXES_BY_FORMAT.values()))

MOST_FILMS = 8
"""Each takes a thread of the server while it is sent, however slowly a client reads."""

FILM_PIECE_BYTES = 64 * 1024

LATEST_SECONDS = 253_402_300_799.0
"""The last second of the year 9999."""

_films = threading.BoundedSemaphore(MOST_FILMS)


class _Film(io.FileIO):
    """A video that is being sent; it holds one of the places until it is closed."""

    def __init__(self, descriptor: int) -> None:
        if not _films.acquire(blocking=False):
            raise BusyError(f"{MOST_FILMS} videos are being played already. Close one.")
        self._has_place = True
        super().__init__(os.dup(descriptor))

    def close(self) -> None:
        """Close the file, and leave the place to another."""
        super().close()
        if self._has_place:
            self._has_place = False
            _films.release()


def answer_play(service: Service, results: RecentResults, request: Request) -> Response:
    """Answer `POST /play` with an id by which a video in the media root can be played.

    Raises:
        UnreadableVideoError: by its name it is none. The media root may be somebody's home, where
            other files are, and this sends a file as it is.
    """
    (path,) = read_fields(request, path=str)
    settings = service.settings
    with open_media(path, settings.media_root, settings.path_map) as media:
        if PurePosixPath(media.name).suffix.lower() not in PLAYED_SUFFIXES:
            raise UnreadableVideoError(
                f"{media.name} is not named like a video, so it is not sent."
            )
        return json_response({"result": results.keep_video(path)})


def answer_media(service: Service, results: RecentResults, request: Request) -> Response:
    """Answer `GET /media?result=ID` with the video of that result, whole or the requested range.

    A `<video>` element cannot send a token; the result's id, which only its requester has, is used
    instead. The path is checked against the media root again.
    """
    with _opened(service, results, request) as media:
        response = _answer_file(request, media)
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


def answer_frame(service: Service, results: RecentResults, request: Request) -> Response:
    """Answer `GET /frame?result=ID&seconds=S` with the picture shown then, as a JPEG.

    It is for browsers that cannot play the file. Access is as for `/media`; like everything in a
    video, the browser must not store it.
    """
    seconds = read_seconds(request, "seconds")
    with _opened(service, results, request) as media:
        picture = service.find_moment(media, seconds).picture
    return Response(picture, mimetype="image/jpeg", headers=PAGE_HEADERS)


@contextmanager
def _opened(service: Service, results: RecentResults, request: Request) -> Iterator[MediaFile]:
    if "result" not in request.args:
        raise MissingParameterError("The parameter result is missing. Identify the video first.")
    settings = service.settings
    video = results.find(request.args["result"]).video
    with open_media(video, settings.media_root, settings.path_map) as media:
        yield media


def _version(media: MediaFile) -> str:
    """Identify the file's current content, so that browsers notice when it changes."""
    found = os.fstat(media.descriptor)
    return f"{found.st_mtime_ns:x}-{found.st_size:x}"


def _answer_file(request: Request, media: MediaFile) -> Response:
    found = os.fstat(media.descriptor)
    # The response is still being read after the descriptor of the check is closed; and a server's
    # own file wrapper might read a slow disk in the one thread that serves everybody.
    film = FileWrapper(_Film(media.descriptor), FILM_PIECE_BYTES)
    response = Response(film, mimetype=_mimetype(media.name), direct_passthrough=True)
    response.content_length = found.st_size
    response.last_modified = _date_of(found.st_mtime)
    response.set_etag(_version(media))
    try:
        response.make_conditional(request, accept_ranges=True, complete_length=found.st_size)
    except RequestedRangeNotSatisfiable:
        response.close()
        return Response(status=416, headers={"Content-Range": f"bytes */{found.st_size}"})
    return response


def _date_of(mtime_seconds: float) -> datetime:
    """Return when a file changed, or the nearest date that HTTP can name: disks hold any number."""
    return datetime.fromtimestamp(min(max(mtime_seconds, 0.0), LATEST_SECONDS), UTC)


def _mimetype(name: str) -> str:
    guessed = mimetypes.guess_type(name)[0] or ""
    kind = PLAYABLE.get(PurePosixPath(name).suffix.lower(), guessed)
    # Anything else in the media root must not be run by a browser as one of our pages.
    return kind if kind.startswith("video/") else "application/octet-stream"
