"""What the page asks for, over HTTP."""

import json
import shutil
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import cv2
import numpy as np
import pytest
from flask.testing import FlaskClient

from db.sqlite.store import StoredGallery
from function.errors import RecognitionError
from function.web.page.folders import list_folder
from function.web.page.playback import MOST_FILMS
from tests.support.page_requests import FROM_PAGE, code_of, identify, post
from tests.support.servers import Serve
from tests.support.videos import number_in, numbered_pictures
from tools.footage.videos import moving_picture, read_portrait, write_video

ROOT = Path(__file__).parents[4]


HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def names(people: list[dict[str, Any]]) -> list[str]:
    return [person["matches"][0]["name"] if person["matches"] else "" for person in people]


CONNECTIONS_OF_A_BROWSER = 6


def test_a_folder_lists_its_videos_and_folders_and_nothing_hidden_or_outside(
    client: FlaskClient,
) -> None:
    top = client.get("/videos").get_json()
    assert (top["folder"], [one["path"] for one in top["crumbs"]]) == ("", [""])
    assert [one["name"] for one in top["folders"]] == ["sub"]
    found = {one["name"]: one["bytes"] for one in top["videos"]}
    assert set(found) == {"two.mp4", "cat.mp4", "long.mp4", "old.avi"}
    assert min(found.values()) > 0
    below = client.get("/videos?folder=sub").get_json()
    assert (below["folder"], below["folders"]) == ("sub", [])
    assert [one["path"] for one in below["crumbs"]] == ["", "sub"]
    assert [one["path"] for one in below["videos"]] == ["sub/<img src=x onerror=hacked()>.mp4"]


def test_of_several_media_roots_the_top_lists_each(serve: Serve, page_media: Path) -> None:
    other = page_media / "sub"
    client = serve(MEDIA_ROOT=f"{other}:{page_media}")
    top = client.get("/videos").get_json()
    assert [one["path"] for one in top["folders"]] == [str(other), str(page_media)]
    inside = client.get(f"/videos?folder={other}").get_json()
    assert [one["path"] for one in inside["crumbs"]] == ["", str(other)]
    (video,) = inside["videos"]
    assert video["path"] == f"{other}/{video['name']}"


@pytest.mark.parametrize(
    ("folder", "status", "code"),
    [
        ("..", 403, "outside_media_root"),
        ("sub/../..", 403, "outside_media_root"),
        ("/etc", 403, "outside_media_root"),
        ("sub/out", 403, "outside_media_root"),
        ("gone", 404, "video_not_found"),
        ("two.mp4", 404, "video_not_found"),
        ("a" * 5000, 404, "video_not_found"),
        ("%00", 404, "video_not_found"),
    ],
)
def test_no_folder_outside_the_media_root_is_listed(
    client: FlaskClient, folder: str, status: int, code: str, page_media: Path
) -> None:
    response = client.get(f"/videos?folder={folder}")
    assert code_of(response) == (status, code)
    assert str(page_media.parent) not in response.get_data(as_text=True)


def test_a_long_folder_is_cut_off_and_says_so(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        (tmp_path / f"{number}.mp4").touch()
    monkeypatch.setattr("function.web.page.folders.MOST_ENTRIES", 3)
    listed = serve(MEDIA_ROOT=str(tmp_path)).get("/videos").get_json()
    assert (len(listed["videos"]), listed["left_out"]) == (3, 2)


def test_only_the_page_is_given_an_id_and_no_answer_holds_an_encoding(
    client: FlaskClient,
) -> None:
    plain = client.get("/?path=two.mp4", headers={"Accept": "application/x-ndjson"})
    assert set(json.loads(plain.get_data(as_text=True).splitlines()[-1])) == {"result", "video"}
    result, people = identify(client)
    assert len(result) >= 32
    assert names(people) == ["Barack Obama", ""]
    assert set(people[0]) == {"image", "matches", "verdict", "appearances", "faces", "best_seconds"}


def test_the_video_of_a_result_comes_in_the_ranges_asked_for(
    client: FlaskClient, page_media: Path
) -> None:
    result, _ = identify(client, "cat.mp4")
    whole = (page_media / "cat.mp4").read_bytes()
    address = f"/media?result={result}"
    response = client.get(address, buffered=True)
    assert (response.status_code, response.mimetype, response.data) == (200, "video/mp4", whole)
    assert "sandbox" in response.headers["Content-Security-Policy"]
    part = client.get(address, headers={"Range": "bytes=100-199"}, buffered=True)
    assert (part.status_code, part.data) == (206, whole[100:200])
    assert part.headers["Content-Range"] == f"bytes 100-199/{len(whole)}"
    beyond = client.get(address, headers={"Range": "bytes=99999999-"})
    assert beyond.status_code == 416
    assert beyond.headers["Content-Range"] == f"bytes */{len(whole)}"


@pytest.mark.parametrize("headers", [{}, {"Range": "bytes=5-"}])
def test_only_so_many_videos_are_sent_at_once(headers: dict[str, str], client: FlaskClient) -> None:
    result = post(client, "/play", path="cat.mp4").get_json()["result"]
    address = f"/media?result={result}"
    playing = [client.get(address, headers=headers) for _ in range(MOST_FILMS)]
    assert code_of(client.get(address, headers=headers)) == (429, "busy")
    for response in playing:
        response.close()
    for response in [client.head(address), client.get(address, headers=headers)]:
        assert response.status_code in (200, 206)
        response.close()


def test_a_video_of_the_media_root_is_played_without_identifying_it(
    client: FlaskClient, page_media: Path
) -> None:
    result = post(client, "/play", path="cat.mp4").get_json()["result"]
    response = client.get(f"/media?result={result}", buffered=True)
    assert response.data == (page_media / "cat.mp4").read_bytes()
    assert client.get(f"/frame?result={result}&seconds=0").mimetype == "image/jpeg"


@pytest.mark.parametrize("name", ["id_rsa", ".env", "notes.txt", "mp4", "a.mp4.bak", "page.html"])
def test_what_is_no_video_by_its_name_is_not_sent(name: str, serve: Serve, tmp_path: Path) -> None:
    (tmp_path / name).write_text("secret")
    client = serve(MEDIA_ROOT=tmp_path)
    assert code_of(post(client, "/play", path=name)) == (422, "unreadable_video")


def test_no_video_is_played_without_a_result_or_once_it_has_left_the_media_root(
    serve: Serve, tmp_path: Path, page_media: Path
) -> None:
    root = tmp_path / "media"
    root.mkdir()
    shutil.copy(page_media / "cat.mp4", root)
    client = serve(MEDIA_ROOT=str(root))
    assert code_of(client.get("/media")) == (400, "missing_parameter")
    assert code_of(client.get("/media?result=guess")) == (410, "result_gone")
    result, _ = identify(client, "cat.mp4")
    (root / "cat.mp4").unlink()
    assert code_of(client.get(f"/media?result={result}")) == (404, "video_not_found")
    (root / "cat.mp4").symlink_to("/etc/hostname")
    assert code_of(client.get(f"/media?result={result}")) == (403, "outside_media_root")


@pytest.fixture
def numbered(serve: Serve, tmp_path: Path, photos: Path) -> FlaskClient:
    """A server whose one video shows a face, then pictures that tell their number."""
    root = tmp_path / "media"
    root.mkdir()
    face = moving_picture(read_portrait(photos / "obama3.jpg"), 1, fps=10, size=(192, 128))
    pictures = [*face, *numbered_pictures(90, first=10)]
    write_video(root / "numbered.avi", pictures, fps=10, codec="mpeg4", b_frames=0)
    return serve(MEDIA_ROOT=str(root))


def test_the_picture_of_a_moment_is_the_one_shown_then(numbered: FlaskClient) -> None:
    result, _ = identify(numbered, "numbered.avi")
    for seconds, number in ((1.0, 10), (4.25, 43), (8.4, 84), (9999, 99)):
        response = numbered.get(f"/frame?result={result}&seconds={seconds}")
        assert (response.status_code, response.mimetype) == (200, "image/jpeg")
        encoded = np.frombuffer(response.data, np.uint8)
        picture = cv2.imdecode(encoded, cv2.IMREAD_COLOR_RGB)
        assert picture is not None
        assert number_in(picture.astype(np.uint8)) == number


def test_the_browser_keeps_no_picture_of_a_video(numbered: FlaskClient) -> None:
    result, _ = identify(numbered, "numbered.avi")
    response = numbered.get(f"/frame?result={result}&seconds=2")
    assert response.headers["Cache-Control"] == "no-store"
    assert "ETag" not in response.headers


def test_no_picture_is_shown_without_a_result_or_once_it_has_left_the_media_root(
    numbered: FlaskClient, tmp_path: Path
) -> None:
    assert code_of(numbered.get("/frame?seconds=1")) == (400, "missing_parameter")
    assert code_of(numbered.get("/frame?result=guess&seconds=1")) == (410, "result_gone")
    result, _ = identify(numbered, "numbered.avi")
    assert code_of(numbered.get(f"/frame?result={result}")) == (400, "missing_parameter")
    for wrong in ("-1", "nan", "inf", "1e300", "x", ""):
        response = numbered.get(f"/frame?result={result}&seconds={wrong}")
        assert code_of(response) == (400, "bad_parameter"), wrong
    assert code_of(numbered.post(f"/frame?result={result}")) == (405, "method_not_allowed")
    video = tmp_path / "media" / "numbered.avi"
    video.write_bytes(b"no video")
    address = f"/frame?result={result}&seconds=1"
    assert code_of(numbered.get(address)) == (422, "unreadable_video")
    video.unlink()
    assert code_of(numbered.get(address)) == (404, "video_not_found")
    video.symlink_to("/etc/hostname")
    assert code_of(numbered.get(address)) == (403, "outside_media_root")


def test_a_confirmed_person_teaches_the_gallery_and_undo_takes_it_back(
    client: FlaskClient, own_gallery: Path
) -> None:
    result, people = identify(client)
    number = int(people[0]["matches"][0]["id"])
    answer = post(
        client, "/corrections/assign", result=result, person=0, performer=number, instead_of=0
    ).get_json()
    assert answer["said"] == "Saved as Barack Obama: 1 face added to the gallery."
    with StoredGallery(own_gallery) as gallery:
        *_, newest = gallery.encodings(number)
        assert newest.origin.startswith("confirmed from two.mp4 at ")
        first = next(one for one in gallery.encodings(number) if one.origin == newest.origin)
        moved = replace(first, photo_hash="f" * 64, origin=first.origin.replace(" at ", " at 9"))
        other = replace(moved, face=b"", vector=np.roll(first.vector, 1))
    with StoredGallery(own_gallery) as gallery:
        gallery.enrol(gallery.performer(number), [other], None)
    *_, photo, later = client.get(f"/gallery/performer?id={number}").get_json()["photos"]
    assert "shown by" not in photo["remark"]
    assert later["remark"].endswith("shown by the best face from there")
    assert photo["face"] == later["face"]
    assert client.get(photo["face"]).mimetype == "image/jpeg"
    with StoredGallery(own_gallery) as gallery:
        gallery.remove_photo(gallery.performer(number), "f" * 64)
    assert post(client, "/corrections/undo", correction=answer["correction"]).status_code == 200
    with StoredGallery(own_gallery) as gallery:
        assert gallery.performer(number).encodings == 2
    again = post(client, "/corrections/undo", correction=answer["correction"])
    assert code_of(again) == (410, "result_gone")


def test_a_named_stranger_is_recognised_the_next_time_until_that_is_undone(
    client: FlaskClient,
) -> None:
    result, _ = identify(client)
    answer = post(
        client, "/corrections/name", result=result, person=1, name=" Eileen  Collins ", instead_of=0
    ).get_json()
    _, people = identify(client)
    assert set(names(people)) == {"Barack Obama", "Eileen Collins"}
    post(client, "/corrections/undo", correction=answer["correction"])
    assert names(identify(client)[1]) == ["Barack Obama", ""]
    assert client.get("/gallery?search=eileen").get_json()["total"] == 0


def test_a_taken_name_is_given_to_nobody_new_unless_they_are_two_people(
    client: FlaskClient,
) -> None:
    result, _ = identify(client)
    fields = {"result": result, "person": 1, "name": "grace  HOPPER", "instead_of": 0}
    refused = post(client, "/corrections/name", **fields)
    assert code_of(refused) == (409, "name_taken")
    assert refused.get_json()["error"]["performers"] == [2]
    assert client.get("/gallery").get_json()["total"] == 2
    done = post(client, "/corrections/name", **fields, new=True).get_json()
    assert client.get("/gallery").get_json()["total"] == 3
    assert done["performer"] not in (1, 2)


def test_a_rejected_performer_is_not_offered_for_that_face_again_until_that_is_undone(
    client: FlaskClient, own_gallery: Path
) -> None:
    result, people = identify(client)
    number = int(people[0]["matches"][0]["id"])
    answer = post(
        client, "/corrections/reject", result=result, person=0, performer=number
    ).get_json()
    assert names(identify(client)[1]) == ["", ""]
    with StoredGallery(own_gallery) as gallery:
        obama = gallery.performer(number)
        gallery.enrol(obama, gallery.encodings(number), None)
    assert names(identify(client)[1]) == ["", ""]
    post(client, "/corrections/undo", correction=answer["correction"])
    assert names(identify(client)[1]) == ["Barack Obama", ""]


def test_choosing_somebody_else_rejects_who_was_offered(client: FlaskClient) -> None:
    result, people = identify(client)
    offered = int(people[0]["matches"][0]["id"])
    other = client.get("/gallery?search=grace").get_json()["performers"][0]["id"]
    fields = {"result": result, "person": 0, "performer": other, "instead_of": offered}
    answer = post(client, "/corrections/assign", **fields).get_json()
    assert "Barack Obama" not in names(identify(client)[1])
    post(client, "/corrections/undo", correction=answer["correction"])
    assert names(identify(client)[1]) == ["Barack Obama", ""]


READS = [
    "/videos",
    "/gallery",
    "/gallery/thumbnail?id=1",
    "/gallery/check",
    "/gallery/audit",
    "/?path=a",
]


WRITES = [
    "/play",
    "/corrections/assign",
    "/corrections/name",
    "/corrections/reject",
    "/corrections/undo",
    "/gallery/create",
    "/gallery/photos?name=Ada",
    "/gallery/rename",
    "/gallery/remove-alias",
    "/gallery/merge",
    "/gallery/remove-photo",
    "/gallery/forget",
]


@pytest.mark.parametrize("path", WRITES)
def test_no_form_of_another_site_can_write(client: FlaskClient, path: str) -> None:
    for how in ({"json": {}}, {"data": {"id": "1"}}, {"data": b"x", "content_type": "text/plain"}):
        assert code_of(client.post(path, **how)) == (403, "not_from_page")  # type: ignore[arg-type]
    assert code_of(client.get(path)) == (405, "method_not_allowed")


@pytest.mark.parametrize(
    ("path", "fields", "status", "code"),
    [
        ("/corrections/reject", {"result": "x", "person": 0}, 400, "missing_parameter"),
        (
            "/corrections/reject",
            {"result": "x", "person": True, "performer": 1},
            400,
            "bad_parameter",
        ),
        ("/corrections/reject", {"result": "x", "person": 0, "performer": 1}, 410, "result_gone"),
        ("/gallery/rename", {"id": 999, "name": "Ada"}, 404, "performer_not_found"),
        ("/gallery/rename", {"id": 1, "name": " "}, 400, "bad_parameter"),
        ("/gallery/rename", {"id": 1, "name": "a" * 301}, 400, "bad_parameter"),
        ("/gallery/rename", {"id": 1, "name": "a\x00b"}, 400, "bad_parameter"),
        ("/gallery/rename", {"id": 1, "name": "grace hopper"}, 409, "name_taken"),
        ("/gallery/rename", {"id": 2, "name": "44"}, 409, "name_taken"),
        ("/gallery/rename", {"id": 1, "name": "Ada", "new": "yes"}, 400, "bad_parameter"),
        ("/gallery/remove-alias", {"id": 1, "alias": "45"}, 404, "performer_not_found"),
        ("/gallery/merge", {"kept": 1, "absorbed": 1}, 409, "correction_refused"),
        ("/gallery/remove-photo", {"id": 1, "photo": "none"}, 404, "performer_not_found"),
        ("/gallery/create", {}, 409, "correction_refused"),
        ("/play", {"path": "none.mp4"}, 404, "video_not_found"),
        ("/play", {"path": "/etc/passwd"}, 403, "outside_media_root"),
    ],
)
def test_a_write_that_makes_no_sense_is_refused(
    client: FlaskClient, path: str, fields: dict[str, Any], status: int, code: str
) -> None:
    assert code_of(post(client, path, **fields)) == (status, code)


def test_a_body_that_is_no_object_is_refused(client: FlaskClient) -> None:
    for body in ("[1]", "{", "null"):
        how = {"data": body, "content_type": "application/json", "headers": FROM_PAGE}
        assert code_of(client.post("/gallery/forget", **how)) == (400, "bad_parameter")  # type: ignore[arg-type]


def test_with_a_token_only_the_page_itself_and_the_video_of_a_result_are_open(
    serve: Serve,
) -> None:
    client = serve(TOKEN="secret")
    assert client.get("/", headers=HTML).status_code == 200
    assert client.get("/page/page.js").status_code == 200
    for path in READS:
        assert code_of(client.get(path, headers=FROM_PAGE | HTML)) == (401, "unauthorized"), path
    for path in WRITES:
        assert code_of(post(client, path)) == (401, "unauthorized"), path
    assert code_of(client.get("/media?result=guess")) == (410, "result_gone")
    assert code_of(client.get("/frame?result=guess&seconds=1")) == (410, "result_gone")
    bearer = {"Authorization": "Bearer secret"}
    assert client.get("/videos", headers=bearer).status_code == 200


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/gallery/rename", {"id": 2**64, "name": "Somebody"}),
        ("/gallery/forget", {"id": -(2**70)}),
        ("/gallery/merge", {"kept": 10**18, "absorbed": 1}),
    ],
)
def test_numbers_that_no_gallery_has_are_refused(
    path: str, fields: dict[str, Any], client: FlaskClient
) -> None:
    assert code_of(post(client, path, **fields)) == (400, "bad_parameter")


@pytest.mark.parametrize("number", ["9" * 19, "9" * 5000, "-1", "1.0", "٣", "1_0", ""])
def test_numbers_in_a_query_that_no_gallery_has_are_refused(
    number: str, client: FlaskClient
) -> None:
    for route in ("/gallery/performer?id=", "/library/videos?after=", "/library/stranger?id="):
        assert code_of(client.get(f"{route}{quote(number)}")) == (400, "bad_parameter"), route


def test_json_that_is_nested_without_end_is_no_fault(client: FlaskClient) -> None:
    for path in ("/", "/gallery/forget", "/library/decisions"):
        body = b"[" * 30_000
        response = client.post(
            path, data=body, headers=FROM_PAGE | {"Content-Type": "application/json"}
        )
        assert response.status_code in (400, 404, 405), path


def test_a_file_that_vanishes_while_its_folder_is_listed_is_left_out(tmp_path: Path) -> None:
    root = tmp_path / "media"
    root.mkdir()
    (root / "stays.mp4").touch()
    goes = root / "goes.mp4"
    stop = threading.Event()

    def come_and_go() -> None:
        while not stop.is_set():
            goes.touch()
            goes.unlink()

    thread = threading.Thread(target=come_and_go)
    thread.start()
    try:
        for _ in range(2000):
            assert "stays.mp4" in [one["name"] for one in list_folder("", [root])["videos"]]
    finally:
        stop.set()
        thread.join()


def test_a_link_that_comes_while_a_folder_is_listed_shows_nothing_outside(tmp_path: Path) -> None:
    root, outside = tmp_path / "media", tmp_path / "outside"
    for folder in (root / "inner", outside):
        folder.mkdir(parents=True)
    (outside / "secret.mp4").touch()
    (root / "inner" / "film.mp4").touch()
    (root / "link").symlink_to(outside)
    stop = threading.Event()

    def swap() -> None:
        # What the link and the folder are called changes places in one step each.
        while not stop.is_set():
            (root / "inner").rename(root / "kept")
            (root / "link").rename(root / "inner")
            (root / "inner").rename(root / "link")
            (root / "kept").rename(root / "inner")

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        for _ in range(3000):
            try:
                found = list_folder("inner", [root])
            except RecognitionError:
                continue
            assert "secret.mp4" not in [one["name"] for one in found["videos"]]
    finally:
        stop.set()
        thread.join()
