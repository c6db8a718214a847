from collections.abc import Iterator

import pytest

from db.errors import GalleryError, IdentityConflictError, PerformerNotFoundError
from db.records import Identity, Performer
from db.sqlite.edits import merge, remove_photo, rename
from db.sqlite.gallery import SqliteGallery
from tests.support.galleries import encoding, performer

BOX = "https://stashdb.org/graphql"
X = Identity(BOX, "uuid-x")
Y = Identity(BOX, "uuid-y")


def from_stash(name: str, number: str, *stash_ids: Identity) -> Performer:
    return performer(name, number, source="stash http://localhost:9999", identities=stash_ids)


def from_box(name: str, stash_id: str, **fields: object) -> Performer:
    return performer(name, stash_id, source=BOX, **fields)


@pytest.fixture
def gallery() -> Iterator[SqliteGallery]:
    with SqliteGallery() as opened:
        yield opened


def test_a_stash_id_ties_what_stash_and_stash_box_know_of_one_performer(
    gallery: SqliteGallery,
) -> None:
    gallery.enrol(from_stash("Ada", "7", X), [encoding(1)], None)
    changed = gallery.enrol(from_box("Ada Lovelace", "uuid-x", urls=("u",)), [encoding(2)], None)
    assert changed == "updated"
    (ada,) = gallery.performers()
    assert (ada.name, ada.aliases, ada.urls, ada.encodings) == ("Ada", ("Ada Lovelace",), ("u",), 2)
    assert ada.stash_ids == (X,)
    assert gallery.enrol(from_box("Ada Lovelace", "uuid-x"), [], None) == "unchanged"


def test_the_first_source_corrects_a_name_and_other_sources_add_aliases(
    gallery: SqliteGallery,
) -> None:
    gallery.enrol(from_box("Ada", "uuid-x", disambiguation="poet"), [encoding(1)], None)
    gallery.enrol(from_box("Ada L.", "uuid-x", disambiguation="poet's child"), [], None)
    gallery.enrol(from_stash("Countess", "7", X), [], None)
    (ada,) = gallery.performers()
    assert (ada.name, ada.disambiguation) == ("Ada L.", "poet's child")
    assert ada.aliases == ("Countess",)


def test_a_record_with_the_ids_of_two_performers_is_refused_with_the_remedy(
    gallery: SqliteGallery,
) -> None:
    gallery.enrol(from_box("Ada", "uuid-x"), [encoding(1)], None)
    gallery.enrol(from_box("Eve", "uuid-y"), [encoding(2)], None)
    with pytest.raises(IdentityConflictError, match="merge 1 2"):
        gallery.enrol(from_stash("Both", "7", X, Y), [encoding(3)], None)
    assert [one.encodings for one in gallery.performers()] == [1, 1]


def test_one_name_with_other_ids_is_another_person_and_namesakes_are_told(
    gallery: SqliteGallery,
) -> None:
    gallery.enrol(from_box("Ada", "uuid-x", disambiguation="poet"), [encoding(1)], None)
    assert gallery.enrol(from_stash("ada", "7"), [encoding(2)], None) == "added"
    first, second = gallery.performers()
    assert gallery.namesakes(first) == [second]


def test_merging_moves_every_id_alias_and_photo(gallery: SqliteGallery) -> None:
    gallery.enrol(from_stash("Ada", "7"), [encoding(1), encoding(2)], None)
    gallery.enrol(from_box("Countess", "uuid-x"), [encoding(2), encoding(3)], b"jpeg")
    kept, absorbed = gallery.performers()
    merged = merge(gallery, kept, absorbed)
    assert (merged.name, merged.aliases, merged.encodings) == ("Ada", ("Countess",), 3)
    assert gallery.thumbnail(merged.id) == b"jpeg"
    assert gallery.enrol(from_box("Countess", "uuid-x"), [encoding(3)], None) == "unchanged"
    assert gallery.enrol(from_stash("Ada", "7"), [encoding(1)], None) == "unchanged"
    with pytest.raises(GalleryError, match="cannot be merged with itself"):
        merge(gallery, merged, merged)


def test_a_name_the_user_chose_outlives_the_next_import(gallery: SqliteGallery) -> None:
    gallery.enrol(from_stash("Ada", "7"), [encoding(1)], None)
    rename(gallery, gallery.find_performer("Ada"), "Ada Lovelace", "poet's child")
    assert gallery.enrol(from_stash("Ada", "7"), [], None) == "unchanged"
    (ada,) = gallery.performers()
    assert (ada.name, ada.disambiguation, ada.aliases) == ("Ada Lovelace", "poet's child", ("Ada",))


def test_a_photo_is_taken_out_by_its_origin_or_hash(gallery: SqliteGallery) -> None:
    gallery.enrol(performer("Ada"), [encoding(1), encoding(2), encoding(3)], b"jpeg")
    ada = gallery.find_performer("Ada")
    assert remove_photo(gallery, ada, "photo1.jpg") == 1
    assert remove_photo(gallery, ada, "hash2") == 1
    with pytest.raises(PerformerNotFoundError, match="no photo 'photo9"):
        remove_photo(gallery, ada, "photo9.jpg")
    assert gallery.thumbnail(ada.id) == b"jpeg"
    remove_photo(gallery, ada, "hash3")
    assert gallery.thumbnail(ada.id) is None
