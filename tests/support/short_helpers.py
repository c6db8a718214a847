"""Plays a child whose helpers have much less memory than it: 2000 MB less.

`python -m tests.support.short_helpers DESCRIPTOR LINE...`, in place of `function.sandbox.child`.
"""

import os
import sys

from function.sandbox import child

LESS_MEGABYTES = 2000

_lock = child._lock
_first = os.getpid()


def lock(megabytes: int, *, has_gpu: bool) -> tuple[str, ...]:
    """Lock a process as a child does."""
    less = 0 if os.getpid() == _first else LESS_MEGABYTES
    return _lock(megabytes - less, has_gpu=has_gpu)


if __name__ == "__main__":
    child._lock = lock
    child.main(int(sys.argv[1]), [int(line) for line in sys.argv[2:]])
