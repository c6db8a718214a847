"""What the token of Stash's plugin opens, and what it never does: every route is tried."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from function.main import ROUTES
from function.web.page_requests import PAGE_HEADER
from tests.support.made_up_libraries import MadeUpLibrary
from tests.support.servers import Serve, serving

TOKENS = {"TOKEN": "s3cret", "PLUGIN_TOKEN": "plugin"}
SCANS = {"/library/scan", "/library/pause", "/library/resume", "/library/cancel"}
PUBLIC = {"/health", "/ready"}


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    with serving(**MadeUpLibrary(tmp_path).settings(), **TOKENS) as start:
        yield start


@pytest.fixture
def client(serve: Serve) -> FlaskClient:
    return serve()


def status(client: FlaskClient, method: str, route: str, token: str) -> int:
    headers = {"X-Token": token, PAGE_HEADER: "1", "Accept": "application/json"}
    return client.open(route, method=method, headers=headers, buffered=True).status_code


def is_secret(client: FlaskClient, method: str, route: str) -> bool:
    """Whether a route wants a token at all."""
    return status(client, method, route, "") == 401


def test_the_plugins_token_opens_its_routes_and_no_other(client: FlaskClient) -> None:
    opened = []
    for route, (_, methods) in ROUTES.items():
        for method in sorted(methods - {"HEAD"}):
            if is_secret(client, method, route):
                assert status(client, method, route, "wrong") == 401
                if status(client, method, route, "plugin") != 401:
                    opened.append((method, route))
    assert opened, "else the tokens were not asked for"
    for method, route in opened:
        reads = method == "GET" and route.startswith("/library/") and route != "/library/export"
        assert reads or route.startswith("/stash/") or (method == "POST" and route in SCANS), route
    asked = {route for _, route in opened}
    assert asked >= SCANS | {"/library/videos", "/library/video", "/library/status"}
    assert not asked & {"/library/export", "/", "/metrics"}


def test_the_servers_own_token_opens_everything(client: FlaskClient) -> None:
    for route, (_, methods) in ROUTES.items():
        for method in sorted(methods - {"HEAD"}):
            assert status(client, method, route, "s3cret") != 401, route


def test_a_refusal_says_which_token_is_wanted(client: FlaskClient) -> None:
    reply = client.get("/library/export", headers={"X-Token": "plugin"})
    assert reply.status_code == 401
    assert "This is the token of Stash's plugin" in reply.get_json()["error"]["message"]


def test_the_plugins_token_is_slowed_like_the_servers(client: FlaskClient) -> None:
    for number in range(10):
        assert status(client, "GET", "/library/videos", f"guess {number}") == 401
    for token in ("plugin", "s3cret"):
        assert status(client, "GET", "/library/videos", token) == 429


def test_no_token_of_a_plugin_is_taken_where_none_is_set(serve: Serve) -> None:
    client = serve(PLUGIN_TOKEN="")
    assert status(client, "GET", "/library/videos", "") == 401
    assert status(client, "GET", "/library/videos", "plugin") == 401


def test_whoever_has_the_plugins_token_may_call_the_server_by_any_name(serve: Serve) -> None:
    client = serve(TOKEN="off")
    for token, expected in (("plugin", 200), ("", 421), ("wrong", 421)):
        headers = {"X-Token": token, "Host": "nas", "Accept": "application/json"}
        assert client.get("/library/videos", headers=headers).status_code == expected


def test_an_encoded_path_is_no_way_around(client: FlaskClient) -> None:
    for route in ("/library/../gallery/performers", "/stash/../library/export", "/library//export"):
        assert status(client, "GET", route, "plugin") in (401, 404), route


@pytest.mark.parametrize("field", [{"strangers": "1d"}, {"gone": True}])
def test_the_plugin_chooses_nothing_that_erases(
    client: FlaskClient, field: dict[str, object]
) -> None:
    def ask(token: str) -> int:
        headers = {"X-Token": token, PAGE_HEADER: "1"}
        return client.post("/library/scan", json=field, headers=headers).status_code

    assert ask("plugin") == 401
    assert ask("s3cret") == 200


def test_text_that_is_not_unicode_is_refused(client: FlaskClient) -> None:
    for route in ("/library/decide", "/stash/view", "/stash/connect"):
        reply = client.post(
            route,
            data=b'{"url": "\\ud800"}',
            content_type="application/json",
            headers={"X-Token": "s3cret", PAGE_HEADER: "1"},
        )
        assert reply.status_code == 400, route
        assert "Unicode" in reply.get_json()["error"]["message"]
