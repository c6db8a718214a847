"""The web page: plain files from one folder, under a policy that allows nothing else to run."""

import base64
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from flask import Request, Response

from function.web.responses import PAGE_HEADERS, bytes_response

PAGE_FOLDER = Path(__file__).parent / "page" / "assets"
PAGE_PREFIX = "/page/"
START = "index.html"
STYLE = "page.css"
STYLE_LINK = f'<link rel="stylesheet" href="{PAGE_PREFIX.removeprefix("/")}{STYLE}">'


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
        PAGE_HEADERS["Content-Security-Policy"].replace(
            "style-src 'self'", f"style-src 'self' 'sha256-{digest}'"
        ),
    )


def wants_page(request: Request) -> bool:
    """Say whether this is a browser opening the page, rather than a request about a video.

    Clients that ask for anything (`*/*`, as curl does) or for JSON get the API.
    """
    html = request.accept_mimetypes["text/html"]
    return (
        request.method in ("GET", "HEAD")
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
    response = bytes_response(request, start.content, "text/html")
    response.headers["Content-Security-Policy"] = start.policy
    return response


def answer_file(request: Request) -> Response:
    """Answer with one of the page's files; the route table lists each of them."""
    return _answer(request, request.path.removeprefix(PAGE_PREFIX))


def _answer(request: Request, name: str) -> Response:
    mimetype = "text/javascript" if name.endswith(".js") else mimetypes.guess_type(name)[0]
    content = (PAGE_FOLDER / name).read_bytes()
    return bytes_response(request, content, mimetype or "application/octet-stream")
