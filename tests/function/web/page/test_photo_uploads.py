"""Photos that are added on the page: read by children, and by nothing else."""

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from function.errors import BusyError
from function.settings import Settings
from function.web import service
from function.web.service import Service
from tests.support.waiting import seconds_of, wait_until, wait_until_idle
from tools.soak.photos import SEEDS, endless_scans, fresh_photo, write_seeds
from tools.soak.servers import Answer, Server, serving

LIMIT_SECONDS = 5


@pytest.fixture(scope="module")
def server(page_media: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("additions")
    with serving(folder, page_media, TIME_LIMIT_SECONDS=f"{LIMIT_SECONDS}") as server:
        yield server


def told(answer: Answer) -> Any:
    return json.loads(answer.body)


def error(answer: Answer) -> tuple[int, str]:
    return answer.status, told(answer)["error"]["code"]


def test_a_photo_is_enrolled_once(server: Server, photos: Path) -> None:
    photo = (photos / "biden.jpg").read_bytes()
    assert told(server.add_photo("Joe Biden", photo)) == {"added": True, "id": 1, "remark": ""}
    assert told(server.add_photo("Joe Biden", photo)) == {"added": False, "id": 1, "remark": ""}
    twice = told(server.add_photo("Barack Obama", photo))
    assert twice["remark"].startswith("is enrolled already as Joe Biden (id:1): if that is")
    shown = told(server.get("/gallery/performer?id=1"))
    assert len(shown["photos"]) == 1
    assert shown["thumbnail"]


@pytest.mark.parametrize("name", [name for name in SEEDS if not name.endswith(".jpg")])
def test_a_photo_may_be_of_any_format(name: str, server: Server, photos: Path) -> None:
    photo = write_seeds(photos / "obama1.jpg")[name]
    assert told(server.add_photo(f"In {name}", photo))["added"] is True


def test_a_name_may_be_a_number_and_is_found_however_it_is_written(
    server: Server, photos: Path
) -> None:
    first = told(server.add_photo("Zo\u00eb Dupont", (photos / "hopper.jpg").read_bytes()))["id"]
    numbered = told(server.add_photo(str(first), (photos / "obama2.jpg").read_bytes()))["id"]
    assert numbered != first
    again = told(server.add_photo("zoe  DUPONT", (photos / "obama1.jpg").read_bytes()))
    assert again["id"] == first
    assert len(told(server.get(f"/gallery/performer?id={first}"))["photos"]) == 2
    found = told(server.get("/gallery?search=ZOE"))["performers"]
    assert [one["id"] for one in found] == [first]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_server_itself_never_holds_what_decodes(server: Server, photos: Path) -> None:
    assert server.add_photo("Once", (photos / "obama1.jpg").read_bytes()).status == 200
    assert server.ask("cat.mp4").status == 200
    for route in told(server.get("/openapi.json"))["paths"]:
        server.get(route)

    def holds(process: int, part: str) -> bool:
        return part in Path(f"/proc/{process}/maps").read_text()

    own, *others = server.processes()
    assert others, "the children, and helpers of theirs"
    for part in ("/PIL/_imaging", "libheif", "/av/", "/cv2/", "/_dlib", "/onnxruntime/"):
        assert not holds(own, part), part
        assert all(holds(one, part) for one in others), part


def start_sending(server: Server, bomb: bytes) -> tuple[threading.Thread, list[Answer]]:
    """Send a photo from a thread, and wait until a child is busy with it."""
    answers: list[Answer] = []
    children = server.children() if sys.platform == "linux" else []
    for child in children:
        wait_until_idle(child, 0.5)
    at_work = sum(map(seconds_of, children)) + 0.2
    sending = threading.Thread(target=lambda: answers.append(server.add_photo("Bomb", bomb)))
    sending.start()
    if sys.platform == "linux":
        wait_until(lambda: sum(map(seconds_of, children)) > at_work)
    else:
        time.sleep(0.5)  # nothing says there what a process has used
    return sending, answers


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_photo_that_kills_what_reads_it_costs_that_upload(server: Server, photos: Path) -> None:
    sending, answers = start_sending(server, fresh_photo(endless_scans(), 1))
    for child in server.children():
        os.kill(child, signal.SIGSEGV)
    sending.join()
    assert error(answers[0]) == (422, "photo_unusable")
    assert "SIGSEGV" in told(answers[0])["error"]["message"]
    assert server.add_photo("After", (photos / "obama2.jpg").read_bytes()).status == 200
    listed = told(server.get("/gallery"))["performers"]
    assert "Bomb" not in {one["name"] for one in listed}


def test_a_photo_without_end_is_ended_and_videos_go_on_meanwhile(
    server: Server, photos: Path
) -> None:
    sending, answers = start_sending(server, endless_scans())
    assert server.ask("cat.mp4").status == 200
    sending.join()
    assert error(answers[0]) == (504, "time_limit")
    assert answers[0].seconds < LIMIT_SECONDS + 2
    assert server.add_photo("Then", (photos / "obama3.jpg").read_bytes()).status == 200


def test_photos_wait_for_each_other_and_then_are_told_to_come_back(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "ERRAND_WAIT_SECONDS", 0.1)
    kept = Service(Settings())
    photo = (photos / "obama1.jpg").read_bytes()
    try:
        with kept._only_errand(), pytest.raises(BusyError, match="Try again in a moment"):
            kept.find_face(photo)
        assert kept.find_face(photo).face.crop
    finally:
        kept.close()


def test_a_crowd_that_waits_for_pictures_is_told_at_once_to_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each who waits holds a thread of the server, which has others to serve."""
    monkeypatch.setattr(service, "ERRAND_WAIT_SECONDS", 60.0)
    kept = Service(Settings())
    told: list[str] = []

    def wait() -> None:
        try:
            with kept._only_errand():
                told.append("served")
        except BusyError:
            told.append("refused")

    crowd = [threading.Thread(target=wait) for _ in range(30)]
    try:
        with kept._only_errand():
            for one in crowd:
                one.start()
            wait_until(lambda: len(told) == len(crowd) - service.MOST_ERRANDS + 1, 20)
            assert set(told) == {"refused"}
        for one in crowd:
            one.join()
        assert told.count("served") == service.MOST_ERRANDS - 1
    finally:
        kept.close()
