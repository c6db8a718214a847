"""The recognition server, as Stash's scripts talk to it: one address, one token, JSON both ways.

Both packages carry this file. It needs only Python's standard library, 3.9 or newer, because it
runs inside Stash's container.
"""

from __future__ import annotations

import http.client
import json
import queue
import ssl
import threading
import urllib.error
import urllib.request
from typing import Any, Callable
from urllib.parse import urlsplit

MOST_BYTES = 32 * 1024 * 1024
"""An answer with the faces of a crowd takes a few megabytes."""

PATIENCE_SECONDS = 30.0
"""Longer than any of these requests takes: none waits until a video was looked at."""


_SOURCES = ("/stash/plugins/index.yml", "/stash/scrapers/index.yml")
"""How the source ends from which the user installed this; it is easily copied as the address."""


class RecognitionError(Exception):
    """Something is wrong; the text tells the user what to do."""


def within(seconds: float, work: Callable[[], Any]) -> Any:
    """Return what some work returns, or raise what it raises, if it ends in time.

    Time-outs of sockets begin anew with each byte that comes: they stop nobody who sends slowly.

    Raises:
        TimeoutError: it does not. It is left alone then, and ends with this program.
    """
    outcome: queue.Queue[tuple[Any, BaseException | None]] = queue.Queue()

    def run() -> None:
        try:
            outcome.put((work(), None))
        except BaseException as error:  # noqa: BLE001  # it is raised where it is waited for
            outcome.put((None, error))

    threading.Thread(target=run, daemon=True).start()
    try:
        value, error = outcome.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError(f"no whole answer within {seconds:.0f} s") from None
    if error is not None:
        raise error
    return value


def tidy_address(text: str) -> str:
    """Return an address as it was meant: what was copied around it or behind it is cut."""
    address = text.strip().rstrip("/")
    for source in _SOURCES:
        address = address.removesuffix(source)
    return address


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # such as a port that is no number
        return False


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the token to an address that the user never gave."""

    def redirect_request(self, *_: Any) -> None:
        return None


class Server:
    """The server at the address that the user gave, and at no other."""

    def __init__(
        self, address: str, token: str, where: str, patience_seconds: float = PATIENCE_SECONDS
    ) -> None:
        """Take address and token; `where` tells the user where both are set.

        Raises:
            RecognitionError: the address is not one.
        """
        self.address = tidy_address(address)
        self._token = token.strip()
        self._where = where
        self._patience_seconds = patience_seconds
        if not _is_address(self.address):
            raise RecognitionError(
                f"The server's address is {address!r}. Write one like http://localhost:8080 "
                f"({where})."
            )
        # Nothing of the machine's proxy settings: this is the user's own network.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirects())

    def ask(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the answer to a GET, or to a POST of `body`.

        Raises:
            RecognitionError: nothing answers there, it is no such server, or it refuses.
        """
        try:
            return dict(within(self._patience_seconds, lambda: self._ask(path, body)))
        except OSError as error:  # URLError is one, and so are time-outs
            reason = getattr(error, "reason", error)
            if isinstance(reason, ssl.SSLError):
                raise self._unsafe(reason) from None
            raise RecognitionError(
                f"Nothing answers at {self.address} ({reason}). Is the recognition server running, "
                f"and is this its address as Stash's machine sees it? ({self._where}; in Docker, "
                "localhost is Stash's own container: use the name of the other one.)"
            ) from None

    def _ask(self, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        request = self._request(path, body)
        try:
            with self._opener.open(request, timeout=self._patience_seconds) as got:
                return self._read(got.read(MOST_BYTES + 1))
        except urllib.error.HTTPError as error:
            with error:
                raise self._refusal(error) from None
        except http.client.HTTPException:  # it speaks, but not HTTP
            raise self._stranger() from None
        except ValueError:  # what urllib says of a letter that no header or address may hold
            raise RecognitionError(
                f"The address {self.address!r}, or the token, holds a letter that cannot be sent. "
                f"Copy both once more ({self._where})."
            ) from None

    def _request(self, path: str, body: dict[str, Any] | None) -> urllib.request.Request:
        headers = {"Accept": "application/json", "X-Recognition-Page": "1"}
        if self._token:
            headers["X-Token"] = self._token
        content = None
        if body is not None:
            content = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        return urllib.request.Request(self.address + path, content, headers)  # noqa: S310

    def _read(self, content: bytes) -> dict[str, Any]:
        try:
            answer = json.loads(content) if len(content) <= MOST_BYTES else None
        except (ValueError, RecursionError):  # such as very many brackets
            answer = None
        if not isinstance(answer, dict):
            raise self._stranger()
        return answer

    def _refusal(self, error: urllib.error.HTTPError) -> RecognitionError:
        """Say what to do about an answer that is an error."""
        told = self._told(error)
        if told is None:
            return self._stranger()
        code, message = told
        if code == "unauthorized":
            return RecognitionError(
                f"The server at {self.address} refuses the token. Copy what PLUGIN_TOKEN (or "
                f"TOKEN) holds there ({self._where})."
            )
        if code == "not_found":
            return RecognitionError(
                f"The server at {self.address} is older than what is installed in Stash. Update it."
            )
        return RecognitionError(message)

    def _told(self, error: urllib.error.HTTPError) -> tuple[str, str] | None:
        """Return code and message of one of the server's own errors."""
        try:
            told = json.loads(error.read(MOST_BYTES))["error"]
            return str(told["code"]), str(told["message"])
        except (ValueError, RecursionError, KeyError, TypeError):
            return None
        except (OSError, http.client.HTTPException):
            return None

    def _unsafe(self, reason: ssl.SSLError) -> RecognitionError:
        """Say what to do where https fails: the server itself speaks http alone."""
        if isinstance(reason, ssl.SSLCertVerificationError):
            return RecognitionError(
                f"The certificate of {self.address} is not trusted where Stash runs "
                f"({reason.verify_message}). Give that machine its authority, or an address that "
                f"begins with http:// ({self._where})."
            )
        return RecognitionError(
            f"What answers at {self.address} speaks no https. Write http:// instead, unless a "
            f"proxy in front of the server speaks it ({self._where})."
        )

    def _stranger(self) -> RecognitionError:
        return RecognitionError(
            f"Something other than the recognition server answers at {self.address}. "
            f"Correct the address ({self._where})."
        )
