"""What the user corrects about a person in a video, and whom that is about."""

import uuid
from dataclasses import dataclass, field

from db.models import EncodingModel
from db.records import Encoding, Performer, Vector

SOURCE = "page"
"""The source of performers that a user named in a video or added by hand."""


@dataclass(frozen=True, eq=False)
class Subject:
    """The person a correction is about, as seen in one video; `encodings` are worth enrolling."""

    template: Vector
    encodings: tuple[Encoding, ...]
    picture: bytes
    model: EncodingModel
    origin: str


@dataclass(frozen=True)
class Correction:
    """What one correction changed, so that it can be undone.

    `photo_hashes` were added to the performer, `added` are the ids of new rejections, `lifted` the
    rejections that were taken back: performer, vector, model and origin. `picture` is the thumbnail
    that a performer without one was given.
    """

    performer: Performer
    created: bool = False
    photo_hashes: tuple[str, ...] = ()
    added: tuple[int, ...] = ()
    lifted: tuple[tuple[int, bytes, str, str], ...] = ()
    picture: bytes | None = field(default=None, repr=False)


def new_performer(name: str) -> Performer:
    """Return a performer known only from the user, not from any source."""
    return Performer(id=0, name=name, source=SOURCE, source_id=uuid.uuid4().hex)
