"""Connects with Stash as the plugin says, and checks what each side sees of a real file."""

from typing import TypedDict

from flask import Request, Response

from function.stash.checking import check
from function.stash.connection import connect, is_another
from function.web.page_requests import require_owner
from function.web.responses import json_response
from function.web.stash.asked import need, optional, read_body, read_scene
from function.web.stash.desk import Desk, explained_stash


class ConnectedReply(TypedDict):
    """A Stash that answered, and how much it holds."""

    ok: bool
    stash_version: str
    scenes: int
    performers: int


class LineView(TypedDict):
    """One thing that was checked."""

    ok: bool
    text: str


class CheckReply(TypedDict):
    """What was checked, line by line."""

    lines: list[LineView]


def answer_connect(desk: Desk, request: Request) -> Response:
    """Answer `POST /stash/connect`: keeps where Stash is, if it answers there."""
    body = read_body(request, "url", "api_key")
    url, key = need(body, "url", str), optional(body, "api_key", "")
    with explained_stash():
        if is_another(desk.service.settings, url):
            require_owner("connect another Stash")
        found = connect(desk.service.settings, url, key)
    totals = found.totals
    return json_response(
        ConnectedReply(
            ok=True,
            stash_version=found.version,
            scenes=totals.scenes,
            performers=totals.performers,
        )
    )


def answer_check(desk: Desk, request: Request) -> Response:
    """Answer `POST /stash/check` with what each side sees of a real file."""
    body = read_body(request, "scene")
    scene = read_scene(body).scene.id if "scene" in body else ""
    with desk.reading() as work:
        lines = check(desk.service.settings, work.connection, work.ledger, scene)
    return json_response(CheckReply(lines=[LineView(ok=one.ok, text=one.text) for one in lines]))
