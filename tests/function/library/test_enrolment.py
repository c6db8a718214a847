"""Naming a stranger enrols the best of what was seen, within limits."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from db.corrections import Correction
from db.errors import ForgottenError, NothingToEnrolError
from db.people import PersonFound
from db.records import Performer
from function.engines.models import PRIMARY
from function.library.enrolment import (
    MOST_IN_VIDEO,
    MOST_VIEWS,
    enrol_stranger,
    filled_in,
    find_enrolled,
    new_from_library,
)
from function.library.lists import name_of
from function.library.rematching import rematch
from function.library.strangers import StrangerResult, describe, place_strangers
from tests.support.stranger_libraries import MadeUpLibrary


@pytest.fixture
def library(tmp_path: Path) -> Iterator[MadeUpLibrary]:
    made = MadeUpLibrary(tmp_path)
    yield made
    made.ledger.close()


def only_stranger(library: MadeUpLibrary) -> StrangerResult:
    place_strangers(library.ledger, library.naming())
    (found,) = describe(library.ledger, library.ledger.strangers.everyone())
    return found


def enrol(
    library: MadeUpLibrary, found: StrangerResult, performer: Performer | None = None
) -> Correction:
    performer = performer or new_from_library("Grace Hopper")
    with library.store.changing() as gallery:
        return enrol_stranger(gallery, performer, found)


def match(library: MadeUpLibrary) -> None:
    for _ in rematch(library.ledger, library.naming()):
        pass


def test_the_best_views_of_each_video_are_enrolled_with_where_they_are_from(
    library: MadeUpLibrary,
) -> None:
    man = library.crowd.person()
    for number in range(3):
        library.add_video([library.seen(man, faces=12)], f"film {number}")
    done = enrol(library, only_stranger(library))
    assert len(done.photo_hashes) == MOST_VIEWS
    with library.store.gallery() as gallery:
        origins = [one.origin for one in gallery.photos(done.performer.id)]
        assert gallery.thumbnail(done.performer.id)
    counts = [sum(f"library: film {n}.mp4 at" in one for one in origins) for n in range(3)]
    assert sorted(counts) == [3, 3, 4]
    assert len(set(origins)) == MOST_VIEWS


def test_one_view_of_each_sighting_is_enrolled_with_its_picture_that_of_the_best_face(
    library: MadeUpLibrary,
) -> None:
    man = library.crowd.person()
    for number in range(2):
        library.add_video([library.seen(man, faces=8)], f"film {number}")
    found = only_stranger(library)
    done = enrol(library, found)
    with library.store.gallery() as gallery:
        encodings = gallery.encodings(done.performer.id)
    kept = {one.origin: one.face for one in encodings if one.face}
    assert len(kept) == 2 < len(encodings)
    assert {one.model for one in encodings if one.face} == {PRIMARY.id}
    names = {one.id: f"library: {name_of(one).rsplit('/', 1)[1]}" for one in found.videos}
    for one in found.sightings:
        mine = {origin: face for origin, face in kept.items() if names[one.video] in origin}
        ((origin, face),) = mine.items()
        assert face == one.person.picture
        best = f"{names[one.video]} at {one.person.best_seconds:.1f} s"
        assert best not in {it.origin for it in encodings} or origin == best


def test_one_video_gives_a_few_views_however_many_it_has(library: MadeUpLibrary) -> None:
    library.add_video([library.seen(library.crowd.person(), faces=16)])
    assert len(enrol(library, only_stranger(library)).photo_hashes) == MOST_IN_VIDEO


def test_every_video_is_filled_in_and_counted(library: MadeUpLibrary) -> None:
    man = library.crowd.person()
    for _ in range(4):
        library.add_video([library.seen(man)])
    found = only_stranger(library)
    done = enrol(library, found)
    match(library)
    filled = filled_in(library.ledger, found.stranger.places, done.performer.id)
    assert (filled.videos, filled.named, filled.uncertain, filled.unknown) == (4, 4, 0, 0)
    nobody = filled_in(library.ledger, found.stranger.places, done.performer.id + 1)
    assert (nobody.videos, nobody.named, nobody.unknown) == (4, 0, 4)


def test_taking_it_back_leaves_the_gallery_and_the_library_as_before(
    library: MadeUpLibrary,
) -> None:
    man = library.crowd.person()
    library.add_video([library.seen(man)])
    done = enrol(library, only_stranger(library))
    with library.store.changing() as gallery:
        gallery.undo(find_enrolled(gallery, done.performer))
        assert gallery.performers() == []
    match(library)
    assert only_stranger(library).stranger.places


def test_taking_it_back_leaves_what_came_from_elsewhere(library: MadeUpLibrary) -> None:
    man = library.crowd.person()
    library.add_video([library.seen(man)])
    found = only_stranger(library)
    number = library.enrol("Grace Hopper", library.crowd.person(), photos=2)
    with library.store.gallery() as gallery:
        performer = gallery.performer(number)
    enrol(library, found, performer)
    with library.store.changing() as gallery:
        assert len(gallery.photos(number)) > 2
        gallery.undo(find_enrolled(gallery, gallery.performer(number)))
        assert [one.origin for one in gallery.photos(number)] == ["photo", "photo"]


def test_the_forgotten_are_not_enrolled_again(library: MadeUpLibrary) -> None:
    number = library.enrol("Grace Hopper", library.crowd.person())
    with library.store.changing() as gallery:
        gallery.forget(gallery.performer(number))
    library.add_video([library.seen(library.crowd.person())])
    with pytest.raises(ForgottenError):
        enrol(library, only_stranger(library))


def longer(person: PersonFound) -> PersonFound:
    """As a captured child could send them: nearer to everyone who has such an encoding."""
    views = (
        replace(view, encodings=(view.encodings[0] * np.float32(20),)) for view in person.views
    )
    return replace(person, views=tuple(views))


def test_what_no_face_can_give_is_not_enrolled(library: MadeUpLibrary) -> None:
    library.add_video([replace(longer(library.seen(library.crowd.person())), picture=b"no JPEG")])
    with pytest.raises(NothingToEnrolError, match="Stranger 1 was never seen well enough"):
        enrol(library, only_stranger(library))
    with library.store.gallery() as gallery:
        assert gallery.performers() == []


def test_a_picture_that_is_none_is_left_out_and_the_views_are_enrolled(
    library: MadeUpLibrary,
) -> None:
    person = replace(library.seen(library.crowd.person()), picture=b"no JPEG")
    library.add_video([person])
    done = enrol(library, only_stranger(library))
    with library.store.gallery() as gallery:
        assert gallery.thumbnail(done.performer.id) is None
        assert done.photo_hashes


def test_somebody_only_seen_weakly_gives_one_view(library: MadeUpLibrary) -> None:
    person = library.seen(library.crowd.person())
    views = tuple(replace(view, weaknesses=("blurred",)) for view in person.views)
    library.add_video([replace(person, views=views)])
    assert len(enrol(library, only_stranger(library)).photo_hashes) == 1
