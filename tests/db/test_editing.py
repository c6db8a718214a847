"""Edits, in every store: names, merging, and photos taken out."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from db.errors import (
    GalleryError,
    IdentityConflictError,
    PerformerNotFoundError,
)
from db.galleries import GalleryChange
from db.records import Identity
from tests.support.enrolled import (
    OTHER_MODEL,
    X,
    enrolled,
    from_box,
    from_stash,
    hashes,
    short_encoding,
    subject,
)
from tests.support.galleries import MODEL, encoding, performer


def test_a_name_the_user_chose_outlives_the_next_import(gallery: GalleryChange) -> None:
    ada = enrolled(gallery, "Ada", 1)
    gallery.rename(ada, "Ada Lovelace", "poet's child")
    assert gallery.enrol(performer("Ada"), [], None) == "unchanged"
    (ada,) = gallery.performers()
    assert (ada.name, ada.disambiguation, ada.aliases) == ("Ada Lovelace", "poet's child", ("Ada",))
    gallery.rename(ada, "Ada", None)
    (ada,) = gallery.performers()
    assert (ada.name, ada.disambiguation) == ("Ada", "poet's child")
    assert ada.aliases == ("Ada Lovelace",)


def test_renaming_by_an_old_record_loses_nothing_that_came_since(gallery: GalleryChange) -> None:
    old = enrolled(gallery, "Ada", 1)
    gallery.enrol(performer("Ada", aliases=("Countess",), urls=("u",)), [], None)
    gallery.rename(old, "Ada L.", None)
    ada = gallery.performer(old.id)
    assert (ada.aliases, ada.urls) == (("Countess", "Ada"), ("u",))


def test_an_alias_is_removed_until_an_import_brings_it_again(gallery: GalleryChange) -> None:
    listed = performer("Ada", aliases=("Countess", "Lady"))
    gallery.enrol(listed, [], None)
    (ada,) = gallery.performers()
    gallery.remove_alias(ada, "Lady")
    assert gallery.performer(ada.id).aliases == ("Countess",)
    assert gallery.search("lady", 0, 9).total == 0
    with pytest.raises(PerformerNotFoundError, match="no alias 'Lady'"):
        gallery.remove_alias(ada, "Lady")
    gallery.enrol(listed, [], None)
    assert gallery.performer(ada.id).aliases == ("Countess", "Lady")


def test_merging_moves_every_id_alias_url_and_photo(gallery: GalleryChange) -> None:
    gallery.enrol(from_stash("Ada", "7"), [encoding(1), encoding(2)], None)
    box = from_box("Countess", "uuid-x", urls=("u",), aliases=("Lady",))
    gallery.enrol(box, [encoding(2), encoding(3)], b"jpeg")
    gallery.note_updated_at(X, "2026-01-01")
    kept, absorbed = gallery.performers()
    merged = gallery.merge(kept, absorbed)
    assert merged == gallery.performer(kept.id)
    assert (merged.name, merged.aliases, merged.urls) == ("Ada", ("Lady", "Countess"), ("u",))
    assert hashes(gallery, merged) == {"hash1", "hash2", "hash3"}
    assert len(gallery.encodings(merged.id)) == 3
    assert gallery.thumbnail(merged.id) == b"jpeg"
    assert gallery.updated_at(X) == "2026-01-01"
    with pytest.raises(PerformerNotFoundError):
        gallery.performer(absorbed.id)
    assert gallery.enrol(box, [encoding(3)], None) == "unchanged"
    assert gallery.enrol(from_stash("Ada", "7"), [encoding(1)], None) == "unchanged"


def test_merging_keeps_the_picture_and_every_model_and_what_was_removed(
    gallery: GalleryChange,
) -> None:
    gallery.enrol(performer("Ada"), [encoding(1)], b"Ada")
    gallery.enrol(performer("Eve"), [encoding(1), short_encoding(1), encoding(4)], b"Eve")
    ada, eve = gallery.performers()
    gallery.remove_photo(eve, "hash4")
    gallery.merge(ada, eve)
    assert gallery.thumbnail(ada.id) == b"Ada"
    assert [one.model for one in gallery.encodings(ada.id)] == [MODEL, OTHER_MODEL.id]
    assert gallery.removed_photos(ada.id) == {"hash4"}


def test_an_id_gets_another_name_and_all_that_was_noted_of_it_stays(
    gallery: GalleryChange,
) -> None:
    gallery.enrol(from_stash("Ada", "7", X), [encoding(1)], None)
    before, new = Identity("stash http://localhost:9999", "7"), Identity("stash", "7")
    gallery.note_updated_at(before, "2026-01-01")
    assert gallery.rename_identities({before: new, Identity("gone", "1"): X}) == 1
    (ada,) = gallery.performers()
    assert (ada.source, ada.source_id) == new
    assert set(ada.identities) == {new, X}
    assert gallery.updated_at(new) == "2026-01-01"
    assert gallery.enrol(performer("Ada", "7", source="stash"), [], None) == "unchanged"


def test_an_id_that_the_performer_has_already_is_dropped_and_one_of_another_refused(
    gallery: GalleryChange,
) -> None:
    gallery.enrol(from_stash("Ada", "7", X), [encoding(1)], None)
    gallery.enrol(from_stash("Eve", "8"), [encoding(2)], None)
    of_ada, of_eve = (Identity("stash http://localhost:9999", one) for one in "78")
    with pytest.raises(IdentityConflictError):
        gallery.rename_identities({X: Identity("new", "1"), of_ada: of_eve})
    (ada, _) = gallery.performers()
    assert set(ada.identities) == {of_ada, X}
    assert gallery.rename_identities({of_ada: X}) == 1
    (ada, _) = gallery.performers()
    assert ada.identities == (X,)


def test_merging_with_oneself_is_refused(gallery: GalleryChange) -> None:
    ada = enrolled(gallery, "Ada", 1)
    with pytest.raises(GalleryError, match="cannot be merged with itself"):
        gallery.merge(ada, ada)
    assert gallery.performers() == [ada]


def test_merging_by_old_records_loses_nothing_that_came_since(gallery: GalleryChange) -> None:
    ada, eve = enrolled(gallery, "Ada", 1), enrolled(gallery, "Eve", 2)
    gallery.enrol(performer("Ada", urls=("u",)), [], None)
    gallery.enrol(performer("Eve", identities=(X,)), [], None)
    merged = gallery.merge(ada, eve)
    assert merged.urls == ("u",)
    assert merged.stash_ids == (X,)
    assert gallery.find_identities([X]) == [merged]


def test_merging_answers_also_where_somebody_else_is_called_like_the_id(
    gallery: GalleryChange,
) -> None:
    ada, eve = enrolled(gallery, "Ada", 1), enrolled(gallery, "Eve", 2)
    enrolled(gallery, str(ada.id), 3)
    assert gallery.merge(ada, eve).name == "Ada"


def test_whoever_is_gone_can_be_changed_no_more(gallery: GalleryChange) -> None:
    ada, eve = enrolled(gallery, "Ada", 1), enrolled(gallery, "Eve", 2)
    gallery.forget(ada)
    before = (gallery.generation(), gallery.performers(), gallery.journal())
    changes: list[Callable[[], object]] = [
        lambda: gallery.rename(ada, "Ada L.", None),
        lambda: gallery.merge(ada, eve),
        lambda: gallery.merge(eve, ada),
        lambda: gallery.remove_photo(ada, "hash1"),
        lambda: gallery.allow_photos(ada),
        lambda: gallery.reject(ada, subject(7)),
        lambda: gallery.assign(eve, subject(7), instead_of=ada),
        lambda: gallery.forget(ada),
    ]
    for change in changes:
        with pytest.raises(PerformerNotFoundError):
            change()
        assert (gallery.generation(), gallery.performers(), gallery.journal()) == before


# Photos


def test_a_photo_is_taken_out_by_its_origin_or_the_start_of_its_hash(
    gallery: GalleryChange,
) -> None:
    gallery.enrol(performer("Ada"), [encoding(1), encoding(2), encoding(3, "beef")], b"jpeg")
    eve = enrolled(gallery, "Eve", 1)
    ada = gallery.find_performer("Ada")
    assert gallery.remove_photo(ada, "photo1.jpg") == 1
    assert gallery.remove_photo(ada, "be") == 1
    assert hashes(gallery, ada) == {"hash2"}
    assert gallery.removed_photos(ada.id) == {"hash1", "beef"}
    assert gallery.thumbnail(ada.id) == b"jpeg"
    assert gallery.remove_photo(ada, "hash2") == 1
    assert gallery.thumbnail(ada.id) is None
    assert hashes(gallery, eve) == {"hash1"}
    assert gallery.removed_photos(eve.id) == set()


@pytest.mark.parametrize(
    ("photo", "complaint"),
    [
        ("photo9.jpg", "no photo 'photo9.jpg'"),
        ("hash", "2 photos 'hash'"),
        ("", "no photo ''"),
        ("%", "no photo '%'"),
        ("hash_", "no photo 'hash_'"),
        ("photo3.jpg", "no photo 'photo3.jpg'"),  # somebody else's
    ],
)
def test_a_photo_that_is_not_one_alone_is_not_taken_out(
    gallery: GalleryChange, photo: str, complaint: str
) -> None:
    ada = enrolled(gallery, "Ada", 1, 2)
    enrolled(gallery, "Eve", 3)
    with pytest.raises(PerformerNotFoundError, match=f"Ada has {complaint}"):
        gallery.remove_photo(ada, photo)
    assert gallery.performer(ada.id).encodings == 2
    assert gallery.removed_photos(ada.id) == set()


def test_removed_photos_are_remembered_until_they_are_allowed(gallery: GalleryChange) -> None:
    ada, eve = enrolled(gallery, "Ada", 1, 2), enrolled(gallery, "Eve", 3)
    gallery.remove_photo(ada, "hash1")
    gallery.remove_photo(eve, "hash3")
    gallery.enrol(performer("Ada"), [encoding(2), encoding(4)], None)
    assert gallery.removed_photos(ada.id) == {"hash1"}
    gallery.allow_photos(ada)
    assert gallery.removed_photos(ada.id) == set()
    assert gallery.removed_photos(eve.id) == {"hash3"}


# Forgetting


def test_the_face_in_a_photo_follows_the_photo(gallery: GalleryChange) -> None:
    pictured = [replace(encoding(1), face=b"first"), replace(encoding(2), face=b"second")]
    gallery.enrol(performer("Ada", "1"), [*pictured, encoding(3)], None)
    ada = gallery.find_performer("Ada")
    assert gallery.photo_face(ada.id, "hash2") == b"second"
    assert [one.face for one in gallery.encodings(ada.id)] == [b"first", b"second", b""]
    assert gallery.photo_face(ada.id, "hash3") is None
    assert gallery.photo_face(ada.id + 1, "hash2") is None
    bob = enrolled(gallery, "Bob", 7)
    gallery.merge(bob, ada)
    kept = gallery.find_performer("Bob")
    assert gallery.photo_face(kept.id, "hash2") == b"second"
    gallery.remove_photo(kept, "hash2")
    assert gallery.photo_face(kept.id, "hash2") is None
    assert gallery.photo_face(kept.id, "hash1") == b"first"
