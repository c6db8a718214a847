"""The memory that counts is what this process may use."""

import os
from pathlib import Path

import pytest

from function.memory import count_memory_megabytes

MEGABYTE = 2**20


@pytest.fixture(autouse=True)
def eight_gigabytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the machine have 8 GB."""
    sizes = {"SC_PHYS_PAGES": 2 * 2**20, "SC_PAGE_SIZE": 4096}
    monkeypatch.setattr(os, "sysconf", sizes.__getitem__)


@pytest.mark.parametrize(
    ("own", "files", "megabytes"),
    [
        ("", {}, 8192),
        ("0::/", {"memory.max": "max"}, 8192),
        ("0::/", {"memory.max": str(4096 * MEGABYTE)}, 4096),
        ("0::/", {"memory.max": str(9000 * MEGABYTE)}, 8192),
        ("0::/", {"memory.max": "nonsense"}, 8192),
        ("0::/", {"memory.max": "4096"}, 1),
        ("0::/a/b", {"a/b/memory.max": "max", "a/memory.max": str(512 * MEGABYTE)}, 512),
        ("0::/elsewhere", {"memory.max": str(512 * MEGABYTE)}, 512),
        ("3:memory:/", {"memory/memory.limit_in_bytes": str(2**63 - 4096)}, 8192),
        ("3:memory:/box", {"memory/box/memory.limit_in_bytes": str(700 * MEGABYTE)}, 700),
        ("3:cpu:/box", {"memory/box/memory.limit_in_bytes": str(700 * MEGABYTE)}, 8192),
    ],
)
def test_a_limit_counts_if_it_is_less_than_the_machine_has(
    own: str, files: dict[str, str], megabytes: int, tmp_path: Path
) -> None:
    for name, content in files.items():
        (tmp_path / "groups" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "groups" / name).write_text(content + "\n")
    (tmp_path / "own").write_text(own + "\n")
    assert count_memory_megabytes(tmp_path / "groups", tmp_path / "own") == megabytes
