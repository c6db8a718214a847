"""A net is read as a graph: named by its weights, which are read only to make it."""

import importlib
import types
from dataclasses import replace
from pathlib import Path

import pytest

from function.engines.onnx.graph_cache import GraphCache
from function.engines.onnx.graphs import Kind, read_graph
from function.engines.weights import ENCODER_WEIGHTS, Packaged
from function.errors import EngineUnavailableError

COPY = Kind(Path.read_bytes, "copies", "copy")


@pytest.fixture(autouse=True)
def writer(monkeypatch: pytest.MonkeyPatch) -> None:
    """What writes graphs here only copies the weights."""
    copies = types.SimpleNamespace(copy=lambda content: content)
    monkeypatch.setattr(importlib, "import_module", lambda _: copies)


def test_weights_that_change_are_another_graph(tmp_path: Path) -> None:
    cache, weights = GraphCache(tmp_path / "cache"), tmp_path / "net.dat"
    for content in (b"weights", b"weightz"):
        weights.write_bytes(content)
        assert read_graph(COPY, weights, cache) == content
        assert read_graph(COPY, weights, cache) == content


def test_packaged_weights_are_read_only_to_make_the_graph(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache, weights = GraphCache(tmp_path / "cache"), tmp_path / "net.onnx"
    weights.write_bytes(b"weights")
    found: list[Packaged] = []
    monkeypatch.setattr(Packaged, "find", lambda one: found.append(one) or weights)
    ours, others = Packaged("net.onnx", "a" * 64), Packaged("net.onnx", "b" * 64)
    for packaged in (ours, ours, others, others):
        assert read_graph(COPY, packaged, cache) == b"weights"
    assert found == [ours, others]


def test_dlibs_encoder_is_made_of_no_other_file(tmp_path: Path) -> None:
    cache, other = GraphCache(tmp_path), replace(ENCODER_WEIGHTS, sha256="0" * 64)
    assert read_graph(COPY, ENCODER_WEIGHTS, cache) == ENCODER_WEIGHTS.find().read_bytes()
    with pytest.raises(EngineUnavailableError, match=r"does not carry.*face_recognition_models==0"):
        read_graph(COPY, other, cache)
