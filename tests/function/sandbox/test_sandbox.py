"""Videos are read in children that are locked, watched and replaced."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from db.names import show_text
from function.engines.models import PRIMARY, SECOND
from function.engines.protocol import Engine
from function.enrolling.choosing import choose_face
from function.enrolling.search import search_photo
from function.errors import (
    EngineUnavailableError,
    PhotoUnusableError,
    StoppingError,
    TimeLimitError,
    UnreadableVideoError,
    VideoOverLimitError,
)
from function.faces.found import (
    Progress,
    Task,
)
from function.media.files import open_media
from function.media.moments import find_moment
from function.media.photo_decoder import FORMATS, PHONE_FORMATS
from function.media.photos import PhotoRefusedError
from function.people.gathering import PeopleFound
from function.sandbox import starting
from function.sandbox.handle import Child
from function.sandbox.messages import Ready
from function.sandbox.orders import ORDERS, PhotoOrder
from function.sandbox.readers import Sandboxed
from function.sandbox.wire import pack
from function.settings import Settings
from tests.conftest import SeedOf
from tests.support import endless_grouping
from tests.support.engines import EngineReader
from tests.support.old_codecs import OLD_CODECS, PLAIN_CODECS, write_avi
from tests.support.videos import numbered_pictures
from tests.support.waiting import seconds_of, wait_until
from tools.footage.videos import moving_picture, read_portrait, write_video
from tools.soak.mutations import mutate
from tools.soak.photos import SEEDS, photo_bombs, write_seeds
from tools.soak.seeds import SEEDS as VIDEOS
from tools.soak.seeds import size_of

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def library(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("library")
    portrait = read_portrait(photos / "obama3.jpg")
    write_video(folder / "face.mp4", moving_picture(portrait, 2, size=(640, 480)))
    for name, seconds in (("long.mp4", 150), ("medium.mp4", 30)):
        lasting = moving_picture(portrait, seconds, fps=2, size=(640, 480))
        write_video(folder / name, lasting, fps=2, keyframe_every=2)
    write_video(folder / "small.mp4", numbered_pictures(25))
    large = numbered_pictures(1, width=8192, height=4096)
    write_video(folder / "large.avi", large, codec="mjpeg", pixel_format="yuvj420p")
    return folder


@contextmanager
def sandboxed(library: Path, **changes: Any) -> Iterator[Sandboxed]:
    sandbox = Sandboxed(replace(Settings(media_root=(library,)), **changes))
    try:
        yield sandbox
    finally:
        sandbox.close()


@pytest.fixture(scope="module")
def sandbox(library: Path) -> Iterator[Sandboxed]:
    with sandboxed(library) as sandbox:
        yield sandbox


TASK = Task(every_seconds=0.5, detection_pixels=640)


def look(
    sandbox: Sandboxed, library: Path, name: str = "face.mp4"
) -> Iterator[Progress | PeopleFound]:
    with open_media(name, [library]) as media:
        yield from sandbox.find_people(media, TASK)


def findings(sandbox: Sandboxed, library: Path, name: str = "face.mp4") -> PeopleFound:
    *_, last = look(sandbox, library, name)
    assert isinstance(last, PeopleFound)
    return last


def start_looking(events: Iterator[Progress | PeopleFound]) -> None:
    """Go on until a frame has been looked at."""
    assert any(isinstance(event, Progress) and event.of_seconds for event in events)


def test_a_child_finds_what_the_same_code_finds_here(
    sandbox: Sandboxed, library: Path, engine: Engine
) -> None:
    there = findings(sandbox, library)
    with open_media("face.mp4", [library]) as media:
        *_, here = EngineReader(engine).find_people(media, TASK)
    assert isinstance(here, PeopleFound)
    assert len(there.people) == 1
    assert (there.frames, there.faces) == (here.frames, here.faces)
    assert pack(there.people[0]) == pack(here.people[0])


@pytest.mark.parametrize(
    "folder", ["d" * 200, "é" * 120, "\N{GRINNING FACE}" * 60], ids=["plain", "accents", "emoji"]
)
def test_a_broken_file_at_a_very_long_path_is_blamed_for_what_it_is(
    folder: str, sandbox: Sandboxed, library: Path
) -> None:
    """What a child says of it holds the path, and may not be taken for an attack."""
    place = Path(*[folder] * (3_500 // len(folder.encode())))
    with pytest.MonkeyPatch.context() as away:
        away.chdir(library)
        for part in place.parts:  # the whole path is too long for a single call
            Path(part).mkdir(exist_ok=True)
            away.chdir(part)
        Path("broken.mp4").write_bytes(b"no video")
    with pytest.raises(UnreadableVideoError, match=r"broken\.mp4 was found, but it is not a video"):
        findings(sandbox, library, str(place / "broken.mp4"))


def test_a_child_that_is_killed_costs_one_request(sandbox: Sandboxed, library: Path) -> None:
    for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGKILL):
        events = look(sandbox, library, "long.mp4")
        start_looking(events)
        (process,) = sandbox.pool.processes()
        os.kill(process, number)
        with pytest.raises(UnreadableVideoError, match=number.name):
            list(events)
    assert findings(sandbox, library).faces


def test_a_child_that_died_while_idle_costs_nothing(sandbox: Sandboxed, library: Path) -> None:
    findings(sandbox, library)
    (child,) = sandbox.pool._idle
    os.kill(child.process_id, signal.SIGSEGV)
    wait_until(lambda: not child.is_alive())
    assert findings(sandbox, library).faces


def test_a_child_whose_time_cannot_be_kept_goes_back_and_no_video_is_blamed(
    sandbox: Sandboxed, library: Path
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    list(look(sandbox, library))
    before = sandbox.pool.processes()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(threading.Timer, "start", refuse)
        with pytest.raises(EngineUnavailableError, match="new thread"):
            list(look(sandbox, library))
    assert sandbox.pool.processes() == before
    assert list(look(sandbox, library))


def test_a_video_that_takes_too_long_is_ended(library: Path) -> None:
    with sandboxed(library, time_limit_seconds=0.5) as sandbox:
        sandbox.ready()
        started = time.monotonic()
        with pytest.raises(TimeLimitError):
            list(look(sandbox, library, "long.mp4"))
        assert time.monotonic() - started < 5
        (process,) = sandbox.pool.processes()
        assert os.kill(process, 0) is None


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_whoever_gets_the_number_of_a_child_that_was_ended_is_not_ended_for_it(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who reads slowly comes back long after: by then the system may have given it away."""
    end, ended = os.killpg, list[int]()

    def note(group: int, number: int) -> None:
        ended.append(group)
        end(group, number)

    monkeypatch.setattr(os, "killpg", note)
    with sandboxed(library) as sandbox:
        events = look(sandbox, library, "long.mp4")
        start_looking(events)
        (child,) = sandbox.pool._children
        child.overrun()  # as the time limit does, in a thread of its own
        assert not Path(f"/proc/{child.process_id}").exists()
        with pytest.raises(TimeLimitError):
            list(events)
    assert ended.count(child.process_id) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_child_that_ended_by_itself_keeps_its_number_until_it_is_dealt_with(
    library: Path,
) -> None:
    with sandboxed(library) as sandbox:
        sandbox.ready()
        (child,) = sandbox.pool._idle
        os.kill(child.process_id, signal.SIGSEGV)
        wait_until(lambda: not child.is_alive())
        assert Path(f"/proc/{child.process_id}").exists()
        assert findings(sandbox, library).faces
        assert not Path(f"/proc/{child.process_id}").exists()


def test_a_child_that_falls_silent_as_it_starts_is_not_kept(library: Path) -> None:
    silent = "import os, sys, time; os.close(int(sys.argv[2])); time.sleep(100)"
    with sandboxed(library) as sandbox:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(starting, "_START", silent)
            with pytest.raises(EngineUnavailableError, match="closed its socket"):
                sandbox.ready()
        assert findings(sandbox, library).faces


def test_faces_that_take_too_long_to_group_end_with_the_limit(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting, "CHILD_MODULE", endless_grouping.__name__)
    with sandboxed(library, time_limit_seconds=4.0) as sandbox:
        sandbox.ready()
        (before,) = sandbox.pool.processes()
        monkeypatch.undo()  # whoever comes next groups as usual
        events = look(sandbox, library)
        with pytest.raises(TimeLimitError) as ended:
            list(events)
        assert ended.value.status == 504
        assert not Path(f"/proc/{before}").exists()
        assert before not in sandbox.pool.processes()
        assert findings(sandbox, library).people


def test_a_hung_child_is_ended_though_it_says_nothing(library: Path) -> None:
    with sandboxed(library, time_limit_seconds=2.5) as sandbox:
        sandbox.ready()
        events = look(sandbox, library, "long.mp4")
        next(events)
        os.kill(sandbox.pool.processes()[0], signal.SIGSTOP)
        with pytest.raises(TimeLimitError):
            list(events)


def test_a_video_that_needs_too_much_memory_is_refused(library: Path) -> None:
    with sandboxed(library, memory_megabytes=130) as sandbox:
        if "memory" not in sandbox.ready().locks:
            pytest.skip("this system does not enforce memory limits")
        with pytest.raises(VideoOverLimitError, match="MEMORY_MEGABYTES"):
            findings(sandbox, library, "large.avi")
        assert findings(sandbox, library, "small.mp4").frames


def test_the_second_net_takes_nothing_of_the_memory_for_a_video(library: Path) -> None:
    with sandboxed(library, memory_megabytes=90) as sandbox:
        (person,) = findings(sandbox, library).people
    assert len(person.views[0].encodings) == 2


def test_closing_the_iterator_ends_the_work(sandbox: Sandboxed, library: Path) -> None:
    findings(sandbox, library)
    (before,) = sandbox.pool.processes()
    events = look(sandbox, library, "long.mp4")
    start_looking(events)
    events.close()  # type: ignore[attr-defined]
    (after,) = sandbox.pool.processes()
    assert after != before
    with pytest.raises(ProcessLookupError):
        os.kill(before, 0)


def test_closing_the_sandbox_ends_its_requests_with_an_answer(library: Path) -> None:
    with sandboxed(library) as sandbox:
        events = look(sandbox, library, "long.mp4")
        start_looking(events)
        sandbox.close()
        with pytest.raises(StoppingError):
            list(events)
        with pytest.raises(StoppingError):
            next(look(sandbox, library))


def test_a_child_finds_the_face_of_a_photo_that_the_same_code_finds_here(
    sandbox: Sandboxed, photos: Path, engine: Engine
) -> None:
    content = (photos / "obama1.jpg").read_bytes()
    assert pack(sandbox.find_faces(content)) == pack(search_photo(content, engine))


@pytest.fixture(scope="module")
def bombs() -> dict[str, bytes]:
    return dict(photo_bombs())


@pytest.fixture(scope="module")
def seeds(photos: Path) -> dict[str, bytes]:
    return write_seeds(photos / "obama1.jpg")


@pytest.mark.parametrize("name", SEEDS)
def test_a_locked_child_reads_photos_of_every_format(
    name: str, sandbox: Sandboxed, seeds: dict[str, bytes]
) -> None:
    sandbox.ready()
    (process,) = sandbox.pool.processes()
    assert sandbox.find_faces(seeds[name]).faces[0].crop
    assert sandbox.pool.processes() == [process]


def test_every_format_that_is_read_was_tried() -> None:
    assert {kind for kind, _ in SEEDS.values()} == {*FORMATS, *PHONE_FORMATS}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("900-million-pixels.png", "too large: 30000x30000, over 200 million"),
        ("one-row.png", "no face found"),
        ("text.png", "too large"),
        ("claims-largest.jpg", "too large"),
        ("largest-allowed.png", "no face found"),
        ("largest-allowed.tif", "no face found"),
        ("script.jpg", "not a picture"),
        ("empty.jpg", "empty"),
    ],
)
def test_a_photo_bomb_is_refused_by_a_child_that_lives_on(
    name: str, reason: str, sandbox: Sandboxed, bombs: dict[str, bytes]
) -> None:
    sandbox.ready()
    before = sandbox.pool.processes()
    with pytest.raises((PhotoUnusableError, PhotoRefusedError), match=reason):
        choose_face(sandbox.find_faces(bombs[name]))
    assert sandbox.pool.processes() == before


def test_a_photo_that_needs_too_much_memory_is_refused(
    library: Path, bombs: dict[str, bytes]
) -> None:
    with sandboxed(library, memory_megabytes=130) as sandbox:
        if "memory" not in sandbox.ready().locks:
            pytest.skip("this system does not enforce memory limits")
        with pytest.raises(PhotoUnusableError, match="MEMORY_MEGABYTES"):
            sandbox.find_faces(bombs["largest-allowed.png"])


def kill_once(is_so: Callable[[], bool], process: int, number: int) -> None:
    """Send a signal to a process once something is so, while this thread goes on."""

    def wait_and_kill() -> None:
        wait_until(is_so)
        os.kill(process, number)

    threading.Thread(target=wait_and_kill, daemon=True).start()


def test_a_photo_that_kills_its_child_costs_one_upload(
    sandbox: Sandboxed, photos: Path, bombs: dict[str, bytes]
) -> None:
    sandbox.ready()
    (child,) = sandbox.pool._idle
    child.ready(60)
    at_work = seconds_of(child.process_id) + 0.2
    kill_once(lambda: seconds_of(child.process_id) > at_work, child.process_id, signal.SIGSEGV)
    with pytest.raises(PhotoUnusableError, match="SIGSEGV"):
        sandbox.find_faces(bombs["endless-scans.jpg"])
    assert sandbox.find_faces((photos / "obama1.jpg").read_bytes()).faces[0].crop


def test_a_photo_without_end_is_ended(library: Path, photos: Path, bombs: dict[str, bytes]) -> None:
    with sandboxed(library, time_limit_seconds=3) as sandbox:
        sandbox.ready()
        started = time.monotonic()
        with pytest.raises(TimeLimitError, match="The photo took longer than 3 s"):
            sandbox.find_faces(bombs["endless-scans.jpg"])
        assert time.monotonic() - started < 6
        assert sandbox.find_faces((photos / "obama1.jpg").read_bytes()).faces[0].crop


def test_a_child_shows_the_moment_that_the_same_code_shows_here(
    sandbox: Sandboxed, library: Path
) -> None:
    with open_media("face.mp4", [library]) as media:
        there = sandbox.find_moment(media, 1.0)
    assert pack(there) == pack(find_moment(library / "face.mp4", "face.mp4", 1.0))


def test_a_moment_that_kills_its_child_costs_one_request(sandbox: Sandboxed, library: Path) -> None:
    sandbox.ready()
    (child,) = sandbox.pool._idle
    os.kill(child.process_id, signal.SIGSTOP)
    kill_once(lambda: child._is_busy, child.process_id, signal.SIGKILL)
    with open_media("face.mp4", [library]) as media:
        with pytest.raises(UnreadableVideoError, match="SIGKILL"):
            sandbox.find_moment(media, 1.0)
        assert sandbox.find_moment(media, 1.0).picture


REFUSED = (UnreadableVideoError, VideoOverLimitError, PhotoUnusableError)
"""A broken animation may begin like a picture."""


def test_broken_files_show_a_moment_or_say_why_not(
    sandbox: Sandboxed, library: Path, seed_folder: Path
) -> None:
    seeds = [(seed_folder / name).read_bytes() for name in VIDEOS]
    shown = 0
    sandbox.ready()
    before = sandbox.pool.processes()
    for number in range(150):
        (library / "broken").write_bytes(mutate(seeds[number % len(seeds)], number))
        with open_media("broken", [library]) as media:
            try:
                shown += bool(sandbox.find_moment(media, number % 5 / 2).picture)
            except REFUSED:
                continue
    assert 10 < shown < 150
    assert sandbox.pool.processes() == before, "not one broke the child"


@pytest.mark.parametrize("name", [*VIDEOS, *OLD_CODECS, *PLAIN_CODECS])
def test_each_kind_of_video_is_read_by_a_child_and_broken_costs_only_itself(
    name: str, sandbox: Sandboxed, library: Path, seed_of: SeedOf
) -> None:
    fewest = 1 if name in PLAIN_CODECS else 2
    if name in VIDEOS:
        (library / name).write_bytes(seed_of(name).read_bytes())
    else:
        width, height = size_of(name)
        pictures = list(numbered_pictures(30, width=width, height=height))
        write_avi(library / name, pictures, {**OLD_CODECS, **PLAIN_CODECS}[name])
    assert findings(sandbox, library, name).frames >= fewest
    content = (library / name).read_bytes()
    for number in range(4):
        (library / name).write_bytes(mutate(content, number))
        with suppress(*REFUSED):
            findings(sandbox, library, name)
    (library / name).write_bytes(content)
    assert findings(sandbox, library, name).frames >= fewest


def test_a_moment_that_hangs_is_ended(library: Path) -> None:
    with sandboxed(library, time_limit_seconds=1) as sandbox:
        sandbox.ready()
        os.kill(sandbox.pool.processes()[0], signal.SIGSTOP)
        with (
            open_media("face.mp4", [library]) as media,
            pytest.raises(TimeLimitError, match="to show"),
        ):
            sandbox.find_moment(media, 1.0)


def test_a_photo_takes_no_video_its_place_and_leaves_no_child_behind(
    sandbox: Sandboxed, library: Path, photos: Path
) -> None:
    findings(sandbox, library)
    (only,) = sandbox.pool.processes()
    events = look(sandbox, library, "medium.mp4")
    start_looking(events)
    photo = (photos / "obama1.jpg").read_bytes()
    assert sandbox.find_faces(photo).faces[0].crop
    assert len(sandbox.pool.processes()) == 2
    assert only in sandbox.pool.processes()
    *_, last = events
    assert isinstance(last, PeopleFound)
    assert len(sandbox.pool.processes()) == 1


def test_a_child_ends_with_its_parent() -> None:
    script = (
        "import os, sys; from pathlib import Path\n"
        "from function.sandbox.readers import Sandboxed; from function.settings import Settings\n"
        "sandbox = Sandboxed(Settings()); sandbox.ready()\n"
        "print(sandbox.pool.processes()[0], flush=True); os._exit(1)\n"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    process = int(done.stdout)
    wait_until(lambda: not Path(f"/proc/{process}").exists(), within_seconds=5)


def test_a_child_is_given_no_secret_and_no_file(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not Path("/proc/self/environ").exists():
        pytest.skip("this system has no /proc")
    monkeypatch.setenv("TOKEN", "a secret")
    monkeypatch.setenv("STASH_API_KEY", "another secret")
    with sandboxed(library) as sandbox:
        sandbox.ready()
        process = Path(f"/proc/{sandbox.pool.processes()[0]}")
        assert b"secret" not in (process / "environ").read_bytes()
        opened = [str(one.readlink()) for one in (process / "fd").iterdir()]
        files = [one for one in opened if one.startswith("/") and not one.startswith("/dev/null")]
        assert files == []


def test_strict_refuses_where_a_lock_is_missing(library: Path) -> None:
    with sandboxed(library, sandbox="strict") as sandbox:
        locked = Ready("onnx", "CPU", ("model",), ("memory", "files", "calls"))
        sandbox.pool._require_locks(locked)
        with pytest.raises(EngineUnavailableError, match="strict"):
            sandbox.pool._require_locks(replace(locked, locks=("memory",)))


@pytest.mark.parametrize(
    ("locks", "missing"),
    [((), "files and calls"), (("calls",), "files"), (("memory", "files"), "calls")],
)
def test_a_lock_that_is_missing_is_said_at_the_start(
    locks: tuple[str, ...],
    missing: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    ready = Ready("onnx", "CPU", (PRIMARY.id, SECOND.id), locks)
    monkeypatch.setattr(Child, "ready", lambda *_: ready)
    sandbox = Sandboxed(Settings(slots=1))
    try:
        assert sandbox.ready() == ready
        assert sandbox.ready() == ready
    finally:
        sandbox.close()
    (warning,) = [one.getMessage() for one in caplog.records if "unlocked" in one.getMessage()]
    assert f"leaves {missing} unlocked" in warning


def test_an_answer_to_another_question_ends_the_child(
    sandbox: Sandboxed, library: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    findings(sandbox, library)
    before = sandbox.pool.processes()
    monkeypatch.setitem(ORDERS, PhotoOrder, replace(ORDERS[PhotoOrder], results=(PeopleFound,)))
    with pytest.raises(PhotoUnusableError, match="unexpected message"):
        sandbox.find_faces((photos / "obama1.jpg").read_bytes())
    assert sandbox.pool.processes() != before


def test_a_child_that_was_given_nonsense_dies_and_costs_nothing(
    sandbox: Sandboxed, library: Path
) -> None:
    findings(sandbox, library)
    (child,) = sandbox.pool._idle
    child._channel.send(b'{"name": "x"}')  # an order that is none: it dies of that
    with suppress(subprocess.TimeoutExpired):
        child._process.wait(timeout=20)
    assert findings(sandbox, library).faces


@pytest.mark.parametrize("letter", ["n", "\udcff", "\x1b"])
def test_a_path_as_long_as_a_system_allows_is_read_and_named_in_full(
    letter: str, sandbox: Sandboxed, library: Path
) -> None:
    folder = Path(*[letter * 250] * 15)
    with ExitStack() as steps:  # from one folder into the next, as the whole path is too long
        deepest = os.open(library, os.O_RDONLY)
        steps.callback(os.close, deepest)
        for part in folder.parts:
            with suppress(FileExistsError):
                os.mkdir(part, dir_fd=deepest)
            deepest = os.open(part, os.O_RDONLY, dir_fd=deepest)
            steps.callback(os.close, deepest)
        for name, content in (
            ("face.mp4", (library / "face.mp4").read_bytes()),
            ("bad.mp4", b"no video " * 100),
        ):
            target = os.open(name, os.O_WRONLY | os.O_CREAT, dir_fd=deepest)
            os.write(target, content)
            os.close(target)
    sandbox.ready()
    before = sandbox.pool.processes()
    assert findings(sandbox, library, str(folder / "face.mp4")).faces
    with pytest.raises(UnreadableVideoError) as refused:
        findings(sandbox, library, str(folder / "bad.mp4"))
    assert str(refused.value).startswith(show_text(str(folder / "bad.mp4")))
    assert "crashed" not in str(refused.value)
    assert sandbox.pool.processes() == before


def test_a_child_is_replaced_after_so_many_files(sandbox: Sandboxed, library: Path) -> None:
    findings(sandbox, library)
    (child,) = sandbox.pool._idle
    before = child._files
    findings(sandbox, library)
    assert child._files == before + 1


def test_a_child_finds_packages_where_its_parent_does(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["/opt/packages", "", "here"]))
    monkeypatch.setenv("PYTHONUSERBASE", "/home/somebody/packages")
    monkeypatch.setenv("TOKEN", "secret")
    given = starting._environment()
    assert given["PYTHONPATH"].split(os.pathsep) == [
        str(ROOT),
        "/opt/packages",
        str(tmp_path / "here"),
    ]
    assert given["PYTHONUSERBASE"] == "/home/somebody/packages"
    assert "TOKEN" not in given
