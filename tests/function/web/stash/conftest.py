"""A library that is connected to a Stash, and a server of it that can be asked."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from function.web.page_requests import PAGE_HEADER
from tests.support.servers import Serve, serving
from tests.support.stash_asking import Ask
from tests.support.stash_libraries import StashLibrary, stash_library


@pytest.fixture
def library(tmp_path: Path) -> Iterator[StashLibrary]:
    with stash_library(tmp_path) as made:
        yield made


@pytest.fixture
def serve(library: StashLibrary) -> Iterator[Serve]:
    with serving(**library.settings()) as start:
        yield start


@pytest.fixture
def client(serve: Serve) -> FlaskClient:
    return serve()


@pytest.fixture
def ask(client: FlaskClient) -> Ask:
    """Ask a route, and return what it answers; an error's code if `fails`."""

    def ask(route: str, *, fails: bool = False, **body: Any) -> Any:
        reply = client.post(f"/stash/{route}", json=body, headers={PAGE_HEADER: "1"})
        if fails:
            assert reply.status_code >= 400
            return reply.get_json()["error"]["code"]
        assert reply.status_code == 200, reply.text
        return reply.get_json()

    return ask
