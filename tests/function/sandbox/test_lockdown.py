"""What a locked process can still do, tried on this kernel."""

import io
import json
import os
import signal
import subprocess
import sys
from errno import ENOSYS, EPERM
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from function.media.photo_decoder import HAS_JXL, JXL
from function.sandbox.calls import ALLOWED, CLONE, CLONE3
from function.sandbox.lockdown import MOST_OPEN_FILES
from tools.footage.heif import heic

ROOT = Path(__file__).parents[3]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux locks calls and files")


def run_locked(
    script: str, *arguments: str, stdin: bytes = b""
) -> tuple[list[str], dict[str, Any]]:
    """Run a script that prints its locks and findings; skip if no calls are locked."""
    command = [sys.executable, "-c", script, *arguments]
    printed = subprocess.check_output(command, cwd=ROOT, input=stdin, timeout=60)
    locks, found = json.loads(printed)
    if "calls" not in locks:
        pytest.skip("this kernel filters no system calls")
    return locks, found


LOCKED_OUT = """
import encodings.idna, fcntl, json, mmap, os, resource, signal, socket, sys, threading
from function.sandbox.lockdown import lock_down
found = {}
go, done = threading.Event(), threading.Event()
def no():
    raise OSError("refused")
def attempt(who):
    attempts = {
        "read": lambda: open(sys.argv[1]).close(),
        "write": lambda: open(sys.argv[1], "a").close(),
        "list": lambda: os.listdir("/"),
        "remove": lambda: os.unlink(sys.argv[1]),
        "connect": lambda: socket.create_connection(("127.0.0.1", 9)),
        "datagram": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
        "run": lambda: os.execv("/bin/true", ["true"]),
        "fork": os.fork,
        "signal": lambda: os.kill(os.getppid(), signal.SIGCONT),
        "stat": lambda: os.stat(sys.argv[1]),
        "ask": lambda: os.access(sys.argv[1], os.R_OK) or no(),
        "change mode": lambda: os.chmod(sys.argv[1], 0),
        "change times": lambda: os.utime(sys.argv[1]),
        "tag": lambda: os.setxattr(sys.argv[1], "user.x", b"y"),
        "limit its parent": lambda: resource.prlimit(os.getppid(), resource.RLIMIT_CORE, (0, 0)),
        "limit itself": lambda: resource.setrlimit(resource.RLIMIT_CPU, (1, 1)),
        "own": lambda: fcntl.fcntl(0, fcntl.F_SETOWN, os.getppid()),
        "choose a signal": lambda: fcntl.fcntl(0, fcntl.F_SETSIG, signal.SIGKILL),
        "close stdin": lambda: os.close(0),
        "replace stdin": lambda: os.dup2(3, 0),
        "share memory": lambda: mmap.mmap(-1, 4096),
        "run what it wrote": lambda: mmap.mmap(-1, 4096, mmap.MAP_PRIVATE, 7),
        "make a file in memory": lambda: os.memfd_create("x"),
        "pipe": os.pipe,
        "start a thread": lambda: threading.Thread(target=int).start(),
    }
    for name, action in attempts.items():
        try:
            action()
            found[who + name] = "allowed"
        except (OSError, RuntimeError, ValueError) as error:
            found[who + name] = str(error)
def early():
    go.wait(); attempt("thread "); done.set()
threading.Thread(target=early, daemon=True).start()
locks = lock_down(2**31)
attempt(""); go.set(); done.wait()
print(json.dumps([locks, found]))
"""


def test_a_locked_process_reaches_nothing_in_any_thread(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("secret")
    _, found = run_locked(LOCKED_OUT, str(path))
    assert len(found) == 50
    allowed = {name for name, outcome in found.items() if outcome == "allowed"}
    assert allowed == {"start a thread", "thread start a thread"}
    assert path.read_text() == "secret"


EVERY_CALL = """
import ctypes, json, sys
from function.sandbox.lockdown import lock_down
libc = ctypes.CDLL(None, use_errno=True)
allowed = set(json.loads(sys.argv[1]))
locks = lock_down(2**31)
found = {}
for number in range(1024):
    if number not in allowed and number not in (335, 336):
        returned = libc.syscall(number, 0, 0, 0, 0, 0, 0)
        found[number] = [returned, ctypes.get_errno()]
print(json.dumps([locks, found]))
"""

UNFILTERED = """
import ctypes, json, resource
from function.sandbox import lockdown
lockdown._filter_calls = lambda *_: True
most_threads, limit_threads = resource.getrlimit(resource.RLIMIT_NPROC)[1], lockdown._limit_threads
are_limited = []
lockdown._limit_threads = lambda: are_limited.append(limit_threads()) or are_limited[0]
lockdown.lock_down(None)
names = {"core": "CORE", "size": "FSIZE", "open": "NOFILE", "threads": "NPROC"}
limits = {name: getattr(resource, "RLIMIT_" + limit) for name, limit in names.items()}
found = {name: resource.getrlimit(limit) for name, limit in limits.items()}
has_landlock = ctypes.CDLL(None).syscall(lockdown._LANDLOCK_CREATE_RULESET, None, 0, 1) > 0
try:
    open("/etc/passwd").close()
    found["file"] = "opened"
except PermissionError:
    found["file"] = "refused"
found["least"] = are_limited[0] and min(lockdown.FEWEST_THREADS, most_threads % 2**64)  # -1: none
print(json.dumps([has_landlock, found]))
"""


def test_each_lock_holds_where_no_calls_are_filtered_which_would_hide_that_it_is_gone() -> None:
    command = [sys.executable, "-c", UNFILTERED]
    has_landlock, found = json.loads(subprocess.check_output(command, cwd=ROOT, timeout=60))
    assert found["file"] == ("refused" if has_landlock else "opened")
    assert found["core"] == found["size"] == [0, 0]
    assert found["open"] == [MOST_OPEN_FILES] * 2
    if found["least"]:  # root that may not become anybody else has no limit
        now, most = found["threads"]
        assert now == most >= found["least"], "the last limit was only tried, not set"


def test_this_kernel_refuses_every_call_that_is_not_allowed() -> None:
    """Not asked: uretprobe and uprobe, which end any process that calls them, filter or not."""
    allowed = [one.number(os.uname().machine) for one in ALLOWED]
    _, found = run_locked(EVERY_CALL, json.dumps(allowed))
    assert len(found) == 1024 - len({*allowed, 335, 336} - {None})
    others = {int(number): outcome for number, outcome in found.items() if outcome != [-1, EPERM]}
    assert others == {CLONE3: [-1, ENOSYS]}


THREADS = """
import ctypes, json, resource, sys, threading
from function.sandbox.lockdown import lock_down
threading.stack_size(262_144)
locks = lock_down(2**31)
end, threads = threading.Event(), []
found = {"limit": resource.getrlimit(resource.RLIMIT_NPROC)[1]}
try:
    while len(threads) < 50_000:
        threads.append(threading.Thread(target=end.wait))
        threads[-1].start()
except RuntimeError as error:
    found["then"] = str(error)
end.set()
found["started"] = len(threads) - 1
for thread in threads[:-1]:
    thread.join()
libc = ctypes.CDLL(None, use_errno=True)
found["a process"] = [libc.syscall(int(sys.argv[1]), 17, 0, 0, 0, 0), ctypes.get_errno()]
print(json.dumps([locks, found]))
"""


def test_a_locked_process_starts_threads_up_to_a_limit_and_no_process() -> None:
    """Also one of root, whose threads the kernel does not count."""
    number = next(one for one in ALLOWED if one.name == CLONE).number(os.uname().machine)
    _, found = run_locked(THREADS, str(number))
    assert 0 < int(found["started"]) < int(found["limit"])
    assert found["then"] == "can't start new thread"
    assert found["a process"] == [-1, EPERM]


PHOTOS = """
import json, sys
from function.media import photo_decoder
from function.sandbox.lockdown import lock_down
photos = sys.stdin.buffer.read()
size = int(sys.argv[1])
locks = lock_down(2**31)
found = {"heic": photo_decoder.decode_photo(photos[:size]).shape}
if photo_decoder.HAS_JXL:
    found["jxl"] = photo_decoder.decode_photo(photos[size:]).shape
print(json.dumps([locks, found]))
"""


@pytest.mark.parametrize("columns", [1, 4])
def test_heic_and_jpeg_xl_are_decoded_under_the_lock(columns: int) -> None:
    grey = np.full((256, 192, 3), 128, np.uint8)
    photo, new = heic(grey, columns), io.BytesIO()
    if HAS_JXL:
        Image.fromarray(grey).save(new, JXL)
    _, found = run_locked(PHOTOS, str(len(photo)), stdin=photo + new.getvalue())
    assert found == {"heic": [256, 192, 3]} | ({"jxl": [256, 192, 3]} if HAS_JXL else {})


NO_LIMIT = """
import json, sys
from function.media import photo_decoder
from function.sandbox import lockdown
lockdown._limit_threads = lambda: False
photo = sys.stdin.buffer.read()
locks = lockdown.lock_down(2**31)
try:
    found = str(photo_decoder.decode_photo(photo).shape)
except photo_decoder.PhotoRefusedError as error:
    found = str(error)
print(json.dumps([locks, {"heic": found}]))
"""


def test_where_threads_have_no_limit_heic_is_refused_with_words() -> None:
    _, found = run_locked(NO_LIMIT, stdin=heic(np.zeros((64, 48, 3), np.uint8)))
    assert found["heic"].startswith("unreadable here: HEIC needs a thread")


MEMORY = """
import ctypes, json, mmap, re, resource
from function.sandbox.lockdown import lock_down
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
FAILED = ctypes.c_void_p(-1).value
_, hard = resource.getrlimit(resource.RLIMIT_STACK)
resource.setrlimit(resource.RLIMIT_STACK, (hard, hard))  # as after ulimit -s unlimited
stack = int(re.search("([0-9a-f]+)-.*\\[stack\\]", open("/proc/self/maps").read())[1], 16)
locks = lock_down(64 * 2**20)
def takes(megabytes, prot, flags):
    return libc.mmap(None, megabytes << 20, prot, flags | 0x20, -1, 0) != FAILED
found = {
    "a little": takes(16, 3, 2),
    "written": takes(128, 3, 2),
    "shared": takes(128, 3, 1),
    "a stack that grows": takes(128, 3, 0x102),
    "only read": takes(16_384, 1, 2),
    "reserved": takes(128, 0, 2),
    "the first stack": libc.getrandom(ctypes.c_void_p(stack - (32 << 20)), 4096, 0) == 4096,
}
print(json.dumps([locks, found]))
"""


def test_no_kind_of_memory_goes_uncounted() -> None:
    _, found = run_locked(MEMORY)
    assert {name for name, was_given in found.items() if was_given} == {"a little", "reserved"}


BEREFT = """
import fcntl, os, signal, sys, time
from function.sandbox.lockdown import end_with, lock_down
end_with(0)
locks = lock_down(2**31)
for attempt in (
    lambda: os.close(0),
    lambda: os.dup2(1, 0),
    lambda: fcntl.fcntl(0, fcntl.F_SETFL, 0),
    lambda: fcntl.fcntl(0, fcntl.F_SETSIG, 0),
    lambda: signal.signal(signal.SIGIO, signal.SIG_IGN),
):
    try:
        attempt()
    except OSError:
        pass
print("calls" in locks, flush=True)
while True:
    time.sleep(1)
"""


def test_a_locked_process_that_wants_to_live_on_ends_with_its_parent() -> None:
    command = [sys.executable, "-c", BEREFT]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        try:
            is_locked = process.stdout.readline() == "True\n"
            process.stdin.close()
            if not is_locked:
                pytest.skip("this kernel filters no system calls")
            assert process.wait(timeout=60) == -signal.SIGKILL
        finally:
            process.kill()


BESIDE_GPU = """
import fcntl, json, os, resource, socket, sys, threading
from function.sandbox.lockdown import lock_down
locks = lock_down(None, needs_files=True)
found = {}
for name, action in {
    "read": lambda: open(sys.argv[1]).close(),
    "open as many files as drivers do": lambda: [open(sys.argv[1]) for _ in range(200)],
    "start a thread": lambda: threading.Thread(target=int).start(),
    "fork": os.fork,
    "connect": lambda: socket.socket(),
    "signal": lambda: os.kill(os.getppid(), 0),
    "limit its parent": lambda: resource.prlimit(os.getppid(), resource.RLIMIT_CORE),
    "tag": lambda: os.setxattr(sys.argv[1], "user.x", b"y"),
    "change mode": lambda: os.chmod(sys.argv[1], 0),
}.items():
    try:
        action()
        found[name] = "allowed"
    except OSError as error:
        found[name] = str(error)
print(json.dumps([locks, found]))
"""


def test_beside_a_gpu_files_and_threads_are_left_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "driver").write_text("driver")
    locks, found = run_locked(BESIDE_GPU, str(tmp_path / "driver"))
    assert locks == ["calls"]
    allowed = {name for name, outcome in found.items() if outcome == "allowed"}
    assert allowed == {"read", "open as many files as drivers do", "start a thread"}


DECODERS = """
import importlib, json, pkgutil, random, sys
import av
from av.codec.context import ThreadType
from function.media.formats import CODECS
from function.sandbox.lockdown import lock_down
for module in pkgutil.walk_packages(av.__path__, "av."):
    if module.name != "av.__main__":
        importlib.import_module(module.name)
av.logging.set_level(None)
locks = lock_down(2**31) if sys.argv[1] == "locked" else ["calls"]
found = {}
for name in CODECS:
    try:
        decoder = av.codec.CodecContext.create(name, "r")
    except av.codec.codec.UnknownCodecError:
        continue
    decoder.width, decoder.height = 64, 48
    decoder.thread_type, decoder.thread_count = ThreadType.NONE, 1
    noise = random.Random(name)
    steps = []
    for size in (16, 200, 3_000, 70_000):
        try:
            pictures = decoder.decode(av.Packet(noise.randbytes(size)))
            steps.append(f"{len(pictures)} pictures")
        except Exception as error:
            steps.append(type(error).__name__)
    found[name] = ", ".join(steps)
print(json.dumps([locks, found]))
"""


def test_every_decoder_that_is_named_does_under_the_lock_what_it_does_without() -> None:
    """Also those for which there is no encoder, and so no video to try them with."""
    _, locked = run_locked(DECODERS, "locked")
    _, free = run_locked(DECODERS, "free")
    assert locked == free
    assert len(locked) > 80
    assert len({*locked.values()}) > 3
