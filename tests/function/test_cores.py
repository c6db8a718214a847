"""The cores that count are those that this process may use."""

import os
from pathlib import Path

import pytest

from function.cores import count_cores


@pytest.fixture(autouse=True)
def eight(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the process run on eight cores."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)


def write(root: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content + "\n")
    return root


@pytest.mark.parametrize(
    ("own", "files", "cores"),
    [
        ("", {}, 8),
        ("0::/", {"cpu.max": "max 100000"}, 8),
        ("0::/", {"cpu.max": "200000 100000"}, 2),
        ("0::/", {"cpu.max": "250000 100000"}, 3),
        ("0::/", {"cpu.max": "1000 100000"}, 1),
        ("0::/", {"cpu.max": "nonsense"}, 8),
        ("0::/a/b", {"a/b/cpu.max": "max 100000", "a/cpu.max": "400000 100000"}, 4),
        ("0::/elsewhere", {"cpu.max": "400000 100000"}, 4),
        ("3:cpu,cpuacct:/", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 8),
        (
            "3:cpu,cpuacct:/box",
            {"cpu/box/cpu.cfs_quota_us": "150000", "cpu/box/cpu.cfs_period_us": "50000"},
            3,
        ),
        ("3:cpuset:/box", {"cpu/box/cpu.cfs_quota_us": "50000"}, 8),
    ],
)
def test_a_quota_of_time_counts_as_cores(
    own: str, files: dict[str, str], cores: int, tmp_path: Path
) -> None:
    groups = write(tmp_path / "groups", files)
    mine = write(tmp_path, {"own": own}) / "own"
    assert count_cores(groups, mine) == cores


def test_a_set_of_cores_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3})
    assert count_cores(tmp_path, tmp_path / "none") == 1


def test_where_no_set_is_known_the_machine_counts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert count_cores(tmp_path, tmp_path / "none") == 6
