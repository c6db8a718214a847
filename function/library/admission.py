"""Checks what children found in videos and photos, before any of it may reach a gallery.

A child decodes files from anywhere, and may be captured by one. A gallery is used for years, so
anything that cannot come from a face is left out, however it got there.
"""

import math
from collections.abc import Sequence

import numpy as np

from db.blobs import LARGEST_NUMBER
from db.people import PersonFound, View
from db.records import Vector
from function.engines.models import PRIMARY, SECOND, SECOND_BEFORE
from function.faces.face import DOUBTFUL

LENGTHS = {PRIMARY.id: (0.9, 2.1), SECOND.id: (0.5, 1.01), SECOND_BEFORE.id: (0.5, 1.01)}
"""How long encodings can be. Of 1,045 photographs dlib's are 1.25 to 1.70, those of the second nets
that ship 1; means of several are shorter. The length of other nets' encodings is not known."""

DIMENSIONS = {one.id: one.dimensions for one in (PRIMARY, SECOND, SECOND_BEFORE)}
"""How many numbers encodings have, where that is known."""

LARGEST_PICTURE_BYTES = 100_000
"""Pictures of faces take 24 KB at most."""

LONGEST_SIDE_PIXELS = 512
"""Twice as many as such a picture has."""

_START, _END = b"\xff\xd8\xff", b"\xff\xd9"
_SIZES = frozenset({0xC0, 0xC1, 0xC2})
"""The markers before a JPEG's size: baseline, extended and progressive."""


def is_admissible(view: View, models: Sequence[str]) -> bool:
    """Say whether a view can be what these nets make of a face, and certainly shows one."""
    numbers = (view.seconds, view.quality)
    if not all(math.isfinite(one) for one in numbers) or DOUBTFUL in view.weaknesses:
        return False
    if view.seconds < 0 or not 0 <= view.quality <= 1 or view.faces < 1:
        return False
    return bool(view.encodings) and all(
        is_encoding(vector, model) for vector, model in zip(view.encodings, models, strict=False)
    )


def admit_picture(picture: bytes) -> bytes | None:
    """Return a picture if it is a JPEG as small as a face's, without decoding it; None if not."""
    if len(picture) > LARGEST_PICTURE_BYTES or not picture.startswith(_START):
        return None
    size = _size_of(picture)
    is_small = size is not None and min(size) > 0 and max(size) <= LONGEST_SIDE_PIXELS
    return picture if is_small and picture.endswith(_END) else None


def pictured(person: PersonFound, views: Sequence[View]) -> dict[float, bytes]:
    """Say at which of a person's views the person's picture is kept, if a gallery may keep it.

    It is of the best face alone, so it goes with the view that shows this, or else with the first.
    """
    at = [view.seconds for view in views]
    picture = admit_picture(person.picture)
    if not at or picture is None:
        return {}
    return {person.best_seconds if person.best_seconds in at else at[0]: picture}


def is_encoding(vector: Vector, model: str) -> bool:
    """Say whether a net with this model can have made an encoding of a face."""
    if vector.ndim != 1 or not np.isfinite(vector).all():
        return False
    if len(vector) != DIMENSIONS.get(model, len(vector)):
        return False
    least, most = LENGTHS.get(model, (0.0, math.inf))
    length = float(np.linalg.norm(vector))
    return float(np.abs(vector).max()) <= LARGEST_NUMBER and least <= length <= most


def _size_of(jpeg: bytes) -> tuple[int, int] | None:
    """Read height and width from a JPEG's header, segment by segment; None if it has none."""
    place = 2
    while place + 9 <= len(jpeg) and jpeg[place] == _END[0]:
        if jpeg[place + 1] in _SIZES:
            height, width = jpeg[place + 5 : place + 7], jpeg[place + 7 : place + 9]
            return int.from_bytes(height), int.from_bytes(width)
        place += 2 + max(2, int.from_bytes(jpeg[place + 2 : place + 4]))
    return None
