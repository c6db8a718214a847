from pathlib import Path

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
