"""The cache of graphs: made once, checked when read, and never in the way."""

import logging
import os
import threading
from pathlib import Path

import pytest

from function.engines.onnx.graph_cache import GraphCache, user_cache_folder


class Builder:
    """Builds one graph and counts how often."""

    def __init__(self, graph: bytes = b"a graph" * 1000) -> None:
        self.graph = graph
        self.calls = 0

    def __call__(self) -> bytes:
        self.calls += 1
        return self.graph


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "new" / "cache"


def test_a_graph_is_built_once_and_read_by_the_next_process(folder: Path) -> None:
    build = Builder()
    graphs = [GraphCache(folder).graph("net-1", "1", build) for _ in range(3)]

    assert graphs == [build.graph] * 3
    assert build.calls == 1


def test_other_weights_and_another_version_are_other_graphs(folder: Path) -> None:
    cache, build = GraphCache(folder), Builder()
    cache.graph("net-1", "1", build)
    cache.graph("net-1", "2", build)
    cache.graph("net-2", "2", build)

    assert build.calls == 3


@pytest.mark.parametrize("keep", [0, 10, 64, 500])
def test_a_graph_cut_short_on_the_disk_is_built_anew(keep: int, folder: Path) -> None:
    cache, build = GraphCache(folder), Builder()
    cache.graph("net-1", "1", build)
    (stored,) = folder.iterdir()
    stored.write_bytes(stored.read_bytes()[:keep])

    assert cache.graph("net-1", "1", build) == build.graph
    assert cache.graph("net-1", "1", build) == build.graph
    assert build.calls == 2


def test_a_graph_with_one_changed_bit_is_built_anew(folder: Path) -> None:
    cache, build = GraphCache(folder), Builder()
    cache.graph("net-1", "1", build)
    (stored,) = folder.iterdir()
    changed = bytearray(stored.read_bytes())
    changed[-1] ^= 1
    stored.write_bytes(changed)

    assert cache.graph("net-1", "1", build) == build.graph
    assert build.calls == 2


def test_a_folder_that_cannot_be_written_costs_one_warning_and_no_graph(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("a file, where a folder is needed; root may write anywhere else")
    cache, build = GraphCache(blocked / "cache"), Builder()

    with caplog.at_level(logging.WARNING):
        assert cache.graph("net-1", "1", build) == build.graph
        assert cache.graph("net-1", "2", build) == build.graph

    (record,) = caplog.records
    assert "CACHE_FOLDER" in record.getMessage()


def test_a_folder_that_can_only_be_read_serves_its_graphs_without_a_warning(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    build = Builder()
    GraphCache(folder).graph("net-1", "1", build)
    folder.chmod(0o500)
    try:
        assert GraphCache(folder).graph("net-1", "1", build) == build.graph
    finally:
        folder.chmod(0o700)

    assert build.calls == 1
    assert not caplog.records


def test_writers_at_the_same_time_leave_one_whole_graph_and_no_scraps(folder: Path) -> None:
    build = Builder(os.urandom(1_000_000))
    threads = [
        threading.Thread(target=GraphCache(folder).graph, args=("net-1", "1", build))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(list(folder.iterdir())) == 1
    calls = build.calls
    assert GraphCache(folder).graph("net-1", "1", build) == build.graph
    assert build.calls == calls


def test_other_users_may_read_a_graph_that_was_made_for_all(folder: Path) -> None:
    GraphCache(folder).graph("net-1", "1", Builder())

    (stored,) = folder.iterdir()
    assert stored.stat().st_mode & 0o044 == 0o044 & ~_umask()


def plant(path: Path, graph: bytes) -> None:
    """Exchange a graph for another that matches its own hash."""
    GraphCache(path.parent).content(path.name, lambda: graph)


@pytest.mark.parametrize("mode", [0o664, 0o646])
def test_a_graph_that_others_may_write_is_not_believed(
    mode: int, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache, build = GraphCache(folder), Builder()
    cache.graph("net-1", "1", build)
    (stored,) = folder.iterdir()
    stored.unlink()
    plant(stored, b"planted")
    assert cache.graph("net-1", "1", build) == b"planted"
    stored.chmod(mode)
    assert cache.graph("net-1", "1", build) == build.graph
    assert "another user" in caplog.text
    assert cache.graph("net-1", "1", build) == build.graph
    assert build.calls == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_another_users_graph_is_not_believed(folder: Path) -> None:
    cache, build = GraphCache(folder), Builder()
    cache.graph("net-1", "1", build)
    (stored,) = folder.iterdir()
    os.chown(stored, 12_345, -1)
    assert cache.graph("net-1", "1", build) == build.graph
    assert build.calls == 2


def test_a_graph_under_anothers_name_is_not_believed(folder: Path) -> None:
    cache, build = GraphCache(folder), Builder()
    cache.graph("net-1", "1", Builder(b"an older graph"))
    (older,) = folder.iterdir()
    cache.graph("net-1", "2", build)
    (newer,) = {*folder.iterdir()} - {older}
    newer.write_bytes(older.read_bytes())
    assert cache.graph("net-1", "2", build) == build.graph
    assert build.calls == 2


def test_a_graph_is_believed_again_whatever_the_umask(folder: Path) -> None:
    build, before = Builder(), os.umask(0)
    try:
        for _ in range(2):
            GraphCache(folder).graph("net-1", "1", build)
    finally:
        os.umask(before)
    assert build.calls == 1


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@pytest.mark.parametrize(
    ("platform", "environment", "expected"),
    [
        ("linux", {}, ".cache"),
        ("linux", {"XDG_CACHE_HOME": "/else"}, "/else"),
        ("linux", {"XDG_CACHE_HOME": "relative"}, ".cache"),
        ("darwin", {"XDG_CACHE_HOME": "/else"}, "Library/Caches"),
    ],
)
def test_the_default_folder_is_where_the_system_keeps_caches(
    platform: str,
    environment: dict[str, str],
    expected: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr("sys.platform", platform)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert user_cache_folder() == tmp_path / expected / "performer-video-recognition"
