"""Nothing is lost when the second net changes: everyone is compared by the nets that saw them."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from db.models import EncodingKind, Fusion
from db.people import PersonFound
from db.records import Encoding, Performer, Vector, Vectors
from db.snapshots import Snapshot
from db.sqlite.ledger_damage import NO_MODEL
from db.strangers import StrangerTemplate
from function.engines.models import BOTH, BOTH_BEFORE, PRIMARY
from function.library.enrolment import enrol_stranger, new_from_library
from function.library.keeping import outcomes_of
from function.library.naming import Naming, open_naming
from function.library.rematching import name_again, rematch
from function.library.strangers import describe, parts_of, place_strangers
from function.matching.comparisons import choose_densities, group_alike, weigh_alike
from function.matching.densities import densities_of
from function.matching.matches import Identification, Match
from function.matching.second_models import SFACE_MODEL, SHIPPED_MODEL, SecondModel, fuse_with
from tests.support.crowds import make_face
from tests.support.own_nets import WEIGHING
from tests.support.people import person_of
from tests.support.stranger_libraries import MadeUpLibrary

_OWN = EncodingKind(id="own/1", dimensions=64)
_FUSED = fuse_with(_OWN, WEIGHING)
OWN = SecondModel(_OWN, _FUSED, replace(densities_of(BOTH_BEFORE.space.id), model=_FUSED.space.id))
DAY = 0.3
"""How far a day of somebody is from their middle, by each net."""

PEOPLE = 6


@dataclass(frozen=True, eq=False)
class Somebody:
    """A person by each net: their middle, in a space of so many numbers."""

    first: Vector
    second: dict[str, Vector]


class Library(MadeUpLibrary):
    """A library of people whom several second nets may have seen."""

    def somebody(self) -> Somebody:
        second = {
            one.parts[1].id: self._directions(one.parts[1].dimensions)[0]
            for one in (BOTH, BOTH_BEFORE, _FUSED)
        }
        return Somebody(self.crowd.person(), second)

    def _directions(self, dimensions: int, count: int = 1) -> Vectors:
        drawn = self.crowd.random.normal(size=(count, dimensions))
        unit: Vectors = (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)
        return unit

    def days(self, one: Somebody, fusion: Fusion, count: int) -> list[tuple[Vector, Vector]]:
        kind = fusion.parts[1]
        second = one.second[kind.id] + DAY * self._directions(kind.dimensions, count)
        second /= np.linalg.norm(second, axis=1, keepdims=True)
        return [*zip(self.crowd.encodings(one.first, count, DAY), second, strict=True)]

    def photograph(self, name: str, one: Somebody, *fusions: Fusion, photos: int = 3) -> int:
        """Enrol somebody with photos that each of these nets encoded, and dlib's in any case."""
        by_each = [self.days(one, fusion, photos) for fusion in fusions or (BOTH_BEFORE,)]
        encodings = []
        for number in range(photos):
            hashed = f"{name} {number}"
            encodings.append(Encoding(by_each[0][number][0], PRIMARY.id, 0.9, hashed, "photo"))
            encodings += [
                Encoding(days[number][1], fusion.parts[1].id, 0.9, hashed, "photo")
                for fusion, days in zip(fusions, by_each, strict=False)
            ]
        with self.store.changing() as gallery:
            gallery.enrol(Performer(0, name, source_id=name), encodings, None)
            return gallery.find_performer(name).id

    def complete(self, name: str, one: Somebody, fusion: Fusion) -> None:
        """Give all photos of a performer the encodings of a net, as `upgrade-encodings` does."""
        with self.store.changing() as gallery:
            who = gallery.find_performer(name)
            known = [it for it in gallery.encodings(who.id) if it.model == PRIMARY.id]
            days = self.days(one, fusion, len(known))
            new = [
                replace(it, vector=second, model=fusion.parts[1].id, face=b"")
                for it, (_, second) in zip(known, days, strict=True)
            ]
            gallery.enrol(who, new, None)

    def see(self, one: Somebody, fusion: Fusion, faces: int = 4) -> PersonFound:
        """Somebody as found in a video that dlib's net and another one looked at."""
        start = self._frames
        self._frames += faces
        return person_of(
            [
                replace(make_face(first, start + frame), second=second)
                for frame, (first, second) in enumerate(self.days(one, fusion, faces))
            ]
        )

    def film(self, fusion: Fusion, *people: Somebody) -> int:
        found = [self.see(one, fusion) for one in people]
        return self.add_video(found, models=fusion.models)

    def naming_with(self, second: SecondModel | None) -> Naming:
        return open_naming(self.store, second, self.settings)

    def named(self, second: SecondModel | None, video: int) -> list[Identification]:
        """Everyone in a video, with that second net in use."""
        (named,) = name_again(self.ledger, [video], self.naming_with(second)).values()
        return [one.person for one in named]

    def said(self, second: SecondModel | None, video: int) -> list[tuple[Match, ...]]:
        """Whom everyone in a video may be."""
        return [one.matches for one in self.named(second, video)]


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    made = Library(tmp_path)
    yield made
    made.ledger.close()


@pytest.fixture
def cast(library: Library) -> list[Somebody]:
    """Everyone who is enrolled, as P0, P1, ..., by photos that SFace encoded."""
    people = [library.somebody() for _ in range(PEOPLE)]
    for number, one in enumerate(people):
        library.photograph(f"P{number}", one, BOTH_BEFORE)
    return people


def posteriors(
    people: Sequence[PersonFound], models: Sequence[str], gallery: Snapshot
) -> list[bytes]:
    spaces = [gallery.fused_by(models)] * len(people)
    weighed = [
        weigh_alike(alike, gallery, choose_densities(gallery, OWN.all_densities()), {})
        for alike in group_alike(people, spaces, gallery)
    ]
    return [part.tobytes() for one in weighed for part in (one.positions, one.probabilities)]


def test_what_sface_saw_is_scored_to_the_bit_as_before_also_once_photos_are_completed(
    library: Library, cast: list[Somebody]
) -> None:
    people = [library.see(one, BOTH_BEFORE) for one in (*cast[:3], library.somebody())]
    video = library.add_video(people, models=BOTH_BEFORE.models)
    with library.store.gallery() as gallery:
        before = gallery.snapshot(PRIMARY, [BOTH_BEFORE])
    scores, said = posteriors(people, BOTH_BEFORE.models, before), library.said(SFACE_MODEL, video)
    assert [one[0].performer.name for one in said[:3]] == ["P0", "P1", "P2"]
    assert all(one.by_both for matches in said for one in matches)
    for _ in range(2):
        for second in (SHIPPED_MODEL, OWN, None):
            today = library.naming_with(second)
            assert posteriors(people, BOTH_BEFORE.models, today.gallery) == scores
            assert library.said(second, video) == said
        assert posteriors(people, (PRIMARY.id,), today.gallery) != scores
        for number, one in enumerate(cast):
            for fusion in (BOTH, _FUSED):
                library.complete(f"P{number}", one, fusion)
    assert len(library.naming_with(OWN).gallery.fused) == 3


def test_each_video_is_compared_by_the_nets_that_looked_at_it(
    library: Library, cast: list[Somebody]
) -> None:
    for number, one in enumerate(cast[:3]):
        library.complete(f"P{number}", one, BOTH)
    naming = library.naming_with(SHIPPED_MODEL)
    films = [
        (library.film(fusion, *people), fusion)
        for fusion in (BOTH_BEFORE, BOTH, _FUSED)
        for people in (cast[:3], cast[3:])
    ]
    together = name_again(library.ledger, [video for video, _ in films], naming)
    for video, fusion in films:
        (alone,) = name_again(library.ledger, [video], naming).values()
        assert outcomes_of(together[video]) == outcomes_of(alone)
        firsts = [one.person.matches[0] for one in alone if one.person.matches]
        is_complete = firsts[0].performer.name in ("P0", "P1", "P2")
        by_both = fusion is BOTH_BEFORE or (fusion is BOTH and is_complete)
        assert {one.by_both for one in firsts} == {by_both}
        assert all(one.verdict != "unknown" for one in (it.person for it in alone))


def test_who_is_enrolled_without_the_net_that_looked_is_compared_by_the_first_alone(
    library: Library, cast: list[Somebody]
) -> None:
    new = library.somebody()
    library.photograph("New", new, BOTH)
    before, since = library.film(BOTH_BEFORE, new, cast[0]), library.film(BOTH, new, cast[0])
    for video, by_both in ((before, [False, True]), (since, [True, False])):
        firsts = [matches[0] for matches in library.said(SHIPPED_MODEL, video)]
        assert [one.performer.name for one in firsts] == ["New", "P0"]
        assert [one.by_both for one in firsts] == by_both


def test_two_parts_of_an_unknown_person_are_one_by_the_nets_that_saw_them(
    library: Library, cast: list[Somebody]
) -> None:
    for number, one in enumerate(cast):
        library.complete(f"P{number}", one, BOTH)
    for fusion in (BOTH_BEFORE, BOTH, _FUSED):
        one, other = library.somebody(), library.somebody()
        video = library.film(fusion, one, other, one)
        members = {frozenset(found.members) for found in library.named(SHIPPED_MODEL, video)}
        apart = [{0}, {1}, {2}] if fusion is _FUSED else [{0, 2}, {1}]
        assert members == {*map(frozenset, apart)}


def test_switching_between_nets_that_ship_matches_nobody_again(
    library: Library, cast: list[Somebody]
) -> None:
    library.film(BOTH_BEFORE, cast[0])
    list(rematch(library.ledger, library.naming_with(SHIPPED_MODEL)))
    for second, videos in ((SFACE_MODEL, 0), (None, 0), (OWN, 1)):
        again = rematch(library.ledger, library.naming_with(second))
        assert sum(one.videos for one in again) == videos


@pytest.mark.usefixtures("cast")
def test_a_stranger_of_old_videos_is_enrolled_by_the_net_that_saw_them(library: Library) -> None:
    stranger = library.somebody()
    old = library.film(BOTH_BEFORE, stranger)
    place_strangers(library.ledger, library.naming_with(SHIPPED_MODEL))
    (found,) = describe(library.ledger, library.ledger.strangers.everyone())
    with library.store.changing() as gallery:
        done = enrol_stranger(gallery, new_from_library("Ada"), found)
        models = {one.model for one in gallery.encodings(done.performer.id)}
    assert models == {*BOTH_BEFORE.models}
    later = library.film(BOTH_BEFORE, stranger)
    for video in (old, later):
        ((first, *_),) = library.said(SHIPPED_MODEL, video)
        assert (first.performer.name, first.by_both) == ("Ada", True)


def test_strangers_are_joined_by_the_nets_that_saw_them_and_by_the_first_across_nets(
    library: Library,
) -> None:
    stranger, other = library.somebody(), library.somebody()
    for fusion in (BOTH_BEFORE, BOTH_BEFORE, BOTH, BOTH):
        library.film(fusion, stranger, other)
    place_strangers(library.ledger, library.naming_with(SHIPPED_MODEL))
    everyone = library.ledger.strangers.everyone()
    assert sorted(len(one.places) for one in everyone) == [4, 4]
    kinds = {one.template.model for one in library.ledger.strangers.placements()}
    assert kinds == {BOTH.parts[1].id, BOTH_BEFORE.parts[1].id}


def test_who_is_known_by_several_nets_has_a_part_in_the_space_of_each() -> None:
    def template(fusion: Fusion) -> StrangerTemplate:
        first, second = (np.ones(part.dimensions, np.float32) for part in fusion.parts)
        return StrangerTemplate(first, 1.0, second, 1.0, fusion.parts[1].id)

    templates = [
        (0, template(BOTH_BEFORE)),
        (1, template(BOTH)),
        (0, template(BOTH)),
        (2, template(_FUSED)),
    ]
    parts = parts_of(templates, 3, (BOTH, BOTH_BEFORE))
    assert [one.densities.model for one in parts] == [
        PRIMARY.id,
        BOTH_BEFORE.space.id,
        BOTH.space.id,
    ]
    assert [one.evidence.tolist() for one in parts] == [[2, 1, 1], [1, 0, 0], [1, 1, 0]]
    assert len(parts_of(templates[:1], 3, (BOTH, BOTH_BEFORE))) == 2


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE views SET second = substr(second, 1, 512) WHERE sighting_id IN (1, 2)",
        "UPDATE views SET second = second || second WHERE sighting_id IN (1, 2)",
        f"""UPDATE videos SET models = '{json.dumps(BOTH_BEFORE.models)}' WHERE id = 1""",
    ],
)
def test_whose_second_encodings_are_of_another_length_is_compared_by_the_first_alone(
    damage: str, library: Library
) -> None:
    grace, stranger = library.somebody(), library.somebody()
    films = [library.film(BOTH, grace, stranger) for _ in range(3)]
    with sqlite3.connect(library.path) as raw:
        raw.execute(damage)
    raw.close()
    library.photograph("Grace", grace, BOTH, BOTH_BEFORE)
    naming = library.naming_with(SHIPPED_MODEL)
    assert sum(one.videos for one in rematch(library.ledger, naming)) == 3
    for video in films:
        named, unknown = library.said(SHIPPED_MODEL, video)
        assert (named[0].performer.name, named[0].by_both) == ("Grace", video != 1)
        assert unknown == ()
    assert place_strangers(library.ledger, naming) == 3
    (found,) = describe(library.ledger, library.ledger.strangers.everyone())
    assert len(found.sightings) == 3
    with library.store.changing() as gallery:
        assert enrol_stranger(gallery, new_from_library("Ada"), found).photo_hashes


def test_a_video_whose_models_are_damaged_keeps_no_stranger_from_being_named(
    library: Library,
) -> None:
    stranger = library.somebody()
    for _ in range(2):
        library.film(BOTH, stranger)
    place_strangers(library.ledger, library.naming_with(SHIPPED_MODEL))
    with sqlite3.connect(library.path) as raw:
        raw.execute("UPDATE videos SET models = 'x' WHERE id = 1")
    raw.close()
    (found,) = describe(library.ledger, library.ledger.strangers.everyone())
    assert {one.models for one in found.videos} == {NO_MODEL, BOTH.models}
    with library.store.changing() as gallery:
        enrol_stranger(gallery, new_from_library("Ada"), found)
        assert set(gallery.models()) == {*BOTH.models}


@pytest.mark.parametrize("column", ["first", "second"])
@pytest.mark.parametrize(
    "cell",
    [
        "substr({}, 1, 256)",
        "{0} || {0}",
        "zeroblob(length({}))",
        "x''",
        "7",
        "'text'",
    ],
)
def test_a_damaged_placement_keeps_no_stranger_from_being_placed(
    column: str, cell: str, library: Library
) -> None:
    stranger, other = library.somebody(), library.somebody()
    for _ in range(2):
        library.film(BOTH, stranger, other)
    naming = library.naming_with(SHIPPED_MODEL)
    place_strangers(library.ledger, naming)
    with sqlite3.connect(library.path) as raw:
        raw.execute(f"UPDATE placements SET {column} = {cell.format(column)} WHERE id = 1")
    raw.close()
    library.film(BOTH, stranger, other)
    assert place_strangers(library.ledger, naming) == 2
    everyone = library.ledger.strangers.everyone()
    assert sorted(len(one.places) for one in everyone) == [3, 3]
