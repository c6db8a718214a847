import socket

import httpx
import pytest

from function.media.photos import PhotoRefusedError
from function.sources.downloads import Downloads, OwnServer, is_public, without_key
from tests.support.graphql_server import Answer, StandIn, serving
from tests.support.stash_schema import STASH


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "::1",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "::7f00:1",
        "64:ff9b:1::7f00:1",
        "fec0::1",
        "5f00::1",
        "3fff::1",
        "2001:db8::1",
        "192.88.99.1",
        "192.0.0.8",
        "2002:7f00:0001::",
    ],
)
def test_an_address_that_is_not_on_the_internet_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::5db8:d70e"]
)
def test_an_address_on_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1:1/x.jpg", "private address 127.0.0.1"),
        ("http://localhost/x.jpg", "private address"),
        ("http://[::1]/x.jpg", "private address ::1"),
        ("http://2130706433/x.jpg", "private address|no host"),
        ("ftp://example.org/x.jpg", "http or https only"),
        ("file:///etc/passwd", "http or https only"),
        ("http://name.invalid/x.jpg", "there is no host name.invalid"),
        ("http://[/x.jpg", "not fetched"),
    ],
)
def test_a_url_that_should_not_be_asked_is_refused(url: str, reason: str) -> None:
    with pytest.raises(PhotoRefusedError, match=reason):
        Downloads().fetch(url)


def test_another_port_of_the_own_host_is_another_server() -> None:
    with serving(StandIn(STASH, {})) as stash, serving(StandIn(STASH, {})) as other:
        stash.photos["/a"] = Answer(b"picture")
        other.photos["/a"] = Answer(b"secret")
        downloads = Downloads([OwnServer(httpx.URL(stash.url), "key")])
        assert downloads.fetch(f"{stash.url}/a") == b"picture"
        with pytest.raises(PhotoRefusedError, match="private address"):
            downloads.fetch(f"{other.url}/a")
        assert other.photo_requests == []


def test_the_connection_goes_to_the_address_that_was_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A name that resolves to a public address first and to this machine later gains nothing.
    with serving(StandIn(STASH, {})) as server:
        server.photos["/a"] = Answer(b"picture")
        port = int(server.url.rpartition(":")[2])
        resolved: list[str] = []

        def resolve(host: str, *_: object, **__: object) -> list[object]:
            resolved.append(host)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

        monkeypatch.setattr("function.sources.downloads.socket.getaddrinfo", resolve)
        monkeypatch.setattr("function.sources.downloads.is_public", lambda _: True)
        assert Downloads().fetch(f"http://photos.example:{port}/a") == b"picture"
        # Once for our check; the connection was made to the number.
        assert resolved[0] == "photos.example"
        assert set(resolved[1:]) <= {"127.0.0.1"}


def test_a_host_that_has_a_private_address_as_well_is_not_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def resolve(*_: object, **__: object) -> list[object]:
        found = ("93.184.215.14", "127.0.0.1")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 80)) for one in found]

    monkeypatch.setattr("function.sources.downloads.socket.getaddrinfo", resolve)
    with pytest.raises(PhotoRefusedError, match=r"private address 127\.0\.0\.1"):
        Downloads().fetch("http://photos.example/a")


def test_redirects_without_end_are_not_followed() -> None:
    with serving(StandIn(STASH, {})) as server:
        server.photos["/a"] = Answer(status=302, headers={"Location": "/a"})
        with pytest.raises(PhotoRefusedError, match="more than 4 redirects"):
            Downloads([OwnServer(httpx.URL(server.url))]).fetch(f"{server.url}/a")
        assert len(server.photo_requests) == 5


@pytest.mark.parametrize("to", ["http://127.0.0.1:1/x", "file:///etc/passwd", "http://[::1]/x"])
def test_a_redirect_leads_nowhere_that_could_not_be_asked_itself(to: str) -> None:
    with serving(StandIn(STASH, {})) as server:
        server.photos["/a"] = Answer(status=302, headers={"Location": to})
        with pytest.raises(PhotoRefusedError, match=r"private address|http or https only"):
            Downloads([OwnServer(httpx.URL(server.url))]).fetch(f"{server.url}/a")


@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "application/json"])
def test_a_page_is_no_picture(kind: str) -> None:
    with serving(StandIn(STASH, {})) as server:
        server.photos["/a"] = Answer(b"<html>", media_type=kind)
        with pytest.raises(PhotoRefusedError, match="not a picture"):
            Downloads([OwnServer(httpx.URL(server.url))]).fetch(f"{server.url}/a")


def test_a_photo_that_never_ends_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("function.sources.downloads.MAX_PHOTO_BYTES", 1000)
    with serving(StandIn(STASH, {})) as server:
        server.photos["/a"] = Answer(b"x" * 5000)
        with pytest.raises(PhotoRefusedError, match="too large"):
            Downloads([OwnServer(httpx.URL(server.url))]).fetch(f"{server.url}/a")


@pytest.mark.parametrize("address", ["https://a.example/\ud800", "https://\udc80.example/"])
def test_an_address_that_is_no_text_is_refused_like_others(address: str) -> None:
    with pytest.raises(PhotoRefusedError, match="not fetched"):
        Downloads().fetch(address)
    assert without_key(address).isprintable()
