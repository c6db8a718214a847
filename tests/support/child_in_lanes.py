"""Plays a child whose every process has a lane of its own: a thread that runs the nets for it.

`python -m tests.support.child_in_lanes DESCRIPTOR LINE...`, in place of `function.sandbox.child`.
"""

import sys

from function.sandbox import child, lanes

if __name__ == "__main__":
    lanes.DESKS_A_LANE = 1
    child.main(int(sys.argv[1]), [int(line) for line in sys.argv[2:]])
