from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from db.records import Identity
from db.sqlite.store import StoredGallery
from function.sources.downloads import Downloads, OwnServer
from function.sources.records import Refusal, SourceRecord, UnusableSourceError
from function.sources.retries import Throttle
from function.sources.stash_box import StashBox
from tests.support.engines import QuickEngine, made_up_photo
from tests.support.galleries import encoding, performer
from tests.support.graphql_server import Answer, StandIn, serving
from tests.support.stash_box_server import in_box, stash_box
from tools.imports.enrol import enrol_all


@pytest.fixture
def people() -> list[dict[str, Any]]:
    return [
        in_box("a", "Ada", disambiguation="poet's child", merged_ids=["old"], aliases=["Countess"]),
        in_box("b", "Bob", disambiguation="builder"),
        in_box("c", "Bob", disambiguation="painter"),
        in_box("old", "Ada L.", merged_into_id="a", deleted=True),
        in_box("gone", "Gone", deleted=True),
        in_box("loop", "Loop", merged_into_id="loop"),
    ]


@pytest.fixture
def server(people: list[dict[str, Any]]) -> Iterator[StandIn]:
    with serving(stash_box(people)) as running:
        sizes = ((400, 300), (1200, 900))
        people[0]["images"] = [
            {"id": str(width), "url": f"{running.url}/i/{width}", "width": width, "height": height}
            for width, height in sizes
        ]
        for width, _ in sizes:
            running.photos[f"/i/{width}"] = Answer(made_up_photo(width))
        yield running


def own(server: StandIn) -> Downloads:
    return Downloads([OwnServer(httpx.URL(server.url))])


def read(server: StandIn, *ids: str) -> list[SourceRecord | Refusal]:
    return list(StashBox(server.url, "right").read_ids(ids, Downloads()))


def test_a_performer_comes_by_id_with_the_largest_pictures_first(server: StandIn) -> None:
    (ada,) = read(server, "a")
    assert isinstance(ada, SourceRecord)
    assert (ada.performer.name, ada.performer.aliases) == ("Ada", ("Countess",))
    assert [photo.origin[-4:] for photo in ada.photos] == ["1200", "/400"]
    assert [asked["variables"] for asked in server.queries] == [{"id": "a"}]


def test_who_was_merged_is_followed_and_tied_to_the_former_id(server: StandIn) -> None:
    former = performer("Ada L.", "old", source=server.url)
    with StoredGallery() as gallery:
        gallery.enrol(former, [encoding(1)], None)
        records = StashBox(server.url, "right").read_ids(["old"], own(server))
        (outcome,) = enrol_all(records, gallery, QuickEngine())
        assert (outcome.change, outcome.added_photos) == ("updated", 2)
        (ada,) = gallery.performers()
        assert set(ada.stash_ids) == {Identity(server.url, "old"), Identity(server.url, "a")}


def test_who_was_deleted_or_never_there_is_refused(server: StandIn) -> None:
    reasons = [one.reason for one in read(server, "gone", "nowhere", "loop")]  # type: ignore[union-attr]
    assert reasons[:2] == [
        "deleted at the stash-box",
        "the stash-box does not have this id",
    ]
    assert "merged" in reasons[2]


def test_a_name_must_be_exact_and_of_one_person(server: StandIn) -> None:
    box = StashBox(server.url, "right")
    ada, bob, nobody = box.read_names(["ADA", "Bob", "Ad"], Downloads())
    assert isinstance(ada, SourceRecord)
    assert isinstance(bob, Refusal)
    assert bob.reason == "2 performers have this name; give --id: b (builder); c (painter)"
    assert isinstance(nobody, Refusal)
    assert nobody.reason == "the stash-box has no performer with exactly this name"


def test_an_older_stash_box_is_asked_for_names_as_it_knows(people: list[dict[str, Any]]) -> None:
    with serving(stash_box(people, is_older=True)) as server:
        box = StashBox(server.url, "right")
        found = list(box.read_names(["Ada", "Gone", "Ada"], Downloads()))
        assert [isinstance(one, SourceRecord) for one in found] == [True, False, True]
        assert len(server.queries) == 4, "what it does not know is asked once"


@pytest.mark.parametrize("is_older", [False, True])
def test_a_name_is_found_among_many_that_resemble_it(*, is_older: bool) -> None:
    many = [in_box(str(number), f"Ada {number}") for number in range(20)]
    with serving(stash_box([*many, in_box("a", "Ada")], is_older=is_older)) as server:
        (ada,) = StashBox(server.url, "right").read_names(["Ada"], Downloads())
    assert isinstance(ada, SourceRecord)


@pytest.mark.parametrize(
    "said", [b"token is malformed: too few segments", b"token signature is invalid"]
)
def test_a_key_that_a_stash_box_calls_its_own_fault_is_said_to_be_wrong(
    server: StandIn, monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    monkeypatch.setattr(server, "execute", lambda _: Answer(said, 500, "text/plain"))
    monkeypatch.setattr("function.sources.retries.FIRST_PAUSE_SECONDS", 0.001)
    with pytest.raises(UnusableSourceError, match=r"refused the API key \(500\)"):
        read(server, "a")


def test_requests_keep_to_240_a_minute() -> None:
    pauses: list[float] = []
    throttle = Throttle(240, pauses.append)
    for _ in range(5):
        throttle.wait()
    assert len(pauses) == 4
    assert pauses[0] == pytest.approx(0.25, abs=0.05)
    assert pauses[3] == pytest.approx(1.0, abs=0.05)
