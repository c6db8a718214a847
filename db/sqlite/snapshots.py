"""Loads a gallery into one matrix in memory, and again only when the gallery has changed."""

import logging
import threading

import numpy as np

from db.blobs import BLOB_BYTES, DIMENSIONS
from db.errors import OtherModelError
from db.snapshots import Rejections, Snapshot
from db.sqlite.gallery import SqliteGallery

_log = logging.getLogger(__name__)


class SnapshotCache:
    """Holds the newest snapshot of a gallery; safe to use from many threads."""

    def __init__(self) -> None:
        """Start empty."""
        self._lock = threading.Lock()
        self._newest: Snapshot | None = None

    def newest(self, gallery: SqliteGallery, model: str) -> Snapshot:
        """Return the gallery as it is now; one small query if nothing has changed.

        Raises:
            OtherModelError: the gallery's encodings are not of `model`.
        """
        with self._lock:
            if self._newest is None or self._newest.generation != gallery.generation():
                self._newest = load_snapshot(gallery, model)
            return self._newest


def load_snapshot(gallery: SqliteGallery, model: str) -> Snapshot:
    """Read the whole gallery; a damaged encoding is left out and named in the log.

    Raises:
        OtherModelError: the gallery's encodings are of another model.
    """
    # Read first, so that a change in between makes this snapshot old rather than wrongly new.
    generation = gallery.generation()
    others = [stored for stored in gallery.models() if stored != model]
    if others:
        raise OtherModelError(
            f"The gallery's encodings are of {others[0]}, the engine's of {model}; they cannot be "
            "compared. Name another gallery, or enrol the photos again."
        )
    performers = tuple(gallery.performers())
    position = {performer.id: index for index, performer in enumerate(performers)}
    rows = gallery.rows("SELECT id, performer_id, vector, quality FROM encodings ORDER BY id")
    # A performer may have been added since; the next generation will have both.
    rows = [row for row in rows if row[1] in position]
    whole = [row for row in rows if len(row[2]) == BLOB_BYTES]
    joined = np.frombuffer(b"".join(row[2] for row in whole), dtype="<f4")
    vectors = joined.reshape(-1, DIMENSIONS).astype(np.float32)
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


def _load_rejections(gallery: SqliteGallery, model: str, position: dict[int, int]) -> Rejections:
    rows = gallery.rows(
        "SELECT performer_id, vector FROM rejections WHERE model = ? ORDER BY id", model
    )
    rows = [row for row in rows if row[0] in position and len(row[1]) == BLOB_BYTES]
    vectors = np.frombuffer(b"".join(row[1] for row in rows), dtype="<f4").astype(np.float32)
    owners = np.array([position[row[0]] for row in rows], dtype=np.intp)
    return Rejections(vectors.reshape(-1, DIMENSIONS), owners)


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
