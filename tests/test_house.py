"""The order of the house: data flows one way, and nothing heavy happens at import."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOWER = {"db": set[str](), "function": {"db"}, "tools": {"db", "function"}}
HEAVY = ("dlib", "face_recognition", "onnx", "onnxruntime", "scipy")


def imported_packages(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively; import from the root"
            names.add(node.module or "")
    return {name.split(".")[0] for name in names}


@pytest.mark.parametrize("package", LOWER)
def test_a_package_imports_only_itself_and_what_lies_below(package: str) -> None:
    for path in (ROOT / package).rglob("*.py"):
        ours = imported_packages(path) & {*LOWER, "tests"}
        assert ours <= {package} | LOWER[package], path


def test_the_middle_reads_no_file_clock_or_environment() -> None:
    for room in ("people/people", "matching/matches", "people/appearances", "faces/quality"):
        outside = imported_packages(ROOT / "function" / f"{room}.py")
        assert not outside & {"os", "time", "datetime", "pathlib", "io", "sqlite3", "random"}, room


def test_importing_the_handler_loads_no_net() -> None:
    code = f"import sys, function.main; print([n for n in {HEAVY} if n in sys.modules])"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
