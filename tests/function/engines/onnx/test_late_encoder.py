"""A second net is opened late: in a child whose memory may be full of a film's faces by then."""

import subprocess
import sys

import pytest

from tests.function.sandbox.test_sandbox import ROOT

IN_A_FULL_CHILD = """
import sys
import numpy as np
from function.engines.lightcnn import encoder
from function.engines.loading import load_engine
from function.engines.protocol import EngineOptions
from function.sandbox.lockdown import lock_down

name, in_bytes, keeps_room = sys.argv[1], *map(int, sys.argv[2:])
encoder.gains_by_bytes = lambda: bool(in_bytes)
engine = load_engine("onnx", EngineOptions(device="cpu", second_encoder=name))
side = 128 if name == "lightcnn" else 112
chip = np.zeros((side, side, 3), np.uint8)
if keeps_room:
    engine.second.keep_room()
assert "memory" in lock_down(4_000_000)
print("encodes", engine.second.encode([chip]).shape, flush=True)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits what a process writes")
@pytest.mark.parametrize("keeps_room", [True, False])
@pytest.mark.parametrize(
    ("name", "in_bytes"), [("lightcnn", True), ("lightcnn", False), ("sface", False)]
)
def test_the_room_kept_for_a_second_net_is_what_opening_it_needs(
    name: str,
    in_bytes: bool,  # noqa: FBT001  # one of two cases
    keeps_room: bool,  # noqa: FBT001  # one of two cases
) -> None:
    case = [name, str(int(in_bytes)), str(int(keeps_room))]
    command = [sys.executable, "-c", IN_A_FULL_CHILD, *case]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ("encodes (1, " in done.stdout) is keeps_room, done.stderr
