"""The function over HTTP, as functions-framework serves it."""

import base64
import gzip
import io
import json
import logging
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from PIL import Image

from db.identities import identities_of
from db.sqlite.connections import open_database
from db.sqlite.store import StoredGallery
from db.stores import open_ledger, open_store
from db.videos import Content, Stamp, VideoFile
from function.engines.models import PRIMARY, SECOND
from function.engines.own.description import read_description
from function.library.oshash import oshash_of
from function.matching.second_models import write_fit
from function.web import identify
from function.web.line import MOST_WAITING
from function.web.logs import JsonLines
from function.web.ndjson import NDJSON
from function.web.page_requests import PAGE_HEADER
from tests.support.own_nets import fit_of, write_net
from tests.support.servers import Serve, serving
from tests.support.videos import write_sound
from tools.cli import main
from tools.footage.videos import moving_picture, read_portrait, still_picture, write_video

ROOT = Path(__file__).parents[2]
SIZE = (640, 480)

ASKED = {
    "/": "?path=two.mp4",
    "/library/video": "?path=two.mp4",
    "/library/people": "?performer=Grace+Hopper",
    "/library/stranger": "?id=1",
    "/library/face": "?sighting=1.0",
    "/library/picture": "?oshash=00&number=1",
}
"""What some routes must be asked."""

NOT_THERE = ("/library/video", "/library/stranger", "/library/face", "/library/picture")
"""There is no library, so that nothing is found."""


@pytest.fixture(scope="session")
def media(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A media root with good videos (a known face, a stranger, a cat) and broken ones."""
    root = tmp_path_factory.mktemp("media")
    (root / "sub").mkdir()

    def film(name: str, *pictures: str) -> None:
        shots = (
            frame
            for picture in pictures
            for frame in moving_picture(read_portrait(photos / picture), 4, size=SIZE)
        )
        write_video(root / name, shots)

    film("two.mp4", "obama3.jpg", "astronaut.png")
    film("sub/stranger.mp4", "astronaut.png")
    film("cat.mp4", "cat.png")
    dot = np.full((1, 1, 3), 90, np.uint8)
    write_video(root / "dot.avi", still_picture(dot, 1), codec="mjpeg", pixel_format="yuvj444p")
    write_sound(root / "sound.mp4")
    (root / "text.mp4").write_text("no video\n" * 100)
    (root / "empty.mp4").touch()
    whole = (root / "two.mp4").read_bytes()
    (root / "truncated.mp4").write_bytes(whole[: len(whole) // 2])
    (root / "link.mp4").symlink_to(root / "two.mp4")
    (root / "escape.mp4").symlink_to(ROOT / "README.md")
    return root


@pytest.fixture
def serve(media: Path, gallery_path: Path) -> Iterator[Serve]:
    """Start the function with other settings than the tests' usual ones."""
    with serving(MEDIA_ROOT=media, PERFORMERS_DB=gallery_path) as start:
        yield start


@pytest.fixture(scope="module")
def client(media: Path, gallery_path: Path) -> Iterator[FlaskClient]:
    with serving(MEDIA_ROOT=media, PERFORMERS_DB=gallery_path) as start:
        yield start()


@pytest.fixture(scope="session")
def answers() -> dict[str, Any]:
    """Answers that several tests look at, asked for once."""
    return {}


@pytest.fixture
def two_people(client: FlaskClient, answers: dict[str, Any]) -> list[dict[str, Any]]:
    if "two" not in answers:
        answers["two"] = client.get("/?path=two.mp4").get_json()
    people: list[dict[str, Any]] = answers["two"]
    return people


def error_of(response: Any) -> tuple[int, str]:
    assert response.mimetype == "application/json"
    body = response.get_json()
    assert list(body) == ["error"]
    assert body["error"]["message"].endswith((".", "}"))
    return response.status_code, body["error"]["code"]


def test_the_enrolled_person_is_named_first_and_the_stranger_is_not(
    two_people: list[dict[str, Any]],
) -> None:
    known, stranger = two_people
    assert known["verdict"] == "match"
    assert known["matches"][0]["name"] == "Barack Obama"
    assert stranger["verdict"] == "unknown"
    assert stranger["matches"] == []


def test_whom_the_user_tagged_in_stash_is_likelier_where_the_library_knows_the_video(
    serve: Serve, media: Path, gallery_path: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, library = media / "two.mp4", tmp_path / "l.db"
    with open_store(gallery_path).gallery() as gallery:
        obama = gallery.find_performer("Barack Obama")
    (identity,) = identities_of(obama)
    with path.open("rb") as file, open_ledger(library) as ledger:
        stamp, oshash = Stamp(path.stat().st_size, 1), oshash_of(file.fileno())
        ledger.offer([VideoFile(bytes(path), stamp, oshash)], "normal")
        tagged = {Content(oshash, stamp.size_bytes): [identity]}
        ledger.note_tagged(tagged, 0, {identity: obama.id})

    def hints(**settings: str) -> list[list[str]]:
        answer = serve(LIBRARY_DB=str(library), **settings).get("/?path=two.mp4&pictures=off")
        return [one["matches"][0]["hints"] for one in answer.get_json() if one["matches"]]

    assert hints() == [["tag"]]
    assert hints(HINTS="off") == [[]]
    library.write_text("no library" * 1000)
    assert hints() == [[]]
    assert "The performers of two.mp4 in Stash are left out" in caplog.text


def test_the_fields_are_those_of_the_contract(two_people: list[dict[str, Any]]) -> None:
    person = two_people[0]
    assert set(person) == {"image", "matches", "verdict", "appearances", "faces", "best_seconds"}
    match = person["matches"][0]
    assert set(match) == {"name", "poster", "score", "urls", "id", "hints", "stash_ids", "sources"}
    assert (match["stash_ids"], match["sources"]) == (
        [],
        [{"source": "folder", "id": "Barack Obama"}],
    )
    assert match["urls"] == ["https://example.org/obama"]
    assert match["poster"].startswith("data:image/jpeg;base64,")
    assert 50 < match["score"] < 100


def test_the_times_are_those_of_the_shots(two_people: list[dict[str, Any]]) -> None:
    known, stranger = two_people
    (appearance,) = known["appearances"]
    assert appearance == pytest.approx([0, 4], abs=0.6)
    (appearance,) = stranger["appearances"]
    assert appearance == pytest.approx([4, 8], abs=0.6)
    assert 0 <= known["best_seconds"] <= 4


def test_the_image_is_a_square_jpeg_of_the_face(two_people: list[dict[str, Any]]) -> None:
    image = Image.open(io.BytesIO(base64.b64decode(two_people[0]["image"])))
    assert image.format == "JPEG"
    assert image.width == image.height <= 256


def test_get_form_and_json_give_the_same_answer(client: FlaskClient) -> None:
    path = "sub/stranger.mp4"
    by_query = client.get("/", query_string={"path": path})
    by_form = client.post("/", data={"path": path})
    by_json = client.post("/", json={"path": path})
    assert by_query.status_code == by_form.status_code == by_json.status_code == 200
    assert by_query.get_json() == by_form.get_json() == by_json.get_json()


def test_a_path_may_be_absolute_inside_the_root_or_a_link_within_it(
    client: FlaskClient, media: Path, two_people: list[dict[str, Any]]
) -> None:
    assert client.get(f"/?path={media}/two.mp4").get_json() == two_people
    assert client.get("/?path=link.mp4").get_json() == two_people


def test_no_face_is_an_empty_list(client: FlaskClient) -> None:
    assert client.get("/?path=cat.mp4").get_json() == []
    assert client.get("/?path=dot.avi").get_json() == []


def test_every_min_score_and_limit_are_obeyed(
    client: FlaskClient, two_people: list[dict[str, Any]]
) -> None:
    sparse = client.get("/?path=two.mp4&every=2").get_json()
    assert sparse[0]["faces"] < two_people[0]["faces"]
    strict = client.post("/", json={"path": "two.mp4", "min_score": 100, "limit": 1}).get_json()
    assert [person["matches"] for person in strict] == [[], []]


def test_progress_comes_line_by_line_and_the_result_last(
    client: FlaskClient, two_people: list[dict[str, Any]]
) -> None:
    response = client.get("/?path=two.mp4", headers={"Accept": "application/x-ndjson"})
    assert response.mimetype == "application/x-ndjson"
    *progress, last = (json.loads(line) for line in response.get_data(as_text=True).splitlines())
    assert last["result"] == two_people
    done = [line["progress"]["done"] for line in progress]
    assert len(done) > 5
    assert done == sorted(done)
    assert progress[-1]["progress"]["of"] == pytest.approx(8, abs=0.5)
    assert progress[-1]["progress"]["faces"] >= sum(person["faces"] for person in two_people)


def test_the_length_and_the_fingerprint_of_the_video_are_said(
    client: FlaskClient, media: Path
) -> None:
    plain = client.get("/?path=two.mp4&every=2")
    assert float(plain.headers["Video-Duration"]) == pytest.approx(8, abs=0.5)
    lines = client.get("/?path=two.mp4&every=2", headers={"Accept": "application/x-ndjson"})
    video = json.loads(lines.get_data(as_text=True).splitlines()[-1])["video"]
    with (media / "two.mp4").open("rb") as file:
        assert video["oshash"] == oshash_of(file.fileno())
    assert f"{video['duration_seconds']:g}" == plain.headers["Video-Duration"]
    assert video["unreadable_seconds"] == float(plain.headers["Video-Unreadable-Seconds"]) == 0


def test_a_photo_is_answered_as_a_video_without_times(
    client: FlaskClient, media: Path, photos: Path
) -> None:
    shutil.copy(photos / "obama2.jpg", media / "photo.jpg")
    answer = client.get("/?path=photo.jpg")
    assert answer.status_code == 200
    (person,) = answer.get_json()
    assert person["matches"][0]["name"] == "Barack Obama"
    assert (person["appearances"], person["faces"]) == ([], 1)
    assert answer.headers["Video-Duration"] == "0"
    assert client.post("/", data={"path": "photo.jpg"}).get_json() == [person]
    (media / "photo.jpg").write_bytes((photos / "obama2.jpg").read_bytes()[:100])
    broken = client.get("/?path=photo.jpg")
    assert broken.status_code == 422
    assert broken.get_json()["error"]["code"] == "photo_unusable"
    assert broken.get_json()["error"]["message"].startswith("photo.jpg: unreadable")


def test_the_reply_says_how_much_of_a_damaged_video_was_not_seen(
    client: FlaskClient, media: Path
) -> None:
    content = bytearray((media / "two.mp4").read_bytes())
    middle = len(content) // 2
    content[middle : middle + len(content) // 5] = bytes(len(content) // 5)
    (media / "damaged.mp4").write_bytes(content)
    headers = client.get("/?path=damaged.mp4&every=0.5").headers
    assert 0.5 < float(headers["Video-Unreadable-Seconds"]) < 5


def test_without_pictures_all_else_is_the_same(
    client: FlaskClient, two_people: list[dict[str, Any]]
) -> None:
    bare = client.get("/?path=two.mp4&pictures=off").get_json()
    assert [person["image"] for person in bare] == ["", ""]
    assert bare[0]["matches"][0]["poster"] == ""
    for one, other in zip(bare, two_people, strict=True):
        one["image"] = other["image"]
        for match, same in zip(one["matches"], other["matches"], strict=True):
            match["poster"] = same["poster"]
    assert bare == two_people


def test_an_error_before_the_first_frame_has_its_status_also_when_streaming(
    client: FlaskClient,
) -> None:
    response = client.get("/?path=gone.mp4", headers={"Accept": "application/x-ndjson"})
    assert error_of(response) == (404, "video_not_found")


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("", 400, "missing_parameter"),
        ("path=", 400, "bad_parameter"),
        ("path=two.mp4&path=cat.mp4", 400, "repeated_parameter"),
        ("path=two.mp4&every=0", 400, "bad_parameter"),
        ("path=two.mp4&every=nan", 400, "bad_parameter"),
        ("path=two.mp4&every=soon", 400, "bad_parameter"),
        ("path=two.mp4&min_score=101", 400, "bad_parameter"),
        ("path=two.mp4&limit=0", 400, "bad_parameter"),
        ("path=two.mp4&evry=1", 400, "bad_parameter"),
        ("path=two.mp4&pictures=no", 400, "bad_parameter"),
        ("path=two.mp4%00.jpg", 400, "bad_parameter"),
        ("path=../two.mp4", 403, "outside_media_root"),
        ("path=/etc/passwd", 403, "outside_media_root"),
        ("path=escape.mp4", 403, "outside_media_root"),
        ("path=gone.mp4", 404, "video_not_found"),
        ("path=http://localhost/two.mp4", 400, "bad_parameter"),
        ("path=" + 5000 * "a", 404, "video_not_found"),
        ("path=sub", 422, "unreadable_video"),
        ("path=.", 422, "unreadable_video"),
        ("path=text.mp4", 422, "unreadable_video"),
        ("path=empty.mp4", 422, "unreadable_video"),
        ("path=sound.mp4", 422, "unreadable_video"),
        ("path=truncated.mp4", 422, "unreadable_video"),
    ],
)
def test_bad_input_gets_its_own_error(
    client: FlaskClient, query: str, status: int, code: str
) -> None:
    assert error_of(client.get(f"/?{query}")) == (status, code)


@pytest.mark.parametrize(
    ("path", "words"), [("text.mp4", "it holds text"), ("sound.mp4", "holds no picture.")]
)
def test_a_file_that_is_no_video_is_said_to_be_what_it_is(
    client: FlaskClient, path: str, words: str
) -> None:
    assert words in client.get(f"/?path={path}").get_json()["error"]["message"]


def test_a_parameter_in_query_and_form_is_repeated(client: FlaskClient) -> None:
    response = client.post("/?path=two.mp4", data={"path": "two.mp4"})
    assert error_of(response) == (400, "repeated_parameter")


@pytest.mark.parametrize("body", ["{", "[]", '{"path": null}', '{"path": ["two.mp4"]}'])
def test_a_json_body_that_is_no_object_of_texts_is_refused(client: FlaskClient, body: str) -> None:
    response = client.post("/", data=body, content_type="application/json")
    assert error_of(response) == (400, "bad_parameter")


@pytest.mark.parametrize(
    ("body", "kind", "code", "words"),
    [
        ('{"path": "two.mp4"}', "application/x-www-form-urlencoded", "bad_parameter", "is JSON"),
        ('{"path": "two.mp4"}', "text/plain", "missing_parameter", "says that it is 'text/plain'"),
        ('{"path": "two.mp4"}', "", "missing_parameter", "does not say what it is"),
        ("path=two.mp4", "multipart/form-data", "missing_parameter", "names no boundary"),
        ("", "text/plain", "missing_parameter", "is missing. Ask for"),
        ("null", "application/json", "bad_parameter", "The body is null;"),
        ("[1]", "application/json", "bad_parameter", "The body is a list;"),
        ('{"path": true}', "application/json", "bad_parameter", "path is true;"),
        ('{"path": {"a": 1}}', "application/json", "bad_parameter", "path is an object;"),
        ("[" * 30_000, "application/json", "bad_parameter", "is not JSON"),
        ('{"path": "a", "path": "b"}', "application/json", "repeated_parameter", "given twice"),
        (f"{'x' * 60_000}=1", "application/x-www-form-urlencoded", "bad_parameter", "'xxx"),
    ],
)
def test_a_body_that_is_sent_otherwise_is_told_how(
    client: FlaskClient, body: str, kind: str, code: str, words: str
) -> None:
    response = client.post("/", data=body, content_type=kind)
    assert error_of(response) == (400, code)
    message = response.get_json()["error"]["message"]
    assert words in message
    assert len(message) < 300


def test_a_body_of_another_kind_does_no_harm_where_the_query_has_the_path(
    client: FlaskClient,
) -> None:
    answer = client.post("/?path=cat.mp4", data="anything", content_type="text/plain")
    assert (answer.status_code, answer.get_json()) == (200, [])


@pytest.mark.parametrize(
    ("name", "words"), [("path", "is a file: videos are named"), ("other", "no part of the form")]
)
def test_a_video_that_is_sent_as_a_part_of_a_form_is_told_how(
    client: FlaskClient, name: str, words: str
) -> None:
    response = client.post("/", data={name: (io.BytesIO(b"a film"), "two.mp4")})
    assert error_of(response) == (400, "missing_parameter")
    assert words in response.get_json()["error"]["message"]


def test_without_a_body_it_does_not_matter_how_one_would_be_compressed(client: FlaskClient) -> None:
    answer = client.get("/?path=cat.mp4", headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 200


def test_a_compressed_body_is_refused_as_such(client: FlaskClient) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded", "Content-Encoding": "gzip"}
    response = client.post("/", data=gzip.compress(b"path=two.mp4"), headers=form)
    assert error_of(response) == (400, "bad_parameter")
    assert "compressed ('gzip')" in response.get_json()["error"]["message"]


def test_a_video_sent_as_its_path_is_a_url_and_a_long_path_is_not_sent_back(
    client: FlaskClient,
) -> None:
    sent = client.post("/", data={"path": f"data:video/mp4;base64,{'A' * 60_000}"})
    assert error_of(sent) == (400, "bad_parameter")
    long = client.post("/", data={"path": "a" * 60_000})
    assert error_of(long) == (404, "video_not_found")
    assert max(len(sent.data), len(long.data)) < 1_000


def test_messages_never_hold_a_path_outside_the_media_root(
    client: FlaskClient, media: Path
) -> None:
    for path in ("../two.mp4", "/etc/passwd", "escape.mp4", "gone.mp4", "text.mp4", "sub"):
        message = client.get(f"/?path={path}").get_json()["error"]["message"]
        assert "/etc" not in message
        assert str(ROOT) not in message
        assert str(media.parent) not in message


def test_head_is_answered_wherever_get_is_and_without_a_body(client: FlaskClient) -> None:
    described = client.get("/openapi.json").get_json()["paths"]
    readable = [route for route, operations in described.items() if "get" in operations]
    assert "/library/videos" in readable
    for route in readable:
        url = route + ASKED.get(route, "")
        head = client.head(url)
        assert head.status_code == (404 if route in NOT_THERE else 200), url
        assert head.data == b""
        if route != "/":
            assert head.content_type == client.get(url).content_type
    assert client.head("/", headers={"Accept": "text/html"}).mimetype == "text/html"


def test_head_of_a_video_says_whether_it_is_there_without_looking_at_it(serve: Serve) -> None:
    client = serve(PERFORMERS_DB="gone.db")
    assert client.head("/?path=two.mp4").status_code == 200
    assert client.head("/?path=gone.mp4").status_code == 404
    assert client.head("/?path=../two.mp4").status_code == 403
    assert client.head("/").status_code == 400
    assert "Content-Length" not in client.head("/?path=two.mp4").headers


def test_the_version_is_one_for_all_who_ask(client: FlaskClient) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert client.get("/ready").get_json()["version"] == project["version"]
    assert client.get("/openapi.json").get_json()["info"]["version"] == project["version"]
    said = CliRunner().invoke(main, ["--version"]).output
    assert said.split()[-1] == project["version"]


def test_other_urls_and_methods_are_told_apart(client: FlaskClient) -> None:
    nothing = client.get("/nothing")
    assert error_of(nothing) == (404, "not_found")
    assert "There is no '/nothing' here. The page is at /, and /openapi.json" in nothing.text
    assert error_of(client.delete("/")) == (405, "method_not_allowed")
    assert error_of(client.post("/health")) == (405, "method_not_allowed")


def test_health_needs_nothing_and_ready_loads_engine_and_gallery(
    serve: Serve, tmp_path: Path
) -> None:
    client = serve()
    assert client.get("/health").get_json() == {"status": "up"}
    ready = client.get("/ready").get_json()
    assert (ready["status"], ready["performers"], ready["photos"]) == ("ready", 2, 3)
    assert (ready["model"], ready["second_model"]) == (PRIMARY.id, SECOND.id)
    assert ready["performers_by_both"] == 2
    assert ready["decoder"] == "cpu"
    without = serve(PERFORMERS_DB=str(tmp_path / "gone.db"))
    assert without.get("/health").status_code == 200
    assert error_of(without.get("/ready")) == (503, "gallery_unavailable")


def test_ready_shows_an_own_net_and_its_licence_or_why_it_cannot_be_used(
    serve: Serve, tmp_path: Path
) -> None:
    net = write_net(tmp_path / "net")
    write_fit(fit_of(net), net.with_suffix(".fitted.json"))
    ready = serve(SECOND_ENCODER=str(net)).get("/ready").get_json()
    assert ready["second_model"] == read_description(net).id
    assert ready["second_licence"] == "ours, for tests"
    assert ready["performers_by_both"] == 0
    assert serve().get("/ready").get_json()["second_licence"] is None
    net.with_suffix(".fitted.json").unlink()
    for route in ("/ready", "/?path=two.mp4", "/gallery/check"):
        response = serve(SECOND_ENCODER=str(net)).get(route)
        assert error_of(response) == (503, "engine_unavailable"), route
        assert "Run `python -m tools calibrate" in response.get_json()["error"]["message"]


def test_a_gallery_that_cannot_be_used_is_unavailable_and_unharmed(
    serve: Serve, tmp_path: Path
) -> None:
    text = tmp_path / "text.db"
    text.write_text("not a gallery " * 100)
    for path in (tmp_path / "gone.db", text, tmp_path):
        response = serve(PERFORMERS_DB=str(path)).get("/?path=two.mp4")
        assert error_of(response) == (503, "gallery_unavailable")
    assert text.read_text().startswith("not a gallery")
    assert not (tmp_path / "gone.db").exists()


def test_a_gallery_that_goes_while_a_video_is_read_is_unavailable(
    serve: Serve, tmp_path: Path, gallery_path: Path
) -> None:
    path = Path(shutil.copy(gallery_path, tmp_path / "going.db"))
    client = serve(PERFORMERS_DB=str(path), SANDBOX="off")
    response = client.get("/?path=two.mp4&every=0.2", headers={"Accept": "application/x-ndjson"})
    lines = response.iter_encoded()
    assert "progress" in json.loads(next(lines))
    path.unlink()
    *_, last = lines
    assert json.loads(last)["error"]["code"] == "gallery_unavailable"


def test_an_engine_that_cannot_run_here_is_unavailable(serve: Serve) -> None:
    response = serve(ENGINE="abacus").get("/?path=two.mp4")
    assert error_of(response) == (503, "engine_unavailable")
    assert "'abacus'" in response.get_json()["error"]["message"]


def test_reading_goes_on_while_another_process_writes(serve: Serve, gallery_path: Path) -> None:
    client = serve()
    writer = open_database(gallery_path, create=False)
    writer.execute("BEGIN IMMEDIATE")
    try:
        assert client.get("/?path=sub/stranger.mp4").status_code == 200
    finally:
        writer.execute("ROLLBACK")
        writer.close()


def test_an_empty_gallery_finds_people_and_names_nobody(serve: Serve, tmp_path: Path) -> None:
    StoredGallery(tmp_path / "empty.db", create=True).close()
    people = serve(PERFORMERS_DB=str(tmp_path / "empty.db")).get("/?path=two.mp4").get_json()
    assert [person["verdict"] for person in people] == ["unknown", "unknown"]


def test_a_new_performer_is_seen_without_a_restart(
    serve: Serve, tmp_path: Path, gallery_path: Path
) -> None:
    path = tmp_path / "growing.db"
    StoredGallery(path, create=True).close()
    client = serve(PERFORMERS_DB=str(path))
    assert client.get("/ready").get_json()["performers"] == 0
    with StoredGallery(path) as gallery, StoredGallery(gallery_path) as other:
        hopper = other.find_performer("Grace Hopper")
        gallery.enrol(hopper, other.encodings(hopper.id), None)
    assert client.get("/ready").get_json()["performers"] == 1


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let requests that are not the page's wait for a slot only briefly."""
    monkeypatch.setattr(identify, "WAIT_SECONDS", 0.5)


def begin(client: FlaskClient, path: str, **headers: str) -> tuple[Any, Iterator[bytes]]:
    """Ask for a video as lines, and leave them to be read."""
    accept = {"Accept": NDJSON, **headers}
    response = client.get(f"/?path={path}", headers=accept, buffered=False)
    return response, response.iter_encoded()  # type: ignore[return-value]


@pytest.mark.usefixtures("impatient")
def test_a_second_video_at_once_is_told_to_come_back(serve: Serve) -> None:
    client = serve(SLOTS="1")
    first, lines = begin(client, "two.mp4")
    next(lines)
    second = client.get("/?path=cat.mp4")
    assert error_of(second) == (429, "busy")
    assert int(second.headers["Retry-After"]) > 0
    first.close()
    assert client.get("/?path=cat.mp4").status_code == 200


@pytest.mark.usefixtures("impatient")
def test_the_page_waits_in_line_as_long_as_it_takes_and_is_told_so(serve: Serve) -> None:
    client = serve(SLOTS="1")
    first, lines = begin(client, "two.mp4")
    next(lines)
    _, waiting = begin(client, "cat.mp4", **{PAGE_HEADER: "1"})
    later, waiting_later = begin(client, "two.mp4", **{PAGE_HEADER: "1"})
    assert json.loads(next(waiting)) == {"waiting": {"ahead": 0}}
    assert json.loads(next(waiting_later)) == {"waiting": {"ahead": 1}}
    assert error_of(client.get("/?path=cat.mp4")) == (429, "busy")  # half a second later
    later.close()
    first.close()
    assert json.loads([*waiting][-1])["result"] == []


@pytest.mark.usefixtures("impatient")
def test_who_leaves_the_line_gives_the_place_back(serve: Serve) -> None:
    client = serve(SLOTS="1")
    first, lines = begin(client, "two.mp4")
    next(lines)
    waiting = [begin(client, "cat.mp4", **{PAGE_HEADER: "1"}) for _ in range(MOST_WAITING)]
    assert [json.loads(next(lines))["waiting"]["ahead"] for _, lines in waiting] == [0, 1, 2, 3]
    refused = client.get("/?path=cat.mp4")
    assert error_of(refused) == (429, "busy")
    assert "4 more requests wait" in refused.get_json()["error"]["message"]
    for response, _ in [*waiting, (first, lines)]:
        response.close()
    assert client.get("/?path=cat.mp4").status_code == 200


def test_the_log_and_the_metrics_say_what_decoded_a_video(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    client = serve()
    client.get("/?path=two.mp4&every=2")
    client.get("/?path=gone.mp4")
    lines = [json.loads(JsonLines().format(one)) for one in caplog.records]
    said = [line["decoder"] for line in lines if "decoder" in line]
    assert said == ["cpu", ""]
    text = client.get("/metrics").get_data(as_text=True)
    assert 'recognition_videos_total{decoder="cpu"} 1.0' in text
    assert text.count("recognition_videos_total{") == 1
