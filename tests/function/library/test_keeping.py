"""What a scan keeps: enough to match again, and nothing of people it may not keep."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from db.people import Link, PersonFound, View
from db.sqlite.ledger import SqliteLedger
from db.videos import Outcome
from function.faces.found import StageSeconds
from function.library.keeping import MOST_VIEWS_KEPT, Kept, Watched, keep_people, trim
from function.library.naming import Naming
from function.people.gathering import PeopleFound
from function.settings import Settings
from tests.support.crowds import Crowd, make_faces, make_gallery
from tests.support.ledgers import AT, SCANNED, made_up_person, take, video_file
from tests.support.people import person_of

crowd = Crowd(5)
ADA, EVE, STRANGER = (crowd.person() for _ in range(3))
GALLERY = make_gallery([crowd.encodings(ADA, 4), crowd.encodings(EVE, 4)])


def seen(who: np.ndarray, first_frame: int, count: int = 5, jpeg: bytes = b"jpeg") -> PersonFound:
    """Somebody in frames of their own."""
    faces = make_faces(crowd.encodings(who, count, 0.15).astype(np.float32), first_frame)
    return replace(person_of(faces), picture=jpeg)


def found(people: Sequence[PersonFound], links: Sequence[Link] = ()) -> PeopleFound:
    faces = sum(person.faces for person in people)
    seconds = StageSeconds(0.0, 0.0)
    return PeopleFound(tuple(people), ("dlib",), 100, faces, seconds, tuple(links))


def keep(what: PeopleFound, *, strangers: bool) -> Kept:
    naming = Naming(GALLERY, (), None, Settings())
    return keep_people(what, Watched("/v/film.mp4", 60.0), naming, strangers=strangers)


def test_everyone_is_kept_on_request_with_what_matching_said() -> None:
    people = [seen(STRANGER, 0), seen(ADA, 20)]
    kept = keep(found(people, [Link(0.9, 0, 1)]), strangers=True)
    assert [position for position, _ in kept.found.people] == [0, 1]
    assert kept.found.links == (Link(0.9, 0, 1),)
    assert (kept.found.seconds, kept.found.frames, kept.found.faces) == (60.0, 100, 10)
    assert kept.found.left_out == 0


def test_without_strangers_only_who_may_be_somebody_is_kept_and_the_rest_counted() -> None:
    people = [seen(STRANGER, 0), seen(ADA, 20), seen(crowd.person(), 40), seen(EVE, 60)]
    kept = keep(found(people), strangers=False)
    assert [position for position, _ in kept.found.people] == [1, 3]
    assert [(one.position, one.lead, one.verdict) for one in kept.outcomes] == [
        (1, 1, "match"),
        (3, 3, "match"),
    ]
    assert kept.found.left_out == 2
    assert kept.found.faces == 20, "the video's faces stay counted"


def test_a_fragment_of_somebody_named_is_kept_with_its_link_but_no_link_to_a_stranger() -> None:
    people = [seen(STRANGER, 0, 3), seen(ADA, 20), seen(crowd.person(), 30, 2)]
    links = [Link(0.5, 1, 2), Link(0.9, 0, 2)]
    shared = replace(people[0], seen=(*people[0].seen, people[1].seen[0]))
    kept = keep(found([shared, *people[1:]], links), strangers=False)
    assert [position for position, _ in kept.found.people] == [1, 2]
    assert kept.found.links == (links[0],)
    assert kept.outcomes[1] == Outcome(2, 1)
    assert kept.found.left_out == 1


def test_nothing_of_a_stranger_reaches_the_file(tmp_path: Path) -> None:
    path = tmp_path / "l.db"
    # So large that what is deleted leaves whole pages of the file free.
    people = [seen(STRANGER, 0, jpeg=b"stranger's JPEG" * 2000), seen(ADA, 20, jpeg=b"Ada's JPEG")]
    hers, theirs = people[1].views[0].encodings[0], people[0].views[0].encodings[0]

    def scan(*, strangers: bool) -> bytes:
        with SqliteLedger(path) as ledger:
            ledger.offer([video_file(1)], "normal")
            ledger.want([1], "deep")
            kept = keep(found(people), strangers=strangers)
            lease = take(ledger)
            scanned = replace(SCANNED, depth="deep" if not strangers else "normal")
            assert ledger.finish(lease, kept.found, scanned, kept.outcomes, AT)
        return b"".join(file.read_bytes() for file in tmp_path.iterdir())

    content = scan(strangers=True)
    assert theirs.tobytes() in content
    assert b"stranger's JPEG" in content
    content = scan(strangers=False)
    assert hers.tobytes() in content
    assert b"Ada's JPEG" in content
    assert theirs.tobytes() not in content
    assert b"stranger's JPEG" not in content


@pytest.mark.parametrize("views", [1, MOST_VIEWS_KEPT, MOST_VIEWS_KEPT + 1, 50])
def test_the_count_of_faces_stays_when_views_are_left_out(views: int) -> None:
    person = made_up_person(3, views=views)
    trimmed = trim(person)
    assert len(trimmed.views) == min(views, MOST_VIEWS_KEPT)
    assert trimmed.faces == person.faces
    assert (trimmed.seen, trimmed.picture) == (person.seen, person.picture)


def test_the_best_views_are_kept_in_their_order() -> None:
    def view(number: int, quality: float, weak: str = "", nets: int = 1) -> View:
        vector = np.full(128, number, np.float32)
        return View(float(number), quality, 1, (weak,) if weak else (), (vector,) * nets)

    strong = [view(number, 0.5 + number / 100) for number in range(MOST_VIEWS_KEPT + 2)]
    worst_by_both = view(30, 0.1, nets=2)
    weak = view(31, 0.99, "blurred", nets=2)
    kept = trim(PersonFound((*strong, worst_by_both, weak), (), 0.0, b"")).views
    expected = [*range(3, MOST_VIEWS_KEPT + 2), 30]
    assert [round(one.seconds) for one in kept] == expected
    assert kept[-1].faces == 1 + 3 + 1, "the last one counts the faces of those left out"
