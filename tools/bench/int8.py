"""`python -m tools.bench.int8`: what the detector's maps reach, and what 8 bits cost in faces.

Prints the ranges that function/engines/int8_graphs.py holds, measured on the demo's photographs;
then, for each picture given, the faces that both graphs find, how far apart their boxes lie, and
what each took.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
import onnx

from function.detection import fit
from function.engines import Box, EngineOptions, RgbImage
from function.engines.dlib_graphs import detector_graph
from function.engines.int8_graphs import fast_layers, int8_detector_graph
from function.engines.nets import read_detector
from function.engines.onnx_engine import CnnDetector
from function.engines.pyramid import lay_out_thin, paint
from function.engines.sessions import open_session
from function.engines.weights import find_weights
from function.errors import UnreadableVideoError
from function.frames import sample_frames
from function.photos import PhotoRefusedError
from function.settings import Settings
from function.stills import decode_photo
from function.videos import open_video
from tools.demo.photos import fetch_photos
from tools.videos import read_portrait

DETECTION_PIXELS = Settings().detection_pixels
PORTRAITS = ("obama1.jpg", "obama2.jpg", "biden.jpg", "astronaut.png", "hopper.jpg", "cat.png")


def measure_ranges() -> dict[str, tuple[float, float]]:
    """Run the float graph on the demo's photographs, and note what each map reaches."""
    net = read_detector(find_weights().cnn_detector)
    model = onnx.load_from_string(detector_graph(net, fast_layers(net)))
    _, *maps = [node.input[0] for node in model.graph.node if node.op_type == "Conv"]
    for name in maps:
        model.graph.output.append(onnx.helper.make_empty_tensor_value_info(name))
    session = open_session(model.SerializeToString(), EngineOptions())
    ranges = dict.fromkeys(maps, (0.0, 0.0))
    for picture in _portraits():
        layout = lay_out_thin(picture.shape[1], picture.shape[0])
        values = session.run(maps, {"canvas": paint(picture, layout, net.means)})
        for name, value in zip(maps, values, strict=True):
            smallest, largest = ranges[name]
            ranges[name] = min(smallest, float(value.min())), max(largest, float(value.max()))
    return ranges


def _portraits() -> Iterator[RgbImage]:
    photos = fetch_photos()
    for name in PORTRAITS:
        for longest_side in (DETECTION_PIXELS, DETECTION_PIXELS // 2):
            yield fit(read_portrait(photos / name), longest_side, enlarges=True)[0]


def overlap(one: Box, other: Box) -> float:
    """Return the share of two boxes' joint area that both cover, 0 to 1."""
    width = min(one.right, other.right) - max(one.left, other.left) + 1
    height = min(one.bottom, other.bottom) - max(one.top, other.top) + 1
    shared = max(0, width) * max(0, height)
    return shared / (one.area + other.area - shared)


def compare(pictures: list[RgbImage]) -> dict[str, Any]:
    """Find faces with both graphs; boxes that overlap by less than half are different faces."""
    net = read_detector(find_weights().cnn_detector)
    found, seconds = {}, {}
    for name, write in (("float", detector_graph), ("int8", int8_detector_graph)):
        cnn = CnnDetector(open_session(write(net), EngineOptions()), net, thins=True)
        started = time.process_time()
        found[name] = [cnn.detect(picture) for picture in pictures]
        seconds[name] = time.process_time() - started
    shares = [
        max((overlap(one.box, other.box) for other in eights), default=0.0)
        for floats, eights in zip(found["float"], found["int8"], strict=True)
        for one in floats
    ]
    return {
        "pictures": len(pictures),
        "faces": {name: sum(map(len, faces)) for name, faces in found.items()},
        "in both": sum(share > 0.5 for share in shares),  # noqa: PLR2004  # said above
        "mean overlap": round(float(np.mean(shares or [0.0])), 3),
        "cpu ms": {name: round(1e3 * spent / len(pictures), 1) for name, spent in seconds.items()},
    }


def read_pictures(path: Path) -> list[RgbImage]:
    """Read a photo, the photos of a folder, or the keyframes of a video."""
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    pictures: list[RgbImage] = []
    for file in files:
        if not file.is_file():
            continue
        try:
            pictures += _read_file(file)
        except UnreadableVideoError as error:
            click.echo(f"Passed over: {error}", err=True)
    if not pictures:
        raise click.ClickException(f"{path} holds no photo and no video. Give others.")
    return [fit(picture, DETECTION_PIXELS, enlarges=True)[0] for picture in pictures]


def _read_file(path: Path) -> list[RgbImage]:
    try:
        return [decode_photo(path.read_bytes())]
    except PhotoRefusedError:
        with open_video(path) as video:
            return [frame.rgb for frame in sample_frames(video)]


@click.command(epilog="Example: python -m tools.bench.int8 video.mp4 photos/")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path, exists=True))
def main(paths: tuple[Path, ...]) -> None:
    """Measure the ranges, and compare the two graphs on PATHS."""
    for name, (smallest, largest) in measure_ranges().items():
        click.echo(f"{name}: {smallest:.2f} to {largest:.2f}")
    for path in paths:
        click.echo(f"{path.name}: {compare(read_pictures(path))}")


if __name__ == "__main__":
    main()
