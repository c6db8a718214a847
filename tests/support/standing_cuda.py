"""Plays a child on a machine with an NVIDIA GPU: only the driver, and who computes, are not real.

`python -m tests.support.standing_cuda DESCRIPTOR LINE...`, in place of `function.sandbox.child`.
onnxruntime says that it has CUDA, and computes on the processor what it is told to compute there.
What must hold of threads and memory on a GPU is checked, and ends the process where it does not.

CUDA_DESKS_A_LANE says how many processes share a lane, CUDA_FAILS_AFTER after how many runs the
GPU's memory is full, CUDA_WATCHED_AFTER after how many seconds the child begins to watch for the
end of the nets, as its thread may where much else runs.
"""

import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

import numpy as np

from function.engines.onnx import cuda_nets
from function.engines.onnx.sessions import onnxruntime
from function.sandbox import child, lanes
from function.sandbox.nets import RemoteNets

CUDA, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"

RECORDS = "enable_cuda_graph"
SETTINGS = {"use_tf32", "cudnn_conv_algo_search", "arena_extend_strategy", RECORDS}
"""The provider's settings by their names; it would refuse another."""

SHAPES: dict[str, tuple[cuda_nets.Shape, ...]] = {
    "encoder": ((4, 150, 150),),
    "yunet": ((4, 128, 128), (1, 224, 384), (4, 224, 384), (2, 384, 224)),
    "lightcnn": ((4, 128, 128),),
    "sface": ((4, 112, 112),),
}
"""Some of the shapes of a GPU, in smaller batches: to prepare all takes 4 s for each lane."""

PREPARING_RUNS = 2

_Session, _Value = onnxruntime.InferenceSession, onnxruntime.OrtValue


class MisuseError(BaseException):
    """What would fail on a GPU, or give other numbers there. Nobody expects it."""


class Driver:
    """Knows which threads use the GPU, and which of them records: then no other may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._using: set[int] = set()
        self._recording: int | None = None

    @contextmanager
    def used(self, *, records: bool = False) -> Iterator[None]:
        """Use the GPU in this thread."""
        own = threading.get_ident()
        with self._lock:
            if (records and self._using - {own}) or self._recording not in (None, own):
                raise MisuseError("one thread uses the GPU while another records")
            self._using.add(own)
            self._recording = own if records else self._recording
        try:
            yield
        finally:
            with self._lock:
                self._using.discard(own)
                self._recording = None if records else self._recording


DRIVER = Driver()


class Session(_Session):  # type: ignore[misc,valid-type]
    """A session that says it runs on CUDA, if it was told to."""

    runs_left = int(os.environ.get("CUDA_FAILS_AFTER", sys.maxsize))

    def __init__(self, graph: bytes, settings: Any, providers: Sequence[Any]) -> None:
        first = providers[0]
        self._is_on_gpu = isinstance(first, tuple) and first[0] == CUDA
        given = first[1] if self._is_on_gpu else {}
        if not given.keys() <= SETTINGS:
            raise MisuseError(f"CUDA has no such settings: {given}")
        self._is_recorded = given.get(RECORDS) == "1"
        self._recorder: int | None = None
        self._runs = 0
        with DRIVER.used():
            super().__init__(graph, settings, providers=[CPU])

    def get_providers(self) -> list[str]:
        return [CUDA, CPU] if self._is_on_gpu else [CPU]

    def run_with_iobinding(self, binding: Any, options: Any = None) -> None:
        own = threading.get_ident()
        self._recorder = self._recorder or own
        if self._is_recorded and self._recorder != own:
            raise MisuseError("one thread runs what another recorded")
        self._runs += 1
        if self._runs > PREPARING_RUNS:
            Session.runs_left -= 1
        if Session.runs_left < 0:
            raise RuntimeError("Failed to allocate memory: CUDA out of memory")
        with DRIVER.used(records=self._is_recorded and self._runs == 1):
            super().run_with_iobinding(binding, options)


class OnGpu:
    """A tensor in memory of its own, which is copied to and from, but never seen."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __getattr__(self, name: str) -> Any:
        return getattr(self._value, name)

    def update_inplace(self, numbers: Any) -> None:
        with DRIVER.used():
            self._value.update_inplace(numbers)

    def numpy(self) -> Any:
        with DRIVER.used():
            return np.array(self._value.numpy())


class Value(_Value):  # type: ignore[misc,valid-type]
    """Makes tensors, in the GPU's memory if they are to be there."""

    @staticmethod
    def ortvalue_from_numpy(numbers: Any, device: str = "cpu", number: int = 0) -> Any:
        if device != "cuda":
            return _Value.ortvalue_from_numpy(numbers, device, number)
        value = Value.ortvalue_from_shape_and_type(numbers.shape, numbers.dtype, device, number)
        value.update_inplace(numbers)
        return value

    @staticmethod
    def ortvalue_from_shape_and_type(
        shape: Any, kind: Any, device: str = "cpu", number: int = 0
    ) -> Any:
        value = _Value.ortvalue_from_shape_and_type(shape, kind, "cpu", number)
        return OnGpu(value) if device == "cuda" else value


class LateNets(RemoteNets):
    """Watches for the end of the nets from some time on."""

    def end(self, within_seconds: float | None = None) -> NoReturn:
        time.sleep(float(os.environ.get("CUDA_WATCHED_AFTER", "0")))
        super().end(within_seconds)


def stand_in() -> None:
    """Have onnxruntime say that it has CUDA."""
    onnxruntime.InferenceSession, onnxruntime.OrtValue = Session, Value
    onnxruntime.get_available_providers = lambda: [CUDA, CPU]
    onnxruntime.preload_dlls = lambda: None


if __name__ == "__main__":
    stand_in()
    cuda_nets.SHAPES = SHAPES
    child.RemoteNets = LateNets  # type: ignore[misc]
    lanes.DESKS_A_LANE = int(os.environ.get("CUDA_DESKS_A_LANE", lanes.DESKS_A_LANE))
    child.main(int(sys.argv[1]), [int(line) for line in sys.argv[2:]])
