"""Plays a child on a processor that does not multiply bytes: its nets run in floats, as on a GPU.

`python -m tests.support.child_in_floats DESCRIPTOR LINE...`, in place of `function.sandbox.child`.
"""

import sys

from function.engines import onnx_engine
from function.sandbox import child

if __name__ == "__main__":
    onnx_engine.multiplies_bytes = lambda: False
    child.main(int(sys.argv[1]), [int(line) for line in sys.argv[2:]])
