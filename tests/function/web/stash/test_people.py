"""Who is in a scene, and what the plugin does about them."""

import base64
from pathlib import Path
from typing import Any

import pytest

from db.records import Performer
from function.library.albums import fingerprint_of
from function.library.forgetting import forget_everywhere
from function.sources.records import RefusedError
from function.stash.albums import queue_album, read_album_file
from function.stash.client import Stash
from function.stash.settling import settle
from function.web.page_requests import PAGE_HEADER
from function.web.stash import changes
from tests.support.servers import Serve
from tests.support.stash_asking import Ask, asked, names, pictured, until
from tests.support.stash_libraries import StashLibrary


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
