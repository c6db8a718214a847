"""Says into whom Stash merged those who are gone from it, where neither name nor stash id tells.

A merge that is asked for over Stash's API, and not on its page, keeps nothing of the merged
performer but what they are on: scenes and images go to the other.
"""

import re
from collections.abc import Collection, Iterator, Mapping

from db.errors import OtherModelError
from db.galleries import Gallery, Store
from db.records import Performer
from db.snapshots import Snapshot
from function.engines.models import PRIMARY
from function.matching.audits import compare_with
from function.stash.client import Stash
from function.stash.comparing import NO_HEIRS, Heirs
from function.stash.following import known_in_stash
from function.stash.records import StashPerformer
from function.stash.scene_faces import ORIGIN

MOST_ASKED = 3
"""This many images and scenes of each performer are looked at: they were tagged one by one."""

MOST_GONE = 100
"""If more are gone at once, nobody merged them one by one: then Stash is not asked about each."""

_IMAGE = re.compile(r"/image/(\d+)/image(?:\?|$)")
"""How Stash's address of an image's picture ends; other sites have an /image/ too."""

_SCENE = re.compile(rf"{re.escape(ORIGIN)} (\d+)$")


def find_heirs(stash: Stash, store: Store, present: Mapping[str, StashPerformer]) -> Heirs:
    """Find the heirs of those whom the gallery knows from Stash, and Stash no longer has.

    Raises:
        UnusableSourceError: Stash does not answer.
        GalleryError: the gallery cannot be read; see `db.errors`.
    """
    if not store.exists():
        return NO_HEIRS
    with store.gallery() as gallery:
        known = known_in_stash(gallery)
        gone = {number: one for number, one in known.items() if number not in present}
        if not 0 < len(gone) <= MOST_GONE:
            return NO_HEIRS
        shown = {number: list(_shows_alone(gallery, one)) for number, one in gone.items()}
        faces = _faces(gallery)
        changed = _changed(gallery, known, present)
    sure = {
        number: heir
        for number, one in gone.items()
        if (heir := _carrier(stash, shown[number])) in present
        and _may_be(faces, one, known.get(heir))
    }
    likely = {
        number: heir
        for number, one in gone.items()
        if number not in sure and (heir := _likeliest(faces, one, changed))
    }
    return Heirs(sure, likely)


def _changed(
    gallery: Gallery, known: Mapping[str, Performer], present: Mapping[str, StashPerformer]
) -> dict[int, str]:
    """Return who changed in Stash since the last sync, as whoever is merged into does."""
    return {
        one.id: number
        for number, one in known.items()
        if number in present
        and gallery.updated_at(present[number].identity) != present[number].updated_at
    }


def _shows_alone(gallery: Gallery, performer: Performer) -> Iterator[tuple[str, str]]:
    """Yield images and scenes of Stash, by id, from which somebody was enrolled who was alone."""
    for photo in gallery.photos(performer.id):
        if found := _SCENE.search(photo.origin):
            yield "scene", found[1]
        elif found := _IMAGE.search(photo.origin):
            yield "image", found[1]


def _carrier(stash: Stash, shown: Collection[tuple[str, str]]) -> str:
    """Return the id of the one performer who is on all these now, alone; "" if nobody is."""
    carriers = set()
    for kind, number in list(dict.fromkeys(shown))[:MOST_ASKED]:
        found = stash.image(number) if kind == "image" else stash.scene(number)
        if found:
            carriers.add(found.performers)
    (alone,) = carriers if len(carriers) == 1 else ((),)
    return alone[0] if len(alone) == 1 else ""


def _faces(gallery: Gallery) -> Snapshot | None:
    """Return the gallery's faces; None if they were all encoded by a model of former times."""
    try:
        return gallery.snapshot(PRIMARY)
    except OtherModelError:
        return None


def _may_be(faces: Snapshot | None, one: Performer, heir: Performer | None) -> bool:
    """Say whether two may be one person, by their faces or for lack of one."""
    found = compare_with(faces, one.id, [heir.id]) if faces and heir else {}
    return all(found.values())


def _likeliest(faces: Snapshot | None, one: Performer, changed: Mapping[int, str]) -> str:
    """Return who looks most like somebody; "" if they would be strangers."""
    found = compare_with(faces, one.id, changed) if faces else {}
    return next((changed[other] if is_alike else "" for other, is_alike in found.items()), "")
