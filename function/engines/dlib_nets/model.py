"""The model of dlib's encodings: their size, and what distances between them mean."""

from db.models import EncodingModel

DLIB = EncodingModel(
    # The net, and the alignment: five landmarks.
    id="dlib_face_recognition_resnet_model_v1/5",
    dimensions=128,
    # The encoder was trained on this size (dlib, dnn_face_recognition_ex).
    chip_pixels=150,
    # Averaged over ten people with ten LFW photographs each.
    face_variance=0.095,
    spread_in_video=0.06,
    same_view_within=0.12,
    # A face and its mirror image are 0.14 to 0.28 apart.
    twice_in_frame_within=0.3,
    linked_below=0.46,
    # Fragments of one singer are at 0.06 to 0.12, two people under one lamp at 0.17 and more.
    same_person_below=0.14,
    noise_of_one=0.04,
    weak_joins_within=0.44,
    # In films cut from clips of 27 people, one person's good faces right after each other, where
    # they were not grouped already, were up to 0.51 apart, two people's 0.72 and more. Heads that
    # turn away are farther apart. Many strangers are as near, so it takes time and place too.
    follows_within=0.55,
    follows_weak_within=0.75,
    # Templates of one person in two videos are 0.25 +- 0.04 apart, those of two people under one
    # lamp 0.43 and more.
    rejected_within=0.3,
    # Six portraits, saved again at JPEG quality 60 to 95 or scaled to a half, moved by 0.035 to
    # 0.115; two pictures of one person were 0.34 apart.
    same_photo_within=0.12,
    # A crop of the same face moves its encoding by less, another photo of the same day by more.
    duplicate_within=0.1,
    # face_recognition's own limit for one person. Own photos are 0.35 +- 0.06 from such a mean.
    unlike_from=0.6,
    # Measured from a blank chip's encoding: of faces in photographs four in a thousand are nearer
    # than the first distance, three in four beyond the third. Of hands, ears and backs of heads
    # half are nearer than the first, hardly any beyond the third. Profiles begin at 0.49; most are
    # beyond the second.
    nobody_within=0.48,
    hardly_anybody_within=0.56,
    somebody_from=0.7,
)
"""The model of every gallery so far."""

LENGTH = 0.6
"""A usual distance: other nets' are scaled to it, so that those by two nets stay familiar."""
