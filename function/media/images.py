"""Pictures as RGB arrays in memory: scaled down, or written as JPEG."""

import cv2
import numpy as np

from function.media.pictures import RgbImage

JPEG_QUALITY = 88


def fit(image: RgbImage, longest_side: int) -> tuple[RgbImage, float]:
    """Scale a picture down so that its longest side is `longest_side` pixels; never up.

    Returns the picture and the factor it was scaled by. As long as that does not make it too small,
    the picture is halved (an odd row or column is cut off): averaging four pixels is a quarter of
    the work of averaging other areas.
    """
    height, width = image.shape[:2]
    scale = min(longest_side / max(height, width), 1.0)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    while image.shape[1] >= 2 * size[0] and image.shape[0] >= 2 * size[1]:
        half = (image.shape[1] // 2, image.shape[0] // 2)
        image = _resize(image[: 2 * half[1], : 2 * half[0]], half, cv2.INTER_AREA)
    if size != (image.shape[1], image.shape[0]):
        image = _resize(image, size, cv2.INTER_LINEAR)
    return image, scale


def encode_jpeg(image: RgbImage, quality: int = JPEG_QUALITY) -> bytes:
    """Compress an RGB picture to JPEG."""
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return encoded.tobytes()


def decode_jpeg(content: bytes) -> RgbImage:
    """Read back what `encode_jpeg` made here; files from elsewhere go to `photo_decoder`."""
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR_RGB)
    return np.asarray(picture, np.uint8)


def _resize(image: RgbImage, size: tuple[int, int], interpolation: int) -> RgbImage:
    return cv2.resize(image, size, interpolation=interpolation).astype(np.uint8, copy=False)


class RgbPicture:
    """A picture whose pixels are in memory as RGB."""

    def __init__(self, pixels: RgbImage) -> None:
        self._pixels = np.ascontiguousarray(pixels)

    @property
    def width(self) -> int:
        """Pixels from left to right."""
        return int(self._pixels.shape[1])

    @property
    def height(self) -> int:
        """Pixels from top to bottom."""
        return int(self._pixels.shape[0])

    def rgb(self) -> RgbImage:
        """Return all pixels."""
        return self._pixels

    def shrunk(self, longest_pixels: int) -> tuple[RgbImage, float]:
        """Return a copy whose longest side is `longest_pixels`, and the factor; see `fit`."""
        return fit(self._pixels, longest_pixels)
