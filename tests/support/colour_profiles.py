"""Makes colour profiles as cameras and printers embed them (ICC.1:2010), and pictures in them."""

import struct

import numpy as np
from numpy.typing import NDArray

from function.media.pictures import RgbImage

SRGB_TO_XYZ = np.array(
    [[0.4361, 0.3851, 0.1431], [0.2225, 0.7169, 0.0606], [0.0139, 0.0971, 0.7141]]
)
"""Light of sRGB's primaries, for white as of D50 (IEC 61966-2-1, adapted)."""

WHITE = (0.9642, 1.0, 0.8249)
"""D50, of which the white of every profile is spoken."""

WIDE = {
    "P3": [[0.5151, 0.2920, 0.1571], [0.2412, 0.6922, 0.0666], [-0.0011, 0.0419, 0.7841]],
    "Adobe": [[0.6097, 0.2053, 0.1492], [0.3111, 0.6257, 0.0632], [0.0195, 0.0609, 0.7446]],
    "ProPhoto": [[0.7977, 0.1352, 0.0313], [0.2880, 0.7119, 0.0001], [0.0, 0.0, 0.8249]],
}
"""The light of the primaries of wide gamuts, in the columns."""

GRID = 9


def profile(space: bytes, tags: dict[bytes, bytes], pcs: bytes = b"XYZ ") -> bytes:
    """Write a profile of a device's colours with these tags."""
    tags = {b"desc": _text(b"desc"), b"cprt": _text(b"text"), b"wtpt": _xyz(WHITE)} | tags
    offset, table, content = 128 + 4 + 12 * len(tags), b"", b""
    for name, value in tags.items():
        padded = value + bytes(-len(value) % 4)
        table += name + struct.pack(">II", offset + len(content), len(value))
        content += padded
    body = struct.pack(">I", len(tags)) + table + content
    head = struct.pack(">I4sI4s4s4s", 128 + len(body), bytes(4), 0x02400000, b"mntr", space, pcs)
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp"
    head = head.ljust(68, b"\0") + b"".join(map(_fixed, WHITE))
    return head.ljust(128, b"\0") + body


def wide_profile(name: str, gamma: float = 2.2) -> bytes:
    """Write the profile of a wide gamut whose values are light to the power of 1 / gamma."""
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256))
    columns = np.array(WIDE[name]).T
    tags = {}
    for letter, column in zip((b"r", b"g", b"b"), columns, strict=True):
        tags |= {letter + b"XYZ": _xyz(column), letter + b"TRC": curve}
    return profile(b"RGB ", tags)


def in_wide(picture: RgbImage, name: str, gamma: float = 2.2) -> RgbImage:
    """Write the colours of a picture in the values of a wide gamut."""
    light = _light(picture) @ SRGB_TO_XYZ.T @ np.linalg.inv(np.array(WIDE[name])).T
    return np.round(255 * light.clip(0, 1) ** (1 / gamma)).astype(np.uint8)


def ink_profile() -> bytes:
    """Write the profile of a printer whose inks are much thinner than they say."""
    steps = np.linspace(0, 1, GRID)
    inks = np.stack(np.meshgrid(*[steps] * 4, indexing="ij"), axis=-1).reshape(-1, 4)
    lab = _lab(_light_of_inks(inks) @ SRGB_TO_XYZ.T)
    cells = np.round(lab * [2.55, 1, 1] + [0, 128, 128]).clip(0, 255).astype(np.uint8).tobytes()
    even = bytes(range(256))
    matrix = b"".join(_fixed(value) for value in np.eye(3).ravel())
    head = b"mft1" + bytes(4) + struct.pack(">BBBB", 4, 3, GRID, 0)
    return profile(b"CMYK", {b"A2B0": head + matrix + even * 4 + cells + even * 3}, b"Lab ")


def in_ink(picture: RgbImage) -> NDArray[np.uint8]:
    """Write the colours of a picture in the inks of that printer, without black; 255 is most."""
    inks = (1 - _light(picture)) ** 2
    return np.round(255 * np.dstack([inks, np.zeros(inks.shape[:2])])).astype(np.uint8)


def _light_of_inks(inks: NDArray[np.float64]) -> NDArray[np.float64]:
    return (1 - np.sqrt(inks[:, :3])) * (1 - inks[:, 3:])


def _light(picture: RgbImage) -> NDArray[np.float64]:
    values = picture / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def _lab(xyz: NDArray[np.float64]) -> NDArray[np.float64]:
    ratio = xyz / WHITE
    root = np.where(ratio > 216 / 24389, np.cbrt(ratio), (ratio * 24389 / 27 + 16) / 116)
    x, y, z = root.T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


def _xyz(values: object) -> bytes:
    return b"XYZ " + bytes(4) + b"".join(map(_fixed, np.asarray(values, float)))


def _fixed(value: float) -> bytes:
    return struct.pack(">i", round(float(value) * 65536))


def _text(kind: bytes) -> bytes:
    if kind == b"text":
        return b"text" + bytes(4) + b"none\0"
    return b"desc" + bytes(4) + struct.pack(">I", 5) + b"made\0" + bytes(4 + 4 + 2 + 1 + 67)
