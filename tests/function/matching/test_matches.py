"""Who a person is, and what the score promises."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from db.errors import DamagedVectorError, OtherModelError
from db.people import PersonFound
from db.records import Performer, Vector, Vectors
from db.snapshots import Snapshot
from function.engines.models import BOTH, PRIMARY
from function.matching.densities import (
    densities_of,
    own_density,
    read_densities,
    shipped_densities,
    stranger_density,
    write_densities,
)
from function.matching.matches import (
    MATCH_FROM,
    MENDED_FROM,
    UNCERTAIN_FROM,
    Identification,
    match_people,
)
from tests.support.crowds import Crowd, make_face, make_faces, make_gallery
from tests.support.people import group_faces, person_of
from tools.accuracy.crowds import add_strangers
from tools.accuracy.labelled import Dataset
from tools.accuracy.trials import make_trials, run_trial


def identify(person: PersonFound, gallery: Snapshot, min_score: float = 0) -> Identification:
    (found,) = match_people([person], gallery, min_score=min_score, limit=1000)
    return found


def someone(encoding: Vector, frame: int = 0) -> PersonFound:
    return person_of([make_face(encoding, frame)])


def score_of(found: Identification, name: str) -> float:
    return next((match.score for match in found.matches if match.performer.name == name), 0.0)


def enrol(crowd: Crowd, people: int, photos: int = 3) -> tuple[list[Vector], list[Vectors]]:
    centres = [crowd.person() for _ in range(people)]
    return centres, [crowd.encodings(centre, photos) for centre in centres]


def test_the_right_performer_is_named_and_a_stranger_is_not() -> None:
    crowd = Crowd()
    centres, enrolled = enrol(crowd, 20)
    gallery = make_gallery(enrolled)
    probe = person_of(make_faces(crowd.encodings(centres[7], 5)))
    found = identify(probe, gallery, UNCERTAIN_FROM)
    assert found.verdict == "match"
    assert found.matches[0].performer.name == "P7"
    stranger = person_of(make_faces(crowd.encodings(crowd.person(), 5)))
    found = identify(stranger, gallery)
    assert (found.verdict, found.matches) == ("unknown", ())


def test_one_photo_and_one_face_are_enough_when_they_are_near() -> None:
    crowd = Crowd()
    centres, enrolled = enrol(crowd, 20, photos=1)
    found = identify(someone(crowd.encodings(centres[3], 1)[0]), make_gallery(enrolled))
    assert found.verdict == "match"
    assert found.matches[0].performer.name == "P3"


def test_no_score_is_a_hundred_and_all_have_one_decimal() -> None:
    crowd = Crowd()
    _, enrolled = enrol(crowd, 5)
    found = identify(someone(enrolled[2].mean(axis=0)), make_gallery(enrolled))
    assert 99 < found.matches[0].score < 100
    assert all(match.score == round(match.score, 1) for match in found.matches)


def test_the_list_is_ranked_by_the_number_it_shows() -> None:
    crowd = Crowd(person_spread=0.2)
    centres, enrolled = enrol(crowd, 30, photos=1)
    for centre in centres[:10]:
        found = identify(someone(centre + crowd.direction(0.25)), make_gallery(enrolled))
        scores = [match.score for match in found.matches]
        assert scores == sorted(scores, reverse=True)
        assert sum(scores) <= 100.5


def test_the_score_falls_as_the_gallery_grows() -> None:
    crowd = Crowd()
    centres, enrolled = enrol(crowd, 1, photos=1)
    probe = someone(crowd.encodings(centres[0], 1, 0.36)[0])
    small = make_gallery([*enrolled, *enrol(Crowd(5), 10, photos=1)[1]])
    scores = [
        score_of(identify(probe, add_strangers(small, count, np.random.default_rng(3))), "P0")
        for count in (0, 1_000, 100_000)
    ]
    assert scores[0] > scores[1] > scores[2]


def test_the_score_falls_as_another_performer_comes_near() -> None:
    crowd = Crowd()
    centres, enrolled = enrol(crowd, 10, photos=1)
    probe = someone(centres[0])
    alone = identify(probe, make_gallery(enrolled))
    enrolled[1] = enrolled[0] + crowd.direction(0.1)
    beside_a_twin = identify(probe, make_gallery(enrolled))
    assert alone.verdict == "match"
    assert beside_a_twin.verdict == "uncertain"
    assert {match.performer.name for match in beside_a_twin.matches[:2]} == {"P0", "P1"}


def test_two_performers_with_the_same_photo_are_never_a_match() -> None:
    crowd = Crowd()
    photo = crowd.encodings(crowd.person(), 1)
    found = identify(someone(photo[0]), make_gallery([photo, photo]))
    assert found.verdict != "match"


def test_where_the_enrolled_look_alike_a_distance_means_less() -> None:
    scores = []
    for crowd in (Crowd(person_spread=0.33), Crowd(person_spread=0.45)):
        gallery = make_gallery([crowd.encodings(crowd.person(), 6, 0.15) for _ in range(8)])
        way = crowd.person() - gallery.templates.means[0]
        probe = someone(gallery.templates.means[0] + 0.42 * way / np.linalg.norm(way))
        scores.append(score_of(identify(probe, gallery), "P0"))
    alike, different = scores
    assert alike < UNCERTAIN_FROM
    assert different > 4 * alike


def test_people_under_one_lamp_are_named_and_the_one_not_enrolled_is_not() -> None:
    for seed in range(10):
        crowd = Crowd(seed, person_spread=0.33)
        people = [crowd.person() for _ in range(5)]
        enrolled = [crowd.encodings(person, 6, 0.17) for person in people]
        probes = [person_of(make_faces(crowd.encodings(person, 6, 0.17))) for person in people]
        for left_out, probe in enumerate(probes):
            found = identify(probe, make_gallery(enrolled))
            assert found.verdict == "match"
            assert found.matches[0].performer.name == f"P{left_out}"
            others = [one for number, one in enumerate(enrolled) if number != left_out]
            assert identify(probe, make_gallery(others)).verdict != "match"


def test_someone_known_from_weak_faces_alone_is_never_named() -> None:
    crowd = Crowd()
    _, enrolled = enrol(crowd, 3)
    centre = enrolled[0].mean(axis=0)
    weak = [make_face(centre, frame, weakness="blurred") for frame in range(5)]
    (group,) = group_faces(weak)
    assert identify(person_of(group), make_gallery(enrolled)).verdict == "uncertain"


def test_min_score_and_limit_shorten_the_list_and_leave_the_rest_alone() -> None:
    crowd = Crowd()
    photo = crowd.encodings(crowd.person(), 1)
    gallery = make_gallery([photo, photo + crowd.direction(0.05), photo + crowd.direction(0.05)])
    probe = someone(photo[0])
    whole = identify(probe, gallery, 0)
    assert len(whole.matches) == 3
    (shortened,) = match_people([probe], gallery, min_score=0, limit=2)
    assert shortened.matches == whole.matches[:2]
    assert whole.verdict == "uncertain"
    nobody = identify(probe, gallery, min_score=99)
    assert (nobody.verdict, nobody.matches) == ("unknown", ())


def test_a_performer_is_named_once_among_people_who_share_a_frame() -> None:
    crowd = Crowd()
    centres, enrolled = enrol(crowd, 10)
    near, far = centres[0] + crowd.direction(0.05), centres[0] + crowd.direction(0.33)
    people = [someone(far, 4), someone(near, 4)]
    found = match_people(people, make_gallery(enrolled))
    assert [one.verdict for one in found] == ["uncertain", "match"]
    assert all(one.matches[0].performer.name == "P0" for one in found)
    assert found[0].matches[0].score < MATCH_FROM


def test_two_groups_that_are_named_alike_and_never_meet_become_one_person() -> None:
    crowd = Crowd()
    centres, enrolled = enrol(crowd, 10)
    day, night = crowd.encodings(centres[2], 2)
    other = person_of(make_faces(crowd.encodings(centres[5], 2), 6))
    people = [person_of(make_faces(np.stack([day]), 0)), other, someone(night, 3)]
    found = match_people(people, make_gallery(enrolled))
    assert [one.matches[0].performer.name for one in found] == ["P2", "P5"]
    assert [one.frame for one in found[0].person.seen] == [0, 3]


def test_a_weak_face_takes_the_name_from_nobody() -> None:
    crowd = Crowd()
    centres, enrolled = enrol(crowd, 2)
    gallery = make_gallery(enrolled)
    away = crowd.direction(1.0)
    named = next(
        person
        for reach in np.arange(0.25, 0.5, 0.005)
        for person in [someone(centres[0] + reach * away, 4)]
        if MATCH_FROM <= score_of(identify(person, gallery), "P0") < 98
    )
    weak = person_of([make_face(centres[0] + crowd.direction(0.02), 4, weakness="blurred")])
    assert score_of(identify(weak, gallery), "P0") > score_of(identify(named, gallery), "P0")
    assert score_of(identify(weak, gallery), "P0") >= MATCH_FROM
    found = match_people([weak, named], gallery)
    assert [one.verdict for one in found] == ["uncertain", "match"]


def test_someone_probable_joins_a_match_that_is_never_seen_beside_them() -> None:
    crowd = Crowd()
    centres, enrolled = enrol(crowd, 10)
    gallery = make_gallery(enrolled)
    sure = someone(centres[2] + crowd.direction(0.1), 0)
    away = crowd.direction(1.0)
    probable = next(
        person
        for reach in np.arange(0.3, 0.6, 0.005)
        for person in [someone(centres[2] + reach * away, 5)]
        if MENDED_FROM <= score_of(identify(person, gallery), "P2") < MATCH_FROM
    )
    assert identify(probable, gallery).verdict == "uncertain"
    (joined,) = match_people([probable, sure], gallery)
    assert (joined.verdict, joined.person.faces) == ("match", 2)
    beside = someone(centres[2] + crowd.direction(0.1), 5)
    assert len(match_people([probable, beside], gallery)) == 2


def test_an_empty_gallery_knows_nobody() -> None:
    found = identify(someone(Crowd().person()), make_gallery([]))
    assert (found.verdict, found.matches) == ("unknown", ())
    assert match_people([], make_gallery([])) == []


def test_a_gallery_of_one_names_that_one_only() -> None:
    crowd = Crowd()
    centres, enrolled = enrol(crowd, 1)
    assert identify(someone(centres[0]), make_gallery(enrolled)).verdict == "match"
    assert identify(someone(crowd.person()), make_gallery(enrolled)).verdict == "unknown"


def test_a_performer_without_encodings_is_never_named_and_changes_no_score() -> None:
    crowd = Crowd()
    centres, enrolled = enrol(crowd, 5)
    gallery = make_gallery(enrolled)
    probe = someone(centres[1])
    before = identify(probe, gallery)
    with_empty = replace(gallery, performers=(*gallery.performers, Performer(99, "Empty")))
    assert [match.score for match in identify(probe, with_empty).matches] == [
        match.score for match in before.matches
    ]


def test_encodings_of_another_model_are_refused() -> None:
    gallery = make_gallery(
        [Crowd().encodings(Crowd().person(), 1)], model=replace(PRIMARY, id="other-net/3")
    )
    with pytest.raises(OtherModelError, match="other-net/3"):
        match_people([someone(Crowd().person())], gallery)


def test_an_encoding_that_is_no_number_is_named_in_the_error() -> None:
    enrolled = enrol(Crowd(), 3)[1]
    enrolled[1][2, 5] = np.nan
    with pytest.raises(DamagedVectorError, match="P1"):
        match_people([someone(Crowd().person())], make_gallery(enrolled))


def test_nearer_is_never_less_likely_to_be_the_same_person() -> None:
    densities = shipped_densities()
    distances = np.linspace(0.01, 1.2, 400)
    for residual in (0.02, 0.05, 0.17):
        noise = np.full_like(distances, residual)
        own = own_density(distances, noise, densities)
        ratios = own / stranger_density(distances, noise, densities)
        assert (np.diff(ratios) <= 0).all()
        assert ratios[0] > 100 * ratios[-1]


def test_densities_read_as_they_were_written(tmp_path: Path) -> None:
    written = replace(shipped_densities(), own_variance=0.08)
    write_densities(written, tmp_path / "densities.json")
    assert read_densities(tmp_path / "densities.json") == written
    (tmp_path / "other.json").write_text('{"model": "x"}')
    with pytest.raises(ValueError, match=r"other\.json does not hold densities"):
        read_densities(tmp_path / "other.json")


def test_a_fit_from_before_sizes_counted_says_what_it_said(tmp_path: Path) -> None:
    old = asdict(shipped_densities())
    del old["size_slope"], old["most_performers"]
    (tmp_path / "old.json").write_text(json.dumps(old))
    read = read_densities(tmp_path / "old.json")
    assert [read.among(performers) for performers in (1, 7, 10_000)] == [read] * 3


def test_in_a_smaller_gallery_a_ratio_promises_less_down_to_one_performer() -> None:
    densities = densities_of(BOTH.space.id)
    sizes = (0, 1, 2, 5, densities.most_performers, 10_000)
    offsets = [densities.among(performers).offset for performers in sizes]
    assert offsets[0] == offsets[1] < offsets[2] < offsets[3] < offsets[4] == offsets[5]
    # It never takes back all that a larger share of the prior gives.
    assert offsets[4] - offsets[1] < np.log(densities.most_performers)
    assert densities.among(5).among(5) == densities.among(5)


def test_a_doubtful_person_is_less_certain_in_a_small_gallery_by_the_term_for_its_size() -> None:
    crowd = Crowd()
    shipped = shipped_densities()
    odds = {}
    for performers in (2, 30):
        centres = [crowd.person() for _ in range(performers)]
        gallery = make_gallery([crowd.encodings(centre, 1) for centre in centres])
        probe = someone(crowd.encodings(centres[0], 1, spread=0.42)[0])
        for slope in (0.0, 0.5):
            fit = replace(shipped, size_slope=slope, most_performers=20)
            (found,) = match_people([probe], gallery, densities=[fit], min_score=0)
            score = found.matches[0].score / 100
            odds[performers, slope] = np.log(score / (1 - score))
    assert odds[30, 0.5] == odds[30, 0.0]
    lower = odds[2, 0.0] - odds[2, 0.5]
    assert lower == pytest.approx(0.5 * np.log(20 / 2), abs=0.1)


@pytest.mark.parametrize(("enrolled", "probe"), [(3, 3), (1, 1), (2, 1)])
def test_on_real_photographs_no_stranger_and_no_wrong_name_is_a_match(
    lfw: Dataset, enrolled: int, probe: int
) -> None:
    model = PRIMARY
    trials = make_trials(lfw.sources, model, enrol=enrolled, probe=probe, rounds=3, seed=4)
    outcomes = [run_trial(trial, None) for trial in trials]
    known = [outcome for outcome in outcomes if outcome.ours.enrolled]
    assert not any(outcome.ours.named for outcome in outcomes if not outcome.ours.enrolled)
    assert not any(outcome.ours.named and not outcome.ours.first_is_right for outcome in known)
    named = sum(outcome.ours.named for outcome in known) / len(known)
    assert named > (0.95 if (enrolled, probe) == (3, 3) else 0.7)


def test_a_hundred_thousand_strangers_take_no_right_name_away(lfw: Dataset) -> None:
    model = PRIMARY
    trials = list(make_trials(lfw.sources, model, enrol=3, probe=3, rounds=1, seed=5))
    known = [trial for trial in trials if trial.enrolled]
    crowd = add_strangers(known[0].gallery, 100_000, np.random.default_rng(6))
    found = [identify(person_of(trial.faces), crowd, UNCERTAIN_FROM) for trial in known]
    for trial, one in zip(known, found, strict=True):
        assert one.verdict != "match" or one.matches[0].performer.name == trial.name
    assert sum(one.verdict == "match" for one in found) > 0.8 * len(found)
