"""The spaces of SFace's encodings, and of dlib's and SFace's put end to end."""

from db.models import EncodingSpace, Fusion
from function.engines.dlib_nets.model import DLIB
from function.engines.dlib_nets.model import LENGTH as DLIB_LENGTH

CHIP_PIXELS = 112
"""Side of a chip, the square that is encoded."""

SFACE = EncodingSpace(
    # The net, and the alignment: five points.
    id="face_recognition_sface_2021dec/5",
    dimensions=128,
    # Of 1,050 web photographs of 75 people, averaged over the people.
    face_variance=0.44,
)
"""Encodings have length 1: they are compared by angle."""

DLIB_SHARE = 0.2
"""The share of dlib's net in a squared distance, once both are scaled to the same strangers. On
1,050 photographs of 75 people 0.1 to 0.3 are equally good; with 0.5 people who look alike are
confused more often, with 0 everyone is."""

LENGTH = 1.1
"""The distance that means what DLIB_LENGTH means with dlib's net."""

FUSION = Fusion(
    space=EncodingSpace(
        id=f"{DLIB.id}+{SFACE.id}",
        dimensions=DLIB.dimensions + SFACE.dimensions,
        # One person's photographs are as far apart as by dlib's net alone: 0.50, and 0.48.
        face_variance=DLIB.face_variance,
    ),
    parts=(DLIB, SFACE),
    scales=(DLIB_SHARE**0.5, (1 - DLIB_SHARE) ** 0.5 * DLIB_LENGTH / LENGTH),
)
