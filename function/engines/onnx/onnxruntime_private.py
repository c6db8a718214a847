"""onnxruntime made to keep less: import it from here, never directly.

Since version 1.29 the official packages report to Microsoft also from Linux and macOS, unless
ORT_DISABLE_TELEMETRY is set before the import; a device id is written to the user's cache folder.
"""

import os
from typing import Any

_SWITCH = "ORT_DISABLE_TELEMETRY"


def import_onnxruntime() -> Any:
    """Import onnxruntime so that it sends nothing and leaves no device id behind.

    Raises:
        ImportError: it is not installed.
    """
    os.environ[_SWITCH] = "1"
    import onnxruntime  # noqa: PLC0415  # the switch is read once, by this import

    onnxruntime.disable_telemetry_events()  # for Windows, where the switch has no effect
    return onnxruntime


def forget_graph(session: Any) -> None:
    """Let go of a session's graph, which onnxruntime keeps to go on without a GPU that has failed.

    On a CPU it is never needed again, and SFace's takes 39 MB in each process.
    """
    session._model_bytes = None  # noqa: SLF001  # there is no public way
