"""`python -m tools` where the packages it needs are not installed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_outside_the_virtual_environment_it_says_what_to_run_and_shows_no_traceback() -> None:
    done = subprocess.run(
        [sys.executable, "-S", "-m", "tools", "list"],  # -S: without installed packages
        cwd=ROOT,
        env={"PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "is not installed for" in line
    assert "Use .venv/bin/python -m tools" in line


def test_ctrl_c_while_it_loads_shows_no_traceback() -> None:
    code = (
        "import runpy, sys\n"
        "class Pressed:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'tools.cli':\n"
        "            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Pressed())\n"
        "runpy.run_module('tools', run_name='__main__')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (1, "Aborted!\n")


def test_most_verbs_load_nothing_that_only_reading_videos_or_measuring_takes() -> None:
    code = "import sys, tools.cli; print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True).split()
    assert {"av", "cv2", "dlib", "onnxruntime", "scipy", "tools.verbs.measuring"}.isdisjoint(loaded)


def test_numpys_threads_are_told_how_to_wait_before_it_is_imported() -> None:
    for module in ("tools.cli", "function.main", "function.server", "tools.bench.start"):
        code = (
            "import os, sys\n"
            "class Watch:\n"
            "    def find_spec(self, name, *_):\n"
            "        if name == 'numpy':\n"
            "            print(os.environ['OPENBLAS_THREAD_TIMEOUT'])\n"
            "sys.meta_path.insert(0, Watch())\n"
            f"import {module}\n"
        )
        environment = {name: value for name, value in os.environ.items() if "BLAS" not in name}
        command = [sys.executable, "-c", code]
        told = subprocess.check_output(command, cwd=ROOT, env=environment, text=True)
        assert told.split() == ["4"], module


@pytest.mark.parametrize(
    ("pressed", "status", "shown"),
    [
        ("raise KeyboardInterrupt", 1, "Aborted!\n"),  # while it says that it was aborted
        ("atexit.register(press)", -signal.SIGINT, ""),  # while it ends
        ("clean_up()", 0, ""),  # while a generator cleans up, after an earlier one
    ],
)
def test_ctrl_c_that_is_pressed_again_shows_no_traceback(
    pressed: str, status: int, shown: str
) -> None:
    code = (
        "import atexit, os, runpy, signal, sys, types\n"
        "def press():\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "def held():\n"
        "    try:\n"
        "        yield\n"
        "    finally:\n"
        "        press()\n"
        "def clean_up():\n"
        "    next(iter([held()])).send(None)\n"
        f"def main(**_):\n    {pressed}\n"
        "sys.modules['tools.cli'] = types.SimpleNamespace(main=main)\n"
        "runpy.run_module('tools', run_name='__main__')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (status, shown)
