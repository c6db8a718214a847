"""Sends a GraphQL query and returns its data, or a one-line error."""

import json
import re
import time
import weakref
from typing import Any

import httpx

from db.names import printable
from function.sources.clients import make_client
from function.sources.records import (
    NoAnswerError,
    NotSupportedError,
    RefusedError,
    UnusableSourceError,
)
from function.sources.retries import (
    ATTEMPTS,
    WORTH_ASKING_AGAIN,
    Throttle,
    answer_to,
)
from function.sources.shapes import MOST_VALUES, count_values

MAX_ANSWER_BYTES = 16 * 1024 * 1024
"""A page of 250 entries takes one."""

_HALF_PAIR = re.compile(rb"\\u[dD][89a-fA-F]")
"""A pair is how JSON may write a letter beyond the first 65,536."""

LONGEST_MESSAGE = 300
REQUESTS_PER_MINUTE = 240
"""The rate that Stash itself uses for a stash-box."""

LOCKED = "database is locked"
"""Stash says so, and does nothing, where another of its jobs writes at the same moment."""

LOCKED_PAUSES_SECONDS = (0.2, 0.5, 1.0, 2.0)
"""How long to wait before such a query is sent again, each time; it is over in a moment."""

AWAITED_SECONDS = 15.0
"""How long an answer may take while somebody waits, who gives up after 30 s."""


class _LockedError(NoAnswerError):
    """It did nothing, because it was busy with something else."""


class GraphQL:
    """Queries one server; the key is sent in a header, only to this URL, and never in messages."""

    def __init__(
        self,
        url: str,
        api_key: str,
        *,
        what: str,
        is_throttled: bool = False,
        is_awaited: bool = False,
    ) -> None:
        """Remember the server; `what` names it in messages ("Stash", "stash-box").

        With `is_awaited` somebody waits meanwhile: nothing is asked twice unless it is locked, and
        no answer takes longer than AWAITED_SECONDS.
        """
        try:
            self.url = httpx.URL(url)
        except (httpx.InvalidURL, UnicodeError):
            self.url = httpx.URL("")
        if not api_key.isascii() or not api_key.isprintable():
            raise UnusableSourceError(
                f"The API key for {what} holds characters that no key has. Copy it again."
            )
        if self.url.scheme not in ("http", "https") or not self.url.host:
            raise UnusableSourceError(
                f"{url!r} is not a full URL. Give one like http://localhost:9999."
            )
        headers = {"ApiKey": api_key} if api_key else {}
        self._client = make_client(headers)
        weakref.finalize(self, self._client.close)
        self._throttle = Throttle(REQUESTS_PER_MINUTE) if is_throttled else None
        self._what = what
        self._is_awaited = is_awaited
        self.received_bytes = 0
        """Of all answers so far: a list comes in many."""

    def close(self) -> None:
        """Close the connections that are kept open; it cannot be asked any more."""
        self._client.close()

    def ask(
        self, query: str, variables: dict[str, Any] | None = None, *, once: bool = False
    ) -> dict[str, Any]:
        """Send one query and return its `data`.

        With `once` it is never sent again: what it asks for must not be done twice.

        Raises:
            NoAnswerError: no answer, or the server is busy.
            RefusedError: it answers with an error; NotSupportedError if to any such query.
            UnusableSourceError: a wrong key, no GraphQL, or a schema that lacks a field.
        """
        for pause_seconds in () if once else LOCKED_PAUSES_SECONDS:
            try:
                return self._ask(query, variables, once=once)
            except _LockedError:
                time.sleep(pause_seconds)
        return self._ask(query, variables, once=once)

    def _ask(self, query: str, variables: dict[str, Any] | None, *, once: bool) -> dict[str, Any]:
        if self._throttle:
            self._throttle.wait()
        asked = {"query": query, "variables": variables or {}}
        request = self._client.build_request("POST", self.url, json=asked)
        attempts = 1 if once or self._is_awaited else ATTEMPTS
        seconds = AWAITED_SECONDS if self._is_awaited else None
        place = f"{self._what} at {self.url.copy_with(userinfo=b'', query=None)}"
        with answer_to(
            self._client, request, who=place, attempts=attempts, longest_seconds=seconds
        ) as response:
            body = read_limited(response, MAX_ANSWER_BYTES)
            self.received_bytes += len(body or b"")
            return self._data_of(place, response, body)

    def _data_of(self, place: str, response: httpx.Response, body: bytes | None) -> dict[str, Any]:
        if response.status_code in (401, 403) or _is_about_a_token(response, body):
            raise UnusableSourceError(
                f"{place} refused the API key ({response.status_code}). Copy it again from the "
                "settings there."
            )
        if response.is_redirect:
            target = _shown(response.headers.get("Location", ""))
            raise UnusableSourceError(f"{place} redirects to {target}. Use that URL.")
        answer = _read_json(body)
        if answer is None and response.status_code in WORTH_ASKING_AGAIN:
            raise NoAnswerError(
                f"{place} answered {response.status_code}. It is busy or starting; try again later."
            )
        if answer is None:
            kind = response.headers.get("Content-Type", "nothing").split(";")[0][:LONGEST_MESSAGE]
            raise UnusableSourceError(
                f"{place} answered {response.status_code} with {kind}, not GraphQL. Check the "
                "URL; if there is a login page in front, the API key is needed."
            )
        if answer.get("errors"):
            raise self._explain(place, _message_of(answer["errors"]))
        data = answer.get("data")
        if not isinstance(data, dict):
            raise UnusableSourceError(f"{place} answered without data.")
        return data

    def _explain(self, place: str, message: str) -> UnusableSourceError:
        if LOCKED in message:
            return _LockedError(f"{place} is busy ({message}). Try again later.")
        if "Cannot query field" in message or "Unknown" in message or "not defined" in message:
            return NotSupportedError(
                f"{place} does not support the query ({message}). Update {self._what}."
            )
        if "uthoriz" in message or "ermission" in message:
            return NotSupportedError(f"{place} does not allow it ({message}). Check the API key.")
        return RefusedError(f"{place} answered: {message}.")


def read_limited(response: httpx.Response, limit_bytes: int) -> bytes | None:
    """Read the body of an answer; None if it is longer than `limit_bytes`.

    Raises:
        UnusableSourceError: the connection broke, it comes too slowly, or it is compressed.
    """
    host = response.url.host
    if response.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise UnusableSourceError(
            f"{host} compresses its answer, though it was asked not to. Compressed, a small answer "
            "could fill the memory. Check what stands in front of the server."
        )
    body = bytearray()  # not a list: of parts of two bytes, each would take twenty times as much
    try:
        for part in response.iter_raw():
            body += part
            if len(body) > limit_bytes:
                return None
    except httpx.HTTPError as error:
        raise UnusableSourceError(f"{host} disconnected ({error}).") from error
    return bytes(body)


def _message_of(errors: Any) -> str:
    first = errors[0] if isinstance(errors, list) and errors else errors
    message = first.get("message") if isinstance(first, dict) else first
    return printable(" ".join(str(message).split())[:LONGEST_MESSAGE]).removesuffix(".")


def _is_about_a_token(response: httpx.Response, body: bytes | None) -> bool:
    """Say whether a stash-box cannot read the API key: it says so in plain text, as a fault of its.

    The key is a token, which it calls malformed, or its signature invalid.
    """
    return response.is_server_error and (body or b"").startswith(b"token ")


def _shown(address: str) -> str:
    """Return a URL for people: without a user, a password and a query, which may hold a key."""
    try:
        return str(httpx.URL(address).copy_with(userinfo=b"", query=None))
    except (httpx.InvalidURL, UnicodeError):
        return "what is no URL"


def _read_json(body: bytes | None) -> dict[str, Any] | None:
    if body is None or count_values(body) > MOST_VALUES:
        return None
    try:
        # What reads JSON lets bytes through that are half of a pair; this does not.
        answer = json.loads(body.decode("utf-8-sig", errors="replace"))
        if _HALF_PAIR.search(body):  # half of one is no text, and can be stored nowhere
            answer = json.loads(json.dumps(answer, ensure_ascii=False).encode(errors="replace"))
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None
