"""Brings the pixels of a photo, of any mode, depth, gamma and profile, to 8-bit sRGB."""

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

USUAL_GAMMA = 1 / 2.2
"""What a PNG of sRGB states, nearly: a code is light to the power of this."""

GAMMA_SLACK, LEAST_POWER, MOST_POWER = 0.05, 0.2, 5.0
"""How far from it makes no difference to the eye, and which statements are mistakes."""

_SRGB = ImageCms.createProfile("sRGB")

_MODES = {"RGB": "RGB", "CMYK": "CMYK", "GRAY": "L"}
"""Pillow's mode of pictures by the colour space of their profile (ICC.1:2010, 7.2.6)."""


def with_usual_gamma(image: Image.Image, about: Mapping[Any, Any]) -> Image.Image:
    """Return an RGB picture as sRGB if a PNG states another gamma, as one of linear light does.

    A profile, and a statement that it is sRGB, count for more (PNG 3, 4.3).
    """
    gamma = about.get("gamma") or USUAL_GAMMA
    power = USUAL_GAMMA / gamma
    is_told_otherwise = "icc_profile" in about or "srgb" in about
    if is_told_otherwise or abs(power - 1) < GAMMA_SLACK or not LEAST_POWER < power < MOST_POWER:
        return image
    codes = [round(255 * (code / 255) ** power) for code in range(256)]
    return image.point(codes * 3)


def to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """Return a picture as sRGB, by its colour profile unless that is odd, broken or sRGB itself."""
    if image.mode in ("RGBA", "RGBX"):
        image = image.convert("RGB")
    elif image.mode in ("LA", "La"):
        image = image.convert("L")
    try:
        return _by_profile(image, profile) if profile else image.convert("RGB")
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001  # a profile may be any bytes
        return image.convert("RGB")


def _by_profile(image: Image.Image, content: bytes) -> Image.Image:
    """Convert a picture from the colours of its profile, keeping black black, as browsers do."""
    profile = ImageCms.ImageCmsProfile(io.BytesIO(content))
    is_srgb = "sRGB" in ImageCms.getProfileDescription(profile)
    if is_srgb or _MODES.get(profile.profile.xcolor_space.strip()) != image.mode:
        return image.convert("RGB")
    converted = ImageCms.profileToProfile(
        *(image, profile, _SRGB),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        outputMode="RGB",
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    return converted or image.convert("RGB")


def eight_bits(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Scale grey values of any depth to 0 to 255.

    White is taken to be the highest value of the smallest depth that holds all of them: a fraction
    up to 1, then 8, 10, 12, 14, 16, 24 or 32 bits.
    """
    numbers = np.nan_to_num(values.astype(np.float32, copy=False), posinf=0.0, neginf=0.0)
    highest = float(numbers.max(initial=0.0))
    depths = [2.0**bits - 1 for bits in (8, 10, 12, 14, 16, 24, 32)]
    if values.dtype.kind == "f":
        depths.insert(0, 1.0)
    white = next((one for one in depths if highest <= one), highest)
    return (numbers.clip(0.0, white) * (255.0 / white)).astype(np.uint8)
