"""The type of a decoded picture, used everywhere."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

RgbImage: TypeAlias = NDArray[np.uint8]
"""RGB uint8, (height, width, 3). BGR given as RGB moves an encoding by 0.28 without any error."""
