"""The system calls that a locked process may make, and with which arguments.

Everything else is refused. THREATS.md says of each call why it is here. The numbers are those of
linux/arch/*/*/syscall*.tbl.
"""

from dataclasses import dataclass

X86_64, ARM64 = "x86_64", "aarch64"


@dataclass(frozen=True)
class OneOf:
    """The argument at `place`, from 0, is one of `values`; only the bits in `mask` are compared."""

    place: int
    values: tuple[int, ...]
    mask: int = 0xFFFFFFFF


@dataclass(frozen=True)
class Without:
    """The argument at `place` has none of the bits in `mask`."""

    place: int
    mask: int


@dataclass(frozen=True)
class AtLeast:
    """The argument at `place`, without a sign, is `least` or more."""

    place: int
    least: int


@dataclass(frozen=True)
class Null:
    """The argument at `place` is no address: all of its 64 bits are 0."""

    place: int


Check = OneOf | Without | AtLeast | Null


@dataclass(frozen=True)
class Call:
    """A call: its name, its numbers on x86-64 and arm64, and what must hold of its arguments.

    `arm64` is None where the call does not exist.
    """

    name: str
    x86_64: int
    arm64: int | None
    checks: tuple[Check, ...] = ()

    def number(self, machine: str) -> int | None:
        """Return its number on a machine, as `platform.machine()` names it."""
        return self.x86_64 if machine == X86_64 else self.arm64


CLONE = "clone"
CLONE3 = 435
"""Its flags lie in memory, where no filter sees them: a locked process is told that it does not
exist, and libc falls back to clone."""

FIRST_OWN_DESCRIPTOR = 3
"""Those below must stay open: what is at 0 ends the process with its parent."""

_EXECUTABLE = 0x4
_SHARED_OR_STACK = 0x1 | 0x100
"""MAP_SHARED and MAP_GROWSDOWN: the memory of neither counts towards the limit."""
_GROWS = 0x01000000 | 0x02000000  # PROT_GROWSDOWN, PROT_GROWSUP
_MAY_MOVE = (0, 1)
_ADVICE = (4, 8, 14, 15)  # MADV_DONTNEED, _FREE, _HUGEPAGE, _NOHUGEPAGE
_DESCRIPTOR_COMMANDS = (1, 2, 3, 1030)  # F_GETFD, F_SETFD, F_GETFL, F_DUPFD_CLOEXEC
_SET_NAME = 15  # PR_SET_NAME
_WAIT_OR_WAKE = (0, 1, 3, 4, 5, 9, 10)
"""FUTEX_WAIT, _WAKE, _REQUEUE, _CMP_REQUEUE, _WAKE_OP, _WAIT_BITSET, _WAKE_BITSET."""
_FUTEX_COMMAND = 0x7F
_OF_A_THREAD = 0x003D0F00
"""What pthread_create asks for: CLONE_VM, _FS, _FILES, _SIGHAND, _THREAD, _SYSVSEM, _SETTLS,
_PARENT_SETTID and _CHILD_CLEARTID. All of them share; none makes a process or a namespace."""

ALLOWED = (
    Call("read", 0, 63),
    Call("write", 1, 64),
    Call("pread64", 17, 67),
    Call("lseek", 8, 62),
    Call("fstat", 5, 80),
    Call("close", 3, 57, (AtLeast(0, FIRST_OWN_DESCRIPTOR),)),
    Call("dup", 32, 23),
    Call("fcntl", 72, 25, (OneOf(1, _DESCRIPTOR_COMMANDS),)),
    Call("recvmsg", 47, 212),
    Call("mmap", 9, 222, (Without(2, _EXECUTABLE), Without(3, _SHARED_OR_STACK))),
    Call("mprotect", 10, 226, (Without(2, _EXECUTABLE | _GROWS),)),
    Call("munmap", 11, 215),
    Call("mremap", 25, 216, (OneOf(3, _MAY_MOVE),)),
    Call("madvise", 28, 233, (OneOf(2, _ADVICE),)),
    Call("brk", 12, 214),
    Call("futex", 202, 98, (OneOf(1, _WAIT_OR_WAKE, _FUTEX_COMMAND),)),
    Call(CLONE, 56, 220, (OneOf(0, (_OF_A_THREAD,)),)),
    Call("rseq", 334, 293),
    Call("sched_yield", 24, 124),
    Call("sched_getaffinity", 204, 123, (OneOf(0, (0,)),)),
    Call("getcpu", 309, 168),
    Call("nanosleep", 35, 101),
    Call("clock_nanosleep", 230, 115),
    Call("restart_syscall", 219, 128),
    Call("clock_gettime", 228, 113),
    Call("clock_getres", 229, 114),
    Call("gettimeofday", 96, 169),
    Call("time", 201, None),
    Call("rt_sigaction", 13, 134),
    Call("rt_sigprocmask", 14, 135),
    Call("rt_sigreturn", 15, 139),
    Call("prctl", 157, 167, (OneOf(0, (_SET_NAME,)),)),
    Call("prlimit64", 302, 261, (OneOf(0, (0,)), Null(2))),
    Call("sysinfo", 99, 179),
    Call("getpid", 39, 172),
    Call("gettid", 186, 178),
    Call("getrandom", 318, 278),
    Call("exit", 60, 93),
    Call("exit_group", 231, 94),
)
"""What decoding a file takes once everything is loaded. `clone` only where threads are limited."""

REFUSED_WITH_GPU = {
    X86_64: (
        *(41, 42, 43, 44, 49, 50, 53, 288, 307),  # sockets: open, connect, accept, send, bind
        *(57, 58, 59, 322),  # fork, vfork, execve, execveat
        *(62, 129, 200, 234, 297),  # kill, and its kin: tkill, tgkill, sigqueue
        *(101, 310, 311, 298, 321, 323),  # ptrace, process_vm_*, perf, bpf, userfaultfd
        *(109, 112, 165, 272, 308, 304),  # setpgid, setsid, mount, unshare, setns, handles
        *(248, 249, 250),  # keys
        *(
            29,
            30,
            31,
            64,
            65,
            66,
            68,
            69,
            70,
            71,
            220,
        ),  # System V shared memory, semaphores, queues
        *(240, 241, 242, 243, 244, 245),  # POSIX queues
        *(253, 254, 294, 300, 301),  # inotify, fanotify
        *(90, 91, 92, 93, 94, 132, 235, 260, 261, 268, 280),  # chmod, chown, utime and their kin
        *(188, 189, 190, 197, 198, 199),  # extended attributes
    ),
    ARM64: (
        *(198, 199, 200, 201, 202, 203, 206, 242, 269),
        *(221, 281),
        *(129, 130, 131, 138, 240),
        *(117, 270, 271, 241, 280, 282),
        *(154, 157, 40, 97, 268, 265),
        *(217, 218, 219),
        *(194, 196, 195, 190, 193, 191, 186, 188, 189, 187, 192),
        *(180, 181, 182, 183, 184, 185),
        *(26, 27, 262, 263),
        *(52, 53, 54, 55, 88),
        *(5, 6, 7, 14, 15, 16),
    ),
}
"""What is refused where the driver of a GPU needs too many calls to list those that it may make."""

REFUSED_WITH_GPU_ANYWHERE = (424, 425, 426, 427, 428, 429, 434, 438, 452, 463, 466)
"""pidfd_send_signal, io_uring_setup, _enter, _register, open_tree, move_mount, pidfd_open,
pidfd_getfd, fchmodat2, setxattrat, removexattrat: since these, numbers are the same everywhere."""
