"""Fragments join whom they follow; the surest name stands, and no template changes."""

from collections.abc import Sequence

import numpy as np

from db.people import Link
from db.records import Performer
from function.matching.fragments import join_fragments
from function.matching.matches import Identification, Match, Verdict, match_people
from tests.support.crowds import Crowd, make_face, make_faces, make_gallery
from tests.support.people import person_of

ANYBODY = np.ones(128, np.float32)


def one(
    number: int,
    frames: Sequence[int],
    name: int = 0,
    score: float = 0.0,
    rejected: Sequence[int] = (),
) -> Identification:
    """Person `number`, who may be performer `name`."""
    matches = (Match(Performer(name, f"P{name}"), 0.3, score),) if score else ()
    verdict: Verdict = "match" if score >= 90 else "uncertain" if score else "unknown"
    person = person_of([make_face(ANYBODY, frame) for frame in frames])
    return Identification(person, matches, verdict, (number,), rejected=frozenset(rejected))


def verdicts(found: Sequence[Identification]) -> list[tuple[tuple[int, ...], Verdict]]:
    return [(each.members, each.verdict) for each in found]


def test_a_turned_head_becomes_part_of_whom_it_follows() -> None:
    named, turned = one(0, [0, 1, 2], name=7, score=99), one(1, [3, 4])
    (joined,) = join_fragments([named, turned], [Link(0.6, 0, 1)])
    assert joined.matches == named.matches
    assert joined.person is named.person, "the template must stay as it was"
    assert (joined.members, joined.faces) == ((0, 1), 5)
    assert [seen.frame for seen in joined.seen] == [0, 1, 2, 3, 4]


def test_the_surest_name_stands_whoever_comes_first() -> None:
    people = [one(0, [0], name=1, score=40), one(1, [1], name=2, score=95), one(2, [2])]
    (joined,) = join_fragments(people, [Link(0.5, 1, 2), Link(0.6, 0, 1)])
    assert (joined.matches[0].performer.name, joined.verdict) == ("P2", "match")
    assert sorted(joined.members) == [0, 1, 2]


def test_two_names_are_two_people_also_by_way_of_a_third() -> None:
    people = [one(0, [0], name=1, score=95), one(1, [1]), one(2, [2], name=2, score=99)]
    found = join_fragments(people, [Link(0.4, 0, 1), Link(0.5, 1, 2), Link(0.6, 0, 2)])
    assert verdicts(found) == [((0, 1), "match"), ((2,), "match")]


def test_two_who_share_a_frame_are_two_also_by_way_of_a_third() -> None:
    people = [one(0, [0, 5]), one(1, [1]), one(2, [2, 5])]
    found = join_fragments(people, [Link(0.4, 0, 1), Link(0.5, 1, 2)])
    assert verdicts(found) == [((0, 1), "unknown"), ((2,), "unknown")]


def test_whoever_is_not_a_performer_does_not_become_them_by_time_and_place() -> None:
    people = [one(0, [0], name=7, score=99), one(1, [1], rejected=[7]), one(2, [2], rejected=[8])]
    found = join_fragments(people, [Link(0.4, 0, 1), Link(0.5, 0, 2)])
    assert verdicts(found) == [((0, 2), "match"), ((1,), "unknown")]


def test_people_joined_by_their_names_are_found_by_both_numbers() -> None:
    crowd = Crowd()
    centres = [crowd.person() for _ in range(10)]
    gallery = make_gallery([crowd.encodings(centre, 3) for centre in centres])
    day, night = (person_of(make_faces(crowd.encodings(centres[2], 1), at)) for at in (0, 4))
    stranger = person_of(make_faces(crowd.encodings(crowd.person(), 1), 5))
    named = match_people([day, stranger, night], gallery)
    assert verdicts(named) == [((0, 2), "match"), ((1,), "unknown")]
    (joined,) = join_fragments(named, [Link(0.7, 1, 2)])
    assert joined.members == (0, 2, 1)


def test_without_links_nothing_changes() -> None:
    people = [one(0, [0]), one(1, [1])]
    assert join_fragments(people, []) == people
