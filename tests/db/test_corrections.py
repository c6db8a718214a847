"""Forgetting and corrections, in every store."""

from dataclasses import replace

import pytest

from db.corrections import Subject, new_performer
from db.errors import (
    DamagedVectorError,
    ForgottenError,
    OtherModelError,
    PerformerNotFoundError,
)
from db.galleries import GalleryChange
from db.records import Performer
from tests.support.enrolled import (
    OTHER_MODEL,
    X,
    damaged_encoding,
    enrolled,
    from_box,
    hashes,
    names,
    nudged,
    offered,
    short_encoding,
    subject,
)
from tests.support.galleries import TEST_MODEL, encoding, made_up_vector, performer


@pytest.fixture
def without_ada(gallery: GalleryChange) -> GalleryChange:
    """A gallery from which Ada Lovelace, enrolled with a stash id, was forgotten."""
    ada = enrolled(gallery, "Ada Lovelace", 1, source_id="7", identities=(X,))
    enrolled(gallery, "Bob", 2, source_id="8")
    gallery.forget(ada)
    return gallery


def test_who_is_forgotten_is_gone_with_every_photo_and_rejection(gallery: GalleryChange) -> None:
    ada = enrolled(gallery, "Ada", 1)
    gallery.reject(ada, subject(7))
    gallery.forget(ada)
    assert gallery.performers() == []
    assert gallery.encodings(ada.id) == []
    assert gallery.find_identities(ada.identities) == []
    snapshot = gallery.snapshot(TEST_MODEL)
    assert (len(snapshot.vectors), len(snapshot.rejections.owners)) == (0, 0)


@pytest.mark.parametrize(
    "again",
    [
        performer("Another name", "7"),
        performer("Another name", X.source_id, source=X.source),
        performer("Another name", "99", identities=(X,)),
        performer("ada lovelace", "99", source="stash"),
    ],
)
def test_no_import_brings_the_forgotten_back(without_ada: GalleryChange, again: Performer) -> None:
    assert without_ada.is_forgotten(again)
    with pytest.raises(ForgottenError, match="was forgotten"):
        without_ada.find_same(again)
    with pytest.raises(ForgottenError, match="was forgotten"):
        without_ada.enrol(again, [encoding(3)], None)
    with pytest.raises(ForgottenError, match="was forgotten"):
        without_ada.assign(again, subject(3))
    assert names(without_ada.performers()) == ["Bob"]


def test_others_are_not_taken_for_the_forgotten(without_ada: GalleryChange) -> None:
    # The same number in another source is another person, and so is another of that name.
    eve = performer("Eve", "7", source="stash")
    other = performer("Ada Lovelace", "9", disambiguation="the second")
    for somebody in (eve, other):
        assert not without_ada.is_forgotten(somebody)
        assert without_ada.enrol(somebody, [encoding(3)], None) == "added"
    assert without_ada.enrol(performer("Bob", "8"), [encoding(2)], None) == "unchanged"


def test_ids_that_came_since_are_forgotten_too(gallery: GalleryChange) -> None:
    old = enrolled(gallery, "Ada", 1)
    gallery.enrol(performer("Ada", identities=(X,)), [], None)
    gallery.forget(old)
    assert gallery.is_forgotten(from_box("Countess", X.source_id))


@pytest.mark.parametrize("name", ["Ada Lovelace", "ADA LOVELACE", "uuid-x", "7"])
def test_unforget_allows_every_id_again(without_ada: GalleryChange, name: str) -> None:
    without_ada.unforget(name)
    assert without_ada.enrol(performer("Ada", "7"), [encoding(1)], None) == "added"
    assert without_ada.enrol(performer("A", "1", identities=(X,)), [], None) == "added"


def test_who_was_not_forgotten_cannot_be_allowed_again(without_ada: GalleryChange) -> None:
    with pytest.raises(PerformerNotFoundError, match="Nobody called 'Bob'"):
        without_ada.unforget("Bob")
    with pytest.raises(PerformerNotFoundError):
        without_ada.unforget("Ada Lovelace", "another")
    assert without_ada.is_forgotten(performer("Ada Lovelace"))


# Corrections


def test_a_rejected_look_is_left_out_for_that_performer_alone(gallery: GalleryChange) -> None:
    ada = enrolled(gallery, "Ada", 1)
    enrolled(gallery, "Grace", 2)
    correction = gallery.reject(ada, subject(7))
    assert (correction.performer, len(correction.added)) == (ada, 1)
    assert offered(gallery, made_up_vector(7)) == {"Grace"}
    assert offered(gallery, made_up_vector(8)) == {"Ada", "Grace"}
    gallery.undo(correction)
    assert offered(gallery, made_up_vector(7)) == {"Ada", "Grace"}


def test_a_rejection_reaches_as_far_as_the_same_look_varies(gallery: GalleryChange) -> None:
    gallery.reject(enrolled(gallery, "Ada", 1), subject(7))
    reach = TEST_MODEL.rejected_within
    assert offered(gallery, nudged(made_up_vector(7), 0.9 * reach)) == set()
    assert offered(gallery, nudged(made_up_vector(7), 1.1 * reach)) == {"Ada"}


def test_the_performer_is_still_found_where_the_rejected_look_lies_near_by(
    gallery: GalleryChange,
) -> None:
    ada = enrolled(gallery, "Ada", 1)
    own = gallery.encodings(ada.id)[0].vector
    close = Subject(nudged(own, 0.2), (), b"", TEST_MODEL, "a.mp4")
    gallery.reject(ada, close)
    assert offered(gallery, own) == {"Ada"}
    assert offered(gallery, close.template) == set()


def test_a_rejection_outlives_another_import_and_a_merge(gallery: GalleryChange) -> None:
    ada, grace = enrolled(gallery, "Ada", 1), enrolled(gallery, "Grace", 2)
    gallery.reject(ada, subject(7))
    gallery.enrol(performer("Ada"), [encoding(1), encoding(11)], None)
    assert offered(gallery, made_up_vector(7)) == {"Grace"}
    gallery.merge(grace, ada)
    assert offered(gallery, made_up_vector(7)) == set()


def test_who_is_assigned_a_look_is_no_longer_rejected_for_it_until_that_is_undone(
    gallery: GalleryChange,
) -> None:
    ada, grace = enrolled(gallery, "Ada", 1), enrolled(gallery, "Grace", 2)
    gallery.reject(ada, subject(7))
    gallery.reject(ada, subject(9))
    correction = gallery.assign(ada, subject(7), instead_of=grace)
    assert (correction.performer.id, correction.created) == (ada.id, False)
    assert gallery.performer(ada.id).encodings == 2
    assert offered(gallery, made_up_vector(7)) == {"Ada"}
    assert offered(gallery, made_up_vector(9)) == {"Grace"}
    gallery.undo(correction)
    assert gallery.performer(ada.id).encodings == 1
    assert offered(gallery, made_up_vector(7)) == {"Grace"}


def test_undo_takes_back_only_what_the_correction_added(gallery: GalleryChange) -> None:
    ada = enrolled(gallery, "Ada", 1)
    correction = gallery.assign(ada, subject(7, 1, 7))
    assert correction.photo_hashes == ("hash7",)
    gallery.enrol(performer("Ada"), [encoding(8)], None)
    gallery.undo(correction)
    assert hashes(gallery, ada) == {"hash1", "hash8"}


def test_undo_leaves_photos_that_a_performer_had_under_another_id(gallery: GalleryChange) -> None:
    ada = enrolled(gallery, "Ada", 1, identities=(X,))
    correction = gallery.assign(from_box("Countess", X.source_id), subject(7, 1, 7))
    assert (correction.performer.id, correction.photo_hashes) == (ada.id, ("hash7",))
    gallery.undo(correction)
    assert hashes(gallery, ada) == {"hash1"}


def test_undo_leaves_photos_that_another_model_had_encoded(gallery: GalleryChange) -> None:
    ada = enrolled(gallery, "Ada", 1)
    vector = short_encoding(1).vector
    seen = Subject(vector, (short_encoding(1),), b"", OTHER_MODEL, "a.mp4")
    gallery.undo(gallery.assign(ada, seen))
    assert hashes(gallery, ada) == {"hash1"}


def test_undo_takes_the_picture_back_that_the_correction_gave(gallery: GalleryChange) -> None:
    ada = enrolled(gallery, "Ada", 1)
    correction = gallery.assign(ada, subject(7, picture=b"wrong"))
    assert gallery.thumbnail(ada.id) == b"wrong"
    gallery.undo(correction)
    assert gallery.thumbnail(ada.id) is None
    gallery.enrol(performer("Ada"), [], b"right")
    gallery.undo(gallery.assign(ada, subject(7, picture=b"right")))
    assert gallery.thumbnail(ada.id) == b"right"


def test_undo_leaves_a_picture_that_came_since(gallery: GalleryChange) -> None:
    ada = enrolled(gallery, "Ada")
    correction = gallery.assign(ada, subject(7, picture=b"wrong"))
    gallery.remove_photo(ada, "hash7")
    gallery.enrol(performer("Ada"), [encoding(8)], b"right")
    gallery.undo(correction)
    assert gallery.thumbnail(ada.id) == b"right"


def test_undo_of_one_rejection_never_takes_a_later_one(gallery: GalleryChange) -> None:
    ada, grace = enrolled(gallery, "Ada", 1), enrolled(gallery, "Grace", 2)
    first = gallery.reject(ada, subject(7))
    gallery.assign(ada, subject(7))
    gallery.reject(grace, subject(8))
    gallery.undo(first)
    assert offered(gallery, made_up_vector(8)) == {"Ada"}


def test_somebody_new_goes_with_undo_unless_more_was_added_since(gallery: GalleryChange) -> None:
    correction = gallery.assign(new_performer("Ada"), subject(7))
    assert correction.created
    assert correction.performer == gallery.find_performer("Ada")
    gallery.undo(correction)
    assert gallery.performers() == []
    correction = gallery.assign(new_performer("Ada"), subject(7))
    gallery.enrol(gallery.find_performer("Ada"), [encoding(8)], None)
    gallery.undo(correction)
    assert [(one.name, one.encodings) for one in gallery.performers()] == [("Ada", 1)]


def test_undo_after_the_performer_is_gone_harms_nobody(gallery: GalleryChange) -> None:
    ada, grace = enrolled(gallery, "Ada", 1), enrolled(gallery, "Grace", 2)
    gallery.reject(ada, subject(7))
    correction = gallery.assign(ada, subject(7))
    gallery.merge(grace, ada)
    gallery.undo(correction)
    assert hashes(gallery, grace) == {"hash1", "hash2", "hash7"}
    assert offered(gallery, made_up_vector(7)) == {"Grace"}


def test_an_assignment_that_cannot_be_enrolled_changes_nothing(gallery: GalleryChange) -> None:
    ada, grace = enrolled(gallery, "Ada", 1), enrolled(gallery, "Grace", 2)
    gallery.reject(ada, subject(7))
    before = gallery.generation()
    damaged = replace(subject(7), encodings=(encoding(7), damaged_encoding(8)))
    foreign = replace(subject(7), encodings=(short_encoding(7),))
    looked_at = replace(subject(7), template=damaged_encoding(7).vector)
    for who in (ada, new_performer("Eve")):
        with pytest.raises(DamagedVectorError):
            gallery.assign(who, damaged, instead_of=grace)
        with pytest.raises(OtherModelError):
            gallery.assign(who, foreign, instead_of=grace)
        with pytest.raises(DamagedVectorError):
            gallery.assign(who, looked_at, instead_of=grace)
    assert gallery.performers() == [ada, grace]
    assert gallery.generation() == before
    assert offered(gallery, made_up_vector(7)) == {"Grace"}
