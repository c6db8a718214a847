"""Reads the TOML file that describes a net of the user's own, and refuses what cannot be used."""

import hashlib
import json
import math
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from function.engines.chip_points import ARCFACE_PIXELS, ARCFACE_POINTS
from function.errors import EngineUnavailableError

Layout: TypeAlias = Literal["nchw", "nhwc"]
Three: TypeAlias = tuple[float, float, float]

SMALLEST_PIXELS, LARGEST_PIXELS = 32, 512
"""Sides of inputs: smaller ones show no face, larger ones are mistakes."""

DIGEST_LETTERS = 12
"""This many hexadecimal digits in an id tell a handful of nets and preprocessings apart."""

LONGEST_NAME, LONGEST_NOTE = 60, 500

LARGEST_NET_BYTES = 2**31
"""An ONNX file is a message of protobuf, which can be no larger."""


@dataclass(frozen=True)
class Preprocessing:
    """How a face becomes the input of a net; with the file, it decides what encodings mean.

    A chip is `input_pixels` wide and high, the five points of its face at `template`, x and y in
    its pixels. The net gets (pixel - mean) * scale for each channel, in the order of `channels`.
    """

    input_pixels: int
    channels: Literal["rgb", "bgr"]
    mean: Three
    scale: Three
    layout: Layout
    template: tuple[tuple[float, float], ...]

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of an input of one chip."""
        side = self.input_pixels
        return (1, 3, side, side) if self.layout == "nchw" else (1, side, side, 3)

    def points(self) -> NDArray[np.float64]:
        """Return the template: (5, 2)."""
        return np.array(self.template, np.float64)


@dataclass(frozen=True)
class Description:
    """A net of the user's own: its file and that file's SHA-256, its name, and what it is given.

    `path` is the TOML file, `fit` the file that `calibrate` writes; `licence` is a note for people.
    """

    path: Path
    net: Path
    sha256: str
    name: str
    licence: str
    fit: Path
    preprocessing: Preprocessing

    @property
    def id(self) -> str:
        """The id of its encodings: another file or preprocessing has another."""
        told = json.dumps([self.sha256, vars(self.preprocessing)], sort_keys=True)
        return f"{self.name}/{hashlib.sha256(told.encode()).hexdigest()[:DIGEST_LETTERS]}"


@dataclass(frozen=True)
class _Key:
    """A key of the file: how its value is read, what it must be, and the value without it."""

    read: Callable[[Any], Any]
    form: str
    default: Any = None


def read_description(path: Path) -> Description:
    """Read a TOML file, and the digest of the net it names.

    Raises:
        EngineUnavailableError: a file is missing, or a key is missing, unknown or unusable. The
            message names files, but not their folders: it may reach a stranger.
    """
    values = _check(path.name, _read_toml(path))
    net, sha256 = path.parent / values["file"], values["sha256"]
    found = _digest(path.name, net)
    if sha256 and sha256 != found:
        raise EngineUnavailableError(
            f"{net.name} has the SHA-256 {found[:12]}..., and {path.name} asks for "
            f"{sha256[:12]}... Take the right file, or correct sha256."
        )
    side = values["input_pixels"]
    asked = {name: values[name] for name in ("channels", "mean", "scale", "layout")}
    preprocessing = Preprocessing(side, template=_template(path.name, values, side), **asked)
    fit = path.with_suffix(".fitted.json")
    return Description(path, net, found, values["name"], values["licence"], fit, preprocessing)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))  # Windows begins it with a mark
    except OSError as error:
        raise EngineUnavailableError(
            f"SECOND_ENCODER names {path.name}, which cannot be read ({error.strerror}). Name the "
            "TOML file that describes your net; docs/own-encoder.md shows one."
        ) from error
    except (ValueError, RecursionError) as error:
        raise EngineUnavailableError(
            f"{path.name} is not TOML: {error}. Name the TOML file that describes your net, not "
            "the net; docs/own-encoder.md shows one."
        ) from error


def _check(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the value of each key."""
    unknown = sorted(given.keys() - _KEYS.keys())
    if unknown:
        raise EngineUnavailableError(
            f"{name} has a key {unknown[0]!r}; the known ones are {', '.join(_KEYS)}."
        )
    values = {}
    for key, kind in _KEYS.items():
        if key not in given and kind.default is None:
            raise EngineUnavailableError(f"{name} has no {key}; it must be {kind.form}.")
        try:
            values[key] = kind.read(given[key]) if key in given else kind.default
        except (ValueError, TypeError):
            raise EngineUnavailableError(
                f"{name}: {key} is {given[key]!r}; it must be {kind.form}."
            ) from None
    return values


def _digest(name: str, net: Path) -> str:
    # A pipe would have us wait for ever, and a device might never end.
    if net.exists() and (not net.is_file() or net.stat().st_size > LARGEST_NET_BYTES):
        raise EngineUnavailableError(
            f"{name} names the net {net.name}, which is not an ordinary file, or larger than an "
            "ONNX file can be (2 GB). Name the net's own file."
        )
    try:
        with net.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise EngineUnavailableError(
            f"{name} names the net {net.name}, which cannot be read ({error.strerror}). `file` is "
            "relative to the TOML file."
        ) from error


def _template(name: str, values: Mapping[str, Any], side: int) -> tuple[tuple[float, float], ...]:
    """Return the five points in pixels of the input, and refuse what is no upright face in it."""
    points = values["template"]
    if points == "arcface":
        scaled = ARCFACE_POINTS * (side / ARCFACE_PIXELS)
        return tuple((float(x), float(y)) for x, y in scaled.tolist())
    (left, eye), (right, other), _, (corner, mouth), (far_corner, below) = points
    upright = left < right and corner < far_corner and max(eye, other) < min(mouth, below)
    if not upright or not all(0 <= value <= side for point in points for value in point):
        raise EngineUnavailableError(
            f"{name}: template is {points!r}; it must be five points inside the input of {side} "
            "pixels, as seen in the picture: left eye, right eye, nose, left and right corner of "
            "the mouth."
        )
    read: tuple[tuple[float, float], ...] = points
    return read


def _text(longest: int, pattern: str = r"[^\x00-\x1f\x7f]+") -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if not isinstance(value, str) or len(value) > longest or not re.fullmatch(pattern, value):
            raise ValueError(value)
        return value

    return read


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(value)
    return float(value)


def _three(value: Any) -> Three:
    first, second, third = value if isinstance(value, list) else [value] * 3
    return _number(first), _number(second), _number(third)


def _scale(value: Any) -> Three:
    scale = _three(value)
    if min(scale) <= 0:
        raise ValueError(value)
    return scale


def _pixels(value: Any) -> int:
    if type(value) is not int or not SMALLEST_PIXELS <= value <= LARGEST_PIXELS:
        raise ValueError(value)
    return value


def _points(value: Any) -> str | tuple[tuple[float, float], ...]:
    if value == "arcface":
        return "arcface"
    one, two, three, four, five = ((_number(x), _number(y)) for x, y in value)
    return one, two, three, four, five


def _one_of(*choices: str) -> Callable[[Any], str]:
    return lambda value: choices[choices.index(value)]


_NUMBERS = "a number, or three in the order of `channels`"
_KEYS: Mapping[str, _Key] = {
    "file": _Key(_text(LONGEST_NOTE), "the name of the ONNX file, relative to the TOML file"),
    "sha256": _Key(_text(64, "[0-9a-f]{64}"), "64 lower-case hexadecimal digits", ""),
    "name": _Key(
        _text(LONGEST_NAME, r"[A-Za-z0-9][A-Za-z0-9._-]*"),
        f"at most {LONGEST_NAME} letters, digits, dots, dashes and underscores",
    ),
    "licence": _Key(
        _text(LONGEST_NOTE), "a note on one line: the terms under which you may use it"
    ),
    "input_pixels": _Key(
        _pixels, f"a whole number from {SMALLEST_PIXELS} to {LARGEST_PIXELS}, the input's side"
    ),
    "channels": _Key(_one_of("rgb", "bgr"), 'the order of the channels, "rgb" or "bgr"'),
    "mean": _Key(_three, _NUMBERS),
    "scale": _Key(_scale, f"{_NUMBERS}, above 0"),
    "layout": _Key(_one_of("nchw", "nhwc"), 'the order of the axes, "nchw" or "nhwc"', "nchw"),
    "template": _Key(_points, '"arcface", or five points [x, y] in pixels of the input'),
}
