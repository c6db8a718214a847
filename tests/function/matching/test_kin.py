"""People whom the first net took for two are one where both nets hardly leave a doubt."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from db.people import Link, PersonFound
from db.records import Performer, Vector
from db.snapshots import Snapshot
from function import recognition
from function.engines.models import BOTH
from function.faces.found import StageSeconds
from function.matching.densities import densities_of
from function.matching.fragments import join_fragments
from function.matching.kin import find_kin
from function.matching.matches import Identification, Match, match_people
from function.people.gathering import PeopleFound
from function.people.people import fused_template_of
from function.recognition import name_people
from function.settings import Settings
from tests.function.matching.test_both_nets import Twice, filled_up, gallery_of
from tests.support.crowds import make_face
from tests.support.people import person_of

DENSITIES = densities_of(BOTH.space.id)


class Film(Twice):
    """Shows made-up people, day by day."""

    def see(
        self, person: tuple[Vector, Vector], frames: Sequence[int], weakness: str = ""
    ) -> PersonFound:
        first, second = self.photos(person, len(frames))
        faces = [
            replace(make_face(one, frame, weakness=weakness), second=other)
            for frame, one, other in zip(frames, first, filled_up(second, BOTH), strict=True)
        ]
        return person_of(faces)


def unknown(people: Sequence[PersonFound]) -> list[Identification]:
    return [
        Identification(one, (), "unknown", (place,), fused=fused_template_of(one, BOTH))
        for place, one in enumerate(people)
    ]


def kin(*people: PersonFound) -> list[tuple[int, int]]:
    return [(link.first, link.second) for link in find_kin([unknown(people)], [DENSITIES])[0]]


def answer(
    gallery: Snapshot, *people: PersonFound, links: tuple[Link, ...] = ()
) -> tuple[Identification, ...]:
    found = PeopleFound(people, BOTH.models, 12, 8, StageSeconds(0.0, 0.0), links)
    return name_people(found, gallery, Settings()).identifications


def test_one_person_in_two_parts_is_found_and_two_people_are_not() -> None:
    film = Film()
    one, other = film.person(), film.person()
    parts = [film.see(one, range(4)), film.see(other, range(4, 8)), film.see(one, range(8, 12))]
    assert kin(*parts) == [(0, 2)]
    strangers = [film.see(film.person(), range(4 * n, 4 * n + 4)) for n in range(20)]
    assert kin(*strangers) == []


def test_videos_looked_at_together_are_as_each_alone() -> None:
    film = Film()
    one, other = film.person(), film.person()
    videos = [
        [film.see(one, range(4)), film.see(other, range(4, 8)), film.see(one, range(8, 12))],
        [],
        [film.see(one, range(4))],
        [film.see(other, range(4)), film.see(other, range(4, 8))],
    ]
    found = [unknown(video) for video in videos]
    together = find_kin(found, [DENSITIES] * 4)
    assert together == [find_kin([video], [DENSITIES])[0] for video in found]
    assert [len(links) for links in together] == [1, 0, 0, 1]
    assert find_kin([], []) == []


def test_the_surest_come_first() -> None:
    film = Film()
    one, other = film.person(), film.person()
    little = [film.see(one, [0, 1]), film.see(one, [2, 3])]
    much = [film.see(other, range(10, 30)), film.see(other, range(30, 50))]
    assert kin(*little, *much)[0] == (2, 3)


def test_weak_faces_and_one_net_alone_make_nobody_kin() -> None:
    film = Film()
    one = film.person()
    clear = film.see(one, range(4))
    assert kin(clear, film.see(one, range(4, 8), "too dark")) == []
    first, _ = film.photos(one, 4)
    alone = person_of([make_face(each, 4 + place) for place, each in enumerate(first)])
    assert kin(clear, alone) == []
    assert kin(clear) == kin() == []


def test_an_answer_shows_one_person_where_nobody_says_who_it_is() -> None:
    film = Film()
    one = film.person()
    enrolled = [film.photos(film.person(), 3) for _ in range(12)]
    gallery = gallery_of(enrolled, range(12))
    parts = (film.see(one, range(4)), film.see(one, range(8, 12)))
    (joined,) = answer(gallery, *parts)
    assert (sorted(joined.members), joined.faces) == ([0, 1], 8)
    assert len(answer(gallery, parts[0], film.see(one, range(4)))) == 2, "they share frames"
    assert len(answer(replace(gallery, fused=()), *parts)) == 2


def test_time_and_place_name_nobody_whom_both_nets_know_to_be_another() -> None:
    film = Film()
    crew = [film.person() for _ in range(12)]
    gallery = gallery_of([film.photos(one, 3) for one in crew], range(12))
    named, stranger = film.see(crew[3], range(4)), film.person()

    def join(other: PersonFound) -> list[str]:
        return [one.verdict for one in answer(gallery, named, other, links=(Link(0.4, 0, 1),))]

    assert join(film.see(stranger, range(4, 8))) == ["match", "unknown"]
    assert join(film.see(stranger, range(4, 8), "turned away")) == ["match"], "seen only weakly"
    first, _ = film.photos(stranger, 4)
    alone = person_of([make_face(each, 4 + place) for place, each in enumerate(first)])
    assert join(alone) == ["match"], "the second net was not asked"
    assert join(film.see(crew[3], range(4, 8))) == ["match"]


def test_who_is_joined_by_a_name_is_compared_with_others_as_the_surest_looks() -> None:
    film = Film()
    crew = [film.person() for _ in range(12)]
    gallery = gallery_of([film.photos(one, 3) for one in crew], range(12))
    seldom, often = film.see(crew[3], [0]), film.see(crew[3], range(4, 12))
    alone = match_people([often], gallery)[0].fused
    for parts in ([seldom, often], [often, seldom]):
        (joined,) = match_people(parts, gallery)
        assert joined.fused is not None
        assert alone is not None
        assert (joined.members, joined.person.faces) == ((0, 1), 9)
        np.testing.assert_array_equal(joined.fused.mean, alone.mean)


LINKS = (Link(0.2, 0, 1), Link(0.3, 1, 2))


@pytest.mark.parametrize(
    ("likely", "left"),
    [
        ((1, 1), [1]),
        ((1, None), [1]),
        ((None, 2), [2]),
        ((1, 2), [1, 2]),
        ((1, None, 2), [1, 2]),
        ((1, None, 1), [1]),
    ],
)
def test_two_who_may_be_two_performers_both_stay(
    likely: tuple[int | None, ...], left: list[int]
) -> None:
    """Some people are hard to tell apart; whoever is joined is offered no more."""
    film = Film()
    one = film.person()
    found = [
        Identification(
            film.see(one, range(4 * place, 4 * place + 4)),
            (likely_match(number),) if number else (),
            "uncertain" if number else "unknown",
            (place,),
        )
        for place, number in enumerate(likely)
    ]
    links = LINKS[: len(found) - 1]
    joined = join_fragments(found, links, keeps_uncertain=True)
    assert [person.matches[0].performer.id for person in joined] == left
    assert len(join_fragments(found, links)) == 1, "as a turned head, which is taken for anybody"


def test_an_answer_joins_nobody_who_may_be_another_performer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    film = Film()
    one, other = film.person(), film.person()
    gallery = gallery_of([film.photos(one, 3), film.photos(other, 3)], range(2))
    parts = film.see(one, range(4)), film.see(other, range(8, 12))
    asked: list[bool] = []

    def note(
        found: Sequence[Identification], links: Sequence[Link], *, keeps_uncertain: bool = False
    ) -> list[Identification]:
        asked.append(keeps_uncertain)
        return join_fragments(found, links, keeps_uncertain=keeps_uncertain)

    monkeypatch.setattr(recognition, "join_fragments", note)
    assert len(answer(gallery, *parts)) == 2
    assert asked == [False, True]


def likely_match(number: int) -> Match:
    return Match(Performer(id=number, name=f"P{number}"), 0.4, 40.0)


def test_links_say_how_far_apart_people_are() -> None:
    film = Film()
    one = film.person()
    parts = [film.see(one, range(4)), film.see(one, range(4, 8))]
    ((link,),) = find_kin([unknown(parts)], [DENSITIES])
    assert isinstance(link, Link)
    assert 0 < link.distance < 0.6
