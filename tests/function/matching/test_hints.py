"""What hints add to a face, and what they never can."""

from dataclasses import replace

import numpy as np
import pytest

from db.records import Performer, Vector
from db.snapshots import Rejections, Snapshot
from function.matching.hints import (
    HINT_PRIORS,
    Hint,
    hint_alike,
    kinds_of,
    priors_of_each,
    raise_odds,
)
from function.matching.matches import Identification, match_people
from function.people.people import PersonFound
from tests.support.crowds import Crowd, make_face, make_faces, make_gallery
from tests.support.people import person_of
from tools.accuracy.crowds import add_strangers

NAMED = hint_alike([1], "path")
"""A hint at P0."""


def crowded(crowd: Crowd) -> tuple[Vector, Snapshot]:
    """P0 with one photo, among strangers; also what P0 looks like."""
    centre = crowd.person()
    photos = [crowd.encodings(centre, 1), *(crowd.encodings(crowd.person(), 1) for _ in range(9))]
    return centre, add_strangers(make_gallery(photos), 300, np.random.default_rng(3))


def identify(
    person: PersonFound, gallery: Snapshot, hints: tuple[Hint, ...] = ()
) -> Identification:
    (found,) = match_people([person], gallery, min_score=0, limit=1000, hints=hints)
    return found


def likely(crowd: Crowd, centre: Vector, gallery: Snapshot) -> PersonFound:
    """Somebody whom the face alone makes uncertain to be P0."""
    for _ in range(100):
        person = person_of([make_face(crowd.encodings(centre, 1, 0.36)[0])])
        found = identify(person, gallery)
        if found.verdict == "uncertain" and found.matches[0].performer.id == 1:
            return person
    raise AssertionError("the crowd has changed: nobody is uncertain")


def test_a_hint_makes_a_likely_name_a_certain_one_and_is_told() -> None:
    crowd = Crowd()
    centre, gallery = crowded(crowd)
    person = likely(crowd, centre, gallery)
    hinted = identify(person, gallery, NAMED)
    assert hinted.verdict == "match"
    assert hinted.matches[0].performer.name == "P0"
    assert hinted.matches[0].hints == ("path",)
    assert not any(match.hints for match in hinted.matches[1:])
    assert not any(match.hints for match in identify(person, gallery).matches)


def test_a_hint_that_the_face_speaks_against_is_not_told() -> None:
    crowd = Crowd()
    centre, gallery = crowded(crowd)
    person = likely(crowd, centre, gallery)
    last = identify(person, gallery).matches[-1].performer.id
    hinted = identify(person, gallery, hint_alike([last], "path"))
    assert hinted.matches[-1].performer.id == last
    assert not any(match.hints for match in hinted.matches)


def test_no_hint_names_a_person_whose_face_does_not_agree() -> None:
    crowd = Crowd()
    _, gallery = crowded(crowd)
    everything = tuple(Hint(1, kind) for kind in HINT_PRIORS)
    for _ in range(20):
        stranger = person_of(make_faces(crowd.encodings(crowd.person(), 3)))
        assert identify(stranger, gallery, everything).verdict == "unknown"


def test_a_hint_never_counts_for_more_than_the_face() -> None:
    ratios = np.array([0.01, 1.0, 7.0, 1e6])
    hinted, usual = np.full(4, 0.1), 0.001
    assert raise_odds(hinted, usual, ratios) == pytest.approx([1, 1, 7, 1 + 0.1 / 0.9 / usual])
    assert raise_odds(np.zeros(4), usual, ratios).tolist() == [1, 1, 1, 1]


def test_a_hint_at_another_performer_leaves_a_certain_name_alone() -> None:
    crowd = Crowd()
    centre, gallery = crowded(crowd)
    person = person_of([make_face(centre)])
    plain, hinted = (identify(person, gallery, one) for one in ((), hint_alike([5], "path")))
    assert plain.verdict == hinted.verdict == "match"
    assert hinted.matches[0].score == pytest.approx(plain.matches[0].score, abs=0.1)


def test_scores_with_hints_are_still_shares_of_one_whole() -> None:
    crowd = Crowd()
    centre, gallery = crowded(crowd)
    found = identify(likely(crowd, centre, gallery), gallery, hint_alike([1, 2, 3], "tag"))
    assert sum(match.score for match in found.matches) <= 100.5


def test_a_hint_at_somebody_rejected_or_unknown_changes_nothing() -> None:
    crowd = Crowd()
    centre, gallery = crowded(crowd)
    person = likely(crowd, centre, gallery)
    face = person.views[0].encodings[0]
    rejected = replace(gallery, rejections=Rejections(face[None], np.array([0])))
    assert "P0" not in {match.performer.name for match in identify(person, rejected, NAMED).matches}
    plain, unknown = (identify(person, gallery, one) for one in ((), hint_alike([9999], "path")))
    assert [one.score for one in plain.matches] == [one.score for one in unknown.matches]


def test_two_sightings_of_a_hinted_performer_are_joined_with_the_hint_still_counted() -> None:
    crowd = Crowd()
    centre, gallery = crowded(crowd)
    later = likely(crowd, centre, gallery)
    sure = person_of([make_face(centre, frame=50)])
    (joined,) = match_people([sure, later], gallery, hints=NAMED)
    assert joined.person.faces == 2
    assert joined.matches[0].hints == ("path",)


def test_several_who_are_named_share_the_prior_and_the_strongest_hint_counts() -> None:
    performers = [Performer(number, f"P{number}") for number in (4, 5, 6)]
    both = hint_alike([4, 6, 4], "path")
    (of_both,) = priors_of_each([both], performers).values()
    assert of_both == pytest.approx([0.05, 0, 0.05])
    also = (*both, Hint(6, "tag"))
    (of_also,) = priors_of_each([also], performers).values()
    assert of_also == pytest.approx([0.05, 0, 0.1])
    assert kinds_of(also, 6) == ("path", "tag")
    assert kinds_of(also, 5) == ()
    several = priors_of_each([(), both, also, both], performers)
    assert (set(several), several[2].tolist()) == ({1, 2, 3}, of_also.tolist())
    assert several[1] is several[3], "those of one video take the memory of one"
    assert priors_of_each([(), ()], performers) == {}
