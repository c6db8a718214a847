"""Locks a process: it gives up files, network, other programs and unlimited memory.

A seccomp filter refuses calls that open or change files, make sockets or processes, or reach into
another process; it applies to every thread. Landlock (Linux 5.13) does the same in terms of files
instead of calls, for this thread and those it starts. Both are permanent. If the kernel has
neither, only the limits remain.
"""

import ctypes
import os
import platform
import resource
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

MEGABYTE = 1024 * 1024
MOST_OPEN_FILES = 64

_PR_SET_NO_NEW_PRIVS = 38
_SECCOMP_SET_MODE_FILTER, _SECCOMP_FILTER_FLAG_TSYNC = 1, 1
_LANDLOCK_CREATE_RULESET, _LANDLOCK_RESTRICT_SELF = 444, 446
_LANDLOCK_CREATE_RULESET_VERSION = 1

_FILE_RIGHTS_BY_VERSION = {1: 13, 2: 14, 3: 15, 5: 16}
"""Pairs: from this version on, Landlock knows this many rights over files (bits from 0)."""
_TCP_FROM_VERSION, _SCOPES_FROM_VERSION = 4, 6

_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050001, 0x80000000  # refuse with EPERM
_NO_SUCH_CALL = 0x00050026  # ENOSYS: libc falls back to clone, whose flags can be read here
_CLONE_THREAD = 0x00010000
_X32_CALLS = 0x40000000

_LOAD, _IF_EQUAL, _IF_ANY_BIT, _IF_AT_LEAST, _RETURN = 0x20, 0x15, 0x45, 0x35, 0x06
_CALL_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16  # places in struct seccomp_data


@dataclass(frozen=True)
class _Calls:
    """The numbers of system calls on one kind of machine (linux/arch/*/*/syscall*.tbl)."""

    audit_architecture: int
    seccomp: int
    clone: int
    refused: tuple[int, ...]
    on_files: tuple[int, ...]


_SAME_EVERYWHERE = (424, 425, 426, 427, 428, 429, 434, 438)
"""pidfd_send_signal, io_uring_setup, _enter, _register, open_tree, move_mount, pidfd_open,
pidfd_getfd."""
_OPENAT2 = 437
_CLONE3 = 435

_CALLS = {
    "x86_64": _Calls(
        0xC000003E,
        317,
        56,
        (
            *(41, 42, 43, 44, 49, 50, 53, 288, 307),  # sockets: open, connect, accept, send, bind
            *(57, 58, 59, 322),  # fork, vfork, execve, execveat
            *(62, 129, 200, 234, 297),  # kill, and its kin: tkill, tgkill, sigqueue
            *(101, 310, 311, 298, 321, 323),  # ptrace, process_vm_*, perf, bpf, userfaultfd
            *(109, 112, 165, 272, 308, 304),  # setpgid, setsid, mount, unshare, setns, handles
            *(248, 249, 250),  # keys
        ),
        (
            *(2, 85, 257, _OPENAT2),  # open, creat, openat
            *(76, 82, 83, 84, 86, 87, 88, 90, 92, 94, 133),  # truncate, rename, mkdir ... mknod
            *(258, 259, 260, 263, 264, 265, 266, 268, 316),  # the same, with ...at
        ),
    ),
    "aarch64": _Calls(
        0xC00000B7,
        277,
        220,
        (
            *(198, 199, 200, 201, 202, 203, 206, 242, 269),
            *(221, 281),
            *(129, 130, 131, 138, 240),
            *(117, 270, 271, 241, 280, 282),
            *(154, 157, 40, 97, 268, 265),
            *(217, 218, 219),
        ),
        (56, _OPENAT2, 45, 33, 34, 35, 36, 37, 38, 53, 54, 276),
    ),
}


def lock_down(memory_bytes: int | None, *, needs_files: bool = False) -> tuple[str, ...]:
    """Lock this process permanently, and return which of "memory", "calls" and "files" are locked.

    `memory_bytes` is what it may use beyond what it has; None for no limit. `needs_files` leaves
    files unlocked, for the drivers of a GPU, which open more of them at any time.
    """
    held = ["memory"] if _limit(memory_bytes) else []
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        held += ["files"] if not needs_files and _close_files(libc) else []
        held += ["calls"] if _filter_calls(libc, needs_files=needs_files) else []
    return tuple(held)


def _limit(memory_bytes: int | None) -> bool:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (MOST_OPEN_FILES, MOST_OPEN_FILES))
    if memory_bytes is None or sys.platform != "linux":  # macOS counts, but does not enforce
        return False
    # Only written memory counts, not what is only mapped: libraries and reserved space are free.
    limit = _taken_bytes() + memory_bytes
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    return True


def _taken_bytes() -> int:
    """Read how much memory this process has already taken, as RLIMIT_DATA counts it."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmData:")[2].split()[0]) * 1024


def _close_files(libc: ctypes.CDLL) -> bool:
    """Make Landlock refuse every path, TCP, and signals and sockets of other processes."""
    version = libc.syscall(_LANDLOCK_CREATE_RULESET, None, 0, _LANDLOCK_CREATE_RULESET_VERSION)
    if version < 1:
        return False
    rights = max(count for since, count in _FILE_RIGHTS_BY_VERSION.items() if since <= version)
    words = [2**rights - 1]
    words += [0b11] if version >= _TCP_FROM_VERSION else []
    words += [0b11] if version >= _SCOPES_FROM_VERSION else []
    attributes = struct.pack(f"={len(words)}Q", *words)
    ruleset = libc.syscall(_LANDLOCK_CREATE_RULESET, attributes, len(attributes), 0)
    if ruleset < 0:
        return False
    is_held = libc.syscall(_LANDLOCK_RESTRICT_SELF, ruleset, 0) == 0
    os.close(ruleset)
    return bool(is_held)


def _filter_calls(libc: ctypes.CDLL, *, needs_files: bool) -> bool:
    calls = _CALLS.get(platform.machine())
    if calls is None:
        return False
    refused = (*calls.refused, *_SAME_EVERYWHERE, *(() if needs_files else calls.on_files))
    program = _program(calls, refused)
    instructions = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("@HP", len(program) // 8, ctypes.addressof(instructions))
    flags = _SECCOMP_FILTER_FLAG_TSYNC
    return bool(libc.syscall(calls.seccomp, _SECCOMP_SET_MODE_FILTER, flags, header) == 0)


def _program(calls: _Calls, refused: tuple[int, ...]) -> bytes:
    """Build the filter: each call that is not refused is allowed."""

    def step(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
        return struct.pack("=HBBI", code, then, otherwise, value)

    def answer(value: int) -> bytes:
        return step(_RETURN, value)

    steps = [
        step(_LOAD, _ARCHITECTURE),
        step(_IF_EQUAL, calls.audit_architecture, 1, 0),
        answer(_KILL),
        step(_LOAD, _CALL_NUMBER),
        step(_IF_AT_LEAST, _X32_CALLS, 0, 1),
        answer(_KILL),
        step(_IF_EQUAL, _CLONE3, 0, 1),
        answer(_NO_SUCH_CALL),
    ]
    for number in refused:
        steps += [step(_IF_EQUAL, number, 0, 1), answer(_REFUSE)]
    steps += [
        step(_IF_EQUAL, calls.clone, 0, 3),
        step(_LOAD, _FIRST_ARGUMENT),
        step(_IF_ANY_BIT, _CLONE_THREAD, 1, 0),
        answer(_REFUSE),
        answer(_ALLOW),
    ]
    return b"".join(steps)
