"""What a scan shows while it runs, and adds up."""

import pytest

from function.faces.found import Progress
from function.library.scanning import Advanced, Done, Failed, Started
from tools.library.progress import Totals, follow

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
        "failed": 1,
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
    assert output.out == ""
