"""Loads a gallery into one matrix in memory, and again only when the gallery has changed."""

import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from db.blobs import are_sound, has_length, stack_blobs
from db.errors import OtherModelError
from db.models import EncodingModel, Fusion
from db.records import Vectors
from db.snapshots import Fused, Rejections, Snapshot, fuse
from db.sqlite.gallery import SqliteGallery
from db.sqlite.gallery_lookups import QUALITY

_log = logging.getLogger(__name__)

Row: TypeAlias = tuple[Any, ...]


class SnapshotCache:
    """Holds the newest snapshot of a gallery; safe to use from many threads."""

    def __init__(self) -> None:
        """Start empty."""
        self._lock = threading.Lock()
        self._newest: Snapshot | None = None
        self._asked: tuple[object, ...] = ()

    def newest(
        self, gallery: SqliteGallery, model: EncodingModel, fusions: Sequence[Fusion] = ()
    ) -> Snapshot:
        """Return the gallery as it is now; one small query if nothing has changed.

        Raises:
            OtherModelError: the gallery's encodings are not of `model`.
        """
        with self._lock:
            asked = (gallery.generation(), model, *fusions)
            if self._newest is None or self._asked != asked:
                self._newest = load_snapshot(gallery, model, fusions)
                self._asked = (self._newest.generation, model, *fusions)
            return self._newest


def load_snapshot(
    gallery: SqliteGallery, model: EncodingModel, fusions: Sequence[Fusion] = ()
) -> Snapshot:
    """Read the whole gallery; damaged encodings are left out and logged.

    Raises:
        OtherModelError: the gallery holds encodings, but none of `model`.
    """
    # Read first: after a change in between, this snapshot must seem outdated, not current.
    generation = gallery.generation()
    _require_model(gallery, model)
    # By id: stores order names differently, and scores must not depend on that.
    performers = tuple(sorted(gallery.performers(), key=lambda one: one.id))
    position = {performer.id: index for index, performer in enumerate(performers)}
    rows = gallery.rows(
        f"SELECT id, performer_id, {QUALITY}, CAST(vector AS BLOB) FROM encodings "  # noqa: S608  # ours
        "WHERE model = ? ORDER BY id",
        model.id,
    )
    # A performer may have been added since; the next generation will have both.
    rows = [row for row in rows if row[1] in position]
    kept, vectors = _stack_sound(rows, model.dimensions)
    _report_damage(rows, kept)
    del rows
    snapshot = Snapshot(
        generation=generation,
        model=model,
        performers=performers,
        vectors=vectors,
        owners=np.array([position[row[1]] for row in kept], dtype=np.intp),
        qualities=np.array([row[2] for row in kept], dtype=np.float32),
        rejections=_load_rejections(gallery, model, position),
    )
    place = {row[0]: index for index, row in enumerate(kept)}
    del kept  # as large as all encodings, and others are to be read
    return replace(snapshot, fused=tuple(_load_each(gallery, fusions, place, snapshot)))


def _require_model(gallery: SqliteGallery, model: EncodingModel) -> None:
    models = gallery.models()
    if models and model.id not in models:
        raise OtherModelError(
            f"The gallery's encodings are of {models[0]}, the engine's of {model.id}; they cannot "
            "be compared. Name another gallery, or enrol the photos again."
        )


def _load_each(
    gallery: SqliteGallery, fusions: Sequence[Fusion], place: Mapping[int, int], snapshot: Snapshot
) -> Iterator[Fused]:
    """Yield the templates in each fusion that photos have encodings for."""
    held = gallery.models()
    for fusion in fusions:
        if fusion.parts[0] == snapshot.model and fusion.parts[1].id in held:
            fused = _load_fused(gallery, fusion, place, snapshot)
            if fused:
                yield fused


def _load_fused(
    gallery: SqliteGallery, fusion: Fusion, place: Mapping[int, int], snapshot: Snapshot
) -> Fused | None:
    """Average the photos that have a sound encoding of the second net, too.

    `place` says in which row of the snapshot each of the first net's encodings is, by its id.
    """
    rows = gallery.rows(
        "SELECT one.id, one.performer_id, NULL, CAST(other.vector AS BLOB) "
        "FROM encodings AS one JOIN encodings AS other USING (performer_id, photo_hash) "
        "WHERE one.model = ? AND other.model = ? ORDER BY one.id",
        *fusion.models,
    )
    rows = [row for row in rows if row[0] in place]
    both, others = _stack_sound(rows, fusion.parts[1].dimensions)
    places = np.array([place[row[0]] for row in both], dtype=np.intp)
    return fuse(
        fusion,
        (snapshot.vectors[places], others),
        snapshot.qualities[places],
        snapshot.owners[places],
        people=len(snapshot.performers),
    )


def _stack_sound(rows: list[Row], dimensions: int) -> tuple[list[Row], Vectors]:
    """Return the rows whose blob, in column 3, is a sound encoding, and those encodings."""
    whole = [row for row in rows if has_length(row[3], dimensions)]
    vectors = stack_blobs([row[3] for row in whole], dimensions)
    sound = are_sound(vectors)
    return [row for row, is_sound in zip(whole, sound, strict=True) if is_sound], vectors[sound]


def _load_rejections(
    gallery: SqliteGallery, model: EncodingModel, position: dict[int, int]
) -> Rejections:
    rows = gallery.rows(
        "SELECT id, performer_id, NULL, CAST(vector AS BLOB) FROM rejections "
        "WHERE model = ? ORDER BY id",
        model.id,
    )
    kept, vectors = _stack_sound([row for row in rows if row[1] in position], model.dimensions)
    return Rejections(vectors, np.array([position[row[1]] for row in kept], dtype=np.intp))


def _report_damage(rows: list[Row], kept: list[Row]) -> None:
    sound = {row[0] for row in kept}
    for number, performer_id, _, _ in rows:
        if number not in sound:
            _log.error(
                "Encoding %d of performer %d is damaged (wrong length, or numbers of no encoding) "
                "and was left out. Forget and enrol the performer again.",
                number,
                performer_id,
            )
