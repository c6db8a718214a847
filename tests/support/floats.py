"""Nets in floats, whatever kind of processor this is: their numbers are dlib's, or a GPU's."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from function.engines import onnx_engine
from function.engines.lightcnn import encoder


@contextmanager
def in_floats() -> Iterator[None]:
    """Load nets in floats meanwhile."""
    with (
        patch.object(onnx_engine, "multiplies_bytes", return_value=False),
        patch.object(encoder, "gains_by_bytes", return_value=False),
    ):
        yield
