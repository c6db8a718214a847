"""Where the five points of a face lie in the chips of second encoders."""

import numpy as np

ARCFACE_PIXELS = 112
ARCFACE_POINTS = np.array(
    [
        (38.2946, 51.6963),
        (73.5318, 51.5014),
        (56.0252, 71.7366),
        (41.5493, 92.3655),
        (70.7299, 92.2041),
    ]
)
"""Where the five points are in a chip of 112 pixels: the alignment that ArcFace (Deng, Guo, Xue and
Zafeiriou 2019) was trained with, and SFace too."""
