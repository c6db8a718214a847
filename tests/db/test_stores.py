"""What holds of every store: how it is made, opened, and changed in turns."""

import threading
from pathlib import Path

import pytest

from db.errors import (
    GalleryError,
    GalleryLockedError,
    GalleryMissingError,
)
from db.galleries import Store
from db.stores import open_store
from tests.support.enrolled import enrolled, names
from tests.support.galleries import TEST_MODEL


def test_where_there_is_no_gallery_every_way_to_open_one_says_so(store: Store) -> None:
    assert not store.exists()
    with pytest.raises(GalleryMissingError, match=store.address.name), store.gallery():
        pass
    with pytest.raises(GalleryMissingError, match=store.address.name), store.changing():
        pass
    with pytest.raises(GalleryMissingError, match=store.address.name):
        list(store.check())
    assert not store.exists()


def test_a_gallery_that_was_made_is_there_and_empty(store: Store) -> None:
    store.create()
    assert store.exists()
    with store.gallery() as gallery:
        assert gallery.performers() == []
        assert gallery.models() == []
        assert gallery.journal() == []
        assert gallery.search("", 0, 10).total == 0
        assert gallery.snapshot(TEST_MODEL).vectors.shape == (0, 128)
    assert [one.level for one in store.check() if one.level != "ok"] == []
    assert store.backups() == []


def test_making_a_gallery_leaves_one_that_is_there_as_it_is(store: Store) -> None:
    with store.changing(create=True) as gallery:
        enrolled(gallery, "Ada", 1)
    store.create()
    with store.gallery() as gallery:
        assert names(gallery.performers()) == ["Ada"]


def test_two_galleries_are_never_of_one_generation(store: Store, tmp_path: Path) -> None:
    other = open_store(tmp_path / "other.db")
    for one in (store, other):
        one.create()
    with store.gallery() as ours, other.gallery() as theirs:
        assert ours.generation() != theirs.generation()


# Whoever changes a gallery takes turns


def test_a_second_change_is_refused_while_the_first_is_at_work_and_reading_goes_on(
    store: Store,
) -> None:
    refused: list[GalleryError] = []

    def change_too() -> None:
        try:
            with store.changing():
                pass
        except GalleryLockedError as error:
            refused.append(error)

    with store.changing(create=True) as gallery:
        enrolled(gallery, "Ada", 1)
        thread = threading.Thread(target=change_too)
        thread.start()
        thread.join()
        with store.gallery() as reader:
            assert names(reader.performers()) == ["Ada"]
        with store.rehearsing() as copy:
            assert names(copy.performers()) == ["Ada"]
    (error,) = refused
    assert "Another import or edit is running" in str(error)
    change_too()
    assert len(refused) == 1


def test_what_fails_amid_a_change_frees_the_gallery_and_keeps_what_landed(store: Store) -> None:
    def change() -> None:
        with store.changing(create=True) as gallery:
            enrolled(gallery, "Ada", 1)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        change()
    with store.changing() as gallery:
        assert names(gallery.performers()) == ["Ada"]


def test_a_rehearsal_shows_what_would_happen_and_changes_nothing(store: Store) -> None:
    with store.rehearsing() as copy:
        enrolled(copy, "Ada", 1)
    assert not store.exists()
    with store.changing(create=True) as gallery:
        ada = enrolled(gallery, "Ada", 1)
        before = gallery.generation()
    with store.rehearsing() as copy:
        assert names(copy.performers()) == ["Ada"]
        copy.forget(ada)
        copy.note_checkpoint("stash", "2026-01-01")
        assert copy.performers() == []
    with store.gallery() as reader:
        assert names(reader.performers()) == ["Ada"]
        assert reader.generation() == before
        assert reader.journal() == []
        assert reader.checkpoint("stash") == ""


# Enrolling
