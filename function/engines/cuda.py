"""Says whether the nets may run on an NVIDIA GPU, before anything is loaded that would know."""

import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from function.engines.protocol import DeviceName

DRIVER_FILES = (Path("/dev/nvidiactl"), Path("/dev/dxg"))
"""What programs talk to an NVIDIA GPU through on Linux, and under Windows' Linux."""

PROVIDER_FILE = "capi/*onnxruntime_providers_cuda.*"


def may_use_cuda(device: DeviceName, driver_files: Sequence[Path] = DRIVER_FILES) -> bool:
    """Say whether `device` may turn out to be CUDA: it is, or is auto and CUDA seems to be here."""
    if device != "auto":
        return device == "cuda"
    found = find_spec("onnxruntime")
    has_provider = bool(found and found.origin and [*Path(found.origin).parent.glob(PROVIDER_FILE)])
    return has_provider and (sys.platform != "linux" or any(map(Path.exists, driver_files)))
