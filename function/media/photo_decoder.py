"""Decodes a photo's bytes to an upright RGB picture, or says why it cannot.

Only this and `photo_colours` import Pillow, so that a server whose photos are read by a child never
loads it.
"""

import importlib.util
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import av
import numpy as np
from pi_heif import register_heif_opener
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from function.media.conversion import PictureConverter
from function.media.photo_colours import eight_bits, to_srgb, with_usual_gamma
from function.media.photo_kinds import (
    JPEG_END,
    find_kind,
    is_film,
    is_sequence,
    without_metadata,
)
from function.media.photos import PhotoRefusedError
from function.media.pictures import RgbImage
from function.media.threads import can_start_threads

MAX_PIXELS = 200_000_000
"""Larger photos are refused before they are decoded: 800 MB as Pillow keeps them. A JPEG, as
cameras make them, is scaled down while it is decoded, and takes a fraction of that."""

WORKING_SIDE_PIXELS = 1600
"""Photos with a longer side are scaled down to this: a face still fills the encoder's 150 px."""

HEIF = "HEIF"
"""What phones take. Its decoder, libde265, starts a thread for each photo, whatever it is told."""

JXL = "JXL"
HAS_JXL = importlib.util.find_spec("pillow_jxl") is not None
"""Whether the user has installed pillow-jxl-plugin. Its licence is GPL-3.0, so it is not required
here; without it, a JPEG XL photo is refused by that name."""

FORMATS = (
    *(
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
    ),
    HEIF,
    *((JXL,) if HAS_JXL else ()),
)
"""The formats of photos. Pillow reads forty more, one of them by starting Ghostscript; and naming
them here loads them now, for a process that may not open files later."""

PHONE_FORMATS = (MpoImagePlugin.MpoImageFile.format,)
"""A JPEG file with more pictures after the first: Pillow opens it as JPEG, then looks for this."""

AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # one of every core starts as many threads

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What sets a photo upright, by EXIF's tag Orientation (EXIF 2.32, 4.6.4 A)."""

ORIENTATION = 0x0112

FIRST_PICTURES = 50
"""This many pictures of an animation are tried, while they are all of one colour."""

BLANK_RANGE = 16
"""A picture whose grey values, 0 to 255, differ by less is of one colour: it shows nobody."""

MOST_MISSING = 0.25
"""A damaged photo that lacks a larger share of its rows, at its end, is refused."""


Image.preinit()  # or it loads more with the first photo
Image.MAX_IMAGE_PIXELS = None  # Pillow's limit is lower than ours, which is checked as early
register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=0)
if HAS_JXL:
    # 0 decodes in the thread that asks. The package may be missing, and has no types.
    importlib.import_module("pillow_jxl.JpegXLImagePlugin").DECODE_THREADS = 0  # type: ignore[attr-defined]


HEAD_BYTES = 128
"""What names the kind of a file is within these."""


def decode_photo(content: bytes) -> RgbImage:
    """Decode a photo as people see it: EXIF rotation applied, any colour mode made RGB.

    An animation gives its first picture that is not of one colour. A photo whose metadata are
    damaged, or that lacks a little of its end, is read without them. Returns RGB uint8, (height,
    width, 3).

    Raises:
        PhotoRefusedError: it is not a picture, is damaged, or is too large.
        MemoryError: there is not enough memory for it.
    """
    if not content:
        raise PhotoRefusedError("unreadable: the file is empty")
    if find_kind(content[:HEAD_BYTES]) == HEIF and not can_start_threads():
        raise PhotoRefusedError(
            "unreadable here: HEIC needs a thread, which this process may not start; save it as "
            "JPEG, or enrol it with python -m tools add-photo"
        )
    try:
        return _decode(content)
    except PhotoRefusedError:
        raise
    except UnidentifiedImageError:
        complaint = _complaint_about_kind(content)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001  # Pillow's plugins raise anything on odd files
        complaint = _complaint_about_kind(content, str(error) or type(error).__name__)
    picture = _decode_damaged(content)
    if picture is None:
        raise PhotoRefusedError(complaint)
    return picture


def _complaint_about_kind(content: bytes, error: str = "") -> str:
    """Say what a file is that could not be decoded, and why, if Pillow gave an `error`."""
    kind = find_kind(content[:HEAD_BYTES])
    if kind == JXL and not HAS_JXL:
        return (
            "unreadable: JPEG XL; save it as JPEG, or install the package pillow-jxl-plugin "
            "(GPL-3.0) next to this one"
        )
    if is_film(content[:HEAD_BYTES]):
        return "unreadable: a video, whatever its name says, and not a picture"
    if not kind:
        return "unreadable: not a picture, or of a rare kind"
    # libjxl's binding tells every user of a damaged file to compile libjxl.
    return f"unreadable: {error}" if error and kind != JXL else f"unreadable: a damaged {kind} file"


def _decode(content: bytes) -> RgbImage:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd metadata do no harm
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            return _to_rgb(image)


def _decode_damaged(content: bytes) -> RgbImage | None:
    """Decode what can be had of a damaged photo; None if that is too little."""
    try:
        if find_kind(content[:HEAD_BYTES]) == "AVIF" or is_sequence(content[:HEAD_BYTES]):
            return _decode_by_ffmpeg(content)
        plain = without_metadata(content)
        if (whole := _decode_whole(plain)) is not None:
            return whole
        with _lenient():
            picture = _decode(plain + (JPEG_END if content.startswith(b"\xff\xd8") else b""))
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001  # as above; the first complaint is the one to give
        return None
    differs = (picture != picture[-1:, -1:]).any(axis=(1, 2))
    rows = int(np.flatnonzero(differs)[-1]) + 1 if differs.any() else 0
    return picture if rows >= (1 - MOST_MISSING) * len(picture) else None


def _decode_whole(content: bytes) -> RgbImage | None:
    """Decode a photo of which nothing is missing; None if something is."""
    try:
        return _decode(content)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001  # as above
        return None


def _decode_by_ffmpeg(content: bytes) -> RgbImage:
    """Decode an AVIF that libavif refuses, such as one that states no size for its transparency.

    So is a sequence in HEIF without a picture to stand for it.
    """
    with av.open(io.BytesIO(content), "r", format="mov") as container:
        stream = max(container.streams.video, key=lambda one: one.width * one.height)
        _refuse_huge(stream.width, stream.height)
        stream.codec_context.thread_count = 1
        picture = PictureConverter(None, MAX_PIXELS).to_rgb(next(container.decode(stream)))
    return np.asarray(_fit(Image.fromarray(picture)))


@contextmanager
def _lenient() -> Iterator[None]:
    """Let Pillow pass over what is missing, and over texts and profiles that it cannot read."""
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False


def _to_rgb(image: Image.Image) -> RgbImage:
    _refuse_huge(*image.size)
    _require_whole(image)
    _require_memory(image)
    image.draft("RGB", (WORKING_SIDE_PIXELS, WORKING_SIDE_PIXELS))
    # First scaled down, then turned: a copy of the whole would double what it takes.
    small = _small(image)
    turn = TURNS.get(_orientation(image))  # only now: Pillow turns a TIFF while it loads it
    if getattr(image, "is_animated", False) and image.format not in PHONE_FORMATS:
        small = _first_not_blank(image, small)
    return np.asarray(small.transpose(turn) if turn is not None else small)


def _refuse_huge(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        limit = MAX_PIXELS // 1_000_000
        raise PhotoRefusedError(f"too large: {width}x{height}, over {limit} million pixels")


def _require_whole(image: Image.Image) -> None:
    """Refuse a HEIC whose tiles make no picture: libheif then shows one of the tiles."""
    if image.info.get("primary") is False:
        raise PhotoRefusedError("unreadable: some of its tiles are missing; copy the file again")


def _require_memory(image: Image.Image) -> None:
    """Ask for what a progressive JPEG takes, for libjpeg calls it damaged if there is less.

    It holds two bytes for each value until the last of them is known, however small it is drafted.
    """
    if isinstance(image, JpegImagePlugin.JpegImageFile) and image.info.get("progressive"):
        shares = [across * down for _, across, down, _ in image.layer]
        values = image.width * image.height * sum(shares) // max(shares, default=1)
        np.empty(2 * values, np.uint8)


def _orientation(image: Image.Image) -> int:
    """Read how a photo was held; 1, upright, if its metadata cannot be read."""
    try:
        return int(image.getexif().get(ORIENTATION, 1))
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001  # of random metadata a third raise one of a dozen errors
        return 1


def _small(image: Image.Image) -> Image.Image:
    """Return the current picture as RGB, not larger than the working size."""
    image.load()
    about = image.info
    if image.mode.startswith(("I", "F")):
        small = _fit(Image.fromarray(eight_bits(np.asarray(image)))).convert("RGB")
        return with_usual_gamma(small, about)
    if image.mode in ("P", "1"):  # these can be scaled only after they have colours
        image = image.convert("RGB")
    return with_usual_gamma(to_srgb(_fit(image), about.get("icc_profile", b"")), about)


def _fit(image: Image.Image) -> Image.Image:
    side = WORKING_SIDE_PIXELS
    scale = min(1.0, side / max(image.size))
    if scale == 1.0:
        return image
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)


def _first_not_blank(image: Image.Image, first: Image.Image) -> Image.Image:
    """Return the first picture of an animation that is not of one colour; else `first`."""
    small = first
    for number in range(1, min(FIRST_PICTURES, MAX_PIXELS // (image.width * image.height))):
        if not _is_blank(small):
            return small
        try:
            image.seek(number)
            small = _small(image)
        except Exception:  # noqa: BLE001  # the end, or damage: then the pictures before count
            break
    return first if _is_blank(small) else small


def _is_blank(image: Image.Image) -> bool:
    darkest, brightest = image.convert("L").getextrema()
    return float(brightest) - float(darkest) < BLANK_RANGE  # type: ignore[arg-type]  # of one band
