"""Access checks: the token, the host name, the origin of web pages, and the body's size."""

import hmac
import ipaddress
import logging
import secrets
from urllib.parse import urlsplit

from flask import Request, Response

from function.errors import (
    RequestTooLargeError,
    UnauthorizedError,
    UntrustedHostError,
    UntrustedOriginError,
)
from function.media.photos import MAX_PHOTO_BYTES
from function.settings import Settings
from function.web.pages import PAGE_PREFIX, wants_page

LARGEST_BODY_BYTES = 64 * 1024
"""A path and four numbers fit; only a photo to enrol is larger."""

LARGEST_BODIES = {"/gallery/photos": MAX_PHOTO_BYTES}
"""Only a photo to enrol may be larger."""

SELF_GUARDED = ("/media", "/frame")
"""Requests with an id that cannot be guessed; the page's elements that make them send no header."""

WITHOUT_TOKEN = "off"  # noqa: S105  # the word that turns it off

NOT_LET_IN = (
    "The token is missing or wrong. Send it as the header X-Token, or as Authorization: Bearer; "
    "it is in the server's setting TOKEN, or in its log."
)
NOBODY_LET_IN = (
    "This server has no token, and answers only its own machine. Set TOKEN or HOST there."
)

FOR_THE_PLUGIN = (
    "This is the token of Stash's plugin. It opens /stash, reads /library and scans; it cannot "
    "export the library or change the gallery. Send the server's TOKEN for this."
)

PLUGIN_READS, PLUGIN_WRITES = ("/stash/", "/library/"), ("/stash/",)
"""What the plugin's token opens, by how the path begins: others who use Stash may read it."""

PLUGIN_SCANS = tuple(f"/library/{verb}" for verb in ("scan", "pause", "resume", "cancel"))
NEVER_FOR_THE_PLUGIN = ("/library/export",)

OPEN_ROUTES = ("/health", "/ready")
"""For health checks and monitoring: allowed under any host name and without the token."""

OPEN_PREFIXES = ("/stash/plugins/", "/stash/scrapers/")
"""The packages that Stash installs: the same for everyone, and its client sends no token."""

USUAL_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data: blob:; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

_log = logging.getLogger(__name__)


class Access:
    """Applies the settings; if a token is needed and none was set, it generates one."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._token = settings.token
        if not settings.token and not is_loopback(settings.host):
            self._token = secrets.token_urlsafe(24)
            _log.warning(
                "TOKEN is not set, and %s is open to other machines. Until the next start, callers "
                "must send the header X-Token: %s",
                settings.host,
                self._token,
            )

    def check(self, request: Request) -> None:
        """Refuse a request that is too large or not allowed.

        Raises:
            RequestTooLargeError: its body is over LARGEST_BODY_BYTES.
            UnauthorizedError: it needs the token, and has none or the wrong one.
            UntrustedHostError: it uses a host name that is not ours.
            UntrustedOriginError: a web page of another server sent it.
        """
        largest = LARGEST_BODIES.get(request.path, LARGEST_BODY_BYTES)
        request.max_content_length = largest
        if (request.content_length or 0) > largest:
            raise too_large(largest)
        if request.path in OPEN_ROUTES or request.path.startswith(OPEN_PREFIXES):
            return
        is_plugin = self._is_plugin(request)
        has_token = self.has_token(request) or (is_plugin and _is_for_plugin(request))
        if not has_token and self._needs_token(request) and not _is_without_secret(request):
            nobody = NOT_LET_IN if self._token else NOBODY_LET_IN
            raise UnauthorizedError(FOR_THE_PLUGIN if is_plugin else nobody)
        self._check_host(request, has_token=has_token)
        if not has_token:
            self._check_origin(request)

    def may_see_details(self, request: Request) -> bool:
        """Whether an open route may say more than that all is well."""
        return self.has_token(request) or not self._needs_token(request)

    def has_token(self, request: Request) -> bool:
        """Whether the request carries the token."""
        return self._token != WITHOUT_TOKEN and _carries(request, self._token)

    def answer_preflight(self, request: Request) -> Response | None:
        """Answer a browser's preflight request for a page of another server, if that is trusted."""
        if request.method != "OPTIONS" or not self._names_origin(request):
            return None
        headers = {
            "Access-Control-Allow-Methods": "GET, POST",
            "Access-Control-Allow-Headers": "Authorization, Content-Type, X-Token",
            "Access-Control-Max-Age": "600",
        }
        return Response(status=204, headers=headers)

    def add_headers(self, request: Request, response: Response) -> Response:
        """Tell browsers what they must not do with the answer, and which origins may read it."""
        for name, value in USUAL_HEADERS.items():
            response.headers.setdefault(name, value)
        if self._names_origin(request):
            response.headers["Access-Control-Allow-Origin"] = request.headers["Origin"]
            response.headers["Access-Control-Expose-Headers"] = (
                "Retry-After, Video-Duration, Video-Unreadable-Seconds, X-Request-Id"
            )
        if self._settings.origins:
            response.vary.add("Origin")
        return response

    def _is_plugin(self, request: Request) -> bool:
        """Whether the request carries the token of Stash's plugin."""
        return _carries(request, self._settings.plugin_token)

    def _needs_token(self, request: Request) -> bool:
        """Require the token if it was set, and of every other machine: the host may be forged."""
        return self._token != WITHOUT_TOKEN and bool(
            self._token or not is_loopback(request.remote_addr or "localhost")
        )

    def _check_host(self, request: Request, *, has_token: bool) -> None:
        name = (urlsplit(f"//{request.host}").hostname or "").lower()
        trusted = self._settings.trusted_hosts
        is_trusted = name in trusted if trusted else has_token or _is_plain(name)
        if not is_trusted:
            raise UntrustedHostError(
                f"This server is not known as {name!r}. Add it to TRUSTED_HOSTS if it is yours."
            )

    def _check_origin(self, request: Request) -> None:
        origin = request.headers.get("Origin")
        if origin is None:
            site = request.headers.get("Sec-Fetch-Site", "none")
            is_navigation = request.headers.get("Sec-Fetch-Mode") == "navigate"
            is_trusted = site in {"none", "same-origin"} or is_navigation
        else:
            is_trusted = urlsplit(origin).netloc == request.host or self._names_origin(request)
        if not is_trusted:
            raise UntrustedOriginError(
                "A web page of another server sent this. To allow it, add it to ORIGINS, like "
                "https://stash.example:9999."
            )

    def _names_origin(self, request: Request) -> bool:
        return request.headers.get("Origin", "").lower() in self._settings.origins


def too_large(largest: int = LARGEST_BODY_BYTES) -> RequestTooLargeError:
    """Make the error for a body that is too large."""
    if largest > LARGEST_BODY_BYTES:
        return RequestTooLargeError(
            f"The photo is larger than {largest // 1_000_000} MB. Save a smaller copy."
        )
    return RequestTooLargeError(
        f"The body is larger than {LARGEST_BODY_BYTES} bytes. Send the path of a video, not "
        "the video."
    )


def _carries(request: Request, token: str) -> bool:
    """Whether a request carries a token, if there is one."""
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    bearer = credentials.strip() if scheme.lower() == "bearer" else ""
    given = request.headers.get("X-Token", "") or bearer
    return bool(token) and hmac.compare_digest(given.encode(), token.encode())


def _is_for_plugin(request: Request) -> bool:
    """Whether the plugin's token opens what a request asks for."""
    if request.path in NEVER_FOR_THE_PLUGIN:
        return False
    if request.method in ("GET", "HEAD"):
        return request.path.startswith(PLUGIN_READS)
    return request.path.startswith(PLUGIN_WRITES) or request.path in PLUGIN_SCANS


def _is_without_secret(request: Request) -> bool:
    """Whether it asks for the page, which is the same for everyone, or carries a result's id."""
    is_page = wants_page(request) or request.path.startswith(PAGE_PREFIX)
    return is_page or request.path in SELF_GUARDED


def is_loopback(host: str) -> bool:
    """Whether an address or host name means this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _is_plain(name: str) -> bool:
    """Whether nobody else can point the name elsewhere: an attacker's page needs a name it owns."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
