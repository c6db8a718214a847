"""Images and galleries of Stash: who is on them, added by hand, undone, and never by itself."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from db.tasks import Task
from function.library.albums import fingerprint_of
from function.library.jobs import WantedScan
from function.stash.albums import read_album_file
from function.stash.connection import require_connection
from function.stash.options import Options
from function.stash.tasks import Workplace, do_task
from function.web.stash import work
from tests.support.scans import picture_of, write_squares
from tests.support.stash_asking import Ask, names, pictured, until
from tests.support.stash_libraries import StashLibrary

PICTURES = tuple(f"{number}.jpg" for number in range(1, 9))


@pytest.fixture(params=["set", "set.zip"])
def album(library: StashLibrary, request: pytest.FixtureRequest) -> Path:
    """P1 is on the first four of eight pictures, P2 on the rest."""
    return library.album(request.param, PICTURES, [library.person(1), library.person(2, 4)])


def image_in(library: StashLibrary, album: Path, number: int) -> dict[str, Any]:
    """An image of the album, as the plugin sends it."""
    path = f"{album}/{number}.jpg"
    id_ = library.fake.add_image(at=path)
    return {"kind": "image", "id": id_, "files": [{"path": path, "size": 1, "oshash": ""}]}


def gallery_of(library: StashLibrary, album: Path) -> dict[str, Any]:
    id_ = library.fake.add_gallery(str(album))
    return {"kind": "gallery", "id": id_, "files": [{"path": str(album)}]}


def test_a_gallery_shows_everyone_and_on_which_pictures(
    library: StashLibrary,
    album: Path,
    ask: Ask,
) -> None:
    view = ask("view", scene=gallery_of(library, album))
    assert (view["state"], view["written"]) == ("done", 0)
    assert sorted(names(view)) == [["P1"], ["P2"]]
    by_name = {one["matches"][0]["name"]: one for one in view["people"]}
    assert by_name["P1"]["pictures"] == [1, 2, 3, 4]
    assert by_name["P2"]["pictures"] == [5, 6, 7, 8]
    assert by_name["P1"]["appearances"] == []
    assert by_name["P1"]["verdict"] == "uncertain", "nobody has looked"


def test_an_image_shows_who_is_on_it_and_no_other(
    library: StashLibrary,
    album: Path,
    ask: Ask,
) -> None:
    assert names(ask("view", scene=image_in(library, album, 2))) == [["P1"]]
    assert names(ask("view", scene=image_in(library, album, 7))) == [["P2"]]
    inside = image_in(library, album, 99)
    state = "done" if album.suffix else "elsewhere"
    view = ask("view", scene=inside)
    assert (view["state"], view["people"]) == (state, [])


def look_until(ask: Ask, state: str, scene: dict[str, Any], **fields: Any) -> Any:
    """Look at something, and return its view once it is in this state."""
    ask("look", scene=scene, **fields)
    until(lambda: ask("view", scene=scene)["state"] == state)
    return ask("view", scene=scene)


def change(album: Path, content: bytes) -> None:
    """Add a picture to an album."""
    if album.suffix:
        with zipfile.ZipFile(album, "w") as archive:
            archive.writestr("9.png", content)
    else:
        (album / "9.png").write_bytes(content)


def test_a_gallery_that_changed_is_looked_at_again(
    library: StashLibrary,
    album: Path,
    ask: Ask,
) -> None:
    scene = gallery_of(library, album)
    assert not ask("look", scene=scene)["changed"]
    change(album, b"no picture")
    view = ask("view", scene=scene)
    assert (view["state"], view["changed"]) == ("done", True)
    failed = look_until(ask, "failed", scene)
    assert "can" in failed["reason"]
    change(album, picture_of(1))
    assert look_until(ask, "done", scene, retry=True)["people"] == []


@pytest.mark.parametrize("kind", ["image", "scene"])
def test_a_file_that_was_written_anew_is_looked_at_again_also_before_stash_knows(
    library: StashLibrary,
    ask: Ask,
    kind: str,
) -> None:
    path = library.root / ("a.mp4" if kind == "scene" else "a.png")
    path.write_bytes(b"damaged" * 1000)
    oshash = fingerprint_of(bytes(path))
    scene = {"kind": kind, "id": "1", "files": [{"path": str(path), "size": 1, "oshash": oshash}]}
    look_until(ask, "failed", scene)
    if kind == "scene":
        write_squares(path, 1)
    else:
        path.write_bytes(picture_of(1))
    view = ask("view", scene=scene)
    assert (view["state"], view["changed"]) == ("failed", True)
    assert not look_until(ask, "done", scene, retry=True)["changed"]


@pytest.mark.parametrize("kind", ["image", "gallery"])
def test_an_image_is_looked_at_where_its_first_file_is_not_here(
    library: StashLibrary,
    ask: Ask,
    kind: str,
) -> None:
    (library.root / "a.png").write_bytes(picture_of(1))
    files = [{"path": "/elsewhere/a.png"}, {"path": str(library.root / "a.png")}]
    look_until(ask, "done", {"kind": kind, "id": "1", "files": files})


def test_an_album_that_a_link_leads_to_is_queued_with_the_place_where_it_lies(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.png").write_bytes(picture_of(1))
    (tmp_path / "link.png").symlink_to(tmp_path / "a.png")
    assert read_album_file(bytes(tmp_path / "a.png")).real_path == b""
    assert read_album_file(bytes(tmp_path / "link.png")).real_path == bytes(tmp_path / "a.png")


@pytest.mark.parametrize("kind", ["image", "gallery"])
def test_who_is_added_by_hand_is_noted_and_undone(
    library: StashLibrary,
    album: Path,
    ask: Ask,
    kind: str,
) -> None:
    is_image = kind == "image"
    scene = image_in(library, album, 2) if is_image else gallery_of(library, album)
    entries = library.fake.images if is_image else library.fake.galleries
    other = library.fake.add_scene("/data/a.mp4", performers=[library.in_stash[1]])
    number = next(
        one["person"]
        for one in ask("view", scene=scene)["people"]
        if one["matches"][0]["name"] == "P1"
    )
    people = [{"person": number, "performer": str(library.ids[1])}]
    view = ask("add", scene=scene, people=people, tag="Seen")
    assert entries[scene["id"]]["performers"] == [library.in_stash[1]]
    assert len(entries[scene["id"]]["tags"]) == 1
    (added,) = (one for one in view["people"] if one["added"])
    assert (added["verdict"], added["tagged"], view["written"]) == ("match", True, 2)
    with library.ledger() as ledger:
        assert ledger.writes.all_written(scene["kind"]) == {scene["id"]: {library.in_stash[1]}}
        assert ledger.writes.all_written() == {}, "no scene is meant"
    scraped = ask("scrape", kind=kind, id=scene["id"])["performers"]
    assert [one["name"] for one in scraped] == ["P1"]
    assert ask("undo", scene=scene)["undone"]["performers"] == 1
    assert entries[scene["id"]]["performers"] == []
    assert entries[scene["id"]]["tags"] == []
    assert library.fake.scenes[other]["performers"] == [library.in_stash[1]]
    assert ask("scrape", kind=kind, id=scene["id"])["performers"] == []


def test_an_edited_image_is_left_and_named(
    library: StashLibrary,
    album: Path,
    ask: Ask,
) -> None:
    scene = image_in(library, album, 2)
    people = [{"person": 0, "performer": str(library.ids[1])}]
    ask("add", scene=scene, people=people)
    library.fake.edit("images", scene["id"], title="Mine")
    told = ask("undo", scene=scene)
    assert [one["scene"] for one in told["left"]] == [f"image {scene['id']}"]
    assert library.fake.images[scene["id"]]["performers"] == [library.in_stash[1]]


@pytest.mark.parametrize("how", ["before", "after"])
def test_a_write_on_an_image_without_an_answer_is_found_out_later(
    library: StashLibrary,
    album: Path,
    ask: Ask,
    how: Any,
) -> None:
    scene = image_in(library, album, 2)
    library.fake.fail_write(1, how)
    people = [{"person": 0, "performer": str(library.ids[1])}]
    assert ask("add", fails=True, scene=scene, people=people) == "stash_unavailable"
    assert ask("undo", scene=scene)["undone"]["performers"] == (how == "after")
    assert library.fake.images[scene["id"]]["performers"] == []
    with library.ledger() as ledger:
        assert ledger.writes.unsettled() == []


def test_apply_writes_nothing_on_images_and_galleries(library: StashLibrary, album: Path) -> None:
    image_in(library, album, 2)
    gallery_of(library, album)
    task = do(library, "apply", [])
    assert task.text == "Nothing is to be added."
    assert library.fake.writes == []


def test_images_and_galleries_are_queued_each_once_and_loose_images_alone(
    library: StashLibrary, album: Path
) -> None:
    gallery_of(library, album)
    for number in (1, 2):
        image_in(library, album, number)
    loose = library.root / "loose.png"
    loose.write_bytes(picture_of(1))
    library.fake.add_image(at=str(loose))
    library.fake.add_image(at="/elsewhere/x.jpg")
    wanted: list[WantedScan] = []
    task = do(library, "scan", wanted, pictures=True)
    assert json.loads(task.result) == {"files": 2, "missing": 1}
    assert wanted == [WantedScan(())], "what is known as it is, is not queued again"
    with library.ledger() as ledger:
        queued = [one for one in ledger.iterate() if one.state == "queued"]
    assert [(one.kind, one.paths) for one in queued] == [("album", (bytes(loose),))]


def test_what_we_wrote_on_images_enrols_nobody(
    library: StashLibrary,
    album: Path,
    ask: Ask,
) -> None:
    scene = image_in(library, album, 2)
    ask("add", scene=scene, people=[{"person": 0, "performer": str(library.ids[1])}])
    own = library.fake.add_image(picture_of(3), [library.in_stash[1]])
    do(library, "sync", [])
    asked_for = {path for path, _ in library.fake.photo_requests}
    assert f"/image/{own}/image" in asked_for
    assert f"/image/{scene['id']}/image" not in asked_for


@pytest.fixture
def by_hand(library: StashLibrary) -> dict[str, Any]:
    """A gallery made by hand of three images in two albums: P1 is on two of them, P2 on one."""
    both = [library.person(1), library.person(2, 4)]
    album = library.album("set", PICTURES, both)
    other = library.album("other", tuple(f"other {one}" for one in PICTURES), both[:1])
    places = (album / "1.jpg", album / "7.jpg", other / "other 2.jpg")
    images = [library.fake.add_image(at=str(one)) for one in places]
    return {"kind": "gallery", "id": library.fake.add_gallery("", images=images), "files": []}


def test_a_gallery_made_by_hand_shows_who_is_on_its_images_in_the_order_of_their_paths(
    by_hand: dict[str, Any],
    ask: Ask,
) -> None:
    view = ask("view", scene=by_hand)
    assert (view["state"], view["reason"], view["changed"]) == ("done", "", False)
    pictures = {one["matches"][0]["name"]: one["pictures"] for one in view["people"]}
    assert pictures == {"P1": [1, 2], "P2": [3]}


def test_who_is_added_to_a_gallery_made_by_hand_is_noted_and_undone(
    library: StashLibrary,
    by_hand: dict[str, Any],
    ask: Ask,
) -> None:
    (number,) = (
        one["person"]
        for one in ask("view", scene=by_hand)["people"]
        if one["matches"][0]["name"] == "P1"
    )
    people = [{"person": number, "performer": str(library.ids[1])}]
    view = ask("add", scene=by_hand, people=people)
    assert [one["pictures"] for one in view["people"] if one["added"]] == [[1, 2]]
    gallery = library.fake.galleries[by_hand["id"]]
    assert gallery["performers"] == [library.in_stash[1]]
    assert all(one["performers"] == [] for one in library.fake.images.values())
    scraped = ask("scrape", kind="gallery", id=by_hand["id"])["performers"]
    assert [one["name"] for one in scraped] == ["P1"]
    assert ask("undo", scene=by_hand)["undone"]["performers"] == 1
    assert gallery["performers"] == []


def test_who_is_rejected_in_a_gallery_made_by_hand_is_offered_on_none_of_its_images(
    library: StashLibrary,
    by_hand: dict[str, Any],
    ask: Ask,
) -> None:
    (number,) = (
        one["person"]
        for one in ask("view", scene=by_hand)["people"]
        if one["matches"][0]["name"] == "P1"
    )
    view = ask("reject", scene=by_hand, person=number, performer=str(library.ids[1]))
    assert "P1" not in {name for some in names(view) for name in some}


def test_somebody_new_in_a_gallery_made_by_hand_is_created_and_added(
    library: StashLibrary,
    ask: Ask,
) -> None:
    people = [library.person(1), pictured(library.person(None, 4))]
    album = library.album("set", PICTURES, people)
    image = library.fake.add_image(at=str(album / "8.jpg"))
    scene = {"kind": "gallery", "id": library.fake.add_gallery("", images=[image]), "files": []}
    (one,) = ask("view", scene=scene)["people"]
    view = ask("create", scene=scene, person=one["person"], name="Eileen")
    assert (names(view), view["people"][0]["added"]) == ([["Eileen"]], True)
    (made,) = (one for one in library.fake.performers if one["name"] == "Eileen")
    assert library.fake.galleries[scene["id"]]["performers"] == [str(made["id"])]


def test_a_gallery_made_by_hand_is_looked_at_image_by_image(
    library: StashLibrary,
    ask: Ask,
) -> None:
    images = [library.fake.add_image(at="/elsewhere/a.jpg")]
    for number in (1, 2):
        path = library.root / f"{number}.png"
        path.write_bytes(picture_of(number))
        images.append(library.fake.add_image(at=str(path)))
    scene = {"kind": "gallery", "id": library.fake.add_gallery("", images=images), "files": []}
    assert ask("view", scene=scene)["state"] == "unseen"
    view = look_until(ask, "done", scene)
    assert view["reason"] == "Images that this server does not see: 1."


def test_an_image_that_is_new_in_a_gallery_made_by_hand_hides_nobody(
    library: StashLibrary,
    by_hand: dict[str, Any],
    ask: Ask,
) -> None:
    (library.root / "z.png").write_bytes(picture_of(1))
    image = library.fake.add_image(at=str(library.root / "z.png"))
    library.fake.images[image]["galleries"].append(by_hand["id"])
    view = ask("view", scene=by_hand)
    assert (view["state"], view["unseen"]) == ("done", 1)
    assert view["reason"] == "Images that were not looked at yet: 1."
    assert sorted(names(view)) == [["P1"], ["P2"]]
    assert sorted(names(ask("look", scene=by_hand))) == [["P1"], ["P2"]], "while it is looked at"
    view = look_until(ask, "done", by_hand)
    assert (view["unseen"], view["reason"]) == (0, "")


@pytest.mark.parametrize("images", [0, 1])
def test_a_gallery_without_an_image_that_is_here_says_so(
    library: StashLibrary,
    ask: Ask,
    images: int,
) -> None:
    some = [library.fake.add_image(at="/elsewhere/a.jpg") for _ in range(images)]
    gallery = library.fake.add_gallery("", images=some)
    view = ask("look", scene={"kind": "gallery", "id": gallery, "files": []})
    assert view["state"] == "elsewhere"
    assert ("does not see the file" if images else "holds no image") in view["reason"]


def test_of_too_many_images_the_first_are_shown_and_the_others_counted(
    by_hand: dict[str, Any],
    ask: Ask,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(work, "MOST_IMAGES", 2)
    view = ask("view", scene=by_hand)
    assert (names(view), view["reason"]) == ([["P1"]], "Images that are too many: 1.")


def test_chosen_images_and_galleries_are_queued_alone(library: StashLibrary) -> None:
    known = library.album("set", PICTURES, [library.person(1)])
    ids = []
    for name in ("a.png", "b.png", "c.png"):
        (library.root / name).write_bytes(picture_of(1) + name.encode())
        ids.append(library.fake.add_image(at=str(library.root / name)))
    gallery = library.fake.add_gallery("", images=[ids[1], image_in(library, known, 1)["id"]])
    wanted: list[WantedScan] = []
    task = do(
        library,
        "scan",
        wanted,
        pictures=True,
        filter={"images": [ids[0]], "galleries": [gallery]},
    )
    assert json.loads(task.result) == {"files": 3, "missing": 0}
    with library.ledger() as ledger:
        queued = {path for one in ledger.iterate() if one.state == "queued" for path in one.paths}
    assert queued == {bytes(library.root / "a.png"), bytes(library.root / "b.png")}


def test_an_image_whose_album_was_gone_and_is_back_is_looked_at(
    library: StashLibrary, album: Path
) -> None:
    image = image_in(library, album, 2)["id"]
    with library.ledger() as ledger:
        ledger.note_gone([bytes(album)])
    change(album, picture_of(1))
    task = do(library, "scan", [], pictures=True, filter={"images": [image]})
    assert json.loads(task.result) == {"files": 1, "missing": 0}
    with library.ledger() as ledger:
        queued = [path for one in ledger.iterate() if one.state == "queued" for path in one.paths]
    assert queued == [bytes(album)]


def test_an_image_that_was_gone_and_is_back_is_looked_at_as_it_is_now(
    library: StashLibrary,
    album: Path,
    ask: Ask,
) -> None:
    scene = image_in(library, album, 2)
    with library.ledger() as ledger:
        ledger.note_gone([bytes(album)])
    assert names(ask("look", scene=scene)) == [["P1"]]
    with library.ledger() as ledger:
        (known,) = ledger.records(sorted(ledger.ids([bytes(album)])))
        assert (known.paths, known.state) == ((bytes(album),), "done")


def test_the_page_queues_chosen_images_and_galleries(
    library: StashLibrary,
    ask: Ask,
) -> None:
    (library.root / "a.png").write_bytes(picture_of(1))
    image = library.fake.add_image(at=str(library.root / "a.png"))
    ask("task", kind="scan", filter={"images": [image]})
    with library.ledger() as ledger:
        (task,) = ledger.tasks.latest()
    options = json.loads(task.options)
    assert (options["pictures"], options["filter"]) == (True, {"images": [image]})
    for refused in ({"images": []}, {"images": [image], "tag": "x"}, {"galleries": ["x"]}):
        assert ask("task", fails=True, kind="scan", filter=refused) == "bad_parameter"


def test_markers_are_for_scenes_alone(
    library: StashLibrary,
    album: Path,
    ask: Ask,
) -> None:
    asked = {"scene": image_in(library, album, 2), "people": [0]}
    assert ask("markers", fails=True, **asked) == "bad_parameter"


def do(library: StashLibrary, kind: Any, wanted: list[WantedScan], **options: Any) -> Task:
    """Do a task to its end, and give how it stands then."""
    settings = library.own_settings()
    with library.ledger() as ledger:
        connection = require_connection(settings)
        place = Workplace(settings, library.store, ledger, connection, wanted.append)
        *_, last = do_task(Task(kind, Options(**options).to_json(), id=1), place)
        return last
