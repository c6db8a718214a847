"""A photo file becomes an upright RGB picture, or a reason why not."""

import base64
import io
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from function.engines import RgbImage

MAX_PIXELS = 50_000_000
"""Larger photos are refused before they are decoded: 150 MB of RGB."""

MAX_PHOTO_BYTES = 32_000_000
"""Larger files are not read: no photo of 50 million pixels needs more."""

WORKING_SIDE_PIXELS = 1600
"""Longer photos are scaled down to this: a face in them still fills the encoder's 150 px chip."""


class PhotoRefusedError(Exception):
    """A photo cannot be enrolled; the message is the reason, in a few words."""


class PhotoNotFetchedError(PhotoRefusedError):
    """A photo did not arrive this time; it may when it is asked for again."""


def read_photo_file(path: Path) -> bytes:
    """Read a photo from a plain file of a size that a photo has.

    Raises:
        OSError: it cannot be read.
        PhotoRefusedError: it is a device or pipe, or too large.
    """
    if path.exists() and not path.is_file():
        raise PhotoRefusedError("unreadable: not a plain file")
    with path.open("rb") as file:
        content = file.read(MAX_PHOTO_BYTES + 1)
    if len(content) > MAX_PHOTO_BYTES:
        raise PhotoRefusedError(f"too large: over {MAX_PHOTO_BYTES // 1_000_000} MB")
    return content


def read_data_uri(uri: str) -> bytes:
    """Decode the picture in a data: URI, or plain base64.

    Raises:
        PhotoRefusedError: it is not base64.
    """
    head, _, body = uri.rpartition(",")
    if head and not head.endswith(";base64"):
        raise PhotoRefusedError("unreadable: a data URI that is not base64")
    try:
        return base64.b64decode("".join(body.split()), validate=True)
    except ValueError:
        raise PhotoRefusedError("unreadable: not base64") from None


def decode_photo(content: bytes) -> RgbImage:
    """Decode a photo as people see it: EXIF rotation applied, any colour mode made RGB.

    Of an animation, the first picture. Returns RGB uint8, (height, width, 3).

    Raises:
        PhotoRefusedError: it is no picture, damaged, or too large.
    """
    if not content:
        raise PhotoRefusedError("unreadable: the file is empty")
    try:
        with warnings.catch_warnings():
            # Our own limit is lower than the one Pillow warns of.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content)) as image:
                return _to_rgb(image)
    except UnidentifiedImageError:
        raise PhotoRefusedError("unreadable: not a picture") from None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise PhotoRefusedError(f"unreadable: {error}") from None


def _to_rgb(image: Image.Image) -> RgbImage:
    width, height = image.size
    if width * height > MAX_PIXELS:
        limit = MAX_PIXELS // 1_000_000
        raise PhotoRefusedError(f"too large: {width}x{height}, over {limit} million pixels")
    image.draft("RGB", (WORKING_SIDE_PIXELS, WORKING_SIDE_PIXELS))
    upright = ImageOps.exif_transpose(image)
    upright.thumbnail((WORKING_SIDE_PIXELS, WORKING_SIDE_PIXELS))
    return np.asarray(upright.convert("RGB"))
