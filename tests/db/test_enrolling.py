"""Enrolling, in every store: photos, encodings of several models, and whose they are."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from db.errors import (
    DamagedVectorError,
    IdentityConflictError,
    OtherModelError,
)
from db.galleries import GalleryChange, everyone
from db.records import Identity
from db.stores import open_store
from tests.support.enrolled import (
    OTHER_MODEL,
    X,
    Y,
    damaged_encoding,
    enrolled,
    from_box,
    from_stash,
    names,
    short_encoding,
)
from tests.support.galleries import MODEL, TEST_MODEL, encoding, performer


def test_what_was_enrolled_comes_back(gallery: GalleryChange) -> None:
    record = performer("Ada", aliases=("Countess",), urls=("https://a.org",), poster_url="p")
    weak = replace(encoding(2), weaknesses="blurred")
    assert gallery.enrol(record, [encoding(1), weak], b"jpeg") == "added"
    ada = gallery.find_performer("Ada")
    identities = (Identity("folder", "Ada"),)
    assert ada == replace(record, id=ada.id, encodings=2, identities=identities)
    assert gallery.thumbnail(ada.id) == b"jpeg"
    first, second = gallery.encodings(ada.id)
    assert np.array_equal(first.vector, encoding(1).vector)
    assert first.vector.dtype == np.float32
    told = (second.model, second.quality, second.photo_hash, second.origin, second.weaknesses)
    assert told == (MODEL, 0.9, "hash2", "photo2.jpg", "blurred")
    photos = [(one.origin, one.quality, one.model, one.hash) for one in gallery.photos(ada.id)]
    assert photos[0] == ("photo1.jpg", 0.9, MODEL, "hash1")
    assert gallery.photo_hashes(ada.id, MODEL) == {"hash1", "hash2"}
    assert gallery.photo_hashes(ada.id, "other") == set()


def test_of_nobody_there_is_nothing(gallery: GalleryChange) -> None:
    assert gallery.encodings(7) == []
    assert gallery.photos(7) == []
    assert gallery.thumbnail(7) is None
    assert gallery.photo_hashes(7, MODEL) == set()
    assert gallery.removed_photos(7) == set()


def test_enrolling_again_changes_nothing_and_keeps_the_generation(gallery: GalleryChange) -> None:
    gallery.enrol(performer("Ada"), [encoding(1)], b"jpeg")
    before = gallery.generation()
    assert gallery.enrol(performer("Ada"), [encoding(1)], b"other") == "unchanged"
    assert gallery.generation() == before
    assert gallery.thumbnail(gallery.find_performer("Ada").id) == b"jpeg"


def test_a_new_photo_detail_or_picture_updates(gallery: GalleryChange) -> None:
    ada = enrolled(gallery, "Ada", 1)
    assert gallery.enrol(performer("Ada"), [encoding(1), encoding(2)], None) == "updated"
    assert gallery.enrol(performer("Ada", urls=("u",)), [], None) == "updated"
    assert gallery.enrol(performer("Ada"), [], b"jpeg") == "updated"
    assert gallery.thumbnail(ada.id) == b"jpeg"
    assert gallery.performer(ada.id).encodings == 2


def test_one_photo_that_comes_twice_is_stored_once(gallery: GalleryChange) -> None:
    gallery.enrol(performer("Ada"), [encoding(1), encoding(2, "hash1")], None)
    (stored,) = gallery.encodings(gallery.find_performer("Ada").id)
    assert np.array_equal(stored.vector, encoding(1).vector)


def test_two_performers_may_have_the_same_photo(gallery: GalleryChange) -> None:
    ada, grace = enrolled(gallery, "Ada", 1), enrolled(gallery, "Grace", 1)
    assert (ada.encodings, grace.encodings) == (1, 1)


def test_a_damaged_encoding_is_refused_and_leaves_nothing_behind(gallery: GalleryChange) -> None:
    before = gallery.generation()
    with pytest.raises(DamagedVectorError, match="NaN"):
        gallery.enrol(performer("Eve"), [encoding(1), damaged_encoding(2)], b"jpeg")
    assert gallery.performers() == []
    assert gallery.models() == []
    assert gallery.generation() == before


def test_a_stash_id_ties_what_stash_and_stash_box_know_of_one_performer(
    gallery: GalleryChange,
) -> None:
    gallery.enrol(from_stash("Ada", "7", X), [encoding(1)], None)
    changed = gallery.enrol(from_box("Ada Lovelace", "uuid-x", urls=("u",)), [encoding(2)], None)
    assert changed == "updated"
    (ada,) = gallery.performers()
    assert (ada.name, ada.aliases, ada.urls, ada.encodings) == ("Ada", ("Ada Lovelace",), ("u",), 2)
    assert ada.stash_ids == (X,)
    assert gallery.enrol(from_box("Ada Lovelace", "uuid-x"), [], None) == "unchanged"


def test_the_first_source_corrects_a_name_and_other_sources_add_aliases(
    gallery: GalleryChange,
) -> None:
    gallery.enrol(from_box("Ada", "uuid-x", disambiguation="poet"), [encoding(1)], None)
    gallery.enrol(from_box("Ada L.", "uuid-x", disambiguation="poet's child"), [], None)
    gallery.enrol(from_stash("Countess", "7", X), [], None)
    (ada,) = gallery.performers()
    assert (ada.name, ada.disambiguation) == ("Ada L.", "poet's child")
    assert ada.aliases == ("Countess",)


def test_a_record_with_the_ids_of_two_performers_is_refused_with_the_remedy(
    gallery: GalleryChange,
) -> None:
    gallery.enrol(from_box("Ada", "uuid-x"), [encoding(1)], None)
    gallery.enrol(from_box("Eve", "uuid-y"), [encoding(2)], None)
    both = from_stash("Both", "7", X, Y)
    with pytest.raises(IdentityConflictError, match="merge id:1 id:2"):
        gallery.enrol(both, [encoding(3)], None)
    with pytest.raises(IdentityConflictError):
        gallery.find_same(both)
    assert [one.encodings for one in gallery.performers()] == [1, 1]


# Models


def test_a_photo_without_the_primary_model_is_refused(gallery: GalleryChange) -> None:
    ada = enrolled(gallery, "Ada", 1)
    for record in (performer("Eve"), performer("Ada")):
        with pytest.raises(OtherModelError, match=f"encodings of {MODEL}, .*of other-model"):
            gallery.enrol(record, [short_encoding(2)], None)
    assert names(gallery.performers()) == ["Ada"]
    assert gallery.performer(ada.id).encodings == 1
    assert gallery.models() == [MODEL]


def test_also_into_an_empty_gallery_every_photo_comes_with_the_primary_model(
    gallery: GalleryChange,
) -> None:
    with pytest.raises(OtherModelError):
        gallery.enrol(performer("Eve"), [encoding(1), short_encoding(2)], None)
    assert gallery.performers() == []


def test_a_photo_of_two_models_counts_once_and_each_model_has_its_snapshot(
    gallery: GalleryChange,
) -> None:
    both = [encoding(1), short_encoding(1, 1, 2, 3, 4), encoding(2)]
    gallery.enrol(performer("Ada"), both, None)
    ada = gallery.find_performer("Ada")
    assert ada.encodings == 2
    assert [one.photos for one in gallery.search("Ada", 0, 9).performers] == [2]
    assert [(one.hash, one.model) for one in gallery.photos(ada.id)] == [
        ("hash1", MODEL),
        ("hash2", MODEL),
    ]
    assert gallery.models() == [MODEL, OTHER_MODEL.id]
    assert gallery.photo_hashes(ada.id, OTHER_MODEL.id) == {"hash1"}
    assert gallery.photo_owners() == {"hash1": ada.id, "hash2": ada.id}
    gallery.enrol(performer("Eve"), [encoding(2), encoding(3)], None)
    eve = gallery.find_performer("Eve")
    assert gallery.photo_owners() == {"hash1": ada.id, "hash2": ada.id, "hash3": eve.id}
    assert gallery.photo_owners(["hash2", "hash9"]) == {"hash2": ada.id}
    assert gallery.photo_owners([]) == {}
    gallery.forget(eve)
    assert len(gallery.snapshot(TEST_MODEL).vectors) == 2
    other = gallery.snapshot(OTHER_MODEL)
    assert other.model == OTHER_MODEL
    assert other.vectors.tolist() == [[1, 2, 3, 4]]
    assert other.qualities.tolist() == [0.5]
    assert gallery.remove_photo(ada, "hash1") == 2
    assert gallery.models() == [MODEL]


def test_merged_photos_are_listed_by_the_primary_model_whoever_had_the_other_first(
    gallery: GalleryChange,
) -> None:
    gallery.enrol(performer("Ada"), [encoding(1), short_encoding(1)], None)
    bea = enrolled(gallery, "Bea", 1, 2)
    merged = gallery.merge(bea, gallery.find_performer("Ada"))
    assert [(one.hash, one.model) for one in gallery.photos(merged.id)] == [
        ("hash1", MODEL),
        ("hash2", MODEL),
    ]
    models = [one.model for one in gallery.encodings(merged.id)]
    assert models == [MODEL, MODEL, OTHER_MODEL.id]


def test_the_encoding_of_another_model_may_follow_later(gallery: GalleryChange) -> None:
    ada = enrolled(gallery, "Ada", 1)
    assert gallery.enrol(performer("Ada"), [short_encoding(1)], None) == "updated"
    assert gallery.enrol(performer("Ada"), [short_encoding(1)], None) == "unchanged"
    assert gallery.performer(ada.id).encodings == 1
    assert len(gallery.encodings(ada.id)) == 2


def test_an_encoding_of_another_length_is_refused(gallery: GalleryChange) -> None:
    enrolled(gallery, "Ada", 1)
    with pytest.raises(DamagedVectorError):
        gallery.enrol(performer("Eve"), [short_encoding(2, model=MODEL)], None)
    assert names(gallery.performers()) == ["Ada"]
    assert gallery.models() == [MODEL]


def test_once_nothing_is_enrolled_any_more_another_model_may_be_the_primary_one(
    gallery: GalleryChange,
) -> None:
    gallery.forget(enrolled(gallery, "Ada", 1))
    assert gallery.models() == []
    gallery.enrol(performer("Eve"), [short_encoding(2)], None)
    gallery.enrol(performer("Bob"), [short_encoding(3), encoding(3)], None)
    assert gallery.models() == [OTHER_MODEL.id, MODEL]


def test_what_is_copied_one_by_one_keeps_its_primary_model(
    gallery: GalleryChange, tmp_path: Path
) -> None:
    gallery.enrol(performer("Eve"), [encoding(1)], b"jpeg")
    gallery.enrol(performer("Ada"), [short_encoding(2), encoding(2)], None)
    with open_store(tmp_path / "copy.db").changing(create=True) as copy:
        for who, encodings, thumbnail in everyone(gallery):
            assert copy.enrol(who, encodings, thumbnail) == "added"
        assert copy.models() == [MODEL, OTHER_MODEL.id]
        assert names(copy.performers()) == ["Ada", "Eve"]
        assert copy.thumbnail(copy.find_performer("Eve").id) == b"jpeg"


# Snapshots and generations
