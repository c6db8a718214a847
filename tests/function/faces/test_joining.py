"""What is found in the stretches of a video is put together as if it had been read at once."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

import av
import pytest

from function.engines.protocol import Engine
from function.faces.crews import Alone, Crew
from function.faces.face import Face
from function.faces.found import (
    FRAMES_BETWEEN_SHOTS,
    FacesFound,
    Progress,
    StageSeconds,
    StretchFound,
    Task,
)
from function.faces.search import Hands, search_video
from function.media import packets, rounds, stretches
from tools.footage.videos import moving_picture, read_portrait, write_video

TASK = Task(0.5, 384)


class Backwards(Alone):
    """A crew of one that begins at the end, and leaves the first stretch to whoever notices."""

    def take(self) -> int | None:
        return self._left.pop() if len(self._left) > 1 else None


class WithGpu(Alone):
    """A crew whose other member decodes the last stretch on a GPU, and sees nothing in it."""

    def take(self) -> int | None:
        return self._left.pop(0) if len(self._left) > 1 else None

    def collect(self) -> Iterable[StretchFound]:
        (last,) = self._left
        return [StretchFound(last, (), (), (), (), (), StageSeconds(0, 0), "cuda")]


@pytest.fixture(scope="module")
def film(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two people in three shots; the middle one passes over the ends of stretches."""
    portraits = [read_portrait(photos / name) for name in ("obama3.jpg", "astronaut.png")]
    shots = (
        picture
        for number, seconds in ((0, 5.25), (1, 14.5), (0, 4.25))
        for picture in moving_picture(portraits[number], seconds, fps=8, size=(480, 270))
    )
    folder = tmp_path_factory.mktemp("film")
    return write_video(folder / "film.mp4", shots, fps=8, keyframe_every=16)


def search(film: Path, engine: Engine, crew: Crew | None = None, task: Task = TASK) -> FacesFound:
    *_, found = search_video(film, film.name, engine, task, Hands(crew=crew))
    assert isinstance(found, FacesFound)
    return found


@pytest.fixture
def whole(film: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> FacesFound:
    """Search the film from beginning to end."""
    with monkeypatch.context() as patched:
        patched.setattr("function.faces.search.plan_stretches", lambda _: stretches.WHOLE)
        return search(film, engine)


@pytest.mark.parametrize("crew", [Alone, Backwards])
def test_frames_shots_and_times_are_those_of_the_whole_video(
    crew: type[Alone], film: Path, engine: Engine, whole: FacesFound
) -> None:
    found = search(film, engine, crew())
    assert found.frames == whole.frames > 32
    assert [describe(face) for face in found.faces] == [describe(face) for face in whole.faces]
    assert {face.shot for face in found.faces} == {0, 1, 2}


def test_where_shots_begin_is_seen_alike_by_any_crew(
    photos: Path, engine: Engine, tmp_path: Path
) -> None:
    portraits = [read_portrait(photos / name) for name in ("obama3.jpg", "astronaut.png")]
    shots = (
        picture
        for number, seconds in enumerate((5, *[1.5, 1.75] * 7))
        for picture in moving_picture(portraits[number % 2], seconds, fps=8, size=(480, 270))
    )
    path = tmp_path / "marked.mp4"
    write_video(path, shots, fps=8, keyframe_every=24, options={"sc_threshold": "40"})
    alone, others = (search(path, engine, crew, Task(2.5, 384)) for crew in (Alone(), Backwards()))
    assert alone.frames == others.frames > 28 / 2.5 + 3
    assert [describe(face) for face in alone.faces] == [describe(face) for face in others.faces]


def test_whoever_decoded_a_stretch_is_named(film: Path, engine: Engine) -> None:
    assert search(film, engine).decoder == "cpu"
    assert search(film, engine, WithGpu()).decoder == "cuda+cpu"


def test_a_video_with_a_wrong_index_is_searched_from_beginning_to_end(
    film: Path, engine: Engine, whole: FacesFound, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = (stretches.Stretch(None, 12_345), stretches.Stretch(12_345, None))
    monkeypatch.setattr("function.faces.search.plan_stretches", lambda _: wrong)
    found = search(film, engine)
    assert [face.frame for face in found.faces] == [face.frame for face in whole.faces]
    assert found.frames == whole.frames


def test_progress_reaches_the_end(film: Path, engine: Engine) -> None:
    told = [one for one in search_video(film, "film", engine, TASK) if isinstance(one, Progress)]
    assert told[-1].done_seconds == pytest.approx(24, abs=2)
    assert [one.faces for one in told] == sorted(one.faces for one in told)


def describe(face: object) -> tuple[object, ...]:
    names = ("frame", "seconds", "shot", "since_seconds", "until_seconds")
    return tuple(getattr(face, name) for name in names)


@pytest.fixture
def sought(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let short films be searched for moments, too."""
    monkeypatch.setattr(rounds, "SEARCHED_FROM_SECONDS", 0.5)
    monkeypatch.setattr(packets, "SOUGHT_EARLIER_SECONDS", 0.1)


QUICK = Task(None, 384, spread=3)


@pytest.mark.usefixtures("sought")
def test_the_rounds_of_a_quick_look_are_joined_in_order_of_time(film: Path, engine: Engine) -> None:
    found = search(film, engine, task=QUICK)
    times = [face.seconds for face in found.faces]
    assert times == sorted(times)
    assert all(one % 2 == 0 for one in times), "only keyframes"
    assert {0.0, 20.0} <= {*times}, "more than the first round saw"
    pictures = sorted({(face.seconds, face.frame) for face in found.faces})
    assert len(pictures) == len({*times}) <= found.frames
    for (before, first), (after, second) in pairwise(pictures):
        is_cut = before < 5.25 < after or before < 19.75 < after
        assert (second - first > FRAMES_BETWEEN_SHOTS) == is_cut


@pytest.mark.usefixtures("sought")
def test_a_quick_look_ends_when_it_is_enough(film: Path, engine: Engine) -> None:
    asked = []

    def is_enough(faces: Sequence[Face], frames: int) -> bool:
        asked.append((len(faces), frames))
        return len(asked) > 1

    *events, found = search_video(film, film.name, engine, QUICK, is_enough=is_enough)
    assert isinstance(found, FacesFound)
    assert [asked[1]] == [(len(found.faces), found.frames)]
    assert 3 < asked[0][1] < asked[1][1] <= 9
    done = [one.done_seconds for one in events if isinstance(one, Progress)]
    assert done == sorted(done)
    assert done[-1] <= 24


@pytest.mark.usefixtures("sought")
def test_a_quick_look_reads_through_what_cannot_be_searched(film: Path, engine: Engine) -> None:
    with av.open(str(film)) as source, av.open(str(film.with_suffix(".ts")), "w") as output:
        copied = output.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = copied
                output.mux(packet)
    found = search(film.with_suffix(".ts"), engine, task=QUICK)
    assert 0 < found.frames <= 8
    assert found.faces
