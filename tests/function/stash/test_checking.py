from pathlib import Path

import pytest

from db.addresses import StoreAddress
from function.library.oshash import oshash_of
from function.settings import Settings
from function.stash.checking import Line, check
from function.stash.client import Stash
from function.stash.connection import Connection, connect, require_connection
from function.stash.paths import locator, pair_of
from tests.support.stash_server import FakeStash


@pytest.fixture
def settings(fake: FakeStash, tmp_path: Path) -> Settings:
    (tmp_path / "videos").mkdir()
    made = Settings(
        media_root=(tmp_path / "videos",), library_db=StoreAddress(str(tmp_path / "library.db"))
    )
    connect(made, fake.url, "right")
    return made


def file_at(path: Path, content: bytes = b"a film") -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content * 20_000)
    with path.open("rb") as file:
        return oshash_of(file.fileno())


def told(settings: Settings, scene: str = "") -> list[Line]:
    return list(check(settings, require_connection(settings), scene=scene))


def test_a_file_that_both_see_by_the_same_tail_gives_the_path_map(
    fake: FakeStash, settings: Settings, tmp_path: Path
) -> None:
    ours = tmp_path / "videos/films/a.mp4"
    oshash = file_at(ours)
    fake.add_scene("/data/films/a.mp4", oshash=oshash, size=120_000)
    first, second = told(settings)
    assert first == Line(
        ok=True, text=f"Stash v0.30.0 at {fake.url} answers: 1 scene, 0 performers."
    )
    assert second.ok
    assert f"/data of Stash is {tmp_path / 'videos'} here" in second.text
    locate = locator(settings, require_connection(settings))
    assert locate("/data/films/a.mp4") == bytes(ours)
    assert locate("/data/films/b.mp4") is None
    assert "the same file" in told(settings)[1].text


def test_a_film_smaller_than_a_chunk_is_the_same_by_the_fingerprint_that_stash_has(
    fake: FakeStash, settings: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "videos/a.mp4"
    path.write_bytes(b"\x01" + b"\0" * 7 + b"\x02")
    fake.add_scene("/data/a.mp4", oshash="020000000000000a", size=9)
    assert [one.ok for one in told(settings)] == [True, True]


@pytest.mark.parametrize(
    "path",
    [" ", "/", "//", "\\", "C:\\", "..", "/..", "\0", "/a\0b.mp4", "\ud800", "/\ud800/a", "~"],
)
def test_a_path_that_no_file_has_is_said_to_be_none(
    path: str, fake: FakeStash, settings: Settings
) -> None:
    first, second = told(settings, fake.add_scene(path, oshash="00ff", size=7))
    assert (first.ok, second.ok) == (True, False)
    assert require_connection(settings).path_map == ()


def test_a_password_in_the_address_is_shown_to_nobody(fake: FakeStash, settings: Settings) -> None:
    secret = fake.url.replace("://", "://ada:hidden@")
    lines = check(settings, Connection(secret, "right"))
    assert f"at {fake.url} answers" in lines[0].text
    assert Stash(secret).page_of("performers", "7") == f"{fake.url}/performers/7"
    assert "hidden" not in str(lines)


def test_each_folder_of_stash_is_mapped_by_itself(
    fake: FakeStash, settings: Settings, tmp_path: Path
) -> None:
    fake.libraries = ["/data/one", "/data/two"]
    for folder, content in (("one", b"1"), ("two", b"2")):
        name = "x" if folder == "one" else "y"
        oshash = file_at(tmp_path / f"videos/{name}/{folder}.mp4", content)
        fake.add_scene(f"/data/{folder}/{folder}.mp4", oshash=oshash, size=20_000)
    assert all(one.ok for one in told(settings))
    locate = locator(settings, require_connection(settings))
    for folder, name in (("one", "x"), ("two", "y")):
        theirs, ours = f"/data/{folder}/{folder}.mp4", tmp_path / f"videos/{name}/{folder}.mp4"
        assert locate(theirs) == bytes(ours)


def test_a_file_that_is_another_here_or_nowhere_says_what_to_do(
    fake: FakeStash, settings: Settings, tmp_path: Path
) -> None:
    file_at(tmp_path / "videos/a.mp4")
    one = fake.add_scene("/data/a.mp4", oshash="0" * 16, size=120_000)
    (_, line) = told(settings, one)
    assert not line.ok
    assert "PATH_MAP=/data=/your/folder" in line.text
    other = fake.add_scene(str(tmp_path / "videos/a.mp4"), oshash="0" * 16, size=120_000)
    assert "is another file" in told(settings, other)[1].text
    assert require_connection(settings).path_map == ()


def test_a_wrong_key_no_scene_and_an_unknown_one_are_lines(
    fake: FakeStash, settings: Settings
) -> None:
    assert "Let it scan a folder" in told(settings)[1].text
    (line,) = told(settings, "77")
    assert line == Line(ok=False, text="Stash has no scene 77.")
    fake.api_key = "other"
    (line,) = told(settings)
    assert not line.ok
    assert "refused the API key" in line.text


@pytest.mark.parametrize(
    ("theirs", "beginning"),
    [
        ("/data/films/a.mp4", "/data"),
        ("/a.mp4", "/"),
        ("C:\\Videos\\films\\a.mp4", "C:\\Videos"),
        ("C:\\a.mp4", "C:"),
        ("\\\\nas\\films\\new\\a.mp4", "\\\\nas\\films"),
    ],
)
def test_a_file_that_is_not_here_names_a_path_map_that_would_find_it(
    theirs: str, beginning: str, fake: FakeStash, settings: Settings, tmp_path: Path
) -> None:
    one = fake.add_scene(theirs, oshash="0" * 16, size=120_000)
    assert f"PATH_MAP={beginning}=/your/folder" in told(settings, one)[1].text
    rest = theirs.removeprefix(beginning).replace("\\", "/").strip("/")
    ours = tmp_path / "videos" / rest
    file_at(ours)
    mapped = Connection(fake.url, "right", ((beginning, str(tmp_path / "videos")),))
    assert locator(settings, mapped)(theirs) == bytes(ours)


@pytest.mark.parametrize(
    ("theirs", "ours", "pair"),
    [
        ("/data/films/a.mp4", "/videos/films/a.mp4", ("/data", "/videos")),
        ("/data/a.mp4", "/mnt/b/a.mp4", ("/data", "/mnt/b")),
        ("/films/a.mp4", "/videos/films/a.mp4", ("/films", "/videos/films")),
        ("D:\\films\\x\\a.mp4", "/videos/x/a.mp4", ("D:\\films", "/videos")),
    ],
)
def test_a_path_map_has_the_shortest_prefixes(
    theirs: str, ours: str, pair: tuple[str, str]
) -> None:
    assert pair_of(theirs, Path(ours)) == pair
