"""Converts a decoded picture to RGB for a face detector, or to a thumbnail for comparison."""

from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray

from function.media.colours import convert_to_srgb, needs_conversion
from function.media.halving import halve_down
from function.media.images import RgbPicture
from function.media.pictures import RgbImage
from function.media.recycling import Recycler

Thumbnail: TypeAlias = NDArray[np.int16]
"""A picture as 32x32 grey cells, int16 so that two can be subtracted."""

THUMBNAIL_SIDE = 32

WIDEST_PIXEL = 4
"""A pixel more than this many times wider than high, or higher than wide, must be a mistake."""

NAMED_COLORSPACES = (1, 4, 5, 6, 7, 9)
"""FFmpeg's numbers (AVCOL_SPC_*) of BT.709, FCC, both BT.601, SMPTE 240M and BT.2020; the other
numbers are unspecified, reserved, or rare and refused by its scaler."""

HIGH_DEFINITION_HEIGHT = 720
"""From this height on, players assume BT.709 for a picture that does not name its colours, and
below it BT.601; so do we."""


class PictureConverter:
    """Converts the pictures of one video; it keeps FFmpeg's scalers between calls.

    `pixel_aspect` is a stored pixel's width divided by its height (None or 0: square); it is
    ignored if it makes no sense or the picture would grow beyond `max_pixels`. A `recycler` may
    serve several converters.
    """

    def __init__(
        self, pixel_aspect: Fraction | None, max_pixels: int, recycler: Recycler | None = None
    ) -> None:
        self._pixel_aspect = pixel_aspect or Fraction(1)
        self._max_pixels = max_pixels
        self._to_rgb = VideoReformatter()
        self._recycler = recycler or Recycler()
        self._to_thumbnail = VideoReformatter()
        self._matrices: dict[int, bytes] = {}

    def to_rgb(self, picture: VideoFrame, matrix: bytes | None = None) -> RgbImage:
        """Convert a picture to 8-bit sRGB, upright and in square pixels.

        `matrix` is its display matrix, empty if it has none; if not given, it is read.
        """
        _settle_colours(picture)
        width, height = self._square_size(picture)
        if needs_conversion(picture):
            deep = self._to_rgb.reformat(picture, width, height, "rgb48le", threads=1)
            curve, primaries = int(picture.color_trc), int(picture.color_primaries)
            rgb = convert_to_srgb(deep.to_ndarray().astype(np.uint16), curve, primaries)
        else:
            is_square = (width, height) == (picture.width, picture.height)
            converted = self._recycler.to_rgb(picture) if is_square else None
            if converted is None:
                converted = self._to_rgb.reformat(picture, width, height, "rgb24", threads=1)
            rgb = converted.to_ndarray().astype(np.uint8, copy=False)
        matrix = self._read_matrix(picture) if matrix is None else matrix
        return turn_upright(rgb, matrix) if matrix else rgb

    def halve(self, picture: VideoFrame, longest_pixels: int) -> tuple[VideoFrame, bytes]:
        """Halve a picture (see `halve_down`); return its display matrix too, which is lost."""
        _settle_colours(picture)  # by its own size
        return halve_down(picture, longest_pixels), self._read_matrix(picture)

    def _read_matrix(self, picture: VideoFrame) -> bytes:
        """Return the display matrix, empty if there is none, as first read for this rotation."""
        rotation = picture.rotation
        if rotation not in self._matrices:
            self._matrices[rotation] = _find_matrix(picture)
        return self._matrices[rotation]

    def to_thumbnail(self, picture: VideoFrame) -> Thumbnail:
        """Shrink a picture to grey cells, each the mean of what it covers; not rotated."""
        _settle_colours(picture)
        side = THUMBNAIL_SIDE
        small = self._to_thumbnail.reformat(
            picture, side, side, "gray8", interpolation=Interpolation.AREA, threads=1
        )
        return small.to_ndarray().astype(np.int16)

    def _square_size(self, picture: VideoFrame) -> tuple[int, int]:
        aspect = self._pixel_aspect
        if not Fraction(1, WIDEST_PIXEL) <= aspect <= WIDEST_PIXEL:
            return picture.width, picture.height
        width = round(picture.width * max(aspect, Fraction(1)))
        height = round(picture.height / min(aspect, Fraction(1)))
        fits = width * height <= self._max_pixels
        return (width, height) if fits else (picture.width, picture.height)


class DecodedPicture:
    """A picture as it was decoded; it becomes RGB when its pixels are first asked for.

    Then it lets go of what was decoded, of which the decoder has little. Whoever is done with it
    can `release` it, so that its memory serves the next one even while others still hold it.
    `matrix` is as in `PictureConverter.to_rgb`.
    """

    def __init__(
        self, decoded: VideoFrame, converter: PictureConverter, matrix: bytes | None = None
    ) -> None:
        self._decoded: VideoFrame | None = decoded
        self._converter = converter
        self._matrix = matrix
        self._pixels: RgbPicture | None = None

    @property
    def width(self) -> int:
        """Pixels from left to right."""
        return self._converted().width

    @property
    def height(self) -> int:
        """Pixels from top to bottom."""
        return self._converted().height

    def rgb(self) -> RgbImage:
        """Return all pixels.

        Raises:
            ValueError: the picture was released.
        """
        return self._converted().rgb()

    def shrunk(self, longest_pixels: int) -> tuple[RgbImage, float]:
        """Return a copy whose longest side is `longest_pixels`, and the factor; see `fit`."""
        return self._converted().shrunk(longest_pixels)

    def release(self) -> None:
        """Let go of the pixels: nobody will ask for them any more."""
        self._decoded = self._pixels = None

    def _converted(self) -> RgbPicture:
        if self._pixels is None:
            if self._decoded is None:
                raise ValueError("this picture was released")
            self._pixels = RgbPicture(self._converter.to_rgb(self._decoded, self._matrix))
            self._decoded = None
        return self._pixels


def _find_matrix(picture: VideoFrame) -> bytes:
    """Read the display matrix off a tiny copy of a picture.

    PyAV ties a picture whose side data was read into a reference cycle, which waits for the garbage
    collector: with 3 MB from each stretch of a film.
    """
    tiny = VideoReformatter().reformat(picture, THUMBNAIL_SIDE, THUMBNAIL_SIDE, "gray8", threads=1)
    try:
        side_data: Any = tiny.side_data  # typed upstream as if it held only motion vectors
    except ValueError:  # PyAV cannot name all of it, and then shows none
        return _matrix_of(tiny.rotation)
    return bytes(side_data.get("DISPLAYMATRIX") or b"")


def _matrix_of(rotation_degrees: int) -> bytes:
    """Return the display matrix of a rotation counter-clockwise; empty without one."""
    if not rotation_degrees:
        return b""
    angle = np.deg2rad(-rotation_degrees)
    cosine, sine = (round(float(one) * 2**16) for one in (np.cos(angle), np.sin(angle)))
    return np.array([cosine, sine, 0, -sine, cosine, 0, 0, 0, 2**30], np.int32).tobytes()


def turn_upright(rgb: RgbImage, display_matrix: bytes) -> RgbImage:
    """Rotate and mirror an image as a display matrix says: nine int32 in FFmpeg's order.

    Its first two rows map stored x and y to shown ones, in quarter turns: a player could show any
    angle, but no camera writes one.
    """
    x_to_x, x_to_y, _, y_to_x, y_to_y = np.frombuffer(display_matrix, np.int32)[:5]
    if abs(int(x_to_y)) > abs(int(x_to_x)):
        rgb, flip_x, flip_y = rgb.transpose(1, 0, 2), y_to_x < 0, x_to_y < 0
    else:
        flip_x, flip_y = x_to_x < 0, y_to_y < 0
    return np.ascontiguousarray(rgb[:: -1 if flip_y else 1, :: -1 if flip_x else 1])


def _settle_colours(picture: VideoFrame) -> None:
    """Set the colours of a picture that does not name them, or names what the scaler refuses."""
    if picture.colorspace not in NAMED_COLORSPACES:
        high_definition = min(picture.width, picture.height) >= HIGH_DEFINITION_HEIGHT
        picture.colorspace = Colorspace.ITU709 if high_definition else Colorspace.ITU601
    if picture.color_range not in (ColorRange.MPEG, ColorRange.JPEG):
        picture.color_range = ColorRange.UNSPECIFIED
