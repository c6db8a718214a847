"""Long results travel in portions, so that neither side ever holds a long message.

The child splits a result; its parent collects the portions, and checks what they make together.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from db.people import PersonFound, Seen, View
from function.enrolling.choosing import PhotoFound
from function.faces.face import Face
from function.faces.found import PictureFound, StretchFound
from function.media.pictures import MOST_LEFT_OUT, MOST_PICTURES, Contents, Entry
from function.people.gathering import PeopleFound
from function.people.views import MOST_VIEWS
from function.sandbox.orders import (
    ContentsOrder,
    Order,
    PhotoOrder,
    PictureOrder,
    Result,
    VideoOrder,
)
from function.sandbox.wire import WireError

PORTION_BYTES = 500_000
"""About how much of a result one portion holds, before it is written as JSON."""

FACE_BYTES = 1_000
"""A face without pictures, encoding included."""

MOST_FACES = 5_000
"""Far more than one photo or picture shows."""

MOST_PEOPLE_BYTES = 24 * 1024 * 1024
"""The most memory for all people of a video, as `weigh_people` counts it: five people who are in
each of the 10,000 pictures of the longest film, each from 3,000 sides, take 23 MB."""

MOST_PEOPLE = 2 * MOST_VIEWS
"""Grouping makes no more: each has a view, of good faces or of weak ones."""

PERSON_BYTES, SEEN_BYTES, VIEW_BYTES, ENCODING_BYTES, WORD_BYTES = 400, 212, 250, 112, 72
"""What Python takes for each, beside the numbers, letters and pictures that are in it."""

SEEN_AT_ONCE = 2_000
"""Moments of a person in one portion: each is four values, and a portion may have few."""

FILE_BYTES, LETTER_BYTES = 300, 6
"""A file in an archive, and each letter that is said of it, as JSON if it is none of ASCII."""

Item = TypeVar("Item", Face, PersonFound, Entry)
Whole = TypeVar("Whole", bound=Result | StretchFound)


@dataclass(frozen=True, eq=False)
class Portion:
    """A part of a result: some of its faces, of its people, or of the files in an archive.

    Whoever has no picture there goes on from the portion before. Files with a reason are left out.
    """

    faces: tuple[Face, ...] = ()
    people: tuple[PersonFound, ...] = ()
    files: tuple[Entry, ...] = ()


def split(result: Whole) -> Iterator[Portion | Whole]:
    """Yield the portions of a result, if it is a long kind, and then the result without them."""
    if isinstance(result, PhotoFound | PictureFound | StretchFound):
        for faces in _groups(result.faces):
            yield Portion(faces=faces)
        yield replace(result, faces=())
    elif isinstance(result, PeopleFound):
        for people in _groups(piece for person in result.people for piece in _pieces(person)):
            yield Portion(people=people)
        yield replace(result, people=())
    elif isinstance(result, Contents):
        for files in _groups((*result.pictures, *result.left_out)):
            yield Portion(files=files)
        yield replace(result, pictures=(), left_out=())
    else:
        yield result


def weigh_people(people: Iterable[PersonFound]) -> int:
    """Return about how many bytes of memory people take, or pieces of them.

    Of a person in pieces the first, which has the picture, counts for the person.
    """
    return sum(map(_weigh_person, people))


class Collected:
    """The portions of the result of one order, as they come; without an order there are none."""

    def __init__(self, order: Order | None) -> None:
        self._order = order
        self._faces: list[Face] = []
        self._people: list[_Person] = []
        self._files: list[Entry] = []
        self._bytes = 0

    def add(self, portion: Portion) -> None:
        """Keep a portion.

        Raises:
            WireError: the order has no such result, or there is more than any file shows.
        """
        if not self._was_asked_for(portion):
            raise WireError("it sent what it was not asked for")
        self._faces += portion.faces
        self._files += portion.files
        self._bytes += weigh_people(portion.people)
        if len(self._faces) > MOST_FACES:
            raise WireError(f"{len(self._faces)} faces are too many")
        if self._bytes > MOST_PEOPLE_BYTES:
            raise WireError(f"people of {self._bytes} bytes are too many")
        if len(self._files) > MOST_PICTURES + MOST_LEFT_OUT:
            raise WireError(f"{len(self._files)} files are too many")
        for piece in portion.people:
            self._add_piece(piece)

    def _was_asked_for(self, portion: Portion) -> bool:
        match self._order:
            case VideoOrder():
                return not portion.faces and not portion.files
            case PhotoOrder():
                return not portion.people and not portion.files
            case PictureOrder():
                has_chips = any(one.chip for one in portion.faces)
                return not portion.people and not portion.files and not has_chips
            case ContentsOrder():
                return not portion.faces and not portion.people
        return False

    def _add_piece(self, piece: PersonFound) -> None:
        if piece.picture:
            self._people.append(_Person(piece))
            if len(self._people) > MOST_PEOPLE:
                raise WireError(f"{len(self._people)} people are too many")
        elif self._people:
            self._people[-1].go_on(piece)
        else:
            raise WireError("a person has no beginning")

    def complete(self, result: Result) -> Result:
        """Return a result with the portions that came before it."""
        if isinstance(result, PhotoFound | PictureFound):
            return replace(result, faces=(*self._faces, *result.faces))
        if isinstance(result, PeopleFound):
            if result.people:
                raise WireError("people came in no portion")
            people, self._people = self._people, []
            return replace(result, people=tuple(one.whole() for one in people))
        if isinstance(result, Contents):
            pictures = (one for one in self._files if not one.reason)
            left_out = (one for one in self._files if one.reason)
            return replace(
                result,
                pictures=(*pictures, *result.pictures),
                left_out=(*left_out, *result.left_out),
            )
        return result


class _Person:
    """The pieces of one person, as they come."""

    def __init__(self, first: PersonFound) -> None:
        self._first = first
        self._views = [*first.views]
        self._seen = [*first.seen]

    def go_on(self, piece: PersonFound) -> None:
        self._views += piece.views
        self._seen += piece.seen

    def whole(self) -> PersonFound:
        return replace(self._first, views=tuple(self._views), seen=tuple(self._seen))


def _pieces(person: PersonFound) -> Iterator[PersonFound]:
    """Yield a person in pieces that each fit into a portion; only the first has the picture."""
    beginning = replace(person, views=(), seen=())
    views: list[View] = []
    taken = len(person.picture)
    for view in person.views:
        if views and taken + _weigh_view(view) > PORTION_BYTES:
            yield replace(beginning, views=tuple(views))
            beginning, views, taken = replace(beginning, picture=b""), [], 0
        views.append(view)
        taken += _weigh_view(view)
    yield replace(beginning, views=tuple(views), seen=person.seen[:SEEN_AT_ONCE])
    for start in range(SEEN_AT_ONCE, len(person.seen), SEEN_AT_ONCE):
        seen: tuple[Seen, ...] = person.seen[start : start + SEEN_AT_ONCE]
        yield replace(beginning, picture=b"", views=(), seen=seen)


def _groups(items: Iterable[Item]) -> Iterator[tuple[Item, ...]]:
    """Group what fits into a portion; each group holds at least one."""
    group: list[Item] = []
    taken = 0
    for item in items:
        size = _size(item)
        if group and taken + size > PORTION_BYTES:
            yield tuple(group)
            group, taken = [], 0
        group.append(item)
        taken += size
    if group:
        yield tuple(group)


def _size(item: Face | PersonFound | Entry) -> int:
    if isinstance(item, PersonFound):
        return _weigh_person(item)
    if isinstance(item, Entry):
        return FILE_BYTES + LETTER_BYTES * len(item.name + item.reason + item.content)
    again = 0 if item.second is None else item.second.nbytes
    return FACE_BYTES + len(item.crop) + len(item.chip) + again


def _weigh_person(person: PersonFound) -> int:
    views = sum(map(_weigh_view, person.views))
    own = PERSON_BYTES if person.picture else 0
    return own + len(person.picture) + SEEN_BYTES * len(person.seen) + views


def _weigh_view(view: View) -> int:
    encodings = sum(ENCODING_BYTES + one.nbytes for one in view.encodings)
    return VIEW_BYTES + encodings + sum(WORD_BYTES + len(one) for one in view.weaknesses)
