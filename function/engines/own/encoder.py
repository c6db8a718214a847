"""A net of the user's own under onnxruntime, looked at closely before it is used."""

import importlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from db.models import EncodingKind
from db.records import Vector, Vectors
from function.engines.aligned_chips import cut_aligned
from function.engines.mirrors import average_mirrored, part_averaged, to_unit
from function.engines.onnx.sessions import open_session
from function.engines.own.description import Description, Preprocessing, read_description
from function.engines.protocol import EngineOptions, Points
from function.errors import EngineUnavailableError
from function.media.pictures import RgbImage

FEWEST_NUMBERS, MOST_NUMBERS = 8, 2_048
"""Fewer cannot tell people apart; more would be too much for one answer of the sandbox."""

PROBES = 4
PROBE_CELLS = 7
"""The net is tried on this many made-up chips, each of so many coloured patches a side."""

LEAST_APART = 0.01
"""Encodings of length 1 of unlike chips are further apart, however little the net knows of faces
(SFace: 0.7 and more); those of one chip are nearer, whatever the rounding."""

KNOWN_DOMAINS = ("", "ai.onnx", "ai.onnx.ml", "com.microsoft", "com.ms.internal.nhwc")
"""Sets of operators that onnxruntime brings along."""


class OwnEncoder:
    """A net of the user's own; safe to use from several threads."""

    def __init__(self, description: Description, session: Any) -> None:
        """Try a net, and refuse one that gives no encodings.

        Raises:
            EngineUnavailableError: see the module.
        """
        self._name = description.net.name
        self._how = description.preprocessing
        self._template = description.preprocessing.points()
        self._session = session
        self._input = session.get_inputs()[0].name
        self.model = EncodingKind(id=description.id, dimensions=self._try())

    def cut(self, image: RgbImage, points: Points) -> RgbImage:
        """Cut the face with these five points out of a picture, as the net was trained."""
        return cut_aligned(image, points, self._template, self._how.input_pixels)

    def keep_room(self) -> None:
        """Do nothing: its session is open."""

    def only_cut(self) -> None:
        """Do nothing: its session is shared with the process that this one was forked from."""

    def encode(self, chips: Sequence[RgbImage]) -> Vectors:
        """Encode chips, each with its mirror image: float32 (len(chips), dimensions), length 1.

        Raises:
            EngineUnavailableError: the net gives NaN.
        """
        return self.encode_with_likeness(chips)[0]

    def encode_with_likeness(self, chips: Sequence[RgbImage]) -> tuple[Vectors, Vector]:
        """Encode chips, and say how like its mirror image each is: float32 (len(chips),)."""
        encodings = [average_mirrored(self._run_all, [chip]) for chip in chips]
        joined = np.concatenate([np.empty((0, self.model.dimensions), np.float32), *encodings])
        return part_averaged(joined)

    def _run_all(self, chips: Sequence[RgbImage]) -> Vectors:
        """Encode chips one at a time: many nets take no more."""
        return to_unit(np.concatenate([self._run(chip) for chip in chips]))

    def _run(self, chip: RgbImage) -> Vectors:
        (found,) = self._session.run(None, {self._input: prepare_chip(chip, self._how)})
        if not np.isfinite(found).all():
            raise EngineUnavailableError(
                f"{self._name} gives NaN or infinity for a face. Export it again, in float32."
            )
        encodings: Vectors = np.asarray(found, np.float32)
        return encodings

    def _try(self) -> int:
        """Run the net on made-up chips; return how many numbers an encoding has."""
        chips = [_make_chip(seed, self._how.input_pixels) for seed in range(PROBES)]
        try:
            found = [self._run(chip) for chip in [*chips, chips[0]]]
        except EngineUnavailableError:
            raise
        except Exception as error:
            raise EngineUnavailableError(
                f"{self._name} cannot be run on an input of {self._how.input_shape}: "
                f"{_first_line(error)}."
            ) from error
        shape = found[0].shape
        if len(shape) != 2 or shape[0] != 1:  # noqa: PLR2004  # a row
            raise EngineUnavailableError(
                f"The output of {self._name} for one face is {shape}; it must be one row of "
                "numbers, (1, numbers)."
            )
        if not FEWEST_NUMBERS <= shape[1] <= MOST_NUMBERS:
            raise EngineUnavailableError(
                f"{self._name} gives {shape[1]} numbers for a face; encodings have "
                f"{FEWEST_NUMBERS} to {MOST_NUMBERS}."
            )
        _require_different(self._name, to_unit(np.concatenate(found)))
        return int(shape[1])


def load_own(path: Path, options: EngineOptions) -> OwnEncoder:
    """Load the net that a TOML file describes.

    It runs on the CPU, whatever `options.device` is.

    Raises:
        EngineUnavailableError: the description or the net cannot be used; the message says why.
    """
    description = read_description(path)
    content = description.net.read_bytes()
    name = description.net.name
    _require_whole(name, content)
    try:
        session = open_session(content, replace(options, device="cpu"))
    except EngineUnavailableError:
        raise
    except Exception as error:
        raise EngineUnavailableError(
            f"onnxruntime cannot run {name}: {_first_line(error)}."
        ) from error
    _require_shapes(name, session, description.preprocessing)
    return OwnEncoder(description, session)


def prepare_chip(chip: RgbImage, how: Preprocessing) -> Vectors:
    """Turn a chip (side, side, 3) into the input of a net: float32, of `how.input_shape`."""
    ordered = chip if how.channels == "rgb" else chip[:, :, ::-1]
    mean, scale = np.array(how.mean, np.float32), np.array(how.scale, np.float32)
    even = (ordered.astype(np.float32) - mean) * scale
    planes = even.transpose(2, 0, 1) if how.layout == "nchw" else even
    found: Vectors = np.ascontiguousarray(planes[None])
    return found


def _require_whole(name: str, content: bytes) -> None:
    """Refuse what is no ONNX file, or only part of a net."""
    onnx = _import_onnx(name)
    try:
        model = onnx.load_model_from_string(content)
    except Exception as error:
        raise EngineUnavailableError(
            f"{name} is not an ONNX file: {_first_line(error)}."
        ) from error
    if not model.ir_version or not model.graph.node:
        raise EngineUnavailableError(f"{name} is not an ONNX file: it holds no net.")
    outside = onnx.TensorProto.EXTERNAL
    if any(one.data_location == outside for one in _tensors(model, onnx.TensorProto)):
        raise EngineUnavailableError(
            f"{name} keeps its weights in another file. Export it as one file: onnx.save(..., "
            "save_as_external_data=False)."
        )
    known = {*KNOWN_DOMAINS, *(one.domain for one in model.functions)}
    strange = sorted({one.domain for one in model.graph.node} - known)
    if strange:
        raise EngineUnavailableError(
            f"{name} uses operators of {', '.join(strange)}, which onnxruntime does not bring "
            "along. Export it with ONNX's own operators only."
        )


def _tensors(message: Any, kind: type) -> Iterator[Any]:
    """Yield the tensors of a net, also those within branches, loops and functions.

    onnxruntime would read the file that any of them names, from the folder that it runs in.
    """
    messages = (value for field, value in message.ListFields() if field.message_type)
    for value in messages:
        for part in [value] if hasattr(value, "ListFields") else value:
            yield from [part] if isinstance(part, kind) else _tensors(part, kind)


def _import_onnx(name: str) -> Any:
    """Import onnx: a third of a second that other encoders save."""
    try:
        return importlib.import_module("onnx")
    except ImportError as error:
        raise EngineUnavailableError(
            f"The package onnx is needed to look at {name} ({error}). Run: pip install onnx"
        ) from error


def _require_shapes(name: str, session: Any, how: Preprocessing) -> None:
    """Refuse another input than one chip of floats, and several outputs."""
    inputs, outputs = session.get_inputs(), session.get_outputs()
    found = " and ".join(f"{tuple(one.shape)} {one.type}" for one in inputs[:2])
    found += f" and {len(inputs) - 2} more" if len(inputs) > 2 else ""  # noqa: PLR2004  # shown
    fits = len(inputs) == 1 and inputs[0].type == "tensor(float)"
    if not fits or not _takes(inputs[0].shape, how.input_shape):
        side, axes = how.input_pixels, ", ".join(str(one) for one in how.input_shape[1:])
        raise EngineUnavailableError(
            f"The input of {name} is {found or 'missing'}; by its description, {side} pixels and "
            f"{how.layout}, it must be (n, {axes}) or (1, {axes}) tensor(float)."
        )
    if len(outputs) != 1:
        names = ", ".join(one.name for one in outputs)
        raise EngineUnavailableError(
            f"{name} has {len(outputs)} outputs ({names}); export it with the encoding alone."
        )


def _takes(shape: Sequence[int | str | None], wanted: tuple[int, ...]) -> bool:
    """Whether an input of a shape, with names for what may vary, takes one chip."""
    if len(shape) != len(wanted):
        return False
    pairs = zip(shape, wanted, strict=True)
    return all(not isinstance(size, int) or size == wanted_size for size, wanted_size in pairs)


def _require_different(name: str, encodings: Vectors) -> None:
    """Refuse a net that encodes unlike chips alike, or one chip in two ways.

    The last chip is the first once more.
    """
    *others, again = encodings
    apart = [
        float(np.linalg.norm(one - other))
        for number, one in enumerate(others)
        for other in others[:number]
    ]
    if max(apart) < LEAST_APART:
        raise EngineUnavailableError(
            f"{name} encodes {len(others)} unlike pictures alike: it cannot tell faces apart. "
            "Check mean, scale and layout, or export it again."
        )
    if np.linalg.norm(others[0] - again) >= LEAST_APART:
        raise EngineUnavailableError(
            f"{name} encodes one picture in two ways. Export it for use, not for training."
        )


def _make_chip(seed: int, side: int) -> RgbImage:
    """Draw soft coloured patches: RGB uint8 (side, side, 3)."""
    cells = np.random.default_rng(seed).integers(0, 256, (PROBE_CELLS, PROBE_CELLS, 3), np.uint8)
    return cv2.resize(cells, (side, side), interpolation=cv2.INTER_LINEAR).astype(np.uint8)


def _first_line(error: Exception) -> str:
    """Return how an error begins, without the folders that it may name."""
    line = next(iter(str(error).strip().splitlines()), type(error).__name__)
    return " ".join(word for word in line[:300].split() if "/" not in word).rstrip(".")
