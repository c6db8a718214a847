"""Queries and forms are taken apart, bytes that are no text included."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask, request
from flask.testing import FlaskClient

from function.web.page_requests import PAGE_HEADER
from function.web.queries import pairs_of, read_path
from tests.support.made_up_libraries import MadeUpLibrary
from tests.support.servers import serving

ODD = os.fsdecode(b"Ren\xe9e \xff\xfe.mp4")
SHOWN, SENT = r"Ren\xe9e \xff\xfe.mp4", "Ren%E9e%20%FF%FE.mp4"


@pytest.fixture
def library(tmp_path: Path) -> MadeUpLibrary:
    """P0 in a video whose name is no text."""
    made = MadeUpLibrary(tmp_path)
    made.scan(f"sub/{ODD}", [made.person(0)])
    return made


@pytest.fixture
def client(library: MadeUpLibrary) -> Iterator[FlaskClient]:
    with serving(**library.settings()) as start:
        yield start()


def test_bytes_that_are_no_text_are_written_as_files_are_listed() -> None:
    assert pairs_of(b"path=a%20b+c&path=%C3%A9&every=&x=%FF\xe9%E9") == [
        *(("path", "a b c"), ("path", "é"), ("every", ""), ("x", r"\xff\xe9\xe9")),
    ]
    with Flask("test").test_request_context(f"/?limit=1&path={SENT}&path=b"):
        assert read_path(request) == SHOWN
        assert read_path(request, "folder") is None


@pytest.mark.parametrize("name", [SENT, SHOWN.replace("\\", "%5C")])
def test_a_name_that_is_no_text_is_found_by_its_bytes_and_as_it_is_shown(
    client: FlaskClient, name: str
) -> None:
    assert client.head(f"/?path=sub/{name}").status_code == 200
    form = client.post("/", data=f"path=sub/{name}", content_type=FORM)
    assert form.status_code == 422, "it was opened, and is no video"
    found = client.get(f"/library/video?path=sub/{name}").get_json()
    assert found["video"]["path"] == f"sub/{SHOWN}"
    (listed,) = client.get(f"/library/videos?path=sub/{name}").get_json()["videos"]
    assert listed["path"] == f"sub/{SHOWN}"
    assert client.get("/videos?folder=sub").get_json()["videos"][0]["path"] == f"sub/{SHOWN}"


FORM = "application/x-www-form-urlencoded"


def test_a_file_that_is_gone_is_found_by_where_it_was(
    client: FlaskClient, library: MadeUpLibrary
) -> None:
    library.scan("gone.mp4", [library.person(1)])
    for path in (library.root / "sub" / ODD, library.root / "gone.mp4"):
        path.unlink()
        with library.ledger() as ledger:
            ledger.note_gone([os.fsencode(path)])
    for asked, shown in ((f"sub/{SENT}", f"sub/{SHOWN}"), ("gone.mp4", "gone.mp4")):
        video = client.get(f"/library/video?path={asked}").get_json()["video"]
        assert (video["path"], video["state"]) == (shown, "gone")
    missing = client.get("/library/video?path=sub/%FF.mp4")
    assert missing.status_code == 404
    assert r"'sub/\xff.mp4'" in missing.get_json()["error"]["message"]


def test_a_folder_that_is_no_text_is_listed(client: FlaskClient, library: MadeUpLibrary) -> None:
    folder = library.root / os.fsdecode(b"\x80 disc")
    folder.mkdir()
    (folder / "a.mp4").touch()
    (video,) = client.get("/videos?folder=%80%20disc").get_json()["videos"]
    assert video["path"] == r"\x80 disc/a.mp4"
    header = {PAGE_HEADER: "1"}
    paths = [r"\x80 disc"]
    assert client.post("/library/scan", json={"paths": paths}, headers=header).status_code == 200
