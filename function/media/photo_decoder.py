"""Decodes a photo's bytes to an upright RGB picture, or says why it cannot.

Pillow is imported here and nowhere else in this package, so that a server whose photos are read by
a child never loads it.
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
"""Photos with a longer side are scaled down to this: a face still fills the encoder's 150 px."""

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
"""The formats of photos. Pillow reads forty more, one of them by starting Ghostscript; and naming
them here loads them now, for a process that may not open files later."""

PHONE_FORMATS = (MpoImagePlugin.MpoImageFile.format,)
"""A JPEG file with more pictures after the first: Pillow opens it as JPEG, then looks for this."""

AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # one of every core starts as many threads

Image.preinit()  # or it loads more with the first photo


def decode_photo(content: bytes) -> RgbImage:
    """Decode a photo as people see it: EXIF rotation applied, any colour mode made RGB.

    An animation gives its first picture. Returns RGB uint8, (height, width, 3).

    Raises:
        PhotoRefusedError: it is not a picture, is damaged, or is too large.
    """
    if not content:
        raise PhotoRefusedError("unreadable: the file is empty")
    try:
        with warnings.catch_warnings():
            # Our limit is lower than the one Pillow warns about; odd metadata do no harm.
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
