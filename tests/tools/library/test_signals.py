"""A verb that the system ends leaves no copy of a gallery behind."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from db.sqlite.bundles import export_bundle
from db.sqlite.gallery import SqliteGallery
from tests.support.galleries import encoding, performer

ROOT = Path(__file__).parents[3]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")

IMPORT = """
import sys, time
from tools.verbs import importing
def wait(*_):
    print("copied", flush=True)
    time.sleep(600)
importing.enrol_bundle = wait
importing.import_(["bundle", sys.argv[1], "--db", sys.argv[2]])
"""

LIST = """
import sys
from tools.verbs import importing
import tempfile
make = tempfile.TemporaryDirectory
class Loud(make):
    def __enter__(self):
        folder = super().__enter__()
        print("copied", flush=True)
        return folder
importing.tempfile.TemporaryDirectory = Loud
importing.import_(["file", "-", "--db", sys.argv[2]])
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("script", [IMPORT, LIST])
def test_no_copy_of_what_is_imported_is_left_behind(
    script: str, number: signal.Signals, tmp_path: Path
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    with SqliteGallery(tmp_path / "g.db", create=True) as gallery:
        gallery.enrol(performer("Ada"), [encoding(1)], b"jpeg")
        export_bundle(gallery, tmp_path / "carry.bundle")
    shutil.copy(tmp_path / "g.db", tmp_path / "other.db")
    arguments = [str(tmp_path / "carry.bundle"), str(tmp_path / "other.db")]
    with subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(temporary)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "copied\n"
        assert list(temporary.iterdir())
        process.send_signal(number)
        assert process.wait(timeout=60) == 128 + number
    assert list(temporary.iterdir()) == []


TOLD_TWICE = """
import os, shutil, signal, sys, tempfile
from tools.ending import tidied_up
remove = shutil.rmtree
def told_again(*arguments, **options):
    os.kill(os.getpid(), int(sys.argv[1]))
    remove(*arguments, **options)
tempfile._shutil.rmtree = told_again
with tidied_up(), tempfile.TemporaryDirectory(dir=sys.argv[2]):
    os.kill(os.getpid(), int(sys.argv[1]))
    signal.pause()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_what_is_ended_twice_removes_its_files_once(number: signal.Signals, tmp_path: Path) -> None:
    """As by a service manager that ends a group, of which one process passes the signal on."""
    command = [sys.executable, "-c", TOLD_TWICE, str(int(number)), str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, check=False, timeout=60)
    assert done.returncode == 128 + number
    assert list(tmp_path.iterdir()) == []
