"""What a scan shows while it runs, and adds up."""

import pytest

from function.faces.found import Progress
from function.library.scan_events import Advanced, Done, Failed, Started
from tools.library import progress
from tools.library.progress import ScanBar, Totals, follow, tell_left

A, B = b"/v/a.mp4", b"/v/b\n\x1b[31m\xff.mp4"


def test_events_are_added_up_and_failures_named_on_a_line_each(
    capsys: pytest.CaptureFixture[str],
) -> None:
    totals = Totals()
    events = [
        *(Started(A), Advanced(A, Progress(0.0, 0.0, 0)), Advanced(A, Progress(5.0, 10.0, 1))),
        *(Started(B), Failed(B, "crashed", for_good=False)),
        *(Started(B), Failed(B, "crashed", for_good=True)),
        Done(A, faces=9, people=3, named=2, left_out=1, seconds=10.0),
    ]
    follow(events, 2, totals)
    assert totals.to_json() == {
        "scanned": 1,
        "albums_scanned": 0,
        "failed": 1,
        "albums_failed": 0,
        "faces": 9,
        "people": 3,
        "named": 2,
        "strangers_left_out": 1,
    }
    output = capsys.readouterr()
    lines = [one for one in output.err.replace("\r", "\n").split("\n") if "failed" in one]
    assert lines == [
        "failed: /v/b\\n\\x1b[31m\\xff.mp4: crashed It will be tried again.",
        "failed: /v/b\\n\\x1b[31m\\xff.mp4: crashed",
    ]
    assert "2.0/2 videos" in output.err
    assert "album" not in output.err
    assert output.out == ""


def test_videos_and_albums_are_counted_apart(capsys: pytest.CaptureFixture[str]) -> None:
    totals = Totals()
    said = {"faces": 1, "people": 1, "named": 0, "left_out": 0, "seconds": 0.0}
    events = [
        *(Started(b"/v/a.zip", "album"), Advanced(b"/v/a.zip", Progress(1.0, 4.0, 1))),
        *(Started(A), Done(A, again=True, **said), Started(A), Done(A, **said)),
        Done(b"/v/a.zip", **said),
        *(Started(b"/v/b", "album"), Failed(b"/v/b", "empty", for_good=True)),
    ]
    follow(events, 1, totals, albums=2)
    assert (totals.scanned, totals.failed) == (1, 0)
    assert (totals.albums_scanned, totals.albums_failed) == (1, 1)
    shown = capsys.readouterr().err
    assert "0.0/1 videos, 0.0/2 albums" in shown
    assert "2.0/2 videos, 2.0/2 albums" in shown, "a quick look is a part of the work"
    assert totals.any_failed


def test_of_albums_alone_no_videos_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    follow([Started(b"/v/a", "album")], 0, Totals(), albums=3)
    shown = capsys.readouterr().err
    assert "0.0/3 albums" in shown
    assert "video" not in shown


@pytest.mark.parametrize(
    ("elapsed_seconds", "share", "ended", "told"),
    [
        (29.0, 0.01, 2, ""),
        (30.0, 0.01, 0, "<49:30"),
        (10.0, 0.25, 3, "<00:30"),
        (600.0, 0.0, 3, ""),
        (600.0, 1.0, 3, "<00:00"),
    ],
)
def test_how_long_it_will_take_is_told_only_once_that_means_something(
    elapsed_seconds: float, share: float, ended: int, told: str
) -> None:
    assert tell_left(elapsed_seconds, share, ended) == told


def test_a_long_video_is_more_of_the_work_than_a_short_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shares: list[float] = []
    monkeypatch.setattr(ScanBar, "show", lambda *_: shares.append(_[-1]))
    said = {"faces": 1, "people": 1, "named": 0, "left_out": 0, "seconds": 0.0}
    events = [
        *(Started(A), Done(A, **said), Started(B), Advanced(B, Progress(5.0, 10.0, 1))),
        *(Failed(B, "crashed", for_good=False), Started(B), Failed(B, "crashed", for_good=True)),
    ]
    follow(events, 2, Totals(), sizes={A: 100, B: 900})
    assert shares == [0.0, 0.1, 0.1, 0.55, 0.1, 0.1, 1.0]
    shares.clear()
    follow([Done(A, again=True, **said), Done(A, **said)], 1, Totals())
    assert shares == [0.5, 1.0]


def test_what_another_process_did_before_says_nothing_of_the_time_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[tuple[float, int]] = []
    monkeypatch.setattr(progress, "tell_left", lambda _, *said: told.append(said) or "")
    said = {"faces": 1, "people": 1, "named": 0, "left_out": 0, "seconds": 0.0}
    sizes = {A: 100, B: 300}
    follow([Done(A, **said), Done(B, **said)], 12, Totals(scanned=9, failed=1), sizes=sizes)
    assert told == [(0.25, 1), (1.0, 2)]


def test_the_bar_shows_no_time_left_at_first(capsys: pytest.CaptureFixture[str]) -> None:
    said = {"faces": 1, "people": 1, "named": 0, "left_out": 0, "seconds": 0.0}
    follow([Done(A, **said)], 9, Totals())
    assert "<" not in capsys.readouterr().err
    follow([Done(A, **said)] * 9, 9, Totals())
    assert "[00:00<00:00, " in capsys.readouterr().err
