"""Says when a quick look has seen enough."""

from collections.abc import Sequence

from db.models import EncodingModel
from function.faces.face import Face
from function.people.grouping import group_faces

SEEN_OFTEN = 2
"""Somebody on so many pictures was seen by no mere chance. Of 40 made-up films of 25 minutes with
eight people, half of them enrolled, 95 % were named, and 99 % if three pictures were asked for,
which takes a quarter more pictures; in 4K that is more than a fifth of the usual work."""


def is_enough(faces: Sequence[Face], model: EncodingModel, frames: int) -> bool:
    """Say whether more pictures of a video would hardly show anybody else.

    That is so if everyone in the `frames` pictures so far is on several: had there been others, one
    of them would have been on one. Who is never seen well does not count.
    """
    groups = group_faces(faces, model, frames)
    clear = [group for group in groups if not all(face.is_weak for face in group)]
    times = [len({face.frame for face in group}) for group in clear]
    return min(times, default=0) >= SEEN_OFTEN
