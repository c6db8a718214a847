"""The bytes of a photo become an upright RGB picture, or a reason why not.

Pillow is imported here and nowhere else in this package, so that a server that has photos read by
a child never holds it.
"""

import io
import warnings

import numpy as np
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageOps,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from function.media.photos import PhotoRefusedError
from function.media.pictures import RgbImage

MAX_PIXELS = 50_000_000
"""Larger photos are refused before they are decoded: 150 MB of RGB."""

WORKING_SIDE_PIXELS = 1600
"""Longer photos are scaled down to this: a face in them still fills the encoder's 150 px chip."""

FORMATS = tuple(
    plugin.format
    for plugin in (
        JpegImagePlugin.JpegImageFile,
        PngImagePlugin.PngImageFile,
        WebPImagePlugin.WebPImageFile,
        AvifImagePlugin.AvifImageFile,
        GifImagePlugin.GifImageFile,
        BmpImagePlugin.BmpImageFile,
        TiffImagePlugin.TiffImageFile,
    )
)
"""What photos come as. Pillow reads forty formats more, one of them by starting Ghostscript; and
naming them here loads them now, for a process that may open no file later."""

PHONE_FORMATS = (MpoImagePlugin.MpoImageFile.format,)
"""A JPEG with more pictures behind it: Pillow opens it as JPEG, and then looks for this."""

Image.preinit()  # or it loads more on the first photo


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
            # Our limit is lower than the one Pillow warns of; odd metadata do no harm.
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content), formats=FORMATS) as image:
                return _to_rgb(image)
    except UnidentifiedImageError:
        raise PhotoRefusedError("unreadable: not a picture, or of a rare kind") from None
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
