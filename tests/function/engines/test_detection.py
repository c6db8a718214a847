"""Pictures become faces: by one look of dlib's detectors, or by YuNet's many."""

import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from function.engines.copies import Copies
from function.engines.heads import CHIP_POINTS, CHIP_WIDTH, Head, cut_level, fit_head
from function.engines.loading import load_engine
from function.engines.plain_detector import PlainDetector
from function.engines.protocol import Box, Detection, Engine, EngineOptions
from function.engines.weights import YUNET_WEIGHTS
from function.engines.yunet import close_look, detector
from function.engines.yunet.close_look import FIRST_DEGREES, OTHER_DEGREES, CloseLook
from function.engines.yunet.detector import MOST_CLOSE_LOOKS, YunetDetector
from function.engines.yunet.net import Guesses, YunetNet
from function.faces.faces import faces_of_image
from function.media.images import RgbPicture, fit
from function.media.pictures import RgbImage
from tests.support.engines import detect
from tests.support.people import group_faces
from tests.support.turning import close_up, place_face
from tools.footage.videos import read_portrait

PORTRAITS = ["obama1.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg", "astronaut.png", "hopper.jpg"]


@pytest.fixture(scope="module")
def head(photos: Path) -> RgbImage:
    return close_up(read_portrait(photos / "obama1.jpg"))


# Scaling, and dlib's detectors


class Watched:
    """Finds a face that fills the picture, and notes the size of those it is shown."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, int]] = []

    def detect(self, image: RgbImage) -> list[Detection]:
        height, width = image.shape[:2]
        self.seen.append((width, height))
        return [Detection(Box(0, 0, width - 1, height - 1), 1.0)]


@pytest.mark.parametrize(("width", "looked_at"), [(2000, 1120), (1120, 1120), (640, 640)])
def test_dlibs_detectors_see_a_picture_once_and_never_larger_than_it_is(
    width: int, looked_at: int
) -> None:
    finder = Watched()
    (found,) = PlainDetector(finder, 1120).detect(
        RgbPicture(np.zeros((width // 2, width, 3), np.uint8))
    )
    assert finder.seen == [(looked_at, looked_at // 2)]
    assert found.box.width == pytest.approx(width, abs=1)


def test_a_picture_too_small_for_a_face_is_not_looked_at() -> None:
    assert PlainDetector(Watched(), 1120).detect(RgbPicture(np.zeros((39, 400, 3), np.uint8))) == []


@pytest.mark.parametrize("width", [1921, 3840, 7680])
def test_a_picture_made_smaller_shows_the_same_without_a_shift(width: int) -> None:
    ramp = np.linspace(0, 255, width).round().astype(np.uint8)
    picture = np.repeat(np.repeat(ramp[None, :, None], width // 2, axis=0), 3, axis=2)
    smaller, scale = fit(picture, 1120)
    assert smaller.shape == (round(width // 2 * scale), 1120, 3)
    expected = np.linspace(0, 255, 1120)
    assert np.abs(smaller[smaller.shape[0] // 2, :, 0] - expected).max() <= 2


def test_a_picture_is_never_made_larger() -> None:
    picture = np.zeros((300, 600, 3), np.uint8)
    smaller, scale = fit(picture, 1120)
    assert (smaller.shape, scale) == (picture.shape, 1.0)


# The net itself


@pytest.fixture(scope="module")
def net() -> YunetNet:
    from function.engines.onnx.graph_cache import GraphCache  # noqa: PLC0415  # heavy, used here only
    from function.engines.yunet.net import load_yunet  # noqa: PLC0415

    return load_yunet(EngineOptions(), GraphCache())


def test_yunet_runs_on_the_cpu_also_where_the_encoder_is_asked_to_use_a_gpu() -> None:
    from function.engines.onnx.graph_cache import GraphCache  # noqa: PLC0415  # heavy, used here only
    from function.engines.yunet import net as yunet  # noqa: PLC0415

    loaded = yunet.load_yunet(EngineOptions(device="cuda"), GraphCache())
    # Nothing else says it.
    assert loaded._session.get_providers() == ["CPUExecutionProvider"]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", PORTRAITS)
def test_the_net_says_what_opencvs_own_reader_of_the_same_file_says(
    name: str, photos: Path, net: YunetNet
) -> None:
    picture = read_portrait(photos / name)
    picture = np.ascontiguousarray(cv2.resize(picture, (416, 416)).astype(np.uint8))
    reader = cv2.FaceDetectorYN.create(str(YUNET_WEIGHTS.find()), "", (416, 416), 0.6, 0.3)
    expected = reader.detect(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1]
    found = net.look([picture], 0.6)[0].without_repeats()

    assert len(found.scores) == len(expected) == 1
    assert found.scores[0] == pytest.approx(expected[0, 14], abs=1e-3)
    assert np.abs(found.points[0].ravel() - expected[0, 4:14]).max() < 0.1
    left, top, width, height = expected[0, :4]
    assert np.abs(found.boxes[0] - (left, top, left + width, top + height)).max() < 0.1


def test_pictures_looked_at_together_are_seen_as_alone(head: RgbImage, net: YunetNet) -> None:
    small = cv2.resize(head, (150, 150)).astype(np.uint8)  # no multiple of 32
    pictures = [small, np.ascontiguousarray(small[:, ::-1]), np.zeros_like(small)]
    together = net.look(pictures, 0.5)
    for picture, seen in zip(pictures, together, strict=True):
        (alone,) = net.look([picture], 0.5)
        assert np.allclose(seen.scores, alone.scores, atol=1e-5)
        assert np.allclose(seen.points, alone.points, atol=1e-2)
    assert len(together[0].scores)
    assert not len(together[2].scores)


class Answering:
    """Stands for a session whose answer is known."""

    def __init__(self, grids: list[np.ndarray[Any, Any]]) -> None:
        self.grids = grids

    def run(self, _names: None, _inputs: object) -> list[np.ndarray[Any, Any]]:
        return self.grids


@pytest.mark.parametrize("least_score", [0.1, 0.6])
def test_every_cell_that_scores_enough_is_read_and_no_other(least_score: float) -> None:
    chance = np.random.default_rng(3)
    grids = [
        chance.normal(0, 3, (2, 16, 128 // one, 128 // one)).astype(np.float32)
        for one in (8, 16, 32)
    ]
    pictures = [np.zeros((128, 128, 3), np.uint8)] * 2
    looks = YunetNet(Answering(grids)).look(pictures, least_score)
    for number, seen in enumerate(looks):
        factors = [1 / (1 + np.exp(-grid[number, [0, 5]].astype(np.float64))) for grid in grids]
        scores = np.concatenate([np.sqrt(both.prod(axis=0)).ravel() for both in factors])
        expected = np.sort(scores[scores > least_score])
        assert 20 < len(expected) < len(scores)
        assert np.allclose(np.sort(seen.scores), expected, atol=1e-6)


def test_of_guesses_at_one_face_the_surest_stays() -> None:
    boxes = np.array([(0, 0, 10, 10), (1, 1, 11, 11), (30, 0, 40, 10)], np.float32)
    guesses = Guesses(np.array([0.5, 0.9, 0.7], np.float32), boxes, np.zeros((3, 5, 2), np.float32))
    assert guesses.without_repeats().scores.tolist() == pytest.approx([0.9, 0.7])


# Heads


@pytest.mark.parametrize("degrees", [-170, -90, -31, 0, 12, 45, 135, 180])
@pytest.mark.parametrize("scale", [0.2, 1.0, 3.7])
def test_a_head_is_read_from_its_points_however_it_leans(degrees: float, scale: float) -> None:
    radians = np.radians(degrees)
    turn = np.array([(np.cos(radians), np.sin(radians)), (-np.sin(radians), np.cos(radians))])
    points = (CHIP_POINTS @ turn * scale + (300, 200)).astype(np.float32)
    head = fit_head(points)
    assert head.width == pytest.approx(CHIP_WIDTH * scale, rel=1e-3)
    assert abs((head.roll_degrees - degrees + 180) % 360 - 180) < 0.1
    assert head.misfit < 1e-3

    picture = np.zeros((800, 800, 3), np.uint8)
    level = cut_level(picture, head, face_pixels=50, side_pixels=100)
    upright = fit_head((points - level.way_back[:, 2]) @ np.linalg.inv(level.way_back[:, :2]).T)
    assert upright.roll_degrees == pytest.approx(0, abs=0.1)
    assert upright.width == pytest.approx(50, rel=1e-3)
    assert (upright.x, upright.y) == pytest.approx((49.5, 49.5), abs=0.1)


def test_a_profile_is_as_large_as_its_height_says() -> None:
    narrow = CHIP_POINTS.copy()
    narrow[:, 0] = 74 + (narrow[:, 0] - 74) * 0.2
    narrow[2, 0] -= 40  # the nose stands out
    head = fit_head(narrow.astype(np.float32))
    assert head.width > 0.85 * CHIP_WIDTH
    assert head.misfit > 0.3


# YuNet's many looks


@pytest.mark.parametrize("degrees", [0, 15, 30, 45, 60, 75, 90, 120, 135, 150, 180, 225, 315])
@pytest.mark.parametrize("width", [100, 300])
def test_a_face_is_found_once_however_it_leans(
    width: float, degrees: float, head: RgbImage, engine: Engine
) -> None:
    placed = place_face(head, width, degrees)
    (found,) = engine.open_detector(960).detect(RgbPicture(placed.picture))
    assert placed.is_at(found)
    assert found.points is not None
    assert abs((fit_head(found.points).roll_degrees - degrees + 180) % 360 - 180) < 15


@pytest.mark.parametrize(
    ("width", "size"),
    [
        (32, (1920, 1080)),
        (45, (1920, 1080)),
        (700, (1920, 1080)),
        (64, (3840, 2160)),
        (1400, (3840, 2160)),
        (24, (640, 360)),
        (180, (240, 240)),
    ],
)
def test_far_faces_and_heads_that_fill_the_picture_are_found_once(
    width: float, size: tuple[int, int], head: RgbImage, engine: Engine
) -> None:
    placed = place_face(head, width, size=size, at=(0.5, 0.5))
    (found,) = engine.open_detector(960).detect(RgbPicture(placed.picture))
    assert placed.is_at(found)


def test_many_faces_of_one_picture_are_all_found(photos: Path, engine: Engine) -> None:
    portraits = [read_portrait(photos / name) for name in PORTRAITS]
    row = np.hstack([cv2.resize(one, (240, 240)) for one in portraits])
    picture = np.vstack([row, row[::-1, ::-1]]).astype(np.uint8)  # the lower row hangs
    faces = faces_of_image(picture, engine, 960)
    assert sum(not face.is_doubtful for face in faces) == 2 * len(PORTRAITS)
    scores = [face.detection_score for face in faces]
    assert scores == sorted(scores, reverse=True)


def test_what_is_no_face_is_not_found(photos: Path, engine: Engine) -> None:
    assert detect(engine, np.zeros((1080, 1920, 3), np.uint8)) == []
    assert detect(engine, noise()) == []
    cat = read_portrait(photos / "cat.png")
    assert all(face.is_doubtful for face in faces_of_image(cat, engine, 1280))
    assert group_faces(faces_of_image(cat, engine, 960)) == []


def test_a_wall_of_faces_takes_a_bounded_time(head: RgbImage, engine: Engine) -> None:
    for side in (16, 26, 60):
        tile = cv2.resize(head, (side, side), interpolation=cv2.INTER_AREA).astype(np.uint8)
        wall = np.tile(tile, (960 // side, 960 // side, 1))
        started = time.process_time()
        found = engine.open_detector(960).detect(RgbPicture(wall))
        assert time.process_time() - started < 3
        assert len(found) <= 3 * MOST_CLOSE_LOOKS


def test_a_crowd_of_a_hundred_is_found(head: RgbImage, engine: Engine) -> None:
    tile = cv2.resize(head, (90, 90), interpolation=cv2.INTER_AREA).astype(np.uint8)
    crowd = np.tile(tile, (10, 10, 1))  # faces of 54 pixels
    assert len(engine.open_detector(960).detect(RgbPicture(crowd))) == 100


def noise() -> RgbImage:
    coarse = np.random.default_rng(4).integers(0, 255, (27, 48, 3), np.uint8)
    return cv2.resize(coarse, (960, 540), interpolation=cv2.INTER_CUBIC).astype(np.uint8)


@pytest.mark.parametrize("size", [(1, 1), (9, 300), (31, 33), (4000, 20)])
def test_a_picture_of_any_shape_can_be_looked_at(size: tuple[int, int], engine: Engine) -> None:
    assert engine.open_detector(960).detect(RgbPicture(np.full((*size, 3), 90, np.uint8))) == []


def test_every_engine_finds_by_yunet_and_finds_the_same(photos: Path, engine: Engine) -> None:
    picture = read_portrait(photos / "biden.jpg")
    (one,) = detect(engine, picture)
    (other,) = detect(load_engine("dlib", EngineOptions()), picture)
    assert one.box == other.box
    assert one.points is not None
    assert other.points is not None
    assert np.allclose(one.points, other.points, atol=0.01)


# What is learned from picture to picture


class Counting(YunetNet):
    """Counts how often the net is shown something larger than a close look."""

    def __init__(self, net: YunetNet) -> None:
        super().__init__(None)
        self._net = net
        self.sizes: list[tuple[int, int]] = []

    def look(self, pictures: list[RgbImage], least_score: float) -> list[Guesses]:  # type: ignore[override]  # a list will do here
        if pictures[0].shape[0] > 128 or pictures[0].shape[1] > 128:
            self.sizes += [one.shape[:2] for one in pictures]
        return self._net.look(pictures, least_score)

    def take(self) -> list[tuple[int, int]]:
        """Return the sizes seen since the last time."""
        seen, self.sizes = self.sizes, []
        return seen


class CountingClosely(YunetNet):
    """Counts the pictures of each close check of one candidate."""

    def __init__(self, net: YunetNet) -> None:
        super().__init__(None)
        self._net = net
        self.counts: list[int] = []

    def look(self, pictures: list[RgbImage], least_score: float) -> list[Guesses]:  # type: ignore[override]  # as above
        self.counts.append(len(pictures))
        return self._net.look(pictures, least_score)


def test_where_nothing_is_seen_a_close_check_ends_after_two_turns(
    head: RgbImage, net: YunetNet
) -> None:
    counting = CountingClosely(net)
    copies = Copies(RgbPicture(np.full((1080, 1920, 3), 96, np.uint8)), {384, 960})
    assert CloseLook(counting).look(copies, [(0.1, Head(960, 540, 100, 0, 0))]) == [None]
    assert counting.counts == [1, len(FIRST_DEGREES)]
    turned = place_face(head, 100, 120, at=(0.5, 0.5)).picture
    copies = Copies(RgbPicture(turned), {384, 960})
    assert CloseLook(counting).look(copies, [(0.1, Head(960, 540, 100, 0, 0))]) != [None]
    assert counting.counts[-1] == 2  # a last check, level and mirrored


class Claiming(YunetNet):
    """Takes the middle of each copy of one size for a face, and sees nothing in close checks."""

    def __init__(self, longest_pixels: int, width: float) -> None:
        super().__init__(None)
        self._longest_pixels = longest_pixels
        self._width = width
        self.checks = 0

    def look(self, pictures: list[RgbImage], least_score: float) -> list[Guesses]:  # type: ignore[override]  # noqa: ARG002  # as above
        height, width = pictures[0].shape[:2]
        self.checks += (height, width) == (128, 128)
        middle = np.array([width, height], np.float32) / 2
        points = CHIP_POINTS / CHIP_WIDTH * self._width
        corners = np.array([middle - self._width / 2, middle + self._width / 2])
        face = Guesses(
            np.array([0.3], np.float32),
            corners.astype(np.float32).reshape(1, 4),
            (points - points.mean(axis=0) + middle).astype(np.float32)[None],
        )
        nothing = Guesses(face.scores[:0], face.boxes[:0], face.points[:0])
        is_claimed = max(height, width) == self._longest_pixels
        return [face if is_claimed else nothing for _ in pictures]


@pytest.mark.parametrize(
    ("longest_pixels", "width", "is_checked"),
    [
        (384, 1.2 * 216, True),
        (384, 1.3 * 216, False),  # much wider than the picture is high
        (960, 150, True),
        (960, 170, False),  # 68 pixels in the small copy
    ],
)
def test_only_what_can_be_a_face_that_was_not_seen_before_is_checked_closely(
    longest_pixels: int, width: float, *, is_checked: bool
) -> None:
    net = Claiming(longest_pixels, width)
    picture = RgbPicture(np.full((1080, 1920, 3), 96, np.uint8))
    assert YunetDetector(net, 960).detect(picture) == []
    assert (net.checks > 0) == is_checked


def test_a_candidate_that_is_likely_a_face_is_checked_together_with_its_mirror_image(
    head: RgbImage, net: YunetNet
) -> None:
    copies = Copies(RgbPicture(place_face(head, 100, at=(0.5, 0.5)).picture), {384, 960})
    found = []
    for score, counts in ((0.1, [1, 1]), (0.9, [2])):
        counting = CountingClosely(net)
        found += CloseLook(counting).look(copies, [(score, Head(960, 540, 100, 0, 0))])
        assert counting.counts == counts
    assert found[0] is not None
    assert found[0] == found[1]
    on_gpu = CountingClosely(net)
    on_gpu.is_on_gpu = True  # where two pictures cost as much as one
    assert CloseLook(on_gpu).look(copies, [(0.1, Head(960, 540, 100, 0, 0))]) == found[:1]
    assert on_gpu.counts == [2]


def crowd_of(head: RgbImage) -> RgbImage:
    """Nine heads, small and large, upright and leaning, some so near that their boxes touch."""
    picture = np.full((1080, 1920, 3), 96, np.uint8)
    for number in range(9):
        width, degrees = (40, 70, 110, 150)[number % 4], (0, 25, 90, 150, -60)[number % 5]
        at = 0.1 + 0.1 * number, (0.3, 0.45, 0.7)[number % 3]
        one = place_face(head, width, degrees, at=at).picture
        picture = np.where(one == 96, picture, one).astype(np.uint8)
    return picture


def test_candidates_are_checked_together_with_the_result_that_each_has_alone(
    head: RgbImage, net: YunetNet
) -> None:
    together, alone = CountingClosely(net), CountingClosely(net)
    copies = Copies(RgbPicture(crowd_of(head)), {384, 960})
    candidates = [
        (score, Head(192 * (1 + number), 1080 * down, 80, roll, 0))
        for down in (0.3, 0.45, 0.7)
        for number, (score, roll) in enumerate([(0.2, 0.0), (0.9, 20.0), (0.4, 90.0)] * 3)
    ]
    found = CloseLook(together).look(copies, candidates)
    expected = [CloseLook(alone).look(copies, [one])[0] for one in candidates]
    assert None in found
    assert sum(one is not None for one in found) >= 5
    assert found == expected
    for one, other in zip(found, expected, strict=True):
        if one and other:
            np.testing.assert_array_equal(one.points, other.points)
    assert sum(together.counts) == sum(alone.counts)
    assert len(together.counts) < len(alone.counts) / 4


def test_a_crowd_is_found_as_if_each_candidate_was_checked_in_turn(
    head: RgbImage, net: YunetNet, monkeypatch: pytest.MonkeyPatch
) -> None:
    together, in_turn = CountingClosely(net), CountingClosely(net)
    picture = RgbPicture(crowd_of(head))
    found = YunetDetector(together, 960).detect(picture)
    monkeypatch.setattr(detector, "MOST_TOGETHER", 1)
    assert found == YunetDetector(in_turn, 960).detect(picture)
    assert len(found) >= 7
    assert sum(together.counts) <= 1.05 * sum(in_turn.counts)  # hardly anything in vain
    assert len(together.counts) < 0.6 * len(in_turn.counts)


@pytest.mark.parametrize("most", [3, 4, 5, 6, 7, 150])
def test_what_is_checked_in_vain_does_not_count(
    most: int, head: RgbImage, net: YunetNet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detector, "MOST_CLOSE_LOOKS", most)
    monkeypatch.setattr(detector, "REACH", 0.0)  # candidates of one face are checked together
    picture = RgbPicture(crowd_of(head))
    found = YunetDetector(net, 960).detect(picture)
    monkeypatch.setattr(detector, "MOST_TOGETHER", 1)
    assert found == YunetDetector(net, 960).detect(picture)


def test_a_film_is_searched_with_the_same_result_as_each_of_its_pictures_alone(
    head: RgbImage, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = np.full((1080, 1920, 3), 96, np.uint8)
    small = place_face(head, 48, 20, at=(0.3, 0.4)).picture
    film = [
        *(place_face(head, width, degrees).picture for width in (300, 90) for degrees in (0, 15)),
        *(small, small // 4, near_and_far(head), empty, place_face(head, 80, 90).picture),
    ]
    quickly, encoder = engine.open_detector(960), engine.encoder
    for shown in film:
        picture = RgbPicture(shown)
        found = quickly.detect(picture)
        with monkeypatch.context() as patient:
            patient.setattr(close_look, "FIRST_DEGREES", (*FIRST_DEGREES, *OTHER_DEGREES))
            expected = engine.open_detector(960).detect(picture)
        for one, other in zip(found, expected, strict=True):
            corners = [(box.left, box.top, box.right, box.bottom) for box in (one.box, other.box)]
            assert np.abs(np.subtract(*corners)).max() <= 2
            chips = [encoder.cut(picture, face).chip for face in (one, other)]
            assert np.linalg.norm(np.subtract(*encoder.encode(chips))) < 0.02


NEAR, FAR, ON_ITS_SIDE = (216, 384), (540, 960), (384, 216)
TURNED = [ON_ITS_SIDE, NEAR, ON_ITS_SIDE]


def test_beside_a_near_face_the_far_look_is_taken_ever_more_rarely(
    head: RgbImage, net: YunetNet
) -> None:
    counting = Counting(net)
    detector = YunetDetector(counting, 960)
    near = place_face(head, 300).picture
    looks = [(detector.detect(RgbPicture(near)), counting.take())[1] for _ in range(16)]
    assert looks[0] == [NEAR, FAR, *TURNED]
    assert [index for index, seen in enumerate(looks) if FAR in seen] == [0, 2, 5, 9, 14]
    assert [index for index, seen in enumerate(looks) if ON_ITS_SIDE in seen] == [
        0,
        2,
        5,
        8,
        11,
        14,
    ]


def test_while_nobody_is_near_every_look_is_taken(head: RgbImage, net: YunetNet) -> None:
    counting = Counting(net)
    detector = YunetDetector(counting, 960)
    empty = np.full((1080, 1920, 3), 96, np.uint8)
    for picture in [place_face(head, 300).picture] * 4 + [empty] * 3:
        counting.take()
        found = detector.detect(RgbPicture(picture))
    assert found == []
    assert counting.take() == [NEAR, FAR, *TURNED]


def test_after_a_landscape_every_look_is_taken_once_and_then_rests_as_long_as_before(
    head: RgbImage, net: YunetNet
) -> None:
    counting = Counting(net)
    detector = YunetDetector(counting, 960)
    near, empty = place_face(head, 300).picture, np.full((1080, 1920, 3), 96, np.uint8)
    shown = [near] * 6 + [empty] + [near] * 7
    looks = [(detector.detect(RgbPicture(one)), counting.take())[1] for one in shown]
    assert [index for index, seen in enumerate(looks) if FAR in seen] == [0, 2, 5, 6, 7, 12]


def near_and_far(head: RgbImage) -> RgbImage:
    """A head of 300 pixels, and one of 36 beside it."""
    near, far = place_face(head, 300, at=(0.3, 0.5)), place_face(head, 36, at=(0.8, 0.5))
    return np.where(far.picture == 96, near.picture, far.picture).astype(np.uint8)


def test_after_a_landscape_the_first_people_are_looked_for_near_and_far(
    head: RgbImage, engine: Engine
) -> None:
    both = near_and_far(head)
    detector = engine.open_detector(960)
    for _ in range(10):
        assert detector.detect(RgbPicture(np.full((1080, 1920, 3), 96, np.uint8))) == []
    assert len(detector.detect(RgbPicture(both))) == 2


def test_who_is_found_by_a_further_look_is_looked_for_in_every_picture(
    head: RgbImage, engine: Engine
) -> None:
    both = near_and_far(head)
    detector = engine.open_detector(960)
    for _ in range(6):
        assert len(detector.detect(RgbPicture(both))) == 2


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_a_film_shot_sideways_is_turned_so_that_its_small_faces_are_found(
    turns: int, head: RgbImage, engine: Engine
) -> None:
    detector = engine.open_detector(960)
    near = np.rot90(place_face(head, 200).picture, turns)
    for _ in range(5):
        assert len(detector.detect(RgbPicture(near))) == 1
    small = place_face(head, 32, at=(0.5, 0.5))
    (found,) = detector.detect(RgbPicture(np.rot90(small.picture, turns)))
    middle = [(found.box.left + found.box.right) / 2, (found.box.top + found.box.bottom) / 2]
    size = small.picture.shape[1::-1] if turns % 2 == 0 else small.picture.shape[:2]
    assert np.allclose(middle, np.array(size) / 2, atol=8)


def test_a_first_scene_of_people_who_lie_hides_no_small_face_of_an_upright_one(
    head: RgbImage, engine: Engine
) -> None:
    detector = engine.open_detector(960)
    for _ in range(12):
        assert len(detector.detect(RgbPicture(place_face(head, 200, 90).picture))) == 1
    assert len(detector.detect(RgbPicture(place_face(head, 36).picture))) == 1


def test_a_few_heads_on_their_side_do_not_turn_an_upright_film(
    head: RgbImage, engine: Engine
) -> None:
    detector = engine.open_detector(960)
    for degrees in (0, 90, 0, 90, 0, 0, 90, 0):
        assert len(detector.detect(RgbPicture(place_face(head, 200, degrees).picture))) == 1
    assert len(detector.detect(RgbPicture(place_face(head, 32).picture))) == 1


# Photos


@pytest.mark.parametrize("height", [240, 360])
def test_faces_of_a_fifth_of_the_height_are_seen_in_small_videos_too(
    height: int, photos: Path, engine: Engine
) -> None:
    portrait = read_portrait(photos / "obama1.jpg")
    picture = np.full((height, height * 16 // 9, 3), 96, np.uint8)
    side = round(height * 0.45)
    picture[:side, :side] = cv2.resize(portrait, (side, side), interpolation=cv2.INTER_AREA)
    (found,) = faces_of_image(picture, engine, 1120)
    assert found.box.right < side
    assert found.box.width < height / 5


@pytest.mark.parametrize("width", [135, 180, 240, 320, 430, 570])
def test_faces_of_every_size_are_seen_upright_tilted_and_in_the_dark(
    width: int, head: RgbImage, engine: Engine
) -> None:
    for degrees, darker in ((0, 1), (25, 1), (0, 4)):
        placed = place_face(head, width, degrees)
        (found,) = detect(engine, placed.picture // darker)
        assert placed.is_at(found)
