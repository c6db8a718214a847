"""The spaces of Light CNN's encodings, and of dlib's and Light CNN's put end to end."""

from typing import Final

import numpy as np

from db.models import EncodingSpace, Fusion
from function.engines.dlib_nets.model import DLIB
from function.engines.dlib_nets.model import LENGTH as DLIB_LENGTH

CHIP_PIXELS = 128
"""Side of a chip, the square that is encoded."""

POINTS = np.array([(43.1, 40.1), (84.7, 39.9), (64.0, 63.8), (46.9, 88.1), (81.3, 87.9)])
"""Where the five points of a face lie in a chip. The net's authors say that the middle between the
eyes lies 40 pixels from the top, and that between the corners of the mouth 48 below; the rest is
ArcFace's template, scaled to this."""

LIGHT_CNN = EncodingSpace(
    # The net, and the alignment: five points.
    id="lightcnn_v4/5",
    dimensions=256,
    face_variance=0.44,
)
"""Encodings have length 1: they are compared by angle."""

DLIB_SHARE: Final = 0.2
"""The share of dlib's net in a squared distance, once both are scaled to the same strangers."""

LENGTH = 0.9761
"""The distance that means what DLIB_LENGTH means with dlib's net."""

FUSION = Fusion(
    space=EncodingSpace(
        id=f"{DLIB.id}+{LIGHT_CNN.id}",
        dimensions=DLIB.dimensions + LIGHT_CNN.dimensions,
        face_variance=0.1482,
    ),
    parts=(DLIB, LIGHT_CNN),
    scales=(DLIB_SHARE**0.5, (1 - DLIB_SHARE) ** 0.5 * DLIB_LENGTH / LENGTH),
)
