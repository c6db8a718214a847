"""Malformed requests to a library with people in it, connected with Stash: each gets an answer."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.support.servers import serving
from tests.support.stash_libraries import StashLibrary, stash_library
from tools.soak.doors import PLUGIN_TOKEN, Door, Known, find_doors, malformed

REQUESTS = 2_000


@pytest.fixture
def library(tmp_path: Path) -> Iterator[StashLibrary]:
    with stash_library(tmp_path) as made:
        made.scene("a.mp4", [made.person(1), made.person(None, 10)])
        made.scene("b.mp4", [made.person(2), made.person(None, 10)], [made.in_stash[1]])
        made.scene("c.mp4")
        made.album("set", ["1.jpg", "2.jpg"], [made.person(3)])
        yield made


@pytest.fixture
def client(library: StashLibrary) -> Iterator[FlaskClient]:
    with serving(**library.settings(), PLUGIN_TOKEN=PLUGIN_TOKEN) as start:
        yield start()


def known_of(library: StashLibrary) -> Known:
    """What is there: scenes, performers, people, files."""
    with library.ledger() as ledger:
        oshashes = [one.oshash for one in ledger.records([1, 2, 3, 4])]
    scenes = [{"id": one} for one in library.fake.scenes]
    return {
        "scene": [*scenes, {"id": "1", "kind": "image", "files": [{"path": "/set/1.jpg"}]}],
        "id": [*library.fake.scenes, *library.in_stash.values()],
        "oshash": oshashes,
        "path": ["a.mp4", "b.mp4", "set", *map(str, library.root.iterdir())],
        "performer": [*library.ids, *map(str, library.ids), "P1"],
        **dict.fromkeys(("stranger", "kept", "other", "person", "decision"), (0, 1, 2, 3)),
        "people": [[], [{"person": 0, "performer": str(library.ids[1])}]],
        "sighting": ["1.0", "1.1", "2.0", "2.1"],
        "sightings": [["1.1"], ["1.1", "2.1"]],
    }


def test_no_malformed_request_is_a_fault_where_there_is_much_to_find(
    client: FlaskClient, library: StashLibrary
) -> None:
    doors, known = find_doors(client.get("/openapi.json").get_json()), known_of(library)
    statuses: Counter[int] = Counter()
    reached: set[tuple[str, str]] = set()
    for number in range(REQUESTS):
        request = malformed(number, doors, known)
        if request.line:
            continue
        answer = client.open(
            request.url, method=request.method, headers=request.headers, data=request.body
        )
        statuses[answer.status_code] += 1
        assert answer.status_code < 500, (number, request, answer.text)
        if answer.status_code == 200:
            reached.add((request.method, request.url.partition("?")[0]))
    assert statuses[400] > REQUESTS / 5
    assert statuses[200] > REQUESTS / 10
    unreached = {(one.method, one.route) for one in doors} - reached
    assert len(unreached) < len(doors) / 3, sorted(unreached)


def test_every_field_that_is_described_is_sent_to_its_own_route(client: FlaskClient) -> None:
    doors = find_doors(client.get("/openapi.json").get_json())
    described = {(one.route, name) for one in doors for name in one.takes}
    sent = {pair for number in range(5_000) for pair in _sent_by(number, doors)}
    assert described - sent == set()
    assert len({name for _, name in described}) > 45


def _sent_by(number: int, doors: list[Door]) -> Iterator[tuple[str, str]]:
    request = malformed(number, doors)
    route, _, query = request.url.partition("?")
    for door in doors:
        if door.route == route:
            for name in door.takes:
                if f"{name}=" in query or f'"{name}"'.encode() in (request.body or b""):
                    yield route, name
