"""Starts the process of a child, with no more of our environment than it needs."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from function.sandbox.messages import Setup
from function.settings import Settings

ROOT = Path(__file__).parents[2]
CHILD_MODULE = f"{__package__}.child"

PASSED_ON = (
    *("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "XDG_CACHE_HOME", "LD_LIBRARY_PATH"),
    *("PYTHONUSERBASE", "PYTHONHOME"),
)
PASSED_ON_PREFIXES = (
    *("CUDA_", "NVIDIA_", "LIBVA_", "HSA_", "ROCR_", "HIP_"),
    *("OMP_", "PYTHONDONTWRITEBYTECODE"),
)
"""The part of our environment a child gets: never a token or a path of the library."""

ADDED = {
    "OPENBLAS_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": "4000000",
    "MALLOC_TRIM_THRESHOLD_": "4000000",
}
"""What else it gets. numpy would start a thread for each core, which costs 80 ms of CPU time and is
never used. glibc would keep the memory of large pictures, and some for each thread: 30 MB in each
process. But with a threshold of its own for them it would also give back each 128 KB that are free,
which the kernel has to clear for the next picture; so it keeps up to 4 MB."""

_START = (
    "import gc, runpy, sys; gc.disable(); del sys.argv[0]; "
    "runpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)"
)
"""What a child's Python does, as with -m, but collecting no garbage while it imports: 25 ms."""


def setup_of(settings: Settings) -> Setup:
    """Select the settings that a child is given."""
    return Setup(
        engine=settings.engine,
        detector=settings.detector,
        device=settings.device,
        decode=settings.decode,
        threads=settings.net_threads,
        threads_alone=settings.net_threads_alone,
        helpers=settings.helpers,
        detection_pixels=settings.detection_pixels,
        cache_folder=os.fsencode(settings.cache_folder.resolve()) if settings.cache_folder else b"",
        second_encoder=_spell(settings.engine_options.second_encoder),
        memory_megabytes=settings.memory_megabytes,
        helper_megabytes=settings.helper_megabytes,
    )


def _spell(second_encoder: str | Path | None) -> bytes:
    if isinstance(second_encoder, Path):
        second_encoder = second_encoder.absolute()
    return os.fsencode(second_encoder or "")


def start_child(passed: Sequence[int]) -> "subprocess.Popen[bytes]":
    """Start a child, to which some descriptors are passed."""
    return subprocess.Popen(  # noqa: S603  # our own program, no shell
        [sys.executable, "-c", _START, CHILD_MODULE, *map(str, passed)],
        cwd=ROOT,
        env=_environment(),
        stdin=subprocess.PIPE,  # never written to: when it closes, the child ends too
        pass_fds=passed,
        start_new_session=True,
    )


def _environment() -> dict[str, str]:
    passed_on = {
        name: value
        for name, value in os.environ.items()
        if name in PASSED_ON or name.startswith(PASSED_ON_PREFIXES)
    }
    packages = [os.path.abspath(one) for one in _package_folders()]  # noqa: PTH100  # not a Path
    return passed_on | ADDED | {"PYTHONPATH": os.pathsep.join([str(ROOT), *packages])}


def _package_folders() -> list[str]:
    """List where else packages are: installed for the user only, or named by PYTHONPATH."""
    return [one for one in os.environ.get("PYTHONPATH", "").split(os.pathsep) if one]
