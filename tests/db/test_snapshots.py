"""Snapshots and generations, in every store."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from db.corrections import Correction
from db.errors import (
    OtherModelError,
)
from db.galleries import GalleryChange, Store
from db.models import EncodingKind, EncodingSpace, Fusion
from db.records import Generation
from tests.support.enrolled import OTHER_MODEL, X, Y, enrolled, from_stash, short_encoding, subject
from tests.support.galleries import TEST_MODEL, encoding, made_up_vector, performer


def test_the_snapshot_lists_performers_by_id_and_every_encoding_beside_its_owner(
    gallery: GalleryChange,
) -> None:
    bob, ada = enrolled(gallery, "Bob", 1), enrolled(gallery, "Ada", 2, 3)
    enrolled(gallery, "Nobody")
    snapshot = gallery.snapshot(TEST_MODEL)
    assert snapshot.performers[:2] == (bob, ada)
    assert snapshot.generation == gallery.generation()
    assert snapshot.model == TEST_MODEL
    assert snapshot.owners.tolist() == [0, 1, 1]
    assert np.array_equal(snapshot.vectors, [encoding(seed).vector for seed in (1, 2, 3)])
    assert snapshot.qualities.tolist() == [np.float32(0.9)] * 3
    assert snapshot.templates.evidence[2] == 0
    assert len(snapshot.rejections.owners) == 0


def test_the_snapshot_holds_what_was_rejected_beside_whom(gallery: GalleryChange) -> None:
    enrolled(gallery, "Bob", 1)
    ada = enrolled(gallery, "Ada", 2)
    gallery.reject(ada, subject(7))
    gallery.reject(ada, replace(subject(8), template=short_encoding(8).vector, model=OTHER_MODEL))
    rejections = gallery.snapshot(TEST_MODEL).rejections
    assert np.array_equal(rejections.vectors, [made_up_vector(7)])
    assert rejections.owners.tolist() == [1]


def test_models_of_one_length_are_kept_apart(gallery: GalleryChange) -> None:
    third = replace(TEST_MODEL, id="third-model")
    both = [encoding(1), encoding(2, "hash1", third.id)]
    gallery.enrol(performer("Ada"), both, None)
    ada = gallery.find_performer("Ada")
    for seed, model in ((7, TEST_MODEL), (8, third)):
        gallery.reject(ada, replace(subject(seed), model=model))
    for model, enrolled_one, rejected in ((TEST_MODEL, 1, 7), (third, 2, 8)):
        snapshot = gallery.snapshot(model)
        assert np.array_equal(snapshot.vectors, [made_up_vector(enrolled_one)])
        assert np.array_equal(snapshot.rejections.vectors, [made_up_vector(rejected)])
    assert gallery.assign(ada, replace(subject(8), encodings=())).lifted == ()


FUSION = Fusion(
    EncodingSpace(id="both", dimensions=132, face_variance=0.1), (TEST_MODEL, OTHER_MODEL), (1.0, 2)
)


def test_photos_with_encodings_of_both_nets_make_a_template_in_their_fusion(
    gallery: GalleryChange,
) -> None:
    gallery.enrol(performer("Ada"), [encoding(1), encoding(2), short_encoding(1)], None)
    gallery.enrol(performer("Bea"), [encoding(3)], None)
    gallery.enrol(performer("Cleo"), [encoding(4), short_encoding(4, 1, 2, 3, 4)], None)
    assert gallery.snapshot(TEST_MODEL).fused == ()
    snapshot = gallery.snapshot(TEST_MODEL, [FUSION])
    (fused,) = snapshot.fused
    assert fused.fusion == FUSION
    templates = fused.templates
    names = [one.name for one in snapshot.performers]
    ada, bea, cleo = (names.index(name) for name in ("Ada", "Bea", "Cleo"))
    np.testing.assert_allclose(templates.means[ada], [*made_up_vector(1), 2, 0, 0, 0], rtol=1e-6)
    np.testing.assert_allclose(templates.means[cleo], [*made_up_vector(4), 2, 4, 6, 8], rtol=1e-6)
    assert (templates.evidence > 0).tolist() == [place in (ada, cleo) for place in range(3)]
    assert (snapshot.templates.evidence > 0).all()
    assert not templates.means[bea].any()
    gallery.enrol(performer("Bea"), [encoding(3), short_encoding(3)], None)
    (changed,) = gallery.snapshot(TEST_MODEL, [FUSION]).fused
    assert (changed.templates.evidence > 0).all()


def test_photos_may_have_encodings_of_several_second_nets_and_each_fusion_takes_its_own(
    gallery: GalleryChange,
) -> None:
    third = EncodingKind(id="third-model", dimensions=4)
    other = replace(FUSION, parts=(TEST_MODEL, third))
    own = short_encoding(1, 5, 6, 7, 8, model=third.id)
    gallery.enrol(performer("Ada"), [encoding(1), short_encoding(1, 1, 2, 3, 4), own], None)
    gallery.enrol(performer("Bea"), [encoding(2), short_encoding(2)], None)
    both = gallery.snapshot(TEST_MODEL, [other, FUSION])
    assert [one.fusion for one in both.fused] == [other, FUSION]
    for fusion, last, evidence in ((FUSION, [2, 4, 6, 8], 2), (other, [10, 12, 14, 16], 1)):
        (alone,) = gallery.snapshot(TEST_MODEL, [fusion]).fused
        fused = both.fused_by(fusion.models)
        assert fused
        np.testing.assert_array_equal(fused.templates.means, alone.templates.means)
        np.testing.assert_array_equal(fused.templates.evidence, alone.templates.evidence)
        np.testing.assert_allclose(fused.templates.means[0][-4:], last)
        assert (fused.templates.evidence > 0).sum() == evidence
    assert both.fused_by([TEST_MODEL.id]) is both.fused_by([]) is None
    assert [one.encodings for one in gallery.performers()] == [1, 1]
    assert gallery.models() == [TEST_MODEL.id, OTHER_MODEL.id, third.id]
    counts = [gallery.count_photos(one) for one in (*gallery.models(), "fourth")]
    assert counts == [2, 2, 1, 0]


def test_where_no_photo_has_both_nets_encodings_there_is_no_fusion(gallery: GalleryChange) -> None:
    assert gallery.snapshot(TEST_MODEL, [FUSION]).fused == ()
    enrolled(gallery, "Ada", 1)
    assert gallery.snapshot(TEST_MODEL, [FUSION]).fused == ()


def test_a_model_that_nothing_is_enrolled_by_has_no_snapshot(gallery: GalleryChange) -> None:
    enrolled(gallery, "Ada")
    assert gallery.snapshot(OTHER_MODEL).vectors.shape == (0, 4)
    enrolled(gallery, "Ada", 1)
    with pytest.raises(OtherModelError, match="the engine's of other-model"):
        gallery.snapshot(OTHER_MODEL)


def test_a_reader_has_the_snapshot_anew_once_something_changed(store: Store) -> None:
    store.create()
    for count in (1, 2):
        with store.changing() as gallery:
            enrolled(gallery, "Ada", count)
        with store.gallery() as reader:
            snapshot = reader.snapshot(TEST_MODEL)
            assert snapshot.generation == reader.generation()
            assert len(snapshot.vectors) == count


def test_every_change_moves_the_generation(gallery: GalleryChange) -> None:
    correction: list[Correction] = []
    ada, eve = enrolled(gallery, "Ada", 1, 2), enrolled(gallery, "Eve", 3)
    changes: list[Callable[[], object]] = [
        lambda: gallery.enrol(performer("Bob"), [encoding(4)], None),
        lambda: correction.append(gallery.assign(ada, subject(7))),
        lambda: gallery.undo(correction[0]),
        lambda: gallery.reject(ada, subject(8)),
        lambda: gallery.rename(ada, "Ada L.", None),
        lambda: gallery.remove_photo(ada, "hash1"),
        lambda: gallery.allow_photos(ada),
        lambda: gallery.merge(ada, eve),
        lambda: gallery.forget(ada),
        lambda: gallery.unforget("Ada L."),
    ]
    seen: set[Generation] = {gallery.generation()}
    for change in changes:
        change()
        assert gallery.generation() not in seen
        seen.add(gallery.generation())


def test_notes_are_kept_and_leave_the_generation_as_it_is(gallery: GalleryChange) -> None:
    gallery.enrol(from_stash("Ada", "7", X), [encoding(1)], None)
    before = gallery.generation()
    assert gallery.updated_at(X) == ""
    assert gallery.checkpoint("stash") == ""
    gallery.note_updated_at(X, "2026-01-01")
    gallery.note_updated_at(Y, "2026-01-02")
    gallery.note_checkpoint("stash", "2026-01-03")
    gallery.note_checkpoint("stash", "2026-01-04")
    gallery.log("import stash", {"added": 1})
    assert gallery.updated_at(X) == "2026-01-01"
    assert gallery.updated_at(Y) == ""  # nobody goes by it
    assert (gallery.checkpoint("stash"), gallery.checkpoint("box")) == ("2026-01-04", "")
    assert gallery.generation() == before


def test_a_reader_may_take_notes_too(store: Store) -> None:
    store.create()
    with store.gallery() as reader:
        reader.log("export csv", {"performers": 0})
    with store.gallery() as reader:
        ((when, verb, counts),) = reader.journal()
    assert (verb, counts) == ("export csv", {"performers": 0})
    assert when.startswith("20")


def test_the_journal_tells_the_edits_in_order_and_names_nobody(gallery: GalleryChange) -> None:
    ada, eve = enrolled(gallery, "Ada", 1, 2), enrolled(gallery, "Eve", 3)
    gallery.log("import folder", {"added": 2})
    gallery.remove_photo(ada, "hash1")
    gallery.merge(ada, eve)
    gallery.forget(ada)
    gallery.unforget("Ada")
    assert [(verb, counts) for _, verb, counts in gallery.journal()] == [
        ("import folder", {"added": 2}),
        ("remove-photo", {"encodings": 1}),
        ("merge", {"performers": 2, "encodings": 1}),
        ("forget", {"encodings": 2}),
        ("unforget", {"performers": 1}),
    ]


# Finding
