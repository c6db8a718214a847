"""The path of a request: what it opens, and that it opens nothing else."""

import errno
import os
import socket
import unicodedata
from collections.abc import Sequence
from itertools import permutations
from pathlib import Path

import pytest

from function.errors import (
    BadParameterError,
    OutsideMediaRootError,
    RecognitionError,
    UnreadableVideoError,
    VideoNotFoundError,
)
from function.media.files import _open_beneath, open_any, open_media, open_within
from function.media.spellings import as_written
from tools.soak.paths import CANARY, escape_paths, lay_out_library


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A media root beside a secret, with links that lead to it."""
    return lay_out_library(tmp_path)


def content(
    asked: str, roots: Path | Sequence[Path], path_map: Sequence[tuple[str, str]] = ()
) -> bytes:
    roots = [roots] if isinstance(roots, Path) else roots
    with open_media(asked, roots, path_map) as media:
        return os.read(media.descriptor, 100)


def test_a_path_in_and_out_of_a_folder_does_not_have_another_listed_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "large" / unicodedata.normalize("NFD", "é")).mkdir(parents=True)
    (tmp_path / "large" / unicodedata.normalize("NFD", "ü")).write_bytes(b"a film")
    listed: list[Path] = []
    real = os.listdir

    def listdir(folder: Path) -> list[str]:
        listed.append(folder)
        return real(folder)

    monkeypatch.setattr(os, "listdir", listdir)
    assert content("large/ü", tmp_path) == b"a film"
    assert len(listed) == 1
    for asked in ("large/" + "é/../" * 600 + "ü", "é/../large/ü"):
        with pytest.raises(VideoNotFoundError):
            content(asked, tmp_path)
    assert len(listed) == 1
    monkeypatch.chdir(tmp_path / "large")
    assert as_written(Path("../large/ü")).read_bytes() == b"a film"


def test_relative_and_absolute_paths_and_links_inside_the_root_open_the_file(root: Path) -> None:
    for asked in ("film.mp4", "./sub/../film.mp4", f"{root}/film.mp4", "link.mp4", "folder/in.mp4"):
        assert content(asked, root) == b"a film", asked


def test_a_file_goes_by_its_path_under_the_root(root: Path) -> None:
    with open_media(f"{root}/sub/in.mp4", [root]) as media:
        assert media.name == "sub/in.mp4"


def test_no_escape_path_opens_anything(root: Path) -> None:
    paths = escape_paths(root)
    assert len(paths) >= 200
    for asked in paths:
        with pytest.raises(RecognitionError) as caught, open_media(asked, [root]):
            pass
        assert caught.value.status in {400, 403, 404, 422}, asked
        assert CANARY not in str(caught.value)
        assert str(root.parent) not in str(caught.value).replace(asked, "")


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ("", BadParameterError),
        ("film.mp4\0.jpg", BadParameterError),
        ("http://127.0.0.1/film.mp4", BadParameterError),
        ("FILE:///etc/passwd", BadParameterError),
        ("hls+https://127.0.0.1/film.mp4", BadParameterError),
        ("data:video/mp4;base64,AAAA", BadParameterError),
        ("data: a film.mp4", VideoNotFoundError),
        ("../secret.mp4", OutsideMediaRootError),
        ("out.mp4", OutsideMediaRootError),
        ("outside/secret.mp4", OutsideMediaRootError),
        ("gone.mp4", VideoNotFoundError),
        ("loop.mp4", VideoNotFoundError),
        ("file:film.mp4", VideoNotFoundError),
        ("concat:film.mp4|film.mp4", VideoNotFoundError),
        ("subfile,,start,0,end,9,,:film.mp4", VideoNotFoundError),
        ("film%d.mp4", VideoNotFoundError),
        ("film%03d.mp4", VideoNotFoundError),
        ("://film.mp4", VideoNotFoundError),
        ("D://film.mp4", VideoNotFoundError),
        ("sub", UnreadableVideoError),
        (".", UnreadableVideoError),
        ("pipe.mp4", UnreadableVideoError),
    ],
)
def test_each_way_of_being_wrong_has_its_error(
    asked: str, error: type[RecognitionError], root: Path
) -> None:
    with pytest.raises(error) as caught, open_media(asked, [root]):
        pass
    assert type(caught.value) is error


def test_a_socket_is_no_video(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)  # the names of sockets are short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.mp4")
        with pytest.raises(RecognitionError):
            content("socket.mp4", root)


@pytest.mark.parametrize(
    "name",
    [
        *("film%d.mp4", "film%03d.mp4", "100% real.mp4", "a:b.mp4", "http:a.mp4", "file:a.mp4"),
        *("concat:a.mp4|b.mp4", "subfile,,start,0,end,9,,:a.mp4", "a,,b.mp4", "1://a.mp4"),
    ],
)
def test_a_name_that_looks_like_a_pattern_or_a_scheme_is_only_a_name(name: str, root: Path) -> None:
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).write_bytes(b"itself")
    assert content(name, root) == b"itself"
    assert content(f"{root}/{name}", root) == b"itself"


def test_an_address_is_refused_with_what_to_do_and_without_what_it_names(root: Path) -> None:
    (root / "http:" / "host").mkdir(parents=True)
    (root / "http:" / "host" / "film.mp4").write_bytes(b"itself")
    with pytest.raises(BadParameterError) as caught:
        content("http://host/film.mp4", root)
    assert "(http://...)" in str(caught.value)
    assert "PATH_MAP" in str(caught.value)
    assert "host" not in str(caught.value)
    assert content("./http://host/film.mp4", root) == b"itself"


def test_a_url_in_a_shell_is_said_to_be_one_unless_a_file_is_called_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    url = Path("https://host/a film.mp4")
    with pytest.raises(VideoNotFoundError, match="is a URL"), open_any(url):
        pass
    with pytest.raises(VideoNotFoundError, match="There is no file"), open_any(Path("a:b.mp4")):
        pass
    url.parent.mkdir(parents=True)
    url.write_bytes(b"itself")
    with open_any(url) as media:
        assert os.read(media.descriptor, 99) == b"itself"


def test_a_prefix_that_looks_like_an_address_can_be_exchanged(root: Path) -> None:
    path_map = [("smb://nas/media", str(root))]
    assert content("smb://nas/media/sub/in.mp4", root, path_map) == b"a film"
    with pytest.raises(BadParameterError):
        content("smb://nas/other/in.mp4", root, path_map)


@pytest.mark.parametrize("theirs", ["C:\\Media", "c:/media", "C:\\Media\\", "C:/Media/"])
def test_of_a_windows_prefix_case_and_slashes_do_not_count(root: Path, theirs: str) -> None:
    path_map = [(theirs, str(root))]
    for asked in (r"C:\Media\sub\in.mp4", "C:/Media/sub/in.mp4", r"c:\MEDIA/sub\in.mp4"):
        assert content(asked, root, path_map) == b"a film"


@pytest.mark.parametrize(
    ("theirs", "asked"),
    [
        ("C:\\Media", r"C:\Mediasub\in.mp4"),
        ("C:\\Media", r"C:\Media2\sub\in.mp4"),
        (r"\\nas\media", r"\\nas\media2\sub\in.mp4"),
        ("/media", "/media2/sub/in.mp4"),
        ("/media/", "/mediasub/in.mp4"),
        ("/media", "/MEDIA/sub/in.mp4"),
    ],
)
def test_a_prefix_ends_where_a_name_ends(root: Path, theirs: str, asked: str) -> None:
    with pytest.raises((OutsideMediaRootError, VideoNotFoundError)):
        content(asked, root, [(theirs, str(root))])


def test_a_share_of_windows_and_a_whole_drive_can_be_exchanged(root: Path) -> None:
    assert content(r"\\NAS\media\sub\in.mp4", root, [(r"\\nas\media", str(root))]) == b"a film"
    assert content(r"d:\sub\in.mp4", root, [("D:\\", str(root))]) == b"a film"
    assert content("/sub/in.mp4", root, [("/", str(root))]) == b"a film"


@pytest.mark.parametrize(
    ("theirs", "asked"),
    [
        ("C:\\Media", r"\\?\C:\Media\sub\in.mp4"),
        (r"\\?\c:\media", r"C:\Media\sub\in.mp4"),
        (r"\\nas\media", r"\\?\UNC\NAS\media\sub\in.mp4"),
        ("//nas/media", r"\\?\unc\nas\Media\sub\in.mp4"),
    ],
)
def test_a_long_path_of_windows_is_one_like_any_other(root: Path, theirs: str, asked: str) -> None:
    assert content(asked, root, [(theirs, str(root))]) == b"a film"


@pytest.mark.parametrize("begin", ["/Volumes/{}/", "C:\\{}\\", "\\\\nas\\{}\\"])
def test_accents_in_a_prefix_fit_however_they_are_spelled(root: Path, begin: str) -> None:
    spellings = "Zo\u00eb", "Zoe\u0308"
    for theirs, asked in permutations(spellings):
        path_map = [(begin.format(theirs), str(root))]
        assert content(begin.format(asked) + "sub/in.mp4", root, path_map) == b"a film"
    for name in spellings:  # both may be there
        (root / f"{name}.mp4").write_bytes(name.encode())
        path_map = [(begin.format("Zoe\u0308"), str(root))]
        assert content(begin.format("Zoe\u0308") + f"{name}.mp4", root, path_map) == name.encode()


def test_accents_find_a_file_however_they_are_spelled(root: Path) -> None:
    one, two = "Zo\u00eb", "Zoe\u0308"
    for written, asked in ((one, two), (two, one)):
        folder = root / f"{written} {len(written)}"
        folder.mkdir()
        (folder / f"{written}.mp4").write_bytes(written.encode())
        path = f"{asked} {len(written)}/{asked}.mp4"
        assert content(path, root) == written.encode()
    with pytest.raises(VideoNotFoundError):
        content(f"{one} 9/{one}.mp4", root)


def test_a_link_that_comes_between_the_check_and_the_opening_is_not_followed(root: Path) -> None:
    with pytest.raises(VideoNotFoundError):
        _open_beneath(root, Path("out.mp4"), "out.mp4")
    with pytest.raises(VideoNotFoundError):
        _open_beneath(root, Path("outside/secret.mp4"), "outside/secret.mp4")


def test_a_file_that_the_disk_cannot_give_is_not_said_to_be_missing(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_open = os.open

    def fail(path: str, flags: int, *, dir_fd: int | None = None) -> int:
        if path == "in.mp4":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real_open(path, flags, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", fail)
    path = root / "sub" / "in.mp4"
    message = os.strerror(errno.EIO)
    with pytest.raises(UnreadableVideoError, match=message), open_within(path, [root]):
        pytest.fail("it was opened")


def test_a_scan_opens_what_is_in_its_roots_through_no_link_that_leads_out(root: Path) -> None:
    (root / "kept.mp4").symlink_to(root / "sub" / "in.mp4")
    outside = root / "outside" / "secret.mp4"
    for path in (root / "kept.mp4", root / "sub" / "in.mp4"):
        with open_within(path, [root]) as media:
            assert (media.name, media.path) == (path.name, path)
            assert os.pread(media.descriptor, 100, 0)
    with open_within(outside, None) as media:
        assert os.pread(media.descriptor, 100, 0)
    for path in (outside, root / "out.mp4", root.parent / "secret.mp4"):
        with pytest.raises(OutsideMediaRootError), open_within(path, [root]):
            pytest.fail("it was opened")


def test_of_several_roots_the_first_that_has_the_file_gives_it(root: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "film.mp4").write_bytes(b"another film")
    (other / "more.mp4").write_bytes(b"more")
    assert content("film.mp4", [root, other]) == b"a film"
    assert content("film.mp4", [other, root]) == b"another film"
    assert content("more.mp4", [root, other]) == b"more"
    assert content(f"{other}/more.mp4", [root, other]) == b"more"


@pytest.mark.parametrize(
    ("asked", "theirs"),
    [
        ("/stash/media/sub/in.mp4", "/stash/media"),
        ("/stash/media/sub/in.mp4", "/stash/media/"),
        ("D:\\Films\\sub\\in.mp4", "D:\\Films"),
        ("d:\\films\\sub\\in.mp4", "D:\\Films"),
    ],
)
def test_the_callers_prefix_is_exchanged_for_ours(asked: str, theirs: str, root: Path) -> None:
    assert content(asked, root, [("/stash", "/gone"), (theirs, str(root))]) == b"a film"


def test_a_prefix_is_exchanged_only_at_a_slash_and_leads_nowhere_else(root: Path) -> None:
    for asked in ("/stashed/film.mp4", "/stash/../secret.mp4"):
        with pytest.raises(OutsideMediaRootError):
            content(asked, root, [("/stash", str(root))])


def test_no_descriptor_is_left_open(root: Path) -> None:
    folder = Path("/dev/fd")
    before = len(list(folder.iterdir()))
    for asked in ("film.mp4", "sub", "pipe.mp4", "gone.mp4", "sub/gone.mp4", "film.mp4/x"):
        try:
            content(asked, root)
        except RecognitionError:
            continue
    assert len(list(folder.iterdir())) == before


def test_what_a_terminal_cannot_print_is_asked_for_as_it_is_shown(tmp_path: Path) -> None:
    (tmp_path / "two \u200d.mp4").write_bytes(b"a film")
    assert content(r"two \u200d.mp4", tmp_path) == b"a film"


@pytest.mark.parametrize(
    ("folder", "name", "asked"),
    [
        (b"", b"Ren\xe9e.mp4", r"Ren\xe9e.mp4"),
        (b"", b"Zo\xc3\xab \xff.mp4", r"Zoë \xff.mp4"),
        (b"old \x80disc", b"a.mp4", r"old \x80disc/a.mp4"),
        (b"old \x80disc", b"Ren\xe9e.mp4", r"old \x80disc/Ren\xe9e.mp4"),
        (b"", rb"Ren\xe9e.mp4", r"Ren\xe9e.mp4"),
    ],
)
def test_names_that_are_not_utf8_are_asked_for_as_they_are_shown(
    tmp_path: Path, folder: bytes, name: bytes, asked: str
) -> None:
    place = tmp_path / os.fsdecode(folder)
    place.mkdir(exist_ok=True)
    (place / os.fsdecode(name)).write_bytes(b"a film")
    (place / r"other \xe9.mp4").write_bytes(b"another")
    assert content(asked, tmp_path) == b"a film"
    with open_media(asked, [tmp_path]) as media:
        assert media.name == asked
    with pytest.raises(VideoNotFoundError):
        content(asked.replace(".mp4", r"\xe8.mp4"), tmp_path)


def test_a_folder_that_may_not_be_entered_is_not_said_to_hold_nothing(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "lstat", refuse)
    with (
        pytest.raises(
            VideoNotFoundError, match=r"'v\.mp4' cannot be reached \(Permission denied\)"
        ),
        open_media("v.mp4", [root]),
    ):
        pass
