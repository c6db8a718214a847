"""Tells what this processor can do: run dlib as packaged, before it crashes; multiply bytes."""

import platform

import cv2

from function.errors import EngineUnavailableError

_AVX, _AVX2, _AVX512_VNNI = 10, 11, 23
"""OpenCV's numbers for them (CV_CPU_... in opencv2/core/cvdef.h), which its Python module lacks."""


def require_avx() -> None:
    """Make sure that importing dlib does not end the process with "Illegal instruction".

    The package dlib-bin is built for processors with AVX; a dlib that was built on this machine
    fits it.

    Raises:
        EngineUnavailableError: dlib-bin is installed, and the processor has no AVX.
    """
    if _is_intels_kind() and not cv2.checkHardwareSupport(_AVX) and _is_installed("dlib-bin"):
        raise EngineUnavailableError(
            "The package dlib-bin needs a processor with AVX, and this one has none, like many "
            "Celerons, Pentiums and Atoms. Build dlib on this machine instead (with a compiler, "
            "CMake and some minutes): pip uninstall dlib-bin, then pip install dlib."
        )


def multiplies_bytes() -> bool:
    """Whether the processor multiplies and adds bytes four times as fast as floats (AVX512-VNNI).

    On others a net that is partly in 8 bits is hardly faster, or rounds more than it should.
    """
    return bool(cv2.checkHardwareSupport(_AVX512_VNNI))


def gains_by_bytes() -> bool:
    """Whether a net that is all in bytes takes less time than in floats.

    It takes a third with AVX-VNNI or AVX512-VNNI, half with AVX2, and half as much again with AVX.
    Without VNNI sums of two products are cut off that 16 bits cannot hold; that moves encodings
    about as far as rounding does. Other processors than Intel's kind were not measured.
    """
    return not _is_intels_kind() or bool(cv2.checkHardwareSupport(_AVX2))


def _is_intels_kind() -> bool:
    return platform.machine().lower() in ("x86_64", "amd64")


def _is_installed(package: str) -> bool:
    from importlib.metadata import PackageNotFoundError, distribution  # noqa: PLC0415  # for few

    try:
        distribution(package)
    except PackageNotFoundError:
        return False
    return True
