"""Loads a gallery into one matrix in memory, and again only when the gallery has changed."""

import logging
import threading

import numpy as np

from db.blobs import has_length, stack_blobs
from db.errors import OtherModelError
from db.models import EncodingModel
from db.snapshots import Rejections, Snapshot
from db.sqlite.gallery import SqliteGallery

_log = logging.getLogger(__name__)


class SnapshotCache:
    """Holds the newest snapshot of a gallery; safe to use from many threads."""

    def __init__(self) -> None:
        """Start empty."""
        self._lock = threading.Lock()
        self._newest: Snapshot | None = None

    def newest(self, gallery: SqliteGallery, model: EncodingModel) -> Snapshot:
        """Return the gallery as it is now; one small query if nothing has changed.

        Raises:
            OtherModelError: the gallery's encodings are not of `model`.
        """
        with self._lock:
            newest = self._newest
            if newest is None or (newest.generation, newest.model) != (gallery.generation(), model):
                self._newest = newest = load_snapshot(gallery, model)
            return newest


def load_snapshot(gallery: SqliteGallery, model: EncodingModel) -> Snapshot:
    """Read the whole gallery; damaged encodings are left out and logged.

    Raises:
        OtherModelError: the gallery holds encodings, but none of `model`.
    """
    # Read first: after a change in between, this snapshot must seem outdated, not current.
    generation = gallery.generation()
    models = gallery.models()
    if models and model.id not in models:
        raise OtherModelError(
            f"The gallery's encodings are of {models[0]}, the engine's of {model.id}; they cannot "
            "be compared. Name another gallery, or enrol the photos again."
        )
    # By id: stores order names differently, and scores must not depend on that.
    performers = tuple(sorted(gallery.performers(), key=lambda one: one.id))
    position = {performer.id: index for index, performer in enumerate(performers)}
    rows = gallery.rows(
        "SELECT id, performer_id, vector, quality FROM encodings WHERE model = ? ORDER BY id",
        model.id,
    )
    # A performer may have been added since; the next generation will have both.
    rows = [row for row in rows if row[1] in position]
    whole = [row for row in rows if has_length(row[2], model.dimensions)]
    vectors = stack_blobs([row[2] for row in whole], model.dimensions)
    sound = np.asarray(np.isfinite(vectors).all(axis=1))
    kept = [row for row, is_sound in zip(whole, sound, strict=True) if is_sound]
    _report_damage(rows, kept)
    return Snapshot(
        generation=generation,
        model=model,
        performers=performers,
        vectors=vectors[sound],
        owners=np.array([position[row[1]] for row in kept], dtype=np.intp),
        qualities=np.array([row[3] for row in kept], dtype=np.float32),
        rejections=_load_rejections(gallery, model, position),
    )


def _load_rejections(
    gallery: SqliteGallery, model: EncodingModel, position: dict[int, int]
) -> Rejections:
    rows = gallery.rows(
        "SELECT performer_id, vector FROM rejections WHERE model = ? ORDER BY id", model.id
    )
    rows = [row for row in rows if row[0] in position and has_length(row[1], model.dimensions)]
    vectors = stack_blobs([row[1] for row in rows], model.dimensions)
    return Rejections(vectors, np.array([position[row[0]] for row in rows], dtype=np.intp))


def _report_damage(rows: list[tuple[int, int, bytes, float]], kept: list[tuple[int, ...]]) -> None:
    sound = {row[0] for row in kept}
    for number, performer_id, _, _ in rows:
        if number not in sound:
            _log.error(
                "Encoding %d of performer %d is damaged (wrong length, or not a number) and was "
                "left out. Forget and enrol the performer again.",
                number,
                performer_id,
            )
