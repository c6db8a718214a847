"""Finding performers, in every store: by name, by id, and by a search."""

import pytest

from db.errors import (
    AmbiguousNameError,
    PerformerNotFoundError,
)
from db.galleries import GalleryChange, everyone
from db.records import Identity
from tests.support.enrolled import X, Y, enrolled, from_box, from_stash
from tests.support.galleries import encoding, performer


def test_a_performer_is_found_by_name_in_upper_or_lower_case_or_by_id(
    gallery: GalleryChange,
) -> None:
    ada = enrolled(gallery, "Ada", 1)
    assert gallery.find_performer("aDA") == ada
    assert gallery.find_performer(str(ada.id)) == ada
    assert gallery.performer(ada.id) == ada


def test_a_name_that_several_go_by_is_ambiguous_and_the_ids_are_told(
    gallery: GalleryChange,
) -> None:
    gallery.enrol(performer("Ada", "1", disambiguation="the first"), [encoding(1)], None)
    gallery.enrol(performer("ADA", "2"), [encoding(2)], None)
    assert gallery.find_performer("Ada").source_id == "1"
    with pytest.raises(AmbiguousNameError, match=r"id:1 \(the first\), id:2 \(folder\)"):
        gallery.find_performer("ada")
    assert gallery.find_performer("2").source_id == "2"


ZOE = (
    "Zo\u00eb  Dupont",
    "Zoe\u0308 Dupont",
    "ZO\u00cb DUPONT",
    "zoe dupont",
    "Zo\u00eb\u00a0Dupont",
)
"""One name as a Mac, a keyboard without accents and a copied text write it."""


@pytest.mark.parametrize("written", ZOE)
def test_a_name_is_found_however_it_is_written(gallery: GalleryChange, written: str) -> None:
    zoe = enrolled(gallery, "Zo\u00eb Dupont")
    assert gallery.find_performer(written) == zoe
    assert gallery.find_named(written) == [zoe]
    assert found(gallery, written) == ["Zo\u00eb Dupont"]


def test_names_that_differ_only_in_how_they_are_written_are_namesakes(
    gallery: GalleryChange,
) -> None:
    first = enrolled(gallery, "Zo\u00eb Dupont")
    gallery.enrol(performer("zoe  dupont", "other"), [encoding(2)], None)
    assert [one.source_id for one in gallery.namesakes(first)] == ["other"]


@pytest.mark.parametrize("written", ZOE)
def test_who_was_forgotten_is_recognised_however_the_name_is_written(
    gallery: GalleryChange, written: str
) -> None:
    gallery.forget(enrolled(gallery, "Zo\u00eb Dupont"))
    again = performer(written, "another id")
    assert gallery.is_forgotten(again)
    gallery.unforget(written)
    assert not gallery.is_forgotten(again)


def test_a_number_is_a_name_first_and_an_id_where_nobody_has_it(gallery: GalleryChange) -> None:
    ada = enrolled(gallery, "Ada")
    number = str(ada.id)
    assert gallery.find_performer(number) == ada
    named = enrolled(gallery, number)
    assert gallery.find_performer(number) == named
    assert gallery.find_performer(f"id:{number}") == ada
    assert gallery.find_performer(f"ID:00{number}") == ada
    assert gallery.find_named("99") == []
    for nobody in ("99", "id:99", f"id:{10**30}", "id:", "id:x"):
        with pytest.raises(PerformerNotFoundError):
            gallery.find_performer(nobody)


def test_who_is_not_there_is_not_found(gallery: GalleryChange) -> None:
    ada = enrolled(gallery, "Ada", 1)
    with pytest.raises(PerformerNotFoundError, match="'Eve'"):
        gallery.find_performer("Eve")
    with pytest.raises(PerformerNotFoundError, match="no performer 99"):
        gallery.performer(99)
    gallery.forget(ada)
    with pytest.raises(PerformerNotFoundError):
        gallery.performer(ada.id)


def test_an_id_is_never_given_to_somebody_else(gallery: GalleryChange) -> None:
    ada = enrolled(gallery, "Ada", 1)
    gallery.forget(ada)
    assert enrolled(gallery, "Eve", 2).id != ada.id


def test_ids_find_everyone_who_goes_by_any_of_them_once(gallery: GalleryChange) -> None:
    gallery.enrol(from_stash("Ada", "7", X), [encoding(1)], None)
    gallery.enrol(from_box("Eve", "uuid-y"), [encoding(2)], None)
    ada, eve = gallery.performers()
    assert gallery.find_identities([*ada.identities]) == [ada]
    assert gallery.find_identities([Identity("another stash", "7")]) == []
    assert gallery.find_identities([]) == []
    assert {one.id for one in gallery.find_identities([X, Y])} == {ada.id, eve.id}


def test_a_record_finds_whoever_shares_an_id_with_it(gallery: GalleryChange) -> None:
    gallery.enrol(from_stash("Ada", "7", X), [encoding(1)], None)
    (ada,) = gallery.performers()
    assert gallery.find_same(from_box("Another name", "uuid-x")) == ada
    assert gallery.find_same(performer("Ada")) is None


def test_one_name_with_other_ids_is_another_person_and_namesakes_are_told(
    gallery: GalleryChange,
) -> None:
    gallery.enrol(from_box("Ada", "uuid-x", disambiguation="poet"), [encoding(1)], None)
    assert gallery.enrol(from_stash("ada", "7"), [encoding(2)], None) == "added"
    enrolled(gallery, "Adam")
    first, _, second = gallery.performers()
    assert gallery.namesakes(first) == [second]
    assert gallery.namesakes(second) == [first]


def test_everyone_is_listed_by_name_with_encodings_and_picture(gallery: GalleryChange) -> None:
    enrolled(gallery, "Eve", 2)
    gallery.enrol(performer("Ada"), [encoding(1)], b"jpeg")
    listed = [
        (who.name, [one.photo_hash for one in encodings], thumbnail)
        for who, encodings, thumbnail in everyone(gallery)
    ]
    assert listed == [("Ada", ["hash1"], b"jpeg"), ("Eve", ["hash2"], None)]


def found(gallery: GalleryChange, text: str, start: int = 0, limit: int = 99) -> list[str]:
    return [one.name for one in gallery.search(text, start, limit).performers]


def test_a_search_lists_names_that_begin_with_the_text_before_those_that_hold_it(
    gallery: GalleryChange,
) -> None:
    for name in ("Adeanne", "anna", "Zoe", "Ann"):
        enrolled(gallery, name)
    assert found(gallery, "ANN") == ["Ann", "anna", "Adeanne"]
    assert found(gallery, "") == ["Adeanne", "Ann", "anna", "Zoe"]
    assert found(gallery, "x") == []


def test_a_search_looks_into_every_alias_whatever_its_letters(gallery: GalleryChange) -> None:
    enrolled(gallery, "Ada", aliases=("Countess", 'The "Enchantress"'))
    enrolled(gallery, "Zoe", aliases=("Zoé", "Зоя"))
    assert found(gallery, "countess") == ["Ada"]
    assert found(gallery, '"enchantress"') == ["Ada"]
    assert found(gallery, "oé") == ["Zoe"]
    assert found(gallery, "зоя") == ["Zoe"]
    assert found(gallery, "Зоя") == ["Zoe"]


@pytest.mark.parametrize("text", ["[", '", "', "u00e9", "\\"])
def test_a_search_does_not_find_how_aliases_are_written(gallery: GalleryChange, text: str) -> None:
    enrolled(gallery, "Ada", aliases=("Countess", "é"))
    assert found(gallery, text) == []


@pytest.mark.parametrize("text", ["%", "_", "!", "50%", "a_b"])
def test_a_search_takes_every_sign_literally(gallery: GalleryChange, text: str) -> None:
    enrolled(gallery, "Ada")
    enrolled(gallery, f"x{text}y")
    enrolled(gallery, "Bob", aliases=(f"x{text}y",))
    assert found(gallery, text) == ["Bob", f"x{text}y"]


def test_a_search_is_handed_out_in_pages_with_the_total(gallery: GalleryChange) -> None:
    for number in range(5):
        enrolled(gallery, f"Ada {number}", number)
    page = gallery.search("ada", 1, 2)
    assert [one.name for one in page.performers] == ["Ada 1", "Ada 2"]
    assert page.total == 5
    assert gallery.search("ada", 9, 2).performers == ()
    assert gallery.search("ada", 9, 2).total == 5


def test_a_search_tells_how_many_photos_and_whether_there_is_a_picture(
    gallery: GalleryChange,
) -> None:
    record = performer("Ada", disambiguation="poet's child")
    gallery.enrol(record, [encoding(1), encoding(2)], b"jpeg")
    enrolled(gallery, "Eve")
    ada, eve = gallery.search("", 0, 9).performers
    assert (ada.id, ada.disambiguation) == (gallery.find_performer("Ada").id, "poet's child")
    assert (ada.photos, ada.has_thumbnail) == (2, True)
    assert (eve.photos, eve.has_thumbnail) == (0, False)


# Names and merging
