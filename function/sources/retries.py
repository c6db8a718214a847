"""Sends one HTTP request, and repeats it until it is answered."""

import email.utils
import logging
import random
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import httpx

from function.sources.clients import is_over, within
from function.sources.records import NoAnswerError

ATTEMPTS = 5
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 60.0
LONGEST_ANSWER_SECONDS = 120.0
"""For one answer, from the question to its last byte."""

WORTH_ASKING_AGAIN = {429, 500, 502, 503, 504}

Pause = Callable[[float], None]

_log = logging.getLogger(__name__)


@contextmanager
def answer_to(
    client: httpx.Client,
    request: httpx.Request,
    *,
    who: str = "",
    attempts: int = ATTEMPTS,
    longest_seconds: float | None = None,
    pause: Pause = time.sleep,
) -> Iterator[httpx.Response]:
    """Send a request and yield the answer, its body unread; redirects are not followed.

    Tries again after a pause if the server is busy (429, 5xx) or does not answer; a Retry-After
    header is respected, up to a minute. The last answer is yielded as it is. Each attempt takes no
    more than `longest_seconds`, or LONGEST_ANSWER_SECONDS. Messages call the server `who`, or its
    host.

    Raises:
        NoAnswerError: there was no answer at the last attempt either.
    """
    for attempt in range(attempts):
        is_last = attempt == attempts - 1
        name = who or request.url.host
        seconds = FIRST_PAUSE_SECONDS * 2**attempt * random.uniform(0.8, 1.2)  # noqa: S311  # spread only
        with within(longest_seconds or LONGEST_ANSWER_SECONDS):
            try:
                response = client.send(request, stream=True)
            except httpx.TransportError as error:
                if is_last or is_over():
                    raise _no_answer(name, error) from error
                _tell_once(attempt, f"{name} does not answer")
            else:
                if is_last or response.status_code not in WORTH_ASKING_AGAIN:
                    with closing(response):
                        yield response
                    return
                seconds = max(seconds, read_retry_after(response.headers.get("Retry-After", "")))
                response.close()
                _tell_once(attempt, f"{name} answers {response.status_code}")
        pause(min(seconds, LONGEST_PAUSE_SECONDS))


def _tell_once(attempt: int, trouble: str) -> None:
    """Say at the first attempt what is waited for: the others may take a while."""
    if not attempt:
        _log.info("%s; asking again.", trouble)


def _no_answer(who: str, error: httpx.TransportError) -> NoAnswerError:
    reason = str(error) or type(error).__name__
    return NoAnswerError(f"{who} does not answer ({reason}). Check that it runs, and its URL.")


def read_retry_after(text: str) -> float:
    """Read a Retry-After header, seconds or a date, as seconds from now; 0 if there is none."""
    if text.isascii() and text.isdecimal():
        return float(text)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except ValueError:
        return 0.0


class Throttle:
    """Spaces out requests, so that at most `per_minute` are sent."""

    def __init__(self, per_minute: int, pause: Pause = time.sleep) -> None:
        """Let the first request go at once."""
        self._apart_seconds = 60.0 / per_minute
        self._next = 0.0
        self._pause = pause

    def wait(self) -> None:
        """Wait until the next request may be sent."""
        now = time.monotonic()
        if now < self._next:
            self._pause(self._next - now)
        self._next = max(now, self._next) + self._apart_seconds
