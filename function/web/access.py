"""Access checks: the token, the host name, the origin of web pages, and the body's size."""

import hmac
import ipaddress
import logging
import secrets

from flask import Request, Response

from function.errors import (
    RequestTooLargeError,
    UnauthorizedError,
    UntrustedHostError,
    UntrustedOriginError,
)
from function.media.photos import MAX_PHOTO_BYTES
from function.settings import Settings
from function.web.callers import Caller, find_caller, origin_host
from function.web.guesses import Guesses
from function.web.page_requests import is_from_page, mark_as_plugin
from function.web.pages import PAGE_PREFIX, wants_page

LARGEST_BODY_BYTES = 64 * 1024
"""A path and four numbers fit; only a photo to enrol is larger."""

LARGEST_BODIES = {"/gallery/photos": MAX_PHOTO_BYTES}
"""Only a photo to enrol may be larger."""

SELF_GUARDED = ("/media", "/frame")
"""Requests with an id that cannot be guessed, made by elements of the page, which send no
header."""

WITHOUT_TOKEN = "off"  # noqa: S105  # the word that turns it off

NOT_LET_IN = (
    "The token is missing or wrong. Send it as the header X-Token, or as Authorization: Bearer; "
    "it is in the server's setting TOKEN, or in its log."
)
NOBODY_LET_IN = (
    "This server has no token, and answers only its own machine, not through a proxy or under "
    "another name. Set TOKEN there."
)

FOR_THE_PLUGIN = (
    "This is the token of Stash's plugin. It opens /stash, reads /library and scans; it cannot "
    "export the library or change the gallery. Send the server's TOKEN for this."
)

PLUGIN_READS, PLUGIN_WRITES = ("/stash/", "/library/"), ("/stash/",)
"""What the plugin's token opens, by how the path begins; others who use Stash may read that
token."""

PLUGIN_SCANS = tuple(f"/library/{verb}" for verb in ("scan", "pause", "resume", "cancel"))
NEVER_FOR_THE_PLUGIN = ("/library/export",)

OPEN_ROUTES = ("/health", "/ready")
"""For health checks and monitoring: allowed under any host name and without the token."""

OPEN_PREFIXES = ("/stash/plugins/", "/stash/scrapers/")
"""The packages that Stash installs: the same for everyone, and its client sends no token."""

USUAL_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
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
        self._guesses = Guesses()
        reason = _find_reason_for_token(settings)
        if not settings.token and reason:
            self._token = secrets.token_urlsafe(24)
            _log.warning(
                "TOKEN is not set, and %s. Until the next start, callers must send the header "
                "X-Token: %s",
                reason,
                self._token,
            )

    def check(self, request: Request) -> None:
        """Refuse a request that is too large or not allowed.

        Raises:
            RequestTooLargeError: its body is over LARGEST_BODY_BYTES.
            TooManyGuessesError: it has a token, and its address had too many wrong ones.
            UnauthorizedError: it needs the token, and has none or the wrong one.
            UntrustedHostError: it uses a host name that is not ours.
            UntrustedOriginError: a web page of another server sent it.
        """
        largest = largest_body(request.path)
        request.max_content_length = largest
        if (request.content_length or 0) > largest:
            raise too_large(largest)
        caller = find_caller(request, self._settings.trusted_proxies)
        has_token = self._look_at_token(request, caller)
        if not _is_open(request.path):
            self._check_caller(request, caller, has_token=has_token)

    def may_see_details(self, request: Request) -> bool:
        """Whether an open route may say more than that all is well."""
        caller = find_caller(request, self._settings.trusted_proxies)
        try:
            self._check_caller(request, caller, has_token=self.has_token(request))
        except (UnauthorizedError, UntrustedHostError, UntrustedOriginError):
            return False
        return True

    def _check_caller(self, request: Request, caller: Caller, *, has_token: bool) -> None:
        if not has_token and self._needs_token(caller) and not _is_without_secret(request):
            nobody = NOT_LET_IN if self._token else NOBODY_LET_IN
            raise UnauthorizedError(FOR_THE_PLUGIN if self._is_plugin(request) else nobody)
        self._check_host(caller, has_token=has_token)
        if not has_token:
            self._check_origin(request, caller)

    def _look_at_token(self, request: Request, caller: Caller) -> bool:
        """Say whether a token opens what the request asks for; a wrong one counts as a guess."""
        is_asked_for = self._token not in ("", WITHOUT_TOKEN) or self._settings.plugin_token
        if not _given_token(request) or not is_asked_for:
            return False
        self._guesses.check(caller.address)
        if self._is_plugin(request):
            mark_as_plugin()
            return _is_for_plugin(request)
        has_token = self.has_token(request)
        if not has_token and self._token != WITHOUT_TOKEN:
            self._guesses.note(caller.address, _given_token(request))
        return has_token

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

    def _needs_token(self, caller: Caller) -> bool:
        """Require the token if it was set, and from everyone who is not clearly on this machine.

        A proxy on this machine passes on requests from anywhere: one that names itself, or asks for
        a name or an address that leads here from elsewhere, needs the token, though its own address
        is ours.
        """
        if self._token == WITHOUT_TOKEN:
            return False
        is_named = caller.name in self._settings.trusted_hosts and not _is_plain(caller.name)
        is_elsewhere = _is_address(caller.name) and not is_loopback(caller.name)
        is_here = is_loopback(caller.address) and caller.is_direct
        return bool(self._token) or not is_here or is_named or is_elsewhere

    def _check_host(self, caller: Caller, *, has_token: bool) -> None:
        trusted = self._settings.trusted_hosts
        is_trusted = caller.name in trusted if trusted else has_token or _is_plain(caller.name)
        if not is_trusted:
            raise UntrustedHostError(
                f"This server is not known as {caller.name!r}. Add it to TRUSTED_HOSTS if it is "
                "yours."
            )

    def _check_origin(self, request: Request, caller: Caller) -> None:
        origin = request.headers.get("Origin")
        if origin is None:
            is_trusted = _is_from_no_other_page(request)
        else:
            is_trusted = origin_host(origin) == caller.host or self._names_origin(request)
        if not is_trusted:
            raise UntrustedOriginError(
                "A web page of another server may have sent this. If it is yours, add it to "
                "ORIGINS, like https://stash.example:9999; in a browser, open this server's page "
                "at / and choose the video there."
            )

    def _names_origin(self, request: Request) -> bool:
        return request.headers.get("Origin", "").lower() in self._settings.origins


def largest_body(path: str) -> int:
    """Return how many bytes the body of a request to `path` may have."""
    return LARGEST_BODIES.get(path, LARGEST_BODY_BYTES)


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
    return bool(token) and hmac.compare_digest(_given_token(request).encode(), token.encode())


def _is_for_plugin(request: Request) -> bool:
    """Whether the plugin's token opens what a request asks for."""
    if request.path in NEVER_FOR_THE_PLUGIN:
        return False
    if request.method in ("GET", "HEAD"):
        return request.path.startswith(PLUGIN_READS)
    return request.path.startswith(PLUGIN_WRITES) or request.path in PLUGIN_SCANS


def _is_open(path: str) -> bool:
    """Say whether a path is open to everyone, under any host name."""
    return path in OPEN_ROUTES or path.startswith(OPEN_PREFIXES)


def _is_without_secret(request: Request) -> bool:
    """Whether it asks for the page, which is the same for everyone, or carries a result's id."""
    is_page = wants_page(request) or request.path.startswith(PAGE_PREFIX)
    return is_page or request.path in SELF_GUARDED


def _find_reason_for_token(settings: Settings) -> str:
    """Say why callers need a token even if none was set; "" if they do not."""
    if not is_loopback(settings.host):
        return f"{settings.host} is open to other machines"
    names = [name for name in settings.trusted_hosts if not _is_plain(name)]
    if names or settings.trusted_proxies:
        return "TRUSTED_HOSTS or TRUSTED_PROXIES says that other machines come through a proxy"
    return ""


def _given_token(request: Request) -> str:
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    bearer = credentials.strip() if scheme.lower() == "bearer" else ""
    return request.headers.get("X-Token", "") or bearer


def _is_from_no_other_page(request: Request) -> bool:
    """Whether a request without an Origin comes from our page, the user or a program.

    Links of other pages may lead to our page, but to nothing that does work or answers: how long
    that takes would tell them whether a file exists. Over plain http, browsers name the page only
    to localhost; what they send elsewhere must come from our page's script, or be loaded by its
    elements.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        is_link = request.headers.get("Sec-Fetch-Mode") == "navigate" and wants_page(request)
        return site in ("none", "same-origin") or is_link
    is_browser = request.headers.get("User-Agent", "").startswith("Mozilla/")
    return not is_browser or is_from_page(request) or _is_without_secret(request)


def is_loopback(host: str) -> bool:
    """Whether an address or host name means this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _is_plain(name: str) -> bool:
    """Whether nobody can point the name elsewhere: an attacker's page needs a name of its own."""
    return name == "localhost" or name.endswith(".localhost") or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
