"""The spaces that faces are compared in: by the first net alone, or by both."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from db.models import EncodingModel, EncodingSpace, Fusion
from db.people import PersonFound
from db.records import Vectors
from db.snapshots import Snapshot
from db.templates import Templates
from function.faces.face import Face
from function.people.people import Template, fused_template_of, template_of
from function.sources.records import UnusableSourceError
from tools.accuracy.labelled import Source

Compared: TypeAlias = EncodingModel | Fusion
"""What encodings are compared by: the first net's model, or its fusion with a second net's."""


def space_of(compared: Compared) -> EncodingSpace:
    """Return the space in which encodings are compared."""
    return compared.space if isinstance(compared, Fusion) else compared


def spaces_of(sources: Sequence[Source], model: EncodingModel, fusion: Fusion) -> list[Compared]:
    """Return what sources can be compared by."""
    faces = [face for source in sources for face in source.faces]
    has_both = any(face.second is not None for face in faces)
    return [model, fusion] if has_both else [model]


def sources_in(compared: Compared, sources: Sequence[Source]) -> list[Source]:
    """Return the sources that have a face with an encoding to compare."""
    return [source for source in sources if faces_in(compared, source.faces)]


def faces_in(compared: Compared, faces: Sequence[Face]) -> list[Face]:
    """Return the faces that have an encoding to compare."""
    if not isinstance(compared, Fusion):
        return [*faces]
    return [face for face in faces if face.second is not None]


def encodings_in(compared: Compared, faces: Sequence[Face]) -> Vectors:
    """Return the encodings of faces that have one to compare: float32 (count, dimensions)."""
    vectors = np.stack([face.encoding for face in faces])
    if not isinstance(compared, Fusion):
        return vectors
    second = np.stack([face.second for face in faces if face.second is not None])
    return compared.join(vectors, second)


def compare_in(
    compared: Compared, person: PersonFound, gallery: Snapshot
) -> tuple[Template, Templates]:
    """Return the templates of a person and of all performers to compare.

    Raises:
        UnusableSourceError: the person or the gallery has no encodings there.
    """
    if not isinstance(compared, Fusion):
        return template_of(person, gallery.model), gallery.templates
    fused = next(iter(gallery.fused), None)
    template = fused_template_of(person, fused.fusion) if fused else None
    if fused is None or template is None:
        raise UnusableSourceError(f"There are no encodings of {compared.space.id}.")
    return template, fused.templates
