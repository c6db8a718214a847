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

import numpy as np
import pytest

from db.names import show_text
from db.people import Link, Seen, View
from function.engines.models import PRIMARY, SECOND
from function.engines.protocol import Box, Engine
from function.enrolling.choosing import PhotoFound, choose_face
from function.enrolling.search import search_photo
from function.errors import (
    EngineUnavailableError,
    PhotoUnusableError,
    StoppingError,
    TimeLimitError,
    UnreadableVideoError,
    VideoOverLimitError,
)
from function.faces.face import Face
from function.faces.found import (
    MOST_IN_PICTURE,
    Details,
    FacesFound,
    PictureFound,
    Progress,
    StageSeconds,
    Task,
)
from function.media.files import open_media
from function.media.moments import find_moment
from function.media.photo_decoder import FORMATS, PHONE_FORMATS
from function.media.photos import PhotoRefusedError
from function.media.pictures import MOST_LEFT_OUT, MOST_PICTURES, Contents, Entry, Moment
from function.people.gathering import PeopleFound, gather_people
from function.sandbox import checks, starting
from function.sandbox.checks import check_answer, check_portion
from function.sandbox.handle import Allowance, Child
from function.sandbox.messages import Answer, Ready, Refusal, write_message
from function.sandbox.orders import ORDERS, PhotoOrder, VideoOrder
from function.sandbox.portions import Collected, Portion, weigh_people
from function.sandbox.readers import Sandboxed
from function.sandbox.wire import LONGEST_TEXT, WireError, pack, unpack
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
    ready = Ready("onnx", "CPU", MODELS, locks)
    monkeypatch.setattr(Child, "ready", lambda *_: ready)
    sandbox = Sandboxed(Settings(slots=1))
    try:
        assert sandbox.ready() == ready
        assert sandbox.ready() == ready
    finally:
        sandbox.close()
    (warning,) = [one.getMessage() for one in caplog.records if "unlocked" in one.getMessage()]
    assert f"leaves {missing} unlocked" in warning


FACE = Face(
    frame=0,
    seconds=1.0,
    until_seconds=1.0,
    box=Box(1, 2, 3, 4),
    detection_score=1.0,
    encoding=np.ones(128, np.float32),
    quality=0.5,
    weaknesses=("small",),
    crop=b"\xff\xd8\xff jpeg",
)
SIZES = (PRIMARY.dimensions, SECOND.dimensions)
MODELS = (PRIMARY.id, SECOND.id)
STILL = replace(FACE, seconds=0.0, until_seconds=0.0, second=np.ones(SECOND.dimensions, np.float32))
"""A face in a picture, which has no time."""
FOUND = gather_people(
    FacesFound((FACE,), 1, StageSeconds(0.1, 0.2)),
    MODELS,
    lambda *_: Details((FACE.crop,), np.full(SECOND.dimensions, 0.1, np.float32)),
)


def test_what_is_found_survives_the_way_to_the_parent() -> None:
    message = pack(FOUND)
    read = unpack(PeopleFound, message)
    check_answer(read, SIZES)
    assert pack(read) == message
    assert [len(one) for one in read.people[0].views[0].encodings] == list(SIZES)
    assert read.people[0].views[0].encodings[0].dtype == np.float32
    assert read.people[0].seen[0].until_seconds == 1.0


def lie(**changes: Any) -> PeopleFound:
    return replace(FOUND, people=(replace(FOUND.people[0], **changes),))


def view(**changes: Any) -> PeopleFound:
    return lie(views=(replace(FOUND.people[0].views[0], **changes),))


@pytest.mark.parametrize(
    "lied",
    [
        view(encodings=(np.ones(127, np.float32),)),
        view(encodings=(np.full(128, np.nan, np.float32),)),
        view(encodings=(np.full(128, 1e30, np.float32),)),
        view(encodings=(FACE.encoding, np.ones(127, np.float32))),
        view(encodings=(FACE.encoding, np.full(SECOND.dimensions, 1e30, np.float32))),
        view(encodings=()),
        view(seconds=-1.0),
        view(quality=7.0),
        view(quality=1e300),
        view(faces=True),
        view(faces=1.5),
        view(faces=0),
        view(weaknesses=("x" * 5_000,)),
        view(weaknesses=("x",) * 17),
        view(weaknesses=("\x1b[2J",)),
        view(weaknesses=("\ud800",)),
        view(weaknesses=("a\nb",)),
        view(weaknesses=("fa\xedl",)),
        lie(picture=b"<script>"),
        lie(picture=b"\xff\xd8\xff" + bytes(2_000_000)),
        lie(views=()),
        lie(seen=()),
        lie(seen=(Seen(-1, 1.0, 1.0, 1.0),)),
        lie(seen=(Seen(1, 1.0, 1.0, 1.0),)),
        replace(lie(seen=(Seen(4, 1.0, 1.0, 1.0),)), frames=2),
        replace(lie(seen=tuple(Seen(one, 1.0, 1.0, 1.0) for one in range(3))), frames=2),
        lie(seen=(Seen(0, 1.0, 0.5, 0.0),)),
        lie(seen=FOUND.people[0].seen * 2),
        replace(lie(seen=FOUND.people[0].seen * 2), frames=2),
        lie(best_seconds="always"),
        replace(FOUND, frames=-1, people=()),
        replace(FOUND, seconds=StageSeconds(-0.1, 0.2)),
        replace(FOUND, unreadable_seconds=-0.1),
        replace(FOUND, decoder="a GPU"),
        replace(FOUND, links=(Link(0.1, 0, 1),)),
    ],
)
def test_a_lie_is_not_believed(lied: PeopleFound) -> None:
    with pytest.raises(WireError):
        check_answer(unpack(PeopleFound, pack(lied)), SIZES)


def test_a_decoder_that_does_not_exist_is_not_believed() -> None:
    ready = Ready("onnx", "CPU", MODELS, (), "cuda")
    check_answer(unpack(Ready, pack(ready)), SIZES)
    with pytest.raises(WireError, match="decoder"):
        check_answer(unpack(Ready, pack(replace(ready, decoder="a GPU"))), SIZES)


def test_progress_that_is_negative_is_not_believed() -> None:
    check_answer(Progress(1.0, 2.0, 3), SIZES)
    with pytest.raises(WireError, match="progress"):
        check_answer(unpack(Progress, pack(Progress(1.0, 2.0, -3))), SIZES)


LINKED = replace(FOUND, people=FOUND.people * 2, links=(Link(0.1, 0, 1),))


@pytest.mark.parametrize(
    ("limit", "most", "believed", "lied"),
    [
        ("MOST_PEOPLE_BYTES", weigh_people(FOUND.people), FOUND, LINKED),
        ("MOST_PEOPLE", 1, FOUND, LINKED),
        ("MOST_LINKS", 1, LINKED, replace(LINKED, links=LINKED.links * 2)),
        ("MOST_FACES", 1, PhotoFound((FACE,)), PhotoFound((FACE,) * 2)),
    ],
)
def test_more_than_there_can_be_is_not_believed(
    limit: str, most: int, believed: Answer, lied: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, limit, most)
    check_answer(unpack(type(believed), pack(believed)), SIZES)
    with pytest.raises(WireError, match="too many"):
        check_answer(unpack(type(lied), pack(lied)), SIZES)


@pytest.mark.parametrize(
    "lied",
    [
        Portion(faces=(replace(FACE, encoding=np.ones(127, np.float32)),)),
        Portion(people=(replace(FOUND.people[0], picture=b"<script>"),)),
        Portion(people=view(quality=7.0).people),
        Portion(files=(Entry(0, "a" * 301),)),
    ],
)
def test_a_lie_in_a_portion_is_not_believed(lied: Portion) -> None:
    check_portion(Portion((FACE,), FOUND.people, (Entry(0, "a"),)), SIZES)
    with pytest.raises(WireError):
        check_portion(unpack(Portion, pack(lied)), SIZES)


@pytest.mark.parametrize(
    "lied", [Portion(people=lie(picture=b"<script>").people), replace(FOUND, people=(), frames=0)]
)
def test_whatever_comes_from_a_child_is_checked_at_once(
    lied: Portion | PeopleFound, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Child, "_dimensions", lambda _: SIZES)
    child = object.__new__(Child)
    child._allowance, child._collected = Allowance(1_000_000), Collected(VideoOrder("", TASK))
    assert child._read(write_message(Portion(people=FOUND.people))) is None
    with pytest.raises(WireError, match=r"not a JPEG|more frames"):
        child._read(write_message(lied))


@pytest.mark.parametrize(
    "changes",
    [
        {"encoding": np.ones(127, np.float32)},
        {"encoding": np.full(128, np.inf, np.float32)},
        {"crop": b""},
        {"crop": b"<script>"},
        {"chip": b"<script>"},
        {"frame": -1},
        {"seconds": FACE.until_seconds + 1.0},
        {"since_seconds": -1.0},
        {"quality": -10.1},
        {"second": np.ones(64, np.float32)},
        {"second": np.empty(0, np.float32)},
    ],
)
def test_a_lie_about_a_photo_is_not_believed(changes: dict[str, Any]) -> None:
    check_answer(unpack(PhotoFound, pack(PhotoFound((FACE,)))), SIZES)
    lied = PhotoFound((FACE, replace(FACE, **changes)))
    with pytest.raises(WireError):
        check_answer(unpack(PhotoFound, pack(lied)), SIZES)


@pytest.mark.parametrize(
    "lied",
    [
        Moment(1.0, b"<svg>"),
        Moment(1.0, b""),
        Moment(-1.0, b"\xff\xd8\xff jpeg"),
        Moment(1.0, b"\xff\xd8\xff" + bytes(3_000_000)),
    ],
)
def test_a_lie_about_a_moment_is_not_believed(lied: Moment) -> None:
    check_answer(Moment(1.0, b"\xff\xd8\xff jpeg"), SIZES)
    with pytest.raises(WireError):
        check_answer(unpack(Moment, pack(lied)), SIZES)


@pytest.mark.parametrize(
    "lied",
    [
        PictureFound(0, 10, ()),
        PictureFound(10, 10, (replace(STILL, encoding=np.ones(127, np.float32)),)),
        PictureFound(10, 10, (replace(STILL, frame=1),)),
        PictureFound(10, 10, (replace(STILL, seconds=3.0, until_seconds=3.0),)),
        PictureFound(10, 10, (STILL,) * (MOST_IN_PICTURE + 1)),
        PictureFound(10, 10, (replace(STILL, crop=b""),)),
        PictureFound(10, 10, (STILL, replace(STILL, second=None))),
        Contents((Entry(-1, "a.jpg"),), ()),
        Contents((Entry(0, "a" * 301),), ()),
        Contents((), (Entry(0, "a", "b" * 301),)),
        Contents((Entry(0, "a", content="c" * 301),), ()),
        Contents((), (), -1),
        Contents((Entry(0, "a"),) * (MOST_PICTURES + 1), ()),
        Contents((), (Entry(0, "a", "b"),) * (MOST_LEFT_OUT + 1)),
    ],
)
def test_a_lie_about_a_picture_or_an_archive_is_not_believed(lied: PictureFound | Contents) -> None:
    check_answer(PictureFound(10, 10, (STILL,) * MOST_IN_PICTURE), SIZES)
    check_answer(Contents((Entry(0, "a" * 300),) * MOST_PICTURES, ()), SIZES)
    with pytest.raises(WireError):
        check_answer(unpack(type(lied), pack(lied)), SIZES)


def test_an_answer_to_another_question_ends_the_child(
    sandbox: Sandboxed, library: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    findings(sandbox, library)
    before = sandbox.pool.processes()
    monkeypatch.setitem(ORDERS, PhotoOrder, replace(ORDERS[PhotoOrder], results=(PeopleFound,)))
    with pytest.raises(PhotoUnusableError, match="unexpected message"):
        sandbox.find_faces((photos / "obama1.jpg").read_bytes())
    assert sandbox.pool.processes() != before


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\x80\x04\x95",
        b"[" * 100_000,
        b'{"done_seconds": 1, "of_seconds": NaN, "faces": 1}',
        b'{"done_seconds": 1, "of_seconds": 1e999, "faces": 1}',
        b'{"done_seconds": 1, "of_seconds": 1, "faces": 1, "__class__": "os.system"}',
        b'{"done_seconds": "1", "of_seconds": 1, "faces": 1}',
        b'{"done_seconds": 1e300, "of_seconds": 1, "faces": 1}',
        b'{"done_seconds": 1, "of_seconds": 1, "faces": 9007199254740993}',
        '{"done_seconds": 1, "of_seconds": 1, "faces": 1}'.encode("utf-16"),
    ],
)
def test_bytes_that_are_no_record_are_refused(message: bytes) -> None:
    with pytest.raises(WireError):
        unpack(Progress, message)


@pytest.mark.parametrize("text", ["half \ud800 a pair", "name\udcff.png", "both\udc00\ud800"])
def test_a_text_that_could_be_stored_nowhere_is_refused(text: str) -> None:
    for said in (Refusal("unreadable_video", text), Entry(0, text), Entry(0, "a", content=text)):
        with pytest.raises(WireError, match="not Unicode"):
            unpack(type(said), pack(said))


def test_a_text_or_a_vector_that_nothing_of_ours_holds_is_refused() -> None:
    assert unpack(Refusal, pack(Refusal("a", "b" * LONGEST_TEXT)))
    with pytest.raises(WireError):
        unpack(Refusal, pack(Refusal("a", "b" * (LONGEST_TEXT + 1))))
    seen = FOUND.people[0].views[0]
    for numbers, complaint in (((), "is empty"), ((0.1, np.nan), "NaN"), ((np.inf,), "NaN")):
        odd = replace(seen, encodings=(np.array(numbers, np.float32),))
        with pytest.raises(WireError, match=complaint):
            unpack(View, pack(odd))


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


def test_a_number_too_long_for_a_float_is_refused() -> None:
    long = b"1" + b"0" * 400
    with pytest.raises(WireError):
        unpack(Progress, b'{"done_seconds": %s, "of_seconds": 1, "faces": 1}' % long)
    with pytest.raises(WireError):
        check_answer(Progress(-1.0, 1.0, 0), SIZES)


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
