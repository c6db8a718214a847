"""Albums over HTTP: scanned, listed beside videos, and shown picture by picture."""

import io
import os
import shutil
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image

from db.names import show_text
from function.web.page_requests import PAGE_HEADER
from tests.support.servers import serving

PAGE = {PAGE_HEADER: "1"}
IN_TIME_SECONDS = 120


@pytest.fixture(scope="module")
def media(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of three pictures, one of them broken, and an archive of one."""
    root = tmp_path_factory.mktemp("albums")
    (root / "set").mkdir()
    shutil.copy(photos / "obama2.jpg", root / "set" / "10.jpg")
    shutil.copy(photos / "astronaut.png", root / "set" / "2.png")
    (root / "set" / "1.jpg").write_bytes(b"no picture")
    with zipfile.ZipFile(root / "a.zip", "w") as archive:
        archive.write(photos / "hopper.jpg", "deep/hopper.jpg")
        archive.writestr("notes.txt", "notes")
    return root


@pytest.fixture(params=["set", "set.zip", "1.png"])
def oddly_named(photos: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """An album whose name is no text: a folder, an archive or a picture."""
    place = tmp_path / "media" / os.fsdecode(b"\xe9" + request.param.encode())
    try:
        place.mkdir(parents=True)
    except OSError:
        pytest.skip("this disk takes no such names")
    if place.suffix:
        place.rmdir()
    if place.suffix == ".zip":
        with zipfile.ZipFile(place, "w") as archive:
            archive.write(photos / "astronaut.png", "1.png")
    else:
        shutil.copy(photos / "astronaut.png", place if place.suffix else place / "1.png")
    return place


@pytest.fixture(scope="module")
def client(
    media: Path, gallery_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FlaskClient]:
    """A server whose library holds these albums."""
    ledger = tmp_path_factory.mktemp("ledger") / "l.db"
    settings = {"MEDIA_ROOT": media, "PERFORMERS_DB": gallery_path, "LIBRARY_DB": ledger}
    with serving(**settings, SANDBOX="off", STRANGERS="keep") as start:
        client = start()
        started = client.post("/library/scan", json={"pictures": True}, headers=PAGE)
        assert started.status_code == 200
        deadline = time.monotonic() + IN_TIME_SECONDS
        while client.get("/library/status").get_json()["albums"]["done"] < 2:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield client


def wait_until_idle(client: FlaskClient) -> None:
    deadline = time.monotonic() + IN_TIME_SECONDS
    while client.get("/library/status").get_json()["state"] != "idle":
        assert time.monotonic() < deadline
        time.sleep(0.1)


def album(client: FlaskClient, path: str) -> dict[str, Any]:
    answer = client.get(f"/library/video?path={path}")
    assert answer.status_code == 200, answer.get_json()
    reply: dict[str, Any] = answer.get_json()
    return reply


def test_an_album_says_who_is_on_each_picture_and_in_the_whole(client: FlaskClient) -> None:
    reply = album(client, "set")
    assert (reply["video"]["kind"], reply["video"]["picture_count"]) == ("album", 3)
    obama, stranger = reply["people"]
    assert (obama["performer"], obama["verdict"]) == ("Barack Obama", "uncertain")
    assert (obama["pictures"], obama["appearances"]) == ([3], [])
    assert (stranger["performer"], stranger["pictures"]) == (None, [2])
    assert obama["image"]
    broken, second, third = reply["pictures"]
    assert (broken["name"], broken["faces"]) == ("1.jpg", [])
    assert broken["reason"].startswith("unreadable")
    assert [one["person"] for one in second["faces"]] == [stranger["person"]]
    (face,) = third["faces"]
    left, top, right, bottom = face["area"]
    assert face["person"] == obama["person"]
    assert 0 < left < right < 1
    assert 0 < top < bottom < 1


def test_albums_and_videos_are_told_apart(client: FlaskClient) -> None:
    def paths(query: str) -> list[str]:
        found = client.get(f"/library/videos?{query}").get_json()["videos"]
        return sorted(one["path"] for one in found)

    assert paths("kind=album") == ["a.zip", "set"]
    assert paths("kind=video") == []
    assert client.get("/library/videos?kind=book").status_code == 400
    rows = client.get("/library/overview").get_json()["videos"]
    assert {(one["path"], one["kind"], one["picture_count"]) for one in rows} == {
        ("set", "album", 3),
        ("a.zip", "album", 1),
    }


@pytest.mark.parametrize(("path", "number", "size"), [("set", 2, (512, 512)), ("a.zip", 1, None)])
def test_a_picture_of_an_album_is_sent_as_a_jpeg(
    client: FlaskClient, path: str, number: int, size: tuple[int, int] | None
) -> None:
    oshash = album(client, path)["video"]["oshash"]
    answer = client.get(f"/library/picture?oshash={oshash}&number={number}")
    assert (answer.status_code, answer.mimetype) == (200, "image/jpeg")
    assert answer.headers["Cache-Control"] == "no-store"
    with Image.open(io.BytesIO(answer.data)) as shown:
        assert size in (None, shown.size)


def test_a_picture_of_an_album_whose_name_is_no_text_is_sent(
    oddly_named: Path, gallery_path: Path, tmp_path: Path
) -> None:
    settings = {
        "MEDIA_ROOT": oddly_named.parent,
        "PERFORMERS_DB": gallery_path,
        "LIBRARY_DB": tmp_path / "l.db",
    }
    name = show_text(oddly_named.name)
    with serving(**settings, SANDBOX="off", STRANGERS="keep") as start:
        client = start()
        client.post("/library/scan", json={"paths": [name], "pictures": True}, headers=PAGE)
        wait_until_idle(client)
        video = album(client, name)["video"]
        answer = client.get(f"/library/picture?oshash={video['oshash']}&number=1")
        assert (video["state"], answer.status_code) == ("done", 200), answer.get_json()


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("oshash={}&number=4", 404, "picture_not_found"),
        ("oshash={}&number=0", 404, "picture_not_found"),
        ("oshash={}", 404, "picture_not_found"),
        ("oshash={}&number=1", 422, "photo_unusable"),
        ("oshash=0000&number=1", 404, "video_not_found"),
        ("oshash={}&number=x", 400, "bad_parameter"),
    ],
)
def test_a_picture_that_cannot_be_sent_is_refused(
    client: FlaskClient, query: str, status: int, code: str
) -> None:
    oshash = album(client, "set")["video"]["oshash"]
    answer = client.get("/library/picture?" + query.format(oshash))
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (status, code)


def test_uncertain_people_of_albums_are_reviewed(client: FlaskClient) -> None:
    items = client.get("/library/review").get_json()["people"]
    assert {(one["name"], one["path"], one["kind"], *one["pictures"]) for one in items} == {
        ("Barack Obama", "set", "album", 3),
        ("Grace Hopper", "a.zip", "album", 1),
    }


def test_without_pictures_a_scan_of_the_server_finds_no_albums(
    media: Path, gallery_path: Path, tmp_path: Path
) -> None:
    settings = {"MEDIA_ROOT": media, "PERFORMERS_DB": gallery_path, "LIBRARY_DB": tmp_path / "l.db"}
    with serving(**settings, SANDBOX="off") as start:
        client = start()
        assert client.post("/library/scan", json={"pictures": 1}, headers=PAGE).status_code == 400
        client.post("/library/scan", json={}, headers=PAGE)
        wait_until_idle(client)
        assert client.get("/library/videos").get_json()["videos"] == []
