"""The densities behind a score: how likely a distance is for one person, and for strangers.

Distances are between templates, on a log scale, where they spread evenly. Two templates of one
person are around sqrt(r + r') apart, where r = own_variance / evidence is what averaging has left
of the differences between photographs; two strangers' around sqrt(between_variance + r + r'). Both
have the heavy tails of Student's t, because few people were measured, and rare cases among them are
fewer still.
"""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from db.errors import OtherModelError
from db.models import EncodingSpace
from function.engines.models import PRIMARY
from function.people.people import WEAK_PERSON_EVIDENCE

Numbers = NDArray[np.float64]

SHIPPED = Path(__file__).with_name("fitted")
"""One file a model, by its id with its slashes as dots."""

OWN_FREEDOM, STRANGER_FREEDOM = 6.0, 15.0
"""Degrees of freedom of the two tails: lower is heavier. Ten people would show lighter tails."""

ALIKE_SHARE = 0.02
"""This share of strangers are look-alikes: relatives, or people under one lamp."""


FITTED_EVIDENCE = (1.0, 2.0)
"""What was fitted: people searched for by one to three photographs, which weigh 2. Beyond that the
calibration stays as it is there."""

WEAK_OFFSET, WEAK_SLOPE, WEAK_SLOPE_BELOW = -2.02, 0.97, 0.1
"""What a calibrated logarithm is worth for somebody seen only weakly: above and below 0. The first
two were fitted on 679 spoilt photographs of 75 people by `python -m tools evaluate-kinds FOLDER...
--weak` with SFace; of the strangers among them 7 % had a score of 80 or more before, and 2 % have
now. With Light CNN the fit is -2.29 and 0.96, which is no better for others, so they are the same
for all nets. The last was chosen: from 0 to 0.2 nothing changes, and a nearer face must never count
for less."""

LARGEST_LOG = 60.0
"""Keeps ratios within what a float holds; exp(60) is as certain as any."""


@dataclass(frozen=True)
class Densities:
    """What was fitted, and on what; variances are of encodings, scales of the log distance."""

    model: str
    fitted_on: str
    date: str
    people: int
    faces: int
    own_distances: int
    stranger_distances: int
    own_variance: float
    between_variance: float
    own_scale: float
    stranger_scale: float
    alike_variance: float
    """Variance between look-alikes; chosen, not fitted: few were measured."""
    nearest_distance: float
    """Anything nearer is the same picture again. It adds nothing, as it would on a log scale."""
    offset: float
    slope: float
    bend: float
    evidence_slope: float
    """The calibration of a logarithm of a ratio, see `calibrated`."""
    size_slope: float = 0.0
    most_performers: int = 1
    """What the size of the gallery adds to it, see `size_terms`. Fits from before have no such
    term."""

    def among(self, performers: int) -> "Densities":
        """Return the densities for a gallery of this many performers, 1 or more.

        Without this they are for a large one.
        """
        term = float(size_terms(np.array(float(max(performers, 1))), self))
        return replace(self, offset=self.offset + term, size_slope=0.0)


@cache
def densities_of(model: str) -> Densities:
    """Read the densities that ship for a model; each file is read once.

    Raises:
        OtherModelError: none ship for that model.
    """
    path = SHIPPED / file_of(model)
    if not path.is_file():
        raise OtherModelError(
            f"No densities were fitted on encodings of {model}, so they cannot be scored. "
            "Calibrate with `python -m tools calibrate`, or enrol again."
        )
    return read_densities(path)


@cache
def name_fits() -> str:
    """Name the densities that ship, all together; other densities have another name."""
    files = sorted(SHIPPED.glob("*.json"))
    weak = repr((WEAK_OFFSET, WEAK_SLOPE, WEAK_SLOPE_BELOW)).encode()
    return hashlib.sha256(b"".join(one.read_bytes() for one in files) + weak).hexdigest()[:16]


def file_of(model: str) -> str:
    """Name the file that holds the densities of a model, or of a set of them."""
    return f"{model.replace('/', '.')}.json"


def densities_for(space: EncodingSpace, densities: Sequence[Densities]) -> Densities:
    """Choose the densities of a space.

    Raises:
        OtherModelError: none were fitted on its encodings.
    """
    for one in densities:
        if one.model == space.id:
            return one
    fitted = " and ".join(one.model for one in densities) or "nothing"
    raise OtherModelError(
        f"The densities were fitted on encodings of {fitted}, the gallery holds those of "
        f"{space.id}. Calibrate with `python -m tools calibrate`, or enrol again."
    )


def shipped_densities() -> Densities:
    """Return the densities of the primary model."""
    return densities_of(PRIMARY.id)


def read_densities(path: Path) -> Densities:
    """Read densities that `python -m tools calibrate` wrote.

    Raises:
        ValueError: it is not such a file; the message says what is wrong.
    """
    try:
        return Densities(**json.loads(path.read_text(encoding="utf-8")))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path} does not hold densities: {error}. Calibrate again.") from error


def write_densities(densities: Densities, path: Path) -> None:
    """Write densities where read_densities finds them."""
    path.write_text(json.dumps(asdict(densities), indent=2) + "\n", encoding="utf-8")


def own_density(distances: Numbers, residual: Numbers, densities: Densities) -> Numbers:
    """How likely distances are for one person; `residual` is r + r' of the two templates.

    Distances below the peak are treated as the peak: being too near is no evidence against anyone.
    """
    offsets = np.maximum(_log(distances, densities) - np.log(residual) / 2, 0)
    return student(offsets, densities.own_scale, OWN_FREEDOM)


def stranger_density(distances: Numbers, residual: Numbers, densities: Densities) -> Numbers:
    """How likely distances are for two strangers about whom nothing else is known.

    Distances above the peak are treated as the peak: being far apart is no evidence for one person.
    """

    def around(between: float) -> Numbers:
        offsets = np.minimum(_log(distances, densities) - np.log(between + residual) / 2, 0)
        return student(offsets, densities.stranger_scale, STRANGER_FREEDOM)

    usual, alike = around(densities.between_variance), around(densities.alike_variance)
    return (1 - ALIKE_SHARE) * usual + ALIKE_SHARE * alike


def density_near(
    distances: Numbers, seen: Numbers, scale: Numbers, densities: Densities
) -> Numbers:
    """How likely distances are, where strangers were seen at the distances `seen`.

    If strangers were seen nearer than `distances`, it is as likely as at the peak; if `seen` is
    infinite nobody was seen, and it is 0.
    """
    offsets = np.minimum(_log(distances, densities) - _log(seen, densities), 0)
    return student(offsets, scale, STRANGER_FREEDOM)


def calibrated(
    logs: Numbers,
    evidence: Numbers | float,
    densities: Densities,
    terms: Numbers | float = 0.0,
) -> Numbers:
    """Calibrate logarithms of ratios, so that what they promise comes true.

    As in forensic comparison of voices it is a line (Brummer and du Preez 2006), but one that bends
    where both are equally likely: evidence for one person is worth less than the densities say,
    since they know no relatives and no look-alikes. `slope` holds above, `slope + bend` below.
    `evidence` is that of the person searched for: the better they are known, the more the densities
    promise too much. `terms` are those of `size_terms`, where the densities are not yet those among
    so many.

    Faces that are turned away, blurred, dark or covered are all a little alike, which no density
    knows, so for somebody seen only in such faces little is left on either side.
    """
    seen = np.log(np.clip(evidence, *FITTED_EVIDENCE))
    offset = densities.offset + terms
    straight = offset + densities.slope * logs + densities.evidence_slope * seen
    bent: Numbers = straight - densities.bend * np.logaddexp(0.0, -logs)
    told = np.where(np.asarray(evidence) <= WEAK_PERSON_EVIDENCE, weaken(bent), bent)
    return np.clip(told, -LARGEST_LOG, LARGEST_LOG)


def weaken(logs: Numbers, offset: float = WEAK_OFFSET, slope: float = WEAK_SLOPE) -> Numbers:
    """Return what is left of calibrated logarithms for somebody seen only weakly.

    It is a line that bends smoothly at 0.
    """
    above = slope - WEAK_SLOPE_BELOW
    weak: Numbers = offset + WEAK_SLOPE_BELOW * logs + above * np.logaddexp(0.0, logs)
    return weak


def size_terms(performers: Numbers, densities: Densities) -> Numbers:
    """Return what galleries of these sizes add to the calibrated logarithm of a ratio.

    The nearest of a few strangers are not very near, so ratios promise too much in small galleries.
    So the terms are negative there, and rise with the logarithm of the number of performers to 0 at
    `most_performers`; from there on nothing is taken off.
    """
    most = densities.most_performers
    terms: Numbers = densities.size_slope * np.log(np.minimum(performers, most) / most)
    return terms


def student(offsets: Numbers, scale: Numbers | float, freedom: float) -> Numbers:
    """Student's t density of `offsets` from the centre.

    scipy.stats.t.pdf gives the same numbers, but is ten times slower.
    """
    constant = (
        math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2) - math.log(freedom * math.pi) / 2
    )
    bulk: Numbers = np.log1p((offsets / scale) ** 2 / freedom)
    density: Numbers = np.exp(constant - (freedom + 1) / 2 * bulk) / scale
    return density


def _log(distances: Numbers, densities: Densities) -> Numbers:
    logarithms: Numbers = np.log(np.maximum(distances, densities.nearest_distance))
    return logarithms
