"""A way of encoding faces, as data: what its vectors are, and what distances between them mean."""

from dataclasses import dataclass


@dataclass(frozen=True)
class EncodingModel:
    """One net with one way to cut its chips; encodings of different models are never compared.

    Distances are Euclidean, between encodings or means of them; the module that holds a model says
    where its numbers come from.
    """

    id: str
    """Names the net and how its chips are cut."""

    dimensions: int
    """Numbers in an encoding."""

    chip_pixels: int
    """Side of the square that is encoded."""

    face_variance: float
    """How photos of one person vary from day to day: their variance, summed over dimensions."""

    spread_in_video: float
    """The same for faces of one person within one video."""

    same_view_within: float
    """Faces of one video that are nearer than this show the same view again."""

    twice_in_frame_within: float
    """Two faces of one frame that are nearer than this are one person shown twice."""

    linked_below: float
    """Mean distance of two groups of faces up to which they are linked."""

    same_person_below: float
    """Squared distance of two groups' means, less their noise, up to which they are one person."""

    noise_of_one: float
    """How much that squared distance errs for a group of one."""

    weak_joins_within: float
    """Distance to a template up to which a weak face is that person's."""

    rejected_within: float
    """A probe this near to one that was rejected shows the same person again."""

    same_photo_within: float
    """Two photos to enrol that are nearer than this are one picture."""

    duplicate_within: float
    """Two enrolled photos nearer than this are one photo, cropped or compressed anew."""

    unlike_from: float
    """Distance to the mean of a performer's other photos from which a photo may show another."""

    nobody_within: float
    """An encoding this near to a blank chip's says nothing about who it is."""

    hardly_anybody_within: float
    """One this near says so little that the detector must be sure of the face."""

    somebody_from: float
    """One this far is a face's, unless the detector hardly saw any."""
