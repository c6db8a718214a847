"""Finding what is wrong in a gallery."""

import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from db.records import Performer
from function.engines.models import BOTH_BEFORE
from function.matching.audits import audit_gallery
from tests.function.matching.test_both_nets import Twice, gallery_of
from tests.support.crowds import Crowd, make_gallery
from tools.verbs.audit_lines import render_audit


def test_a_good_gallery_has_no_findings() -> None:
    crowd = Crowd()
    gallery = make_gallery([crowd.encodings(crowd.person(), 4) for _ in range(6)])
    audit = audit_gallery(gallery)
    assert audit.findings == ()
    assert (audit.performers, audit.photos) == (6, 24)


def test_a_photo_under_the_wrong_name_is_found_with_whose_it_may_be() -> None:
    crowd = Crowd()
    people = [crowd.person() for _ in range(4)]
    enrolled = [crowd.encodings(person, 4) for person in people]
    enrolled[1][2] = crowd.encodings(people[3], 1)[0]
    (finding,) = audit_gallery(make_gallery(enrolled)).findings
    assert finding.kind == "photo_nearer_to_another"
    assert finding.performers == ("P1", "P3")
    assert [(photo.performer, photo.number) for photo in finding.photos] == [("P1", 3)]


def test_a_photo_that_is_like_nobody_and_unlike_the_rest_is_found() -> None:
    crowd = Crowd()
    enrolled = [crowd.encodings(crowd.person(), 4) for _ in range(4)]
    enrolled[2][1] = enrolled[2][1] + 0.1 * (enrolled[2][1] - crowd.middle)
    assert audit_gallery(make_gallery(enrolled)).findings == ()
    away = enrolled[2].mean(axis=0) - crowd.middle
    enrolled[2][1] = enrolled[2][1] + away * (0.7 / np.linalg.norm(away))
    (finding,) = audit_gallery(make_gallery(enrolled)).findings
    assert (finding.kind, finding.performers) == ("photo_unlike_the_rest", ("P2",))
    assert [photo.number for photo in finding.photos] == [2]
    assert (finding.distance or 0) > 0.6


def test_the_only_photo_of_a_performer_is_not_held_against_itself() -> None:
    crowd = Crowd()
    gallery = make_gallery([crowd.encodings(crowd.person(), 1) for _ in range(3)])
    assert audit_gallery(gallery).findings == ()


def test_the_same_photo_twice_is_found_once() -> None:
    crowd = Crowd()
    photos = crowd.encodings(crowd.person(), 3)
    photos[2] = photos[0] + crowd.direction(0.02)
    (finding,) = audit_gallery(make_gallery([photos])).findings
    assert finding.kind == "duplicate_photos"
    assert [photo.number for photo in finding.photos] == [1, 3]
    assert finding.performers == ("P0",)


def test_one_person_enrolled_under_two_names_is_found() -> None:
    crowd = Crowd()
    person = crowd.person()
    others = [crowd.encodings(crowd.person(), 3) for _ in range(4)]
    enrolled = [crowd.encodings(person, 3), *others, crowd.encodings(person, 3)]
    kinds = {
        (finding.kind, finding.performers)
        for finding in audit_gallery(make_gallery(enrolled)).findings
    }
    assert ("performers_too_alike", ("P0", "P5")) in kinds


def test_a_performer_without_photos_is_found() -> None:
    crowd = Crowd()
    gallery = make_gallery([crowd.encodings(crowd.person(), 2)])
    gallery = replace(gallery, performers=(*gallery.performers, Performer(7, "Nobody")))
    (finding,) = audit_gallery(gallery).findings
    assert (finding.kind, finding.performer_ids) == ("no_photos", (7,))


def test_an_empty_gallery_is_audited_without_complaint() -> None:
    assert audit_gallery(make_gallery([])).findings == ()


def test_findings_in_different_blocks_of_a_large_gallery_are_found() -> None:
    crowd = Crowd()
    enrolled = [crowd.encodings(crowd.person(), 1) for _ in range(2100)]
    enrolled[2099] = enrolled[1] + crowd.direction(0.01)
    kinds = [
        (finding.kind, finding.performers)
        for finding in audit_gallery(make_gallery(enrolled)).findings
        if "P2099" in finding.performers
    ]
    assert ("duplicate_photos", ("P1", "P2099")) in kinds


def test_of_many_findings_the_nearest_are_kept_and_all_are_counted() -> None:
    crowd = Crowd()
    photos = [crowd.encodings(crowd.person(), 2) for _ in range(9)]
    for number, pair in enumerate(photos):
        pair[1] = pair[0] + crowd.direction(0.09 - 0.01 * number)
    audit = audit_gallery(make_gallery(photos), most=2)
    assert [finding.performers for finding in audit.findings] == [("P8",), ("P7",)]
    assert audit.total == 9


def test_the_lines_name_photos_and_say_what_to_do() -> None:
    crowd = Crowd()
    photo = crowd.encodings(crowd.person(), 1)
    audit = audit_gallery(make_gallery([photo, photo]))
    text = render_audit(audit)
    assert "duplicate_photos: P0 photo 1, P1 photo 1 at 0.00. The same photo has two names" in text
    assert json.loads(json.dumps(audit.to_json()))["photos"] == 2
    assert np.isfinite(audit.findings[0].distance or 0)


def test_who_is_alike_is_judged_by_both_nets_where_both_looked() -> None:
    crowd = Twice()
    one, other = crowd.person(), crowd.person()
    double, twin = crowd.photos(one, 3), crowd.photos((one[0], other[1]), 3)
    rest = [crowd.photos(crowd.person(), 3) for _ in range(4)]
    photos = [crowd.photos(one, 3), twin, *rest, double]
    everyone = range(len(photos))

    def alike(complete: Sequence[int]) -> list[tuple[str, ...]]:
        found = audit_gallery(gallery_of(photos, complete)).findings
        return sorted(one.performers for one in found if one.kind == "performers_too_alike")

    assert alike(everyone) == [("P0", "P6")], "P1 looks like them to the first net only"
    some = [0, 2, 3, 4, 5, 6]
    assert ("P0", "P1") in alike(some), "P1 was seen by the first net only"
    today, before = gallery_of(photos, some), gallery_of(photos, everyone, BOTH_BEFORE)
    found = audit_gallery(replace(today, fused=(*today.fused, *before.fused))).findings
    assert [one.performers for one in found if one.kind == "performers_too_alike"] == [
        ("P0", "P6")
    ], "P1 was seen by an earlier second net"
