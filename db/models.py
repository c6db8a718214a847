"""Models of encodings: how large they are, and what distances between them mean."""

from dataclasses import dataclass

import numpy as np

from db.records import Vectors


@dataclass(frozen=True, kw_only=True)
class EncodingKind:
    """Which encodings are of one kind: those of one net, from chips that are cut in one way."""

    id: str
    """Names the net and how its chips are cut."""

    dimensions: int
    """How many numbers an encoding has."""


@dataclass(frozen=True, kw_only=True)
class EncodingSpace(EncodingKind):
    """What encodings that may be compared share: one net's, or those of two put end to end.

    Distances are Euclidean, between encodings or means of encodings.
    """

    face_variance: float
    """How much photos of one person vary from day to day: the variance, summed over dimensions."""


@dataclass(frozen=True, kw_only=True)
class EncodingModel(EncodingSpace):
    """A net that encodes every face, and the way its chips are cut: people are grouped by it.

    The module that defines a model says how its numbers were measured.
    """

    chip_pixels: int
    """Side of a chip, the square that is encoded."""

    spread_in_video: float
    """The same variance for faces of one person within one video."""

    same_view_within: float
    """Faces in one video that are nearer to each other than this are one view."""

    twice_in_frame_within: float
    """Two faces in one frame that are nearer than this are one person shown twice."""

    linked_below: float
    """Two groups of faces are linked if their mean distance is below this."""

    same_person_below: float
    """Two groups are one person if the squared distance of their means, less noise, is below it."""

    noise_of_one: float
    """The error of that squared distance, for a group of one."""

    weak_joins_within: float
    """A weak face joins a person whose template is within this distance."""

    follows_within: float
    """A face right after another in one place, no farther from it than this, may be the same."""

    follows_weak_within: float
    """The same if one of the two is weak, so that its encoding says little."""

    rejected_within: float
    """A probe within this distance of a rejected one shows the same person again."""

    same_photo_within: float
    """Two photos to enrol that are nearer than this are one picture."""

    duplicate_within: float
    """Two enrolled photos nearer than this are one photo, cropped or compressed again."""

    unlike_from: float
    """A photo this far from the mean of the performer's other photos may show somebody else."""

    nobody_within: float
    """Within this distance of a blank chip's encoding, an encoding says nothing about who it is."""

    hardly_anybody_within: float
    """Within this distance of it, a face is doubted unless the detector is sure of it."""

    somebody_from: float
    """From this distance on, it is a face's encoding, unless the detector's score is too low."""


@dataclass(frozen=True)
class Fusion:
    """Two nets' encodings of one face put end to end, each times its scale.

    A squared distance in `space` is the sum of the two nets', each times its scale squared.
    """

    space: EncodingSpace
    parts: tuple[EncodingSpace, EncodingKind]
    scales: tuple[float, float]

    @property
    def models(self) -> tuple[str, str]:
        """The ids of both nets' models."""
        first, second = self.parts
        return first.id, second.id

    def join(self, first: Vectors, second: Vectors) -> Vectors:
        """Join encodings, one row each of both nets: float32 (count, space.dimensions)."""
        width = first.shape[1]
        joined: Vectors = np.empty((len(first), width + second.shape[1]), np.float32)
        np.multiply(first, np.float32(self.scales[0]), out=joined[:, :width])
        np.multiply(second, np.float32(self.scales[1]), out=joined[:, width:])
        return joined
