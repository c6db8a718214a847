"""Plays a child whose nets run in floats, as on a GPU.

`python -m tests.support.child_in_floats DESCRIPTOR LINE...`, in place of `function.sandbox.child`.
"""

import sys

from function.sandbox import child
from tests.support.floats import in_floats

if __name__ == "__main__":
    with in_floats():
        child.main(int(sys.argv[1]), [int(line) for line in sys.argv[2:]])
