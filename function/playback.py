"""The video of a result becomes bytes that a browser can play from any moment on."""

import mimetypes

from flask import Request, Response, send_file
from werkzeug.exceptions import RequestedRangeNotSatisfiable

from function.errors import MissingParameterError
from function.media import resolve_video
from function.results import RecentResults
from function.service import Service

PLAYABLE = {".mkv": "video/webm", ".m4v": "video/mp4", ".mov": "video/mp4", ".ts": "video/mp2t"}
"""Browsers refuse these under their own names, though they can often play what is inside."""


def answer_media(service: Service, results: RecentResults, request: Request) -> Response:
    """Answer `GET /media?result=ID` with the video of that result, whole or the range asked for.

    A `<video>` element can send no token; the result's id, which only its asker has, stands for
    it. The path is held to the media root again, as it is now.
    """
    if "result" not in request.args:
        raise MissingParameterError("The parameter result is missing. Identify the video first.")
    video = results.find(request.args["result"]).video
    path = resolve_video(str(video), service.settings.media_root)
    guessed = mimetypes.guess_type(path.name)[0] or ""
    mimetype = PLAYABLE.get(path.suffix.lower(), guessed)
    try:
        response = send_file(
            path,
            mimetype=mimetype if mimetype.startswith("video/") else "application/octet-stream",
            conditional=True,
            max_age=0,
        )
    except RequestedRangeNotSatisfiable as error:
        response = Response(status=416, headers={"Content-Range": f"bytes */{error.length}"})
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return response
