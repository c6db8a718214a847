"""The second model: of a net that ships, or of one of the user's own, with its fit.

A fit holds what `python -m tools calibrate --model` found. It names the net and its preprocessing
by their id, so that it is never used for another.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from db.models import EncodingKind, EncodingSpace, Fusion
from function.engines.dlib_nets.model import LENGTH as DLIB_LENGTH
from function.engines.models import BOTH, BOTH_BEFORE, PRIMARY, SECOND, SECOND_BEFORE
from function.engines.own.description import Description, read_description
from function.engines.protocol import EngineOptions
from function.errors import EngineUnavailableError
from function.matching.densities import Densities, densities_of, shipped_densities

ABOVE_ZERO = (
    *("own_variance", "between_variance", "own_scale", "stranger_scale"),
    *("alike_variance", "nearest_distance", "most_performers"),
)
CALIBRATION = ("offset", "slope", "bend", "evidence_slope", "size_slope")
"""The numbers of densities, by what they may be."""


@dataclass(frozen=True)
class Weighing:
    """How both nets' distances are put together.

    `share` is the second net's share of a squared distance, from 0 to 1; `length` the distance by
    it that means what DLIB_LENGTH means by dlib's; `face_variance` that of their fusion.
    """

    share: float
    length: float
    face_variance: float


@dataclass(frozen=True)
class Fit:
    """What was fitted for a net of the user's own, whose encodings are of `model`."""

    model: str
    dimensions: int
    weighing: Weighing
    densities: Densities


@dataclass(frozen=True)
class SecondModel:
    """The second net's encodings, their fusion with those of dlib's net, and how that is scored.

    Without `densities`, those that ship are used. `licence` is the user's note on a net of their
    own.
    """

    kind: EncodingKind
    fusion: Fusion
    densities: Densities | None = None
    licence: str = ""

    def all_densities(self) -> Sequence[Densities] | None:
        """Return the densities of all that can be scored, the fusion's last; None if all ship."""
        if self.densities is None:
            return None
        others = [densities_of(one.fusion.space.id) for one in SHIPPED]
        return [shipped_densities(), *others, self.densities]


SHIPPED_MODEL = SecondModel(SECOND, BOTH)
SFACE_MODEL = SecondModel(SECOND_BEFORE, BOTH_BEFORE)

SHIPPED = (SHIPPED_MODEL, SFACE_MODEL)
"""All whose densities ship: galleries and libraries may hold encodings of each."""


def known_fusions(second: SecondModel | None) -> tuple[Fusion, ...]:
    """Return the fusions that can be scored: that of the second model in use, then the others.

    Anybody encoded by another net than today's is compared by that one.
    """
    ours = [second.fusion] if second else []
    return (*ours, *(one.fusion for one in SHIPPED if one.fusion not in ours))


def open_second(options: EngineOptions) -> SecondModel | None:
    """Return the second model that settings ask for, without its net; None if there is to be none.

    Raises:
        EngineUnavailableError: an own net's description cannot be used, or there is no fit for it.
    """
    if not options.has_second:
        return None
    if not isinstance(options.second_encoder, Path):
        return SFACE_MODEL if options.second_encoder == "sface" else SHIPPED_MODEL
    description = read_description(options.second_encoder)
    return model_of(description, read_fit(description))


def model_of(description: Description, fit: Fit) -> SecondModel:
    """Put an own net's description and its fit together."""
    kind = EncodingKind(id=description.id, dimensions=fit.dimensions)
    fusion = fuse_with(kind, fit.weighing)
    return SecondModel(kind, fusion, fit.densities, description.licence)


def fuse_with(kind: EncodingKind, weighing: Weighing) -> Fusion:
    """Return the fusion of dlib's encodings and those of another net.

    Its id names the weighing too: densities that were fitted with another are refused.
    """
    share, length = weighing.share, weighing.length
    return Fusion(
        space=EncodingSpace(
            id=f"{PRIMARY.id}+{kind.id}@{share:g},{length:g},{weighing.face_variance:g}",
            dimensions=PRIMARY.dimensions + kind.dimensions,
            face_variance=weighing.face_variance,
        ),
        parts=(PRIMARY, kind),
        scales=((1 - share) ** 0.5, share**0.5 * DLIB_LENGTH / length),
    )


def read_fit(description: Description) -> Fit:
    """Read the fit of an own net, which lies beside its description.

    Raises:
        EngineUnavailableError: there is none, or it was made for another net or preprocessing.
    """
    path, remedy = description.fit, f"Run `{_command(description)}`."
    try:
        fit = _parse(json.loads(_read_plain(path)))
    except FileNotFoundError as error:
        raise EngineUnavailableError(
            f"{description.name} has not been fitted: there is no {path.name} beside "
            f"{description.path.name}. {remedy}"
        ) from error
    except (OSError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise EngineUnavailableError(
            f"{path.name} does not hold a fit ({type(error).__name__}: {error}). {remedy}"
        ) from error
    kind = EncodingKind(id=fit.model, dimensions=fit.dimensions)
    if fit.model != description.id or fit.densities.model != fuse_with(kind, fit.weighing).space.id:
        raise EngineUnavailableError(
            f"{path.name} was fitted for {fit.model}, and the net is {description.id}: the file or "
            f"its preprocessing has changed. {remedy}"
        )
    return fit


def write_fit(fit: Fit, path: Path) -> None:
    """Write a fit where read_fit finds it."""
    path.write_text(json.dumps(asdict(fit), indent=2) + "\n", encoding="utf-8")


def _read_plain(path: Path) -> str:
    """Read a file; opening a pipe could wait for ever."""
    if path.exists() and not path.is_file():
        raise ValueError("it is not an ordinary file")
    return path.read_text(encoding="utf-8")


def _parse(values: dict[str, Any]) -> Fit:
    fit = Fit(
        values["model"],
        values["dimensions"],
        Weighing(**values["weighing"]),
        Densities(**values["densities"]),
    )
    weighing = fit.weighing
    if not (0 <= weighing.share <= 1 and 0 < weighing.length < math.inf):
        raise ValueError(f"a share of {weighing.share} and a length of {weighing.length}")
    if type(fit.dimensions) is not int or fit.dimensions < 1 or not weighing.face_variance > 0:
        raise ValueError(f"{fit.dimensions} numbers with a variance of {weighing.face_variance}")
    _check_numbers(fit.densities)
    return fit


def _check_numbers(densities: Densities) -> None:
    """Refuse what would make every score NaN, or fail at the first person."""
    for name in ABOVE_ZERO:
        if not 0 < getattr(densities, name) < math.inf:
            raise ValueError(f"{name} is {getattr(densities, name)!r}")
    for name in CALIBRATION:
        if not math.isfinite(getattr(densities, name)):
            raise ValueError(f"{name} is {getattr(densities, name)!r}")


def _command(description: Description) -> str:
    return f"python -m tools calibrate FOLDER... --model {description.path.name}"
