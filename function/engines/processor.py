"""Tells what this processor can do: run dlib as packaged, before it crashes; multiply bytes."""

import platform

import cv2

from function.errors import EngineUnavailableError

_AVX, _AVX512_VNNI = 10, 23
"""OpenCV's numbers for them (CV_CPU_... in opencv2/core/cvdef.h), which its Python module lacks."""


def require_avx() -> None:
    """Make sure that importing dlib does not end the process with "Illegal instruction".

    The package dlib-bin is built for processors with AVX; a dlib that was built on this machine
    fits it.

    Raises:
        EngineUnavailableError: dlib-bin is installed, and the processor has no AVX.
    """
    is_intels_kind = platform.machine().lower() in ("x86_64", "amd64")
    if is_intels_kind and not cv2.checkHardwareSupport(_AVX) and _is_installed("dlib-bin"):
        raise EngineUnavailableError(
            "The package dlib-bin needs a processor with AVX, and this one has none, like many "
            "Celerons, Pentiums and Atoms. Build dlib on this machine instead (with a compiler, "
            "CMake and some minutes): pip uninstall dlib-bin, then pip install dlib."
        )


def multiplies_bytes() -> bool:
    """Whether the processor multiplies and adds bytes four times as fast as floats (AVX512-VNNI).

    On others a net in 8 bits is hardly faster, or rounds more than it should.
    """
    return bool(cv2.checkHardwareSupport(_AVX512_VNNI))


def _is_installed(package: str) -> bool:
    from importlib.metadata import PackageNotFoundError, distribution  # noqa: PLC0415  # for few

    try:
        distribution(package)
    except PackageNotFoundError:
        return False
    return True
