"""Gathers the faces found in a video into people, each with one picture."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from db.models import EncodingModel
from db.people import Link, PersonFound
from db.records import Vector
from function.engines.models import find_model
from function.faces.face import Face, best_face
from function.faces.found import Details, FacesFound, StageSeconds
from function.people.dividing import (
    choose_doubted,
    choose_unlike,
    divide_groups,
    find_division,
)
from function.people.grouping import group_faces
from function.people.links import find_links
from function.people.people import person_of

Fetch = Callable[[Sequence[int], Sequence[int]], Details]
"""Fetches the pictures of some faces, and the second encodings of some, given their positions in
`FacesFound.faces`. Without a second encoder the encodings are missing."""

MOST_AGAIN = 10
"""At most this many faces of a person are encoded a second time."""

MOST_IN_VIDEO = 1_000
"""And at most this many of a video, which takes half a minute: a crowd has that many people."""

FACES_PER_AGAIN = 12
"""One of a person with few faces, and one more for each dozen. (With one for each 15 or 20, one or
two of some 200 lose their names, who were dark or partly covered. With one for each ten no more are
named, and where people look alike less is left for those in doubt.)"""

MOST_SHARE, MOST_BESIDES, MOST_IN_SHORT = 0.05, 10, 22
"""At most five faces of a video for each hundred samples and each hundred faces, and ten more; or
this many if that is more, and one of each person, up to MOST_IN_VIDEO. The rest of the work grows
with samples and faces too, so the second net adds a fifth to the CPU time of small pictures, or a
quarter of a second where there are few samples. A clock, or the processor's kind, would make
answers depend on the machine."""

MOST_LOOKS = 5
"""How often more faces are encoded, of people in doubt and of those who were just divided. Films of
seven people who look alike need three; a film can be made that needs many."""

HALVED_LOOKS, FEWEST_IN_LOOK = 3, 4
"""In the first of these, half of what is left is encoded, or at least this many: what they show is
the best guide to whom to look at next. In films of seven people who look alike, as many are named
as if a tenth more were encoded all at once."""


@dataclass(frozen=True, eq=False)
class PeopleFound:
    """Everyone in a video, the one seen most first, and the numbers of frames and faces.

    `models` are the ids of the encodings' models, the primary one first. `links` say who may be
    fragments of one person, the most alike first. `unreadable_seconds` is how much of the video is
    damaged and was not seen, `decoder` what decoded it.
    """

    people: tuple[PersonFound, ...]
    models: tuple[str, ...]
    frames: int
    faces: int
    seconds: StageSeconds
    links: tuple[Link, ...] = ()
    unreadable_seconds: float = 0.0
    decoder: str = "cpu"


def gather_people(found: FacesFound, models: Sequence[str], fetch: Fetch) -> PeopleFound:
    """Group the faces of a video into people, and fetch what only chosen faces need.

    That is a picture of each person's best face, and second encodings of their best ones. `models`
    are the ids of the encoders' models.
    """
    return gather_groups(found, models, fetch)[0]


def gather_groups(
    found: FacesFound, models: Sequence[str], fetch: Fetch, most_again: int | None = None
) -> tuple[PeopleFound, list[list[Face]]]:
    """Do as `gather_people`, and also return the faces of each person, in their order.

    At most `most_again` faces get second encodings, or as many as `count_again` says.
    """
    started = time.perf_counter()
    model = find_model(models[0])
    numbers = {id(face): number for number, face in enumerate(found.faces)}
    groups = group_faces(found.faces, model, found.frames)
    second: dict[int, Vector] = {}
    if len(models) > 1:
        most = most_again if most_again is not None else count_again(found, len(groups))
        groups, second = _look_again(groups, numbers, models, fetch, most)
    pictures = fetch([numbers[id(best_face(group))] for group in groups], ()).pictures
    people = tuple(
        replace(
            person_of([_with(face, second.get(id(face))) for face in group], model),
            picture=picture,
        )
        for group, picture in zip(groups, pictures, strict=True)
    )
    links = find_links(groups, model)
    seconds = replace(found.seconds, people=time.perf_counter() - started)
    gathered = PeopleFound(
        people,
        tuple(models),
        found.frames,
        len(found.faces),
        seconds,
        links,
        found.unreadable_seconds,
        found.decoder,
    )
    return gathered, groups


def count_again(found: FacesFound, people: int) -> int:
    """Say how many faces of a video are encoded a second time, at most."""
    share = MOST_BESIDES + int(MOST_SHARE * (found.frames + len(found.faces)))
    return min(max(share, people, MOST_IN_SHORT), MOST_IN_VIDEO)


def _look_again(
    groups: list[list[Face]],
    numbers: Mapping[int, int],
    models: Sequence[str],
    fetch: Fetch,
    most: int,
) -> tuple[list[list[Face]], dict[int, Vector]]:
    """Fetch second encodings of the best faces, and divide groups that show several people by them.

    More are fetched for groups in doubt, before each division and for the groups that it made, and
    for shots that may show others; `most` in all. Returns the groups, and the encodings by the
    faces' id().
    """
    model = find_model(models[0])
    division = find_division(models)
    second = _encode(choose_all_again(groups, model)[:most], numbers, fetch)
    if division is None or not second:
        return groups, second
    parts = groups
    for look in range(MOST_LOOKS):
        due = [
            *choose_all_again(parts, model),
            *choose_doubted(parts, second, division),
            *choose_unlike(parts, second, model),
        ]
        due = [face for face in dict.fromkeys(due) if id(face) not in second]
        more = _encode(due[: _count_now(look, most - len(second))], numbers, fetch)
        second |= more
        before = len(parts)
        # Not the parts: a shot of which nothing was known may be in the wrong one.
        parts = divide_groups(groups, second, division)
        if not more and len(parts) == before:
            break
    return parts, second


def _count_now(look: int, left: int) -> int:
    """Say how many faces one look may encode, counted from 0, if so many are left for all."""
    return left if look >= HALVED_LOOKS else min(left, max(left // 2, FEWEST_IN_LOOK))


def _encode(due: Sequence[Face], numbers: Mapping[int, int], fetch: Fetch) -> dict[int, Vector]:
    """Fetch second encodings, by the faces' id(); none if there is no second encoder."""
    found = fetch((), [numbers[id(face)] for face in due]).second if due else None
    if found is None:
        return {}
    rows = found.reshape(len(due), -1)
    return {id(face): row for face, row in zip(due, rows, strict=True)}


def choose_all_again(groups: Sequence[Sequence[Face]], model: EncodingModel) -> list[Face]:
    """Choose the faces of all people to encode a second time, everyone's best first."""
    ranked = [
        (rank, number, face)
        for number, group in enumerate(groups)
        for rank, face in enumerate(choose_again(group, model))
    ]
    ranked.sort(key=lambda one: one[:2])
    return [face for _, _, face in ranked[:MOST_IN_VIDEO]]


def choose_again(faces: Sequence[Face], model: EncodingModel) -> list[Face]:
    """Choose the faces of a person to encode a second time: the best, no two of one view.

    The best of each shot come first: if a group mixes two people, both are then among them.
    """
    best = sorted(faces, key=lambda face: (-face.quality, face.seconds))
    better: Counter[tuple[bool, int]] = Counter()
    places: dict[int, int] = {}
    for face in best:
        places[id(face)] = better[face.is_weak, face.shot]
        better[face.is_weak, face.shot] += 1
    ranked = sorted(best, key=lambda face: (face.is_weak, places[id(face)]))
    most = min(MOST_AGAIN, 1 + len(faces) // FACES_PER_AGAIN)
    chosen: list[Face] = []
    for face in ranked:
        if len(chosen) == most:
            break
        apart = [np.linalg.norm(face.encoding - one.encoding) for one in chosen]
        if min(apart, default=np.inf) > model.same_view_within:
            chosen.append(face)
    return chosen


def _with(face: Face, second: Vector | None) -> Face:
    return face if second is None else replace(face, second=second)
