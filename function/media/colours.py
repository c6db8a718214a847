"""Brings pictures with other colours than a screen's to sRGB: brighter ones, and a wider gamut.

What is not converted looks grey and flat, as in a player that ignores it, and faces are encoded
from that. PQ is SMPTE ST 2084, HLG is ARIB STD-B67; both are in ITU-R BT.2100.
"""

from functools import cache

import cv2
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from function.media.pictures import RgbImage

PQ, HLG = 16, 18
"""FFmpeg's numbers (AVCOL_TRC_*) of the curves of HDR."""

BT_2020, DCI_P3, DISPLAY_P3 = 9, 11, 12
"""FFmpeg's numbers (AVCOL_PRI_*) of the wide gamuts."""

WHITE_NITS = 203.0
"""How bright white paper is in HDR (ITU-R BT.2408, 2.1)."""

HLG_PEAK_NITS, HLG_SYSTEM_GAMMA = 1000.0, 1.2  # of the display that BT.2100 takes as its example
SDR_GAMMA = 2.4  # ITU-R BT.1886

KNEE = 0.85
"""Up to this share of white nothing is changed, so faces in usual light are as in SDR; from there
to ten times white, brightness is pressed into what is left."""

SRGB_TOE = 0.0031308  # below it sRGB's curve is straight (IEC 61966-2-1)

BRIGHTEST = 50.0  # times white: 10,000 nits
LUMINANCE = (0.2627, 0.6780, 0.0593)  # of BT.2020's primaries

TO_BT_709 = {
    BT_2020: (
        (1.660491, -0.587641, -0.072850),
        (-0.124550, 1.132900, -0.008349),
        (-0.018151, -0.100579, 1.118730),
    ),
    DISPLAY_P3: (
        (1.224940, -0.224940, 0.0),
        (-0.042057, 1.042057, 0.0),
        (-0.019638, -0.078636, 1.098274),
    ),
}
"""Matrices on linear light (ITU-R BT.2087 for BT.2020; from the primaries for P3)."""

_LEVELS = 4096
_DROPPED_BITS = 4  # of 16: HDR is coded in 10 or 12
_BAND_ROWS = 64  # converted at once, so that they stay in the processor's cache


def needs_conversion(picture: VideoFrame) -> bool:
    """Say whether a decoded picture has other colours than an ordinary screen."""
    return picture.color_trc in (PQ, HLG) or picture.color_primaries in TO_BT_709


def convert_to_srgb(rgb: NDArray[np.uint16], curve: int, primaries: int) -> RgbImage:
    """Convert RGB of 16 bits, (height, width, 3), coded with FFmpeg's curve and primaries, to sRGB.

    Highlights of HDR are pressed together; what was no brighter than paper stays as it is.
    """
    converted = np.empty(rgb.shape, np.uint8)
    for top in range(0, len(rgb), _BAND_ROWS):
        band = slice(top, top + _BAND_ROWS)
        converted[band] = _convert_band(rgb[band], curve, primaries)
    return converted


def _convert_band(rgb: NDArray[np.uint16], curve: int, primaries: int) -> RgbImage:
    light = _decoding_curve(curve).take(rgb >> _DROPPED_BITS)
    if curve == HLG:
        light = _show_on_display(light)
    matrix = TO_BT_709.get(primaries, TO_BT_709[BT_2020] if curve in (PQ, HLG) else None)
    if matrix is not None:
        light = cv2.transform(light, np.array(matrix, np.float32)).astype(np.float32, copy=False)
    np.clip(light, 0, BRIGHTEST, out=light)
    np.sqrt(light, out=light)
    light *= (_LEVELS - 1) / BRIGHTEST**0.5
    shown: RgbImage = _encoding_curve(curve).take((light + 0.5).astype(np.uint16))
    return shown


def _show_on_display(scene: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn the light of HLG's scene into that of its display, in times of white."""
    luminance = scene @ np.array(LUMINANCE, np.float32)
    gain = np.maximum(luminance, 1e-6) ** (HLG_SYSTEM_GAMMA - 1) * (HLG_PEAK_NITS / WHITE_NITS)
    return scene * gain[..., None].astype(np.float32)


@cache
def _decoding_curve(curve: int) -> NDArray[np.float32]:
    """Return the light, in times of white, of each code value, in 12 bits."""
    code = np.linspace(0, 1, 2 ** (16 - _DROPPED_BITS))
    if curve == PQ:
        power = code ** (1 / 78.84375)
        light = np.maximum(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)
        return (light ** (1 / 0.1593017578125) * 10_000 / WHITE_NITS).astype(np.float32)
    if curve == HLG:
        bright = (np.exp((code - 0.55991073) / 0.17883277) + 0.28466892) / 12
        return np.where(code <= 1 / 2, code**2 / 3, bright).astype(np.float32)
    return (code**SDR_GAMMA).astype(np.float32)


@cache
def _encoding_curve(curve: int) -> NDArray[np.uint8]:
    """Return sRGB's code for light whose square root is given in equal steps."""
    light = np.linspace(0, 1, _LEVELS) ** 2 * BRIGHTEST
    if curve not in (PQ, HLG):
        return _to_bytes(np.minimum(light, 1) ** (1 / SDR_GAMMA))
    rest = 1 - KNEE
    pressed = KNEE + rest * (1 - np.exp(-(np.maximum(light, KNEE) - KNEE) / rest))
    shown = np.where(light <= KNEE, light, pressed)
    coded = np.where(shown <= SRGB_TOE, 12.92 * shown, 1.055 * shown ** (1 / 2.4) - 0.055)
    return _to_bytes(coded)


def _to_bytes(code: NDArray[np.float64]) -> NDArray[np.uint8]:
    return (255 * code + 0.5).astype(np.uint8)
