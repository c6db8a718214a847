"""The usual way, to compare with ours."""

import math

import numpy as np

from tests.support.crowds import make_face, make_gallery
from tools.accuracy.reference import TOLERANCE, distance_to, group_greedily, nearest_face


def test_the_reference_takes_the_nearest_face_and_the_first_group_within_its_tolerance() -> None:
    start = np.zeros(128, np.float32)
    step = np.eye(1, 128, dtype=np.float32)[0] * (TOLERANCE - 0.01)
    faces = [make_face(start + count * step, count) for count in range(4)]
    assert group_greedily(faces) == [0, 0, 0, 0]
    assert group_greedily([faces[0], faces[2], faces[3]]) == [0, 1, 1]
    gallery = make_gallery([np.stack([start, start + 3 * step]), np.stack([start + 2 * step])])
    position, distance = nearest_face([faces[3]], gallery)
    assert (position, distance) == (0, 0)


def test_a_performer_whose_photos_were_all_refused_is_infinitely_far_away() -> None:
    encoding = np.ones(128, np.float32)
    gallery = make_gallery([encoding[None], np.empty((0, 128), np.float32)])
    faces = [make_face(encoding, 0)]
    assert distance_to(faces, gallery, 0) == 0
    assert distance_to(faces, gallery, 1) == math.inf
    assert nearest_face(faces, gallery) == (0, 0)
