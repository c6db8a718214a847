"""What the packages bring along in C and C++ is new enough to have no known hole that we meet."""

import importlib.metadata
import platform
import re
import sqlite3
import sys
from pathlib import Path

import av
import dlib
import PIL
import pytest
from PIL import features

from function.engines.onnx.onnxruntime_private import import_onnxruntime

INTEL_MAC = sys.platform == "darwin" and platform.machine() == "x86_64"

LEAST = {
    # Before it a MagicYUV stream overflowed the heap (CVE-2026-8461).
    "FFmpeg": (8, 1, 2),
    "onnxruntime": (1, 23, 2) if INTEL_MAC else (1, 31, 0),
    "Pillow": (12, 0, 0),
    # STRICT tables and RETURNING; a WAL database needs one writer below 3.51.3, and has one.
    "SQLite": (3, 37, 0),
    "dlib": (19, 24, 6) if INTEL_MAC else (20, 0, 1),
    "libjpeg-turbo": (3, 0, 0),
    "gunicorn": (22, 0, 0),  # before it, requests could be smuggled past a proxy
    "waitress": (3, 0, 1),  # before it, requests could be smuggled, and connections stay open
    "werkzeug": (3, 1, 0),
}


def found(name: str) -> str:
    versions = {
        "FFmpeg": lambda: av.ffmpeg_version_info,
        "onnxruntime": lambda: import_onnxruntime().__version__,
        "Pillow": lambda: PIL.__version__,
        "SQLite": lambda: sqlite3.sqlite_version,
        "dlib": lambda: dlib.__version__,
        "libjpeg-turbo": lambda: features.version("libjpeg_turbo"),
    }
    return versions.get(name, lambda: importlib.metadata.version(name))() or ""


@pytest.mark.parametrize("name", LEAST)
def test_a_bundled_library_is_new_enough(name: str) -> None:
    numbers = tuple(int(number) for number in re.findall(r"\d+", found(name))[:3])
    assert numbers >= LEAST[name], f"{name} is {found(name)}"


def test_nothing_imports_onnxruntime_where_it_would_report_to_its_maker() -> None:
    root = Path(__file__).parents[1]
    named = re.compile(r"^\s*(import|from) onnxruntime\b", re.MULTILINE)
    found = {
        path.name
        for package in ("function", "db", "tools", "tests")
        for path in (root / package).rglob("*.py")
        if named.search(path.read_text())
    }
    assert found == {"onnxruntime_private.py"}


def test_what_decodes_videos_is_the_one_that_is_checked() -> None:
    """OpenCV brings an FFmpeg of its own; only the benchmark's reference opens a video with it."""
    root = Path(__file__).parents[1]
    reference = root / "tools" / "bench" / "reference.py"
    for package in ("function", "db", "tools"):
        for path in (root / package).rglob("*.py"):
            assert path == reference or "VideoCapture" not in path.read_text(), path
