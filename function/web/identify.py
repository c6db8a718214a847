"""Answers a request for a video: JSON at the end, or lines while the work goes on."""

import math
import select
import socket
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, TypeAlias

from flask import Request, Response

from db.models import EncodingModel
from function.errors import BusyError, ClientGoneError
from function.faces.found import Progress
from function.library.decisions import by_identity
from function.library.naming import hint_tagged
from function.library.oshash import oshash_of
from function.library.tagged import tagged_in
from function.matching.hints import Hint
from function.media.files import MediaFile, open_media
from function.recognition import Recognition, recognize_video
from function.settings import Settings
from function.web.line import RETRY, Turn
from function.web.logs import RequestRecord
from function.web.ndjson import lines_response, wants_lines
from function.web.page_requests import is_from_page
from function.web.parameters import Parameters, read_parameters
from function.web.reply import (
    DURATION_HEADER,
    UNREADABLE_HEADER,
    PersonReply,
    WaitingReply,
    rank,
    to_progress,
    to_reply,
    to_video,
)
from function.web.responses import json_response
from function.web.results import RecentResults
from function.web.service import Service, explained

WAIT_SECONDS = 5.0
"""A request waits this long for a slot before it is told to come back; the page's as long as it
takes, since it can say so meanwhile."""

LOOKED_EVERY_SECONDS = 0.25
"""How often a waiting request looks whether its client is still there."""

Keep: TypeAlias = Callable[[Recognition, EncodingModel, str | None], dict[str, str]]
"""Stores an outcome, given the model of its encodings and the id of the second one, and returns
fields that identify it."""

_HANG_UP: int = getattr(select, "POLLRDHUP", 0)
"""Only Linux has it."""


@dataclass(frozen=True)
class _Client:
    """A client that waits for an answer: whether it is gone, and how long it waits for a slot."""

    is_gone: Callable[[], bool]
    wait_seconds: float

    def check(self) -> None:
        """Raise ClientGoneError if nobody waits any more."""
        if self.is_gone():
            raise ClientGoneError("The client disconnected; work on its video has stopped.")


def answer_video(
    request: Request, service: Service, record: RequestRecord, results: RecentResults
) -> Response:
    """Answer who is in the video that a request names; for the page, `results` keeps it.

    Raises:
        RecognitionError: anything that goes wrong before the first frame, or before the one answer.
    """
    parameters = read_parameters(request, service.settings)
    if request.method == "HEAD":
        return _answer_head(parameters, service)
    keep = _keeper(request, parameters.path, results)
    as_lines = wants_lines(request)
    wait_seconds = math.inf if as_lines and is_from_page(request) else WAIT_SECONDS
    events = _recognize(parameters, service, record, _Client(_gone(request), wait_seconds), keep)
    if as_lines:
        return lines_response(events, record)
    *_, last = events
    response = json_response(last["result"])
    response.headers[DURATION_HEADER] = f"{last['video']['duration_seconds']:g}"
    response.headers[UNREADABLE_HEADER] = f"{last['video']['unreadable_seconds']:g}"
    return response


def _answer_head(parameters: Parameters, service: Service) -> Response:
    """Say whether the video could be processed, without processing it."""
    settings = parameters.settings
    opened = open_media(parameters.path, settings.media_root, settings.path_map)
    with service.line.join(), opened:
        # A stream has no length, as an answer to GET has none before the video is read.
        return Response(iter(()), mimetype="application/json")


def _recognize(
    parameters: Parameters,
    service: Service,
    record: RequestRecord,
    client: _Client,
    keep: Keep,
) -> Generator[dict[str, Any]]:
    """Yield the lines of one recognition: what it waits for, progress, and the result last."""
    settings = parameters.settings
    opened = open_media(parameters.path, settings.media_root, settings.path_map)
    # Wait in line first: in a large folder a path may take long to find.
    with service.line.join() as turn, opened as media:
        record.path = media.name
        yield from _wait(turn, client, service.settings)
        with service.at_work():
            for event in _follow(media, parameters, service, record, keep):
                client.check()
                if event:
                    yield event


def _wait(turn: Turn, client: _Client, settings: Settings) -> Iterator[dict[str, Any]]:
    """Wait for a slot; yield how many are ahead whenever that changes, if the client can wait."""
    until = time.monotonic() + client.wait_seconds
    told = None
    while not turn.wait(LOOKED_EVERY_SECONDS):
        client.check()
        if time.monotonic() > until:
            raise BusyError(
                f"All {settings.slots} slots are in use for other videos, and none became free "
                f"within {WAIT_SECONDS:.0f} s. {RETRY}"
            )
        ahead = turn.ahead()
        if math.isinf(client.wait_seconds) and ahead != told:
            told = ahead
            yield {"waiting": WaitingReply(ahead=ahead)}


def _follow(
    media: MediaFile, parameters: Parameters, service: Service, record: RequestRecord, keep: Keep
) -> Iterator[dict[str, Any]]:
    """Yield the lines, and {} in between while there is no news."""
    started = time.perf_counter()
    service.snapshot()  # loads what is not loaded yet
    second = next(iter(service.reader.ready().models[1:]), None)
    record.seconds["wait"] = time.perf_counter() - started
    hints = _hint(media, service)
    events = recognize_video(media, service.reader, service.store, parameters.settings, hints=hints)
    with explained(), closing(events):
        for event in events:
            if isinstance(event, Progress):
                yield {"progress": to_progress(event)} if event.of_seconds else {}
            else:
                _note(record, event)
                result = _reply(event, parameters, service)
                oshash = oshash_of(media.descriptor)
                video = to_video(event.video_seconds, oshash, event.unreadable_seconds)
                yield {"result": result, "video": video, **keep(event, service.model(), second)}


def _hint(media: MediaFile, service: Service) -> tuple[Hint, ...]:
    """Return the performers whom the user tagged on a video, as a scan would take them."""
    tagged = tagged_in(media, service.settings)
    return hint_tagged(tagged, by_identity(service.snapshot().performers)) if tagged else ()


def _reply(found: Recognition, parameters: Parameters, service: Service) -> list[PersonReply]:
    with service.gallery() as gallery:
        return to_reply(
            found.identifications,
            gallery.thumbnail,
            with_pictures=parameters.with_pictures,
            with_times=not found.is_still,
        )


def _keeper(request: Request, path: str, results: RecentResults) -> Keep:
    """Return the function that stores a result for the page and gives it an id."""

    def keep(recognition: Recognition, model: EncodingModel, second: str | None) -> dict[str, str]:
        people = [one.person for one in rank(recognition.identifications)]
        return {"id": results.keep(path, people, model, second)}

    return keep if is_from_page(request) else lambda *_: {}


def _note(record: RequestRecord, recognition: Recognition) -> None:
    record.frames, record.faces = recognition.frames, recognition.faces
    record.decoder = recognition.decoder
    record.people = len(recognition.identifications)
    record.seconds |= vars(recognition.seconds)


def _gone(request: Request) -> Callable[[], bool]:
    """Return a test for whether the client has disconnected; never true if that is hidden."""
    environ = request.environ
    told: Callable[[], bool] | None = environ.get("waitress.client_disconnected")
    client: Any = environ.get("gunicorn.socket") or environ.get("werkzeug.socket")
    if told or not isinstance(client, socket.socket):
        return told or (lambda: False)

    def is_gone() -> bool:
        try:
            if _HANG_UP:  # seen even behind bytes that nobody has read
                poll = select.poll()
                poll.register(client, _HANG_UP)
                return bool(poll.poll(0))
            readable, _, _ = select.select([client], [], [], 0)
            return bool(readable) and not client.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except (OSError, ValueError):
            return True

    return is_gone
