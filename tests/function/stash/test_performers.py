from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from db.sqlite import notes
from db.sqlite.forgetting import forget
from db.sqlite.store import StoredGallery
from function.imports.photos import Demands
from function.imports.reports import Report
from function.sources.downloads import Downloads
from function.sources.records import SourceRecord, UnusableSourceError
from function.stash.client import Stash
from function.stash.performers import Wanted, read_performers
from tests.support.engines import QuickEngine, made_up_photo
from tests.support.graphql_server import Answer, StandIn, serving
from tests.support.stash_server import image, in_stash, stash
from tools.imports.enrol import enrol_all
from tools.imports.imports import import_records

EVERYONE = Wanted()
BOX = "https://stashdb.org/graphql"


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("function.sources.retries.FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr("function.sources.retries.LONGEST_PAUSE_SECONDS", 0.01)


@pytest.fixture
def people() -> list[dict[str, Any]]:
    ada = in_stash(
        1,
        "Ada",
        disambiguation="poet's child",
        alias_list=["Countess"],
        urls=["https://example.org/ada"],
        stash_ids=[{"endpoint": BOX, "stash_id": "uuid-ada"}],
        images=[image("/image/1"), image("/image/2", is_video=True), image("/image/3")],
        favorite=True,
    )
    eve = in_stash(2, "Eve", tags=[{"id": "9", "name": "enrol me"}])
    nobody = in_stash(3, "Nobody", image_path="http://x/performer/3/image?default=true")
    return [ada, eve, nobody]


@pytest.fixture
def server(people: list[dict[str, Any]]) -> Iterator[StandIn]:
    with serving(stash(people)) as running:
        for number, path in enumerate(("/performer/1/image", "/performer/2/image", "/image/1")):
            running.photos[path] = Answer(made_up_photo(number))
        running.photos["/image/3"] = Answer(made_up_photo(9))
        yield running


def read(server: StandIn, wanted: Wanted = EVERYONE) -> list[SourceRecord]:
    return list(read_performers(Stash(server.url, "right"), wanted, Downloads()))


def enrol(
    server: StandIn, gallery: StoredGallery, wanted: Wanted = EVERYONE, url: str = ""
) -> Report:
    source = Stash(url or server.url, "right")
    records = read_performers(source, wanted, Downloads([source.own_server]))
    return import_records(records, gallery, QuickEngine(), Demands(), kind="stash")


def test_performers_come_with_all_that_stash_knows(server: StandIn) -> None:
    ada, eve, nobody = read(server, Wanted(images=5))
    assert ada.performer.aliases == ("Countess",)
    assert ada.performer.disambiguation == "poet's child"
    assert ada.performer.urls == ("https://example.org/ada",)
    assert ada.performer.stash_ids == ((BOX, "uuid-ada"),)
    assert [photo.origin.removeprefix(server.url) for photo in ada.photos] == [
        "/performer/1/image?t=1",
        "/image/1",
        "/image/3",
    ]
    assert len(eve.photos) == 1
    assert nobody.photos == ()


def test_every_page_is_read(server: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("function.stash.pages.PER_PAGE", 2)
    assert [record.performer.name for record in read(server)] == ["Ada", "Eve", "Nobody"]
    assert [asked["variables"]["page"] for asked in server.queries] == [1, 2]


def test_favourites_and_a_tag_narrow_it_down(server: StandIn) -> None:
    assert [one.performer.name for one in read(server, Wanted(favorites=True))] == ["Ada"]
    assert [one.performer.name for one in read(server, Wanted(tag="enrol me"))] == ["Eve"]
    with pytest.raises(UnusableSourceError, match="no tag 'gone'"):
        read(server, Wanted(tag="gone"))


def test_only_what_changed_since_is_asked_for(server: StandIn) -> None:
    since = "2026-01-01T00:00:02Z"
    assert [one.performer.name for one in read(server, Wanted(since=since))] == ["Nobody"]
    assert Stash(server.url, "right").newest_performer_change() == "2026-01-01T00:00:03Z"


def test_an_import_enrols_and_the_next_one_fetches_nothing_again(server: StandIn) -> None:
    with StoredGallery() as gallery:
        counts = enrol(server, gallery, Wanted(images=5)).counts()
        assert (counts["added"], counts["not_added"], counts["photos"]) == (2, 1, 4)
        fetched = len(server.photo_requests)
        counts = enrol(server, gallery).counts()
        assert (counts["unchanged"], counts["added"], counts["photos"]) == (2, 0, 0)
        assert len(server.photo_requests) == fetched
        (ada, *_) = gallery.performers()
        assert notes.journal(gallery)[0][1] == "import stash"
        assert ada.poster_url == f"{server.url}/performer/1/image?t=1"


def test_the_key_goes_along_with_photos_of_the_own_stash_and_stays_out_of_the_gallery(
    people: list[dict[str, Any]], server: StandIn, tmp_path: Path
) -> None:
    people[0]["image_path"] += "&apikey=secret-in-address"
    with StoredGallery(tmp_path / "g.db", create=True) as gallery:
        enrol(server, gallery)
    assert {key for _, key in server.photo_requests} == {"right"}
    assert b"secret-in-address" not in (tmp_path / "g.db").read_bytes()


def test_a_password_in_the_address_of_stash_stays_out_of_the_gallery(
    server: StandIn, tmp_path: Path
) -> None:
    url = server.url.replace("://", "://ada:secret-in-address@")
    with StoredGallery(tmp_path / "g.db", create=True) as gallery:
        enrol(server, gallery, url=url)
        (ada, *_) = gallery.performers()
        assert ada.poster_url == f"{server.url}/performer/1/image?t=1"
        assert server.photo_requests
    assert b"secret-in-address" not in (tmp_path / "g.db").read_bytes()


def test_the_forgotten_are_skipped_and_their_photos_not_fetched(server: StandIn) -> None:
    with StoredGallery() as gallery:
        enrol(server, gallery)
        forget(gallery, gallery.find_performer("Ada"))
        server.photo_requests.clear()
        report = enrol(server, gallery).to_json()
        assert (report["forgotten"], report["refused"]) == (["Ada"], [])
        assert not [path for path, _ in server.photo_requests if path == "/performer/1/image"]


def test_busy_answers_are_waited_out(server: StandIn) -> None:
    server.troubles = [
        Answer(status=429, headers={"Retry-After": "0"}),
        Answer(status=503),
        Answer(status=429, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}),
    ]
    assert len(read(server)) == 3
    server.troubles = [Answer(status=500)] * 5
    with pytest.raises(UnusableSourceError, match="answered 500"):
        read(server)


def test_a_few_photos_are_fetched_at_once_but_not_many(
    people: list[dict[str, Any]], server: StandIn
) -> None:
    for number in range(10, 26):
        people.append(in_stash(number, f"P{number}"))
        photo = Answer(made_up_photo(number), delay_seconds=0.05)
        server.photos[f"/performer/{number}/image"] = photo
    with StoredGallery() as gallery:
        assert enrol(server, gallery).counts()["added"] == 18
    assert 2 <= server.busiest <= 4


def test_photos_that_are_missing_broken_or_no_pictures_are_named_and_the_rest_goes_on(
    people: list[dict[str, Any]], server: StandIn
) -> None:
    broken = {
        4: (Answer(b"<html>", media_type="text/html"), "answered text/html"),
        5: (Answer(b"", status=404), "answered 404"),
        6: (Answer(b""), "the file is empty"),
        7: (Answer(b"\xff\xd8 cut", claimed_bytes=10_000), "disconnected"),
        8: (Answer(status=503), "answered 503"),
        9: (Answer(status=302, headers={"Location": "http://169.254.169.254/"}), "private address"),
        10: (Answer(status=302, headers={"Location": "/performer/10/image"}), "redirects"),
        11: (Answer(status=302, headers={"Location": "file:///etc/passwd"}), "http or https only"),
    }
    for number, (answer, _) in broken.items():
        people.append(in_stash(number, f"P{number}"))
        server.photos[f"/performer/{number}/image"] = answer
    with StoredGallery() as gallery:
        report = enrol(server, gallery)
        refused = {one["performer"]: one["reason"] for one in report.to_json()["refused"]}
        assert report.counts()["added"] == 2
    for number, (_, reason) in broken.items():
        assert reason in refused[f"P{number}"]
    assert report.is_incomplete


def test_an_import_that_breaks_off_reports_what_is_done_and_the_next_goes_on(
    server: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("function.stash.pages.PER_PAGE", 1)
    answer = server.answer_query

    def break_off(asked: dict[str, Any], key: str) -> Answer:
        return Answer(status=500) if asked["variables"].get("page") == 2 else answer(asked, key)

    with StoredGallery() as gallery:
        with monkeypatch.context() as broken:
            broken.setattr(server, "answer_query", break_off)
            report = enrol(server, gallery)
        assert "answered 500" in report.stopped
        assert report.counts()["added"] == 1
        counts = enrol(server, gallery).counts()
        assert (counts["added"], counts["unchanged"]) == (1, 1)


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (Answer(b"<html>log in</html>", media_type="text/html"), "text/html, not GraphQL"),
        (Answer(b"{", media_type="application/json"), "not GraphQL"),
        (Answer(b"[]", media_type="application/json"), "not GraphQL"),
        (Answer(b'{"data": null}', media_type="application/json"), "answered without data"),
        (Answer(status=302, headers={"Location": "https://x/?key=s"}), "redirects to https://x/"),
        (Answer(status=401), "refused the API key"),
        (Answer(b"gone", 404, "text/plain"), "answered 404 with text/plain"),
    ],
)
def test_what_is_no_stash_says_so_in_one_line(
    server: StandIn, answer: Answer, complaint: str
) -> None:
    server.troubles = [answer]
    with pytest.raises(UnusableSourceError, match=complaint) as raised:
        read(server)
    assert "right" not in str(raised.value).split()
    assert "key=s" not in str(raised.value)


def test_a_wrong_key_and_an_address_where_nothing_answers_are_named(server: StandIn) -> None:
    with pytest.raises(UnusableSourceError, match="refused the API key"):
        Stash(server.url, "wrong").newest_performer_change()
    with pytest.raises(
        UnusableSourceError, match=r"^Stash at http://127\.0\.0\.1\S+ does not answer"
    ):
        Stash("http://127.0.0.1:9", "right").newest_performer_change()
    with pytest.raises(UnusableSourceError, match="is not a full URL"):
        Stash("ftp://localhost", "right")


def test_a_schema_that_lacks_a_field_is_named_with_the_remedy(
    server: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "function.stash.documents.NEWEST_PERFORMER", "query { findPerformers { performerz } }"
    )
    with pytest.raises(UnusableSourceError, match=r"Cannot query field 'performerz'.*Update Stash"):
        Stash(server.url, "right").newest_performer_change()


def test_one_record_after_another_is_in_the_gallery_when_it_is_reported(server: StandIn) -> None:
    source = Stash(server.url, "right")
    records = read_performers(source, Wanted(), Downloads([source.own_server]))
    with StoredGallery() as gallery:
        for count, enrolment in enumerate(enrol_all(records, gallery, QuickEngine()), 1):
            assert len(gallery.performers()) == min(count, 2), enrolment
