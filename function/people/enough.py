"""Says when a quick look has seen enough."""

from collections.abc import Sequence

from db.models import EncodingModel
from function.faces.face import Face
from function.people.grouping import group_faces

SEEN_OFTEN = 3
"""Somebody on this many pictures was not seen by mere chance. Of 40 made-up films of 25 minutes
with eight people, half of them enrolled, 99 % were named, and 95 % if two pictures were asked for,
which take a fifth fewer."""


def is_enough(faces: Sequence[Face], model: EncodingModel, frames: int) -> bool:
    """Say whether more pictures of a video would hardly show anybody else.

    That is so if everyone in the `frames` pictures so far is on SEEN_OFTEN of them: if there were
    others, one of the pictures would show one. Whoever is never seen well does not count.
    """
    groups = group_faces(faces, model, frames)
    clear = [group for group in groups if not all(face.is_weak for face in group)]
    times = [len({face.frame for face in group}) for group in clear]
    return min(times, default=0) >= SEEN_OFTEN
