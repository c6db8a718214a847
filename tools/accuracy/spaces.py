"""The spaces that faces are compared in: by the first net alone, or by both."""

from collections.abc import Sequence

import numpy as np

from db.models import EncodingModel, EncodingSpace
from db.people import PersonFound
from db.records import Vectors
from db.snapshots import Snapshot
from db.templates import Templates
from function.engines.models import BOTH
from function.faces.face import Face
from function.people.people import Template, fused_template_of, template_of
from tools.accuracy.labelled import Source
from tools.sources import UnusableSourceError


def spaces_of(sources: Sequence[Source], model: EncodingModel) -> list[EncodingSpace]:
    """Return the spaces that sources can be compared in."""
    faces = [face for source in sources for face in source.faces]
    has_both = any(face.second is not None for face in faces)
    return [model, BOTH.space] if has_both else [model]


def sources_in(space: EncodingSpace, sources: Sequence[Source]) -> list[Source]:
    """Return the sources that have a face with an encoding in a space."""
    return [source for source in sources if faces_in(space, source.faces)]


def faces_in(space: EncodingSpace, faces: Sequence[Face]) -> list[Face]:
    """Return the faces that have an encoding in a space."""
    if space.id != BOTH.space.id:
        return [*faces]
    return [face for face in faces if face.second is not None]


def encodings_in(space: EncodingSpace, faces: Sequence[Face]) -> Vectors:
    """Return the encodings of faces that have one in a space: float32 (count, dimensions)."""
    vectors = np.stack([face.encoding for face in faces])
    if space.id != BOTH.space.id:
        return vectors
    return BOTH.join(vectors, np.stack([face.second for face in faces if face.second is not None]))


def compare_in(
    space: EncodingSpace, person: PersonFound, gallery: Snapshot
) -> tuple[Template, Templates]:
    """Return the templates of a person and of all performers in a space.

    Raises:
        UnusableSourceError: the person or the gallery has no encodings there.
    """
    if space.id == gallery.model.id:
        return template_of(person, gallery.model), gallery.templates
    fused = gallery.fused
    template = fused_template_of(person, fused.fusion) if fused else None
    if fused is None or template is None:
        raise UnusableSourceError(f"There are no encodings of {space.id}.")
    return template, fused.templates
