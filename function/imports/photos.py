"""Turns the photos of one performer into encodings; each unusable photo is given a reason."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from db.records import Encoding, Vector
from function.enrolling.choosing import PhotoDemands, choose_among
from function.enrolling.encodings import encodings_of
from function.faces.face import Face
from function.imports.finders import FaceFinder
from function.media.photos import PhotoNotFetchedError, PhotoRefusedError
from function.sources.records import Photo, Refusal, Remark

WAYS_OUT = {"several faces": ", or use --largest-face"}
"""Import options that help with a refusal, by the beginning of its reason."""


@dataclass(frozen=True)
class Demands(PhotoDemands):
    """What a photo must be like to be enrolled.

    `look_again` reads the photos of records that were enrolled in full and have not changed.
    """

    look_again: bool = False


USUAL_DEMANDS = Demands()


class PhotosRead:
    """The photos of one performer as they are read: new, refused, or already known.

    `new` are the encodings to store; `is_incomplete` means that a photo did not arrive but may the
    next time.
    """

    def __init__(self, finder: FaceFinder, demands: Demands) -> None:
        """Start without any known photo."""
        self._finder = finder
        self._demands = demands
        self._hashes: set[str] = set()
        self._partly: set[str] = set()  # those that lack an encoding of the second net
        self._vectors: list[Vector] = []
        self._best: Face | None = None
        self.new: list[Encoding] = []
        self.refusals: list[Refusal] = []
        self.duplicates: list[str] = []
        self.remarks: list[Remark] = []
        self.is_incomplete = False

    def know(self, stored: list[Encoding], removed: set[str]) -> None:
        """Register what the gallery has, and the hashes of photos the user removed."""
        models = self._finder.models
        by_model = [{one.photo_hash for one in stored if one.model == model} for model in models]
        self._hashes |= removed | set.intersection(*by_model)
        self._partly |= by_model[0] - self._hashes
        self._vectors += [one.vector for one in stored if one.model == models[0]]

    def look_at_all(self, performer: str, photos: Iterable[Photo]) -> None:
        """Read photos, and encode the faces that are new."""
        for photo in photos:
            self.look_at(performer, photo)

    def look_at(self, performer: str, photo: Photo) -> None:
        """Read one photo and encode its face, if it is new."""
        try:
            content = photo.read()
            photo_hash = hashlib.sha256(content).hexdigest()
            if photo_hash in self._hashes:
                return
            chosen = choose_among(self._finder.find_faces(content), self._demands)
        except (OSError, PhotoRefusedError, MemoryError, ValueError) as error:
            # A photo that did not arrive may do so next time; one that was read will not change.
            self.is_incomplete |= isinstance(error, OSError | PhotoNotFetchedError)
            self.refusals.append(Refusal(performer, photo.origin, _explain(error)))
            return
        face = chosen.face
        self._hashes.add(photo_hash)
        if photo_hash in self._partly:
            self.new += encodings_of(face, self._finder.models, photo_hash, photo.origin)[1:]
            return
        if _distance_to_nearest(face.encoding, self._vectors) < self._finder.same_photo_within:
            self.duplicates.append(photo.origin)
            return
        self._vectors.append(face.encoding)
        models = self._finder.models
        self.new += encodings_of(face, models, photo_hash, photo.origin)
        if chosen.remark:
            self.remarks.append(Remark(performer, photo.origin, chosen.remark))
        if self._best is None or face.quality > self._best.quality:
            self._best = face

    @property
    def added(self) -> int:
        """How many photos are new."""
        first = self._finder.models[0]
        return sum(one.model == first for one in self.new)

    def poster(self) -> bytes | None:
        """Return a small JPEG of the best new face."""
        return self._best.crop if self._best else None


def _explain(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:  # its path stands beside it already
        return f"cannot be read: {error.strerror}"
    reason = str(error) or "it needs more memory than there is"
    return reason + next((way for kind, way in WAYS_OUT.items() if reason.startswith(kind)), "")


def _distance_to_nearest(vector: Vector, others: list[Vector]) -> float:
    if not others:
        return float("inf")
    return float(np.linalg.norm(np.stack(others) - vector, axis=1).min())
