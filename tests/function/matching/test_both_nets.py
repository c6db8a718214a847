"""People are compared by both nets where photos have both, and by the first where they have not."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from db.errors import OtherModelError
from db.models import Fusion
from db.people import PersonFound
from db.records import Performer, Vector, Vectors
from db.snapshots import Rejections, Snapshot, fuse
from function.engines.models import BOTH, BOTH_BEFORE, PRIMARY, SECOND
from function.matching import scores
from function.matching.comparisons import choose_densities
from function.matching.densities import densities_of
from function.matching.hints import Hint
from function.matching.matches import (
    Identification,
    Match,
    VideoPeople,
    judge,
    match_people,
    match_videos,
)
from function.matching.scores import Comparison, compare, weigh_candidates
from tests.support.crowds import Crowd, make_face, make_gallery
from tests.support.people import person_of

PEOPLE = 12


class Twice:
    """Draws people who have a place in the space of each net.

    What the second net says fills part of its numbers, and the rest are 0, see `filled_up`.
    """

    def __init__(self, seed: int = 1) -> None:
        self.first = Crowd(seed, person_spread=0.33)
        self.second = Crowd(seed + 100)

    def person(self) -> tuple[Vector, Vector]:
        return self.first.person(), self.second.direction(0.7)

    def photos(
        self, person: tuple[Vector, Vector], count: int, spread: float = 0.75
    ) -> tuple[Vectors, Vectors]:
        second = np.stack([person[1] + self.second.direction(spread) for _ in range(count)])
        lengths = np.linalg.norm(second, axis=1, keepdims=True)
        first = self.first.encodings(person[0], count, spread=0.42)
        return first, (second / lengths).astype(np.float32)


def filled_up(second: Vectors, fusion: Fusion) -> Vectors:
    """Give made-up encodings as many numbers as the second net's have; distances stay."""
    missing = fusion.parts[1].dimensions - second.shape[-1]
    return np.pad(second, [(0, 0)] * (second.ndim - 1) + [(0, missing)])


def gallery_of(
    photos: Sequence[tuple[Vectors, Vectors]], complete: Sequence[int], fusion: Fusion = BOTH
) -> Snapshot:
    """P0, P1, ... with these photos; only those at the places `complete` have the second net's."""
    gallery = make_gallery([first for first, _ in photos])
    kept = [(place, *photos[place]) for place in complete]
    first, second = (np.concatenate([one[net] for one in kept]) for net in (1, 2))
    owners = np.concatenate([np.full(len(one[1]), one[0]) for one in kept]).astype(np.intp)
    qualities = np.full(len(owners), 0.73, np.float32)
    fused = fuse(fusion, (first, filled_up(second, fusion)), qualities, owners, people=len(photos))
    assert fused
    return replace(gallery, fused=(fused,))


def seen(
    photos: tuple[Vectors, Vectors], *, twice: bool = True, fusion: Fusion = BOTH
) -> PersonFound:
    firsts, seconds = photos[0], filled_up(photos[1], fusion)
    return person_of(
        [
            replace(make_face(first, frame), second=second if twice else None)
            for frame, (first, second) in enumerate(zip(firsts, seconds, strict=True))
        ]
    )


def identify(person: PersonFound, gallery: Snapshot) -> Identification:
    (found,) = match_people([person], gallery, min_score=0, limit=1000)
    return found


def score(person: PersonFound, gallery: Snapshot, name: str) -> float:
    matches = identify(person, gallery).matches
    return next((one.score for one in matches if one.performer.name == name), 0.0)


def test_two_nets_name_more_people_right_than_one() -> None:
    crowd = Twice()
    people = [crowd.person() for _ in range(PEOPLE)]
    gallery = gallery_of([crowd.photos(person, 1) for person in people], range(PEOPLE))
    by_one, by_both = [], []
    for place, person in enumerate(people):
        photos = crowd.photos(person, 1)
        by_one.append(score(seen(photos, twice=False), gallery, f"P{place}"))
        by_both.append(score(seen(photos), gallery, f"P{place}"))
    assert sum(both >= 90 for both in by_both) > sum(one >= 90 for one in by_one) + 1


def test_a_performer_without_the_second_nets_encodings_is_found_among_those_with() -> None:
    crowd = Twice()
    people = [crowd.person() for _ in range(PEOPLE)]
    photos = [crowd.photos(person, 3) for person in people]
    gallery = gallery_of(photos, [place for place in range(PEOPLE) if place != 4])
    for place in (4, 5):
        found = identify(seen(crowd.photos(people[place], 3)), gallery)
        assert found.verdict == "match"
        assert found.matches[0].performer.name == f"P{place}"
        assert sum(match.score for match in found.matches) <= 100
    stranger = identify(seen(crowd.photos(crowd.person(), 3)), gallery)
    assert stranger.verdict == "unknown"


def test_one_complete_photo_does_not_hide_the_nine_that_are_not() -> None:
    crowd = Twice()
    people = [crowd.person() for _ in range(PEOPLE)]
    photos = [crowd.photos(person, 9) for person in people]
    whole = gallery_of(photos, range(PEOPLE))
    first, second = (np.concatenate([one[net][:1] for one in photos]) for net in (0, 1))
    qualities = np.full(PEOPLE, 0.73, np.float32)
    one_each = fuse(BOTH, (first, second), qualities, np.arange(PEOPLE), people=PEOPLE)
    assert one_each
    partly, never = replace(whole, fused=(one_each,)), replace(whole, fused=())
    probe = seen(crowd.photos(people[3], 1))
    assert score(probe, partly, "P3") == score(probe, never, "P3")
    assert score(probe, whole, "P3") != score(probe, never, "P3")


@pytest.mark.parametrize(
    ("fusion", "photos_by_one", "is_taken"),
    [(BOTH, 4, True), (BOTH, 9, False), (BOTH_BEFORE, 2, True), (BOTH_BEFORE, 4, False)],
)
def test_one_photo_by_both_nets_is_taken_rather_than_a_few_by_the_first(
    fusion: Fusion, photos_by_one: int, *, is_taken: bool
) -> None:
    crowd = Twice()
    people = [crowd.person() for _ in range(PEOPLE)]
    photos = [crowd.photos(person, 1) for person in people]
    many = make_gallery([crowd.photos(person, photos_by_one)[0] for person in people])
    partly = replace(many, fused=gallery_of(photos, range(PEOPLE), fusion).fused)
    probe = seen(crowd.photos(people[3], 1), fusion=fusion)
    matches = identify(probe, partly).matches
    assert {match.by_both for match in matches} == {is_taken}


def test_where_the_first_net_disagrees_the_second_is_believed_less() -> None:
    crowd = Twice()
    people = [crowd.person() for _ in range(PEOPLE)]
    unsure = 0.8  # of photos on which the second net has doubts
    photos = [crowd.photos(person, 1, unsure) for person in people]
    gallery = gallery_of(photos, range(PEOPLE))
    agreed, disagreed = [], []
    for place, person in enumerate(people):
        first, second = crowd.photos(person, 1, unsure)
        other, _ = crowd.photos(people[place - 1], 1)
        agreed.append(score(seen((first, second)), gallery, f"P{place}"))
        disagreed.append(score(seen((other, second)), gallery, f"P{place}"))
    assert np.mean(disagreed) < np.mean(agreed) - 10


def test_a_rejected_performer_is_left_out_of_both_comparisons() -> None:
    crowd = Twice()
    people = [crowd.person() for _ in range(PEOPLE)]
    gallery = gallery_of([crowd.photos(person, 3) for person in people], range(PEOPLE))
    probe = crowd.photos(people[2], 3)
    mean = probe[0].mean(axis=0)
    rejected = replace(
        gallery,
        rejections=Rejections(mean[None], np.array([2], np.intp)),
        performers=gallery.performers,
    )
    assert score(seen(probe), gallery, "P2") > 90
    assert score(seen(probe), rejected, "P2") == 0


def test_a_fusion_without_densities_is_refused() -> None:
    crowd = Twice()
    gallery = gallery_of([crowd.photos(crowd.person(), 2) for _ in range(3)], range(3))
    assert [one.model for one in choose_densities(gallery)] == [PRIMARY.id, BOTH.space.id]
    with pytest.raises(OtherModelError, match=f"holds those of .*{SECOND.id}"):
        choose_densities(gallery, [densities_of(PRIMARY.id)])


def test_strangers_who_look_like_the_probe_count_most(monkeypatch: pytest.MonkeyPatch) -> None:
    crowd = Crowd()
    family = Crowd(2, person_spread=0.25)
    family.middle = crowd.person() * np.float32(1.3)
    relatives = [family.person() for _ in range(6)]
    others = [crowd.person() for _ in range(60)]
    everyone = [family.encodings(one, 1) for one in relatives] + [
        crowd.encodings(one, 1) for one in others
    ]
    probe = family.encodings(relatives[0], 1)[0]
    gallery = make_gallery(everyone)
    everyone = np.arange(len(gallery.performers))
    comparison = Comparison(
        probe[None], np.ones(1), everyone, gallery.templates, densities_of(PRIMARY.id)
    )
    weighed = compare(comparison)
    monkeypatch.setattr(scores, "NEAREST", 1e9)
    alike = compare(comparison)
    place = weighed.positions.tolist().index(1)
    assert weighed.logs[place] < alike.logs[place] - 0.5


def test_nobody_enrolled_is_nobody_to_weigh() -> None:
    gallery = make_gallery([np.empty((0, 128), np.float32)])
    nobody = np.empty(0, np.intp)
    probe = np.zeros((1, 128), np.float32)
    comparison = Comparison(probe, np.ones(1), nobody, gallery.templates, densities_of(PRIMARY.id))
    assert len(weigh_candidates([comparison], 0).positions) == 0
    assert len(weigh_candidates([], 0).positions) == 0


def test_who_is_seen_only_blurred_or_dark_is_named_if_both_nets_are_sure() -> None:
    crowd = Twice()
    people = [crowd.person() for _ in range(PEOPLE)]
    gallery = gallery_of([crowd.photos(person, 3) for person in people], range(PEOPLE))
    first, second = crowd.photos(people[2], 1)
    second = filled_up(second, BOTH)

    def verdict(*weaknesses: str, twice: bool = True) -> str:
        face = replace(make_face(first[0]), second=second[0] if twice else None)
        return identify(person_of([replace(face, weaknesses=weaknesses)]), gallery).verdict

    assert verdict() == "match"
    assert verdict("blurred") == verdict("too dark", "blurred") == "match"
    assert verdict("blurred", twice=False) != "match"
    for other in ("turned away", "small (20 px)", "doubtful", "too bright"):
        assert verdict(other) != "match"
        assert verdict(other, "blurred") != "match"


def test_however_sure_one_net_alone_is_a_blurred_face_is_not_named_by_it() -> None:
    (first,) = Crowd().encodings(Crowd().person(), 1)
    blurred = person_of([make_face(first, weakness="blurred")])
    sure = Match(Performer(1, "P0"), 0.3, 99.0, by_both=True)
    assert judge(blurred, [sure]).verdict == "match"
    assert judge(blurred, [replace(sure, by_both=False)]).verdict == "uncertain"


def test_a_blurred_face_is_not_named_where_a_sharp_one_only_just_is() -> None:
    crowd = Twice()
    people = [crowd.person() for _ in range(PEOPLE)]
    gallery = gallery_of([crowd.photos(person, 3) for person in people], range(PEOPLE))
    (first, second), other = crowd.photos(people[2], 1), crowd.photos(crowd.person(), 1)
    verdicts = set()
    for share in np.linspace(0, 1, 21):
        nets = ((first, other[0]), (second, other[1]))
        by_first, by_second = (one[0] + share * (two[0] - one[0]) for one, two in nets)
        filled = filled_up(by_second.astype(np.float32), BOTH)
        sharp = replace(make_face(by_first), second=filled)
        blurred = replace(sharp, weaknesses=("blurred",))
        verdicts.add(tuple(identify(person_of([one]), gallery).verdict for one in (sharp, blurred)))
    assert ("match", "match") in verdicts
    assert ("match", "uncertain") in verdicts
    assert not verdicts & {("uncertain", "match"), ("unknown", "match")}


@pytest.mark.parametrize("seed", range(4))
def test_videos_matched_together_say_what_each_says_alone(seed: int) -> None:
    """Random galleries: some complete, some not, some rejected; hints and people without names."""
    random = np.random.default_rng(seed)
    crowd = Twice(seed)
    people = [crowd.person() for _ in range(int(random.integers(3, 90)))]
    photos = [crowd.photos(person, int(random.integers(1, 5))) for person in people]
    complete = random.choice(len(people), len(people) // 2 + 1, replace=False)
    videos = []
    for _ in range(25):
        cast = [people[int(random.integers(len(people)))], crowd.person(), crowd.person()]
        found = [
            seen(crowd.photos(one, int(random.integers(1, 4))), twice=random.random() < 0.8)
            for one in cast
        ]
        hints = [Hint(1 + int(random.integers(len(people))), "path")]
        videos.append(VideoPeople(found, hints if random.random() < 0.3 else []))
    gallery = gallery_of(photos, complete.tolist())
    rejected = np.stack([video.people[0].views[0].encodings[0] for video in videos[:4]])
    owners = random.integers(0, len(people), len(rejected)).astype(np.intp)
    gallery = replace(gallery, rejections=Rejections(rejected, owners))
    together = match_videos(videos, gallery, min_score=0, limit=1000)
    assert {one.verdict for video in together for one in video} >= {"match", "unknown"}
    for video, found in zip(videos, together, strict=True):
        (alone,) = match_videos([video], gallery, min_score=0, limit=1000)
        assert [told(one) for one in found] == [told(one) for one in alone]


def told(one: Identification) -> tuple[object, ...]:
    return one.matches, one.verdict, one.members, one.rejected
