"""Plays a child on a machine with a GPU: its nets run in a process of their own, on the CPU.

`python -m tests.support.nets_on_cpu DESCRIPTOR LINE...`, in place of `function.sandbox.child`.
"""

import sys
from collections.abc import Mapping
from dataclasses import replace

from function.engines import onnx_engine
from function.engines.onnx.cuda_nets import SHAPES, CudaNets, longest_pixels
from function.engines.onnx.fixed_shapes import open_fixed
from function.engines.protocol import EngineOptions
from function.sandbox import child, lanes


def open_on_cpu(graphs: Mapping[str, bytes], options: EngineOptions) -> CudaNets:
    """Open nets as on CUDA, but on the CPU."""
    on_cpu = replace(options, device="cpu")
    nets = {
        name: open_fixed(
            graph,
            on_cpu,
            SHAPES[name],
            is_recorded=True,
            longest_pixels=longest_pixels(name, options),
        )
        for name, graph in graphs.items()
    }
    return CudaNets(nets)


if __name__ == "__main__":
    onnx_engine.open_cuda_nets = open_on_cpu  # type: ignore[assignment]
    onnx_engine.may_use_cuda = child.may_use_cuda = lambda *_: True
    CudaNets.prepare = lambda _: None  # type: ignore[method-assign]
    lanes.DESKS_A_LANE = 1  # as if many processes asked
    child.main(int(sys.argv[1]), [int(line) for line in sys.argv[2:]])
