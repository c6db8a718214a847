"""Who may ask: tokens, hosts, origins, sizes; and what the answers and the log carry."""

import json
import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from functions_framework import create_app

from db.sqlite.store import StoredGallery
from function.web.access import is_loopback
from function.web.logs import JsonLines, request_id
from function.web.openapi import describe
from function.web.parameters import PARAMETERS

ROOT = Path(__file__).parents[3]
Serve = Callable[..., FlaskClient]
GONE = "/?path=gone.mp4"
ELSEWHERE = {"REMOTE_ADDR": "192.0.2.7"}


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Serve:
    """Start the function over an empty library; no test here reads a video."""
    (tmp_path / "library").mkdir(exist_ok=True)
    (tmp_path / "library" / "text.mp4").write_text("no video")
    StoredGallery(tmp_path / "performers.db", create=True).close()

    def start(**settings: str) -> FlaskClient:
        defaults = {
            "MEDIA_ROOT": str(tmp_path / "library"),
            "PERFORMERS_DB": str(tmp_path / "performers.db"),
            "SANDBOX": "off",
        }
        for name, value in (defaults | settings).items():
            monkeypatch.setenv(name, value)
        return create_app("recognize", str(ROOT / "function" / "main.py"), "http").test_client()

    return start


def outcome(response: Any) -> tuple[int, str]:
    return response.status_code, response.get_json()["error"]["code"]


FOUND_NOTHING = (404, "video_not_found")
NO_TOKEN = (401, "unauthorized")


def test_on_this_machine_alone_no_token_is_needed(serve: Serve) -> None:
    assert outcome(serve().get(GONE)) == FOUND_NOTHING


def test_a_token_that_is_set_is_needed_in_either_header(serve: Serve) -> None:
    client = serve(TOKEN="s3cret")
    for headers in ({}, {"X-Token": "s3cre"}, {"X-Token": ""}, {"Authorization": "Basic s3cret"}):
        assert outcome(client.get(GONE, headers=headers)) == NO_TOKEN, headers
    for headers in ({"X-Token": "s3cret"}, {"Authorization": "bearer s3cret"}):
        assert outcome(client.get(GONE, headers=headers)) == FOUND_NOTHING, headers
    assert outcome(client.get("/metrics")) == NO_TOKEN
    assert outcome(client.get("/?path=gone.mp4&token=s3cret")) == NO_TOKEN


def test_where_others_can_reach_it_a_token_is_made_up_and_logged(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    client = serve(HOST="0.0.0.0")
    assert outcome(client.get(GONE)) == NO_TOKEN
    (token,) = re.findall(r"X-Token: (\S{20,})", caplog.text)
    assert outcome(client.get(GONE, headers={"X-Token": token})) == FOUND_NOTHING


def test_another_machine_needs_a_token_whatever_host_says(serve: Serve) -> None:
    assert outcome(serve().get(GONE, environ_base=ELSEWHERE)) == NO_TOKEN


def test_off_waives_the_token(serve: Serve) -> None:
    client = serve(HOST="0.0.0.0", TOKEN="off")
    assert outcome(client.get(GONE, environ_base=ELSEWHERE)) == FOUND_NOTHING
    assert outcome(serve(TOKEN="").get(GONE, environ_base=ELSEWHERE)) == NO_TOKEN


def test_health_and_ready_are_open_but_tell_strangers_nothing_more(serve: Serve) -> None:
    client = serve(TOKEN="s3cret")
    probe = {"Host": "10.0.0.7.example:8080"}
    assert client.get("/health", headers=probe).get_json() == {"status": "up"}
    assert client.get("/ready", headers=probe).get_json() == {"status": "ready"}
    assert "performers" in client.get("/ready", headers={"X-Token": "s3cret"}).get_json()


@pytest.mark.parametrize(
    ("host", "settings", "trusted"),
    [
        ("localhost:8080", {}, True),
        ("127.0.0.1", {}, True),
        ("[::1]:8080", {}, True),
        ("192.168.1.5:8080", {"TOKEN": "off"}, True),
        ("evil.example", {}, False),
        ("localhost.evil.example", {}, False),
        ("stash.lan:80", {"TRUSTED_HOSTS": "nas, Stash.lan", "TOKEN": "off"}, True),
        ("localhost", {"TRUSTED_HOSTS": "stash.lan", "TOKEN": "off"}, False),
    ],
)
def test_only_trusted_names_reach_it(
    host: str, settings: dict[str, str], *, trusted: bool, serve: Serve
) -> None:
    expected = FOUND_NOTHING if trusted else (421, "untrusted_host")
    assert outcome(serve(**settings).get(GONE, headers={"Host": host})) == expected


def test_with_the_token_any_name_will_do_unless_names_are_listed(serve: Serve) -> None:
    headers = {"Host": "recognition", "X-Token": "s3cret"}
    assert outcome(serve(TOKEN="s3cret").get(GONE, headers=headers)) == FOUND_NOTHING
    listed = serve(TOKEN="s3cret", TRUSTED_HOSTS="other")
    assert outcome(listed.get(GONE, headers=headers)) == (421, "untrusted_host")


REFUSED = (403, "untrusted_origin")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Origin": "https://evil.example"}, REFUSED),
        ({"Origin": "null"}, REFUSED),
        ({"Origin": "http://localhost"}, FOUND_NOTHING),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, REFUSED),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, REFUSED),
        ({"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate"}, REFUSED),
        ({"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}, FOUND_NOTHING),
        ({"Origin": "http://["}, REFUSED),
        ({"User-Agent": "Mozilla/5.0"}, REFUSED),  # a picture's address, over plain http
        ({"User-Agent": "Mozilla/5.0", "X-Recognition-Page": "1"}, FOUND_NOTHING),
        ({"Sec-Fetch-Site": "same-origin"}, FOUND_NOTHING),
        ({"Origin": "https://stash.example:9999"}, FOUND_NOTHING),
    ],
)
def test_only_named_web_pages_may_ask(
    headers: dict[str, str], expected: tuple[int, str], serve: Serve
) -> None:
    client = serve(ORIGINS="https://stash.example:9999/")
    response = client.get(GONE, headers=headers)
    assert outcome(response) == expected
    named = headers.get("Origin") == "https://stash.example:9999"
    assert ("Access-Control-Allow-Origin" in response.headers) == named


HTML = {"Accept": "text/html,*/*;q=0.8"}
LINKED = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}


def test_links_of_other_pages_lead_to_the_page_and_to_nothing_that_works(serve: Serve) -> None:
    client = serve()
    assert client.get("/", headers=HTML | LINKED).mimetype == "text/html"
    for path in ("/?path=text.mp4", GONE, "/videos", "/gallery", "/library/videos", "/metrics"):
        assert outcome(client.get(path, headers=HTML | LINKED)) == REFUSED, path


def test_over_plain_http_the_page_and_its_files_still_load(serve: Serve) -> None:
    old = {"User-Agent": "Mozilla/5.0"}
    client = serve()
    assert client.get("/", headers=HTML | old).mimetype == "text/html"
    assert client.get("/page/page.js", headers=old).status_code == 200


def test_a_rebound_name_and_another_page_learn_nothing_from_ready(serve: Serve) -> None:
    client = serve()
    assert "performers" in client.get("/ready").get_json()
    for headers in ({"Host": "evil.example"}, LINKED, {"Origin": "http://evil.example"}):
        assert client.get("/ready", headers=headers).get_json() == {"status": "ready"}, headers


def test_a_host_that_is_none_is_refused_and_no_fault(serve: Serve) -> None:
    client = serve()
    for host in ("[", "[::1", "a b", "a/b", "\xff"):
        assert client.get(GONE, headers={"Host": host}).status_code in (400, 421), host


@pytest.mark.parametrize(
    "header",
    [
        *("X-Forwarded-For", "Forwarded", "Via", "X-Real-IP", "X-Forwarded-Host", "X-Client-IP"),
        *("X-Forwarded-Port", "X-Forwarded-Proto", "X-Forwarded-Server", "CF-Connecting-IP"),
        *("X-Original-Forwarded-For", "X-Envoy-External-Address", "Cdn-Loop", "True-Client-IP"),
        *("X-Forwarded", "X-Forwarded-Prefix", "X-Forwarded-Ssl", "X-Original-Host", "Client-IP"),
        *("X-Cluster-Client-Ip", "Fastly-Client-IP", "X-Azure-ClientIP", "X-ProxyUser-Ip"),
    ],
)
def test_through_a_proxy_on_this_machine_the_token_is_needed(header: str, serve: Serve) -> None:
    assert outcome(serve().get(GONE, headers={header: "127.0.0.1"})) == NO_TOKEN
    passed = {header: "127.0.0.1", "X-Token": "s3cret"}
    assert outcome(serve(TOKEN="s3cret").get(GONE, headers=passed)) == FOUND_NOTHING


@pytest.mark.parametrize("host", ["192.168.1.5:8080", "203.0.113.7", "[2001:db8::1]:80"])
def test_by_an_address_that_others_can_reach_the_token_is_needed(host: str, serve: Serve) -> None:
    assert outcome(serve().get(GONE, headers={"Host": host})) == NO_TOKEN
    headers = {"Host": host, "X-Token": "s3cret"}
    assert outcome(serve(TOKEN="s3cret").get(GONE, headers=headers)) == FOUND_NOTHING


def test_under_a_name_that_others_can_reach_the_token_is_needed(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    client = serve(TRUSTED_HOSTS="stash.lan")
    assert outcome(client.get(GONE, headers={"Host": "stash.lan"})) == NO_TOKEN
    (token,) = re.findall(r"X-Token: (\S{20,})", caplog.text)
    headers = {"Host": "stash.lan", "X-Token": token}
    assert outcome(client.get(GONE, headers=headers)) == FOUND_NOTHING


PROXY = {"REMOTE_ADDR": "10.0.0.2"}


def test_what_a_trusted_proxy_says_of_the_host_is_believed_and_of_others_is_not(
    serve: Serve,
) -> None:
    settings = {"TOKEN": "off", "TRUSTED_HOSTS": "stash.lan", "TRUSTED_PROXIES": "10.0.0.0/30, ::1"}
    client = serve(**settings)
    passed = {"Host": "127.0.0.1", "X-Forwarded-Host": "evil.example, stash.lan"}
    assert outcome(client.get(GONE, headers=passed, environ_base=PROXY)) == FOUND_NOTHING
    for address in ("10.0.0.9", "127.0.0.1"):
        response = client.get(GONE, headers=passed, environ_base={"REMOTE_ADDR": address})
        assert outcome(response) == (421, "untrusted_host"), address


def test_a_host_of_a_trusted_proxy_that_is_none_is_refused_and_no_fault(serve: Serve) -> None:
    client = serve(TOKEN="off", TRUSTED_HOSTS="stash.lan", TRUSTED_PROXIES="10.0.0.2")
    for host in ("[", "[::1", "http://[", "a b"):
        response = client.get(GONE, headers={"X-Forwarded-Host": host}, environ_base=PROXY)
        assert outcome(response) == (421, "untrusted_host"), host


def test_wrong_tokens_are_slowed_by_address(serve: Serve) -> None:
    client = serve(TOKEN="s3cret")
    good, bad = {"X-Token": "s3cret"}, {"Authorization": "Bearer guess 11"}
    for number in range(10):
        path = "/ready" if number % 2 else GONE
        guess = {"Authorization": f"Bearer guess {number}"}
        client.get(path, headers=guess, environ_base=ELSEWHERE)
    for path in (GONE, "/ready", "/health"):
        for headers in (good, bad):
            response = client.get(path, headers=headers, environ_base=ELSEWHERE)
            assert outcome(response) == (429, "too_many_guesses")
            assert response.headers["Retry-After"] == "60"
    assert outcome(client.get(GONE, headers=good)) == FOUND_NOTHING
    assert client.get("/health", environ_base=ELSEWHERE).status_code == 200
    assert outcome(client.get(GONE, environ_base=ELSEWHERE)) == NO_TOKEN


def test_guesses_through_a_trusted_proxy_count_for_who_sent_them(serve: Serve) -> None:
    client = serve(TOKEN="s3cret", TRUSTED_PROXIES="10.0.0.2")

    def ask(passed: str, token: str, remote: str = "10.0.0.2") -> tuple[int, str]:
        headers = {"X-Forwarded-For": passed, "X-Token": token}
        return outcome(client.get(GONE, headers=headers, environ_base={"REMOTE_ADDR": remote}))

    for number in range(10):
        ask(
            f"9.9.9.{number}, 203.0.113.5", f"guess {number}"
        )  # what the guesser made up comes first
    assert ask("203.0.113.5", "s3cret")[0] == 429
    assert ask("203.0.113.5:4711", "s3cret")[0] == 429  # some proxies name the port, too
    assert ask("203.0.113.6:4711", "s3cret") == FOUND_NOTHING
    assert ask("203.0.113.6", "s3cret") == FOUND_NOTHING
    for number in range(10):
        ask(f"203.0.113.{number}", f"guess {number}", remote="192.0.2.9")  # no proxy of ours
    assert ask("203.0.113.77", "s3cret", remote="192.0.2.9")[0] == 429


def test_a_preflight_is_answered_to_named_origins_alone(serve: Serve) -> None:
    client = serve(ORIGINS="https://stash.example", TOKEN="s3cret")
    named = client.options("/", headers={"Origin": "https://stash.example"})
    assert named.status_code == 204
    assert "X-Token" in named.headers["Access-Control-Allow-Headers"]
    other = client.options("/", headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in other.headers
    assert other.status_code == 401


@pytest.mark.parametrize(
    "kind", ["application/x-www-form-urlencoded", "application/json", "multipart/form-data", "x/y"]
)
def test_a_large_body_is_refused_and_not_a_fault(kind: str, serve: Serve) -> None:
    client = serve()
    body = b"path=" + b"a" * 200_000
    response = client.post("/", data=body, content_type=kind)
    assert outcome(response) == (413, "request_too_large")


def test_a_body_without_an_end_is_not_read_for_long(serve: Serve) -> None:
    body = _Endless()
    response = serve().post(
        "/",
        content_type="application/x-www-form-urlencoded",
        environ_overrides={
            "wsgi.input": body,
            "wsgi.input_terminated": True,
            "CONTENT_LENGTH": "",
        },
    )
    assert response.status_code in {400, 413}
    assert body.read_bytes <= 200_000


class _Endless:
    """A body without an end."""

    read_bytes = 0

    def read(self, size: int = -1) -> bytes:
        assert size >= 0, "nobody may ask for all of it"
        self.read_bytes += size
        return b"a" * size

    readline = read


def test_every_answer_tells_browsers_to_keep_their_hands_off(serve: Serve) -> None:
    client = serve()
    for url in ("/health", GONE, "/nothing", "/openapi.json"):
        headers = client.get(url).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        *[(host, True) for host in ("127.0.0.1", "localhost", "::1", "127.8.8.8")],
        *[(host, False) for host in ("0.0.0.0", "::", "192.168.0.1", "nas")],
    ],
)
def test_loopback_is_told_from_the_world(host: str, *, ours: bool) -> None:
    assert is_loopback(host) == ours


def request_lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    lines = [JsonLines().format(one) for one in caplog.records if one.name == "function.web.logs"]
    assert all("\n" not in line for line in lines)
    return [json.loads(line) for line in lines]


def test_each_request_is_one_line_of_json(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    client = serve()
    client.get("/?path=text.mp4", headers={"X-Request-Id": "abc-1"})
    (line,) = request_lines(caplog)
    assert line["request"] == "abc-1"
    assert (line["status"], line["code"]) == (422, "unreadable_video")
    assert line["path"] == "text.mp4"
    assert line["severity"] == "INFO"
    assert line["seconds"]["total"] > 0
    expected = {"frames", "faces", "people", "method", "route", "time", "logger", "message"}
    assert expected <= set(line)


def test_control_characters_never_reach_the_log() -> None:
    record = logging.LogRecord("x", 20, "", 0, "a\x1b[2Jb\nc\u202ed\x00", None, None)
    record.fields = {"path": "sub/\x1b]0;evil\x07\r\n.mp4"}
    line = json.loads(JsonLines().format(record))
    for text in (line["message"], line["path"]):
        assert text.isprintable()
    assert JsonLines().format(record).isascii()


def test_an_id_that_is_no_plain_word_is_replaced() -> None:
    assert request_id("0af7651916cd43dd") == "0af7651916cd43dd"
    for asked in (None, "", "a b", "a\n", "x" * 65, "é"):
        assert re.fullmatch("[0-9a-f]{32}", request_id(asked))


def test_metrics_count_what_was_answered(serve: Serve) -> None:
    client = serve(SLOTS="3")
    client.get(GONE)
    text = client.get("/metrics").get_data(as_text=True)
    found = 'recognition_requests_total{code="video_not_found",route="/",status="404"} 1.0'
    assert found in text
    assert "recognition_slots 3.0" in text
    assert "recognition_slots_busy 0.0" in text
    assert "gone.mp4" not in text


def test_the_description_is_of_the_real_routes_and_parameters(serve: Serve) -> None:
    client = serve()
    described = client.get("/openapi.json").get_json()
    assert "/openapi.json" in client.get("/nothing").get_json()["error"]["message"]
    for route, operations in described["paths"].items():
        for method in ("get", "head", "post", "put", "delete"):
            response = client.open(route, method=method.upper())
            assert (response.status_code == 405) == (method not in operations), (route, method)
            if response.status_code == 405:
                allowed = response.headers["Allow"].lower().split(", ")
                assert set(allowed) == set(operations)
    names = [one["name"] for one in described["paths"]["/"]["get"]["parameters"]]
    assert names == [*PARAMETERS]


def test_the_description_holds_every_field_of_an_answer() -> None:
    operation = describe({"/": {"GET"}})["paths"]["/"]["get"]
    person = operation["responses"]["200"]["content"]["application/json"]["schema"]["items"]
    assert person["properties"]["verdict"] == {"enum": ["match", "uncertain", "unknown"]}
    match = person["properties"]["matches"]["items"]
    fields = {"name", "poster", "score", "urls", "id", "hints", "stash_ids", "sources"}
    assert set(match["required"]) == fields
    assert match["properties"]["hints"]["items"] == {"enum": ["path", "tag"]}
    assert "empty if nothing did" in match["description"]
