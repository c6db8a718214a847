"""The house: imports go one way, and nothing heavy is loaded at import."""

import ast
import re
import subprocess
import sys
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("db", "function", "tools")

ROOMS: tuple[tuple[str, ...], ...] = (
    ("db",),
    ("db.sqlite",),
    ("db.stores",),
    ("function.cgroups", "function.errors", "function.version"),
    ("function.cores", "function.memory"),
    ("function.media",),
    ("function.engines",),
    ("function.engines.onnx",),
    ("function.engines.dlib_nets",),
    ("function.engines.lightcnn",),
    ("function.engines.yunet",),
    ("function.engines.sface",),
    ("function.engines.own",),
    ("function.engines.models", "function.engines.second_encoders"),
    ("function.engines.loading", "function.engines.dlib_engine", "function.engines.onnx_engine"),
    ("function.setting_kinds",),
    ("function.settings",),
    ("function.faces",),
    ("function.enrolling",),
    ("function.people",),
    ("function.matching",),
    ("function.sandbox",),
    ("function.sources",),
    ("function.imports",),
    ("function.recognition",),
    ("function.library",),
    ("function.stash",),
    ("function.web",),
    ("function.web.page",),
    ("function.web.library",),
    ("function.web.stash",),
    ("function",),
    ("tools.ending",),
    ("tools.replacing",),
    ("tools.sources",),
    ("tools.imports",),
    ("tools.footage",),
    ("tools.accuracy",),
    ("tools.library",),
    ("tools.cluster",),
    ("tools.verbs",),
    ("tools.demo",),
    ("tools.bench",),
    ("tools.soak",),
    ("tools",),
)
"""One floor per line, the lowest first: a module imports only from its own line and earlier lines.
A module belongs to the longest of these names that begins its own name."""

PURE = (
    "db.templates",
    "db.vectors",
    "db.rejections",
    "db.people",
    "db.videos",
    "function.faces.quality",
    "function.people.people",
    "function.people.grouping",
    "function.people.linkage",
    "function.people.links",
    "function.people.views",
    "function.people.appearances",
    "function.matching.comparisons",
    "function.matching.fragments",
    "function.matching.hints",
    "function.matching.matches",
    "function.matching.path_names",
    "function.matching.scores",
    "function.library.admission",
    "function.library.grouping",
)
"""Pure modules: they read no file, clock or environment."""

OUTSIDE = {"os", "time", "datetime", "pathlib", "io", "sqlite3", "random", "subprocess", "socket"}
HEAVY = ("dlib", "face_recognition", "onnx", "onnxruntime", "scipy", "av", "cv2", "PIL")


@cache
def modules() -> dict[str, Path]:
    """Return the path of every module of the project, by its dotted name."""
    found = {}
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts).removesuffix(".__init__")] = path
    return found


@cache
def imports_of(module: str) -> frozenset[str]:
    """Return the dotted names that a module imports anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(modules()[module].read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively; import from the root"
            source = node.module or ""
            both = {f"{source}.{alias.name}" for alias in node.names}
            names |= {name if name in modules() else source for name in both}
    return frozenset(names)


def floor_of(module: str) -> int:
    """Return the number of the line in ROOMS that a module belongs to."""
    fitting = [
        (len(name), floor)
        for floor, names in enumerate(ROOMS)
        for name in names
        if f"{module}.".startswith(f"{name}.")
    ]
    return max(fitting)[1]


def test_a_module_imports_only_from_its_own_room_and_those_below() -> None:
    upward = [
        f"{module} -> {name}"
        for module in modules()
        for name in imports_of(module) & set(modules())
        if floor_of(name) > floor_of(module)
    ]
    assert not upward
    assert not any(name.startswith("tests") for module in modules() for name in imports_of(module))


def test_no_modules_import_each_other_in_a_circle() -> None:
    TopologicalSorter({name: imports_of(name) & set(modules()) for name in modules()}).prepare()


def test_every_line_of_the_table_is_a_room_that_exists() -> None:
    assert {floor_of(module) for module in modules()} == set(range(len(ROOMS)))
    assert all(name in modules() for names in ROOMS for name in names)


def test_every_folder_says_what_room_it_is() -> None:
    for path in modules().values():
        if path.name == "__init__.py":
            assert ast.get_docstring(ast.parse(path.read_text())), path


def test_no_function_is_longer_than_forty_lines() -> None:
    for path in modules().values():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                lines = (node.end_lineno or 0) - node.lineno + 1
                assert lines <= 40, f"{path.name}: {node.name} has {lines} lines"


def test_the_middle_reads_no_file_clock_or_environment() -> None:
    for module in PURE:
        packages = {name.split(".")[0] for name in imports_of(module)}
        assert not packages & OUTSIDE, module


def test_no_store_is_known_by_its_driver_outside_its_room() -> None:
    for module in modules():
        packages = {name.split(".")[0] for name in imports_of(module)}
        if not module.startswith("db.sqlite"):
            assert not packages & {"sqlite3", "sqlite_utils", "psycopg"}, module


def test_importing_the_handler_loads_no_net_and_no_decoder() -> None:
    code = f"import sys, function.main; print([n for n in {HEAVY} if n in sys.modules])"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_child_knows_no_store_no_gallery_and_no_web() -> None:
    code = "import sys, function.sandbox.child; print(*sys.modules)"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    strange = ("sqlite3", "psycopg", "flask", "db.sqlite", "db.stores", "db.galleries")
    strange += ("function.matching", "function.web", "function.recognition")
    assert "function.sandbox.child" in loaded
    assert not [name for name in loaded if name.startswith(strange)]


@pytest.mark.parametrize("page", ["THREATS.md", "docs/formats.md"])
def test_the_tests_that_a_page_names_exist(page: str) -> None:
    named = set(re.findall(r"`(test_\w+)`", (ROOT / page).read_text(encoding="utf-8")))
    assert len(named) > 20
    written = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert named - written == set()
