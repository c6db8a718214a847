"""Recognises VR films, whose two halves each show everybody: one picture for each eye.

The halves lie side by side or one above the other, so every face has a second one, always at the
same distance in the same direction. In other films two faces of one frame are two people; here they
may be one person, seen by both eyes.
"""

from collections import defaultdict
from collections.abc import Sequence
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from db.models import EncodingModel
from function.faces.face import Face

MOST_ASLANT = 0.75
"""How far a pair may be off level, or off upright, in widths of the face: heads are warped, and the
two eyes see near heads differently."""

SAME_SHIFT = 1.5
"""Pairs are equally far apart if they differ by less than this, in widths of the face."""

SIMILAR_SIZE = 1.4
"""The wider face of a pair is less than this many times as wide."""

LEAST_PAIRED = 0.8
"""The share of the faces in frames with several that must be one of such a pair."""

LEAST_ALIKE = 0.5
"""The share of the pairs whose encodings must be near enough for one person shown twice. Between
the halves of 48 made-up VR films the median was 0.06 to 0.16; in the worst kind, with small faces
squeezed to half their width, a quarter were over 0.3."""

FEWEST_FRAMES = 2
"""One frame with pairs may be a mirror."""

MOST_FRAMES, MOST_IN_FRAME = 300, 12
"""This many frames are looked at, spread over the film, and none with more faces than the second
number: comparing all pairs then takes half a second."""

Pair = tuple[int, int]


def frames_by_eye(faces: Sequence[Face], model: EncodingModel) -> NDArray[np.int_]:
    """Number the pictures that faces were seen in; in a VR film each half of a frame is one.

    Returns one number for each face: that of its frame, unless this is a VR film.
    """
    frames: NDArray[np.int_] = np.array([face.frame for face in faces], np.int_)
    together = _choose_frames(faces)
    for axis in (0, 1):
        pairs = _find_pairs(faces, together, axis, model.twice_in_frame_within)
        if pairs:
            middles = np.array([_middle(face)[axis] for face in faces])
            sides = [np.median(middles[list(side)]) for side in zip(*pairs, strict=True)]
            return np.asarray(2 * frames + (middles > np.mean(sides)), np.int_)
    return frames


def _choose_frames(faces: Sequence[Face]) -> list[list[int]]:
    """Choose frames that certainly show several faces, each as the numbers of those faces."""
    by_frame: dict[int, list[int]] = defaultdict(list)
    for number, face in enumerate(faces):
        if not face.is_doubtful:
            by_frame[face.frame].append(number)
    several = [numbers for numbers in by_frame.values() if 1 < len(numbers) <= MOST_IN_FRAME]
    return several[:: 1 + len(several) // MOST_FRAMES]


def _find_pairs(
    faces: Sequence[Face], together: Sequence[Sequence[int]], axis: int, within: float
) -> list[Pair]:
    """Find the pairs side by side (axis 0) or stacked (axis 1), if they are of two halves.

    Returns none if they are not.
    """
    every = (pair for numbers in together for pair in permutations(numbers, 2))
    found = [pair for pair in every if _may_be_pair(faces, pair, axis)]
    alike = [pair for pair in found if _distance(faces, pair) <= within]
    if not alike:
        return []
    usual = float(np.median([_shift(faces, pair)[axis] for pair in alike]))
    found = [pair for pair in found if _is_as_far(faces, pair, axis, usual)]
    alike = [pair for pair in alike if _is_as_far(faces, pair, axis, usual)]
    frames = {faces[first].frame for first, _ in alike}
    paired = {number for pair in found for number in pair}
    are_halves = (
        len(frames) >= FEWEST_FRAMES
        and len(alike) >= LEAST_ALIKE * len(found)
        and len(paired) >= LEAST_PAIRED * sum(map(len, together))
    )
    return found if are_halves else []


def _may_be_pair(faces: Sequence[Face], pair: Pair, axis: int) -> bool:
    """Whether the second face is to the right of the first, or below it, and about as large."""
    widths = [faces[number].box.width for number in pair]
    shift = _shift(faces, pair)
    along, aside = float(shift[axis]), float(shift[1 - axis])
    is_level = along > max(widths) and abs(aside) < MOST_ASLANT * max(widths)
    return is_level and max(widths) < SIMILAR_SIZE * min(widths)


def _is_as_far(faces: Sequence[Face], pair: Pair, axis: int, usual: float) -> bool:
    shift = float(_shift(faces, pair)[axis])
    return abs(shift - usual) < SAME_SHIFT * faces[pair[0]].box.width


def _distance(faces: Sequence[Face], pair: Pair) -> float:
    return float(np.linalg.norm(faces[pair[0]].encoding - faces[pair[1]].encoding))


def _shift(faces: Sequence[Face], pair: Pair) -> NDArray[np.float64]:
    shift: NDArray[np.float64] = _middle(faces[pair[1]]) - _middle(faces[pair[0]])
    return shift


def _middle(face: Face) -> NDArray[np.float64]:
    box = face.box
    return np.array([(box.left + box.right) / 2, (box.top + box.bottom) / 2])
