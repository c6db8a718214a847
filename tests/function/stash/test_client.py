import base64

import pytest

from db.records import Identity
from function.sources import graphql
from function.sources.records import NoAnswerError, RefusedError, UnusableSourceError
from function.stash.client import Stash
from function.stash.records import File, NewMarker, NewPerformer, SceneFilter
from tests.support.stash_server import Answer, FakeStash, serving


def client(fake: FakeStash) -> Stash:
    return Stash(fake.url, "right")


def ids(stash: Stash, **wanted: object) -> list[str]:
    return [one.id for one in stash.scenes(SceneFilter(**wanted))]  # type: ignore[arg-type]


def test_a_scene_comes_with_its_files_performers_and_tags(fake: FakeStash) -> None:
    ada, tag = fake.add_performer("Ada"), fake.add_tag("vr")
    number = fake.add_scene(
        "/data/a.mp4", oshash="00ff", size=7_000_000_000, performers=[ada], tags=[tag]
    )
    scene = client(fake).scene(number)
    assert scene
    assert scene.files == (File("/data/a.mp4", "00ff", 7_000_000_000, 60.0),)
    assert (scene.performers, scene.tags, scene.tag_names) == ((ada,), (tag,), ("vr",))
    assert client(fake).scene("99999") is None


def test_scenes_are_listed_page_by_page_and_by_every_condition(
    fake: FakeStash, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("function.stash.pages.PER_PAGE", 2)
    ada, tag, studio = fake.add_performer("Ada"), fake.add_tag("new"), fake.add_studio("Mine")
    one = fake.add_scene("/data/a.mp4", oshash="aa")
    two = fake.add_scene("/data/b/c.mp4", performers=[ada], tags=[tag])
    three = fake.add_scene("/other/d.mp4", performers=[ada], studio=studio)
    stash = client(fake)
    assert ids(stash) == [one, two, three]
    assert ids(stash, without_performers=True) == [one]
    assert ids(stash, tag="new") == ids(stash, tag=tag) == [two]
    assert ids(stash, studio="Mine") == [three]
    assert ids(stash, path="/data/B") == [two]
    assert ids(stash, path="b x") == []
    assert ids(stash, scenes=()) == []
    assert ids(stash, scenes=(one, two), performer=ada) == [two]
    assert ids(stash, performer=ada, performers=1) == [two, three]
    assert ids(stash, oshash="aa") == [one]
    assert ids(stash, scenes=(three, one)) == [one, three]
    assert ids(stash, since=fake.scenes[two]["updated_at"]) == [three]
    with pytest.raises(UnusableSourceError, match="no studio 'Yours'"):
        ids(stash, studio="Yours")


def test_performers_and_tags_are_added_and_taken_off_and_all_others_stay(fake: FakeStash) -> None:
    ada, eve, tag = fake.add_performer("Ada"), fake.add_performer("Eve"), fake.add_tag("seen")
    number = fake.add_scene("/data/a.mp4", performers=[ada])
    stash = client(fake)
    before = fake.scenes[number]["updated_at"]
    (added,) = stash.tag_items("scene", [number], add=[eve], add_tags=[tag])
    assert (added.performers, added.tags) == ((ada, eve), (tag,))
    assert added.updated_at > before
    (removed,) = stash.tag_items("scene", [number], remove=[eve], remove_tags=[tag])
    assert (removed.performers, removed.tags) == ((ada,), ())


def test_a_performer_who_is_gone_is_refused_in_one_line_and_nothing_is_written(
    fake: FakeStash,
) -> None:
    number = fake.add_scene("/data/a.mp4")
    with pytest.raises(RefusedError, match=r"Stash at .* answered: FOREIGN KEY"):
        client(fake).tag_items("scene", [number], add=["12345"])
    assert fake.writes == []


def test_performers_markers_and_tags_are_made_and_deleted(fake: FakeStash) -> None:
    stash, scene = client(fake), fake.add_scene("/data/a.mp4")
    picture = "data:image/jpeg;base64," + base64.b64encode(b"jpeg").decode()
    box = Identity("https://box/graphql", "uuid")
    made = stash.create_performer(NewPerformer("Ada", stash_ids=(box,), image=picture))
    assert (made.name, made.stash_ids) == ("Ada", (box,))
    assert stash.performer(made.id) == made
    assert made.cover.startswith(f"{fake.url}/performer/{made.id}/image")
    tag, at = stash.create_tag("Face")
    assert stash.find_tag("Face") == tag
    use = stash.use_of_tag(tag)
    assert use
    assert (use.updated_at, use.is_used) == (at, False)
    marker = stash.create_marker(NewMarker(scene, "Ada", 1.5, 2.25, tag))
    assert stash.markers(scene) == (marker,)
    stash.destroy_markers([marker.id])
    stash.destroy_performers([made.id])
    stash.destroy_tags([tag])
    assert stash.markers(scene) == ()
    assert stash.performer(made.id) is None
    assert stash.find_tag("Face") == ""


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("Face", "face"),
        ("FACE", "face"),
        (" visage ", "face"),
        ("Faces", ""),
        ("F_ce", ""),
        ("50%", "half"),
        ("F%", ""),
        ("ärger", ""),
        ("ÄRGER", "anger"),
    ],
)
def test_tags_and_studios_are_found_by_what_stash_takes_for_their_name(
    fake: FakeStash, asked: str, found: str
) -> None:
    stash = client(fake)
    names = {
        fake.add_tag("face", aliases=["Visage"]): "face",
        fake.add_tag("50%"): "half",
        fake.add_tag("Ärger"): "anger",
        "": "",
    }
    assert names[stash.find_tag(asked)] == found
    studio = fake.add_studio("Mine", aliases=["Ours"])
    scene = fake.add_scene("/a.mp4")
    fake.scenes[scene]["studio"] = studio
    assert ids(stash, studio="ours") == ids(stash, studio="MINE") == [scene]


def test_images_that_show_somebody_alone_are_found(fake: FakeStash) -> None:
    ada, eve = fake.add_performer("Ada"), fake.add_performer("Eve")
    alone = fake.add_image(b"png", [ada])
    fake.add_image(b"png", [ada, eve])
    assert [one.id for one in client(fake).images_of(ada, 5)] == [alone]


@pytest.mark.parametrize("base", ["", "/stash", "/other/place"])
@pytest.mark.parametrize("prefix", ["", "/stash"])
def test_pictures_are_asked_for_where_we_reach_stash_whatever_it_calls_itself(
    prefix: str, base: str
) -> None:
    with serving(FakeStash(prefix=prefix)) as fake:
        address = f"https://elsewhere:1{base}/performer/12/image?t=7"
        home = client(fake).at_home(address)
        assert home == f"{fake.url}/performer/12/image?t=7"


@pytest.mark.parametrize("how", ["before", "busy", "locked"])
def test_what_can_be_done_twice_is_tried_again(fake: FakeStash, how: str) -> None:
    ada, number = fake.add_performer("Ada"), fake.add_scene("/data/a.mp4")
    fake.fail_write(1, how)  # type: ignore[arg-type]
    assert client(fake).tag_items("scene", [number], add=[ada])[0].performers == (ada,)


def test_what_must_not_be_done_twice_is_not_tried_again(fake: FakeStash) -> None:
    fake.fail_write(1, "after")
    with pytest.raises(NoAnswerError):
        client(fake).create_performer(NewPerformer("Ada"))
    assert [one["name"] for one in fake.performers] == ["Ada"]
    assert fake.writes == ["performerCreate"]


def test_a_busy_stash_and_a_page_of_a_proxy_are_told_apart(fake: FakeStash) -> None:
    fake.troubles = [Answer(status=503)] * 5
    with pytest.raises(NoAnswerError, match="busy or starting"):
        client(fake).version()
    fake.troubles = [Answer(b"<html>log in", media_type="text/html")]
    with pytest.raises(UnusableSourceError, match="login page in front, the API key is needed"):
        client(fake).version()


@pytest.mark.parametrize("is_awaited", [False, True])
def test_a_stash_whose_database_is_locked_for_a_moment_is_asked_again(
    fake: FakeStash, monkeypatch: pytest.MonkeyPatch, *, is_awaited: bool
) -> None:
    monkeypatch.setattr(graphql, "LOCKED_PAUSES_SECONDS", (0.0, 0.0))
    locked = Answer(b'{"errors": [{"message": "database is locked"}]}')
    stash = Stash(fake.url, "right", is_awaited=is_awaited)
    fake.troubles = [locked] * 2
    assert stash.version() == "v0.30.0"
    fake.troubles = [locked] * 3
    with pytest.raises(NoAnswerError, match=r"busy \(database is locked\)"):
        stash.version()


def test_the_key_is_in_no_message_and_no_picture_of_an_object(fake: FakeStash) -> None:
    stash = Stash(fake.url, "very-secret")
    with pytest.raises(UnusableSourceError, match="refused the API key") as raised:
        stash.version()
    assert "very-secret" not in f"{raised.value} {stash.own_server!r} {stash!r}"
    address = fake.url.replace("://", "://user:very-secret@")
    with pytest.raises(UnusableSourceError) as raised:
        Stash(address).version()
    assert "very-secret" not in str(raised.value)
