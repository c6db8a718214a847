"""What takes long to make is made once, however many processes run the tests."""

import fcntl
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

Made = TypeVar("Made")


def make_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], Made]) -> Made:
    """Return what the first process of this run made of a new folder; the others wait for it."""
    root = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent  # each worker has a folder in it
    with (root / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = root / f"{name}.pickle"
        if not made.exists():
            folder = root / name
            folder.mkdir(exist_ok=True)
            made.write_bytes(pickle.dumps(make(folder)))
        result: Made = pickle.loads(made.read_bytes())
        return result
