"""One run of one contender in a process of its own, so that its costs are its own.

`python -m tools.bench.contenders NAME VIDEO EVERY` prints what was found, as JSON.
"""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from tools.bench.footage import is_footage, true_faces


@dataclass(frozen=True)
class Found:
    """What a contender found, and the CPU seconds after its nets were loaded.

    `true_faces` counts no more faces at a moment than there are; None where that is not known.
    """

    frames: int
    faces: int
    people: int
    true_faces: int | None
    work_seconds: float


def run_onnx(video: Path, every_seconds: float | None) -> Found:
    """Run our default engine."""
    return _run_ours("onnx", video, every_seconds)


def run_dlib(video: Path, every_seconds: float | None) -> Found:
    """Run our pipeline with dlib's own code for the nets."""
    return _run_ours("dlib", video, every_seconds)


def run_reference(video: Path, every_seconds: float | None) -> Found:
    """Run the way it is usually done; it has no automatic interval, and takes one second."""
    from tools.bench import reference  # noqa: PLC0415  # contenders must not pay for each other

    library = reference.load_library()
    started = time.process_time()
    result = reference.run_reference(video, every_seconds or 1.0, library)
    worked = time.process_time() - started
    moments = [face.seconds for face in result.faces]
    groups = len(result.groups)
    return Found(result.frames, len(moments), groups, count_true(video, moments), worked)


def _run_ours(engine_name: str, video: Path, every_seconds: float | None) -> Found:
    from function.engines import EngineOptions, load_engine  # noqa: PLC0415  # as above
    from function.faces import Face, find_faces  # noqa: PLC0415
    from function.frames import sample_frames  # noqa: PLC0415
    from function.people import group_faces  # noqa: PLC0415
    from function.settings import Settings  # noqa: PLC0415
    from function.videos import open_video  # noqa: PLC0415

    engine = load_engine(engine_name, EngineOptions())
    started = time.process_time()
    frames = 0
    faces: list[Face] = []
    pixels = Settings().detection_pixels
    with open_video(video, every_seconds) as opened:
        for _, new_faces in find_faces(sample_frames(opened), engine, pixels):
            frames += 1
            faces.extend(new_faces)
    people = len(group_faces(faces))
    worked = time.process_time() - started
    true = count_true(video, [face.seconds for face in faces])
    return Found(frames, len(faces), people, true, worked)


def count_true(video: Path, moments: list[float]) -> int | None:
    """Count the faces found that are there, by the truth of our own footage."""
    if not is_footage(video):
        return None
    return sum(min(moments.count(moment), true_faces(moment)) for moment in set(moments))


CONTENDERS: dict[str, Callable[[Path, float | None], Found]] = {
    "onnx": run_onnx,
    "dlib": run_dlib,
    "reference": run_reference,
}

if __name__ == "__main__":
    name, video_path, interval = sys.argv[1:]
    found = CONTENDERS[name](Path(video_path), None if interval == "auto" else float(interval))
    print(json.dumps(asdict(found)))
