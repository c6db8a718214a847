"""Photos on their side and upside down, and photos that show nobody."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from function.engines.protocol import Engine
from function.enrolling.choosing import choose_face
from function.enrolling.search import search_photo, search_picture
from function.enrolling.worth import NAMELESS
from function.faces.face import Face
from function.media.photo_decoder import decode_photo
from function.media.photos import PhotoRefusedError
from tests.support.tiny_encoder import TinyEngine


@pytest.fixture(scope="module")
def upright(photos: Path, engine: Engine) -> Face:
    return choose_face(search_photo((photos / "hopper.jpg").read_bytes(), engine))


def far(one: Face, other: Face) -> float:
    """The larger of both nets' distances."""
    assert one.second is not None
    assert other.second is not None
    return float(
        max(
            np.linalg.norm(one.encoding - other.encoding), np.linalg.norm(one.second - other.second)
        )
    )


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_photo_on_its_side_is_encoded_as_if_it_were_upright(
    turns: int, photos: Path, engine: Engine, upright: Face
) -> None:
    image = decode_photo((photos / "hopper.jpg").read_bytes())
    turned = np.ascontiguousarray(np.rot90(image, turns))
    face = choose_face(search_picture(turned, engine))
    assert far(face, upright) < 0.1
    assert face.quality == pytest.approx(upright.quality, abs=0.01)


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_what_exif_says_about_turning_is_followed(
    orientation: int, photos: Path, engine: Engine, upright: Face, tmp_path: Path
) -> None:
    turns = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90}
    with Image.open(photos / "hopper.jpg") as image:
        stored = image.transpose(turns.get(orientation, Image.Transpose.ROTATE_270))
        exif = Image.Exif()
        exif[0x0112] = orientation
        stored.save(tmp_path / "turned.png", exif=exif)
    face = choose_face(search_photo((tmp_path / "turned.png").read_bytes(), engine))
    assert far(face, upright) < 0.1


def test_a_face_without_features_is_refused_with_the_reason(photos: Path, engine: Engine) -> None:
    image = decode_photo((photos / "hopper.jpg").read_bytes())
    (face,) = search_picture(image, engine).faces
    soft = cv2.GaussianBlur(image, (0, 0), 0.07 * face.box.width).astype(np.uint8)
    found = search_picture(soft, engine)
    assert NAMELESS in found.faces[0].weaknesses
    with pytest.raises(PhotoRefusedError, match=r"too little .* choose a sharper one"):
        choose_face(found)


def test_without_a_second_net_photos_are_rated_too(photos: Path, engine: Engine) -> None:
    class OneNet(TinyEngine):
        def __init__(self) -> None:
            super().__init__(engine)
            self.encoder = engine.encoder

    image = decode_photo((photos / "hopper.jpg").read_bytes())
    sharp = choose_face(search_picture(image, OneNet()))
    assert NAMELESS not in sharp.weaknesses
    soft = cv2.GaussianBlur(image, (0, 0), 0.07 * sharp.box.width).astype(np.uint8)
    with pytest.raises(PhotoRefusedError, match="too little"):
        choose_face(search_picture(soft, OneNet()))
