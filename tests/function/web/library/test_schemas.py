"""What the library answers is what /openapi.json says, with no field more and none less."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator

from function.web.page_requests import PAGE_HEADER
from tests.support.made_up_libraries import MadeUpLibrary
from tests.support.servers import serving

PAGE = {PAGE_HEADER: "1"}


@pytest.fixture
def library(tmp_path: Path) -> MadeUpLibrary:
    made = MadeUpLibrary(tmp_path)
    made.scan("a.mp4", [made.person(0), made.person(None, 10)])
    made.scan("sub/b.mp4", [made.person(1), made.person(2, 10)])
    made.scan("c.mp4", [made.person(None)])
    return made


@pytest.fixture
def client(library: MadeUpLibrary) -> Iterator[FlaskClient]:
    with serving(**library.settings()) as start:
        yield start()


def close(schema: Any, described: Any) -> Any:
    """Return a schema with its references in place, in which objects have no other fields."""
    if isinstance(schema, list):
        return [close(one, described) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return close(described["components"]["schemas"][schema["$ref"].split("/")[-1]], described)
    closed = {name: close(one, described) for name, one in schema.items()}
    if "properties" in closed:
        closed.setdefault("additionalProperties", False)
    return closed


def check(client: FlaskClient, method: str, route: str, **request: Any) -> Any:
    """Ask, and check the answer against what is described; return it."""
    described = client.get("/openapi.json").get_json()
    path = route.split("?", maxsplit=1)[0]
    response = client.open(route, method=method.upper(), headers=PAGE, **request)
    assert response.status_code == 200, (route, response.get_data())
    content = described["paths"][path][method]["responses"]["200"]["content"]
    schema = Draft202012Validator(close(content[response.mimetype]["schema"], described))
    lines = response.text.splitlines() if path.endswith("/progress") else [response.text]
    for line in lines:
        schema.validate(json.loads(line))
    return json.loads(lines[0])


def test_every_list_has_exactly_the_fields_that_are_described(client: FlaskClient) -> None:
    oshash = check(client, "get", "/library/videos")["videos"][0]["oshash"]
    for route in (
        *("/library/overview", "/library/people?performer=1", "/library/review"),
        *("/library/video?path=a.mp4", f"/library/video?oshash={oshash}&pictures=off"),
        *("/library/status", "/library/strangers", "/library/export?form=json"),
        "/library/progress",
    ):
        check(client, "get", route)
    stranger = check(client, "get", "/library/strangers")["strangers"][0]["id"]
    check(client, "get", f"/library/stranger?id={stranger}")


def test_every_change_answers_exactly_with_what_is_described(client: FlaskClient) -> None:
    def change(route: str, **fields: Any) -> Any:
        return check(client, "post", f"/library/{route}", json=fields)

    (one, *_) = client.get("/library/videos").get_json()["videos"]
    about = {"oshash": one["oshash"], "person": one["people"][0]["person"]}
    change("decide", **about, kind="confirmed", performer=1)
    made = change("decide", **about, kind="ignored")["decision"]
    check(client, "get", "/library/decisions")
    check(client, "get", f"/library/video?oshash={one['oshash']}")
    change("undecide", decision=made)
    first, second = (
        each["id"] for each in client.get("/library/strangers").get_json()["strangers"]
    )
    change("strangers/ignore", stranger=first, ignored=True)
    change("strangers/ignore", stranger=first, ignored=False)
    change("strangers/join", kept=first, other=second)
    seen = check(client, "get", f"/library/stranger?id={first}")
    named = change("strangers/name", stranger=first, name="Grace Hopper")
    assert named["performer"]
    assert seen
    change("strangers/unname", performer=int(named["performer"]))
    for verb in ("pause", "cancel", "resume"):
        change(verb)
