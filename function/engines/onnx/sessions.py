"""Sessions: onnxruntime with one graph, on the configured device."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from function.engines.onnx.onnxruntime_private import forget_graph, import_onnxruntime
from function.engines.protocol import EngineOptions
from function.errors import EngineUnavailableError

onnxruntime = import_onnxruntime()

_CPU = "CPUExecutionProvider"
_ERRORS_ONLY = 3
_FIRST_WITH_LARGER_OF_BYTES = 1, 24


@dataclass(frozen=True)
class _Gpu:
    """How onnxruntime runs on a kind of GPU.

    `name` is its provider's, for people; `package` has it; `check` is what to look at if it does
    not start; `settings` are the provider's.
    """

    name: str
    package: str
    check: str
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def provider(self) -> str:
        """The provider as onnxruntime calls it."""
        return f"{self.name}ExecutionProvider"


_GPUS = {
    "cuda": _Gpu(
        "CUDA",
        "onnxruntime-gpu in its place (see Dockerfile.gpu)",
        "nvidia-smi shows one here, and that CUDA and cuDNN have the versions that this "
        "onnxruntime-gpu needs",
        {
            # Rounding to 10 bits, the default on newer GPUs, would give encodings unlike dlib's.
            "use_tf32": "0",
            # The default tries every algorithm again for each size of picture and number of faces.
            "cudnn_conv_algo_search": "HEURISTIC",
            # The default doubles the memory it takes from other users of the GPU.
            "arena_extend_strategy": "kSameAsRequested",
        },
    ),
    "openvino": _Gpu(
        "OpenVINO",
        "onnxruntime-openvino in its place",
        "/dev/dri/renderD128 may be opened here, and that Intel's OpenCL driver is installed",
        # GPUs would otherwise compute in 16 bits, which would give encodings unlike dlib's.
        {"device_type": "GPU", "precision": "FP32"},
    ),
    "migraphx": _Gpu(
        "MIGraphX",
        "onnxruntime-migraphx in its place",
        "/dev/kfd and /dev/dri/renderD128 may be opened here, and that ROCm has the version that "
        "this onnxruntime-migraphx needs",
    ),
}
"""By the name of DEVICE; names and values of settings as in onnxruntime's documentation."""


def open_session(
    graph: bytes, options: EngineOptions, fixed: Mapping[str, int] | None = None
) -> Any:
    """Open an onnxruntime.InferenceSession; `auto` uses CUDA if it really works.

    `fixed` gives sizes to named dimensions of its inputs; then CUDA records all kernels at the
    first run, and starts them as one from then on, if every input and output stays where it is.

    Raises:
        EngineUnavailableError: DEVICE names a kind of GPU that onnxruntime cannot use here. Without
            this error it would silently use the CPU.
    """
    gpu = _GPUS.get("cuda" if options.device == "auto" else options.device)
    is_required = options.device not in ("auto", "cpu")
    if gpu and gpu.provider not in onnxruntime.get_available_providers():
        if is_required:
            raise EngineUnavailableError(
                f"DEVICE is {options.device}, but the installed onnxruntime is built without "
                f"{gpu.name}. Install {gpu.package}, or set DEVICE=auto or DEVICE=cpu."
            )
        gpu = None
    session = _open(graph, options, gpu, fixed or {})
    if gpu and is_required and provider_of(session) != gpu.name:
        raise EngineUnavailableError(
            f"DEVICE is {options.device}, but onnxruntime could not start on a GPU. Check that "
            f"{gpu.check}; or set DEVICE=auto or DEVICE=cpu."
        )
    return session


def provider_of(session: Any) -> str:
    """Name what a session runs on, for people, like "CPU" or "CUDA"."""
    name: str = session.get_providers()[0]
    return name.removesuffix("ExecutionProvider")


def has_larger_of_bytes() -> bool:
    """Whether onnxruntime finds the larger of two bytes: since 1.24, and Intel Macs have 1.23."""
    major, minor = map(int, onnxruntime.__version__.split(".")[:2])
    return (major, minor) >= _FIRST_WITH_LARGER_OF_BYTES


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


def _open(graph: bytes, options: EngineOptions, gpu: _Gpu | None, fixed: Mapping[str, int]) -> Any:
    providers: list[Any] = [_CPU]
    if gpu:
        recorded = {"enable_cuda_graph": "1"} if fixed and gpu.name == "CUDA" else {}
        providers = [(gpu.provider, {**gpu.settings, **recorded}), _CPU]
    if gpu and gpu.name == "CUDA":
        onnxruntime.preload_dlls()  # CUDA and cuDNN installed by pip are on no search path
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.threads
    settings.log_severity_level = _ERRORS_ONLY
    settings.enable_mem_pattern = False  # it keeps a plan for every picture size ever seen
    for name, size in fixed.items():
        settings.add_free_dimension_override_by_name(name, size)
    _share_memory()
    settings.add_session_config_entry("session.use_env_allocators", "1")
    # Threads that wait by spinning take the cores that decode the video, and gain nothing here.
    settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(graph, settings, providers=providers)
    if provider_of(session) == "CPU":
        forget_graph(session)
    return session
