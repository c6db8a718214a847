"""What is stored of the face in a photo."""

import numpy as np

from function.engines.protocol import Box
from function.enrolling.encodings import LONGEST_ORIGIN, encodings_of
from function.faces.face import Face

FACE = Face(0, 0.0, 0.0, Box(0, 0, 9, 9), 1.0, np.ones(128, np.float32), 0.5, (), b"")


def test_of_an_endless_url_only_the_beginning_is_kept() -> None:
    url = "https://a.example/" + "x" * 60_000
    (stored,) = encodings_of(FACE, ["net"], "hash", url)
    assert stored.origin == url[:LONGEST_ORIGIN]
