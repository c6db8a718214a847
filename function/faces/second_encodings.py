"""Encodes chosen faces a second time: their chips are kept as small pictures until then."""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace

import numpy as np

from db.records import Vectors
from function.engines.protocol import Detection, SecondEncoder
from function.faces.face import Face, Likeness
from function.faces.found import Details
from function.media.images import decode_jpeg, encode_jpeg
from function.media.pictures import RgbImage

CHIP_QUALITY = 95
"""A chip is about 6 KB as a JPEG of this quality, a sixth of its pixels, and its encoding as good:
on 236 photographs as many pairs of one person are missed. Cut out of the crop, which is scaled and
turned already, it misses half as many more."""


def cut_chip(image: RgbImage, detection: Detection, encoder: SecondEncoder | None) -> bytes:
    """Cut a face for the second encoder, as JPEG; empty without an encoder, or without points."""
    if encoder is None or detection.points is None:
        return b""
    return encode_jpeg(encoder.cut(image, detection.points), CHIP_QUALITY)


def encode_chips(
    chips: Sequence[bytes], encoder: SecondEncoder, thread: Executor | None = None
) -> Vectors:
    """Encode chips that `cut_chip` made: float32 (len(chips), dimensions).

    Of several chips `thread`, if given, encodes every second one meanwhile.
    """
    images = [decode_jpeg(chip) for chip in chips]
    if thread is None or len(chips) < 2:  # noqa: PLR2004  # several
        return encoder.encode(images)
    others = thread.submit(encoder.encode, images[1::2])
    encodings = np.empty((len(chips), encoder.model.dimensions), np.float32)
    try:
        encodings[::2] = encoder.encode(images[::2])
    finally:
        encodings[1::2] = others.result()
    return encodings


def encode_again(face: Face, encoder: SecondEncoder | None) -> Face:
    """Return a face with its second encoding, if there is an encoder and it has a chip."""
    if encoder is None or not face.chip:
        return face
    (encoding,) = encode_chips([face.chip], encoder)
    return replace(face, second=encoding)


def encode_with_likeness(face: Face, encoder: SecondEncoder | None) -> tuple[Face, Likeness | None]:
    """Return a face with its second encoding, and how like its mirror image the net finds it.

    There is no likeness without an encoder or a chip.
    """
    if encoder is None or not face.chip:
        return face, None
    (encoding,), (cosine,) = encoder.encode_with_likeness([decode_jpeg(face.chip)])
    return replace(face, second=encoding), Likeness(encoder.model.id, float(cosine))


def details_of(
    faces: Sequence[Face],
    pictures: Sequence[int],
    encode: Sequence[int],
    encoder: SecondEncoder | None,
    thread: Executor | None = None,
) -> Details:
    """Return the pictures of some faces, and the second encodings of some, by their positions.

    `thread`, if given, takes half of the encoding.
    """
    chips = [faces[number].chip for number in encode]
    second = encode_chips(chips, encoder, thread).ravel() if encoder and chips else None
    return Details(tuple(faces[number].crop for number in pictures), second)
