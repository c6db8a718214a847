"""Locks a process: it gives up files, network, other programs and unlimited memory.

A seccomp filter refuses every system call that decoding does not take; it applies to every thread.
Landlock (Linux 5.13) refuses files too, in its own terms, for this thread and those it starts. Both
are permanent. If the kernel has neither, only the limits remain.
"""

import ctypes
import fcntl
import os
import platform
import resource
import signal
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from function.media.threads import can_start_threads
from function.sandbox.calls import ARM64, X86_64
from function.sandbox.filters import allow_list, deny_list

MEGABYTE = 1024 * 1024
MOST_OPEN_FILES = 64
MOST_OPEN_FILES_WITH_GPU = 1024
"""A GPU's driver opens device files for each context, and there are two or more: one for the nets,
and one for each video stream."""

LARGEST_STACK_BYTES = 8 * MEGABYTE
"""What the first thread's stack may grow to, as Linux usually has it: its memory counts towards no
other limit, and after `ulimit -s unlimited` towards none."""

RESERVED_BYTES = 4096 * MEGABYTE
"""How much more than it may write a process may map: what it maps and only reads costs page tables,
a thousandth of it. Each thread that allocates reserves 128 MB."""

FEWEST_THREADS = 512
"""The least that a user's threads are limited to: our other children's count as well."""

NOBODY = 65_534
"""The user that owns nothing, by its number on Linux."""

_PR_SET_NO_NEW_PRIVS = 38
_SECCOMP = {X86_64: 317, ARM64: 277}
_SECCOMP_SET_MODE_FILTER, _SECCOMP_FILTER_FLAG_TSYNC = 1, 1
_LANDLOCK_CREATE_RULESET, _LANDLOCK_RESTRICT_SELF = 444, 446
_LANDLOCK_CREATE_RULESET_VERSION = 1

_FILE_RIGHTS_BY_VERSION = {1: 13, 2: 14, 3: 15, 5: 16}
"""Pairs: from this version on, Landlock knows this many rights over files (bits from 0)."""
_TCP_FROM_VERSION, _SCOPES_FROM_VERSION = 4, 6


def end_with(pipe: int) -> None:
    """Have the kernel kill this process when the last writer of a pipe is gone: its parent.

    If it leads a group of processes, they are killed too.

    The parent never writes. Once the process is locked it can neither close descriptor 0 nor take
    this back. PR_SET_PDEATHSIG would not do: it kills when the *thread* that started us ends.
    Without Linux this does nothing.
    """
    if sys.platform == "linux":
        with suppress(OSError):  # not every kernel that calls itself Linux knows this
            is_leader = os.getpgrp() == os.getpid()  # then its helpers end with it
            fcntl.fcntl(pipe, fcntl.F_SETOWN, -os.getpgrp() if is_leader else os.getpid())
            fcntl.fcntl(pipe, fcntl.F_SETSIG, signal.SIGKILL)
            flags = fcntl.fcntl(pipe, fcntl.F_GETFL)
            fcntl.fcntl(pipe, fcntl.F_SETFL, flags | os.O_ASYNC)


def lock_down(memory_bytes: int | None, *, needs_files: bool = False) -> tuple[str, ...]:
    """Lock this process permanently, and return which of "memory", "calls" and "files" are locked.

    `memory_bytes` is what it may use beyond what it has; None for no limit. `needs_files` leaves
    files and most calls unlocked, for the drivers of a GPU, which open more at any time. Without it
    threads can be started only if the kernel limits them.
    """
    most_files = MOST_OPEN_FILES_WITH_GPU if needs_files else MOST_OPEN_FILES
    held = ["memory"] if _limit(memory_bytes, most_files) else []
    if sys.platform == "linux":
        are_limited = not needs_files and _limit_threads()
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        held += ["files"] if not needs_files and _close_files(libc) else []
        allow = partial(allow_list, may_start_threads=are_limited)
        held += ["calls"] if _filter_calls(libc, deny_list if needs_files else allow) else []
    return tuple(held)


def _limit(memory_bytes: int | None, most_files: int) -> bool:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    _lower(resource.RLIMIT_NOFILE, most_files)
    _lower(resource.RLIMIT_STACK, LARGEST_STACK_BYTES)
    if memory_bytes is None or sys.platform != "linux":  # macOS counts, but does not enforce
        return False
    # Only written memory counts, not what is only mapped: libraries and reserved space are free.
    written = _taken_bytes("VmData") + memory_bytes
    resource.setrlimit(resource.RLIMIT_DATA, (written, written))
    mapped = _taken_bytes("VmSize") + memory_bytes + RESERVED_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (mapped, mapped))
    return True


def _lower(limit: int, most: int) -> None:
    """Set a limit for good, to what was allowed before if that is less."""
    _, allowed = resource.getrlimit(limit)
    value = most if allowed == resource.RLIM_INFINITY else min(most, allowed)
    resource.setrlimit(limit, (value, value))


def _limit_threads() -> bool:
    """Limit the threads of this user to twice what they are; return False if nothing limits them.

    The kernel counts those of all processes of a user, also where this one cannot see them, so it
    is asked. It never counts root's: who is root becomes nobody.
    """
    if _may_have(1):
        _leave_root()
    if _may_have(1):
        return False
    most = FEWEST_THREADS // 2
    while not _may_have(most) and _within_limit(2 * most) == 2 * most:
        most *= 2
    most = _within_limit(2 * most)
    resource.setrlimit(resource.RLIMIT_NPROC, (most, most))
    return True


def _may_have(threads: int) -> bool:
    """Say whether another thread can start where the user may have so many."""
    _, most = resource.getrlimit(resource.RLIMIT_NPROC)
    resource.setrlimit(resource.RLIMIT_NPROC, (_within_limit(threads), most))
    return can_start_threads()


def _within_limit(threads: int) -> int:
    """Return so many threads, or as many as were allowed before, if those are fewer."""
    _, most = resource.getrlimit(resource.RLIMIT_NPROC)
    return threads if most == resource.RLIM_INFINITY else min(threads, most)


def _leave_root() -> None:
    """Become nobody, who may do no more than this process does: every file is open by now."""
    with suppress(OSError):  # it was nobody special, or may not
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)


def _taken_bytes(kind: str) -> int:
    """Read how much memory of a kind this process has already taken, as its limit counts it."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition(f"{kind}:")[2].split()[0]) * 1024


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


def _filter_calls(libc: ctypes.CDLL, build: Callable[[str], bytes]) -> bool:
    machine = platform.machine()
    if machine not in _SECCOMP:
        return False
    program = build(machine)
    instructions = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("@HP", len(program) // 8, ctypes.addressof(instructions))
    flags = _SECCOMP_FILTER_FLAG_TSYNC
    return bool(libc.syscall(_SECCOMP[machine], _SECCOMP_SET_MODE_FILTER, flags, header) == 0)
