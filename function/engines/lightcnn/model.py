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
    # Of 1,045 web photographs of 75 people, averaged over the people; half of the squared distance
    # of two, one with its mirror image as it is enrolled, and one as it is shown.
    face_variance=0.41,
)
"""Encodings have length 1: they are compared by angle."""

DLIB_SHARE: Final = 0.2
"""The share of dlib's net in a squared distance, once both are scaled to the same strangers. On
1,142 photographs of 85 people 0.1 to 0.3 are equally good: without dlib's net twice as many pairs
of one person are missed at one stranger in a hundred, with 0.4 twice as many at one in a thousand,
and from 0.3 on people who look alike are confused more often. In clips of 26 people who are not
famous strangers are as far apart as in these photographs, with any of these shares.
"""

LENGTH = 0.97
"""The distance that means what DLIB_LENGTH means with dlib's net: with it the strangers of those
photographs are as far apart by either net, 0.84 in the median."""

FUSION = Fusion(
    space=EncodingSpace(
        id=f"{DLIB.id}+{LIGHT_CNN.id}",
        dimensions=DLIB.dimensions + LIGHT_CNN.dimensions,
        # Of the same photographs, and in the same way as above.
        face_variance=0.146,
    ),
    parts=(DLIB, LIGHT_CNN),
    scales=(DLIB_SHARE**0.5, (1 - DLIB_SHARE) ** 0.5 * DLIB_LENGTH / LENGTH),
)
