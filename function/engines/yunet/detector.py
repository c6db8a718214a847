"""Finds the faces in a picture: candidates from a few quick passes, each then checked closely.

The quick passes take everything that may be a face. A small copy of the picture shows near heads,
and rotated by quarter turns also those on their side or upside down; a large copy shows distant
ones. The close check levels a candidate and scales it to the one size at which YuNet is most
reliable, so it can be trusted: what is not a face fails it, a leaning face that was barely detected
passes it, and the points of a tiny face are as exact as those of one that fills the picture.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from function.engines.copies import Copies
from function.engines.heads import Head, fit_head
from function.engines.protocol import Detection, Points
from function.engines.yunet.close_look import SURE_FROM, CloseLook, head_of
from function.engines.yunet.net import Guesses, YunetNet, share_of_smaller
from function.media.pictures import Picture, RgbImage

NEAR_PIXELS = 384
"""Longest side of the small copy. It shows faces of a thirtieth of the picture, and a face that
fills it is not too large: from some 400 pixels on YuNet takes one face for several."""

GUESS_FROM = 0.1
"""Score from which a quick pass's candidate is checked closely. All of 180 faces of 100 pixels in
1080p reach it, also those that lean by 45 degrees, half-way between two passes; 178 reach 0.15.
Each wrong candidate costs 2 ms."""

MOST_OF_PICTURE = 1.25
"""A candidate this many times as wide as the picture's shorter side is no face: of photographs cut
so close that a fifth of the face is gone, none has more than 1.24. Pictures of nothing look like
one face that fills them, on their side."""

SEEN_NEAR_PIXELS = 64.0
"""A candidate of the large copy that would be as wide in the small one has been looked for there,
at a size that suits the net better, and is not checked again. In films these were clouds, patterns
and ears."""

MOST_CLOSE_LOOKS = 150
"""At most this many candidates of one pass, or of the three rotated ones together, are checked; the
rest are dropped. So a picture of a crowd takes some 0.4 s at most."""

MOST_TOGETHER = 8
"""This many candidates are checked in one run at most: that takes less memory than a quick pass."""

REACH = 1.5
"""Candidates are checked together if boxes so many times as wide do not touch. Then a face that is
found at one of them hardly ever reaches another, which would be checked in vain."""

SAME_FACE_SHARE = 0.6
"""If two boxes share more of the smaller one than this, they hold the same face."""

TURNED_REST, FAR_REST = 2, 8
"""While somebody is seen near the camera, the passes over the rotated copies and the large copy are
skipped if they found nobody else: for one picture, then two, up to this many. Finding somebody ends
that. After a picture with nobody near they run in the next one too; if that is fruitless, they rest
as before it. A film of heads near the camera takes a quarter less time this way."""

WAY_UP_FACES, WAY_UP_SHARE = 5, 0.8
"""A film was shot sideways if this share of at least this many faces are rotated the same way. The
large copy is still searched unrotated too: a first scene may show people lying down."""

REMEMBERED_FACES = 40
"""After this many faces, the way in which earlier ones were rotated gets half the weight."""

HALF_TURN, THREE_QUARTERS = 2, 3
_CODES = (cv2.ROTATE_90_COUNTERCLOCKWISE, cv2.ROTATE_180, cv2.ROTATE_90_CLOCKWISE)


class _Rest:
    """Decides when passes that found nothing run again: after one picture, then two, ..."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._length = 0
        self._left = 0

    def is_over(self) -> bool:
        """Count a picture that could skip the passes; say whether to run them all the same."""
        self._left -= 1
        return self._left < 0

    def note(self, *, found: bool, is_due_again: bool) -> None:
        """Start to skip after a fruitless pass, for longer than the last time.

        If it `is_due_again` at once, as after a picture with nobody near, that does not change how
        long a fruitless pass is skipped afterwards.
        """
        if found:
            self._length = 0
        elif not is_due_again:
            self._length = min(self._length + 1, self._longest)
        self._left = 0 if is_due_again else self._length


@dataclass(frozen=True)
class _Look:
    """A quick pass: over a copy of this size, after this many quarter turns counterclockwise."""

    longest_pixels: int
    quarter_turns: int


class YunetDetector:
    """Finds the faces in one film's pictures, or in a photo, at any angle.

    It learns two things from the pictures it has seen: which way up the film was shot, and whether
    searching beyond the near faces finds anybody.
    """

    def __init__(self, net: YunetNet, longest_pixels: int) -> None:
        self._net = net
        self._closely = CloseLook(net)
        self._longest_pixels = longest_pixels
        self._far, self._turned = _Rest(FAR_REST), _Rest(TURNED_REST)
        self._way_up = 0
        self._ways_seen = [0, 0, 0, 0]

    def detect(self, picture: Picture) -> list[Detection]:
        """Find the faces in a picture, most certain first; all in the picture's own pixels."""
        copies = Copies(picture, {NEAR_PIXELS, self._longest_pixels})
        found = _Faces()
        self._look(copies, [_Look(NEAR_PIXELS, self._way_up)], found)
        can_rest = any(one.score >= SURE_FROM for one in found.all)
        for looks, rest in ((self._far_looks(picture), self._far), (self._turns(), self._turned)):
            if not can_rest or rest.is_over():
                before = len(found.all)
                self._look(copies, looks, found)
                rest.note(found=len(found.all) > before, is_due_again=not can_rest)
        self._notice_way_up(found.all)
        return sorted(found.all, key=lambda one: -one.score)

    def _far_looks(self, picture: Picture) -> list[_Look]:
        """Return the passes over the large copy; a small picture has none."""
        if min(self._longest_pixels, max(picture.width, picture.height)) <= NEAR_PIXELS:
            return []
        return [_Look(self._longest_pixels, turns) for turns in sorted({0, self._way_up})]

    def _turns(self) -> list[_Look]:
        return [_Look(NEAR_PIXELS, (self._way_up + turns) % 4) for turns in (1, 2, 3)]

    def _look(self, copies: Copies, looks: Iterable[_Look], found: "_Faces") -> None:
        """Run some quick passes, check their candidates closely, and add each new face."""
        guesses = deque(sorted(self._guess(copies, looks), key=lambda guess: -guess[0]))
        left = MOST_CLOSE_LOOKS
        while together := _take_apart(guesses, found, min(left, MOST_TOGETHER)):
            faces = self._closely.look(copies, together)
            for (_, head), face in zip(together, faces, strict=True):
                if found.hold(head):  # by one that was just found beside it, and reaches that far
                    continue
                left -= 1
                if face:
                    found.add(face)

    def _guess(self, copies: Copies, looks: Iterable[_Look]) -> Iterator[tuple[float, Head]]:
        taken = [(look, *copies.at(look.longest_pixels)) for look in looks]
        turned = [_turn(copy, look.quarter_turns) for look, copy, _ in taken]
        seen = self._net.look_at_each(turned, GUESS_FROM) if turned else []
        for (look, copy, scale), found in zip(taken, seen, strict=True):
            guesses = found.without_repeats()
            widest = _widest_pixels(copy, look) / scale
            for row, score in enumerate(guesses.scores.tolist()):
                head = _guessed_head(guesses, row, look.quarter_turns, copy, scale)
                if head.width <= widest:
                    yield score, head

    def _notice_way_up(self, found: Sequence[Detection]) -> None:
        """Count which way up the faces are, and turn the film if nearly all agree."""
        for face in found:
            if face.score >= SURE_FROM:
                self._ways_seen[round(head_of(face).roll_degrees / 90) % 4] += 1
        if sum(self._ways_seen) > REMEMBERED_FACES:
            self._ways_seen = [count // 2 for count in self._ways_seen]
        faces, most = sum(self._ways_seen), max(self._ways_seen)
        if faces >= WAY_UP_FACES and most >= WAY_UP_SHARE * faces:
            self._way_up = self._ways_seen.index(most)


class _Faces:
    """The faces of one picture, each once."""

    def __init__(self) -> None:
        self.all: list[Detection] = []
        self._corners: list[tuple[float, float, float, float]] = []

    def hold(self, head: Head) -> bool:
        """Whether a face was already found where this head is."""
        if not self._corners:
            return False
        own = np.array(_corners(head), np.float32)
        shares = share_of_smaller(own, np.array(self._corners, np.float32))
        return bool((shares > SAME_FACE_SHARE).any())

    def add(self, face: Detection) -> None:
        """Add a face, unless it is already there."""
        head = head_of(face)
        if not self.hold(head):
            self.all.append(face)
            self._corners.append(_corners(head))


def _take_apart(
    guesses: deque[tuple[float, Head]], found: _Faces, most: int
) -> list[tuple[float, Head]]:
    """Take the next candidates where no face was found yet, until one is too near to another.

    That may be the same face, and is checked only if the other is none.
    """
    taken: list[tuple[float, Head]] = []
    while guesses and len(taken) < most:
        _, head = guesses[0]
        if any(_touch(head, other) for _, other in taken):
            break
        guess = guesses.popleft()
        if not found.hold(head):
            taken.append(guess)
    return taken


def _touch(head: Head, other: Head) -> bool:
    apart = max(abs(head.x - other.x), abs(head.y - other.y))
    return apart < REACH * (head.width + other.width) / 2


def _guessed_head(
    guesses: Guesses, row: int, quarter_turns: int, copy: RgbImage, scale: float
) -> Head:
    """Convert a candidate in the rotated copy to a head in the picture.

    Its place and size are the box's: the points of a leaning face are unreliable, and only show how
    far it may be rotated.
    """
    box = guesses.boxes[row].reshape(2, 2)
    corners = (_unturn(box, quarter_turns, copy) + 0.5) / scale - 0.5
    middle, sides = corners.mean(axis=0), np.abs(corners[1] - corners[0])
    lean = fit_head(_unturn(guesses.points[row], quarter_turns, copy)).roll_degrees
    return Head(float(middle[0]), float(middle[1]), max(1.0, float(sides.min())), lean, 0.0)


def _widest_pixels(copy: RgbImage, look: _Look) -> float:
    """Return how wide a face can be that is searched for in a copy, in its pixels."""
    height, width = copy.shape[:2]
    most, longest = MOST_OF_PICTURE * float(min(height, width)), float(max(height, width))
    if look.longest_pixels == NEAR_PIXELS or longest <= NEAR_PIXELS:
        return most
    return min(most, SEEN_NEAR_PIXELS * longest / NEAR_PIXELS)


def _turn(copy: RgbImage, quarter_turns: int) -> RgbImage:
    """Turn a copy counterclockwise, by 0 to 3 quarters."""
    if not quarter_turns:
        return copy
    return cv2.rotate(copy, _CODES[quarter_turns - 1]).astype(np.uint8, copy=False)


def _unturn(points: Points, quarter_turns: int, copy: RgbImage) -> Points:
    """Map points (n, 2) of a copy that was turned counterclockwise back to the copy."""
    height, width = copy.shape[:2]
    across, down = points[:, 0], points[:, 1]
    if quarter_turns == 1:
        across, down = width - 1 - down, across
    elif quarter_turns == HALF_TURN:
        across, down = width - 1 - across, height - 1 - down
    elif quarter_turns == THREE_QUARTERS:
        across, down = down, height - 1 - across
    return np.stack([across, down], axis=1)


def _corners(head: Head) -> tuple[float, float, float, float]:
    reach = head.width / 2
    return head.x - reach, head.y - reach, head.x + reach, head.y + reach
