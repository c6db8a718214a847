"""Scans as the server's jobs: asked for, watched, paused and ended over HTTP."""

import http.client
import json
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from db.videos import DEPTHS
from function.library import worker
from function.library.finding import Found
from function.library.jobs import WantedScan, put_wanted
from function.library.offering import find_within
from function.library.worker import Worker
from function.web.library import jobs
from function.web.page_requests import PAGE_HEADER
from tests.support.made_up_libraries import MadeUpLibrary
from tests.support.servers import Serve, serving
from tools.footage.videos import moving_picture, read_portrait, write_video
from tools.soak.servers import Server
from tools.soak.servers import serving as server_serving

PAGE = {PAGE_HEADER: "1"}


@pytest.fixture
def library(tmp_path: Path) -> MadeUpLibrary:
    """One scanned video, and one in the queue that is no video."""
    made = MadeUpLibrary(tmp_path)
    made.scan("a.mp4", [made.person(0)])
    made.add_file("d.mp4")
    return made


@pytest.fixture
def serve(library: MadeUpLibrary) -> Iterator[Serve]:
    with serving(**library.settings(), SANDBOX="off") as start:
        yield start


@pytest.fixture
def client(serve: Serve) -> FlaskClient:
    return serve()


def wait_until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_status_says_how_many_files_were_seen_while_they_are_looked_for(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()

    def find_slowly(*arguments: Any, **options: Any) -> Found:
        found = find_within(*arguments, **options)
        go_on.wait(30)
        return found

    monkeypatch.setattr(worker, "find_within", find_slowly)
    assert client.post("/library/cancel", headers=PAGE).get_json()["seen"] == 0
    client.post("/library/scan", headers=PAGE)
    wait_until(lambda: client.get("/library/status").get_json()["seen"] == 2)
    assert client.get("/library/status").get_json()["state"] == "looking"
    go_on.set()
    wait_until(lambda: client.get("/library/status").get_json()["state"] == "idle")
    assert client.get("/library/status").get_json()["seen"] == 0


def test_the_status_says_what_is_done_and_what_is_queued(client: FlaskClient) -> None:
    job = client.get("/library/status").get_json()
    assert job["videos"] == {"queued": 1, "working": 0, "done": 1, "failed": 0, "gone": 0}
    assert not any(job["albums"].values())
    assert (job["state"], job["now"]) == ("scanning", [])


def test_what_was_scanned_is_scanned_again_if_that_is_asked_for(client: FlaskClient) -> None:
    client.post("/library/pause", headers=PAGE)
    client.post("/library/scan", json={"again": True}, headers=PAGE)
    wait_until(lambda: client.get("/library/status").get_json()["videos"]["done"] == 0)


def test_what_becomes_of_strangers_is_chosen_with_a_scan(
    client: FlaskClient, library: MadeUpLibrary
) -> None:
    assert client.get("/library/status").get_json()["strangers"] == ""
    for wrong in ("maybe", "0d", 90, None):
        refused = client.post("/library/scan", json={"strangers": wrong}, headers=PAGE)
        assert refused.status_code == 400, wrong
    started = client.post("/library/scan", json={"strangers": "90d"}, headers=PAGE)
    assert started.get_json()["strangers"] == "90d"
    with library.ledger() as ledger:
        assert ledger.choice("strangers") == "90d"
    client.post("/library/scan", json={}, headers=PAGE)
    assert client.get("/library/status").get_json()["strangers"] == "90d"


def test_what_becomes_of_strangers_is_chosen_before_there_is_a_library(
    serve: Serve, tmp_path: Path
) -> None:
    client = serve(LIBRARY_DB=str(tmp_path / "new.db"))
    client.post("/library/scan", json={"paths": [], "strangers": "keep"}, headers=PAGE)
    assert client.get("/library/status").get_json()["strangers"] == "keep"


def test_the_setting_says_what_becomes_of_strangers_where_it_is_set(serve: Serve) -> None:
    client = serve(STRANGERS="off")
    assert client.get("/library/status").get_json()["strangers"] == "off"
    refused = client.post("/library/scan", json={"strangers": "keep"}, headers=PAGE)
    assert refused.status_code == 400
    assert "STRANGERS is set to off" in refused.get_json()["error"]["message"]


def test_pause_resume_and_cancel_are_obeyed_and_answered(client: FlaskClient) -> None:
    def change(what: str) -> Any:
        return client.post(f"/library/{what}", headers=PAGE).get_json()

    assert change("pause")["state"] == "paused"
    assert client.get("/library/status").get_json()["state"] == "paused"
    cancelled = change("cancel")
    assert (cancelled["state"], cancelled["videos"]["queued"]) == ("idle", 0)
    assert cancelled["videos"]["done"] == 1


def test_only_so_many_scans_wait_to_be_looked_at(
    client: FlaskClient, library: MadeUpLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Worker, "_look", lambda *_: None)  # as on a disk that is slow
    with library.ledger() as ledger:
        put_wanted(ledger, (WantedScan(("/a",), turn=turn) for turn in range(jobs.MOST_SCANS - 1)))
    asked = [client.post("/library/scan", json={}, headers=PAGE) for _ in range(2)]
    assert [one.status_code for one in asked] == [200, 429]
    assert client.post("/library/cancel", headers=PAGE).status_code == 200
    assert client.post("/library/scan", json={}, headers=PAGE).status_code == 200


def test_a_resumed_queue_is_worked_off(client: FlaskClient) -> None:
    client.post("/library/pause", headers=PAGE)
    client.post("/library/resume", headers=PAGE)
    wait_until(lambda: client.get("/library/status").get_json()["videos"]["failed"] == 1)
    (failed,) = client.get("/library/videos?state=failed").get_json()["videos"]
    assert failed["path"] == "d.mp4"
    assert "video" in failed["reason"]


def test_outside_the_hours_the_queue_waits(serve: Serve) -> None:
    hour = time.localtime().tm_hour
    client = serve(SCAN_HOURS=f"{(hour + 2) % 24}-{(hour + 3) % 24 or 24}")
    assert client.get("/library/status").get_json()["state"] == "waiting"


def test_a_scan_may_be_of_any_depth(client: FlaskClient) -> None:
    client.post("/library/pause", headers=PAGE)
    for depth in DEPTHS:
        assert client.post("/library/scan", json={"depth": depth}, headers=PAGE).status_code == 200


@pytest.mark.parametrize("what", ["scan", "pause", "resume", "cancel"])
def test_only_the_page_changes_anything(client: FlaskClient, what: str) -> None:
    response = client.post(f"/library/{what}", json={})
    assert (response.status_code, response.get_json()["error"]["code"]) == (403, "not_from_page")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"path": "a.mp4"}, 400, "bad_parameter"),
        ({"paths": "a.mp4"}, 400, "bad_parameter"),
        ({"paths": [1]}, 400, "bad_parameter"),
        ({"paths": [""]}, 400, "bad_parameter"),
        ({"paths": ["a.mp4"] * 1001}, 400, "bad_parameter"),
        ({"depth": "deeper"}, 400, "bad_parameter"),
        ({"retry": "yes"}, 400, "bad_parameter"),
        ({"again": 1}, 400, "bad_parameter"),
        ({"paths": ["../"]}, 403, "outside_media_root"),
        ({"paths": ["/etc"]}, 403, "outside_media_root"),
        ({"paths": ["gone"]}, 404, "video_not_found"),
        ([], 400, "bad_parameter"),
    ],
)
def test_a_scan_that_cannot_be_is_refused_and_makes_no_library(
    serve: Serve, tmp_path: Path, body: Any, status: int, code: str
) -> None:
    client = serve(LIBRARY_DB=str(tmp_path / "none.db"))
    response = client.post("/library/scan", json=body, headers=PAGE)
    assert (response.status_code, response.get_json()["error"]["code"]) == (status, code)
    assert not (tmp_path / "none.db").exists()


def test_a_folder_that_is_not_there_is_gone_if_the_caller_says_so(
    serve: Serve, library: MadeUpLibrary
) -> None:
    (library.root / "old").mkdir()
    library.add_file("old/e.mp4")
    shutil.rmtree(library.root / "old")
    client = serve()
    client.post("/library/pause", headers=PAGE)

    def ask(path: str, *, gone: bool) -> Any:
        asked = {"paths": [path], "gone": gone}
        return client.post("/library/scan", json=asked, headers=PAGE)

    refused = ask("old", gone=False)
    assert (refused.status_code, refused.get_json()["error"]["code"]) == (404, "video_not_found")
    assert "The library knows 1 file there." in refused.get_json()["error"]["message"]
    for path, status in (("never", 404), ("../old", 403), ("old/../../old", 403)):
        assert ask(path, gone=True).status_code == status, path
    library.root.rename(library.root.with_name("unplugged"))
    lost = ask("old", gone=True)
    assert lost.status_code == 404, "a whole root is a disk, and missing"
    assert lost.get_json()["error"]["message"].endswith("If a disk is missing, connect it.")
    library.root.with_name("unplugged").rename(library.root)
    assert client.get("/library/status").get_json()["videos"]["gone"] == 0
    assert ask("old", gone=True).status_code == 200
    wait_until(lambda: client.get("/library/status").get_json()["videos"]["gone"] == 1)
    assert client.get("/library/status").get_json()["videos"]["queued"] == 1, "others stay"
    assert ask(str(library.root / "old" / "e.mp4"), gone=True).status_code == 404, "it is by now"


def test_paths_that_take_too_long_to_find_are_refused(
    client: FlaskClient, library: MadeUpLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"paths": ["a.mp4"] * 1000}
    assert client.post("/library/scan", json=asked, headers=PAGE).status_code == 200
    for number in range(2000):
        (library.root / f"\N{LATIN SMALL LETTER E WITH ACUTE}{number}.mp4").touch()
    monkeypatch.setattr(jobs, "FOUND_WITHIN_SECONDS", 0.05)
    # Each is written otherwise than on the disk, so that all names there are compared with it.
    asked = {"paths": ["e\N{COMBINING ACUTE ACCENT}1999.mp4"] * 1000}
    reply = client.post("/library/scan", json=asked, headers=PAGE)
    assert reply.status_code == 400
    assert "of 1000 paths were found in" in reply.get_json()["error"]["message"]


def test_progress_is_a_line_at_once_where_there_is_nothing_to_do(
    serve: Serve, tmp_path: Path
) -> None:
    client = serve(LIBRARY_DB=str(tmp_path / "none.db"))
    response = client.get("/library/progress")
    assert response.mimetype == "application/x-ndjson"
    (line,) = response.get_data(as_text=True).splitlines()
    assert json.loads(line)["state"] == "idle"


def test_progress_goes_on_until_nothing_is_left_and_not_for_everyone(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "TOLD_EVERY_SECONDS", 0.01)
    response = client.get("/library/progress", buffered=False)
    lines = response.iter_encoded()
    assert json.loads(next(iter(lines)))["videos"]["queued"] == 1
    others = [client.get("/library/progress", buffered=False) for _ in range(7)]
    assert client.get("/library/progress").status_code == 429
    client.post("/library/cancel", headers=PAGE)
    for one in (response, *others):
        one.close()
    last = client.get("/library/progress").get_data(as_text=True).splitlines()[-1]
    assert json.loads(last)["state"] == "idle"


@pytest.fixture(scope="module")
def films(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    portrait = read_portrait(photos / "obama3.jpg")
    for number in range(2):
        pictures = moving_picture(portrait, 10 + number, size=(640, 480), fps=10)
        write_video(folder / f"long{number}.mp4", pictures, fps=10, keyframe_every=1)
    write_video(folder / "short.mp4", moving_picture(portrait, 0.2, size=(320, 240)))
    return folder


def send(server: Server, url: str, body: object = None) -> Any:
    """Send what the page would send, and return the JSON of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    headers = {**PAGE, "Content-Type": "application/json"}
    connection.request("POST", url, json.dumps(body or {}), headers)
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return answer


def status(server: Server) -> Any:
    return json.loads(server.get("/library/status").body)


def niceness(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[16])


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_scan_gives_way_to_requests_and_outlives_the_server(films: Path, tmp_path: Path) -> None:
    settings = {"LIBRARY_DB": str(tmp_path / "library.db"), "EVERY_SECONDS": "0.1"}
    with server_serving(tmp_path, films, **settings) as server:
        assert server.get("/library/status").status == 200
        assert not (tmp_path / "library.db").exists()
        quick = send(server, "/library/scan")
        assert quick["state"] in ("looking", "scanning")
        wait_until(lambda: len(status(server)["now"]) == 1)
        assert 10 in [niceness(child) for child in server.children()]
        before = status(server)["videos"]["done"]
        for _ in range(3):  # the one slot is never taken by the scan
            assert server.ask("short.mp4").status == 200
        assert status(server)["videos"]["done"] <= before + 1
        loaded = Path(f"/proc/{server.process.pid}/maps").read_text()
        assert "libav" not in loaded
        assert "onnxruntime" not in loaded
        assert server.stop() < 8
    with server_serving(tmp_path, films, **settings) as server:
        lines = server.get("/library/progress").body.decode().splitlines()
        assert json.loads(lines[-1])["videos"]["done"] == 3
        wait_until(lambda: len(server.children()) == 1)  # those of the scan are gone
