"""The library over HTTP: who is in which video, by today's gallery."""

import base64
import csv
import io
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from function.library.finding import find_videos
from function.web.library import shelf, videos
from function.web.library.exports import MOST_EXPORTS
from tests.support.made_up_libraries import BOX, MadeUpLibrary
from tests.support.servers import Serve, serving


@pytest.fixture
def library(tmp_path: Path) -> MadeUpLibrary:
    """Three scanned videos: P0 and a stranger, P1 in a folder, nobody; and one in the queue."""
    made = MadeUpLibrary(tmp_path)
    made.scan("a.mp4", [made.person(0), made.person(None, 10)])
    made.scan("sub/b.mp4", [made.person(1, 2)])
    made.scan("c.mp4", [])
    made.add_file("d.mp4")
    return made


@pytest.fixture
def serve(library: MadeUpLibrary) -> Iterator[Serve]:
    with serving(**library.settings()) as start:
        yield start


@pytest.fixture
def client(serve: Serve) -> FlaskClient:
    return serve()


def paths(reply: dict[str, Any]) -> list[str]:
    return [one["path"] for one in reply["videos"]]


def test_videos_are_listed_with_everyone_in_them(client: FlaskClient) -> None:
    reply = client.get("/library/videos").get_json()
    assert paths(reply) == ["a.mp4", "sub/b.mp4", "c.mp4", "d.mp4"]
    assert (reply["next"], reply["stale"]) == (None, False)
    first, *_, last = reply["videos"]
    named, stranger = first["people"]
    assert (named["performer"], named["verdict"]) == ("P0", "match")
    assert named["stash_ids"] == [{"endpoint": BOX, "stash_id": "aa-00"}]
    assert named["appearances"] == [[0.0, 3.0]]
    assert (stranger["performer"], stranger["verdict"]) == (None, "unknown")
    assert (last["state"], last["people"]) == ("queued", [])
    assert "image" not in named


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=queued", ["d.mp4"]),
        ("state=queued&state=done", ["a.mp4", "sub/b.mp4", "c.mp4", "d.mp4"]),
        ("verdict=unknown", ["a.mp4"]),
        ("performer=P1", ["sub/b.mp4"]),
        ("performer=P9", []),
        ("path=sub", ["sub/b.mp4"]),
        ("path=a.mp4&performer=P1", []),
    ],
)
def test_only_what_was_asked_for_is_listed(
    client: FlaskClient, query: str, found: list[str]
) -> None:
    assert paths(client.get(f"/library/videos?{query}").get_json()) == found


def test_a_video_with_copies_goes_by_the_one_in_the_folder_that_was_asked_for(
    client: FlaskClient, library: MadeUpLibrary
) -> None:
    shutil.copy(library.root / "a.mp4", library.root / "sub" / "copy.mp4")
    found = find_videos([library.root / "sub" / "copy.mp4"], {})
    with library.ledger() as ledger:
        ledger.offer(found.files, "normal")
    (first, _) = client.get("/library/videos?path=sub").get_json()["videos"]
    assert (first["path"], first["other_paths"]) == ("sub/copy.mp4", ["a.mp4"])
    assert paths(client.get("/library/videos").get_json())[0] == "a.mp4"


@pytest.mark.parametrize("at_once", [1, 500])
def test_pages_follow_each_other_without_gap_or_repeat(
    client: FlaskClient, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(videos, "READ_AT_ONCE", at_once)
    seen, after = [], 0
    while after is not None:
        reply = client.get(f"/library/videos?limit=2&state=done&after={after}").get_json()
        seen += paths(reply)
        after = reply["next"]
    assert seen == ["a.mp4", "sub/b.mp4", "c.mp4"]


def test_one_video_is_found_by_path_or_fingerprint_wherever_its_file_is(
    client: FlaskClient, library: MadeUpLibrary
) -> None:
    by_path = client.get("/library/video?path=a.mp4").get_json()
    oshash = by_path["video"]["oshash"]
    assert client.get(f"/library/video?oshash={oshash}").get_json() == by_path
    images = [base64.b64decode(person["image"]) for person in by_path["people"]]
    assert images == [b"\xff\xd8\xff at 0", b"\xff\xd8\xff at 10"]
    (library.root / "a.mp4").rename(library.root / "sub" / "moved.mp4")
    assert client.get("/library/video?path=sub/moved.mp4").get_json() == by_path
    bare = client.get(f"/library/video?oshash={oshash}&pictures=off").get_json()
    assert [person["image"] for person in bare["people"]] == ["", ""]


@pytest.mark.parametrize("is_folder", [False, True])
def test_what_replaced_a_video_shows_nobody_of_the_old_one(
    library: MadeUpLibrary, client: FlaskClient, *, is_folder: bool
) -> None:
    place = library.root / "a.mp4"
    place.unlink()
    gone = client.get("/library/video?path=a.mp4")
    assert len(gone.get_json()["people"]) == 2, "where nothing is, the old one is found"
    if is_folder:
        place.mkdir()
        place = place / "1.jpg"
    place.write_bytes(b"another film" * 99)
    replaced = client.get("/library/video?path=a.mp4")
    assert (replaced.status_code, "people" in replaced.get_json()) == (404, False)


def test_what_was_in_a_folder_that_is_gone_is_listed(
    library: MadeUpLibrary, client: FlaskClient
) -> None:
    shutil.rmtree(library.root / "sub")
    assert paths(client.get("/library/videos?path=sub").get_json()) == ["sub/b.mp4"]


def test_small_files_of_one_oshash_are_each_found_by_their_path(
    library: MadeUpLibrary, client: FlaskClient
) -> None:
    for name, content in (("s.mp4", b"A" * 8 + b"B" * 8), ("t.mp4", b"B" * 8 + b"A" * 8)):
        (library.root / name).write_bytes(content)
    with library.ledger() as ledger:
        ledger.offer(find_videos([library.root], ledger.stamps()).files, "normal")
    for name in ("s.mp4", "t.mp4"):
        assert client.get(f"/library/video?path={name}").get_json()["video"]["path"] == name


def test_a_small_file_that_was_not_scanned_is_not_the_one_with_its_oshash(
    library: MadeUpLibrary, client: FlaskClient
) -> None:
    for name, content in (("s.mp4", b"A" * 8 + b"B" * 8), ("t.mp4", b"B" * 8 + b"A" * 8)):
        (library.root / name).write_bytes(content)
    with library.ledger() as ledger:
        ledger.offer(find_videos([library.root / "s.mp4"], {}).files, "normal")
    assert client.get("/library/video?path=s.mp4").status_code == 200
    assert client.get("/library/video?path=t.mp4").status_code == 404


def test_the_videos_of_a_performer_show_nobody_else(client: FlaskClient) -> None:
    reply = client.get("/library/people?performer=P0").get_json()
    assert paths(reply) == ["a.mp4"]
    assert [one["performer"] for one in reply["videos"][0]["people"]] == ["P0"]


def test_names_are_those_of_today_and_it_is_said_if_some_are_not(
    client: FlaskClient, library: MadeUpLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    with library.store.changing() as gallery:
        gallery.forget(gallery.find_performer("P1"))
    with monkeypatch.context() as patched:
        patched.setattr(shelf, "MATCHED_WITHIN_SECONDS", -1.0)
        assert client.get("/library/videos").get_json()["stale"] is True
    reply = client.get("/library/videos?path=sub").get_json()
    assert reply["stale"] is False
    assert [one["performer"] for one in reply["videos"][0]["people"]] == [None]


@pytest.mark.parametrize(
    ("url", "status", "code"),
    [
        ("/library/videos?vedict=match", 400, "bad_parameter"),
        ("/library/videos?verdict=sure", 400, "bad_parameter"),
        ("/library/videos?state=lost", 400, "bad_parameter"),
        ("/library/videos?limit=0", 400, "bad_parameter"),
        ("/library/videos?path=../", 403, "outside_media_root"),
        ("/library/videos?performer=Nobody", 404, "performer_not_found"),
        ("/library/people", 400, "missing_parameter"),
        ("/library/video", 400, "missing_parameter"),
        ("/library/video?oshash=0123", 404, "video_not_found"),
        ("/library/video?path=gone.mp4", 404, "video_not_found"),
        ("/library/export?form=xml", 400, "bad_parameter"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_the_reason(
    client: FlaskClient, url: str, status: int, code: str
) -> None:
    response = client.get(url)
    assert (response.status_code, response.get_json()["error"]["code"]) == (status, code)


def test_the_whole_library_is_exported_as_json_and_as_csv(client: FlaskClient) -> None:
    whole = json.loads(client.get("/library/export").data)
    assert [one["path"] for one in whole] == ["a.mp4", "sub/b.mp4", "c.mp4", "d.mp4"]
    response = client.get("/library/export?form=csv")
    assert response.mimetype == "text/csv"
    rows = list(csv.DictReader(io.StringIO(response.get_data(as_text=True), newline="")))
    assert [(row["path"], row["performer"]) for row in rows] == [
        *(("a.mp4", "P0"), ("a.mp4", "")),
        *(("sub/b.mp4", "P1"), ("c.mp4", ""), ("d.mp4", "")),
    ]


@pytest.mark.parametrize("path", ["\u00e9" * 300, "\u00e9/" * 1200, "\\xff" * 900, "a" * 6000])
def test_a_path_that_no_file_can_have_is_one_where_nothing_is(
    path: str, client: FlaskClient
) -> None:
    response = client.get("/library/video", query_string={"path": path})
    assert (response.status_code, response.get_json()["error"]["code"]) == (404, "video_not_found")
    response = client.get("/library/videos", query_string={"path": path})
    assert (response.status_code, response.get_json()["videos"]) == (200, [])


def test_the_whole_library_is_sent_to_a_few_at_once_and_others_are_told_to_wait(
    client: FlaskClient,
) -> None:
    held = [client.get("/library/export", buffered=False) for _ in range(MOST_EXPORTS)]
    refused = client.get("/library/export?form=csv")
    assert (refused.status_code, refused.get_json()["error"]["code"]) == (429, "busy")
    assert client.get("/library/videos").status_code == 200
    held[0].close()
    assert client.get("/library/export").status_code == 200
    for one in held:
        one.close()


def test_files_outside_the_media_root_are_not_shown(
    serve: Serve, library: MadeUpLibrary, tmp_path: Path
) -> None:
    inner = serve(MEDIA_ROOT=str(library.root / "sub"))
    reply = inner.get("/library/videos")
    assert paths(reply.get_json()) == ["b.mp4"]
    assert str(tmp_path) not in reply.get_data(as_text=True)
    both = serve(MEDIA_ROOT=f"{library.root / 'sub'}:{library.root}").get("/library/videos")
    assert paths(both.get_json())[0] == str(library.root / "a.mp4")


def test_without_a_library_nothing_is_found_and_none_is_made(serve: Serve, tmp_path: Path) -> None:
    client = serve(LIBRARY_DB=str(tmp_path / "none.db"))
    assert client.get("/library/videos").get_json() == {"videos": [], "next": None, "stale": False}
    assert client.get("/library/video?path=a.mp4").status_code == 404
    assert json.loads(client.get("/library/export").data) == []
    assert not (tmp_path / "none.db").exists()


def test_a_library_without_its_gallery_is_unavailable(serve: Serve, tmp_path: Path) -> None:
    client = serve(PERFORMERS_DB=str(tmp_path / "none.db"))
    for url in ("/library/videos", "/library/export"):
        response = client.get(url)
        assert (response.status_code, response.get_json()["error"]["code"]) == (
            503,
            "gallery_unavailable",
        )


def test_other_machines_need_the_token_here_too(serve: Serve) -> None:
    client = serve(TOKEN="secret")
    assert client.get("/library/videos").status_code == 401
    assert client.get("/library/videos", headers={"X-Token": "secret"}).status_code == 200


def test_a_name_that_is_not_utf8_leads_back_to_its_video(
    serve: Serve, library: MadeUpLibrary
) -> None:
    library.add_file(os.fsdecode(b"sub/Ren\xe9e.mp4"))
    client = serve()
    shown = paths(client.get("/library/videos").get_json())[-1]
    assert shown == r"sub/Ren\xe9e.mp4"
    found = client.get("/library/video", query_string={"path": shown})
    assert found.get_json()["video"]["path"] == shown
    played = client.get("/", query_string={"path": shown})
    assert played.get_json()["error"]["code"] == "unreadable_video", "found, and it is no video"


def test_the_status_counts_the_videos_that_are_listed(
    serve: Serve, library: MadeUpLibrary, tmp_path: Path
) -> None:
    outside = tmp_path / "outside.mp4"
    outside.write_bytes(b"outside" * 100)
    (library.root / "link.mp4").symlink_to(outside)
    (library.root / "again.mp4").symlink_to(library.root / "a.mp4")
    with library.ledger() as ledger:
        ledger.offer(find_videos([tmp_path], {}).files, "normal")
        assert sum(ledger.counts()) == 5
    for roots in (library.root, library.root / "sub", f"{library.root / 'sub'}:{library.root}"):
        client = serve(MEDIA_ROOT=str(roots))
        counted = client.get("/library/status").get_json()["videos"]
        listed = client.get("/library/videos").get_json()["videos"]
        assert sum(counted.values()) == len(listed)
        assert counted["queued"] == sum(one["state"] == "queued" for one in listed)
        assert len(listed) == (1 if roots == library.root / "sub" else 4)


def test_how_much_of_a_video_was_damaged_is_kept_and_told_everywhere(
    serve: Serve, library: MadeUpLibrary
) -> None:
    library.scan("d.mp4", [library.person(3)], unreadable_seconds=12.3456)
    client = serve()
    listed = client.get("/library/videos").get_json()["videos"]
    assert [one["unreadable_seconds"] for one in listed] == [0.0, 0.0, 0.0, 12.346]
    in_brief = client.get("/library/overview").get_json()["videos"]
    assert [one["unreadable_seconds"] for one in in_brief] == [0.0, 0.0, 0.0, 12.346]
    shown = client.get("/library/video?path=d.mp4").get_json()["video"]
    assert shown["unreadable_seconds"] == 12.346
    text = client.get("/library/export?form=csv").get_data(as_text=True)
    row = [one for one in csv.DictReader(io.StringIO(text)) if one["path"] == "d.mp4"]
    assert [one["unreadable_seconds"] for one in row] == ["12.346"]
