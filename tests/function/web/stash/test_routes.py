"""What the plugin asks: who is in a scene, and what is written there."""

import base64
import io
import json
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image

from db.people import PersonFound
from db.records import Performer
from db.tasks import Task
from function.library.albums import fingerprint_of
from function.library.forgetting import forget_everywhere
from function.sources import graphql
from function.sources.records import RefusedError
from function.stash.albums import queue_album, read_album_file
from function.stash.client import Stash
from function.stash.queueing import UNDER_WAY
from function.stash.settling import settle
from function.stash.syncing import NO_PHOTO
from function.stash.worker import MOST_QUEUED, TaskWorker
from function.version import VERSION
from function.web.page_requests import PAGE_HEADER
from function.web.stash import changes, desk, looks, undos
from tests.support.servers import Serve, serving
from tests.support.stash_libraries import StashLibrary, stash_library
from tests.support.stash_server import Answer, FakeStash
from tests.support.stash_server import serving as serving_stash

IN_TIME_SECONDS = 30.0
PLUGINS_SERVER = Path(__file__).parents[4] / "stash/recognition_server.py"

Ask = Callable[..., Any]


@pytest.fixture
def library(tmp_path: Path) -> Iterator[StashLibrary]:
    with stash_library(tmp_path) as made:
        yield made


@pytest.fixture
def serve(library: StashLibrary) -> Iterator[Serve]:
    with serving(**library.settings()) as start:
        yield start


@pytest.fixture
def client(serve: Serve) -> FlaskClient:
    return serve()


@pytest.fixture
def ask(client: FlaskClient) -> Ask:
    """Ask a route, and return what it answers; an error's code if `fails`."""

    def ask(route: str, *, fails: bool = False, **body: Any) -> Any:
        reply = client.post(f"/stash/{route}", json=body, headers={PAGE_HEADER: "1"})
        if fails:
            assert reply.status_code >= 400
            return reply.get_json()["error"]["code"]
        assert reply.status_code == 200, reply.text
        return reply.get_json()

    return ask


def asked(library: StashLibrary, scene: str) -> dict[str, Any]:
    """A scene as the plugin sends it."""
    files = library.fake.scenes[scene]["files"]
    return {
        "id": scene,
        "files": [
            {
                "path": one["path"],
                "size": one["size"],
                "oshash": next((it["value"] for it in one["fingerprints"]), ""),
            }
            for one in files
        ],
    }


def pictured(person: PersonFound) -> PersonFound:
    """The same person with a real picture."""
    picture = io.BytesIO()
    Image.new("RGB", (64, 64), "gray").save(picture, "JPEG")
    return replace(person, picture=picture.getvalue())


def names(view: Any) -> list[list[str]]:
    return [[match["name"] for match in one["matches"]] for one in view["people"]]


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + IN_TIME_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("data", [{}, {"version": None}, {"version": {"version": "v" * 1000}}])
def test_a_stash_that_says_no_version_is_said_not_to_answer(
    library: StashLibrary, client: FlaskClient, data: dict[str, Any]
) -> None:
    answer = json.dumps({"data": data}).encode()
    library.fake.troubles.append(Answer(answer, media_type="application/json"))
    reply = client.get("/stash/status")
    assert reply.status_code == 200
    assert reply.get_json()["stash_version"] == ""


def test_stashs_page_is_sent_no_picture_from_elsewhere_and_no_link_that_runs(
    library: StashLibrary, ask: Ask
) -> None:
    scene = library.scene("a.mp4", [library.person(1)])
    addresses = json.dumps(["javascript:alert(1)", "https://example.org/p1"])
    with closing(sqlite3.connect(library.gallery_path)) as raw:
        raw.execute("UPDATE performers SET poster_url = 'http://router/', urls = ?", (addresses,))
        raw.execute("UPDATE performers SET thumbnail = NULL")
        raw.execute("UPDATE counters SET value = value + 1 WHERE name = 'generation'")
        raw.commit()
    (match, *_) = ask("view", scene=asked(library, scene))["people"][0]["matches"]
    assert (match["poster"], match["urls"]) == ("", ["https://example.org/p1"])


def test_a_scene_is_shown_with_everyone_in_it(library: StashLibrary, ask: Ask) -> None:
    people = [library.person(1), library.person(2, 10), library.person(None, 20)]
    scene = library.scene("a.mp4", people, performers=[library.in_stash[2]])
    view = ask("view", scene=asked(library, scene))
    assert (view["state"], view["written"], view["stash"]) == ("done", 0, "")
    first, second, stranger = view["people"]
    by_name = {one["matches"][0]["name"]: one for one in (first, second)}
    assert by_name["P1"]["tagged"] is False
    assert by_name["P2"]["tagged"] is True
    assert by_name["P1"]["matches"][0]["stash_id"] == library.in_stash[1]
    assert by_name["P1"]["matches"][0]["performer"] == str(library.ids[1])
    assert by_name["P1"]["appearances"] == [[0.0, 3.0]]
    assert base64.b64decode(by_name["P2"]["image"]) == people[1].picture
    assert (stranger["verdict"], stranger["matches"]) == ("unknown", [])
    bare = ask("view", scene=asked(library, scene), pictures=False)
    assert [one["image"] for one in bare["people"]] == ["", "", ""]


def test_whoever_was_seen_but_not_kept_is_counted(library: StashLibrary, ask: Ask) -> None:
    people = [library.person(1), library.person(None, 10), library.person(None, 20)]
    scene = library.scene("a.mp4", people, strangers=False)
    view = ask("view", scene=asked(library, scene))
    assert names(view) == [["P1"]]
    assert view["strangers_left_out"] == 2
    kept = library.scene("b.mp4", people[:2])
    assert ask("view", scene=asked(library, kept))["strangers_left_out"] == 0


def test_a_scene_is_found_by_its_path_too(library: StashLibrary, ask: Ask) -> None:
    scene = library.scene("a.mp4", [library.person(1)])
    library.fake.scenes[scene]["files"][0]["fingerprints"] = []
    assert names(ask("view", scene=asked(library, scene))) == [["P1"]]


def test_a_small_scene_does_not_show_the_people_of_another_with_its_oshash(
    library: StashLibrary, ask: Ask
) -> None:
    known = library.scene("a.mp4", [library.person(1)])
    one, other = library.root / "a.mp4", library.root / "b.mp4"
    content = one.read_bytes()
    other.write_bytes(content[8:16] + content[:8] + content[16:])
    assert fingerprint_of(bytes(one)) == fingerprint_of(bytes(other))
    with library.ledger() as ledger:
        queue_album(ledger, read_album_file(bytes(one)))
    oshash = fingerprint_of(bytes(other))
    twin = library.fake.add_scene(str(other), oshash=oshash, size=len(content))
    assert names(ask("view", scene=asked(library, known))) == [["P1"]]
    view = ask("view", scene=asked(library, twin))
    assert (view["state"], view["people"]) == ("unseen", [])
    scenes = ask("performer", id=library.in_stash[1])["scenes"]
    assert [scene["id"] for scene in scenes] == [known]


def test_it_is_said_where_a_scene_cannot_be_looked_at(library: StashLibrary, ask: Ask) -> None:
    elsewhere = library.fake.add_scene("/elsewhere/a.mp4", oshash="0c")
    unseen = library.scene("b.mp4")
    with library.ledger() as ledger:
        ledger.empty_queue()
    view = ask("view", scene=asked(library, elsewhere))
    assert view["state"] == "elsewhere"
    assert "does not see the file" in view["reason"]
    assert ask("look", scene=asked(library, elsewhere))["state"] == "elsewhere"
    assert ask("view", scene=asked(library, unseen))["state"] == "unseen"
    assert ask("view", scene={"id": "5", "kind": "image"})["state"] == "elsewhere"
    assert ask("add-sure", scene=asked(library, unseen), fails=True) == "person_not_found"


def test_a_scene_that_somebody_waits_for_is_looked_at(library: StashLibrary, ask: Ask) -> None:
    scene = library.scene("a.mp4")  # no video, as it turns out
    with library.ledger() as ledger:
        ledger.empty_queue()
    assert ask("look", scene=asked(library, scene))["state"] in {"queued", "working", "failed"}
    until(lambda: ask("view", scene=asked(library, scene))["state"] == "failed")
    assert ask("look", scene=asked(library, scene))["state"] == "failed", "it is not tried again"
    assert ask("view", scene=asked(library, scene))["reason"]
    ask("look", scene=asked(library, scene), retry=True)
    until(lambda: ask("view", scene=asked(library, scene))["state"] == "failed")


def test_what_is_outside_the_media_root_is_not_shown(
    library: StashLibrary, serve: Serve, tmp_path: Path
) -> None:
    scene = library.scene("a.mp4", [library.person(1)])
    (tmp_path / "other").mkdir()
    client = serve(MEDIA_ROOT=str(tmp_path / "other"))
    body = {"scene": asked(library, scene)}
    reply = client.post("/stash/view", json=body, headers={PAGE_HEADER: "1"}).get_json()
    assert (reply["state"], reply["people"]) == ("elsewhere", [])


def test_people_are_added_as_the_user_says_and_undone_with_what_was_said(
    library: StashLibrary, ask: Ask
) -> None:
    scene = library.scene("a.mp4", [library.person(None)])
    (person,) = ask("view", scene=asked(library, scene))["people"]
    added = [{"person": person["person"], "performer": str(library.ids[1])}]
    view = ask("add", scene=asked(library, scene), people=added)
    assert library.fake.scenes[scene]["performers"] == [library.in_stash[1]]
    (now,) = view["people"]
    assert (now["tagged"], now["added"], now["decided"]) == (True, True, "confirmed")
    assert view["written"] == 1
    reply = ask("undo", scene=asked(library, scene))
    assert (reply["undone"]["performers"], reply["left"]) == (1, [])
    assert library.fake.scenes[scene]["performers"] == []
    (after,) = ask("view", scene=asked(library, scene))["people"]
    assert (after["decided"], after["matches"]) == ("", [])


def test_who_was_merged_since_is_taken_off_the_scene_by_undo(
    library: StashLibrary, ask: Ask
) -> None:
    double = library.fake.add_performer("Double")
    scene = library.scene("a.mp4", [library.person(1)])
    ask("add-sure", scene=asked(library, scene))
    library.fake.merge_performers(double, library.in_stash[1])
    assert library.fake.scenes[scene]["performers"] == [double]
    assert ask("undo", scene=asked(library, scene))["undone"]["performers"] == 1
    assert library.fake.scenes[scene]["performers"] == []


def test_all_sure_are_added_and_no_other(library: StashLibrary, ask: Ask) -> None:
    people = [library.person(1), library.person(0, 10), library.person(None, 20)]
    scene = library.scene("a.mp4", people)
    view = ask("add-sure", scene=asked(library, scene))
    assert library.fake.scenes[scene]["performers"] == [library.in_stash[1]]
    assert sorted(one["added"] for one in view["people"]) == [False, False, True]
    assert ask("add-sure", scene=asked(library, scene))["written"] == 1
    assert library.fake.writes == ["bulkSceneUpdate"]


def test_a_performer_whom_stash_lacks_is_not_added_but_created(
    library: StashLibrary, ask: Ask
) -> None:
    scene = library.scene("a.mp4", [library.person(0)])
    (person,) = ask("view", scene=asked(library, scene))["people"]
    number, known = person["person"], str(library.ids[0])
    added = [{"person": number, "performer": known}]
    failed = ask("add", scene=asked(library, scene), people=added, fails=True)
    assert (failed, library.fake.writes) == ("correction_refused", [])
    view = ask("create", scene=asked(library, scene), person=number, name="P0", as_performer=known)
    made = library.fake.performers[-1]
    assert (made["name"], made["stash_ids"][0]["stash_id"]) == ("P0", "aa-00")
    assert library.fake.scenes[scene]["performers"] == [str(made["id"])]
    assert view["people"][0]["matches"][0]["stash_id"] == str(made["id"])
    with library.store.gallery() as gallery:
        assert gallery.find_performer("P0").id == library.ids[0], "nobody was doubled"


def test_somebody_new_is_made_enrolled_and_added_and_found_from_then_on(
    library: StashLibrary, ask: Ask
) -> None:
    eve = pictured(library.person(None))
    first, second = (library.scene(name, [eve]) for name in ("a.mp4", "b.mp4"))
    (person,) = ask("view", scene=asked(library, first))["people"]
    boxes = [{"endpoint": "https://box.example/graphql", "stash_id": "e-1"}]
    view = ask(
        "create",
        scene=asked(library, first),
        person=person["person"],
        name=" Eve  New ",
        stash_ids=boxes,
    )
    made = library.fake.performers[-1]
    assert made["stash_ids"] == boxes
    assert made["name"] == "Eve New"
    assert library.fake.photos[f"/performer/{made['id']}/image"].body == eve.picture
    assert library.fake.scenes[first]["performers"] == [str(made["id"])]
    assert (names(view), view["written"]) == ([["Eve New"]], 2)
    other = ask("view", scene=asked(library, second))
    assert names(other) == [["Eve New"]]
    assert other["people"][0]["matches"][0]["stash_id"] == str(made["id"])
    again = ask(
        "create", scene=asked(library, second), person=person["person"], name="Eve New", fails=True
    )
    assert again == "correction_refused"
    same = ask(
        "create",
        scene=asked(library, second),
        person=person["person"],
        name="Eve Other",
        stash_ids=boxes,
        fails=True,
    )
    assert (same, library.fake.performers[-1]) == ("correction_refused", made)
    undone = ask("undo", scene=asked(library, first))["undone"]
    assert (undone["performers"], undone["deleted"]) == (1, 1)
    assert made not in library.fake.performers


@pytest.mark.parametrize(
    "box",
    [
        {"endpoint": "httpx", "stash_id": "1"},
        {"endpoint": "https://box.example/\x1b[2J", "stash_id": "1"},
        {"endpoint": "https://box.example/graphql", "stash_id": "\x1b]0;mine\x07"},
        {"endpoint": "https://box.example/graphql", "stash_id": "1" * 4_001},
        {"endpoint": "https://box.example/graphql", "stash_id": ""},
    ],
)
def test_nobody_is_made_with_an_id_that_no_bundle_may_hold(
    box: dict[str, str], library: StashLibrary, ask: Ask
) -> None:
    scene = library.scene("a.mp4", [pictured(library.person(None))])
    fields = {"scene": asked(library, scene), "person": 0, "stash_ids": [box]}
    assert ask("create", name="Eve", fails=True, **fields) == "bad_parameter"
    assert library.fake.writes == []


def test_whom_stash_has_by_a_stash_id_is_not_made_again_under_the_name_of_the_stash_box(
    library: StashLibrary, ask: Ask
) -> None:
    box = {"endpoint": "https://box.example/graphql", "stash_id": "e-1"}
    library.fake.add_performer("Other", stash_ids=[{**box, "stash_id": "e-2"}])
    there = library.fake.add_performer("Eve at Home", stash_ids=[box])
    scene = library.scene("a.mp4", [pictured(library.person(None))])
    (person,) = ask("view", scene=asked(library, scene))["people"]
    fields = {"scene": asked(library, scene), "person": person["person"], "stash_ids": [box]}
    view = ask("create", name="Eve of the Box", **fields)
    assert names(view) == [["Eve at Home"]]
    assert library.fake.scenes[scene]["performers"] == [there]
    assert "performerCreate" not in library.fake.writes


def test_whom_stash_has_by_a_stash_id_is_not_enrolled_if_they_were_forgotten(
    library: StashLibrary, ask: Ask
) -> None:
    box = {"endpoint": "https://box.example/graphql", "stash_id": "e-1"}
    there = library.fake.add_performer("Eve at Home", stash_ids=[box])
    with library.store.changing() as gallery:
        gallery.enrol(Performer(0, "Eve", source="stash", source_id=there), [], None)
        gallery.forget(gallery.find_performer("Eve"))
    scene = library.scene("a.mp4", [pictured(library.person(None))])
    (person,) = ask("view", scene=asked(library, scene))["people"]
    fields = {"scene": asked(library, scene), "person": person["person"], "stash_ids": [box]}
    assert ask("create", name="Eve of the Box", fails=True, **fields) == "correction_refused"
    assert library.fake.scenes[scene]["performers"] == []


def test_who_has_the_name_of_another_is_told_apart_as_on_the_stash_box(
    library: StashLibrary, ask: Ask
) -> None:
    scene = library.scene("a.mp4", [pictured(library.person(None))])
    (person,) = ask("view", scene=asked(library, scene))["people"]
    fields = {"scene": asked(library, scene), "person": person["person"], "name": "P1"}
    assert ask("create", fails=True, **fields) == "correction_refused"
    view = ask("create", disambiguation=" the painter ", **fields)
    made = library.fake.performers[-1]
    assert (made["name"], made["disambiguation"]) == ("P1", "the painter")
    assert library.fake.scenes[scene]["performers"] == [str(made["id"])]
    assert view["people"][0]["matches"][0]["stash_id"] == str(made["id"])


@pytest.mark.parametrize("how", ["before", "after"])
def test_a_performer_without_an_answer_is_ours_only_if_made_by_us(
    library: StashLibrary, ask: Ask, how: Any
) -> None:
    older = library.fake.add_performer("Eve", disambiguation="the other one")
    scene = library.scene("a.mp4", [pictured(library.person(None))])
    (person,) = ask("view", scene=asked(library, scene))["people"]
    library.fake.fail_write(1, how)
    ask("create", scene=asked(library, scene), person=person["person"], name="Eve", fails=True)
    with library.ledger() as ledger:
        settle(ledger.writes, Stash(library.fake.url, library.fake.api_key))
        ours = [one.thing for one in ledger.writes.of_scene(scene)]
    made = [str(one["id"]) for one in library.fake.performers if one["name"] == "Eve"]
    assert made[0] == older
    assert ours == made[1:]
    assert len(ours) == (how == "after")


@pytest.mark.parametrize("who", [{"name": "Eve"}, {"as_performer": "P0"}])
def test_while_the_gallery_is_held_nobody_is_made_in_stash(
    library: StashLibrary, ask: Ask, who: dict[str, str]
) -> None:
    scene = library.scene("a.mp4", [pictured(library.person(None))])
    (person,) = ask("view", scene=asked(library, scene))["people"]
    if "as_performer" in who:
        who = {"as_performer": str(library.ids[0])}
    before = list(library.fake.performers)
    fields = {"scene": asked(library, scene), "person": person["person"], **who}
    with library.store.changing():
        assert ask("create", fails=True, **fields) == "gallery_unavailable"
    assert library.fake.performers == before


def test_a_performer_of_stash_alone_is_enrolled_from_a_scene(
    library: StashLibrary, ask: Ask
) -> None:
    known = library.fake.add_performer("Known There")
    scene = library.scene("a.mp4", [library.person(None)])
    (found,) = ask("names", text="known")["names"]
    assert found == {"name": "Known There", "stash_id": known, "performer": ""}
    (person,) = ask("view", scene=asked(library, scene))["people"]
    view = ask(
        "create",
        scene=asked(library, scene),
        person=person["person"],
        name=found["name"],
        stash_id=known,
    )
    assert names(view) == [["Known There"]]
    assert library.fake.scenes[scene]["performers"] == [known]
    assert "performerCreate" not in library.fake.writes


def test_what_stash_refuses_is_not_remembered_as_said(library: StashLibrary, ask: Ask) -> None:
    scene = library.scene("a.mp4", [library.person(None)])
    (person,) = ask("view", scene=asked(library, scene))["people"]
    library.fake.fail_write(1, "error")
    added = [{"person": person["person"], "performer": str(library.ids[1])}]
    failed = ask("add", scene=asked(library, scene), people=added, fails=True)
    assert failed == "correction_refused"
    view = ask("view", scene=asked(library, scene))
    assert (view["people"][0]["decided"], view["written"]) == ("", 0)


@pytest.mark.parametrize("why", ["forgotten", "refused"])
def test_of_several_who_are_added_only_whoever_is_left_out_is_not_remembered_as_said(
    library: StashLibrary, ask: Ask, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    scene = library.scene("a.mp4", [library.person(None), library.person(None, 10)])
    first, second = ask("view", scene=asked(library, scene))["people"]
    people = [
        {"person": one["person"], "performer": str(library.ids[number])}
        for one, number in ((first, 1), (second, 2))
    ]
    add_performers, tag_items = changes.add_performers, Stash.tag_items

    def forget_first(*given: Any) -> Any:
        forget_everywhere(library.store, library.own_settings(), library.ids[1])
        return add_performers(*given)

    def refuse_first(*given: Any, add: Any = (), **more: Any) -> Any:
        if library.in_stash[1] in add:
            raise RefusedError("There is no such performer.")
        return tag_items(*given, add=add, **more)

    if why == "forgotten":
        monkeypatch.setattr(changes, "add_performers", forget_first)
    else:
        monkeypatch.setattr(Stash, "tag_items", refuse_first)
    assert ask("add", scene=asked(library, scene), people=people, fails=True) == (
        "correction_refused"
    )
    assert library.fake.scenes[scene]["performers"] == [library.in_stash[2]]
    view = ask("view", scene=asked(library, scene))
    decided = {one["person"]: one["decided"] for one in view["people"]}
    assert decided.pop(first["person"], "") == "", "whoever is forgotten is not even seen"
    assert decided == {second["person"]: "confirmed"}


def test_whom_the_user_rejects_is_not_offered_again(library: StashLibrary, ask: Ask) -> None:
    scene = library.scene("a.mp4", [library.person(1)])
    (person,) = ask("view", scene=asked(library, scene))["people"]
    candidate = person["matches"][0]["performer"]
    view = ask("reject", scene=asked(library, scene), person=person["person"], performer=candidate)
    assert "P1" not in names(view)[0]
    assert view["people"][0]["decided"] == "rejected"
    assert ask("scrape", **asked(library, scene))["performers"] == []


def test_markers_are_made_and_undone_with_the_scene(library: StashLibrary, ask: Ask) -> None:
    scene = library.scene("a.mp4", [library.person(1), library.person(None, 10)])
    people = ask("view", scene=asked(library, scene))["people"]
    numbers = [one["person"] for one in people]
    view = ask("markers", scene=asked(library, scene), people=numbers[:1])
    assert [one["markers"] for one in view["people"]] == [1, 0]
    assert [one["title"] for one in library.fake.markers.values()] == ["P1"]
    failed = ask("markers", scene=asked(library, scene), people=numbers[1:], fails=True)
    assert failed == "correction_refused"
    assert ask("undo", scene=scene)["undone"]["markers"] == 1
    assert not library.fake.markers


def test_scenes_are_listed_in_which_a_performer_is_not_tagged(
    library: StashLibrary, ask: Ask
) -> None:
    untagged = library.scene("a.mp4", [library.person(1)])
    library.scene("b.mp4", [library.person(1)], performers=[library.in_stash[1]])
    library.scene("sub/c.mp4", [library.person(2)])
    reply = ask("performer", id=library.in_stash[1])
    assert [one["id"] for one in reply["scenes"]] == [untagged]
    (row,) = reply["scenes"]
    assert row["appearances"] == [[0.0, 3.0]]
    people = [{"person": row["person"], "performer": row["performer"]}]
    view = ask("add", scene={"id": row["id"]}, people=people)
    assert view["people"][0]["added"] is True
    assert library.fake.scenes[untagged]["performers"] == [library.in_stash[1]]
    assert ask("performer", id="999") == {"scenes": [], "more": 0}


def test_a_scraper_gets_those_who_are_sure(library: StashLibrary, ask: Ask) -> None:
    unknown_to_stash = library.person(0, 20)
    scene = library.scene("a.mp4", [library.person(1), library.person(None, 10), unknown_to_stash])
    body = asked(library, scene)
    found = [{"stored_id": library.in_stash[1], "name": "P1"}]
    assert ask("scrape", kind="scene", **body)["performers"] == found
    assert ask("scrape", min_score=100, **body)["performers"] == []
    assert ask("scrape", kind="image", id="4")["performers"] == []


def test_nothing_is_learned_of_whom_a_scraper_or_the_tab_adds(
    library: StashLibrary, ask: Ask
) -> None:
    one, two = library.in_stash[1], library.in_stash[2]
    scene = library.scene("a.mp4", [library.person(1), library.person(2, 10)], performers=[two])
    other = library.scene("b.mp4", [library.person(1)])
    told = ask("scrape", kind="scene", **asked(library, scene))["performers"]
    assert {it["stored_id"] for it in told} == {one, two}
    assert ask("scrape", kind="scene", min_score=100, **asked(library, other))["performers"] == []
    assert from_us(library) == {scene: {one}}, "the other was tagged before"
    (note,) = library.fake.ui["performerRecognition"].values()
    assert note["times"] == 1, "Stash is left a note that something is written by us"
    ask("add-sure", scene=asked(library, other))
    assert from_us(library) == {scene: {one}, other: {one}}
    (note,) = library.fake.ui["performerRecognition"].values()
    assert note["times"] == 2
    library.fake.edit("scenes", scene, performers=[])
    ask("scrape", kind="scene", **asked(library, scene))
    assert from_us(library) == {scene: {one, two}, other: {one}}, "they are not on it any more"


def from_us(library: StashLibrary) -> dict[str, frozenset[str]]:
    with library.ledger() as ledger:
        found = ledger.writes.all_from_us()
        prints = [one["oshash"] for it in found.by_scene for one in asked(library, it)["files"]]
        assert sorted(found.by_oshash) == sorted(prints), "by their files as well"
        return dict(found.by_scene)


def test_whom_a_scraper_is_told_is_noted_also_while_stash_is_away(
    library: StashLibrary, ask: Ask
) -> None:
    two = library.in_stash[2]
    scene = library.scene("a.mp4", [library.person(2)], performers=[two])
    library.fake.troubles += [Answer(b"away", 500, "text/plain") for _ in range(20)]
    (told,) = ask("scrape", kind="scene", **asked(library, scene))["performers"]
    assert (told["stored_id"], from_us(library)) == (two, {scene: {two}})


def test_a_scraper_waits_for_a_library_that_is_written_and_only_if_it_is_told_anything_new(
    library: StashLibrary, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looks, "TOLD_WITHIN_SECONDS", 0.0)
    scene = library.scene("a.mp4", [library.person(1)])
    body = {"kind": "scene", **asked(library, scene)}
    with locked(library):
        assert ask("scrape", fails=True, **body) == "gallery_unavailable"
    monkeypatch.setattr(looks, "TOLD_WITHIN_SECONDS", 60.0)
    with locked(library) as raw:
        threading.Timer(8.0, raw.rollback).start()
        assert len(ask("scrape", **body)["performers"]) == 1
    assert from_us(library) == {scene: {library.in_stash[1]}}
    monkeypatch.setattr(looks, "TOLD_WITHIN_SECONDS", 0.0)
    with locked(library):
        assert len(ask("scrape", **body)["performers"]) == 1


@contextmanager
def locked(library: StashLibrary) -> Iterator[sqlite3.Connection]:
    """Write into the library, and do not end it."""
    path = library.ledger_path
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as raw:
        raw.execute("BEGIN IMMEDIATE")
        yield raw


@pytest.mark.parametrize("known_by", ["oshash", "path"])
def test_a_scene_of_several_files_is_known_by_any_of_them(
    library: StashLibrary, ask: Ask, known_by: str
) -> None:
    scene = library.scene("a.mp4", [library.person(1)])
    other = {"path": "/elsewhere/b.mp4", "size": 5, "oshash": "f" * 16}
    (file,) = asked(library, scene)["files"]
    known = file | ({"path": "/moved/a.mp4"} if known_by == "oshash" else {"oshash": "e" * 16})
    found = ask("scrape", kind="scene", id=scene, files=[other, known])["performers"]
    assert [one["name"] for one in found] == ["P1"]


def test_names_are_suggested_from_the_gallery_and_from_stash(
    library: StashLibrary, ask: Ask
) -> None:
    library.fake.add_performer("P1 Somebody")
    found = ask("names", text="P1")["names"]
    assert found[0] == {
        "name": "P1",
        "stash_id": library.in_stash[1],
        "performer": str(library.ids[1]),
    }
    assert [one["name"] for one in found] == ["P1", "P1 Somebody"]
    assert ask("names", text="  ")["names"] == []


def test_tasks_are_queued_and_done_and_told_in_the_status(
    library: StashLibrary, ask: Ask, client: FlaskClient
) -> None:
    scene = library.scene("a.mp4", [library.person(1)])
    number = ask("task", kind="apply", min_score=95, tag="Recognised")["task"]

    def status() -> Any:
        return client.get("/stash/status").get_json()

    until(lambda: status()["tasks"][0]["state"] == "done")
    task = status()["tasks"][0]
    assert (task["id"], task["kind"], "P1" in task["text"]) == (number, "apply", False)
    assert status()["connected"] is True
    assert status()["version"] == VERSION
    assert status()["stash_version"].startswith("v")
    (run,) = status()["runs"]
    assert (run["kind"], run["scenes"], run["tags"], run["undone"]) == ("apply", 1, 1, 0)
    assert ask("undo", run=run["id"])["undone"]["performers"] == 1
    assert library.fake.scenes[scene]["performers"] == []
    assert status()["runs"][0]["undone"] >= 2


def test_only_so_many_tasks_wait(
    library: StashLibrary, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TaskWorker, "start", lambda _: None)  # as while Stash does not answer
    for number in range(MOST_QUEUED):
        ask("task", kind="scan", filter={"tag": f"tag {number}"})
    assert ask("task", kind="scan", filter={"tag": "one more"}, fails=True) == "busy"
    with library.ledger() as ledger:
        ledger.tasks.cancel(MOST_QUEUED // 2)
    assert ask("task", kind="scan", filter={"tag": "one more"})["text"] == "Queued."
    assert ask("task", kind="scan", filter={"tag": "two more"}, fails=True) == "busy"


def test_the_status_says_who_has_no_usable_photo_by_number_alone(
    library: StashLibrary, ask: Ask, client: FlaskClient
) -> None:
    number = library.fake.add_performer("Nobody Known")
    ask("task", kind="sync")

    def status() -> Any:
        return client.get("/stash/status").get_json()

    until(lambda: [one for one in status()["tasks"] if one["state"] == "done"])
    missing = {one["stash_id"]: one["reason"] for one in status()["without_photo"]}
    assert missing[number] == NO_PHOTO
    with library.ledger() as ledger:
        assert not any("Nobody" in one.result for one in ledger.tasks.latest())


def test_a_large_undo_is_a_task(
    library: StashLibrary, ask: Ask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(undos, "MOST_AT_ONCE", 1)
    scenes = [library.scene(f"{one}.mp4", [library.person(1)]) for one in range(2)]
    ask("task", kind="apply")
    until(lambda: all(library.fake.scenes[one]["performers"] for one in scenes))
    until(lambda: client.get("/stash/status").get_json()["tasks"][0]["state"] == "done")
    reply = ask("undo")
    assert set(reply) == {"task", "text"}
    until(lambda: not any(library.fake.scenes[one]["performers"] for one in scenes))


def test_an_undo_asks_before_it_takes_back_an_older_run(
    library: StashLibrary, ask: Ask, client: FlaskClient
) -> None:
    scenes = [library.scene(f"{one}.mp4", [library.person(one)]) for one in (1, 2)]

    def last() -> Any:
        return client.get("/stash/status").get_json()["tasks"][0]

    for scene in scenes:
        ask("task", kind="apply", filter={"scenes": [scene]})
        until(lambda: last()["state"] == "done")
    assert ask("undo")["undone"]["performers"] == 1
    asked_about = ask("undo")
    assert "Nothing was taken back" in asked_about["text"]
    until(lambda: (last()["id"], last()["state"]) == (asked_about["task"], "done"))
    assert last()["text"] == asked_about["text"]
    assert [bool(library.fake.scenes[one]["performers"]) for one in scenes] == [True, False]
    assert ask("undo")["undone"]["performers"] == 1
    assert not any(library.fake.scenes[one]["performers"] for one in scenes)


@pytest.mark.parametrize("route", ["task", "undo"])
def test_an_undo_pressed_twice_says_that_one_is_under_way(
    library: StashLibrary, ask: Ask, monkeypatch: pytest.MonkeyPatch, route: str
) -> None:
    scene = library.scene("a.mp4", [library.person(1)])
    ask("add-sure", scene=asked(library, scene))
    monkeypatch.setattr(TaskWorker, "start", lambda _: None)  # as while Stash does not answer
    first = ask("task", kind="undo")
    assert first["text"] == "Queued."
    again: Any = {"kind": "undo"} if route == "task" else {}
    with library.ledger() as ledger:
        for state in ("queued", "working", "waiting"):
            ledger.tasks.change(Task("undo", state=state, id=first["task"]))
            assert ask(route, **again) == {"task": first["task"], "text": UNDER_WAY}
    assert library.fake.scenes[scene]["performers"] == [library.in_stash[1]]
    assert ask("undo", scene=asked(library, scene))["undone"]["performers"] == 1
    with library.ledger() as ledger:
        ledger.tasks.change(Task("undo", state="done", id=first["task"]))
    assert ask("task", kind="undo")["text"] == "Queued."


def test_a_scan_of_scenes_queues_their_files(
    library: StashLibrary, ask: Ask, client: FlaskClient
) -> None:
    scene = library.scene("a.mp4")
    with library.ledger() as ledger:
        ledger.empty_queue()
    ask("task", kind="scan", filter={"scenes": [scene]})
    until(lambda: client.get("/stash/status").get_json()["tasks"][0]["state"] == "done")

    def is_known() -> bool:
        with library.ledger() as ledger:
            return bool(ledger.ids([bytes(library.root / "a.mp4")]))

    until(is_known)


@pytest.mark.parametrize(
    ("route", "body", "code"),
    [
        ("view", {}, "missing_parameter"),
        ("view", {"scene": {"id": 12}}, "bad_parameter"),
        ("view", {"scene": {"id": "x"}}, "bad_parameter"),
        ("view", {"scene": {"id": "1", "kind": "film"}}, "bad_parameter"),
        ("view", {"scene": {"id": "1", "files": ["a"]}}, "bad_parameter"),
        ("view", {"scene": {"id": "1"}, "other": 1}, "bad_parameter"),
        ("add", {"scene": {"id": "1"}, "people": ["a"]}, "bad_parameter"),
        ("task", {"kind": "forget"}, "bad_parameter"),
        ("task", {"kind": "apply", "min_score": 101}, "bad_parameter"),
        ("task", {"kind": "scan", "filter": {"colour": "red"}}, "bad_parameter"),
        ("task", {"kind": "scan", "filter": {"scenes": [1]}}, "bad_parameter"),
        ("task", {"kind": "scan", "filter": {"scenes": []}}, "bad_parameter"),
        ("task", {"kind": "apply", "filter": {"images": ["1"]}}, "bad_parameter"),
        ("task", {"kind": "apply", "filter": {"galleries": ["1"]}}, "bad_parameter"),
        ("task", {"kind": "apply", "pictures": True}, "bad_parameter"),
        ("task", {"kind": "apply", "scene": "1"}, "bad_parameter"),
        ("task", {"kind": "scan", "dry_run": True}, "bad_parameter"),
        ("task", {"kind": "scan", "pictures": True, "filter": {"tag": "x"}}, "bad_parameter"),
        ("task", {"kind": "scan", "filter": {"tag": " "}}, "bad_parameter"),
        ("task", {"kind": "scan", "filter": {"studio": ""}}, "bad_parameter"),
        ("task", {"kind": "scan", "filter": {"path": '""'}}, "bad_parameter"),
        ("task", {"kind": "scan", "filter": {"path": ["a"]}}, "bad_parameter"),
        ("task", {"kind": "undo", "filter": {"scenes": ["1"]}}, "bad_parameter"),
        ("task", {"kind": "undo", "dry_run": True}, "bad_parameter"),
        ("task", {"kind": "sync", "filter": {}}, "bad_parameter"),
        ("task", {"kind": "undo", "run": 2**63}, "bad_parameter"),
        ("task", {"kind": "undo", "run": -1}, "bad_parameter"),
        ("task", {"kind": "sync", "from_scenes": 21}, "bad_parameter"),
        ("undo", {"run": 2**63}, "bad_parameter"),
    ],
)
def test_what_cannot_be_used_is_refused_with_words(
    ask: Ask, route: str, body: dict[str, Any], code: str
) -> None:
    assert ask(route, fails=True, **body) == code


def test_no_change_is_made_without_the_pages_header(
    library: StashLibrary, client: FlaskClient
) -> None:
    scene = library.scene("a.mp4", [library.person(1)])
    reply = client.post("/stash/add-sure", json={"scene": asked(library, scene)})
    assert (reply.status_code, library.fake.writes) == (403, [])


def test_without_a_connection_people_are_shown_and_the_rest_says_why(
    library: StashLibrary, serve: Serve
) -> None:
    scene = library.scene("a.mp4", [library.person(1)])
    client = serve(STASH_URL="", STASH_API_KEY="")
    body, headers = {"scene": asked(library, scene)}, {PAGE_HEADER: "1"}
    view = client.post("/stash/view", json=body, headers=headers).get_json()
    assert names(view) == [["P1"]]
    assert "not connected" in view["stash"]
    refused = client.post("/stash/add-sure", json=body, headers=headers)
    assert (refused.status_code, refused.get_json()["error"]["code"]) == (503, "stash_unavailable")
    status = client.get("/stash/status").get_json()
    assert (status["connected"], status["stash_version"]) == (False, "")
    url = {"url": library.fake.url, "api_key": "right"}
    assert client.post("/stash/connect", json=url, headers=headers).get_json()["scenes"] == 1
    assert client.post("/stash/add-sure", json=body, headers=headers).status_code == 200
    assert library.fake.scenes[scene]["performers"] == [library.in_stash[1]]
    lines = client.post("/stash/check", json={}, headers=headers).get_json()["lines"]
    assert all(one["ok"] for one in lines)


def test_the_plugins_token_connects_the_first_stash_and_no_other(
    library: StashLibrary, serve: Serve
) -> None:
    client = serve(STASH_URL="", STASH_API_KEY="", PLUGIN_TOKEN="plugin", TOKEN="owner")

    def connect(url: str, token: str) -> int:
        headers = {PAGE_HEADER: "1", "X-Token": token}
        body = {"url": url, "api_key": "right"}
        return client.post("/stash/connect", json=body, headers=headers).status_code

    assert connect(library.fake.url, "plugin") == 200
    assert connect(library.fake.url, "plugin") == 200
    with serving_stash(FakeStash()) as other:
        assert connect(other.url, "plugin") == 401
        assert connect(other.url, "owner") == 200


@pytest.mark.parametrize(
    "url", ["http://[", "http://a\x00b", "http://host:99999", "nowhere at all"]
)
def test_an_address_that_is_none_is_refused_with_words(serve: Serve, url: str) -> None:
    client = serve(STASH_URL="", STASH_API_KEY="")
    reply = client.post("/stash/connect", json={"url": url}, headers={PAGE_HEADER: "1"})
    assert (reply.status_code, reply.get_json()["error"]["code"]) == (503, "stash_unavailable")


@pytest.mark.parametrize("trouble", [Answer(status=0), Answer(b"busy", 503, "text/plain")])
@pytest.mark.parametrize("route", ["view", "add", "add-sure", "markers", "undo", "names", "check"])
def test_a_stash_that_does_not_answer_is_asked_once_while_somebody_waits(
    library: StashLibrary, ask: Ask, route: str, trouble: Answer
) -> None:
    scene = library.scene("a.mp4", [library.person(1)])
    whole = asked(library, scene)
    person = {"person": 0, "performer": str(library.ids[1])}
    ask("add", scene=whole, people=[person])
    library.fake.queries.clear()
    library.fake.troubles = [trouble] * 5
    bodies: dict[str, dict[str, Any]] = {
        "add": {"people": [person]},
        "markers": {"people": [0]},
        "names": {"text": "Pe"},
    }
    of_scene = {} if route == "names" else {"scene": whole}
    is_shown = route in ("view", "check")
    told = ask(route, fails=not is_shown, **of_scene, **bodies.get(route, {}))
    words = {"view": "stash", "check": "lines"}.get(route)
    said = told[words] if words else told
    assert said
    assert is_shown or said == "stash_unavailable"
    assert len(library.fake.queries) == 1


def test_an_answer_that_does_not_come_is_given_up_before_the_plugin_gives_up(
    library: StashLibrary, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    (patience,) = re.findall(r"^PATIENCE_SECONDS = (\S+)", PLUGINS_SERVER.read_text(), re.MULTILINE)
    assert float(patience) > 1.5 * graphql.AWAITED_SECONDS
    monkeypatch.setattr(graphql, "AWAITED_SECONDS", 0.2)
    scene = library.scene("a.mp4", [library.person(1)])
    library.fake.troubles = [Answer(b"{}", 200, "application/json", delay_seconds=2.0)]
    started = time.monotonic()
    view = ask("view", scene=asked(library, scene))
    assert time.monotonic() - started < 1.9
    assert "does not answer" in view["stash"]


def test_only_so_many_requests_wait_for_stash(monkeypatch: pytest.MonkeyPatch, ask: Ask) -> None:
    monkeypatch.setattr(desk, "_asking", threading.BoundedSemaphore(1))
    with desk.explained_stash():
        assert ask("names", text="a", fails=True) == "busy"
    assert ask("names", text="P1")["names"]


def test_only_so_many_scenes_are_looked_up_while_somebody_waits(
    library: StashLibrary, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looks, "MOST_SCENES", 1)
    for name in ("a.mp4", "b.mp4"):
        library.scene(name, [library.person(1)])
    reply = ask("performer", id=library.in_stash[1])
    assert (len(reply["scenes"]), reply["more"]) == (1, 1)


def test_no_name_and_no_picture_is_logged(
    library: StashLibrary, ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    scene = library.scene("a.mp4", [library.person(1)])
    ask("view", scene=asked(library, scene))
    ask("add-sure", scene=asked(library, scene))
    ask("undo", scene=asked(library, scene))
    logged = caplog.text
    assert "/stash/view" in logged
    assert "P1" not in logged
    assert library.fake.api_key not in logged
