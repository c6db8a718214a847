import io
import random
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from function.media import photo_decoder as stills
from function.media.photo_decoder import decode_photo
from function.media.photos import PhotoRefusedError
from tools.footage.heif import heic
from tools.footage.videos import write_video

NEWER = ("HEIF", *([stills.JXL] if stills.HAS_JXL else []))


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)  # type: ignore[arg-type]
    return buffer.getvalue()


def srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def red_over_blue() -> Image.Image:
    picture = np.zeros((40, 20, 3), np.uint8)
    picture[:20, :, 0] = 255
    picture[20:, :, 2] = 255
    return Image.fromarray(picture)


def test_colours_are_rgb_and_shape_is_height_width() -> None:
    picture = decode_photo(saved(red_over_blue(), "PNG"))
    assert picture.shape == (40, 20, 3)
    assert picture[0, 0].tolist() == [255, 0, 0]


def test_exif_rotation_is_applied() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn a quarter clockwise to see it upright
    picture = decode_photo(saved(red_over_blue(), "JPEG", exif=exif, quality=95))
    assert picture.shape == (20, 40, 3)
    assert picture[10, 35, 0] > 200


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_set_upright_once_whatever_its_format(orientation: int) -> None:
    """Pillow turns a TIFF by itself."""
    corners = np.zeros((40, 20, 3), np.uint8)
    corners[:20, :10], corners[:20, 10:], corners[20:, :10] = 250, 170, 90
    stored = Image.fromarray(corners)
    turn = stills.TURNS.get(orientation)
    upright = np.asarray(stored.transpose(turn) if turn is not None else stored)
    forms = [("TIFF", {"compression": one}) for one in (None, "tiff_lzw", "tiff_adobe_deflate")]
    forms += [(form, {}) for form in ("JPEG", "PNG", "WEBP", "AVIF", "MPO")]
    for form, options in forms:
        exif = Image.Exif()
        exif[0x0112] = orientation
        picture = decode_photo(saved(stored, form, exif=exif, **options))
        assert picture.shape == upright.shape, form
        assert np.abs(picture.astype(int) - upright).mean() < 12, form


def heic_turned(picture: Image.Image, *turns: bytes, exif: int = 1) -> bytes:
    """A HEIC that says how it is held in boxes of its own, and once more in EXIF."""
    tags = Image.Exif()
    tags[0x0112] = exif
    return heic(np.asarray(picture), turns=turns, exif=tags.tobytes())


@pytest.mark.parametrize(
    ("turns", "exif", "upright"),
    [
        ([], 1, "abcd"),
        (
            [],
            6,
            "abcd",
        ),  # in HEIC what EXIF says is only said, and has been done (ISO 23008-12, A.2)
        ([b"irot\1"], 8, "bdac"),
        ([b"irot\2"], 3, "dcba"),
        ([b"irot\3"], 6, "cadb"),
        ([b"imir\0"], 4, "cdab"),
        ([b"imir\1"], 2, "badc"),
        ([b"irot\1", b"imir\0"], 7, "acbd"),
    ],
)
def test_a_heic_is_turned_by_its_boxes_and_not_by_exif_again(
    turns: list[bytes], exif: int, upright: str
) -> None:
    grey = dict(zip("abcd", (250, 170, 90, 0), strict=True))
    stored = np.zeros((128, 64, 3), np.uint8)
    stored[:64, :32], stored[:64, 32:], stored[64:, :32] = (grey[one] for one in "abc")
    picture = decode_photo(heic_turned(Image.fromarray(stored), *turns, exif=exif))
    is_quarter = any(turn in (b"irot\1", b"irot\3") for turn in turns)
    assert picture.shape == ((64, 128, 3) if is_quarter else (128, 64, 3))
    height, width = picture.shape[:2]
    places = [(y, x) for y in (height // 4, -height // 4) for x in (width // 4, -width // 4)]
    found = [min(grey, key=lambda one: abs(grey[one] - int(picture[place][0]))) for place in places]
    assert "".join(found) == upright


@pytest.mark.parametrize("mode", ["CMYK", "L", "LA", "P", "RGBA", "1"])
def test_any_colour_mode_becomes_rgb(mode: str) -> None:
    form = "JPEG" if mode == "CMYK" else "PNG"
    assert decode_photo(saved(red_over_blue().convert(mode), form)).shape == (40, 20, 3)


def test_of_an_animation_the_first_picture_counts() -> None:
    blue = Image.new("RGB", (20, 40), (0, 0, 255))
    animation = saved(red_over_blue(), "GIF", save_all=True, append_images=[blue])
    assert decode_photo(animation)[0, 0, 0] > 200


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"<html>not found</html>", "not a picture"),
        (saved(red_over_blue(), "PNG")[:60], "unreadable"),
        (saved(Image.effect_noise((200, 200), 90), "JPEG")[:2000], "truncated"),
        (b"BM, said the letter", "not a picture"),
    ],
)
def test_what_is_no_picture_is_refused_with_the_reason(content: bytes, reason: str) -> None:
    with pytest.raises(PhotoRefusedError, match=reason):
        decode_photo(content)


@pytest.mark.parametrize("name", ["v.mp4", "v.mov", "v.mkv", "v.avi"])
def test_a_video_under_the_name_of_a_photo_is_said_to_be_one(name: str, tmp_path: Path) -> None:
    film = write_video(tmp_path / name, [np.asarray(noise())] * 3, codec="mpeg4")
    with pytest.raises(PhotoRefusedError, match="a video, whatever its name says"):
        decode_photo(film.read_bytes())


def test_a_huge_photo_is_refused_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stills, "MAX_PIXELS", 799)
    with pytest.raises(PhotoRefusedError, match="too large: 20x40"):
        decode_photo(saved(red_over_blue(), "PNG"))


def noise(side: int = 64) -> Image.Image:
    """A picture in which every row differs, brighter to the right."""
    grey = np.add.outer(np.random.default_rng(1).integers(0, 60, side), np.linspace(20, 190, side))
    return Image.fromarray(np.repeat(grey.astype(np.uint8)[:, :, None], 3, axis=2))


def chunk(kind: bytes, content: bytes) -> bytes:
    checked = kind + content
    return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))


@pytest.mark.parametrize("columns", [1, 2, 4])
def test_a_photo_of_a_phone_in_heic_is_read(columns: int) -> None:
    photo = heic(np.asarray(noise(256)), columns)
    picture = decode_photo(photo)
    assert picture.shape == (256, 256, 3)
    assert np.abs(picture.astype(int) - np.asarray(noise(256))).mean() < 12


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.99])
@pytest.mark.parametrize("columns", [1, 2, 4])
def test_a_heic_that_lacks_its_end_is_refused(columns: int, share: float) -> None:
    photo = heic(np.asarray(noise(256)), columns)
    with pytest.raises(PhotoRefusedError, match="unreadable"):
        decode_photo(photo[: round(share * len(photo))])


def test_jpeg_xl_is_read_where_its_package_is_and_else_refused_by_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if stills.HAS_JXL:
        assert decode_photo(saved(red_over_blue(), "JXL"))[0, 0, 0] > 200
    monkeypatch.setattr(stills, "HAS_JXL", False)
    monkeypatch.setattr(stills, "FORMATS", ("JPEG",))
    for head in (b"\xff\x0a rest", b"\0\0\0\x0cJXL \r\n\x87\n rest"):
        with pytest.raises(PhotoRefusedError, match="JPEG XL; save it as JPEG, or install"):
            decode_photo(head)


def random_exif(number: int) -> bytes:
    """EXIF of random tags, types, counts and values: nearly all of it is nonsense."""
    dice = random.Random(number)
    count = dice.randrange(1, 6)
    tags = [0x0112, 0x011A, 0x011B, 0x0128, 0x8769, 0xA005, 0x927C, dice.randrange(65536)]
    entries = b"".join(
        struct.pack(
            ">HHI4s",
            dice.choice(tags),
            dice.choice([*range(14), dice.randrange(65536)]),
            dice.choice([0, 1, 2, 5, dice.randrange(2**32)]),
            dice.randbytes(4),
        )
        for _ in range(count)
    )
    return b"Exif\0\0MM\0*\0\0\0\x08" + struct.pack(">H", count) + entries + dice.randbytes(20)


def test_no_exif_however_odd_makes_a_good_photo_unreadable() -> None:
    for number in range(1500):
        for form in ("JPEG", "PNG", "WEBP"):
            photo = saved(red_over_blue(), form, exif=random_exif(number))
            assert sorted(decode_photo(photo).shape) == [3, 20, 40]


def test_no_exif_in_a_heic_makes_it_unreadable() -> None:
    for number in range(60):
        photo = heic(np.asarray(noise()), exif=random_exif(number))
        assert decode_photo(photo).shape == (64, 64, 3)


def with_odd_tags(tiff: bytes, number: int) -> bytes:
    """A TIFF with random tags beside its own: nearly all of them are nonsense."""
    dice = random.Random(number)
    (at,) = struct.unpack_from("<I", tiff, 4)
    (count,) = struct.unpack_from("<H", tiff, at)
    entries = [tiff[place : place + 12] for place in range(at + 2, at + 2 + 12 * count, 12)]
    tags = [0x0112, 0x011A, 0x0128, 0x8769, 0x8825, 0x013B, dice.randrange(0x0160, 65536)]
    entries += [
        struct.pack(
            "<HHI4s",
            dice.choice(tags),
            dice.choice([*range(14), dice.randrange(65536)]),
            dice.choice([0, 1, 2, 5, dice.randrange(2**32)]),
            dice.randbytes(4),
        )
        for _ in range(dice.randrange(1, 5))
    ]
    entries.sort(key=lambda entry: struct.unpack_from("<H", entry)[0])
    directory = struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)
    return tiff[:4] + struct.pack("<I", len(tiff)) + tiff[8:] + directory


@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
def test_no_tag_beside_those_of_the_pixels_makes_a_tiff_unreadable(
    compression: str | None,
) -> None:
    tiff = saved(red_over_blue(), "TIFF", compression=compression)
    for number in range(400):
        picture = decode_photo(with_odd_tags(tiff, number))
        assert sorted(picture.shape) == [3, 20, 40], number
        assert sorted({tuple(one) for one in picture.reshape(-1, 3).tolist()}) == [
            (0, 0, 255),
            (255, 0, 0),
        ]


@pytest.mark.parametrize(("subsampling", "values"), [(0, 3.0), (2, 1.5)])
def test_a_progressive_jpeg_that_memory_cannot_hold_is_not_called_damaged(
    subsampling: int, values: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = saved(noise(256), "JPEG", progressive=True, subsampling=subsampling)
    asked: list[float] = []

    def empty(count: int, _: object) -> None:
        asked.append(count / 256**2 / 2)
        raise MemoryError

    monkeypatch.setattr(np, "empty", empty)
    with pytest.raises(MemoryError):
        decode_photo(photo)
    assert asked == [values]


def test_sizes_that_exif_states_wrongly_change_nothing() -> None:
    for form in ("JPEG", "PNG", "WEBP"):
        exif = Image.Exif()
        exif[0x0100], exif[0x0101] = 1, 4_000_000_000
        exif.get_ifd(0x8769)[0xA002] = exif.get_ifd(0x8769)[0xA003] = 4_000_000_000
        assert decode_photo(saved(red_over_blue(), form, exif=exif)).shape == (40, 20, 3)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_a_png_of_16_bits_is_read_with_what_is_transparent(channels: int) -> None:
    values = np.zeros((40, 20, channels), ">u2")
    values[:20] = 65535
    if channels in (2, 4):
        values[..., -1] = 0  # seen through, but there
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    rows = b"".join(b"\0" + row.tobytes() for row in values)
    photo = b"\x89PNG\r\n\x1a\n" + chunk(
        b"IHDR", struct.pack(">IIBBBBB", 20, 40, 16, kind, 0, 0, 0)
    )
    photo += chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    picture = decode_photo(photo)
    assert picture.shape == (40, 20, 3)
    assert picture[10, 10].tolist() == [255] * 3
    assert picture[30, 10].max() == 0


def test_a_photo_with_odd_metadata_may_end_in_one_colour() -> None:
    """So does one that lacks its end, but this one is whole."""
    photo = saved(red_over_blue(), "JPEG", quality=95)
    odd = photo[:2] + b"\xff\xe2\x00\x10MPF\0" + b"\xff" * 10 + photo[2:]
    exif = b"\xff\xe1" + struct.pack(">H", 60) + b"Exif\0\0" + b"\xff" * 52
    for one in (odd, photo[:2] + exif + photo[2:]):
        assert decode_photo(one)[30, 10, 2] > 200


def test_a_rotation_that_stands_beside_an_odd_tag_is_applied() -> None:
    entries = struct.pack(">HHIHH", 0x0112, 3, 1, 6, 0) + struct.pack(
        ">HHI4s", 0x011A, 2, 4, b"abc"
    )
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x02" + entries + bytes(4)
    assert decode_photo(saved(red_over_blue(), "JPEG", exif=exif)).shape == (20, 40, 3)


@pytest.mark.parametrize("kind", [b"zTXt", b"iCCP", b"tEXt"])
def test_large_texts_and_odd_profiles_of_a_png_do_no_harm(kind: bytes) -> None:
    zeros = zlib.compress(bytes(3_000_000))
    content = b"Comment\0\0" + (zeros if kind != b"tEXt" else b"x" * 3_000_000)
    png = saved(noise(), "PNG")
    photo = png[:33] + chunk(kind, content) + png[33:]
    assert (decode_photo(photo) == np.asarray(noise())).all()


@pytest.mark.parametrize("gamma", [1.0, 1 / 1.8, 1 / 2.2, 0.0, 1e-5, 21_474.83647])
@pytest.mark.parametrize("mode", ["RGB", "L", "P"])
def test_a_png_is_as_bright_as_its_gamma_says_unless_that_is_absurd(
    gamma: float, mode: str
) -> None:
    png = saved(noise().convert(mode), "PNG")
    usual = decode_photo(png).astype(float)
    picture = decode_photo(
        png[:33] + chunk(b"gAMA", struct.pack(">I", round(gamma * 1e5))) + png[33:]
    )
    power = 1 / 2.2 / gamma if 0.5 < gamma <= 1 else 1.0
    assert np.abs(picture - 255 * (usual / 255) ** power).max() < 2
    told = saved(noise().convert(mode), "PNG", icc_profile=srgb_profile())
    told = told[:33] + chunk(b"gAMA", struct.pack(">I", 100_000)) + told[33:]
    assert np.abs(decode_photo(told) - usual).max() < 2


def test_deep_grey_of_linear_light_is_as_bright_as_its_gamma_says() -> None:
    grey = np.linspace(0, 65535, 4096).reshape(64, 64).astype("u2")
    png = saved(Image.fromarray(grey), "PNG")
    picture = decode_photo(png[:33] + chunk(b"gAMA", struct.pack(">I", 100_000)) + png[33:])
    assert picture[32, 0, 0] == pytest.approx(255 * 0.5 ** (1 / 2.2), abs=2)


@pytest.mark.parametrize("brand", [b"msf1", b"hevc"])
def test_a_sequence_in_heif_gives_a_picture(brand: bytes, tmp_path: Path) -> None:
    path = write_video(tmp_path / "p.mp4", [np.asarray(noise(128))] * 5, codec="libx265")
    content = path.read_bytes()
    assert decode_photo(content[:8] + brand + content[12:16] + brand + content[20:]).std() > 20


@pytest.mark.parametrize("profile", [b"", b"no profile", bytes(200), b"\xff" * 500])
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_odd_colour_profiles_do_no_harm(form: str, profile: bytes) -> None:
    assert decode_photo(saved(noise(), form, icc_profile=profile)).shape == (64, 64, 3)


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_that_lacks_its_last_bytes_is_read(progressive: bool) -> None:  # noqa: FBT001
    photo = saved(noise(256), "JPEG", quality=90, progressive=progressive)
    for missing in (1, 2, 20, 200):
        picture = decode_photo(photo[:-missing])
        assert np.abs(picture.astype(int) - np.asarray(noise(256)))[:200].mean() < 12


def test_a_photo_of_which_half_is_missing_is_refused() -> None:
    for form in ("JPEG", "PNG"):
        photo = saved(noise(256), form)
        with pytest.raises(PhotoRefusedError, match="truncated"):
            decode_photo(photo[: len(photo) // 2])


@pytest.mark.parametrize(
    ("dtype", "white"),
    [("u2", 65535), ("u2", 4095), ("u2", 255), ("i4", 65535), ("f4", 1.0), ("f4", 255.0)],
)
def test_grey_of_any_depth_is_scaled_and_not_white(dtype: str, white: float) -> None:
    grey = np.linspace(0, white, 4096).reshape(64, 64).astype(dtype)
    forms = ("PNG", "TIFF") if dtype == "u2" else ("TIFF",)
    for form in forms:
        picture = decode_photo(saved(Image.fromarray(grey), form))
        assert picture[0, 0].tolist() == [0, 0, 0]
        assert picture[-1, -1].tolist() == [255, 255, 255]
        assert picture.mean() == pytest.approx(127, abs=1)


def test_floats_that_are_no_numbers_are_black() -> None:
    grey = np.full((8, 8), np.nan, np.float32)
    grey[0, 0], grey[7, 7] = np.inf, 1.0
    picture = decode_photo(saved(Image.fromarray(grey), "TIFF"))
    assert (picture[0, 0, 0], picture[7, 7, 0]) == (0, 255)


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG", "AVIF"])
def test_an_animation_that_begins_in_black_gives_its_first_picture_that_shows_something(
    form: str,
) -> None:
    black = Image.new("RGB", (64, 64))
    photo = saved(black, form, save_all=True, append_images=[black, noise(), black])
    assert decode_photo(photo).std() > 30
    still = saved(black, form, save_all=True, append_images=[black])
    assert decode_photo(still).max() < 16


def without(photo: bytes, box: bytes) -> bytes:
    """A picture in boxes with one of them renamed, so that nobody finds it."""
    return photo.replace(box, b"free")


def test_an_avif_that_libavif_refuses_is_read_otherwise() -> None:
    """Transparency without a size of its own, and random damage."""
    clear = Image.fromarray(np.dstack([np.asarray(noise()), np.full((64, 64), 200, np.uint8)]))
    photo = saved(clear, "AVIF", quality=90)
    assert photo.count(b"ispe") == 1
    assert decode_photo(without(photo, b"ispe")).shape == (64, 64, 3)


@pytest.mark.parametrize(
    "form", ["AVIF", "JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "MPO", *NEWER]
)
def test_whatever_bytes_are_damaged_it_is_a_picture_or_a_refusal(form: str) -> None:
    photo = heic(np.asarray(noise())) if form == "HEIF" else saved(noise(), form)
    dice = random.Random(7)
    for _ in range(150):
        damaged = bytearray(photo)
        for _ in range(dice.randrange(1, 12)):
            damaged[dice.randrange(len(damaged))] = dice.randrange(256)
        try:
            assert decode_photo(bytes(damaged)).ndim == 3
        except PhotoRefusedError as error:
            assert len(str(error)) > 10  # noqa: PT017
            assert "object at" not in str(error)  # noqa: PT017
