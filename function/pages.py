"""The web page: plain files from one folder, under a policy that allows nothing else to run."""

import base64
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from flask import Request, Response

PAGE_FOLDER = Path(__file__).parent / "page"
PAGE_PREFIX = "/page/"
START = "index.html"
STYLE = "page.css"
STYLE_LINK = f'<link rel="stylesheet" href="{PAGE_PREFIX}{STYLE}">'

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' data: blob:; media-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""No inline script, nothing from another host, no embedding in another site's frame."""


@dataclass(frozen=True)
class StartPage:
    """The start page as it is sent, and the policy that allows its own style sheet."""

    content: bytes
    policy: str


@cache
def read_start() -> StartPage:
    """Put the style sheet into the start page, so that it is painted without another request."""
    style = (PAGE_FOLDER / STYLE).read_text(encoding="utf-8")
    start = (PAGE_FOLDER / START).read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return StartPage(
        start.replace(STYLE_LINK, f"<style>{style}</style>").encode(),
        SECURITY_HEADERS["Content-Security-Policy"].replace(
            "style-src 'self'", f"style-src 'self' 'sha256-{digest}'"
        ),
    )


def wants_page(request: Request) -> bool:
    """Say whether this is a browser opening the page, rather than a request about a video.

    Clients that ask for anything (`*/*`, as curl does) or for JSON get the API.
    """
    html = request.accept_mimetypes["text/html"]
    return (
        request.method == "GET"
        and request.path == "/"
        and not request.args
        and "text/html" in request.accept_mimetypes.values()
        and html >= request.accept_mimetypes["application/json"]
    )


def page_files() -> list[str]:
    """List the names of the page's files, as they are served under /page/."""
    return sorted(path.name for path in PAGE_FOLDER.iterdir() if path.is_file())


def answer_start(request: Request) -> Response:
    """Answer with the page itself."""
    start = read_start()
    response = answer_bytes(request, start.content, "text/html")
    response.headers["Content-Security-Policy"] = start.policy
    return response


def answer_file(request: Request) -> Response:
    """Answer with one of the page's files; the route table lists each of them."""
    return _answer(request, request.path.removeprefix(PAGE_PREFIX))


def answer_bytes(request: Request, content: bytes, mimetype: str) -> Response:
    """Answer with bytes that the browser keeps and revalidates by ETag, or 304."""
    response = Response(content, mimetype=mimetype)
    response.set_etag(hashlib.sha256(content).hexdigest()[:32])
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers.update(SECURITY_HEADERS)
    response.make_conditional(request)
    return response


def _answer(request: Request, name: str) -> Response:
    mimetype = "text/javascript" if name.endswith(".js") else mimetypes.guess_type(name)[0]
    content = (PAGE_FOLDER / name).read_bytes()
    return answer_bytes(request, content, mimetype or "application/octet-stream")
