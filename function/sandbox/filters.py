"""Programs for seccomp: each looks at a system call, and allows it, refuses it, or kills.

They are classic BPF (linux/filter.h), and read `struct seccomp_data`: the number of the call, the
architecture, and six arguments of 64 bits. Both architectures are little-endian.
"""

import struct
from collections.abc import Iterable

from function.sandbox.calls import (
    ALLOWED,
    ARM64,
    CLONE,
    CLONE3,
    REFUSED_WITH_GPU,
    REFUSED_WITH_GPU_ANYWHERE,
    X86_64,
    AtLeast,
    Call,
    Check,
    Null,
    OneOf,
    Without,
)

AUDIT_ARCHITECTURES = {X86_64: 0xC000003E, ARM64: 0xC00000B7}

ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050001, 0x80000000  # refuse with EPERM
NO_SUCH_CALL = 0x00050026  # ENOSYS: libc falls back to clone, whose flags can be read here

_CLONE = {X86_64: 56, ARM64: 220}
_CLONE_THREAD = 0x00010000
_SET_LIMITS = {X86_64: 302, ARM64: 261}  # prlimit64
_X32_CALLS = 0x40000000

_LOAD, _AND, _RETURN = 0x20, 0x54, 0x06
_IF_EQUAL, _IF_AT_LEAST, _IF_ANY_BIT = 0x15, 0x35, 0x45
_CALL_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # places in struct seccomp_data

Steps = list[bytes]


def allow_list(machine: str, *, may_start_threads: bool) -> bytes:
    """Build the filter that refuses every call but `calls.ALLOWED`, with the arguments it names."""
    steps = _require_architecture(machine) + _if_number(CLONE3, [_answer(NO_SUCH_CALL)])
    for call in ALLOWED:
        number = call.number(machine)
        if number is not None and (may_start_threads or call.name != CLONE):
            steps += _if_number(number, _decide(call))
    return b"".join([*steps, _answer(REFUSE)])


def deny_list(machine: str) -> bytes:
    """Build the filter for a GPU's driver: it refuses what reaches other processes and people.

    New threads are allowed, new processes are not; nor is a limit of another process.
    """
    steps = _require_architecture(machine) + _if_number(CLONE3, [_answer(NO_SUCH_CALL)])
    for number in (*REFUSED_WITH_GPU[machine], *REFUSED_WITH_GPU_ANYWHERE):
        steps += _if_number(number, [_answer(REFUSE)])
    is_thread = [_step(_IF_ANY_BIT, _CLONE_THREAD, 1, 0), _answer(REFUSE), _answer(ALLOW)]
    steps += _if_number(_CLONE[machine], [_load(0), *is_thread])
    steps += _if_number(_SET_LIMITS[machine], [*_check(OneOf(0, (0,))), _answer(ALLOW)])
    return b"".join([*steps, _answer(ALLOW)])


def _require_architecture(machine: str) -> Steps:
    """Kill who calls as another kind of program: the numbers would mean other calls."""
    return [
        _step(_LOAD, _ARCHITECTURE),
        _step(_IF_EQUAL, AUDIT_ARCHITECTURES[machine], 1, 0),
        _answer(KILL),
        _step(_LOAD, _CALL_NUMBER),
        _step(_IF_AT_LEAST, _X32_CALLS, 0, 1),
        _answer(KILL),
    ]


def _if_number(number: int, steps: Steps) -> Steps:
    """Go through `steps`, which end with an answer, if this is the call."""
    return [_step(_IF_EQUAL, number, 0, len(steps)), *steps]


def _decide(call: Call) -> Steps:
    checks = [step for check in call.checks for step in _check(check)]
    return [*checks, _answer(ALLOW)]


def _check(check: Check) -> Steps:
    """Refuse a call whose argument is not as it must be; otherwise go on."""
    match check:
        case OneOf(place, values, mask):
            masked = [_step(_AND, mask)] if mask != OneOf.mask else []
            return [_load(place), *masked, *_require_one_of(values)]
        case Without(place, mask):
            return [_load(place), _step(_IF_ANY_BIT, mask, 0, 1), _answer(REFUSE)]
        case AtLeast(place, least):
            return [_load(place), _step(_IF_AT_LEAST, least, 1, 0), _answer(REFUSE)]
        case Null(place):
            halves = (_load(place), _load(place, upper=True))
            return [step for half in halves for step in (half, *_require_one_of((0,)))]


def _require_one_of(values: Iterable[int]) -> Steps:
    ordered = list(values)
    matches = [
        _step(_IF_EQUAL, value, len(ordered) - position, 0)
        for position, value in enumerate(ordered)
    ]
    return [*matches, _answer(REFUSE)]


def _load(place: int, *, upper: bool = False) -> bytes:
    return _step(_LOAD, _ARGUMENTS + 8 * place + 4 * upper)


def _answer(value: int) -> bytes:
    return _step(_RETURN, value)


def _step(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
    return struct.pack("=HBBI", code, then, otherwise, value)
