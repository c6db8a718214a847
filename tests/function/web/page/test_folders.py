import os
from pathlib import Path

from function.media.files import open_media
from function.web.page.folders import list_folder


def test_names_are_in_the_order_in_which_people_count(tmp_path: Path) -> None:
    names = [
        "s 1.mp4",
        "S 2.mp4",
        "s 10.mp4",
        "s 10 b.mp4",
        "\u00e9t\u00e9.mp4",
        "zoe.mp4",
        "\u00b2.mp4",
    ]
    for name in names:
        (tmp_path / name).touch()
    for folder in ("part 10", "Part 2"):
        (tmp_path / folder).mkdir()
    listed = list_folder("", [tmp_path])
    assert [one["name"] for one in listed["folders"]] == ["Part 2", "part 10"]
    videos = [one["name"] for one in listed["videos"]]
    assert videos == [
        "\u00b2.mp4",
        "\u00e9t\u00e9.mp4",
        "s 1.mp4",
        "S 2.mp4",
        "s 10 b.mp4",
        "s 10.mp4",
        "zoe.mp4",
    ]


def test_pictures_are_listed_beside_videos_whatever_their_suffix_is_written_like(
    tmp_path: Path,
) -> None:
    for name in ("10.JPG", "2.heic", "film.mp4", "notes.txt", ".hidden.png"):
        (tmp_path / name).touch()
    (tmp_path / "folder.jpg").mkdir()
    listed = list_folder("", [tmp_path])
    assert [one["name"] for one in listed["pictures"]] == ["2.heic", "10.JPG"]
    assert [one["name"] for one in listed["videos"]] == ["film.mp4"]
    assert [one["name"] for one in listed["folders"]] == ["folder.jpg"]


def test_names_that_are_not_utf8_are_shown_with_escapes_and_opened_by_them(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"old \x80disc")
    folder.mkdir()
    (folder / os.fsdecode(b"Ren\xe9e.mp4")).touch()
    (top,) = list_folder("", [tmp_path])["folders"]
    assert top == {"name": r"old \x80disc", "path": r"old \x80disc"}
    listed = list_folder(top["path"], [tmp_path])
    assert listed["crumbs"][-1]["name"] == r"old \x80disc"
    (video,) = listed["videos"]
    assert (video["name"], video["path"]) == (r"Ren\xe9e.mp4", r"old \x80disc/Ren\xe9e.mp4")
    with open_media(video["path"], [tmp_path]) as media:
        assert os.fstat(media.descriptor).st_size == 0
