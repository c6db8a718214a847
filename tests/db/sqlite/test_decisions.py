import numpy as np

from db.records import Vector
from db.rejections import leave_out_rejected
from db.sightings import Sighting, new_performer
from db.sqlite.decisions import assign, reject, undo
from db.sqlite.edits import merge
from db.sqlite.gallery import SqliteGallery
from db.sqlite.snapshots import load_snapshot
from db.vectors import distances_to_performers
from tests.support.galleries import TEST_MODEL, encoding, made_up_vector, performer


def sighting(seed: int, *photos: int) -> Sighting:
    encodings = tuple(encoding(photo) for photo in photos or (seed,))
    return Sighting(
        made_up_vector(seed), encodings, b"\xff\xd8", TEST_MODEL, "confirmed from a.mp4"
    )


def gallery_of(*names: str) -> SqliteGallery:
    gallery = SqliteGallery()
    for number, name in enumerate(names, 1):
        gallery.enrol(performer(name), [encoding(number)], None)
    return gallery


def offered(gallery: SqliteGallery, probe: Vector) -> list[str]:
    snapshot = load_snapshot(gallery, TEST_MODEL)
    distances = distances_to_performers(probe[None], snapshot)
    allowed = leave_out_rejected(distances, probe[None], snapshot)[0]
    return [
        one.name
        for one, distance in zip(snapshot.performers, allowed, strict=True)
        if np.isfinite(distance)
    ]


def nudged(vector: Vector, distance: float) -> Vector:
    sideways = made_up_vector(99)
    return (vector + sideways * distance / np.linalg.norm(sideways)).astype(np.float32)


def test_a_rejected_look_is_left_out_for_that_performer_alone() -> None:
    with gallery_of("Ada", "Grace") as gallery:
        reject(gallery, gallery.find_performer("Ada"), sighting(7))
        assert offered(gallery, made_up_vector(7)) == ["Grace"]
        assert offered(gallery, made_up_vector(8)) == ["Ada", "Grace"]


def test_a_rejection_reaches_as_far_as_the_same_look_varies() -> None:
    with gallery_of("Ada") as gallery:
        reject(gallery, gallery.find_performer("Ada"), sighting(7))
        assert offered(gallery, nudged(made_up_vector(7), 0.9 * TEST_MODEL.rejected_within)) == []
        assert offered(gallery, nudged(made_up_vector(7), 1.1 * TEST_MODEL.rejected_within)) == [
            "Ada"
        ]


def test_the_performer_is_still_found_where_the_rejected_look_lies_near_by() -> None:
    with gallery_of("Ada") as gallery:
        own = gallery.encodings(1)[0].vector
        close = Sighting(nudged(own, 0.2), (), b"", TEST_MODEL, "a.mp4")
        reject(gallery, gallery.find_performer("Ada"), close)
        assert offered(gallery, own) == ["Ada"]
        assert offered(gallery, close.template) == []


def test_a_rejection_outlives_another_import_and_a_merge_but_not_the_performer() -> None:
    with gallery_of("Ada", "Grace") as gallery:
        ada, grace = gallery.performers()
        reject(gallery, ada, sighting(7))
        gallery.enrol(performer("Ada"), [encoding(1), encoding(11)], None)
        assert offered(gallery, made_up_vector(7)) == ["Grace"]
        merge(gallery, grace, ada)
        assert offered(gallery, made_up_vector(7)) == []
        with gallery.writing() as db:
            db.execute("DELETE FROM performers")
        assert gallery.rows("SELECT * FROM rejections") == []


def test_who_is_assigned_a_look_is_no_longer_rejected_for_it_until_that_is_undone() -> None:
    with gallery_of("Ada", "Grace") as gallery:
        ada, grace = gallery.performers()
        reject(gallery, ada, sighting(7))
        correction = assign(gallery, ada, sighting(7), instead_of=grace)
        assert gallery.performer(ada.id).encodings == 2
        assert gallery.rows("SELECT performer_id FROM rejections") == [(grace.id,)]
        undo(gallery, correction)
        assert gallery.performer(ada.id).encodings == 1
        assert gallery.rows("SELECT performer_id FROM rejections") == [(ada.id,)]


def test_undo_takes_back_only_what_the_correction_added() -> None:
    with gallery_of("Ada") as gallery:
        ada = gallery.find_performer("Ada")
        correction = assign(gallery, ada, sighting(7, 1, 7))
        assert correction.photo_hashes == ("hash7",)
        gallery.enrol(performer("Ada"), [encoding(8)], None)
        undo(gallery, correction)
        assert {one.photo_hash for one in gallery.encodings(ada.id)} == {"hash1", "hash8"}


def test_somebody_new_goes_with_undo_unless_more_was_added_since() -> None:
    with gallery_of() as gallery:
        undo(gallery, assign(gallery, new_performer("Ada"), sighting(7)))
        assert gallery.performers() == []
        correction = assign(gallery, new_performer("Ada"), sighting(7))
        stored = gallery.performers()[0]
        gallery.enrol(stored, [encoding(8)], None)
        undo(gallery, correction)
        assert [(one.name, one.encodings) for one in gallery.performers()] == [("Ada", 1)]
