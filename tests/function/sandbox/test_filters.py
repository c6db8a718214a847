"""The filters of system calls, run by an interpreter, so that both machines can be checked."""

import re
import struct
from pathlib import Path

import pytest

from function.sandbox.calls import (
    ALLOWED,
    ARM64,
    CLONE,
    CLONE3,
    X86_64,
    AtLeast,
    Call,
    OneOf,
)
from function.sandbox.filters import (
    ALLOW,
    AUDIT_ARCHITECTURES,
    KILL,
    NO_SUCH_CALL,
    REFUSE,
    allow_list,
    deny_list,
)

ROOT = Path(__file__).parents[3]
MACHINES = (X86_64, ARM64)
HEADERS = {
    X86_64: Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    ARM64: Path("/usr/include/asm-generic/unistd.h"),
}
FURTHER_THAN_ANY_CALL = 1024


def run(program: bytes, number: int, arguments: tuple[int, ...] = (), *, machine: str) -> int:
    """Run a filter as the kernel does, and return its answer."""
    data = struct.pack("<IIQ", number, AUDIT_ARCHITECTURES[machine], 0)
    data += struct.pack("<6Q", *(*arguments, *[0] * 6)[:6])
    steps = list(struct.iter_unpack("=HBBI", program))
    position = accumulator = 0
    while True:
        code, then, otherwise, value = steps[position]
        position += 1
        match code:
            case 0x20:
                (accumulator,) = struct.unpack_from("<I", data, value)
            case 0x54:
                accumulator &= value
            case 0x15:
                position += then if accumulator == value else otherwise
            case 0x35:
                position += then if accumulator >= value else otherwise
            case 0x45:
                position += then if accumulator & value else otherwise
            case 0x06:
                return int(value)
            case _:
                raise AssertionError(f"no such step: {code:#x}")


def call(name: str) -> Call:
    return next(one for one in ALLOWED if one.name == name)


def ask(name: str, *arguments: int, machine: str) -> int:
    number = call(name).number(machine)
    assert number is not None
    return run(locked(machine), number, arguments, machine=machine)


def locked(machine: str) -> bytes:
    return allow_list(machine, may_start_threads=True)


def good_arguments(one: Call) -> tuple[int, ...]:
    """Arguments that meet every check."""
    arguments = [0] * 6
    for check in one.checks:
        if isinstance(check, OneOf):
            arguments[check.place] = check.values[-1]
        if isinstance(check, AtLeast):
            arguments[check.place] = check.least
    return tuple(arguments)


@pytest.mark.parametrize("machine", MACHINES)
def test_what_is_named_is_allowed_and_every_other_number_refused(machine: str) -> None:
    program = locked(machine)
    allowed = {one.number(machine): one for one in ALLOWED} | {None: None}
    for number in range(FURTHER_THAN_ANY_CALL):
        one = allowed.get(number)
        expected = ALLOW if one else NO_SUCH_CALL if number == CLONE3 else REFUSE
        arguments = good_arguments(one) if one else ()
        assert run(program, number, arguments, machine=machine) == expected, number


@pytest.mark.parametrize("machine", MACHINES)
def test_where_nothing_limits_threads_none_can_be_started(machine: str) -> None:
    number, thread = call(CLONE).number(machine), good_arguments(call(CLONE))
    assert number
    program = allow_list(machine, may_start_threads=False)
    assert run(program, number, thread, machine=machine) == REFUSE
    assert run(locked(machine), number, thread, machine=machine) == ALLOW


@pytest.mark.parametrize("make", [locked, deny_list])
def test_a_call_of_another_kind_of_program_kills(make: object) -> None:
    for machine, other in (MACHINES, MACHINES[::-1]):
        program = make(machine)  # type: ignore[operator]
        assert run(program, 0, machine=other) == KILL
        assert run(program, 0x40000000, machine=machine) == KILL


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("close", (0,)),
        ("close", (2,)),
        ("fcntl", (0, 4, 0)),  # F_SETFL, which ends O_ASYNC
        ("fcntl", (0, 6, 0)),  # F_SETLK
        ("fcntl", (0, 8, 1)),  # F_SETOWN
        ("fcntl", (0, 10, 9)),  # F_SETSIG
        ("fcntl", (0, 15, 0)),  # F_SETOWN_EX
        ("fcntl", (0, 1026, 0)),  # F_NOTIFY
        ("fcntl", (0, 1031, 1 << 20)),  # F_SETPIPE_SZ
        ("mmap", (0, 4096, 3, 0x21)),  # MAP_SHARED
        ("mmap", (0, 4096, 3, 0x23)),  # MAP_SHARED_VALIDATE
        ("mmap", (0, 4096, 3, 0x122)),  # MAP_GROWSDOWN
        ("mmap", (0, 4096, 5, 0x22)),  # PROT_EXEC
        ("mprotect", (0, 4096, 5)),
        ("mprotect", (0, 4096, 0x01000003)),  # PROT_GROWSDOWN
        ("mremap", (0, 4096, 4096, 3)),  # MREMAP_FIXED
        ("mremap", (0, 4096, 4096, 5)),  # MREMAP_DONTUNMAP
        ("madvise", (0, 4096, 9)),  # MADV_REMOVE
        ("madvise", (0, 4096, 100)),  # MADV_HWPOISON
        ("futex", (0, 6, 0)),  # FUTEX_LOCK_PI
        ("futex", (0, 134, 0)),  # the same, private
        ("futex", (0, 11, 0)),  # FUTEX_WAIT_REQUEUE_PI
        ("prctl", (1, 0)),  # PR_SET_PDEATHSIG
        ("prctl", (4, 1)),  # PR_SET_DUMPABLE
        ("prctl", (22, 0)),  # PR_SET_SECCOMP
        ("prlimit64", (1, 7, 0, 0)),
        ("prlimit64", (0, 7, 4096, 0)),
        ("prlimit64", (0, 7, 1 << 32, 0)),  # an address whose lower half is 0
        ("sched_getaffinity", (1, 8, 0)),
        ("clone", (17,)),  # a process, that of fork
        ("clone", (0x4111,)),  # that of vfork
        ("clone", (0x3D0F00 - 0x10000,)),  # a process that shares all
        ("clone", (0x3D0F00 | 0x8000,)),  # CLONE_PARENT
        ("clone", (0x3D0F00 | 0x2000,)),  # CLONE_PTRACE
        ("clone", (0x3D0F00 | 0x10000000,)),  # CLONE_NEWUSER
        ("clone", (0x3D0F00 | 0x800000,)),  # CLONE_UNTRACED
    ],
)
def test_what_reaches_further_is_refused_by_its_arguments(
    machine: str, name: str, arguments: tuple[int, ...]
) -> None:
    assert ask(name, *arguments, machine=machine) == REFUSE
    assert ask(name, *good_arguments(call(name)), machine=machine) == ALLOW


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("close", (3,)),
        ("close", (63,)),
        ("fcntl", (5, 1030, 0)),
        ("mmap", (0, 4096, 3, 0x22)),
        ("mmap", (0, 4096, 0, 0x4022)),
        ("mprotect", (0, 4096, 3)),
        ("mremap", (0, 4096, 8192, 1)),
        ("madvise", (0, 4096, 4)),
        ("futex", (0, 128, 0)),
        ("futex", (0, 393, 0)),  # FUTEX_WAIT_BITSET, private, by the clock of the wall
        ("prctl", (15, 0)),
        ("prlimit64", (0, 7, 0, 4096)),
    ],
)
def test_what_decoding_takes_is_allowed(
    machine: str, name: str, arguments: tuple[int, ...]
) -> None:
    assert ask(name, *arguments, machine=machine) == ALLOW


@pytest.mark.parametrize("machine", MACHINES)
def test_beside_a_gpu_threads_start_and_processes_do_not(machine: str) -> None:
    program = deny_list(machine)
    clone = {X86_64: 56, ARM64: 220}[machine]
    limits = call("prlimit64").number(machine)
    assert limits
    assert run(program, clone, (0x10000,), machine=machine) == ALLOW
    assert run(program, clone, (17,), machine=machine) == REFUSE
    assert run(program, 435, machine=machine) == NO_SUCH_CALL
    assert run(program, limits, (0,), machine=machine) == ALLOW
    assert run(program, limits, (1,), machine=machine) == REFUSE
    for number in (424, 452, {X86_64: 29, ARM64: 194}[machine]):
        assert run(program, number, machine=machine) == REFUSE
    assert run(program, 0, machine=machine) == ALLOW


@pytest.mark.parametrize("machine", MACHINES)
def test_the_numbers_are_those_of_the_kernels_headers(machine: str) -> None:
    if not HEADERS[machine].exists():
        pytest.skip("this machine has no headers of the kernel")
    named = re.findall(r"__NR(?:3264)?_(\w+)\s+(\d+)", HEADERS[machine].read_text())
    numbers = {name: int(number) for name, number in named}
    for one in ALLOWED:
        assert one.number(machine) == numbers.get(one.name), one.name


def test_the_threats_say_why_each_call_is_allowed() -> None:
    _, _, table = (ROOT / "THREATS.md").read_text().partition("| call | ")
    rows = [row.split("|")[1] for row in table.partition("\n\n")[0].splitlines()[2:]]
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert sorted(named) == sorted(one.name for one in ALLOWED)
