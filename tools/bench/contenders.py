"""Runs one contender in its own process, so that its costs are measured separately.

`python -m tools.bench.contenders NAME VIDEO EVERY` prints what was found, as JSON.
"""

import json
import re
import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tools.footage.bench_footage import is_footage, true_faces


@dataclass(frozen=True)
class Found:
    """What a contender found, and the CPU seconds after its nets were loaded.

    `true_faces` counts no more faces at a moment than are shown; None if that is not known.
    """

    frames: int
    faces: int
    people: int
    true_faces: int | None
    work_seconds: float


def run_onnx(video: Path, every_seconds: float | None) -> Found:
    """Run our default engine."""
    return _run_ours("onnx", video, every_seconds)


def run_one_net(video: Path, every_seconds: float | None) -> Found:
    """Run our default engine without the second net."""
    return _run_ours("onnx", video, every_seconds, has_second=False)


def run_dlib(video: Path, every_seconds: float | None) -> Found:
    """Run our pipeline with dlib's own code for the nets."""
    return _run_ours("dlib", video, every_seconds)


def run_reference(video: Path, every_seconds: float | None) -> Found:
    """Run the usual way; it has no automatic interval, and uses one second."""
    from tools.bench import reference  # noqa: PLC0415  # contenders must not pay for each other

    library = reference.load_library()
    started = time.process_time()
    result = reference.run_reference(video, every_seconds or 1.0, library)
    worked = time.process_time() - started
    moments = [face.seconds for face in result.faces]
    groups = len(result.groups)
    return Found(result.frames, len(moments), groups, count_true(video, moments), worked)


def run_keyframes(video: Path, _: float | None) -> Found:
    """Decode the keyframes and nothing else: the least that sampling a video can cost."""
    import av  # noqa: PLC0415  # as above

    started = time.process_time()
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        stream.codec_context.skip_frame = "NONKEY"
        frames = sum(1 for _ in container.decode(stream))
    return Found(frames, 0, 0, None, time.process_time() - started)


def _run_ours(
    engine_name: str, video: Path, every_seconds: float | None, *, has_second: bool = True
) -> Found:
    from function.engines.loading import load_engine  # noqa: PLC0415  # as above
    from function.engines.models import models_of  # noqa: PLC0415
    from function.engines.protocol import EngineOptions  # noqa: PLC0415  # as above
    from function.faces.found import Details, FacesFound  # noqa: PLC0415
    from function.faces.search import search_video  # noqa: PLC0415
    from function.faces.second_encodings import details_of  # noqa: PLC0415
    from function.people.gathering import gather_people  # noqa: PLC0415
    from function.recognition import task_of  # noqa: PLC0415
    from function.settings import Settings  # noqa: PLC0415

    engine = load_engine(
        engine_name, EngineOptions(second_encoder="lightcnn" if has_second else None)
    )
    task = replace(task_of(Settings()), every_seconds=every_seconds)
    started = time.process_time()
    *_, found = search_video(video, video.name, engine, task)
    if not isinstance(found, FacesFound):
        raise TypeError(found)
    faces = found.faces

    def fetch(pictures: Sequence[int], encode: Sequence[int]) -> Details:
        return details_of(faces, pictures, encode, engine.second)

    people = gather_people(found, models_of(engine), fetch).people
    worked = time.process_time() - started
    true = count_true(video, [face.seconds for face in faces])
    return Found(found.frames, len(faces), len(people), true, worked)


def count_true(video: Path, moments: list[float]) -> int | None:
    """Count the faces found that are really there, known for our own footage."""
    if not is_footage(video):
        return None
    return sum(min(moments.count(moment), true_faces(moment)) for moment in set(moments))


CONTENDERS: dict[str, Callable[[Path, float | None], Found]] = {
    "onnx": run_onnx,
    "one-net": run_one_net,
    "dlib": run_dlib,
    "reference": run_reference,
    "keyframes": run_keyframes,
}
"""Our two engines, one also without its second net, the reference, and the floor."""


def peak_megabytes() -> float:
    """Return the peak memory of this process."""
    status = Path("/proc/self/status")
    if status.exists():
        # Not ru_maxrss: on Linux a process inherits the peak of its parent when it is started.
        held = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        if held:
            return int(held[1]) / 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1024**2


if __name__ == "__main__":
    name, video_path, interval = sys.argv[1:]
    found = CONTENDERS[name](Path(video_path), None if interval == "auto" else float(interval))
    print(json.dumps({"found": asdict(found), "peak_megabytes": peak_megabytes()}))
