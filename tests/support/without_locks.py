"""Runs a program as on a kernel that lacks some locks: `seccomp`, `landlock` or both.

`python -m tests.support.without_locks LOCKS PROGRAM...`; their calls do not exist for it.
"""

import ctypes
import os
import platform
import struct
import sys
from errno import ENOSYS

_SECCOMP = {"x86_64": 317, "aarch64": 277}
_LANDLOCK = (444, 445, 446)
_SET_NO_NEW_PRIVS, _SET_SECCOMP, _FILTER = 38, 22, 2
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _ERROR = 0x7FFF0000, 0x00050000


def remove(numbers: list[int]) -> None:
    """Have this process, and whatever it becomes, find no calls of these numbers."""
    ends = [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _ERROR | ENOSYS)]
    tests = [(_EQUAL, len(numbers) - at, 0, number) for at, number in enumerate(numbers)]
    steps = [(_LOAD, 0, 0, 0), *tests, *ends]
    program = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *one) for one in steps))
    header = struct.pack("@HP", len(steps), ctypes.addressof(program))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if libc.prctl(_SET_SECCOMP, _FILTER, ctypes.create_string_buffer(header), 0, 0):
        raise OSError(ctypes.get_errno(), "no filter could be set")


if __name__ == "__main__":
    asked = sys.argv[1].split(",")
    remove(
        [_SECCOMP[platform.machine()]] * ("seccomp" in asked) + [*_LANDLOCK] * ("landlock" in asked)
    )
    os.execv(sys.argv[2], sys.argv[2:])  # what it was told to run
