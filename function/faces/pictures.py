"""Finds the faces in a picture that is a file, or in an archive; or makes a small copy of it."""

from function.engines.protocol import Engine
from function.faces.faces import faces_of_image
from function.faces.found import MOST_IN_PICTURE, PictureFound
from function.media.archives import read_entry
from function.media.descriptors import DescriptorFile
from function.media.images import encode_jpeg, fit
from function.media.moments import MAX_SIDE_PIXELS
from function.media.photo_decoder import decode_photo
from function.media.photos import MAX_PHOTO_BYTES, TOO_LARGE, PhotoRefusedError
from function.media.pictures import Moment, Place


def search_still(
    descriptor: int, place: Place | None, engine: Engine, detection_pixels: int
) -> PictureFound:
    """Find the faces in a picture, an open descriptor, or at a `place` in the archive that it is.

    Raises:
        PhotoRefusedError: it is unreadable, or too large.
    """
    picture = decode_photo(_read(descriptor, place))
    height, width = picture.shape[:2]
    faces = faces_of_image(picture, engine, detection_pixels)
    return PictureFound(width, height, tuple(faces[:MOST_IN_PICTURE]))


def copy_still(descriptor: int, place: Place | None) -> Moment:
    """Return a copy of a picture, as in `search_still`; its longest side is 1280 px at most."""
    picture, _ = fit(decode_photo(_read(descriptor, place)), MAX_SIDE_PIXELS)
    return Moment(0.0, encode_jpeg(picture))


def _read(descriptor: int, place: Place | None) -> bytes:
    if place is not None:
        return read_entry(descriptor, place.number, place.archive)
    try:
        file = DescriptorFile(descriptor)
        if file.size_bytes > MAX_PHOTO_BYTES:
            raise PhotoRefusedError(TOO_LARGE)
        return file.readall()
    except OSError as error:
        raise PhotoRefusedError(f"unreadable: {error.strerror}") from error
