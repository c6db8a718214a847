"""What reading a video costs in memory, measured in a process of its own."""

import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

STATUS = Path("/proc/self/status")


def least_peak(act: Callable[[], object]) -> int:
    """Return the most bytes that Python's objects take within a call, the least of three times.

    A thread that another test has left may take some meanwhile.
    """
    peaks = []
    for _ in range(3):
        tracemalloc.start()
        try:
            act()
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    return min(peaks)


READ_VIDEO = """
import sys
from pathlib import Path
from function.errors import RecognitionError
from function.media.frames import sample_frames
from function.media.videos import open_video

def peak_kib():  # unlike getrusage, this forgets what the parent process held
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))

before = peak_kib()
count = 0
try:
    with open_video(Path(sys.argv[1]), float(sys.argv[2])) as video:
        for frame in sample_frames(video):
            count += len(frame.picture.rgb()) > 0
except RecognitionError as error:
    print(type(error).__name__, file=sys.stderr)
print(count, (peak_kib() - before) // 1024)
"""


def read_video_in_memory(path: Path, every_seconds: float) -> tuple[int, int]:
    """Read all frames of a video; return how many, and by how many MiB the peak of memory grew."""
    if not STATUS.exists():
        pytest.skip("this system has no /proc to read the peak of memory from")
    command = [sys.executable, "-c", READ_VIDEO, str(path), str(every_seconds)]
    count, grown_mib = subprocess.check_output(command, text=True, timeout=30).split()
    return int(count), int(grown_mib)
