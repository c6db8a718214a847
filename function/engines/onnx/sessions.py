"""Sessions: onnxruntime with one graph, on the configured device."""

from functools import cache
from typing import Any

from function.engines.onnx.onnxruntime_private import forget_graph, import_onnxruntime
from function.engines.protocol import EngineOptions
from function.errors import EngineUnavailableError

onnxruntime = import_onnxruntime()

_CUDA, _CPU = "CUDAExecutionProvider", "CPUExecutionProvider"
_ERRORS_ONLY = 3

_CUDA_SETTINGS = {
    # Rounding to 10 bits, the default on newer GPUs, would give encodings unlike dlib's.
    "use_tf32": "0",
    # The default tries every algorithm again for each size of picture and number of faces.
    "cudnn_conv_algo_search": "HEURISTIC",
    # The default doubles the memory it takes from other users of the GPU.
    "arena_extend_strategy": "kSameAsRequested",
}
"""Names and values as in onnxruntime's documentation of its CUDA provider."""


def open_session(graph: bytes, options: EngineOptions) -> Any:
    """Open an onnxruntime.InferenceSession; `auto` uses a GPU if one really works.

    Raises:
        EngineUnavailableError: DEVICE is cuda, and onnxruntime cannot use CUDA here. Without this
        error it would silently use the CPU.
    """
    is_offered = _CUDA in onnxruntime.get_available_providers()
    if options.device == "cuda" and not is_offered:
        raise EngineUnavailableError(
            "DEVICE is cuda, but the installed onnxruntime is built without CUDA. Install "
            "onnxruntime-gpu in its place (see Dockerfile.gpu), or set DEVICE=auto or DEVICE=cpu."
        )
    wants_cuda = is_offered and options.device != "cpu"
    session = _open(graph, options, wants_cuda=wants_cuda)
    if options.device == "cuda" and provider_of(session) != "CUDA":
        raise EngineUnavailableError(
            "DEVICE is cuda, but onnxruntime could not start on a GPU. Check that nvidia-smi shows "
            "one here, and that CUDA and cuDNN have the versions that this onnxruntime-gpu needs; "
            "or set DEVICE=auto or DEVICE=cpu."
        )
    return session


def provider_of(session: Any) -> str:
    """Name what a session runs on, for people: "CPU" or "CUDA"."""
    return "CUDA" if session.get_providers()[0] == _CUDA else "CPU"


@cache
def _share_memory() -> None:
    """Have all sessions of this process work in the same memory: 45 MB less than one for each."""
    place = onnxruntime.OrtMemoryInfo(
        "Cpu",
        onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR,
        0,
        onnxruntime.OrtMemType.DEFAULT,
    )
    onnxruntime.create_and_register_allocator(place, None)


def _open(graph: bytes, options: EngineOptions, *, wants_cuda: bool) -> Any:
    providers: list[Any] = [_CPU]
    if wants_cuda:
        onnxruntime.preload_dlls()  # CUDA and cuDNN installed by pip are on no search path
        providers = [(_CUDA, _CUDA_SETTINGS), _CPU]
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.threads
    settings.log_severity_level = _ERRORS_ONLY
    settings.enable_mem_pattern = False  # it keeps a plan for every picture size ever seen
    _share_memory()
    settings.add_session_config_entry("session.use_env_allocators", "1")
    # Threads that wait by spinning take the cores that decode the video, and gain nothing here.
    settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(graph, settings, providers=providers)
    if provider_of(session) == "CPU":
        forget_graph(session)
    return session
