"""Reads a video with a thread that decodes ahead, and is interrupted twice at odd moments.

`python -m tests.support.interrupted VIDEO TIMES` prints how often reading was interrupted.
"""

import os
import random
import signal
import sys
import time
from contextlib import closing, suppress
from pathlib import Path

from function.media.frames import one_thread, read_ahead, sample_frames
from function.media.videos import open_video

FIRST_SECONDS, AGAIN_SECONDS = 0.03, 0.0015
"""The first interrupt comes within so long, the others so soon after it."""


def main(path: Path, times: int) -> None:
    """Read the beginning of a video so many times."""
    chance = random.Random(1)
    thread, interrupted = one_thread(), 0
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    for _ in range(times):
        try:
            try:
                with open_video(path, 0.04) as video:
                    ahead = read_ahead(sample_frames(video), thread)
                    first = chance.uniform(0.001, FIRST_SECONDS)
                    signal.setitimer(signal.ITIMER_REAL, first, AGAIN_SECONDS)
                    with closing(ahead):
                        for _ in ahead:
                            pass
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        except KeyboardInterrupt:
            interrupted += 1
            with suppress(KeyboardInterrupt):
                time.sleep(0.01)
    sys.stdout.write(str(interrupted))
    sys.stdout.flush()
    # An interrupt at the wrong moment leaves a Future of the standard library locked for ever. Then
    # its thread never ends, and an ordinary exit would wait for it.
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
