"""What holds of every store: one suite, over SQLite and over plain dicts in memory."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from db.corrections import Correction, Subject, new_performer
from db.errors import (
    AmbiguousNameError,
    DamagedVectorError,
    ForgottenError,
    GalleryError,
    GalleryLockedError,
    GalleryMissingError,
    IdentityConflictError,
    OtherModelError,
    PerformerNotFoundError,
)
from db.galleries import GalleryChange, Store, everyone
from db.models import EncodingKind, EncodingSpace, Fusion
from db.records import Encoding, Generation, Identity, Performer, Vector
from db.rejections import find_rejected
from db.stores import open_store
from tests.support.galleries import MODEL, TEST_MODEL, encoding, made_up_vector, performer
from tests.support.memory_store import MemoryStore

BOX = "https://stashdb.org/graphql"
X = Identity(BOX, "uuid-x")
Y = Identity(BOX, "uuid-y")
OTHER_MODEL = replace(TEST_MODEL, id="other-model", dimensions=4)

STORES: dict[str, Callable[[Path], Store]] = {
    "sqlite": lambda folder: open_store(folder / "g.db"),
    "memory": lambda _: MemoryStore(),
}


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return STORES[request.param](tmp_path)


@pytest.fixture
def gallery(store: Store) -> Iterator[GalleryChange]:
    with store.changing(create=True) as opened:
        yield opened


def from_stash(name: str, number: str, *stash_ids: Identity) -> Performer:
    return performer(name, number, source="stash http://localhost:9999", identities=stash_ids)


def from_box(name: str, stash_id: str, **fields: object) -> Performer:
    return performer(name, stash_id, source=BOX, **fields)


def enrolled(gallery: GalleryChange, name: str, *seeds: int, **fields: object) -> Performer:
    """Somebody of this name with a photo for each seed, as the gallery has them."""
    record = performer(name, **fields)  # type: ignore[arg-type]
    gallery.enrol(record, [encoding(seed) for seed in seeds], None)
    (stored,) = gallery.find_identities([Identity(record.source, record.source_id)])
    return stored


def short_encoding(photo: int, *numbers: float, model: str = OTHER_MODEL.id) -> Encoding:
    """An encoding of a photo by the other model, which has four numbers."""
    vector = np.array(numbers or (photo, 0, 0, 0), np.float32)
    return Encoding(vector, model, 0.5, f"hash{photo}", f"photo{photo}.jpg")


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


def damaged_encoding(seed: int) -> Encoding:
    damaged = encoding(seed)
    damaged.vector[0] = np.nan
    return damaged


def subject(seed: int, *photos: int, picture: bytes = b"\xff\xd8") -> Subject:
    encodings = tuple(encoding(photo) for photo in photos or (seed,))
    return Subject(made_up_vector(seed), encodings, picture, TEST_MODEL, "confirmed from a.mp4")


def nudged(vector: Vector, distance: float) -> Vector:
    sideways = made_up_vector(99)
    return (vector + sideways * distance / np.linalg.norm(sideways)).astype(np.float32)


def offered(gallery: GalleryChange, probe: Vector) -> set[str]:
    """The names of those who are not rejected for this look."""
    snapshot = gallery.snapshot(TEST_MODEL)
    rejected = set(find_rejected(probe[None], snapshot).columns.tolist())
    return {one.name for place, one in enumerate(snapshot.performers) if place not in rejected}


def hashes(gallery: GalleryChange, who: Performer) -> set[str]:
    return {one.hash for one in gallery.photos(who.id)}


def names(performers: list[Performer]) -> list[str]:
    return [one.name for one in performers]


# A store, before anything is in it


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
