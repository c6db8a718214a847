"""Malformed packets for decoders, and what a decoder does with whoever gives them."""

import sys
import time
from pathlib import Path

import pytest

from function.media.formats import CODECS
from tools.soak import decoders
from tools.soak.decoders import decoders_of, try_decoders
from tools.soak.trials import Figures

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the child is locked")

UNWRITTEN = ("g2m", "hap", "indeo5", "vp7")
"""Decoders of what FFmpeg does not write."""


def give(names: tuple[str, ...], videos: dict[str, Path], count: int, limit: float) -> Figures:
    return try_decoders(names, videos, range(count), limit, time.monotonic() + 300)


def test_no_malformed_packet_is_a_fault(seed_folder: Path) -> None:
    videos = decoders_of(sorted(seed_folder.glob("*.avi")))
    written = ("cinepak", "zmbv", "huffyuv", "png")
    figures = give((*written, *UNWRITTEN), videos, 60, 10)
    assert figures.faults == []
    assert figures.requests == 60 * 8
    assert figures.statuses[200] > 20, "some are nearly right"
    assert figures.statuses[422] > 200
    assert figures.notes["crashes"] == 0


def test_every_decoder_is_tried_that_is_there() -> None:
    figures = give((*CODECS[:3], "nonsense"), {}, 1, 30)
    assert figures.faults == []
    assert figures.notes["decoders"] == 3


CHILD = """
import os, signal, sys, time
for number in range(int(sys.argv[2]), int(sys.argv[3])):
    if number == 2:
        {does}
    os.write(1, b"e")
"""


@pytest.mark.parametrize(
    ("does", "crashes", "fault"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", 1, ""),
        ("os.kill(os.getpid(), signal.SIGSYS)", 0, "ended with -31"),
        ("sys.exit(1)", 0, "ended with 1"),
        ("time.sleep(60)", 0, "took too long"),
    ],
)
def test_whoever_ends_is_told_of_and_the_rest_is_tried(
    does: str, crashes: int, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = CHILD.format(does=does)
    monkeypatch.setattr(decoders, "CHILD", (sys.executable, "-c", script))
    figures = give(("h264",), {}, 5, 3)
    assert figures.requests == 5
    assert figures.statuses[422] == 5
    assert figures.notes["crashes"] == crashes
    assert [one.partition(": ")[2] for one in figures.faults] == ([fault] if fault else [])
